#include "workers/worker/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/worker/instance.h"
#include "workers/worker/monitor.h"
#include "workers/worker/notify.h"
#include "workers/worker/supervisor_room.h"

#define TICK_MS        200
#define DEFAULT_LISTEN "127.0.0.1:9464"
#define FREE_LISTEN    "127.0.0.1:0"
#define DYING_MS       3000

/* ---- the end ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void supervisor_close(struct supervisor *supervisor, int status) {
    if (supervisor->closing) return;
    supervisor->closing = true;
    supervisor->status = status;
    close_handle((uv_handle_t *)&supervisor->tick);
    close_handle((uv_handle_t *)&supervisor->restart);
    close_handle((uv_handle_t *)&supervisor->patience);
    close_handle((uv_handle_t *)&supervisor->term);
    close_handle((uv_handle_t *)&supervisor->interrupt);
    close_handle((uv_handle_t *)&supervisor->hangup);
    linnet_couch_close(supervisor->couch, NULL, NULL);
}

static void on_patience(uv_timer_t *timer) {
    struct supervisor *supervisor = timer->data;
    linnet_log(LINNET_WARN, "supervisor",
               "the child has not drained in time: killed; what was under way is done again by the next",
               NULL);
    supervisor_kill(supervisor);
}

static void on_end(uv_signal_t *handle, int number) {
    struct supervisor *supervisor = handle->data;
    linnet_log(LINNET_INFO, "supervisor", supervisor->ending ? "ending at once" : "ending", "signal", "s",
               strsignal(number), NULL);
    bool again = supervisor->ending;
    supervisor->ending = true;
    linnet_notify("STOPPING=1");
    if (!supervisor->alive) {
        if (supervisor->record == NULL || again) supervisor_close(supervisor, 0);
        return;
    }
    if (again)
        supervisor_kill(supervisor);
    else
        supervisor_drain_child(supervisor);
    uint64_t limit = (uint64_t)linnet_json_integer(supervisor->config, "supervisor/drain_s", 60) * 1000;
    if (!again) uv_timer_start(&supervisor->patience, on_patience, limit, 0);
}

/* ---- reload ---- */

static void on_hangup(uv_signal_t *handle, int number) {
    struct supervisor *supervisor = handle->data;
    struct linnet_error err = {0};
    json_t *config = NULL;
    (void)number;
    if (supervisor->ending) return;
    if (linnet_worker_config_load(&supervisor->options->overrides, &config, &err) != 0) {
        linnet_log(LINNET_ERROR, "supervisor", "the new configuration is wrong: the old goes on", "why", "s",
                   err.detail, NULL);
        linnet_notify_status("the new configuration is wrong, the old goes on: %s", err.detail);
        return;
    }
    linnet_notify_reloading();
    const char *fixed = linnet_worker_config_needs_restart(supervisor->config, config);
    json_decref(supervisor->offered);
    supervisor->offered = NULL;
    if (fixed != NULL || supervisor->channel == NULL) {
        linnet_log(LINNET_INFO, "supervisor", "a new child takes the new configuration", "because", "s",
                   fixed ? fixed : "none is alive", NULL);
        json_decref(supervisor->config);
        supervisor->config = config;
        if (supervisor->channel != NULL) {
            supervisor->restarting = true;
            supervisor_drain_child(supervisor);
        }
        return;
    }
    supervisor->offered = config;
    linnet_channel_send(supervisor->channel, json_pack("{s:O}", "reload", config));
}

/* ---- time ---- */

/* The service manager watches this loop; the child's is watched by supervisor_watch. */
static void feed_watchdog(struct supervisor *supervisor, int64_t now) {
    if (supervisor->watchdog_ms == 0 || now - supervisor->watchdog_last_ms < supervisor->watchdog_ms) return;
    supervisor->watchdog_last_ms = now;
    linnet_notify("WATCHDOG=1");
}

static void on_tick(uv_timer_t *timer) {
    struct supervisor *supervisor = timer->data;
    supervisor_watch(supervisor);
    feed_watchdog(supervisor, linnet_time_monotonic());
}

/* ---- opening ---- */

/* An address that is taken may still be held by the child of a supervisor that was killed this very moment.
 */
static int listen_on(const char *address, int *fd, struct linnet_error *err) {
    int rc;
    for (int waited = 0;
         (rc = linnet_monitor_listen(address, fd, err)) == LINNET_E_EXISTS && waited < DYING_MS; waited += 50)
        usleep(50000);
    return rc;
}

static int open_listen(struct supervisor *supervisor, struct linnet_error *err) {
    const char *address = linnet_json_string(supervisor->config, "monitor/listen", NULL);
    if (supervisor->options->check || (address != NULL && strcmp(address, "off") == 0)) {
        supervisor->listen_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        return 0;
    }
    int rc = address != NULL ? listen_on(address, &supervisor->listen_fd, err)
                             : linnet_monitor_listen(DEFAULT_LISTEN, &supervisor->listen_fd, err);
    if (rc == LINNET_E_EXISTS && address == NULL)
        rc = linnet_monitor_listen(FREE_LISTEN, &supervisor->listen_fd, err);
    if (rc != 0) return linnet_error_prefix(err, "monitor.listen");
    linnet_log(LINNET_INFO, "supervisor", "the monitor listens", "port", "i",
               (long long)linnet_monitor_port(supervisor->listen_fd), NULL);
    return 0;
}

static int open_couch(struct supervisor *supervisor, struct linnet_error *err) {
    struct linnet_couch_options options = {
        .url = linnet_json_string(supervisor->config, "couchdb/url", ""),
        .prefix = linnet_json_string(supervisor->config, "couchdb/prefix", "linnet"),
        .connections = 2,
        .request_timeout_ms = 10000};
    return linnet_couch_open(&supervisor->loop, &options, &supervisor->couch, err);
}

static int open_supervisor(struct supervisor *supervisor, struct linnet_error *err) {
    uv_loop_init(&supervisor->loop);
    int rc = open_couch(supervisor, err);
    if (rc == 0) rc = linnet_inflight_create(&supervisor->table, &supervisor->table_fd, err);
    if (rc == 0)
        rc = linnet_instance_take(linnet_json_string(supervisor->config, "state_dir", "."),
                                  linnet_json_string(supervisor->config, "name", "worker"),
                                  supervisor->worker, sizeof supervisor->worker, &supervisor->lock_fd, err);
    return rc == 0 ? open_listen(supervisor, err) : rc;
}

static void start_signal(struct supervisor *supervisor, uv_signal_t *handle, int number,
                         uv_signal_cb callback) {
    uv_signal_init(&supervisor->loop, handle);
    handle->data = supervisor;
    uv_signal_start(handle, callback, number);
}

static void start_timers(struct supervisor *supervisor) {
    uv_timer_init(&supervisor->loop, &supervisor->tick);
    uv_timer_init(&supervisor->loop, &supervisor->restart);
    uv_timer_init(&supervisor->loop, &supervisor->patience);
    supervisor->tick.data = supervisor->restart.data = supervisor->patience.data = supervisor;
    supervisor->ticked_ms = linnet_time_monotonic();
    uv_timer_start(&supervisor->tick, on_tick, TICK_MS, TICK_MS);
}

int linnet_supervisor_run(const struct linnet_supervisor_options *options, json_t *config) {
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    struct linnet_error err = {0};
    if (supervisor == NULL) return 1;
    supervisor->options = options;
    supervisor->config = json_incref(config);
    supervisor->lock_fd = supervisor->listen_fd = supervisor->table_fd = -1;
    signal(SIGPIPE, SIG_IGN);
    if (open_supervisor(supervisor, &err) != 0) {
        linnet_log(LINNET_ERROR, "supervisor", "cannot start", "why", "s", err.detail, NULL);
        return 1; /* the process ends: nothing of it needs to be closed by hand */
    }
    start_timers(supervisor);
    start_signal(supervisor, &supervisor->term, SIGTERM, on_end);
    start_signal(supervisor, &supervisor->interrupt, SIGINT, on_end);
    start_signal(supervisor, &supervisor->hangup, SIGHUP, on_hangup);
    supervisor->watchdog_ms = linnet_notify_watchdog_ms();
    supervisor_start_child(supervisor);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    int status = supervisor->status;
    uv_loop_close(&supervisor->loop);
    linnet_inflight_detach(supervisor->table);
    json_decref(supervisor->config);
    json_decref(supervisor->offered);
    close(supervisor->table_fd);
    close(supervisor->lock_fd);
    if (supervisor->listen_fd >= 0) close(supervisor->listen_fd);
    free(supervisor);
    return status;
}
