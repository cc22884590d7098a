/* One instance of the stage, as its files share it: plugin.c takes documents in, tell.c gives them out,
 * turn.c runs epochs. */
#ifndef CONSENSUS_STAGE_H
#define CONSENSUS_STAGE_H

#include <linnet/plugin.h>

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"
#include "plugins/consensus/epoch.h"
#include "plugins/consensus/grade.h"
#include "plugins/consensus/state.h"

struct consensus {
    const struct linnet_host *host;
    struct consensus_config config;
    struct crowd crowd;
    struct state *state; /* NULL: without a folder */
    struct epoch *epoch;

    /* What makes an epoch due; host's milliseconds. */
    unsigned changed; /* documents since the last one began */
    bool unsettled;   /* something may have changed that no document tells */
    int64_t changed_since, changed_at, ended_at;

    /* It was begun without a state: nothing is told until the first epoch has seen all that there is. */
    bool rebuilding;
    /* Telling what an epoch found. */
    bool telling, report_due, exact;
    uint32_t next_news, next_skill;
    struct epoch_report report;
    /* Requests to settle, by their ULID, "" for none: the last one; the one that the epoch under way answers.
     */
    char settle[STATE_SETTLE_SIZE], settling[STATE_SETTLE_SIZE];
};

/* tell.c: emit the consensus of an observation, or its deletion, for an item or (NULL) from a tick. 0 or
 * negative: out of memory, nothing is told. */
int tell_consensus(struct consensus *self, const struct linnet_item *item, uint32_t observation);
/* Go on telling what the epoch found: a bounded part. 1: that was all, 0: there is more, negative as above.
 */
int tell_some(struct consensus *self);
int tell_report(struct consensus *self);

/* turn.c: one tick. */
int turn(struct consensus *self);

#endif
