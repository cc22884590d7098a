#include "workers/cli/reference_writer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"

/* A request of many small documents costs the server less each; a large one makes it hold much at once. */
enum { BATCH = 2000, UNDER_WAY = 3 };
#define BATCH_BYTES ((size_t)4 << 20)

struct linnet_reference_writer {
    struct linnet_store *store;
    struct linnet_buf path; /* of _bulk_docs */
    struct linnet_buf body; /* the batch that is filled: {"docs":[... */
    json_t *keys;           /* its ids; NULL: nothing is compared */
    size_t batch;           /* documents in it */
    unsigned under_way;
    bool dry_run;
    struct linnet_reference_written count;
    struct linnet_error failed; /* the first failure */
};

static const char START[] = "{\"docs\":[";

/* Is there any document of these kinds? */
static int any_there(struct linnet_store *store, const char *const *kinds, bool *any,
                     struct linnet_error *err) {
    int error = 0;
    for (*any = false; !error && !*any && *kinds; kinds++) {
        char end[80];
        json_t *first = NULL;
        snprintf(end, sizeof end, "%s\xef\xbf\xb0", *kinds);
        error = linnet_store_range(store, LINNET_DB_REFERENCE, *kinds, end, 1, &first, err);
        *any = json_array_size(first) > 0;
        json_decref(first);
    }
    return error;
}

int linnet_reference_writer_open(struct linnet_store *store, const char *const *kinds, bool dry_run,
                                 struct linnet_reference_writer **out, struct linnet_error *err) {
    bool any;
    int error = any_there(store, kinds, &any, err);
    if (error) return error;
    struct linnet_reference_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    writer->store = store;
    writer->dry_run = dry_run;
    writer->keys = any ? json_array() : NULL;
    const char *database = linnet_couch_database(linnet_store_couch(store), LINNET_DB_REFERENCE);
    error = linnet_buf_printf(&writer->path, "/%s/_bulk_docs", database);
    if (!error) error = linnet_buf_append_string(&writer->body, START);
    if (error) {
        linnet_reference_writer_close(writer);
        return linnet_error_set(err, error, "out of memory");
    }
    *out = writer;
    return 0;
}

void linnet_reference_writer_close(struct linnet_reference_writer *writer) {
    if (!writer) return;
    while (writer->under_way > 0)
        uv_run(linnet_store_loop(writer->store), UV_RUN_ONCE);
    linnet_buf_done(&writer->path);
    linnet_buf_done(&writer->body);
    json_decref(writer->keys);
    free(writer);
}

/* ---- writing ---- */

static void note_refusals(struct linnet_reference_writer *writer, const json_t *rows) {
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row) {
        const char *error = linnet_json_string(row, "error", NULL);
        if (!error) {
            writer->count.written++;
            continue;
        }
        if (writer->failed.code) continue;
        int code = strcmp(error, "conflict") == 0 ? LINNET_E_CONFLICT : LINNET_E_DENIED;
        linnet_error_set(&writer->failed, code, "%s: %s (%s)", linnet_json_string(row, "id", "?"), error,
                         linnet_json_string(row, "reason", "no reason given"));
    }
}

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct linnet_reference_writer *writer = arg;
    (void)request;
    writer->under_way--;
    if (response->error && !writer->failed.code)
        linnet_error_set(&writer->failed, response->error, "%s", response->detail);
    if (!response->error) note_refusals(writer, response->json);
}

/* Send a body, which is taken. Waits for room first. */
static int send_body(struct linnet_reference_writer *writer, struct linnet_buf *body,
                     struct linnet_error *err) {
    struct linnet_couch_call call = {
        .method = "POST", .path = writer->path.data, .free_body = free, .timeout_ms = 600000};
    while (writer->under_way >= UNDER_WAY)
        uv_run(linnet_store_loop(writer->store), UV_RUN_ONCE);
    if (writer->failed.code) return linnet_error_set(err, writer->failed.code, "%s", writer->failed.detail);
    int error = linnet_buf_append_string(body, "]}");
    if (error) return linnet_error_set(err, error, "out of memory");
    char *text = linnet_buf_take(body, &call.size);
    call.body = text;
    error = linnet_couch_request(linnet_store_couch(writer->store), &call, on_written, writer, NULL);
    if (error) {
        free(text);
        return linnet_error_set(err, error, "%s", linnet_error_message(error));
    }
    writer->under_way++;
    uv_run(linnet_store_loop(writer->store), UV_RUN_NOWAIT);
    return 0;
}

/* ---- comparing ---- */

/* Take over the revision of what stands there; true if nothing but the revision differs. */
static bool stands_already(json_t *document, const json_t *standing) {
    char a[65], b[65];
    if (!json_is_object(standing)) return false;
    json_object_set(document, "_rev", json_object_get(standing, "_rev"));
    return linnet_json_digest(document, a) == 0 && linnet_json_digest(standing, b) == 0 && strcmp(a, b) == 0;
}

/* Of the batch, what differs from what stands there, as a body without its end. */
static int differing(struct linnet_reference_writer *writer, const json_t *documents, const json_t *standing,
                     struct linnet_buf *out, size_t *n) {
    size_t i;
    json_t *document;
    int error = linnet_buf_append_string(out, START);
    json_array_foreach(documents, i, document) {
        if (error) break;
        if (stands_already(document, json_array_get(standing, i))) {
            writer->count.unchanged++;
            continue;
        }
        if ((*n)++ > 0) error = linnet_buf_append(out, ",", 1);
        if (!error) error = linnet_json_write(out, document);
    }
    return error;
}

static int compare_and_send(struct linnet_reference_writer *writer, struct linnet_error *err) {
    json_t *batch = NULL, *standing = NULL;
    struct linnet_buf body = {0};
    size_t n = 0;
    int error = linnet_store_bodies(writer->store, LINNET_DB_REFERENCE, writer->keys, &standing, err);
    if (!error && linnet_buf_append_string(&writer->body, "]}"))
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error) error = linnet_json_parse(writer->body.data, writer->body.size, 0, &batch, err);
    if (!error) {
        error = differing(writer, json_object_get(batch, "docs"), standing, &body, &n);
        if (error) linnet_error_set(err, error, "out of memory");
    }
    if (!error && n && writer->dry_run) writer->count.written += n;
    if (!error && n && !writer->dry_run) error = send_body(writer, &body, err);
    linnet_buf_done(&body);
    json_decref(batch);
    json_decref(standing);
    json_array_clear(writer->keys);
    return error;
}

static int flush(struct linnet_reference_writer *writer, struct linnet_error *err) {
    int error = 0;
    if (writer->batch == 0) return 0;
    if (writer->keys)
        error = compare_and_send(writer, err);
    else if (writer->dry_run)
        writer->count.written += writer->batch;
    else
        error = send_body(writer, &writer->body, err);
    writer->batch = 0;
    linnet_buf_clear(&writer->body);
    if (!error && linnet_buf_append_string(&writer->body, START))
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    return error;
}

int linnet_reference_writer_add(struct linnet_reference_writer *writer, const char *id, const char *text,
                                size_t size, struct linnet_error *err) {
    int error = writer->batch ? linnet_buf_append(&writer->body, ",", 1) : 0;
    if (!error) error = linnet_buf_append(&writer->body, text, size);
    if (!error && writer->keys && json_array_append_new(writer->keys, json_string(id)) != 0)
        error = LINNET_E_NOMEM;
    if (error) return linnet_error_set(err, error, "out of memory");
    writer->batch++;
    return writer->batch >= BATCH || writer->body.size >= BATCH_BYTES ? flush(writer, err) : 0;
}

int linnet_reference_writer_finish(struct linnet_reference_writer *writer, struct linnet_error *err) {
    int error = flush(writer, err);
    while (writer->under_way > 0)
        uv_run(linnet_store_loop(writer->store), UV_RUN_ONCE);
    if (!error && writer->failed.code)
        error = linnet_error_set(err, writer->failed.code, "%s", writer->failed.detail);
    return error;
}

struct linnet_reference_written linnet_reference_writer_count(const struct linnet_reference_writer *writer) {
    return writer->count;
}
