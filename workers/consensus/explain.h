/* Why an observation's verdict is what it is, vote by vote. */
#ifndef LINNET_CONSENSUS_EXPLAIN_H
#define LINNET_CONSENSUS_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "common/consensus/solve.h"
#include "workers/consensus/crowd_file.h"

/* To `out`, in words or as one JSON object: the verdict; every vote with its user, time, weight and what it
 * does to the label; why it is valid or not; and what would make it so. */
void linnet_explain(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                    const struct linnet_consensus_result *result, uint32_t observation, bool json, FILE *out);

#endif
