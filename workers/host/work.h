/* One item on its way: what a stage works on and what comes back. Made on the loop thread with references to
 * all it needs, so that it outlives the task that asked for it; owned by one thread at a time: the
 * submitter's, the stage's, the submitter's. */
#ifndef LINNET_HOST_WORK_H
#define LINNET_HOST_WORK_H

#include <linnet/plugin.h>

#include "common/base/id.h"
#include "workers/host/bytes.h"
#include "workers/host/observation.h"

enum linnet_priority {
    LINNET_PRIORITY_HTTP,
    LINNET_PRIORITY_FRESH,
    LINNET_PRIORITY_RETRY,
    LINNET_PRIORITY_BACKFILL,
    LINNET_PRIORITIES
};

/* A finished output: the completed document (_id, kind, stage, inputs, digest set; no _rev) and its blobs. */
struct linnet_result {
    enum linnet_database database;
    char *id;
    json_t *document; /* NULL: delete the document of that id */
    bool create_only; /* leave a document that stands there already */
    struct linnet_result_blob {
        char *name, *content_type;
        struct linnet_bytes *bytes;
    } * blobs;
    size_t nblobs;
};

struct linnet_work {
    struct linnet_item item;
    enum linnet_priority priority;
    bool alone;  /* a suspect: batch of one */
    void *owner; /* the submitter's */
    /* Where it comes back to, on the loop; NULL: to the stage's `done`. Of who submits to a stage that
     * somebody else has opened; the stage's queue_limit does not bind him: he bounds by himself what he has
     * under way. */
    void (*back)(struct linnet_work *work);

    /* What outputs are completed with. */
    char *qualifier; /* of an output that names none; NULL: none */
    json_t *inputs;  /* [{id, digest}] in order of id; LINNET_PRESENCE documents are not among them */

    /* Set when it comes back. */
    enum linnet_verdict verdict;
    char *reason; /* NULL if the stage gave none */
    struct linnet_result *results;
    size_t nresults;
    double queued_s, process_s;  /* waiting, and its share of the batch that it was in */
    uint64_t began_ns, ended_ns; /* the batch, by uv_hrtime */

    /* The stage's own. */
    struct linnet_work *next;
    uint64_t since_ns;  /* submitted, by uv_hrtime */
    unsigned breakages; /* instances that broke on it */
    unsigned finishes;  /* calls of finish for it */
    struct linnet_bytes **bytes;
    size_t nbytes;
    size_t docs_capacity;
};

/* An empty one with room for `ndocs` documents. NULL: out of memory. */
struct linnet_work *linnet_work_new(const char *observation, size_t ndocs);
/* Add a held document, with the blobs that `input` asks for and that are held. `digest` is its digest as an
 * input; documents of a LINNET_PRESENCE input are given and not recorded. The first document is the trigger.
 * LINNET_E_NOMEM, LINNET_E_FULL (more than `ndocs`). */
int linnet_work_add(struct linnet_work *work, const struct linnet_held_doc *doc,
                    const struct linnet_input *input, const char *digest);
/* The work of a stage of scope `site`: one document, `json` NULL for a tombstone (own reference taken). Its
 * digest is a result's own or that of its body; a tombstone has none (""). LINNET_E_INVALID: an id that is
 * none of Linnet's, or of a kind that the plugin does not consume; LINNET_E_NOMEM. */
int linnet_work_document(const struct linnet_plugin *plugin, const char *id, json_t *json,
                         struct linnet_work **out);
void linnet_work_free(struct linnet_work *work);
/* Free the results of a work (they were dropped, or taken one by one: NULLs are skipped). */
void linnet_work_clear_results(struct linnet_work *work);
/* The bytes that a work holds, blobs of results included, for the bounds. */
size_t linnet_work_bytes(const struct linnet_work *work);

#endif
