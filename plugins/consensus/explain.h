/* Why a consensus is what it is, and what would make it another: sentences for people. */
#ifndef CONSENSUS_EXPLAIN_H
#define CONSENSUS_EXPLAIN_H

#include <jansson.h>

#include "plugins/consensus/grade.h"

/* A new reference to an array of strings. NULL: out of memory. */
json_t *explain(const struct crowd *crowd, const struct consensus_config *config,
                const struct observed *observed, const struct opinions *opinions);

#endif
