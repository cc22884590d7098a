/* The crowd as the solver reads it: who voted what on which observation. Pure data; the caller owns the
 * arrays.
 *
 * Left out by the caller, so that they leave no trace: withdrawn votes, all but the last vote of a user on an
 * observation, and the votes of blocked users. */
#ifndef LINNET_CONSENSUS_CROWD_H
#define LINNET_CONSENSUS_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/consensus/taxa.h"

struct linnet_vote {
    uint32_t user;
    uint32_t label; /* as voted, a synonym perhaps; LINNET_LABEL_NOT_A_PLANT; LINNET_NO_LABEL for no answer */
    uint32_t rejects; /* "I disagree that it is this": explicit ancestor disagreement; else LINNET_NO_LABEL */
    bool author;      /* the voter made the observation */
};

/* The machine's word on one observation. */
struct linnet_machine_vote {
    uint32_t label; /* LINNET_NO_LABEL: it said nothing */
    double score;   /* calibrated probability */
};

/* Votes by observation: those of i are votes[start[i]] to votes[start[i + 1] - 1], in the order they were
 * cast, and of one instant in the order of their labels' names: the first of tied labels wins. */
struct linnet_crowd {
    uint32_t observations, users;
    const uint32_t *start; /* observations + 1 */
    const struct linnet_vote *votes;
    const struct linnet_machine_vote *machine; /* by observation; NULL: none anywhere */
};

/* For a walk over observations, at i of those before `end`: have the weight of a voter some observations
 * ahead at hand. Weights are hit at random and miss the caches. */
static inline void linnet_crowd_prefetch(const struct linnet_crowd *crowd, const double *weight, uint32_t i,
                                         uint32_t end) {
    enum { AHEAD = 16 };
    if (i + AHEAD < end && crowd->start[i + AHEAD] < crowd->start[crowd->observations])
        __builtin_prefetch(&weight[crowd->votes[crowd->start[i + AHEAD]].user]);
}

#endif
