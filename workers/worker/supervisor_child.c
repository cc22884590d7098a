/* One child's life as the supervisor sees it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/worker/child.h"
#include "workers/worker/notify.h"
#include "workers/worker/supervisor_room.h"

#define GAP_MS          1000  /* a tick that comes so late: we were frozen ourselves, the child too perhaps */
#define LONG_LIFE_MS    60000 /* a child that lived so long starts the backoff anew */
#define DEATHS_MOST     20    /* in a minute, without a pause */
#define RECORD_RETRY_MS 1000
#define RECORD_TRIES    10 /* before the next child is started though the suspects could not be written */

/* ---- what it says ---- */

static void take_ready(struct supervisor *supervisor, const json_t *message) {
    bool ready = linnet_json_bool(message, "ready", false);
    linnet_notify_status("%s: %s", supervisor->worker, linnet_json_string(message, "status", ""));
    if (ready && !supervisor->ready) linnet_notify("READY=1");
    supervisor->ready |= ready;
}

/* READY=1 also ends RELOADING=1. */
static void take_reloaded(struct supervisor *supervisor, const json_t *message) {
    bool good = linnet_json_bool(message, "reloaded", false);
    const char *why = linnet_json_string(message, "why", "");
    if (good && supervisor->offered != NULL) {
        json_decref(supervisor->config);
        supervisor->config = supervisor->offered;
        supervisor->offered = NULL;
        linnet_log(LINNET_INFO, "supervisor", "reloaded", NULL);
    } else if (!good) {
        linnet_log(LINNET_ERROR, "supervisor",
                   "the child could not take the new configuration: the old goes on", "why", "s", why, NULL);
        json_decref(supervisor->offered);
        supervisor->offered = NULL;
    }
    linnet_notify("READY=1");
}

static void on_message(struct linnet_channel *channel, json_t *message) {
    struct supervisor *supervisor = channel->data;
    if (supervisor->channel != channel) return;
    supervisor->pulse_ms = linnet_time_monotonic();
    supervisor->busy = linnet_json_bool(message, "busy", false);
    if (json_object_get(message, "ready") != NULL) take_ready(supervisor, message);
    if (json_object_get(message, "reloaded") != NULL) take_reloaded(supervisor, message);
    if (linnet_json_bool(message, "drained", false)) supervisor->drained = true;
    const char *fatal = linnet_json_string(message, "fatal", NULL);
    if (fatal != NULL) {
        supervisor->fatal = true;
        linnet_notify_status("ended: %s", fatal);
    }
}

static void on_channel_ended(struct linnet_channel *channel) {
    (void)channel; /* its death is told by the process handle */
}

static void on_channel_closed(struct linnet_channel *channel) {
    free(channel);
}

/* ---- its birth ---- */

/* How often the kernel has killed for memory, machine-wide (a limit of a cgroup counts too). */
static unsigned long long count_oom_kills(void) {
    char line[128];
    unsigned long long n = 0;
    FILE *file = fopen("/proc/vmstat", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "oom_kill %llu", &n) == 1) break;
    if (file != NULL) fclose(file);
    return n;
}

static void on_process_exit(uv_process_t *process, int64_t status, int number);

static void on_process_closed(uv_handle_t *handle) {
    (void)handle;
}

static void on_restart(uv_timer_t *timer) {
    supervisor_start_child(timer->data);
}

static void start_later(struct supervisor *supervisor) {
    uint64_t least = (uint64_t)linnet_json_integer(supervisor->config, "supervisor/backoff_ms", 200),
             most = (uint64_t)linnet_json_integer(supervisor->config, "supervisor/backoff_limit_ms", 10000);
    if (linnet_time_monotonic() - supervisor->started_ms > LONG_LIFE_MS) supervisor->backoff_ms = 0;
    uint64_t pause = supervisor->backoff_ms;
    supervisor->backoff_ms = pause == 0 ? least : pause * 2 < most ? pause * 2 : most;
    uv_timer_start(&supervisor->restart, on_restart, pause, 0);
}

static int spawn(struct supervisor *supervisor) {
    char pid[32];
    snprintf(pid, sizeof pid, "%lld", (long long)getpid());
    char *args[] = {(char *)"linnet", (char *)"worker", (char *)"--child", pid, NULL};
    uv_stdio_container_t stdio[LINNET_CHILD_LISTEN + 1];
    for (int i = 0; i <= 2; i++)
        stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = i};
    stdio[LINNET_CHILD_CHANNEL] =
        (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
                               .data.stream = (uv_stream_t *)&supervisor->channel->pipe};
    stdio[LINNET_CHILD_TABLE] =
        (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = supervisor->table_fd};
    stdio[LINNET_CHILD_LOCK] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = supervisor->lock_fd};
    stdio[LINNET_CHILD_LISTEN] =
        (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = supervisor->listen_fd};
    /* The same inode that we run, though a newer version may lie under its name by now: they share the
     * table's layout. */
    uv_process_options_t options = {.exit_cb = on_process_exit,
                                    .file = "/proc/self/exe",
                                    .args = args,
                                    .stdio_count = LINNET_CHILD_LISTEN + 1,
                                    .stdio = stdio};
    return uv_spawn(&supervisor->loop, &supervisor->process, &options);
}

void supervisor_start_child(struct supervisor *supervisor) {
    if (supervisor->closing || supervisor->alive) return;
    supervisor->channel = calloc(1, sizeof *supervisor->channel);
    if (supervisor->channel == NULL || linnet_channel_init(supervisor->channel, &supervisor->loop) != 0) {
        linnet_log(LINNET_ERROR, "supervisor", "out of memory", NULL);
        exit(1);
    }
    supervisor->channel->data = supervisor;
    supervisor->channel->message = on_message;
    supervisor->channel->ended = on_channel_ended;
    supervisor->channel->closed = on_channel_closed;
    supervisor->process.data = supervisor;
    supervisor->fatal = supervisor->drained = supervisor->overdue = supervisor->hung = supervisor->killed =
        supervisor->busy = false;
    supervisor->restarting = false;
    supervisor->oom_kills = count_oom_kills();
    memset(supervisor->watched, 0, sizeof supervisor->watched);
    int rc = spawn(supervisor);
    supervisor->started_ms = supervisor->pulse_ms = linnet_time_monotonic();
    if (rc != 0) {
        linnet_log(LINNET_ERROR, "supervisor", "cannot start a child", "why", "s", uv_strerror(rc), NULL);
        uv_close((uv_handle_t *)&supervisor->process, on_process_closed);
        linnet_channel_close(supervisor->channel);
        supervisor->channel = NULL;
        start_later(supervisor);
        return;
    }
    supervisor->alive = true;
    linnet_channel_start(supervisor->channel);
    linnet_channel_send(supervisor->channel,
                        json_pack("{s:O, s:s, s:b, s:b}", "config", supervisor->config, "worker",
                                  supervisor->worker, "check", (int)supervisor->options->check, "once",
                                  (int)supervisor->options->once));
    linnet_log(LINNET_INFO, "supervisor", "started a child", "pid", "i", (json_int_t)supervisor->process.pid,
               "worker", "s", supervisor->worker, NULL);
}

void supervisor_kill(struct supervisor *supervisor) {
    if (!supervisor->alive) return;
    supervisor->killed = true;
    uv_process_kill(&supervisor->process, SIGKILL);
}

void supervisor_drain_child(struct supervisor *supervisor) {
    if (supervisor->channel != NULL) linnet_channel_send(supervisor->channel, json_pack("{s:b}", "drain", 1));
}

/* ---- watching it ---- */

/* Is it stopped by a signal (SIGSTOP, a debugger)? Its batches can't help it then. */
static bool is_stopped(const struct supervisor *supervisor) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", supervisor->process.pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    char *got = fgets(line, sizeof line, file), *close_ = got != NULL ? strrchr(line, ')') : NULL;
    fclose(file);
    return close_ != NULL && (close_[2] == 'T' || close_[2] == 't');
}

struct watch {
    struct supervisor *supervisor;
    int64_t now, lost; /* milliseconds since the last tick in which nobody could work */
};

static void watch_batch(void *arg, const struct linnet_inflight_batch *batch) {
    struct watch *watch = arg;
    struct supervisor *supervisor = watch->supervisor;
    struct watched *watched = &supervisor->watched[batch->slot];
    if (watched->generation != batch->generation)
        *watched = (struct watched){batch->generation, batch->started_ms + batch->deadline_ms};
    watched->until_ms += watch->lost;
    if (watch->now < watched->until_ms || batch->deadline_ms == 0 || supervisor->killed) return;
    linnet_log(LINNET_ERROR, "supervisor", "a batch has run past its deadline: its process is killed",
               "stage", "s", batch->stage, "deadline_ms", "i", (json_int_t)batch->deadline_ms, NULL);
    supervisor->overdue = true;
    supervisor_kill(supervisor);
}

static void watch_pulse(struct supervisor *supervisor, const struct watch *watch) {
    int64_t limit = linnet_json_integer(supervisor->config, "supervisor/hang_s", 60) * 1000;
    supervisor->pulse_ms += watch->lost;
    if (supervisor->busy) limit *= 10;
    if (supervisor->killed || watch->now - supervisor->pulse_ms <= limit) return;
    linnet_log(LINNET_ERROR, "supervisor", "the child's loop does not turn any more: it is killed", NULL);
    supervisor->hung = true;
    supervisor_kill(supervisor);
}

void supervisor_watch(struct supervisor *supervisor) {
    struct watch watch = {.supervisor = supervisor, .now = linnet_time_monotonic()};
    int64_t since = watch.now - supervisor->ticked_ms;
    supervisor->ticked_ms = watch.now;
    if (!supervisor->alive) return;
    if (since > GAP_MS || is_stopped(supervisor)) watch.lost = since;
    linnet_inflight_running(supervisor->table, watch_batch, &watch);
    watch_pulse(supervisor, &watch);
}

/* ---- its death ---- */

static void go_on(struct supervisor *supervisor) {
    if (supervisor->ending || supervisor->fatal || supervisor->options->check) {
        supervisor_close(supervisor, supervisor->fatal || supervisor->options->check ? 1 : 0);
        return;
    }
    start_later(supervisor);
}

static void on_record_retry(uv_timer_t *timer) {
    struct supervisor *supervisor = timer->data;
    if (supervisor->record != NULL) linnet_suspects_write(supervisor->record);
}

/* Deaths within the last minute. Where they go on and on (a plugin that crashes on everything), the pauses
 * grow all the same. */
static unsigned deaths_lately(const struct supervisor *supervisor) {
    unsigned n = 0;
    int64_t now = linnet_time_monotonic();
    for (size_t i = 0; i < SUPERVISOR_DEATHS; i++)
        n += supervisor->death_ms[i] != 0 && now - supervisor->death_ms[i] < LONG_LIFE_MS;
    return n;
}

static void on_recorded(struct linnet_suspects_case *record, int error, const char *detail) {
    struct supervisor *supervisor = record->data;
    if (supervisor->closing) return;
    if (error != 0 && linnet_error_class(error) == LINNET_TRANSIENT && ++record->attempts < RECORD_TRIES &&
        !supervisor->ending) {
        if (record->attempts == 1)
            linnet_log(LINNET_WARN, "supervisor", "cannot write the suspects yet", "why", "s", detail, NULL);
        uv_timer_start(&supervisor->restart, on_record_retry, RECORD_RETRY_MS, 0);
        return;
    }
    if (error != 0)
        linnet_log(LINNET_ERROR, "supervisor", "the suspects could not be written", "why", "s", detail, NULL);
    else if (deaths_lately(supervisor) < DEATHS_MOST)
        supervisor->backoff_ms = 0; /* the cause is contained: nothing else has to wait for it */
    linnet_suspects_case_done(record);
    free(record);
    supervisor->record = NULL;
    go_on(supervisor);
}

static void mark_overdue(const struct supervisor *supervisor, struct linnet_inflight_batch *batches,
                         size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct watched *watched = &supervisor->watched[batches[i].slot];
        batches[i].culprit =
            watched->generation == batches[i].generation && supervisor->ticked_ms >= watched->until_ms;
    }
}

/* What killed it, as far as anybody can tell from here. */
static struct linnet_death death_of(const struct supervisor *supervisor, int64_t status, int number) {
    struct linnet_death death = {.at_ms = linnet_time_monotonic(),
                                 .number = number != 0 ? number : (int)status};
    if (number == 0)
        death.cause = LINNET_DEATH_EXIT;
    else if (supervisor->overdue)
        death.cause = LINNET_DEATH_DEADLINE;
    else if (number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP ||
             number == SIGQUIT)
        death.cause = number == SIGKILL && count_oom_kills() > supervisor->oom_kills ? LINNET_DEATH_MEMORY
                                                                                     : LINNET_DEATH_KILLED;
    else
        death.cause = LINNET_DEATH_FAULT;
    return death;
}

static void judge(struct supervisor *supervisor, int64_t status, int number) {
    struct linnet_suspects_case *record = calloc(1, sizeof *record);
    int fault = 0;
    if (record == NULL) {
        go_on(supervisor);
        return;
    }
    record->n = linnet_inflight_take(supervisor->table, record->batches, LINNET_INFLIGHT_SLOTS, &fault);
    record->death = death_of(supervisor, status, number);
    record->couch = supervisor->couch;
    record->done = on_recorded;
    record->data = supervisor;
    snprintf(record->worker, sizeof record->worker, "%s", supervisor->worker);
    if (supervisor->overdue) mark_overdue(supervisor, record->batches, record->n);
    linnet_log(LINNET_ERROR, "supervisor", "the child died", "signal", "s",
               number != 0 ? strsignal(number) : NULL, "status", "i", (json_int_t)status, "batches", "i",
               (json_int_t)record->n, "memory", "b", (int)(record->death.cause == LINNET_DEATH_MEMORY), NULL);
    json_t *ids = linnet_suspects_ids(record->batches, record->n, &record->death);
    bool any = json_array_size(ids) > 0 && !(supervisor->killed && !supervisor->overdue);
    json_decref(ids);
    if (any) {
        supervisor->record = record;
        linnet_suspects_write(record);
        return;
    }
    linnet_suspects_case_done(record);
    free(record);
    go_on(supervisor);
}

static void on_process_exit(uv_process_t *process, int64_t status, int number) {
    struct supervisor *supervisor = process->data;
    supervisor->alive = false;
    uv_close((uv_handle_t *)process, on_process_closed);
    linnet_channel_close(supervisor->channel);
    supervisor->channel = NULL;
    json_decref(supervisor->offered);
    supervisor->offered = NULL;
    uv_timer_stop(&supervisor->patience);
    supervisor->death_ms[supervisor->deaths++ % SUPERVISOR_DEATHS] = linnet_time_monotonic();
    bool orderly = number == 0 && status == 0 && supervisor->drained;
    if (orderly && supervisor->restarting) {
        supervisor->backoff_ms = 0;
        start_later(supervisor);
    } else if (orderly) {
        linnet_log(LINNET_INFO, "supervisor", "ended in order", NULL);
        supervisor_close(supervisor, 0);
    } else if (supervisor->fatal) {
        supervisor_close(supervisor, 1);
    } else {
        judge(supervisor, status, number);
    }
}
