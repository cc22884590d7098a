#include "workers/cli/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define DESIGN "_design/"

struct linnet_store {
    uv_loop_t loop;
    struct linnet_couch *couch;
};

int linnet_store_open(const struct linnet_store_options *options, struct linnet_store **out,
                      struct linnet_error *err) {
    struct linnet_store *store = calloc(1, sizeof *store);
    if (!store || uv_loop_init(&store->loop) != 0) {
        free(store);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    struct linnet_couch_options couch = {.url = options->url, .prefix = options->prefix};
    int error = linnet_couch_open(&store->loop, &couch, &store->couch, err);
    if (error) {
        uv_loop_close(&store->loop);
        free(store);
        return error;
    }
    *out = store;
    return 0;
}

void linnet_store_close(struct linnet_store *store) {
    if (!store) return;
    linnet_couch_close(store->couch, NULL, NULL);
    uv_run(&store->loop, UV_RUN_DEFAULT);
    uv_loop_close(&store->loop);
    free(store);
}

struct linnet_couch *linnet_store_couch(struct linnet_store *store) {
    return store->couch;
}

uv_loop_t *linnet_store_loop(struct linnet_store *store) {
    return &store->loop;
}

int linnet_store_request(struct linnet_store *store, const char *method, const char *path, const json_t *body,
                         json_t **out, long *status, struct linnet_error *err) {
    struct linnet_couch_call call = {.method = method, .path = path};
    if (body) {
        char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!text) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
        call.body = text;
        call.size = strlen(text);
        call.free_body = free;
    }
    return linnet_couch_wait(store->couch, &call, out, status, err);
}

static int call(struct linnet_store *store, const char *method, const struct linnet_buf *path,
                const json_t *body, json_t **out, struct linnet_error *err) {
    return linnet_store_request(store, method, path->data, body, out, NULL, err);
}

/* "/<database>/" and the escaped `rest`. */
static int path_of(struct linnet_store *store, enum linnet_database database, const char *rest,
                   struct linnet_buf *path) {
    linnet_buf_init(path, 0);
    int error = linnet_buf_printf(path, "/%s/", linnet_couch_database(store->couch, database));
    /* CouchDB answers "_design%2Fname" with a redirection. */
    if (!error && strncmp(rest, DESIGN, strlen(DESIGN)) == 0) {
        error = linnet_buf_append_string(path, DESIGN);
        rest += strlen(DESIGN);
    }
    return error ? error : linnet_couch_escape(path, rest);
}

int linnet_store_get(struct linnet_store *store, enum linnet_database database, const char *id,
                     const char *query, json_t **out, struct linnet_error *err) {
    struct linnet_buf path;
    int error = path_of(store, database, id, &path);
    if (!error && query) error = linnet_buf_printf(&path, "?%s", query);
    if (!error)
        error = call(store, "GET", &path, NULL, out, err);
    else
        linnet_error_set(err, error, "out of memory");
    linnet_buf_done(&path);
    return error;
}

int linnet_store_put(struct linnet_store *store, enum linnet_database database, json_t *document,
                     struct linnet_error *err) {
    struct linnet_buf path;
    json_t *answer = NULL;
    int error = path_of(store, database, json_string_value(json_object_get(document, "_id")), &path);
    if (!error)
        error = call(store, "PUT", &path, document, &answer, err);
    else
        linnet_error_set(err, error, "out of memory");
    if (!error && json_object_get(answer, "rev"))
        json_object_set(document, "_rev", json_object_get(answer, "rev"));
    json_decref(answer);
    linnet_buf_done(&path);
    return error;
}

/* The bodies of the rows of _all_docs. */
static json_t *bodies(const json_t *answer) {
    json_t *documents = json_array(), *row;
    size_t i;
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        json_t *document = json_object_get(row, "doc");
        if (json_is_object(document)) json_array_append(documents, document);
    }
    return documents;
}

int linnet_store_range(struct linnet_store *store, enum linnet_database database, const char *start,
                       const char *end, size_t limit, json_t **out, struct linnet_error *err) {
    struct linnet_buf path;
    json_t *answer = NULL, *first = json_string(start), *last = json_string(end);
    char *a = json_dumps(first, JSON_ENCODE_ANY), *b = json_dumps(last, JSON_ENCODE_ANY);
    int error = path_of(store, database, "_all_docs", &path);
    if (!error) error = linnet_buf_append_string(&path, "?include_docs=true&startkey=");
    if (!error) error = linnet_couch_escape(&path, a ? a : "");
    if (!error) error = linnet_buf_append_string(&path, "&endkey=");
    if (!error) error = linnet_couch_escape(&path, b ? b : "");
    if (!error && limit) error = linnet_buf_printf(&path, "&limit=%zu", limit);
    if (!error)
        error = call(store, "GET", &path, NULL, &answer, err);
    else
        linnet_error_set(err, error, "out of memory");
    if (!error) *out = bodies(answer);
    json_decref(answer);
    json_decref(first);
    json_decref(last);
    free(a);
    free(b);
    linnet_buf_done(&path);
    return error;
}

int linnet_store_bodies(struct linnet_store *store, enum linnet_database database, const json_t *keys,
                        json_t **out, struct linnet_error *err) {
    struct linnet_buf path;
    json_t *answer = NULL, *body = json_object(), *row;
    size_t i;
    json_object_set(body, "keys", (json_t *)keys);
    int error = path_of(store, database, "_all_docs", &path);
    if (!error) error = linnet_buf_append_string(&path, "?include_docs=true");
    if (!error)
        error = call(store, "POST", &path, body, &answer, err);
    else
        linnet_error_set(err, error, "out of memory");
    if (!error) {
        *out = json_array();
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
            json_t *document = json_object_get(row, "doc");
            if (json_is_object(document))
                json_array_append(*out, document);
            else
                json_array_append_new(*out, json_null());
        }
    }
    json_decref(answer);
    json_decref(body);
    linnet_buf_done(&path);
    return error;
}

int linnet_store_observation(struct linnet_store *store, const char *ulid, json_t **out,
                             struct linnet_error *err) {
    char start[64], end[64];
    snprintf(start, sizeof start, "%s:", ulid);
    snprintf(end, sizeof end, "%s:\xef\xbf\xb0", ulid);
    return linnet_store_range(store, LINNET_DB_MAIN, start, end, 0, out, err);
}

int linnet_store_view(struct linnet_store *store, enum linnet_database database, const char *design,
                      const char *view, const char *query, json_t **out, struct linnet_error *err) {
    struct linnet_buf path;
    linnet_buf_init(&path, 0);
    int error =
        linnet_buf_printf(&path, "/%s/_design/%s/_view/%s%s%s", linnet_couch_database(store->couch, database),
                          design, view, query ? "?" : "", query ? query : "");
    if (!error)
        error = call(store, "GET", &path, NULL, out, err);
    else
        linnet_error_set(err, error, "out of memory");
    linnet_buf_done(&path);
    return error;
}

static int first_refused(const json_t *answer, struct linnet_error *err) {
    size_t i;
    const json_t *row;
    json_array_foreach(answer, i, row) {
        const char *error = json_string_value(json_object_get(row, "error"));
        const char *reason = json_string_value(json_object_get(row, "reason"));
        const char *id = json_string_value(json_object_get(row, "id"));
        if (!error) continue;
        return linnet_error_set(err, strcmp(error, "conflict") == 0 ? LINNET_E_CONFLICT : LINNET_E_DENIED,
                                "%s: %s (%s)", id ? id : "?", error, reason ? reason : "no reason given");
    }
    return 0;
}

int linnet_store_bulk(struct linnet_store *store, enum linnet_database database, const json_t *documents,
                      json_t **out, struct linnet_error *err) {
    struct linnet_buf path;
    json_t *answer = NULL, *body = json_object();
    json_object_set(body, "docs", (json_t *)documents);
    int error = path_of(store, database, "_bulk_docs", &path);
    if (!error)
        error = call(store, "POST", &path, body, &answer, err);
    else
        linnet_error_set(err, error, "out of memory");
    if (!error && !out) error = first_refused(answer, err);
    if (!error && out) *out = json_incref(answer);
    json_decref(answer);
    json_decref(body);
    linnet_buf_done(&path);
    return error;
}
