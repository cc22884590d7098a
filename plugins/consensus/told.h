/* Is what was told of an observation still good enough? */
#ifndef CONSENSUS_TOLD_H
#define CONSENSUS_TOLD_H

#include "plugins/consensus/grade.h"

/* What a consensus with these opinions says. `weights`: told_weights. */
struct told told_of(const struct opinions *opinions, enum grade grade, uint32_t weights);
/* A number that changes when the weight of any vote does: `mixed` (0 at first) with one more weight. */
uint32_t told_mix(uint32_t mixed, double weight);
uint32_t told_weights(const struct crowd *crowd, const struct observed *observed);
/* Taxon, validity or grade are others, or a figure moved by more than the tolerance. */
bool told_moved(const struct told *told, const struct opinion *verdict, enum grade grade, double tolerance);

#endif
