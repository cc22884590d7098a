/* Pl@ntNet's Algorithm 1 as plainly as it can be written, by another hand than the library's: loops over
 * everything, every round, nothing kept. For small crowds of species only. */
#ifndef LINNET_TESTS_UNIT_CONSENSUS_NAIVE_H
#define LINNET_TESTS_UNIT_CONSENSUS_NAIVE_H

#include "common/consensus/crowd.h"

enum { NAIVE_MOST = 64 }; /* observations, users, species */

struct naive {
    uint32_t label[NAIVE_MOST]; /* LINNET_NO_LABEL: nothing voted */
    bool valid[NAIVE_MOST];
    double confidence[NAIVE_MOST], accuracy[NAIVE_MOST];
    uint32_t n_author[NAIVE_MOST], n_vote[NAIVE_MOST], n[NAIVE_MOST];
    double weight[NAIVE_MOST];
    unsigned rounds;
    bool converged;
};

void naive_solve(const struct linnet_crowd *crowd, uint32_t species, bool credit_valid_only,
                 unsigned rounds_max, struct naive *naive);

#endif
