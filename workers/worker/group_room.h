/* What the files of a group share. Nobody else includes it.
 *
 *   group.c          opening and ending; what is wanted
 *   group_lease.c    between the flow and the leases
 *   group_reload.c   stages exchanged while all goes on
 *   group_report.c   heartbeat and readiness */
#ifndef LINNET_WORKER_GROUP_ROOM_H
#define LINNET_WORKER_GROUP_ROOM_H

#include "workers/worker/flow.h"
#include "workers/worker/group.h"
#include "workers/worker/opened.h"
#include "workers/worker/shares.h"
#include "workers/worker/wanted.h"

#define GROUP_STAGES_MAX 32

/* A stage's place in the group. */
struct group_place {
    struct linnet_opened *opened;
    struct linnet_wanted *wanted;
    char why[768]; /* why a reload of it failed; "" if it did not */
    bool backfilling;
};

struct linnet_group {
    struct linnet_group_context *context;
    char name[64];
    struct group_place places[GROUP_STAGES_MAX];
    size_t n;
    struct linnet_references *references; /* the snapshot that the stages have */
    struct linnet_flow *flow;
    struct linnet_shares *shares;
    struct linnet_metric *standby_metric;
    uv_timer_t reopen;     /* a stage has failed and is opened anew in a while */
    size_t closing_stages; /* replaced or closing, not freed yet */
    bool started, draining, closing;
    unsigned idle_rounds; /* in a row */
    bool site_given;      /* the flow has been told that the site is ours */
    uint64_t site_generation;
    bool site_reopening; /* site stages are being replaced: the site goes back to the flow when the old ones
                            are gone */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* group.c */
const json_t *group_config(const struct linnet_group *group);
void group_tell(struct linnet_group *group);
int group_open_place(struct linnet_group *group, const char *name, const json_t *config,
                     struct linnet_references *references, struct group_place *place,
                     struct linnet_error *err);
/* Let go of a place's stage; the group remembers until it is gone. */
void group_close_place(struct linnet_group *group, struct group_place *place, bool drain);
/* Hand the stages with their policies to the flow. */
int group_give_stages(struct linnet_group *group, struct linnet_error *err);
void group_review_backfill(struct linnet_group *group, struct group_place *place);

/* group_lease.c */
int group_open_flow(struct linnet_group *group, struct linnet_error *err);
int group_open_shares(struct linnet_group *group, struct linnet_error *err);
/* The site is ours: give it to the flow. */
void group_give_site(struct linnet_group *group);

#endif
