#include "workers/worker/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/ulid.h"
#include "workers/worker/child_room.h"

/* ---- the end ---- */

void child_fatal(struct child *child, const char *detail) {
    if (child->fatal) return;
    child->fatal = true;
    linnet_log(LINNET_ERROR, "worker", "cannot go on", "why", "s", detail, NULL);
    linnet_channel_send(&child->channel, json_pack("{s:s}", "fatal", detail));
    child_close(child, 1);
}

static void on_couch_closed(void *arg) {
    struct child *child = arg;
    if (--child->pending > 0) return;
    linnet_channel_close(&child->channel);
}

static void close_couch(struct child *child) {
    child->pending = (child->couch != NULL) + (child->lease_couch != NULL);
    if (child->pending == 0) {
        linnet_channel_close(&child->channel);
        return;
    }
    if (child->couch != NULL) linnet_couch_close(child->couch, on_couch_closed, child);
    if (child->lease_couch != NULL) linnet_couch_close(child->lease_couch, on_couch_closed, child);
}

static void on_part_closed(void *arg) {
    struct child *child = arg;
    if (--child->pending == 0) close_couch(child);
}

/* What the groups lean on: loader, members, suspects. */
static void close_parts(struct child *child) {
    child->pending = 1;
    if (child->loader != NULL)
        child->pending++, linnet_reference_loader_close(child->loader, on_part_closed, child);
    if (child->members != NULL) child->pending++, linnet_members_close(child->members, on_part_closed, child);
    if (child->suspects != NULL)
        child->pending++, linnet_suspects_close(child->suspects, on_part_closed, child);
    on_part_closed(child);
}

static void on_group_closed(void *arg) {
    struct child *child = arg;
    if (--child->pending == 0) close_parts(child);
}

static void close_groups(struct child *child) {
    child->pending = 1;
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group == NULL) continue;
        child->pending++;
        linnet_group_close(child->groups[i].group, on_group_closed, child);
        child->groups[i].group = NULL;
    }
    on_group_closed(child);
}

void child_close(struct child *child, int status) {
    if (child->closing) return;
    child->closing = true;
    child->status = status;
    linnet_monitor_close(child->monitor);
    child->monitor = NULL;
    uv_close((uv_handle_t *)&child->tick, NULL);
    uv_close((uv_handle_t *)&child->start, NULL);
    child_end_guest(child, false, close_groups);
}

/* ---- an orderly end: finish, write checkpoints and give leases back, say goodbye, close ---- */

static void on_members_left(void *arg) {
    struct child *child = arg;
    linnet_channel_send(&child->channel, json_pack("{s:b}", "drained", 1));
    child_close(child, 0);
}

static void on_group_left(void *arg) {
    struct child *child = arg;
    if (--child->pending > 0 || child->closing) return;
    if (child->members != NULL)
        linnet_members_leave(child->members, on_members_left, child);
    else
        on_members_left(child);
}

static void on_group_drained(void *arg) {
    struct child *child = arg;
    if (--child->pending > 0 || child->closing) return;
    child->pending = 1;
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group == NULL) continue;
        child->pending++;
        linnet_group_leave(child->groups[i].group, on_group_left, child);
    }
    on_group_left(child);
}

static void drain_groups(struct child *child) {
    if (child->closing) return;
    child->pending = 1;
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group == NULL) continue;
        child->pending++;
        linnet_group_drain(child->groups[i].group, on_group_drained, child);
    }
    on_group_drained(child);
}

void child_drain(struct child *child) {
    if (child->draining || child->closing) return;
    child->draining = true;
    linnet_log(LINNET_INFO, "worker", "draining", NULL);
    child_report(child);
    child_end_guest(child, true, drain_groups);
}

/* ---- the channel ---- */

static void setup_log(const json_t *config) {
    const char *format = linnet_json_string(config, "log/format", "auto");
    int level = linnet_log_level(linnet_json_string(config, "log/level", "info"));
    bool plain = strcmp(format, "text") == 0 || (strcmp(format, "auto") == 0 && isatty(STDERR_FILENO));
    linnet_log_setup(level >= 0 ? (enum linnet_level)level : LINNET_INFO, plain, STDERR_FILENO);
}

static void on_first_message(struct child *child, json_t *message) {
    child->config = json_incref(json_object_get(message, "config"));
    child->check = linnet_json_bool(message, "check", false);
    child->once = linnet_json_bool(message, "once", false);
    snprintf(child->worker, sizeof child->worker, "%s", linnet_json_string(message, "worker", "worker"));
    linnet_ulid_new(child->session);
    setup_log(child->config);
    child_start(child);
}

static void on_message(struct linnet_channel *channel, json_t *message) {
    struct child *child = channel->data;
    json_t *reload = json_object_get(message, "reload");
    if (child->config == NULL) {
        on_first_message(child, message);
    } else if (reload != NULL) {
        struct linnet_error err = {0};
        int rc = child_reload(child, reload, &err);
        linnet_channel_send(channel, json_pack("{s:b, s:s}", "reloaded", rc == 0, "why", err.detail));
    } else if (linnet_json_bool(message, "drain", false)) {
        child_drain(child);
    }
}

/* The supervisor is gone: what it would have done to us, we do. Leases expire by themselves. */
static void on_ended(struct linnet_channel *channel) {
    struct child *child = channel->data;
    if (!child->closing) _exit(1);
}

/* ---- the process ---- */

static int die_with(pid_t supervisor) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "linnet-stages");
    return getppid() == supervisor ? 0 : -1; /* it died before we asked */
}

/* Where memory runs out, rather we than the supervisor, which knows what to do then. Raising it needs no
 * privilege. */
static void offer_to_the_oom_killer(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t written = write(fd, "500", 3);
    (void)written; /* where it can't be, it stays as it is */
    close(fd);
}

static void set_signals(void) {
    /* The supervisor decides when to end: a Ctrl-C on the terminal reaches both. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static int open_child(struct child *child) {
    struct linnet_error err = {0};
    if (uv_loop_init(&child->loop) != 0) return -1;
    uv_timer_init(&child->loop, &child->tick);
    uv_timer_init(&child->loop, &child->start);
    child->tick.data = child->start.data = child;
    if (linnet_inflight_attach(LINNET_CHILD_TABLE, &child->inflight, &err) != 0) {
        linnet_log(LINNET_ERROR, "worker", err.detail, NULL);
        return -1;
    }
    linnet_inflight_catch_faults(child->inflight);
    if (linnet_channel_init(&child->channel, &child->loop) != 0 ||
        linnet_channel_attach(&child->channel, LINNET_CHILD_CHANNEL) != 0)
        return -1;
    child->channel.data = child;
    child->channel.message = on_message;
    child->channel.ended = on_ended;
    return linnet_channel_start(&child->channel);
}

int linnet_child_run(pid_t supervisor, const struct linnet_guest *guest) {
    if (die_with(supervisor) != 0 || sodium_init() < 0) return 1;
    set_signals();
    offer_to_the_oom_killer();
    struct child *child = calloc(1, sizeof *child);
    if (child == NULL || open_child(child) != 0) {
        linnet_log(LINNET_ERROR, "worker", "this is the supervisor's child, started by nobody", NULL);
        return 1;
    }
    child->metrics = linnet_metrics_new();
    child->guest = guest;
    uv_run(&child->loop, UV_RUN_DEFAULT);
    int status = child->status;
    child_free_guest(child);
    uv_loop_close(&child->loop);
    linnet_references_unref(child->references);
    linnet_schemas_free(child->schemas);
    sodium_memzero(&child->site_key, sizeof child->site_key);
    linnet_inflight_detach(child->inflight);
    linnet_metrics_free(child->metrics);
    json_decref(child->config);
    free(child);
    return status;
}
