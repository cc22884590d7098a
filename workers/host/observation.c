#include "workers/host/observation.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"

/* What jansson spends on a value beside its text, about. */
#define VALUE_OVERHEAD 40

bool linnet_kind_from_app(const char *kind) {
    return !strcmp(kind, "observation") || !strcmp(kind, "image") || !strcmp(kind, "validation") ||
           !strcmp(kind, "comment") || !strcmp(kind, "flag") || !strcmp(kind, "settle");
}

int linnet_document_digest(const char *kind, const json_t *document, char out[65]) {
    const char *own = json_string_value(json_object_get(document, "digest"));
    bool result = !linnet_kind_from_app(kind) && json_is_object(json_object_get(document, "stage"));
    if (!result || !own || !linnet_digest_valid(own)) return linnet_json_digest(document, out);
    memcpy(out, own, LINNET_DIGEST_SIZE);
    return 0;
}

static size_t estimate(const json_t *value) {
    size_t bytes = VALUE_OVERHEAD;
    if (json_is_string(value)) return bytes + json_string_length(value);
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            bytes += sizeof(json_t *) + estimate(json_array_get(value, i));
    } else if (json_is_object(value)) {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member) bytes +=
            VALUE_OVERHEAD + strlen(key) + estimate(member);
    }
    return bytes;
}

static void blob_done(struct linnet_held_blob *blob) {
    free(blob->name);
    free(blob->content_type);
    linnet_bytes_unref(blob->bytes);
}

static void blobs_free(struct linnet_held_doc *doc) {
    for (size_t i = 0; i < doc->nblobs; i++)
        blob_done(&doc->blobs[i]);
    free(doc->blobs);
    doc->blobs = NULL;
    doc->nblobs = 0;
}

static void doc_done(struct linnet_held_doc *doc) {
    blobs_free(doc);
    json_decref(doc->json);
    free(doc->revision);
    free(doc->id);
}

void linnet_observation_init(struct linnet_observation *observation, const char *ulid) {
    memset(observation, 0, sizeof(*observation));
    strncat(observation->ulid, ulid, sizeof(observation->ulid) - 1);
}

void linnet_observation_done(struct linnet_observation *observation) {
    for (size_t i = 0; i < observation->ndocs; i++)
        doc_done(&observation->docs[i]);
    free(observation->docs);
    observation->docs = NULL;
    observation->ndocs = observation->capacity = observation->bytes = 0;
}

/* The place of an id, or where it would stand. */
static size_t place_of(const struct linnet_observation *observation, const char *id, bool *found) {
    size_t low = 0, high = observation->ndocs;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(observation->docs[middle].id, id);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct linnet_held_doc *linnet_observation_find(const struct linnet_observation *observation,
                                                const char *id) {
    bool found;
    size_t place = place_of(observation, id, &found);
    return found ? &observation->docs[place] : NULL;
}

/* A document taken apart, without its json's reference and without blobs. */
static int doc_make(const struct linnet_observation *observation, json_t *document,
                    struct linnet_held_doc *out) {
    struct linnet_held_doc doc = {0};
    struct linnet_id id;
    const char *text = json_string_value(json_object_get(document, "_id"));
    if (!text || linnet_id_parse(text, &id) || strcmp(id.observation, observation->ulid) != 0)
        return LINNET_E_INVALID;
    memcpy(doc.kind, id.kind, sizeof(doc.kind));

    int rc = linnet_document_digest(id.kind, document, doc.digest);
    if (rc) return rc;
    const char *revision = json_string_value(json_object_get(document, "_rev"));
    doc.id = strdup(text);
    doc.revision = revision ? strdup(revision) : NULL;
    if (!doc.id || (revision && !doc.revision)) {
        doc_done(&doc);
        return LINNET_E_NOMEM;
    }
    doc.qualifier = doc.id + (id.qualifier - text);
    doc.json = document;
    doc.bytes = estimate(document);
    *out = doc;
    return 0;
}

static int reserve(struct linnet_observation *observation) {
    if (observation->ndocs < observation->capacity) return 0;
    size_t capacity = observation->capacity ? observation->capacity * 2 : 8;
    struct linnet_held_doc *docs = realloc(observation->docs, capacity * sizeof(*docs));
    if (!docs) return LINNET_E_NOMEM;
    observation->docs = docs;
    observation->capacity = capacity;
    return 0;
}

static size_t blob_bytes(const struct linnet_held_doc *doc) {
    size_t bytes = 0;
    for (size_t i = 0; i < doc->nblobs; i++)
        bytes += doc->blobs[i].bytes->size;
    return bytes;
}

static void replace(struct linnet_observation *observation, struct linnet_held_doc *old,
                    struct linnet_held_doc *doc) {
    if (!strcmp(old->digest, doc->digest)) {
        doc->blobs = old->blobs;
        doc->nblobs = old->nblobs;
        doc->bytes += blob_bytes(old);
        old->blobs = NULL;
        old->nblobs = 0;
    }
    observation->bytes += doc->bytes - old->bytes;
    doc_done(old);
    *old = *doc;
}

int linnet_observation_put(struct linnet_observation *observation, json_t *document) {
    struct linnet_held_doc doc;
    int rc = doc_make(observation, document, &doc);
    if (rc) return rc;
    if (json_is_true(json_object_get(document, "_deleted"))) {
        linnet_observation_remove(observation, doc.id);
        doc_done(&doc); /* the caller's reference with it */
        return 0;
    }
    bool found;
    size_t place = place_of(observation, doc.id, &found);
    if (found) {
        replace(observation, &observation->docs[place], &doc);
        return 0;
    }
    rc = reserve(observation);
    if (rc) {
        doc.json = NULL; /* stays the caller's */
        doc_done(&doc);
        return rc;
    }
    memmove(&observation->docs[place + 1], &observation->docs[place],
            (observation->ndocs - place) * sizeof(*observation->docs));
    observation->docs[place] = doc;
    observation->ndocs++;
    observation->bytes += doc.bytes;
    return 0;
}

const struct linnet_held_blob *linnet_held_doc_blob(const struct linnet_held_doc *doc, const char *name) {
    for (size_t i = 0; i < doc->nblobs; i++)
        if (!strcmp(doc->blobs[i].name, name)) return &doc->blobs[i];
    return NULL;
}

int linnet_observation_put_blob(struct linnet_observation *observation, const char *id, const char *name,
                                const char *content_type, struct linnet_bytes *bytes) {
    struct linnet_held_doc *doc = linnet_observation_find(observation, id);
    if (!doc) return LINNET_E_NOT_FOUND;
    struct linnet_held_blob blob = {.name = strdup(name),
                                    .content_type = strdup(content_type ? content_type : "")};
    struct linnet_held_blob *held = (struct linnet_held_blob *)linnet_held_doc_blob(doc, name);
    if (blob.name && blob.content_type && !held) {
        struct linnet_held_blob *blobs = realloc(doc->blobs, (doc->nblobs + 1) * sizeof(*blobs));
        if (blobs) {
            doc->blobs = blobs;
            held = &blobs[doc->nblobs++];
            memset(held, 0, sizeof(*held));
        }
    }
    if (!blob.name || !blob.content_type || !held) {
        blob_done(&blob);
        return LINNET_E_NOMEM;
    }
    size_t before = held->bytes ? held->bytes->size : 0;
    blob_done(held);
    blob.bytes = linnet_bytes_ref(bytes);
    *held = blob;
    doc->bytes += bytes->size - before;
    observation->bytes += bytes->size - before;
    return 0;
}

void linnet_observation_drop_blobs(struct linnet_observation *observation) {
    for (size_t i = 0; i < observation->ndocs; i++) {
        struct linnet_held_doc *doc = &observation->docs[i];
        size_t bytes = blob_bytes(doc);
        doc->bytes -= bytes;
        observation->bytes -= bytes;
        blobs_free(doc);
    }
}

void linnet_observation_remove(struct linnet_observation *observation, const char *id) {
    bool found;
    size_t place = place_of(observation, id, &found);
    if (!found) return;
    observation->bytes -= observation->docs[place].bytes;
    doc_done(&observation->docs[place]);
    observation->ndocs--;
    memmove(&observation->docs[place], &observation->docs[place + 1],
            (observation->ndocs - place) * sizeof(*observation->docs));
}
