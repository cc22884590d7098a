#include "workers/host/work.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "workers/host/plugin.h"
#include "workers/host/provenance.h"

/* The strings of one document, in one piece; linnet_doc points into it. */
struct names {
    char kind[LINNET_KIND_MAX];
    char digest[LINNET_DIGEST_SIZE];
    char id[];
};

/* In one piece: the work, its documents, the observation's name. There is one for every change. */
struct linnet_work *linnet_work_new(const char *observation, size_t ndocs) {
    size_t docs = ndocs * sizeof(struct linnet_doc), name = strlen(observation) + 1;
    struct linnet_work *work = calloc(1, sizeof(*work) + docs + name);
    if (!work) return NULL;
    work->item.docs = (struct linnet_doc *)(work + 1);
    work->item.observation = memcpy((char *)(work + 1) + docs, observation, name);
    work->inputs = json_array();
    work->docs_capacity = ndocs;
    work->priority = LINNET_PRIORITY_FRESH;
    work->item.host = work;
    if (work->inputs) return work;
    linnet_work_free(work);
    return NULL;
}

static struct linnet_doc *docs_of(struct linnet_work *work) {
    return (struct linnet_doc *)work->item.docs; /* const for the plugin only */
}

/* What fits of `text`. */
static void copy(char *out, size_t size, const char *text) {
    size_t length = strnlen(text, size - 1);
    memcpy(out, text, length);
    out[length] = '\0';
}

/* A document without blobs in the next place. */
static struct linnet_doc *append(struct linnet_work *work, const char *id, const char *kind,
                                 const char *digest) {
    size_t size = strlen(id) + 1;
    struct names *names = malloc(sizeof(*names) + size);
    if (!names) return NULL;
    copy(names->kind, sizeof(names->kind), kind);
    copy(names->digest, sizeof(names->digest), digest);
    memcpy(names->id, id, size);
    struct linnet_id parsed;
    struct linnet_doc *doc = &docs_of(work)[work->item.ndocs++];
    *doc = (struct linnet_doc){.id = names->id, .kind = names->kind, .digest = names->digest};
    doc->qualifier = linnet_id_parse(names->id, &parsed) ? names->id + size - 1 : parsed.qualifier;
    return doc;
}

static int hold(struct linnet_work *work, struct linnet_bytes *bytes) {
    struct linnet_bytes **more = realloc(work->bytes, (work->nbytes + 1) * sizeof(struct linnet_bytes *));
    if (!more) return LINNET_E_NOMEM;
    work->bytes = more;
    more[work->nbytes++] = linnet_bytes_ref(bytes);
    return 0;
}

static int add_blobs(struct linnet_work *work, struct linnet_doc *doc, const struct linnet_held_doc *held,
                     const struct linnet_input *input) {
    if (!held->nblobs || !input->blobs) return 0;
    struct linnet_blob *blobs = calloc(held->nblobs, sizeof(*blobs));
    if (!blobs) return LINNET_E_NOMEM;
    doc->blobs = blobs;
    for (size_t i = 0; i < held->nblobs; i++) {
        const struct linnet_held_blob *blob = &held->blobs[i];
        if (!linnet_input_wants_blob(input, blob->name)) continue;
        struct linnet_blob *out = &blobs[doc->nblobs];
        out->name = strdup(blob->name);
        out->content_type = strdup(blob->content_type);
        out->data = blob->bytes->data;
        out->size = blob->bytes->size;
        doc->nblobs++;
        if (!out->name || !out->content_type || hold(work, blob->bytes)) return LINNET_E_NOMEM;
    }
    return 0;
}

/* The inputs are kept in order of id; they come nearly so. */
static int record(struct linnet_work *work, const struct linnet_doc *doc) {
    size_t place = json_array_size(work->inputs);
    while (place > 0 &&
           strcmp(json_string_value(json_object_get(json_array_get(work->inputs, place - 1), "id")),
                  doc->id) > 0)
        place--;
    return json_array_insert_new(work->inputs, place, linnet_input_json(doc->id, doc->digest))
               ? LINNET_E_NOMEM
               : 0;
}

int linnet_work_add(struct linnet_work *work, const struct linnet_held_doc *held,
                    const struct linnet_input *input, const char *digest) {
    if (work->item.ndocs == work->docs_capacity) return LINNET_E_FULL;
    struct linnet_doc *doc = append(work, held->id, held->kind, digest);
    if (!doc) return LINNET_E_NOMEM;
    doc->json = json_incref(held->json);
    int rc = add_blobs(work, doc, held, input);
    if (!rc && !(input->flags & LINNET_PRESENCE)) rc = record(work, doc);
    return rc;
}

int linnet_work_document(const struct linnet_plugin *plugin, const char *id, json_t *json,
                         struct linnet_work **out) {
    struct linnet_id parsed;
    if (linnet_id_parse(id, &parsed) || !linnet_plugin_input(plugin, parsed.kind)) return LINNET_E_INVALID;
    char digest[LINNET_DIGEST_SIZE] = "";
    int rc = json ? linnet_document_digest(parsed.kind, json, digest) : 0;
    if (rc) return rc;
    struct linnet_work *work = linnet_work_new(parsed.observation, 1);
    struct linnet_doc *doc = work ? append(work, id, parsed.kind, digest) : NULL;
    if (!doc || (json && record(work, doc))) {
        linnet_work_free(work);
        return LINNET_E_NOMEM;
    }
    doc->json = json_incref(json);
    doc->deleted = !json;
    *out = work;
    return 0;
}

static void doc_free(struct linnet_doc *doc) {
    for (size_t i = 0; i < doc->nblobs; i++) {
        free((char *)doc->blobs[i].name);
        free((char *)doc->blobs[i].content_type);
    }
    free((struct linnet_blob *)doc->blobs);
    json_decref(doc->json);
    free((char *)doc->id - offsetof(struct names, id));
}

void linnet_work_clear_results(struct linnet_work *work) {
    for (size_t i = 0; i < work->nresults; i++) {
        struct linnet_result *result = &work->results[i];
        for (size_t b = 0; b < result->nblobs; b++) {
            free(result->blobs[b].name);
            free(result->blobs[b].content_type);
            linnet_bytes_unref(result->blobs[b].bytes);
        }
        free(result->blobs);
        free(result->id);
        json_decref(result->document);
    }
    free(work->results);
    work->results = NULL;
    work->nresults = 0;
}

size_t linnet_work_bytes(const struct linnet_work *work) {
    size_t bytes = sizeof(*work);
    for (size_t i = 0; i < work->nbytes; i++)
        bytes += work->bytes[i]->size;
    for (size_t i = 0; i < work->nresults; i++)
        for (size_t b = 0; b < work->results[i].nblobs; b++)
            if (work->results[i].blobs[b].bytes) bytes += work->results[i].blobs[b].bytes->size;
    return bytes;
}

void linnet_work_free(struct linnet_work *work) {
    if (!work) return;
    linnet_work_clear_results(work);
    for (size_t i = 0; i < work->item.ndocs; i++)
        doc_free(&docs_of(work)[i]);
    for (size_t i = 0; i < work->nbytes; i++)
        linnet_bytes_unref(work->bytes[i]);
    free(work->bytes);
    json_decref(work->inputs);
    free(work->qualifier);
    free(work->reason);
    free(work);
}
