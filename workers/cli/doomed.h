/* A set of documents to delete, every leaf of each: gathered, deleted in batches, remembered for the purge.
 */
#ifndef LINNET_CLI_DOOMED_H
#define LINNET_CLI_DOOMED_H

#include <jansson.h>

#include "common/base/error.h"
#include "workers/cli/store.h"

struct linnet_doomed {
    struct linnet_store *store;
    enum linnet_database database;
    json_t *tombstones; /* [{_id, _rev, _deleted}], one for each leaf */
    json_t *seen;       /* {id: true} of those */
    json_t *purge;      /* {id: [revisions]} of tombstones that were written */
};

void linnet_doomed_init(struct linnet_doomed *doomed, struct linnet_store *store,
                        enum linnet_database database);
void linnet_doomed_done(struct linnet_doomed *doomed);
/* Doom a document that was read with conflicts=true. Twice is once. */
void linnet_doomed_add(struct linnet_doomed *doomed, const json_t *document);
/* Doom documents by id ([id]); those that are not there are passed over. */
int linnet_doomed_add_ids(struct linnet_doomed *doomed, const json_t *ids, struct linnet_error *err);
/* Doom all documents of an observation. */
int linnet_doomed_add_observation(struct linnet_doomed *doomed, const char *ulid, struct linnet_error *err);
/* How many documents are doomed and not deleted yet. */
size_t linnet_doomed_count(const struct linnet_doomed *doomed);
/* Delete them. What somebody changed meanwhile stays: gather again. The set is empty after. */
int linnet_doomed_delete(struct linnet_doomed *doomed, struct linnet_error *err);
/* Purge the tombstones of all deletions so far. LINNET_E_UNSUPPORTED: the server cannot. */
int linnet_doomed_purge(struct linnet_doomed *doomed, struct linnet_error *err);

#endif
