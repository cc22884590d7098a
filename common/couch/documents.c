/* Documents, one and many, and attachments: requests with a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/couch/internal.h"

#define ALL_DOCS_WHOLE "/_all_docs?include_docs=true&conflicts=true"

int couch_append_id(struct linnet_buf *out, const char *id) {
    static const char *const kept[] = {"_design/", "_local/"};
    int rc = linnet_buf_append(out, "/", 1);
    for (size_t i = 0; !rc && i < sizeof kept / sizeof kept[0]; i++)
        if (!strncmp(id, kept[i], strlen(kept[i]))) {
            rc = linnet_buf_append_string(out, kept[i]);
            id += strlen(kept[i]);
            break;
        }
    return rc ? rc : linnet_couch_escape(out, id);
}

static int start_path(struct linnet_buf *path, struct linnet_couch *couch, enum linnet_database database) {
    const char *name = linnet_couch_database(couch, database);
    if (!name) return LINNET_E_INVALID;
    int rc = linnet_buf_append(path, "/", 1);
    return rc ? rc : linnet_couch_escape(path, name);
}

/* Send `call` with what `path` and `body` hold, if nothing has failed so far (`rc`). Ends both. */
static int dispatch_call(struct linnet_couch *couch, int rc, struct linnet_couch_call call,
                         struct linnet_buf *path, struct linnet_buf *body, linnet_couch_callback *done,
                         void *arg) {
    call.path = path->data;
    if (!rc && body) {
        call.body = body->data;
        call.size = body->size;
        call.free_body = free;
    }
    if (!rc) rc = linnet_couch_request(couch, &call, done, arg, NULL);
    linnet_buf_done(path);
    if (rc && body) linnet_buf_done(body); /* else it has been taken */
    return rc;
}

static int dispatch(struct linnet_couch *couch, int rc, const char *method, struct linnet_buf *path,
                    struct linnet_buf *body, linnet_couch_callback *done, void *arg) {
    return dispatch_call(couch, rc, (struct linnet_couch_call){.method = method}, path, body, done, arg);
}

int linnet_couch_get(struct linnet_couch *couch, enum linnet_database database, const char *id,
                     const char *query, linnet_couch_callback *done, void *arg) {
    struct linnet_buf path = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = couch_append_id(&path, id);
    if (!rc && query && *query) rc = linnet_buf_printf(&path, "?%s", query);
    return dispatch(couch, rc, "GET", &path, NULL, done, arg);
}

int linnet_couch_put(struct linnet_couch *couch, enum linnet_database database, const json_t *document,
                     linnet_couch_callback *done, void *arg) {
    const char *id = json_string_value(json_object_get(document, "_id"));
    if (!id) return LINNET_E_INVALID;
    struct linnet_buf path = {0}, body = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = couch_append_id(&path, id);
    if (!rc) rc = linnet_json_write(&body, document);
    return dispatch(couch, rc, "PUT", &path, &body, done, arg);
}

int linnet_couch_range(struct linnet_couch *couch, enum linnet_database database, const char *start,
                       const char *end, unsigned limit, bool include_docs, linnet_couch_callback *done,
                       void *arg) {
    struct linnet_buf path = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = linnet_buf_append_string(&path, "/_all_docs?inclusive_end=false&startkey=%22");
    if (!rc) rc = linnet_couch_escape(&path, start);
    if (!rc) rc = linnet_buf_append_string(&path, "%22&endkey=%22");
    if (!rc) rc = linnet_couch_escape(&path, end);
    if (!rc) rc = linnet_buf_append_string(&path, "%22");
    if (!rc && include_docs) rc = linnet_buf_append_string(&path, "&include_docs=true&conflicts=true");
    if (!rc && limit) rc = linnet_buf_printf(&path, "&limit=%u", limit);
    return dispatch(couch, rc, "GET", &path, NULL, done, arg);
}

int linnet_couch_get_observation(struct linnet_couch *couch, const char *observation,
                                 linnet_couch_callback *done, void *arg) {
    char start[LINNET_ID_MAX], end[LINNET_ID_MAX];
    if (!couch->partitions[LINNET_DB_MAIN]) {
        int size = snprintf(start, sizeof start, "%s:", observation);
        if (size < 0 || (size_t)size >= sizeof start) return LINNET_E_LIMIT;
        snprintf(end, sizeof end, "%s;", observation); /* ';' is what follows ':' */
        return linnet_couch_range(couch, LINNET_DB_MAIN, start, end, 0, true, done, arg);
    }
    struct linnet_buf path = {0};
    int rc = start_path(&path, couch, LINNET_DB_MAIN);
    if (!rc) rc = linnet_buf_append_string(&path, "/_partition/");
    if (!rc) rc = linnet_couch_escape(&path, observation);
    if (!rc) rc = linnet_buf_append_string(&path, "/_all_docs?include_docs=true&conflicts=true");
    return dispatch(couch, rc, "GET", &path, NULL, done, arg);
}

int linnet_couch_all_docs(struct linnet_couch *couch, enum linnet_database database, const json_t *keys,
                          bool include_docs, linnet_couch_callback *done, void *arg) {
    struct linnet_buf path = {0}, body = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = linnet_buf_append_string(&path, include_docs ? ALL_DOCS_WHOLE : "/_all_docs");
    if (!rc) rc = linnet_buf_append_string(&body, "{\"keys\":");
    if (!rc) rc = linnet_json_write(&body, keys);
    if (!rc) rc = linnet_buf_append(&body, "}", 1);
    return dispatch(couch, rc, "POST", &path, &body, done, arg);
}

int linnet_couch_all_docs_rows(struct linnet_couch *couch, enum linnet_database database,
                               const char *const *ids, size_t n, bool include_docs,
                               linnet_couch_callback *done, void *arg) {
    struct linnet_buf path = {0}, body = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = linnet_buf_append_string(&path, include_docs ? ALL_DOCS_WHOLE : "/_all_docs");
    if (!rc) rc = linnet_buf_append_string(&body, "{\"keys\":[");
    for (size_t i = 0; !rc && i < n; i++) {
        if (i) rc = linnet_buf_append(&body, ",", 1);
        if (!rc) rc = linnet_json_write_string(&body, ids[i], strlen(ids[i]));
    }
    if (!rc) rc = linnet_buf_append_string(&body, "]}");
    return dispatch_call(couch, rc, (struct linnet_couch_call){.method = "POST", .rows = true}, &path, &body,
                         done, arg);
}

int linnet_couch_bulk(struct linnet_couch *couch, enum linnet_database database, const json_t *documents,
                      bool new_edits, linnet_couch_callback *done, void *arg) {
    struct linnet_buf path = {0}, body = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = linnet_buf_append_string(&path, "/_bulk_docs");
    if (!rc)
        rc = linnet_buf_append_string(&body, new_edits ? "{\"docs\":" : "{\"new_edits\":false,\"docs\":");
    if (!rc) rc = linnet_json_write(&body, documents);
    if (!rc) rc = linnet_buf_append(&body, "}", 1);
    return dispatch(couch, rc, "POST", &path, &body, done, arg);
}

/* ---- attachments ---- */

/* RFC 4648 with padding. libsodium's runs in constant time, which pictures do not need, and takes ten times
 * as long. */
static char *base64(const unsigned char *data, size_t size, size_t *length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (size > SIZE_MAX / 2) return NULL;
    char *text = malloc((size + 2) / 3 * 4 + 1), *out = text;
    if (!text) return NULL;
    for (; size >= 3; size -= 3, data += 3, out += 4) {
        out[0] = digits[data[0] >> 2];
        out[1] = digits[(data[0] & 3) << 4 | data[1] >> 4];
        out[2] = digits[(data[1] & 15) << 2 | data[2] >> 6];
        out[3] = digits[data[2] & 63];
    }
    if (size) {
        unsigned second = size > 1 ? data[1] : 0;
        *out++ = digits[data[0] >> 2];
        *out++ = digits[(data[0] & 3u) << 4 | second >> 4];
        *out++ = size > 1 ? digits[(second & 15u) << 2] : '=';
        *out++ = '=';
    }
    *out = '\0';
    *length = (size_t)(out - text);
    return text;
}

int linnet_couch_attach(json_t *document, const char *name, const char *content_type, const void *data,
                        size_t size) {
    size_t length;
    char *text = base64(data, size, &length);
    if (!text) return LINNET_E_NOMEM;
    json_t *attachment = json_object();
    int failed = json_object_set_new(attachment, "content_type", json_string(content_type));
    failed |= json_object_set_new_nocheck(attachment, "data", json_stringn_nocheck(text, length));
    free(text);
    json_t *attachments = json_object_get(document, "_attachments");
    if (!attachments) {
        attachments = json_object();
        failed |= json_object_set_new(document, "_attachments", attachments);
    }
    if (failed) {
        json_decref(attachment);
        return LINNET_E_NOMEM;
    }
    return json_object_set_new(attachments, name, attachment) ? LINNET_E_NOMEM : 0;
}

int linnet_couch_get_attachment(struct linnet_couch *couch, enum linnet_database database, const char *id,
                                const char *name, const char *rev, size_t limit, linnet_couch_callback *done,
                                void *arg) {
    struct linnet_buf path = {0};
    int rc = start_path(&path, couch, database);
    if (!rc) rc = couch_append_id(&path, id);
    if (!rc) rc = linnet_buf_append(&path, "/", 1);
    if (!rc) rc = linnet_couch_escape(&path, name);
    if (!rc && rev) rc = linnet_buf_append_string(&path, "?rev=");
    if (!rc && rev) rc = linnet_couch_escape(&path, rev);
    struct linnet_couch_call call = {.method = "GET", .path = path.data, .raw = true, .limit = limit};
    if (!rc) rc = linnet_couch_request(couch, &call, done, arg, NULL);
    linnet_buf_done(&path);
    return rc;
}
