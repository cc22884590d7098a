/* What the files of the supervisor share. Nobody else includes it.
 *
 *   supervisor.c        signals, reloads, the end
 *   supervisor_child.c  one child's life: started, watched, dead, judged */
#ifndef LINNET_WORKER_SUPERVISOR_ROOM_H
#define LINNET_WORKER_SUPERVISOR_ROOM_H

#include <uv.h>

#include "workers/worker/channel.h"
#include "workers/worker/supervisor.h"
#include "workers/worker/suspects.h"

#define SUPERVISOR_DEATHS 32

/* What a batch may still use, judged by the supervisor's own eyes. */
struct watched {
    uint32_t generation;
    int64_t until_ms; /* its deadline, moved on by the time that nobody could work */
};

struct supervisor {
    const struct linnet_supervisor_options *options;
    uv_loop_t loop;
    json_t *config;  /* what the child has */
    json_t *offered; /* what it has been asked to take; NULL: nothing */
    char worker[128];
    int lock_fd, listen_fd, table_fd;
    struct linnet_inflight *table;
    struct linnet_couch *couch; /* for suspects */

    uv_process_t process;
    struct linnet_channel *channel; /* of the living child, NULL: none */
    bool alive, ready;
    int64_t started_ms, pulse_ms; /* monotonic: of the child, of its last message */
    bool busy;                    /* it said that it is opening stages: no pulse for a while */
    bool fatal;                   /* it said that no child can go on */
    bool drained;                 /* it said that it has ended in order */
    bool overdue, hung;           /* why we killed it */
    bool killed;                  /* we killed it, for whatever reason */
    unsigned long long oom_kills; /* of the machine, when it was started */
    struct watched watched[LINNET_INFLIGHT_SLOTS];

    uv_timer_t tick, restart, patience;
    int64_t ticked_ms;
    uint64_t backoff_ms;
    struct linnet_suspects_case *record; /* being written */
    uv_signal_t term, interrupt, hangup;
    int64_t watchdog_ms, watchdog_last_ms;
    bool ending;     /* asked to end: no new child */
    bool restarting; /* drain, then a new child */
    bool closing;
    unsigned deaths;
    int64_t death_ms[SUPERVISOR_DEATHS]; /* when, the last ones */
    int status;
};

/* supervisor.c */
void supervisor_close(struct supervisor *supervisor, int status);

/* supervisor_child.c */
void supervisor_start_child(struct supervisor *supervisor);
void supervisor_kill(struct supervisor *supervisor);
void supervisor_drain_child(struct supervisor *supervisor);
void supervisor_watch(struct supervisor *supervisor);

#endif
