#include "workers/cli/submission.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/csv.h"
#include "workers/cli/place.h"
#include "workers/cli/say.h"

char *linnet_submission_key(struct linnet_store *store) {
    json_t *site = NULL;
    if (linnet_store_get(store, LINNET_DB_REFERENCE, "site:key", NULL, &site, NULL) != 0) return NULL;
    const char *key = linnet_json_string(site, "public_key", NULL);
    char *copy = key ? strdup(key) : NULL;
    json_decref(site);
    return copy;
}

void linnet_submission_ulid(const char *name, const char *time, char out[LINNET_ULID_SIZE]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    int64_t ms = 0;
    if (linnet_ulid_valid(name, strlen(name))) {
        memcpy(out, name, LINNET_ULID_SIZE);
        return;
    }
    if (linnet_time_parse(time, &ms) != 0) ms = 0;
    crypto_hash_sha256(hash, (const unsigned char *)name, strlen(name));
    linnet_ulid_make((uint64_t)ms, hash, out);
}

int linnet_submission_put(struct linnet_store *store, const struct linnet_draft *draft, bool *written,
                          struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    json_t *standing = NULL, *documents = NULL, *answer = NULL;
    linnet_id_format(draft->ulid, "observation", NULL, id);
    int error = linnet_store_get(store, LINNET_DB_MAIN, id, NULL, &standing, err);
    json_decref(standing);
    *written = false;
    if (!error) return 0;
    if (error != LINNET_E_NOT_FOUND) return error;
    error = linnet_draft_documents(draft, &documents, err);
    if (!error) error = linnet_store_bulk(store, LINNET_DB_MAIN, documents, &answer, err);
    size_t i;
    json_t *row;
    json_array_foreach(answer, i, row) {
        const char *refused = linnet_json_string(row, "error", NULL);
        if (error || !refused || strcmp(refused, "conflict") == 0)
            continue; /* a picture that an earlier try had written */
        error = linnet_error_set(err, LINNET_E_DENIED, "%s: %s", linnet_json_string(row, "id", "?"),
                                 linnet_json_string(row, "reason", refused));
    }
    json_decref(documents);
    json_decref(answer);
    *written = error == 0;
    return error;
}

struct columns {
    int observation, image, organ, observer, latitude, longitude, observed_at, created_at, flora, taxon;
};

static int find_columns(const struct linnet_csv *csv, const char *path, struct columns *out,
                        struct linnet_error *err) {
    int observed_at = linnet_csv_column(csv, "observed_at"),
        created_at = linnet_csv_column(csv, "created_at");
    *out = (struct columns){
        .observation = linnet_csv_column(csv, "observation"),
        .image = linnet_csv_column(csv, "image"),
        .organ = linnet_csv_column(csv, "organ"),
        .observer = linnet_csv_column(csv, "observer"),
        .latitude = linnet_csv_column(csv, "decimalLatitude"),
        .longitude = linnet_csv_column(csv, "decimalLongitude"),
        .observed_at = observed_at,
        .created_at = created_at >= 0 ? created_at : observed_at, /* so that a table always says the same */
        .flora = linnet_csv_column(csv, "flora"),
        .taxon = linnet_csv_column(csv, "taxon"),
    };
    if (out->observation >= 0 && out->image >= 0 && out->observer >= 0) return 0;
    return linnet_error_set(err, LINNET_E_PARSE, "%s: the columns observation, image and observer are wanted",
                            path);
}

static int place_of(const struct linnet_submission *submission, const char *latitude, const char *longitude,
                    json_t **out, struct linnet_error *err) {
    *out = NULL;
    if (!*latitude || !*longitude) return 0;
    return linnet_place_read(latitude, longitude, submission->key, out, err);
}

/* One observation: the rows [from, to) of the table. */
static int submit_rows(struct linnet_submission *submission, const struct linnet_csv *csv,
                       const struct columns *c, size_t from, size_t to, const char *folder, json_t *ulids,
                       struct linnet_error *err) {
    struct linnet_photo photos[LINNET_VIEWS_MAX] = {{0}};
    struct linnet_draft draft = {.observer = linnet_csv_cell(csv, from, c->observer),
                                 .observed_at = linnet_csv_cell(csv, from, c->observed_at),
                                 .created_at = linnet_csv_cell(csv, from, c->created_at),
                                 .flora = linnet_csv_cell(csv, from, c->flora),
                                 .proposed =
                                     submission->propose ? linnet_csv_cell(csv, from, c->taxon) : NULL,
                                 .photos = photos};
    const char *name = linnet_csv_cell(csv, from, c->observation);
    bool written = false;
    int error = 0;
    if (to - from > LINNET_VIEWS_MAX)
        return linnet_error_set(err, LINNET_E_INVALID, "observation %s has %zu pictures; %d are the most",
                                name, to - from, LINNET_VIEWS_MAX);
    linnet_submission_ulid(name, draft.observed_at, draft.ulid);
    json_object_set_new(ulids, name, json_string(draft.ulid));
    for (size_t row = from; !error && row < to; row++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, linnet_csv_cell(csv, row, c->image));
        draft.organs[draft.nphotos] = linnet_csv_cell(csv, row, c->organ);
        error = linnet_photo_load(path, &photos[draft.nphotos], err);
        if (!error) draft.nphotos++;
    }
    json_t *location = NULL;
    if (!error)
        error = place_of(submission, linnet_csv_cell(csv, from, c->latitude),
                         linnet_csv_cell(csv, from, c->longitude), &location, err);
    draft.location = location;
    if (!error && !submission->dry_run)
        error = linnet_submission_put(submission->store, &draft, &written, err);
    submission->pictures += draft.nphotos;
    if (written || submission->dry_run)
        submission->written++;
    else
        submission->standing++;
    json_decref(location);
    for (size_t i = 0; i < draft.nphotos; i++)
        linnet_photo_done(&photos[i]);
    return error;
}

int linnet_submission_table(struct linnet_submission *submission, const char *path, const char *folder,
                            json_t *ulids, struct linnet_error *err) {
    struct linnet_csv csv;
    struct columns columns;
    int error = linnet_csv_load(path, 0, &csv, err);
    if (error) return error;
    error = find_columns(&csv, path, &columns, err);
    for (size_t from = 1, to; !error && from < csv.nrows; from = to) {
        const char *name = linnet_csv_cell(&csv, from, columns.observation);
        for (to = from + 1;
             to < csv.nrows && strcmp(linnet_csv_cell(&csv, to, columns.observation), name) == 0;)
            to++;
        if (submission->limit && submission->written + submission->standing >= submission->limit) break;
        error = submit_rows(submission, &csv, &columns, from, to, folder, ulids, err);
        linnet_say_progress(submission->options, "%zu observations written, %zu there already",
                            submission->written, submission->standing);
    }
    linnet_say_done(submission->options);
    linnet_csv_done(&csv);
    return error;
}

struct vote_columns {
    int observation, user, vote, taxon, disagrees_with, created_at, shown, rank, model;
};

static json_t *vote_document(const struct linnet_csv *csv, const struct vote_columns *c, size_t row,
                             const char *ulid) {
    char id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    const char *user = linnet_csv_cell(csv, row, c->user), *taxon = linnet_csv_cell(csv, row, c->taxon);
    const char *vote = linnet_csv_cell(csv, row, c->vote),
               *created = linnet_csv_cell(csv, row, c->created_at);
    if (!*vote) vote = *taxon ? "taxon" : "cannot-tell";
    linnet_time_format(linnet_time_now(), now);
    if (linnet_id_format(ulid, "validation", user, id) != 0) return NULL;
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", id, "kind", "validation", "user", user,
                                 "created_at", *created ? created : now, "vote", vote);
    if (document && strcmp(vote, "taxon") == 0) json_object_set_new(document, "taxon", json_string(taxon));
    const char *rejected = linnet_csv_cell(csv, row, c->disagrees_with);
    if (document && *rejected) json_object_set_new(document, "disagrees_with", json_string(rejected));
    if (document && c->shown >= 0) {
        json_t *suggested = json_pack("{s:b, s:i}", "shown", atoi(linnet_csv_cell(csv, row, c->shown)) != 0,
                                      "rank", atoi(linnet_csv_cell(csv, row, c->rank)));
        if (*linnet_csv_cell(csv, row, c->model))
            json_object_set_new(suggested, "model", json_string(linnet_csv_cell(csv, row, c->model)));
        json_object_set_new(document, "suggested", suggested);
    }
    return document;
}

/* Write those of `documents` that are not there yet. */
static int put_new(struct linnet_submission *submission, const json_t *documents, struct linnet_error *err) {
    json_t *keys = json_array(), *standing = NULL, *fresh = json_array(), *document;
    size_t i;
    json_array_foreach(documents, i, document) json_array_append(keys, json_object_get(document, "_id"));
    int error = linnet_store_bodies(submission->store, LINNET_DB_MAIN, keys, &standing, err);
    json_array_foreach(documents, i, document) {
        if (error || json_is_object(json_array_get(standing, i)))
            submission->standing++;
        else
            json_array_append(fresh, document);
    }
    if (!error && json_array_size(fresh) && !submission->dry_run)
        error = linnet_store_bulk(submission->store, LINNET_DB_MAIN, fresh, NULL, err);
    if (!error) submission->written += json_array_size(fresh);
    json_decref(keys);
    json_decref(standing);
    json_decref(fresh);
    return error;
}

int linnet_submission_votes(struct linnet_submission *submission, const char *path, const json_t *ulids,
                            struct linnet_error *err) {
    struct linnet_csv csv;
    int error = linnet_csv_load(path, 0, &csv, err);
    if (error) return error;
    struct vote_columns c = {.observation = linnet_csv_column(&csv, "observation"),
                             .user = linnet_csv_column(&csv, "user"),
                             .vote = linnet_csv_column(&csv, "vote"),
                             .taxon = linnet_csv_column(&csv, "taxon"),
                             .disagrees_with = linnet_csv_column(&csv, "disagrees_with"),
                             .created_at = linnet_csv_column(&csv, "created_at"),
                             .shown = linnet_csv_column(&csv, "shown"),
                             .rank = linnet_csv_column(&csv, "rank"),
                             .model = linnet_csv_column(&csv, "model")};
    json_t *documents = json_array();
    if (c.observation < 0 || c.user < 0 || c.taxon < 0)
        error = linnet_error_set(err, LINNET_E_PARSE,
                                 "%s: the columns observation, user and taxon are wanted", path);
    for (size_t row = 1; !error && row < csv.nrows; row++) {
        const char *name = linnet_csv_cell(&csv, row, c.observation),
                   *ulid = linnet_json_string(ulids, name, NULL);
        if (!ulid && linnet_ulid_valid(name, strlen(name))) ulid = name;
        if (!ulid) continue; /* an observation that was not submitted (--limit) */
        json_t *document = vote_document(&csv, &c, row, ulid);
        if (!document)
            error =
                linnet_error_set(err, LINNET_E_INVALID, "%s: row %zu cannot be a validation", path, row + 1);
        else
            json_array_append_new(documents, document);
        if (!error && json_array_size(documents) >= 500) {
            error = put_new(submission, documents, err);
            json_array_clear(documents);
        }
    }
    if (!error) error = put_new(submission, documents, err);
    json_decref(documents);
    linnet_csv_done(&csv);
    return error;
}
