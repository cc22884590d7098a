/* Pl@ntNet's weighted iteration over a whole crowd (Algorithm 1). */
#ifndef LINNET_CONSENSUS_ITERATE_H
#define LINNET_CONSENSUS_ITERATE_H

#include "common/consensus/solve.h"

/* Fills result->species, skills, weight (allocated by the caller) and of result->report the rounds.
 * LINNET_E_NOMEM. */
int linnet_consensus_iterate(const struct linnet_consensus_taxa *taxa,
                             const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                             linnet_consensus_progress *progress, void *progress_arg,
                             struct linnet_consensus_result *result);

#endif
