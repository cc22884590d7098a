/* What the consensus stage writes: the consensus of an observation, explained vote by vote, and users' skill.
 */
#ifndef CONSENSUS_DOCUMENT_H
#define CONSENSUS_DOCUMENT_H

#include <jansson.h>
#include <linnet/plugin.h>

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

/* A new reference to the document of kind `consensus`. NULL: out of memory. */
json_t *document_consensus(const struct linnet_host *host, const struct crowd *crowd,
                           const struct consensus_config *config, const struct observed *observed);
/* [{id, digest}] of the documents that it is made of. */
json_t *document_inputs(const struct crowd *crowd, const struct observed *observed, const char *ulid);
/* The document of kind `skill` of a user. */
json_t *document_skill(const struct crowd *crowd, uint32_t user);

/* Unix milliseconds as an RFC 3339 string value. */
json_t *document_time(int64_t ms);

/* "casual", "needs_review" or "research". */
const char *document_grade(const struct crowd *crowd, const struct observed *observed);

#endif
