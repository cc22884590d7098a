/* What the files of the child share. Nobody else includes it.
 *
 *   child.c          the process: channel, signals, fatal errors, draining and closing
 *   child_start.c    from the configuration to groups at work
 *   child_graph.c    whether the stages of all groups fit together
 *   child_report.c   heartbeat, readiness, the ticks
 *   child_guest.c    the guest (guest.h): opening, lending, ending */
#ifndef LINNET_WORKER_CHILD_ROOM_H
#define LINNET_WORKER_CHILD_ROOM_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "workers/worker/channel.h"
#include "workers/worker/group.h"
#include "workers/worker/guest.h"
#include "workers/worker/monitor.h"
#include "workers/worker/reference_loader.h"

#define CHILD_GROUPS_MAX 16

/* One group of the configuration. `group` is NULL until it could be opened; then `why` says what keeps it. */
struct child_group {
    char name[64];
    struct linnet_group *group;
    char why[768];
};

struct child {
    uv_loop_t loop;
    struct linnet_channel channel;
    json_t *config;
    char worker[128], session[40];
    bool check, once;
    struct linnet_couch *couch, *lease_couch;
    struct linnet_couch_server server;
    struct linnet_metrics *metrics;
    struct linnet_monitor *monitor;
    struct linnet_inflight *inflight;
    struct linnet_schemas *schemas;
    struct linnet_site_key site_key;
    bool has_site_key;
    struct linnet_suspects *suspects;
    struct linnet_reference_loader *loader;
    struct linnet_references *references; /* the newest snapshot */
    struct linnet_members *members;
    struct linnet_group_context context;
    struct child_group groups[CHILD_GROUPS_MAX];
    size_t ngroups;
    char phase[768];   /* what the start is waiting for; "" once it is over */
    char trouble[768]; /* why the last snapshot or reload failed; "" if it did not */
    uv_timer_t tick, start;
    unsigned attempts;
    bool ready, members_read, draining, closing, fatal;
    unsigned idle_ticks;
    long long idle_changes;
    size_t pending;                   /* groups that drain, leave or close */
    const struct linnet_guest *guest; /* NULL: none can be had */
    struct linnet_guest_host guest_host;
    json_t *guest_config;
    void *guest_self;
    bool guest_there; /* open, or ending */
    void (*guest_then)(struct child *child);
    int status;
};

/* child.c */
/* It cannot go on, and a new child could not either: say so, close, exit 1. */
void child_fatal(struct child *child, const char *detail);
void child_drain(struct child *child);
/* Close everything; the loop ends by itself then. */
void child_close(struct child *child, int status);

/* child_start.c */
/* With the configuration there: connect, load, open. Retries by itself what may get better. */
void child_start(struct child *child);
/* Open the groups that are not open yet. */
void child_open_groups(struct child *child);
/* Take a new configuration. 0, or why not (the old goes on). */
int child_reload(struct child *child, json_t *config, struct linnet_error *err);

/* child_guest.c */
/* Open it where the configuration asks for one. Errors are the guest's. */
int child_open_guest(struct child *child, struct linnet_error *err);
/* child->references are new. */
void child_tell_guest(struct child *child, const json_t *changed);
void child_look_guest(struct child *child);
/* Drain or close it; then(child), at once where there is none. The last call's `then` counts. */
void child_end_guest(struct child *child, bool drain, void (*then)(struct child *child));
void child_free_guest(struct child *child);

/* child_graph.c */
/* Do the stages of a configuration fit together? Opens their plugins' files. LINNET_E_NOT_FOUND,
 * LINNET_E_PLUGIN, LINNET_E_INVALID in words. */
int child_check_graph(const json_t *config, struct linnet_error *err);

/* child_report.c */
void child_start_ticks(struct child *child);
json_t *child_describe(void *arg);
/* Say to monitor and supervisor how we are. */
void child_report(struct child *child);

#endif
