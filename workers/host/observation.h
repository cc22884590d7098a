/* The documents of one observation in memory, with the blobs that were fetched or made: what gather fills,
 * the plan reads and results are added to. Owned by one thread (the loop's); items that are made of it hold
 * references, never pointers into it. */
#ifndef LINNET_HOST_OBSERVATION_H
#define LINNET_HOST_OBSERVATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/id.h"
#include "workers/host/bytes.h"

/* Is a kind written by apps and people (a request to settle), and not by a stage? What they write has no
 * digest of its own, whatever it claims. */
bool linnet_kind_from_app(const char *kind);
/* The digest of a document: a result's own "digest" member, else linnet_json_digest of the body.
 * LINNET_E_NOMEM. */
int linnet_document_digest(const char *kind, const json_t *document, char out[65]);

struct linnet_held_blob {
    char *name;
    char *content_type;
    struct linnet_bytes *bytes;
};

/* One document. `json` holds a reference; `digest` is its identity as an input (linnet_document_digest). */
struct linnet_held_doc {
    char *id;
    char kind[LINNET_KIND_MAX];
    const char *qualifier; /* into id */
    char *revision;        /* NULL if not from a store */
    char digest[65];
    json_t *json;
    struct linnet_held_blob *blobs;
    size_t nblobs;
    size_t bytes; /* its part of the observation's */
};

struct linnet_observation {
    char ulid[LINNET_ULID_SIZE];
    struct linnet_held_doc *docs; /* sorted by id */
    size_t ndocs, capacity;
    size_t bytes; /* of all blobs and an estimate for documents, for the bounds */
};

void linnet_observation_init(struct linnet_observation *observation, const char *ulid);
void linnet_observation_done(struct linnet_observation *observation);
/* Put a document (reference taken over only on success; an older one of the same id is replaced, its blobs
 * kept if the new one has the same digest). A tombstone ("_deleted": true) takes the document out. Places and
 * pointers of the others change. LINNET_E_INVALID: its _id is not of this observation. LINNET_E_NOMEM. */
int linnet_observation_put(struct linnet_observation *observation, json_t *document);
/* Add bytes to a document (own reference taken); a blob of the same name is replaced. LINNET_E_NOT_FOUND,
 * LINNET_E_NOMEM. */
int linnet_observation_put_blob(struct linnet_observation *observation, const char *id, const char *name,
                                const char *content_type, struct linnet_bytes *bytes);
/* The bytes of an attachment, NULL if they are not held. Borrowed. */
const struct linnet_held_blob *linnet_held_doc_blob(const struct linnet_held_doc *doc, const char *name);
/* Let go of all blobs and keep the documents: what a task does that stays in memory a while. */
void linnet_observation_drop_blobs(struct linnet_observation *observation);
void linnet_observation_remove(struct linnet_observation *observation, const char *id);
/* Borrowed until the next change; NULL if there is none. */
struct linnet_held_doc *linnet_observation_find(const struct linnet_observation *observation, const char *id);

#endif
