#include "workers/cli/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

#define NAME "manifest.csv"
enum { SIZE_MOST = 1 << 30 };

static bool in_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool linnet_text_names(const char *text, size_t size, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; length && size - (size_t)(at - text) >= length; at++) {
        at = memmem(at, size - (size_t)(at - text), word, length);
        if (!at) return false;
        bool begins = at == text || !in_word(at[-1]),
             ends = at + length == text + size || !in_word(at[length]);
        if (begins && ends) return true;
    }
    return false;
}

/* Is one of a line's fields the uid or an observation of the set? */
static bool speaks_of(const char *line, size_t size, const char *uid, const json_t *observations) {
    char word[65];
    for (size_t from = 0, to; from < size; from = to + 1) {
        for (to = from; to < size && in_word(line[to]);)
            to++;
        if (to == from || to - from >= sizeof word) continue;
        memcpy(word, line + from, to - from);
        word[to - from] = '\0';
        if (strcmp(word, uid) == 0 || json_object_get(observations, word)) return true;
    }
    return false;
}

int linnet_manifest_filter(const char *text, size_t size, const char *uid, const json_t *observations,
                           struct linnet_buf *out, size_t *dropped) {
    size_t gone = 0;
    for (size_t from = 0; from < size;) {
        const char *newline = memchr(text + from, '\n', size - from);
        size_t length = newline ? (size_t)(newline - (text + from)) + 1 : size - from;
        bool drop = speaks_of(text + from, length, uid, observations);
        int rc = drop ? 0 : linnet_buf_append(out, text + from, length);
        if (rc) return rc;
        gone += drop;
        from += length;
    }
    *dropped = gone;
    return 0;
}

/* ---- in the store ---- */

struct fetched {
    bool there;
    int error;
    struct linnet_buf bytes;
    struct linnet_error *err;
};

static void on_bytes(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                     void *arg) {
    (void)request;
    struct fetched *fetched = arg;
    fetched->there = true;
    fetched->error = response->error;
    if (response->error)
        linnet_error_set(fetched->err, response->error, "%s", response->detail);
    else if (response->size)
        fetched->error = linnet_buf_append(&fetched->bytes, response->body, response->size);
}

static int fetch(struct linnet_store *store, const char *id, struct linnet_buf *out,
                 struct linnet_error *err) {
    struct fetched fetched = {.err = err};
    int rc = linnet_couch_get_attachment(linnet_store_couch(store), LINNET_DB_OPS, id, NAME, NULL, SIZE_MOST,
                                         on_bytes, &fetched);
    if (rc) return linnet_error_set(err, rc, "%s: %s", id, linnet_error_message(rc));
    while (!fetched.there)
        uv_run(linnet_store_loop(store), UV_RUN_ONCE);
    *out = fetched.bytes;
    return fetched.error;
}

static int write_back(struct linnet_store *store, const json_t *document, const struct linnet_buf *text,
                      struct linnet_error *err) {
    json_t *copy = json_deep_copy(document);
    int rc = linnet_couch_attach(copy, NAME, "text/csv", text->data ? text->data : "", text->size);
    rc = rc ? linnet_error_set(err, rc, "out of memory") : linnet_store_put(store, LINNET_DB_OPS, copy, err);
    json_decref(copy);
    return rc;
}

static int erase_one(struct linnet_store *store, struct linnet_steps *steps, const json_t *document,
                     const char *uid, const json_t *observations, struct linnet_error *err) {
    const char *id = linnet_json_string(document, "_id", "");
    struct linnet_buf text = {0}, kept = {0};
    size_t dropped = 0;
    int rc = fetch(store, id, &text, err);
    if (rc == 0)
        rc =
            linnet_manifest_filter(text.data ? text.data : "", text.size, uid, observations, &kept, &dropped);
    if (rc == 0 && dropped && !steps->dry_run) rc = write_back(store, document, &kept, err);
    if (rc == 0 && dropped) {
        char note[64];
        snprintf(note, sizeof note, "%zu lines of " NAME, dropped);
        linnet_steps_add(steps, LINNET_CHANGED, "retraining", id, note);
    }
    linnet_buf_done(&text);
    linnet_buf_done(&kept);
    return rc;
}

int linnet_manifests_erase(struct linnet_store *store, struct linnet_steps *steps, const char *uid,
                           const json_t *observations, struct linnet_error *err) {
    json_t *documents = NULL, *document;
    size_t i;
    int rc = linnet_store_range(store, LINNET_DB_OPS, "retraining:", "retraining;", 0, &documents, err);
    json_array_foreach(documents, i, document) {
        const json_t *attachments = json_object_get(document, "_attachments");
        if (rc == 0 && json_object_get(attachments, NAME))
            rc = erase_one(store, steps, document, uid, observations, err);
    }
    json_decref(documents);
    return rc;
}
