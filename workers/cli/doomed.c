#include "workers/cli/doomed.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"

enum { BATCH = 500, KEYS = 100, PURGE = 100 }; /* CouchDB purges at most 100 documents a request */

void linnet_doomed_init(struct linnet_doomed *doomed, struct linnet_store *store,
                        enum linnet_database database) {
    *doomed = (struct linnet_doomed){.store = store,
                                     .database = database,
                                     .tombstones = json_array(),
                                     .seen = json_object(),
                                     .purge = json_object()};
}

void linnet_doomed_done(struct linnet_doomed *doomed) {
    json_decref(doomed->tombstones);
    json_decref(doomed->seen);
    json_decref(doomed->purge);
    *doomed = (struct linnet_doomed){0};
}

static const char *name_of(const struct linnet_doomed *doomed) {
    return linnet_couch_database(linnet_store_couch(doomed->store), doomed->database);
}

static void doom_leaf(struct linnet_doomed *doomed, const char *id, const char *rev) {
    json_array_append_new(doomed->tombstones,
                          json_pack("{s:s, s:s, s:b}", "_id", id, "_rev", rev, "_deleted", 1));
}

void linnet_doomed_add(struct linnet_doomed *doomed, const json_t *document) {
    const char *id = linnet_json_string(document, "_id", NULL),
               *rev = linnet_json_string(document, "_rev", NULL);
    size_t i;
    json_t *conflict;
    if (!id || !rev || json_object_get(doomed->seen, id)) return;
    json_object_set_new(doomed->seen, id, json_true());
    doom_leaf(doomed, id, rev);
    json_array_foreach(json_object_get(document, "_conflicts"), i, conflict) {
        if (json_is_string(conflict)) doom_leaf(doomed, id, json_string_value(conflict));
    }
}

static void add_rows(struct linnet_doomed *doomed, const json_t *answer) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "rows"), i, row)
        linnet_doomed_add(doomed, json_object_get(row, "doc"));
}

int linnet_doomed_add_ids(struct linnet_doomed *doomed, const json_t *ids, struct linnet_error *err) {
    char path[256];
    int rc = 0;
    snprintf(path, sizeof path, "/%s/_all_docs?include_docs=true&conflicts=true", name_of(doomed));
    for (size_t from = 0; rc == 0 && from < json_array_size(ids); from += KEYS) {
        json_t *keys = json_array(), *answer = NULL, *body = json_pack("{s:O}", "keys", keys);
        for (size_t i = from; i < from + KEYS && i < json_array_size(ids); i++)
            json_array_append(keys, json_array_get(ids, i));
        rc = linnet_store_request(doomed->store, "POST", path, body, &answer, NULL, err);
        if (rc == 0) add_rows(doomed, answer);
        json_decref(answer);
        json_decref(body);
        json_decref(keys);
    }
    return rc;
}

int linnet_doomed_add_observation(struct linnet_doomed *doomed, const char *ulid, struct linnet_error *err) {
    char path[512];
    json_t *answer = NULL;
    snprintf(path, sizeof path,
             "/%s/_all_docs?include_docs=true&conflicts=true&startkey=%%22%s:%%22&endkey=%%22%s%%3B%%22",
             name_of(doomed), ulid, ulid);
    int rc = linnet_store_request(doomed->store, "GET", path, NULL, &answer, NULL, err);
    if (rc == 0) add_rows(doomed, answer);
    json_decref(answer);
    return rc;
}

size_t linnet_doomed_count(const struct linnet_doomed *doomed) {
    return json_object_size(doomed->seen);
}

static void remember(struct linnet_doomed *doomed, const json_t *answer) {
    size_t i;
    json_t *row;
    json_array_foreach(answer, i, row) {
        const char *id = linnet_json_string(row, "id", NULL), *rev = linnet_json_string(row, "rev", NULL);
        if (!id || !rev || json_object_get(row, "error")) continue;
        json_t *revisions = json_object_get(doomed->purge, id);
        if (!revisions) json_object_set_new(doomed->purge, id, revisions = json_array());
        json_array_append_new(revisions, json_string(rev));
    }
}

int linnet_doomed_delete(struct linnet_doomed *doomed, struct linnet_error *err) {
    int rc = 0;
    while (rc == 0 && json_array_size(doomed->tombstones)) {
        json_t *batch = json_array(), *answer = NULL;
        for (size_t i = 0; i < BATCH && json_array_size(doomed->tombstones); i++) {
            json_array_append(batch,
                              json_array_get(doomed->tombstones, json_array_size(doomed->tombstones) - 1));
            json_array_remove(doomed->tombstones, json_array_size(doomed->tombstones) - 1);
        }
        rc = linnet_store_bulk(doomed->store, doomed->database, batch, &answer, err);
        if (rc == 0) remember(doomed, answer);
        json_decref(answer);
        json_decref(batch);
    }
    json_array_clear(doomed->tombstones);
    json_object_clear(doomed->seen);
    return rc;
}

static int purge_batch(struct linnet_doomed *doomed, json_t *batch, struct linnet_error *err) {
    char path[256];
    long status = 0;
    snprintf(path, sizeof path, "/%s/_purge", name_of(doomed));
    int rc = linnet_store_request(doomed->store, "POST", path, batch, NULL, &status, err);
    if (rc && (status == 404 || status == 405 || status == 501))
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "the server cannot purge");
    return rc;
}

int linnet_doomed_purge(struct linnet_doomed *doomed, struct linnet_error *err) {
    json_t *batch = json_object(), *revisions;
    const char *id;
    int rc = 0;
    json_object_foreach(doomed->purge, id, revisions) {
        json_object_set(batch, id, revisions);
        if (json_object_size(batch) < PURGE || rc) continue;
        rc = purge_batch(doomed, batch, err);
        json_object_clear(batch);
    }
    if (rc == 0 && json_object_size(batch)) rc = purge_batch(doomed, batch, err);
    json_decref(batch);
    if (rc == 0) json_object_clear(doomed->purge);
    return rc;
}
