/* The store as the admin commands see it: a client on a loop of its own, and calls that wait.
 * Owned by the thread that opened it. Every failure fills `err` with words that say what to do. */
#ifndef LINNET_CLI_STORE_H
#define LINNET_CLI_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/couch/couch.h"
#include "workers/cli/options.h"

struct linnet_store;

int linnet_store_open(const struct linnet_store_options *options, struct linnet_store **out,
                      struct linnet_error *err);
void linnet_store_close(struct linnet_store *store); /* NULL is safe */
struct linnet_couch *linnet_store_couch(struct linnet_store *store);
uv_loop_t *linnet_store_loop(struct linnet_store *store);

/* Any request: `path` is below the server's root, already escaped; `body` may be NULL. `out` and `status` may
 * be NULL; the status is told on failure too. */
int linnet_store_request(struct linnet_store *store, const char *method, const char *path, const json_t *body,
                         json_t **out, long *status, struct linnet_error *err);
/* GET a document; *out is a new reference. LINNET_E_NOT_FOUND. `query` may be NULL. */
int linnet_store_get(struct linnet_store *store, enum linnet_database database, const char *id,
                     const char *query, json_t **out, struct linnet_error *err);
/* PUT a document under its _id (with _rev to replace one); the new revision goes into it. LINNET_E_CONFLICT.
 */
int linnet_store_put(struct linnet_store *store, enum linnet_database database, json_t *document,
                     struct linnet_error *err);
/* Documents whose ids lie in [start, end] with their bodies, in order of id: a new array. `limit` 0: all. */
int linnet_store_range(struct linnet_store *store, enum linnet_database database, const char *start,
                       const char *end, size_t limit, json_t **out, struct linnet_error *err);
/* The bodies of documents by id (`keys`: an array of strings, borrowed): a new array in the same order, null
 * where there is none. */
int linnet_store_bodies(struct linnet_store *store, enum linnet_database database, const json_t *keys,
                        json_t **out, struct linnet_error *err);
/* All documents of an observation: a new array of bodies, in order of id. Empty if there are none. */
int linnet_store_observation(struct linnet_store *store, const char *ulid, json_t **out,
                             struct linnet_error *err);
/* A view's rows: `query` like "group=true&limit=10" or NULL; *out is a new reference to CouchDB's answer. */
int linnet_store_view(struct linnet_store *store, enum linnet_database database, const char *design,
                      const char *view, const char *query, json_t **out, struct linnet_error *err);
/* POST documents to _bulk_docs; *out (may be NULL) gets CouchDB's array. Fails with the first document's
 * error if any was refused and `out` is NULL. */
int linnet_store_bulk(struct linnet_store *store, enum linnet_database database, const json_t *documents,
                      json_t **out, struct linnet_error *err);

#endif
