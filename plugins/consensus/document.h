/* What the consensus stage writes: the consensus of an observation, explained vote by vote, users' skill, and
 * the report of an epoch. */
#ifndef CONSENSUS_DOCUMENT_H
#define CONSENSUS_DOCUMENT_H

#include <jansson.h>
#include <linnet/plugin.h>

#include "plugins/consensus/epoch.h"
#include "plugins/consensus/grade.h"

/* A new reference to the document of kind `consensus`. NULL: out of memory. */
json_t *document_consensus(const struct linnet_host *host, const struct crowd *crowd,
                           const struct consensus_config *config, uint32_t observation,
                           const struct opinions *opinions, enum grade grade);
/* [{id, digest}] of the documents that it is made of. */
json_t *document_inputs(const struct crowd *crowd, uint32_t observation);
/* The document of kind `skill` of a user: families as (label, right, wrong), then species. */
json_t *document_skill(const struct crowd *crowd, uint32_t user, const uint32_t *families, uint32_t nfamilies,
                       const uint32_t *species, uint32_t nspecies);
/* The document of kind `epoch`. `settled`: the last request to settle that it answers, "" for none. */
json_t *document_epoch(const struct consensus_config *config, const struct epoch_report *report,
                       const char *settled);

#endif
