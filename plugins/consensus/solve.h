/* Pl@ntNet's weighted iteration over the crowd.
 *
 * Source: Lefort et al., "Cooperative learning of Pl@ntNet's Artificial Intelligence algorithm", and Lefort's
 * thesis, chapter on Pl@ntNet, Algorithm 1. Per round, with labels y and weights w: conf_i(k) = sum_j w_j
 * [y_ij = k];  acc_i = conf_i(y_i) / sum_k conf_i(k);  valid_i iff acc_i >= 0.7 and conf_i(y_i) >= 2;
 *   n_author(j) = distinct species that j got right on own valid observations, n_vote(j) = distinct species
 * right on others', a species counted once, as author first; n_j = Round(n_author + n_vote/10), half to even;
 *   w_j = n_j^0.5 - n_j^0.2 + ln 2.1;  labels by weighted majority.
 * Until neither labels nor weights change, at most 100 rounds.
 *
 * Ties keep the present label if it is among the tied, else the label voted first. A vote for a taxon above
 * another voted taxon (a genus beside one of its species) is no label of its own: it neither adds to the
 * species nor counts against it, unless it rejects it explicitly. "not-a-plant" is a label; "cannot-tell" is
 * none. */
#ifndef CONSENSUS_SOLVE_H
#define CONSENSUS_SOLVE_H

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

/* w(n) = n^alpha - n^beta + gamma; w(0) = gamma. Rounded n, never negative weights. */
double solve_weight(const struct consensus_config *config, double n);

/* The verdict on one observation with the present weights. `present`: the label that wins ties (INTERN_NONE:
 * none), `present_not_a_plant` likewise. Pure. */
struct verdict solve_observation(const struct crowd *crowd, const struct consensus_config *config,
                                 const struct observed *observed, uint32_t present, bool present_not_a_plant);

struct solve_report {
    unsigned rounds;
    bool converged;
};

/* Solve the whole crowd from the start (equal weights), so that the answer depends on the votes alone:
 * verdicts in observed[].verdict, weights and counts in voters[]. */
struct solve_report solve_crowd(struct crowd *crowd, const struct consensus_config *config);

#endif
