/* A write waits in `waiting` until a batch takes it, or in `reading` until its present revision is known. All
 * sending happens in the timer's callback, so that nothing comes back from inside linnet_writer_add, and what
 * one turn of the loop adds leaves together. */
#include "workers/worker/writer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/worker/body.h"
#include "workers/worker/table.h"

enum {
    BULKS = 2,         /* requests under way: one is on the server while the next is built */
    READ_KEYS = 200,   /* documents read in one comparison */
    TRIES = 20,        /* writing over somebody who writes too */
    BACKOFF_MIN = 200, /* milliseconds */
    BACKOFF_MAX = 8000
};

TAILQ_HEAD(write_list, linnet_write);

struct linnet_writer {
    struct linnet_writer_options options;
    char *path;
    uv_timer_t timer;
    struct write_list waiting, reading;
    struct linnet_table site;        /* of each id, the write whose turn it is */
    size_t pending, bytes, reserved; /* all writes that are the writer's */
    size_t nwaiting, waiting_bytes;
    int64_t oldest; /* when the first of `waiting` came */
    unsigned bulks;
    bool read_under_way, closing, freeing, dead, flush;
    unsigned backoff;
    int64_t not_before;
    void (*closed)(void *arg);
    void *closed_arg;
    struct linnet_metric *documents, *requests, *seconds, *written;
};

struct batch {
    struct linnet_writer *writer;
    struct write_list writes;
    size_t n;
    int64_t started;
};

static void turn(uv_timer_t *timer);

static void schedule(struct linnet_writer *w, int64_t in_ms) {
    if (w->dead && !w->closing) return;
    if (uv_is_closing((uv_handle_t *)&w->timer)) return;
    uint64_t due = in_ms > 0 ? (uint64_t)in_ms : 0;
    if (uv_is_active((uv_handle_t *)&w->timer) && uv_timer_get_due_in(&w->timer) <= due) return;
    uv_timer_start(&w->timer, turn, due, 0);
}

static void open_metrics(struct linnet_writer *w) {
    struct linnet_metrics *m = w->options.metrics;
    if (!m) return;
    char labels[64];
    snprintf(labels, sizeof(labels), "database=\"linnet%s\"", linnet_database_suffix(w->options.database));
    w->documents = linnet_metrics_counter(m, "linnet_writer_documents_total", labels, "Documents written");
    w->requests = linnet_metrics_counter(m, "linnet_writer_requests_total", labels, "Bulk writes sent");
    w->written = linnet_metrics_counter(m, "linnet_writer_bytes_total", labels, "Bytes of bulk writes");
    w->seconds = linnet_metrics_histogram(m, "linnet_write_seconds", labels, "Time of one bulk write");
}

static const char *id_of(const void *write) {
    return ((const struct linnet_write *)write)->id;
}

int linnet_writer_open(const struct linnet_writer_options *options, struct linnet_writer **out) {
    struct linnet_writer *w = calloc(1, sizeof(*w));
    struct linnet_buf path = {0};
    int rc = w ? 0 : LINNET_E_NOMEM;
    if (!rc) rc = linnet_buf_append_string(&path, "/");
    if (!rc) rc = linnet_couch_escape(&path, linnet_couch_database(options->couch, options->database));
    if (!rc) rc = linnet_buf_append_string(&path, "/_bulk_docs");
    if (rc) {
        linnet_buf_done(&path);
        free(w);
        return rc;
    }
    w->options = *options;
    w->path = linnet_buf_take(&path, NULL);
    TAILQ_INIT(&w->waiting);
    TAILQ_INIT(&w->reading);
    linnet_table_init(&w->site, id_of);
    uv_timer_init(options->loop, &w->timer);
    w->timer.data = w;
    open_metrics(w);
    *out = w;
    return 0;
}

void linnet_write_free(struct linnet_write *write) {
    if (!write) return;
    free(write->id);
    free(write->revision);
    json_decref(write->document);
    free(write);
}

static void to_waiting(struct linnet_writer *w, struct linnet_write *write, bool first) {
    if (!w->nwaiting++) w->oldest = linnet_time_monotonic();
    w->waiting_bytes += write->bytes;
    if (first)
        TAILQ_INSERT_HEAD(&w->waiting, write, link);
    else
        TAILQ_INSERT_TAIL(&w->waiting, write, link);
    bool full = w->nwaiting >= w->options.bulk_documents || w->waiting_bytes >= w->options.bulk_bytes;
    schedule(w, full || w->flush ? 0 : w->options.delay_ms);
}

static void to_reading(struct linnet_writer *w, struct linnet_write *write) {
    TAILQ_INSERT_TAIL(&w->reading, write, link);
    schedule(w, 0);
}

/* Is it this write's turn? If another of its id is under way it waits behind that one, and takes the place of
 * one that waits there already: only the last word is written. */
static bool takes_turn(struct linnet_writer *w, struct linnet_write *write) {
    struct linnet_write *first = linnet_table_get(&w->site, write->id);
    if (!first) {
        linnet_table_put(&w->site, write); /* without memory for it nothing waits behind it */
        return true;
    }
    write->carried = first->behind;
    first->behind = write;
    return false;
}

void linnet_writer_add(struct linnet_writer *w, struct linnet_write *write) {
    write->bytes = linnet_body_estimate(write->blobs, write->nblobs);
    write->tries = 0;
    write->most = w->options.bulk_documents;
    write->stood = false;
    write->behind = write->carried = NULL;
    w->pending++;
    w->bytes += write->bytes;
    bool blind = !write->document && !write->revision; /* a tombstone needs to know what it buries */
    if (write->mode == LINNET_WRITE_SITE) {
        if (takes_turn(w, write)) to_reading(w, write);
    } else if (write->mode != LINNET_WRITE_PLAIN && blind) {
        to_reading(w, write);
    } else {
        to_waiting(w, write, false);
    }
}

static void give_back(struct linnet_writer *w, struct linnet_write *write, int error, const char *detail) {
    w->pending--;
    w->bytes -= write->bytes;
    write->done(write, error, detail ? detail : "");
}

/* A write is over: give it back, with those that it overtook, and let the next of its id begin. */
static void finish(struct linnet_writer *w, struct linnet_write *write, int error, const char *detail) {
    struct linnet_write *next = write->behind, *carried = write->carried;
    if (write->mode == LINNET_WRITE_SITE && linnet_table_get(&w->site, write->id) == write) {
        linnet_table_take(&w->site, write->id);
        if (next && linnet_table_put(&w->site, next))
            next->mode = LINNET_WRITE_OVER; /* no memory for turns */
    }
    give_back(w, write, error, detail);
    while (carried) {
        struct linnet_write *older = carried->carried;
        carried->stood = true;
        give_back(w, carried, error, detail);
        carried = older;
    }
    if (next) to_reading(w, next);
}

static void back_off(struct linnet_writer *w) {
    w->backoff = w->backoff ? w->backoff * 2 : BACKOFF_MIN;
    if (w->backoff > BACKOFF_MAX) w->backoff = BACKOFF_MAX;
    unsigned jittered = w->backoff / 2 + (unsigned)rand() % (w->backoff / 2 + 1);
    w->not_before = linnet_time_monotonic() + jittered;
    schedule(w, jittered);
}

static void give_up(struct linnet_writer *w, int error, const char *detail) {
    if (w->dead) return;
    w->dead = true;
    if (w->options.fatal) w->options.fatal(w->options.arg, error, detail);
}

/* ---- what the server says to a batch ---- */

/* The code for one document's "error" in the answer to _bulk_docs. */
static int document_error(const char *name) {
    if (strcmp(name, "conflict") == 0) return LINNET_E_CONFLICT;
    if (strcmp(name, "forbidden") == 0 || strcmp(name, "unauthorized") == 0) return LINNET_E_DENIED;
    if (strcmp(name, "document_too_large") == 0 || strcmp(name, "too_large") == 0) return LINNET_E_LIMIT;
    static const char *const passing[] = {"internal_server_error", "timeout", "unknown_error",
                                          "service_unavailable",   "error",   "internal_error",
                                          "not_in_quorum"};
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
        if (strcmp(name, passing[i]) == 0) return LINNET_E_SERVER;
    return LINNET_E_INVALID;
}

static void conflicted(struct linnet_writer *w, struct linnet_write *write) {
    if (write->mode == LINNET_WRITE_CREATE) {
        write->stood = true;
        finish(w, write, 0, NULL);
    } else if (write->mode == LINNET_WRITE_PLAIN || ++write->tries > TRIES) {
        finish(w, write, LINNET_E_CONFLICT, "somebody else has written it");
    } else {
        to_reading(w, write);
    }
}

static void answered(struct linnet_writer *w, struct linnet_write *write,
                     const struct linnet_couch_row *row) {
    if (row && !row->error && row->revision) {
        char *copy = strdup(row->revision);
        if (copy) {
            free(write->revision);
            write->revision = copy;
        }
        finish(w, write, copy ? 0 : LINNET_E_NOMEM, NULL);
        return;
    }
    const char *error = row && row->error ? row->error : "error";
    int code = document_error(error);
    if (code == LINNET_E_CONFLICT)
        conflicted(w, write);
    else if (code == LINNET_E_SERVER)
        to_waiting(w, write, false);
    else
        finish(w, write, code, row && row->reason ? row->reason : error);
}

/* The batch failed as a whole, and a document in it may be the cause: halve it until the culprit is alone. */
static void split(struct linnet_writer *w, struct batch *batch, int error, const char *detail) {
    struct linnet_write *write;
    while ((write = TAILQ_LAST(&batch->writes, write_list))) {
        TAILQ_REMOVE(&batch->writes, write, link);
        if (batch->n == 1) {
            finish(w, write, error, detail);
        } else {
            write->most = (unsigned)(batch->n + 1) / 2;
            to_waiting(w, write, true);
        }
    }
}

static void put_back(struct linnet_writer *w, struct batch *batch) {
    struct linnet_write *write;
    while ((write = TAILQ_LAST(&batch->writes, write_list))) {
        TAILQ_REMOVE(&batch->writes, write, link);
        to_waiting(w, write, true);
    }
}

static void batch_failed(struct linnet_writer *w, struct batch *batch,
                         const struct linnet_couch_response *r) {
    bool refused = r->error == LINNET_E_AUTH || r->error == LINNET_E_DENIED || r->error == LINNET_E_NOT_FOUND;
    if (w->closing) {
        struct linnet_write *write;
        while ((write = TAILQ_FIRST(&batch->writes))) {
            TAILQ_REMOVE(&batch->writes, write, link);
            finish(w, write, LINNET_E_CANCELLED, NULL);
        }
    } else if (refused) {
        put_back(w, batch);
        give_up(w, r->error, r->detail);
    } else if (linnet_error_class(r->error) == LINNET_PERMANENT) {
        split(w, batch, r->error, r->detail);
    } else {
        linnet_log(LINNET_WARN, "writer", "bulk write failed, to be sent again", "documents", "i",
                   (json_int_t)batch->n, "error", "s", r->detail, NULL);
        put_back(w, batch);
        back_off(w);
    }
}

static void batch_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                       void *arg) {
    (void)request;
    struct batch *batch = arg;
    struct linnet_writer *w = batch->writer;
    w->bulks--;
    linnet_metric_observe(w->seconds, (double)(linnet_time_monotonic() - batch->started) / 1000.0);
    if (r->error) {
        batch_failed(w, batch, r);
    } else {
        w->backoff = 0;
        linnet_metric_add(w->documents, (double)batch->n);
        /* CouchDB answers in order. A missing row counts as a failure that passes. */
        size_t i = 0;
        struct linnet_write *write;
        while ((write = TAILQ_FIRST(&batch->writes))) {
            TAILQ_REMOVE(&batch->writes, write, link);
            answered(w, write, i < r->nrows ? &r->rows[i] : NULL);
            i++;
        }
    }
    free(batch);
    schedule(w, 0);
}

/* ---- sending ---- */

/* May this write still be sent? If not it is given back. */
static bool admitted(struct linnet_writer *w, struct linnet_write *write) {
    if ((write->cancelled && *write->cancelled) || w->closing) {
        finish(w, write, LINNET_E_CANCELLED, NULL);
        return false;
    }
    if (write->share == LINNET_WRITE_ANY || !w->options.may_write) return true;
    int share = write->share;
    if (w->options.may_write(w->options.arg, share)) return true;
    finish(w, write, LINNET_E_CANCELLED, "the lease is too old");
    if (w->options.late) w->options.late(w->options.arg, share);
    return false;
}

static int prepare(struct linnet_write *write) {
    if (!write->document) return 0;
    if (!write->revision) {
        json_object_del(write->document, "_rev");
        return 0;
    }
    return json_object_set_new(write->document, "_rev", json_string(write->revision)) ? LINNET_E_NOMEM : 0;
}

/* Move writes from `waiting` into a batch and its body. */
static int fill(struct linnet_writer *w, struct batch *batch, struct linnet_buf *body) {
    int rc = linnet_buf_append_string(body, "{\"docs\":[");
    unsigned most = w->options.bulk_documents;
    struct linnet_write *write;
    while (!rc && (write = TAILQ_FIRST(&w->waiting)) && batch->n < most &&
           body->size < w->options.bulk_bytes) {
        if (write->most < most) most = write->most;
        if (batch->n && (batch->n >= most || body->size + write->bytes > w->options.bulk_bytes)) break;
        TAILQ_REMOVE(&w->waiting, write, link);
        w->nwaiting--;
        w->waiting_bytes -= write->bytes;
        if (!admitted(w, write)) continue;
        size_t before = body->size;
        if (batch->n) rc = linnet_buf_append(body, ",", 1);
        if (!rc) rc = prepare(write);
        if (!rc)
            rc = linnet_body_document(body, write->id, write->revision, write->document, write->blobs,
                                      write->nblobs);
        if (rc == LINNET_E_INVALID) { /* this document has no text: its own fault */
            body->size = before;
            finish(w, write, rc, "it cannot be written as JSON");
            rc = 0;
            continue;
        }
        TAILQ_INSERT_TAIL(&batch->writes, write, link);
        batch->n++;
    }
    return rc ? rc : linnet_buf_append_string(body, "]}");
}

static void send_batch(struct linnet_writer *w) {
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch) {
        back_off(w);
        return;
    }
    batch->writer = w;
    batch->started = linnet_time_monotonic();
    TAILQ_INIT(&batch->writes);
    struct linnet_buf body = {0};
    int rc = fill(w, batch, &body);
    if (!rc && batch->n) {
        struct linnet_couch_call call = {
            .method = "POST", .path = w->path, .size = body.size, .free_body = free, .rows = true};
        call.body = linnet_buf_take(&body, NULL);
        linnet_metric_add(w->requests, 1);
        linnet_metric_add(w->written, (double)call.size);
        rc = linnet_couch_request(w->options.couch, &call, batch_done, batch, NULL);
        if (!rc) {
            w->bulks++;
            return;
        }
    }
    linnet_buf_done(&body);
    if (batch->n) put_back(w, batch);
    free(batch);
    if (rc) back_off(w);
}

/* ---- reading what stands there ---- */

/* Do two site documents say the same? The lease's generation, and what begins with '_', count for nothing. */
static bool says_the_same(const json_t *ours, const json_t *theirs) {
    size_t mine = 0, other = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)ours, key, value) {
        if (key[0] == '_' || strcmp(key, "generation") == 0) continue;
        mine++;
        if (!json_equal(value, json_object_get(theirs, key))) return false;
    }
    json_object_foreach((json_t *)theirs, key, value) {
        if (key[0] != '_' && strcmp(key, "generation") != 0) other++;
    }
    return mine == other;
}

static bool as_good(const struct linnet_write *write, const json_t *theirs) {
    const char *digest = linnet_json_string(write->document, "digest", NULL);
    switch (write->mode) {
    case LINNET_WRITE_CREATE:
        return true;
    case LINNET_WRITE_RESULT:
        return digest && strcmp(digest, linnet_json_string(theirs, "digest", "")) == 0;
    case LINNET_WRITE_SITE:
        return linnet_json_integer(theirs, "generation", 0) >
                   linnet_json_integer(write->document, "generation", 0) ||
               (!write->nblobs && says_the_same(write->document, theirs));
    default:
        return false;
    }
}

/* One row of _all_docs: what stands under the write's id. */
static void compared(struct linnet_writer *w, struct linnet_write *write, const json_t *row) {
    const char *revision = linnet_json_string(row, "value/rev", NULL);
    bool stands = revision && !linnet_json_bool(row, "value/deleted", false);
    const json_t *theirs = json_object_get(row, "doc");
    char *copy = stands ? strdup(revision) : NULL;
    free(write->revision);
    write->revision = copy;
    if (stands && !copy) {
        finish(w, write, LINNET_E_NOMEM, NULL);
    } else if (!stands && !write->document) {
        write->stood = true; /* nothing to delete */
        finish(w, write, 0, NULL);
    } else if (stands && write->document && json_is_object(theirs) && as_good(write, theirs)) {
        write->stood = true;
        finish(w, write, 0, NULL);
    } else {
        to_waiting(w, write, true);
    }
}

static void read_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                      void *arg) {
    (void)request;
    struct batch *batch = arg;
    struct linnet_writer *w = batch->writer;
    w->read_under_way = false;
    const json_t *rows = r->error ? NULL : json_object_get(r->json, "rows");
    bool refused = r->error == LINNET_E_AUTH || r->error == LINNET_E_DENIED || r->error == LINNET_E_NOT_FOUND;
    struct linnet_write *write;
    size_t i = 0;
    if (!json_is_array(rows) && !w->closing && !refused) back_off(w);
    while ((write = TAILQ_FIRST(&batch->writes))) {
        TAILQ_REMOVE(&batch->writes, write, link);
        if (json_is_array(rows))
            compared(w, write, json_array_get(rows, i++));
        else if (w->closing)
            finish(w, write, LINNET_E_CANCELLED, NULL);
        else
            to_reading(w, write);
    }
    free(batch);
    if (refused && !w->closing) give_up(w, r->error, r->detail);
    schedule(w, 0);
}

static void send_read(struct linnet_writer *w) {
    struct batch *batch = calloc(1, sizeof(*batch));
    json_t *keys = json_array();
    int rc = batch && keys ? 0 : LINNET_E_NOMEM;
    struct linnet_write *write;
    if (!rc) {
        batch->writer = w;
        TAILQ_INIT(&batch->writes);
    }
    while (!rc && batch->n < READ_KEYS && (write = TAILQ_FIRST(&w->reading))) {
        TAILQ_REMOVE(&w->reading, write, link);
        if (!admitted(w, write)) continue;
        TAILQ_INSERT_TAIL(&batch->writes, write, link);
        batch->n++;
        if (json_array_append_new(keys, json_string(write->id))) rc = LINNET_E_NOMEM;
    }
    if (!rc && batch->n) {
        rc = linnet_couch_all_docs(w->options.couch, w->options.database, keys, true, read_done, batch);
        if (!rc) w->read_under_way = true;
    }
    json_decref(keys);
    if (w->read_under_way) return;
    while (batch && (write = TAILQ_LAST(&batch->writes, write_list))) {
        TAILQ_REMOVE(&batch->writes, write, link);
        TAILQ_INSERT_HEAD(&w->reading, write, link);
    }
    free(batch);
    if (rc) back_off(w);
}

/* ---- turns, the end ---- */

static void freed(uv_handle_t *handle) {
    struct linnet_writer *w = handle->data;
    void (*closed)(void *arg) = w->closed;
    void *arg = w->closed_arg;
    linnet_table_done(&w->site);
    free(w->path);
    free(w);
    if (closed) closed(arg);
}

static void end_all(struct linnet_writer *w, struct write_list *list) {
    struct linnet_write *write;
    while ((write = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, write, link);
        finish(w, write, LINNET_E_CANCELLED, NULL);
    }
}

static void turn(uv_timer_t *timer) {
    struct linnet_writer *w = timer->data;
    if (w->closing) {
        end_all(w, &w->waiting);
        end_all(w, &w->reading);
        w->nwaiting = w->waiting_bytes = 0;
        if (w->freeing && !w->bulks && !w->read_under_way) uv_close((uv_handle_t *)timer, freed);
        return;
    }
    int64_t now = linnet_time_monotonic();
    if (w->dead) return;
    if (now < w->not_before) {
        schedule(w, w->not_before - now);
        return;
    }
    if (!w->read_under_way && !TAILQ_EMPTY(&w->reading)) send_read(w);
    while (w->bulks < BULKS && w->nwaiting && now >= w->not_before && !w->closing) {
        bool full = w->nwaiting >= w->options.bulk_documents || w->waiting_bytes >= w->options.bulk_bytes;
        int64_t left = w->oldest + w->options.delay_ms - now;
        if (!full && !w->flush && w->bulks) break; /* gather company while one is under way */
        if (!full && !w->flush && left > 0) {
            schedule(w, left);
            break;
        }
        send_batch(w);
    }
    if (!w->nwaiting && TAILQ_EMPTY(&w->reading)) w->flush = false;
}

void linnet_writer_flush(struct linnet_writer *w) {
    w->flush = true;
    schedule(w, 0);
}

size_t linnet_writer_load(const struct linnet_writer *w) {
    return w->bytes + w->reserved;
}

size_t linnet_writer_pending(const struct linnet_writer *w) {
    return w->pending;
}

void linnet_writer_reserve(struct linnet_writer *w, size_t bytes) {
    w->reserved += bytes;
}

void linnet_writer_release(struct linnet_writer *w, size_t bytes) {
    w->reserved -= bytes < w->reserved ? bytes : w->reserved;
}

void linnet_writer_stop(struct linnet_writer *w) {
    w->closing = true;
    uv_timer_start(&w->timer, turn, 0, 0);
}

void linnet_writer_close(struct linnet_writer *w, void (*closed)(void *arg), void *arg) {
    w->closing = w->freeing = true;
    w->closed = closed;
    w->closed_arg = arg;
    uv_timer_stop(&w->timer);
    uv_timer_start(&w->timer, turn, 0, 0);
}
