/* Checks of the contract on good input. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "workers/host/config.h"
#include "workers/host/conformance_rig.h"

/* Two cycles for what a library sets up once, one to compare. */
#define CYCLES 4
/* How long memory is watched, at least and at most. */
#define MEMORY_ITEMS   64
#define MEMORY_SECONDS 3.0
/* Heap that an item may leave behind without being called a leak: fragments, caches that fill. */
#define MEMORY_SLACK 2048
/* How long a thread that was joined may still be listed. */
#define THREADS_MS 500

static const struct linnet_rig_shape one_by_one = {.threads = 1};

bool linnet_check_opens(struct linnet_rig *rig) {
    return linnet_rig_open(rig, &one_by_one) && linnet_rig_close(rig);
}

bool linnet_check_unknown_key(struct linnet_rig *rig) {
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    json_t *config = rig->options->config ? json_deep_copy(rig->options->config) : json_object(),
           *complete = NULL;
    if (linnet_plugin_file_open(rig->options->path, &file, &err))
        return linnet_rig_fail(rig, "%s", err.detail);
    json_object_set_new(config, "linnet_no_such_key", json_true());
    int rc = linnet_config_complete(file, config, &complete, &err);
    json_decref(config);
    json_decref(complete);
    linnet_plugin_file_free(file);
    return rc == LINNET_E_INVALID
               ? true
               : linnet_rig_fail(rig, "its config_schema takes the key \"linnet_no_such_key\": say "
                                      "\"additionalProperties\": false");
}

static int count_entries(const char *path) {
    DIR *dir = opendir(path);
    int n = 0;
    while (dir && readdir(dir))
        n++;
    if (dir) closedir(dir);
    return n;
}

/* The threads of this process, once those that end are gone: the kernel lets a thread be joined a moment
 * before it takes the thread off the list. So more than before are looked at again, for a while. */
static int count_threads(int before) {
    int running = count_entries("/proc/self/task");
    for (int ms = 0; running > before && ms < THREADS_MS; ms++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        running = count_entries("/proc/self/task");
    }
    return running;
}

bool linnet_check_open_close(struct linnet_rig *rig) {
    char fingerprint[65] = "";
    int descriptors = 0, threads = count_entries("/proc/self/task");
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        if (!linnet_rig_open(rig, &one_by_one)) return false;
        if (!linnet_rig_close(rig)) return false;
        int open = count_entries("/proc/self/fd"), running = count_threads(threads);
        if (cycle == 0) memcpy(fingerprint, rig->slate->fingerprint, sizeof(fingerprint));
        if (strcmp(fingerprint, rig->slate->fingerprint) != 0)
            return linnet_rig_fail(rig, "its fingerprint changed when it was opened again");
        if (cycle == CYCLES - 1 && open > descriptors)
            return linnet_rig_fail(rig,
                                   "%d more file descriptors are open after opening and closing it once more",
                                   open - descriptors);
        if (cycle == CYCLES - 1 && running > threads)
            return linnet_rig_fail(rig, "%d more threads run after opening and closing it once more",
                                   running - threads);
        descriptors = open;
        threads = running;
    }
    return true;
}

/* ---- items ---- */

static bool check_result(struct linnet_rig *rig, const struct linnet_result *result) {
    const struct linnet_schemas *schemas = rig->options->schemas;
    struct linnet_error err = {0};
    if (!result->document || !schemas) return true;
    const char *kind = linnet_json_string(result->document, "kind", "");
    json_t *stored = json_copy(result->document);
    json_t *attachments = result->nblobs ? json_object() : NULL;
    for (size_t i = 0; i < result->nblobs; i++)
        json_object_set_new(attachments, result->blobs[i].name,
                            json_pack("{s:s, s:I}", "content_type", result->blobs[i].content_type, "length",
                                      (json_int_t)result->blobs[i].bytes->size));
    if (attachments) json_object_set_new(stored, "_attachments", attachments);
    int rc = linnet_schemas_check(schemas, kind, stored, &err);
    json_decref(stored);
    return rc == LINNET_E_INVALID ? linnet_rig_fail(rig, "%s breaks its schema: %s", result->id, err.detail)
                                  : true;
}

bool linnet_check_items(struct linnet_rig *rig) {
    size_t n, done = 0, results = 0, refused = 0;
    const struct linnet_work *last = NULL;
    if (!linnet_rig_open(rig, &one_by_one)) return false;
    if (!linnet_rig_submit_samples(rig, &n)) return false;
    if (n == 0)
        return linnet_rig_fail(
            rig,
            "no sample makes an item of it: give documents that it consumes (and references) to work on");
    if (!linnet_rig_settle(rig, true)) return false;
    for (size_t i = 0; i < rig->nworks; i++) {
        const struct linnet_work *work = rig->works[i];
        if (work->verdict == LINNET_OK) done++;
        if (work->verdict == LINNET_REJECT) {
            refused++;
            last = work;
        }
        results += work->nresults;
        for (size_t r = 0; r < work->nresults; r++)
            if (!check_result(rig, &work->results[r])) return false;
    }
    if (!done && refused)
        return linnet_rig_fail(rig, "it refuses every sample; %s: %s", last->item.docs[0].id, last->reason);
    if (!linnet_rig_close(rig)) return false;
    linnet_rig_note(rig, "%zu items, %zu done, %zu documents", n, done, results);
    linnet_rig_forget(rig);
    return true;
}

bool linnet_check_exactly_once(struct linnet_rig *rig) {
    /* The host counts; whatever it finds is a fault. Batches that end full, half full, and of one. */
    for (uint32_t batch = 1; batch <= 8; batch = batch * 2 + 1) {
        size_t n;
        struct linnet_rig_shape shape = {.threads = 1, .batch = batch};
        if (!linnet_rig_open(rig, &shape)) return false;
        for (int round = 0; round < 3; round++)
            if (!linnet_rig_submit_samples(rig, &n)) return false;
        if (!linnet_rig_settle(rig, true) || !linnet_rig_close(rig)) return false;
        linnet_rig_forget(rig);
    }
    return true;
}

/* ---- borrowed ---- */

/* A document that was lent: our own reference to it, and what it looked like. */
struct lent {
    json_t *json;
    size_t references;
    char digest[65], blobs[65];
};

static int look_at(const struct linnet_doc *doc, char digest[65], char blobs[65]) {
    struct linnet_digest all;
    char *text = doc->json ? linnet_json_canonical(doc->json) : strdup("");
    if (!text) return LINNET_E_NOMEM;
    linnet_digest_bytes(text, strlen(text), digest);
    free(text);
    linnet_digest_init(&all);
    for (size_t i = 0; i < doc->nblobs; i++) {
        linnet_digest_update_string(&all, doc->blobs[i].name);
        linnet_digest_update(&all, doc->blobs[i].data, doc->blobs[i].size);
    }
    linnet_digest_final(&all, blobs);
    return 0;
}

/* Write down what the plugin is about to be lent. */
static bool lend(struct linnet_rig *rig, struct lent *lent) {
    for (size_t i = 0; i < rig->nworks; i++)
        for (size_t d = 0; d < rig->works[i]->item.ndocs; d++, lent++) {
            const struct linnet_doc *doc = &rig->works[i]->item.docs[d];
            lent->json = doc->json;
            lent->references = doc->json ? doc->json->refcount : 0;
            if (look_at(doc, lent->digest, lent->blobs)) return linnet_rig_fail(rig, "out of memory");
        }
    return true;
}

static bool is_unchanged(struct linnet_rig *rig, const struct lent *lent) {
    for (size_t i = 0; i < rig->nworks; i++)
        for (size_t d = 0; d < rig->works[i]->item.ndocs; d++, lent++) {
            char digest[65], blobs[65];
            const struct linnet_doc *doc = &rig->works[i]->item.docs[d];
            if (look_at(doc, digest, blobs)) return linnet_rig_fail(rig, "out of memory");
            if (strcmp(digest, lent->digest) != 0)
                return linnet_rig_fail(rig, "it changed the document %s", doc->id);
            if (strcmp(blobs, lent->blobs) != 0)
                return linnet_rig_fail(rig, "it changed the bytes of an attachment of %s", doc->id);
        }
    return true;
}

static bool is_given_back(struct linnet_rig *rig, const struct lent *lent, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (lent[i].json && lent[i].json->refcount != lent[i].references)
            return linnet_rig_fail(
                rig, "%s: a reference to a document was %s", linnet_json_string(lent[i].json, "_id", "?"),
                lent[i].json->refcount > lent[i].references ? "taken and never given back"
                                                            : "given back that was not its own");
    return true;
}

bool linnet_check_borrowed(struct linnet_rig *rig) {
    size_t n, ndocs = 0;
    struct linnet_rig_shape shape = {.threads = 1, .batch = 64};
    if (!linnet_rig_open(rig, &shape) || !linnet_rig_submit_samples(rig, &n)) return false;
    for (size_t i = 0; i < rig->nworks; i++)
        ndocs += rig->works[i]->item.ndocs;
    struct lent *lent = calloc(ndocs + 1, sizeof(*lent));
    if (!lent) return linnet_rig_fail(rig, "out of memory");
    bool kept = lend(rig, lent) && linnet_rig_settle(rig, true) && is_unchanged(rig, lent) &&
                linnet_rig_close(rig) && /* an instance may keep documents until then */
                is_given_back(rig, lent, ndocs);
    free(lent);
    if (kept) linnet_rig_forget(rig);
    return kept;
}

/* ---- batches ---- */

/* Run all samples in a shape; what came back is handed over. */
static bool run_shape(struct linnet_rig *rig, uint32_t batch, unsigned threads, struct linnet_work ***works,
                      size_t *nworks) {
    size_t n;
    struct linnet_rig_shape shape = {.threads = threads, .batch = batch};
    if (!linnet_rig_open(rig, &shape) || !linnet_rig_submit_samples(rig, &n) ||
        !linnet_rig_settle(rig, true) || !linnet_rig_close(rig))
        return false;
    *works = rig->works;
    *nworks = rig->submitted;
    /* Loose works of a drain are no part of the comparison. */
    for (size_t i = rig->submitted; i < rig->nworks; i++)
        linnet_work_free(rig->works[i]);
    rig->works = NULL;
    rig->nworks = rig->submitted = rig->back = 0;
    return true;
}

static bool compare_runs(struct linnet_rig *rig, struct linnet_work **one, struct linnet_work **other,
                         size_t n, const char *between) {
    char where[300];
    for (size_t i = 0; i < n; i++) {
        const char *id = one[i]->item.docs[0].id;
        if (one[i]->verdict != other[i]->verdict || one[i]->nresults != other[i]->nresults)
            return linnet_rig_fail(rig, "%s ends otherwise between %s", id, between);
        for (size_t r = 0; r < one[i]->nresults; r++)
            if (!linnet_results_alike(&one[i]->results[r], &other[i]->results[r], where, sizeof(where)))
                return linnet_rig_fail(rig, "%s: the output differs between %s, in %s", id, between,
                                       *where ? where : "its members");
    }
    return true;
}

static void free_works(struct linnet_work **works, size_t n) {
    for (size_t i = 0; i < n; i++)
        linnet_work_free(works[i]);
    free(works);
}

bool linnet_check_batches(struct linnet_rig *rig) {
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    if (linnet_plugin_file_open(rig->options->path, &file, &err))
        return linnet_rig_fail(rig, "%s", err.detail);
    const struct {
        uint32_t batch;
        unsigned threads;
        const char *between;
    } shapes[] = {{1, 1, "two runs one by one"},
                  {2, 1, "batches of one and of two"},
                  {file->plugin.batch_max, 1, "batches of one and full ones"},
                  {1, 2, "one instance and two at once"}};
    bool site = file->plugin.scope == LINNET_SCOPE_SITE;
    linnet_plugin_file_free(file);
    /* What a site stage says of one document depends on those before it, and on which of a batch it says it:
     * there the end counts, see "redelivery". */
    if (site) return linnet_rig_skip(rig, "for scope observation");
    struct linnet_work **first, **next;
    size_t n, m;
    if (!run_shape(rig, 1, 1, &first, &n)) return false;
    bool alike = true;
    for (size_t i = 0; alike && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (!run_shape(rig, shapes[i].batch, shapes[i].threads, &next, &m)) return false;
        alike = n == m && compare_runs(rig, first, next, n, shapes[i].between);
        free_works(next, m);
    }
    free_works(first, n);
    return alike;
}

/* ---- time and memory ---- */

bool linnet_check_deadline(struct linnet_rig *rig) {
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    size_t n;
    if (linnet_plugin_file_open(rig->options->path, &file, &err))
        return linnet_rig_fail(rig, "%s", err.detail);
    double deadline = (file->plugin.deadline_ms ? file->plugin.deadline_ms : 60000) / 1e3;
    struct linnet_rig_shape shape = {.threads = 1, .batch = file->plugin.batch_max};
    linnet_plugin_file_free(file);
    if (!linnet_rig_open(rig, &shape)) return false;
    do {
        if (!linnet_rig_submit_samples(rig, &n)) return false;
    } while (n && rig->submitted < shape.batch); /* a full batch at least */
    if (!linnet_rig_settle(rig, true) || !linnet_rig_close(rig)) return false;
    linnet_rig_forget(rig);
    if (rig->slowest_s > deadline)
        return linnet_rig_fail(rig, "a batch of %u took %.1f s, its deadline is %.1f s", shape.batch,
                               rig->slowest_s, deadline);
    linnet_rig_note(rig, "%.3f s for a batch of %u; the deadline is %.0f s", rig->slowest_s, shape.batch,
                    deadline);
    return true;
}

/* Bytes that are allocated now. ThreadSanitizer has a heap of its own, of which mallinfo knows nothing. (So
 * has AddressSanitizer, but there freed blocks count for long, and it finds leaks itself.) */
#ifdef __SANITIZE_THREAD__
size_t __sanitizer_get_current_allocated_bytes(void);

static size_t heap(void) {
    return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t heap(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

/* Process samples until enough of them have gone by. */
static bool churn(struct linnet_rig *rig, size_t items, size_t *processed) {
    uint64_t start = uv_hrtime();
    size_t n = 1;
    *processed = 0;
    while (n && *processed < items && (double)(uv_hrtime() - start) / 1e9 < MEMORY_SECONDS) {
        if (!linnet_rig_submit_samples(rig, &n) || !linnet_rig_settle(rig, false)) return false;
        linnet_rig_forget(rig);
        *processed += n;
    }
    return true;
}

bool linnet_check_memory(struct linnet_rig *rig) {
    size_t warm, items;
    if (!linnet_rig_open(rig, &one_by_one)) return false;
    if (!churn(rig, MEMORY_ITEMS, &warm)) return false;
    size_t before = heap();
    if (!churn(rig, warm, &items)) return false;
    size_t after = heap();
    double each = items && after > before ? (double)(after - before) / (double)items : 0;
    if (!linnet_rig_close(rig)) return false;
    if (each > MEMORY_SLACK)
        return linnet_rig_fail(rig, "the heap grows by %.0f bytes with every item (%zu items)", each, items);
    linnet_rig_note(rig, "%zu items", warm + items);
    return true;
}
