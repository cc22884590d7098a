/* Small crowds drawn from a seed. */
#ifndef LINNET_TESTS_UNIT_CONSENSUS_RANDOM_CROWD_H
#define LINNET_TESTS_UNIT_CONSENSUS_RANDOM_CROWD_H

#include "tests/unit/consensus/fixture.h"

/* splitmix64: the next number of a seed. */
uint64_t draw(uint64_t *seed);
/* Below n. */
uint32_t draw_below(uint64_t *seed, uint32_t n);
/* Up to `most` observations, users and species each (*species); every user votes once on an observation, its
 * author first. A few users are right more often than the others, and one observation in ten has no votes. */
void random_crowd(struct small_crowd *small, uint64_t *seed, uint32_t most, uint32_t *species);
/* One above the highest label that is voted. */
uint32_t labels_of(const struct linnet_crowd *crowd);

#endif
