/* Which fingerprint of a stage is wanted, and whether ours is it: `wanted:<stage>` in linnet-reference.
 *
 * No such document, or one without a fingerprint (a new model was published): the first member to get there
 * writes its own. Until that is acknowledged, and for as long as another's stands there, the stage stands by.
 * The loop's thread. */
#ifndef LINNET_WORKER_WANTED_H
#define LINNET_WORKER_WANTED_H

#include <jansson.h>
#include <stdbool.h>

#include "common/couch/couch.h"
#include "workers/host/plan.h"

struct linnet_wanted;

/* `adopted` is told once CouchDB has taken our fingerprint as the wanted one. LINNET_E_NOMEM. */
int linnet_wanted_new(struct linnet_couch *couch, const char *stage, const char *fingerprint,
                      void (*adopted)(void *arg), void *arg, struct linnet_wanted **out);
/* A write under way goes on by itself. NULL is safe. */
void linnet_wanted_free(struct linnet_wanted *wanted);
/* Look at the document (NULL: none) of the snapshot that the stage was opened with, and adopt if nobody has.
 * True if standby or policy have changed. */
bool linnet_wanted_review(struct linnet_wanted *wanted, const json_t *document);
bool linnet_wanted_standby(const struct linnet_wanted *wanted);
enum linnet_policy linnet_wanted_policy(const struct linnet_wanted *wanted);
/* Why it stands by, for people. Borrowed. */
const char *linnet_wanted_why(const struct linnet_wanted *wanted);

#endif
