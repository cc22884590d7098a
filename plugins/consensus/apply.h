/* Documents put into the crowd. */
#ifndef CONSENSUS_APPLY_H
#define CONSENSUS_APPLY_H

#include "plugins/consensus/crowd.h"

/* Apply a document at its latest revision; NULL: it was deleted. `digest` as the host gives it. Returns 0, -1
 * with the reason in *why (static text) for a document that says nothing usable, -2 when out of memory. */
int apply_observation(struct crowd *crowd, uint32_t observation, const json_t *document, const char *digest,
                      const char **why);
int apply_validation(struct crowd *crowd, uint32_t observation, const char *uid, const json_t *document,
                     const char *digest, const char **why);
int apply_identification(struct crowd *crowd, uint32_t observation, const json_t *document,
                         const char *digest, const char **why);

/* RFC 3339 to Unix milliseconds; 0 for text that is none. */
int64_t apply_time(const char *text);

#endif
