/* The methods for comparison, a whole crowd each. result->verdicts, skills and weight are allocated by the
 * caller; skills have a weight of 1 unless the method has its own. The machine's votes are left aside. 0 or
 * LINNET_E_NOMEM. */
#ifndef LINNET_CONSENSUS_METHODS_H
#define LINNET_CONSENSUS_METHODS_H

#include "common/consensus/solve.h"

/* Most votes; the first of tied. */
int linnet_consensus_majority(const struct linnet_consensus_taxa *taxa,
                              const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                              struct linnet_consensus_result *result);
/* A label with two thirds of at least two votes, or none. */
int linnet_consensus_twothird(const struct linnet_consensus_taxa *taxa,
                              const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                              struct linnet_consensus_result *result);
/* Worker agreement with aggregate: majority again, each user weighted by the share of own votes that agree
 * with the first. */
int linnet_consensus_wawa(const struct linnet_consensus_taxa *taxa,
                          const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                          struct linnet_consensus_result *result);

/* Dawid and Skene's expectation-maximisation: each user's confusions. Weights: how often right. */
int linnet_consensus_dawid_skene(const struct linnet_consensus_taxa *taxa,
                                 const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                                 linnet_consensus_progress *progress, void *progress_arg,
                                 struct linnet_consensus_result *result);
/* GLAD: users of an ability, plants of a difficulty. Weights: how often right on a plant of middling
 * difficulty. */
int linnet_consensus_glad(const struct linnet_consensus_taxa *taxa,
                          const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                          linnet_consensus_progress *progress, void *progress_arg,
                          struct linnet_consensus_result *result);

#endif
