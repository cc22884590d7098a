/* Small crowds written down vote by vote, and a small flora. */
#ifndef LINNET_TESTS_UNIT_CONSENSUS_FIXTURE_H
#define LINNET_TESTS_UNIT_CONSENSUS_FIXTURE_H

#include "common/consensus/solve.h"

/* The flora: a family of two genera, and one species under two names. */
enum { FAMILY, GENUS, OTHER_GENUS, ROBUR, PETRAEA, SYLVATICA, PEDUNCULATA /* synonym of ROBUR */, FLORA };
void flora_init(struct linnet_consensus_taxa *taxa);
/* n species with nothing above them. */
void species_only(struct linnet_consensus_taxa *taxa, uint32_t n);

/* A vote on an observation. Votes are written down by observation. */
struct cast {
    uint32_t observation, user, label;
    bool author;
    uint32_t rejects; /* label + 1; 0: none */
};

struct small_crowd {
    struct linnet_crowd crowd;
    uint32_t *start;
    struct linnet_vote *votes;
};
void crowd_of(struct small_crowd *small, const struct cast *casts, uint32_t n, uint32_t observations,
              uint32_t users);
void small_crowd_done(struct small_crowd *small);

/* Solve and hold that it succeeds. */
struct linnet_consensus_result solved(const struct linnet_consensus_taxa *taxa,
                                      const struct linnet_consensus_rules *rules,
                                      const struct linnet_crowd *crowd);

#define CROWD(small, casts, observations, users)                                                             \
    crowd_of(small, casts, sizeof(casts) / sizeof *(casts), observations, users)

#endif
