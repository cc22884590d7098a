#include "workers/cli/erase.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/json.h"
#include "workers/cli/accounts.h"
#include "workers/cli/doomed.h"
#include "workers/cli/manifest.h"

/* Somebody may write while we delete: so often is gathered again. */
enum { ROUNDS = 5, POLL_MS = 500, COMPACT_MS = 60000 };

struct erasing {
    struct linnet_erasure *wish;
    struct linnet_doomed doomed[LINNET_DB_NONE]; /* by database */
    json_t *observations;                        /* {ulid: true}: the person's own */
    json_t *counts;                              /* {"database kind": how many}, for the notes */
    struct linnet_error *err;
};

/* ---- gathering ---- */

/* A row of the view people/documents: what was written goes; what only names the person goes too and is made
 * again. */
static int gather_row(struct erasing *erasing, const json_t *row, json_t *ids) {
    struct linnet_id id;
    const char *text = linnet_json_string(row, "id", "");
    if (linnet_id_parse(text, &id)) return 0;
    bool wrote = strcmp(linnet_json_string(row, "key/1", ""), "wrote") == 0;
    if (!wrote || strcmp(id.kind, "observation") != 0) return json_array_append_new(ids, json_string(text));
    json_object_set_new(erasing->observations, id.observation, json_true());
    return linnet_doomed_add_observation(&erasing->doomed[LINNET_DB_MAIN], id.observation, erasing->err);
}

static int gather_main(struct erasing *erasing) {
    char query[256];
    json_t *answer = NULL, *ids = json_array(), *row;
    size_t i;
    snprintf(query, sizeof query,
             "reduce=false&startkey=%%5B%%22%s%%22%%5D&endkey=%%5B%%22%s%%22,%%7B%%7D%%5D",
             erasing->wish->uid, erasing->wish->uid);
    int rc = linnet_store_view(erasing->wish->store, LINNET_DB_MAIN, "people", "documents", query, &answer,
                               erasing->err);
    if (rc == LINNET_E_NOT_FOUND) linnet_error_prefix(erasing->err, "run `linnet init` first");
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        if (rc == 0) rc = gather_row(erasing, row, ids);
    }
    if (rc == 0) rc = linnet_doomed_add_ids(&erasing->doomed[LINNET_DB_MAIN], ids, erasing->err);
    json_decref(ids);
    json_decref(answer);
    return rc;
}

static int gather_reference(struct erasing *erasing) {
    char reviewer[80], skill[80];
    snprintf(reviewer, sizeof reviewer, "reviewer:%s", erasing->wish->uid);
    snprintf(skill, sizeof skill, "skill:%s", erasing->wish->uid);
    json_t *ids = json_pack("[s, s]", reviewer, skill);
    int rc = linnet_doomed_add_ids(&erasing->doomed[LINNET_DB_REFERENCE], ids, erasing->err);
    json_decref(ids);
    return rc;
}

/* Does a document of linnet-ops speak of the person or of one of the person's observations? */
static bool speaks_of(const struct erasing *erasing, const json_t *document) {
    char *text = json_dumps(document, JSON_COMPACT), ulid[LINNET_ULID_SIZE] = "";
    bool found = text && linnet_text_names(text, strlen(text), erasing->wish->uid);
    for (const char *at = text; at && !found && *at; at++) {
        if (!linnet_ulid_valid(at, strnlen(at, LINNET_ULID_SIZE - 1))) continue;
        memcpy(ulid, at, LINNET_ULID_SIZE - 1);
        found = json_object_get(erasing->observations, ulid) != NULL;
    }
    free(text);
    return found;
}

static int gather_ops(struct erasing *erasing) {
    static const char *const kinds[] = {"retry:", "deadletter:", "suspect:"};
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < sizeof kinds / sizeof *kinds; k++) {
        char end[32];
        json_t *documents = NULL, *document;
        size_t i;
        snprintf(end, sizeof end, "%.*s;", (int)strlen(kinds[k]) - 1, kinds[k]);
        rc = linnet_store_range(erasing->wish->store, LINNET_DB_OPS, kinds[k], end, 0, &documents,
                                erasing->err);
        json_array_foreach(documents, i, document) {
            if (rc == 0 && speaks_of(erasing, document))
                linnet_doomed_add(&erasing->doomed[LINNET_DB_OPS], document);
        }
        json_decref(documents);
    }
    return rc;
}

static size_t doomed_in_all(const struct erasing *erasing) {
    size_t count = 0;
    for (int database = LINNET_DB_MAIN; database < LINNET_DB_NONE; database++)
        count += linnet_doomed_count(&erasing->doomed[database]);
    return count;
}

static int gather(struct erasing *erasing) {
    int rc = gather_main(erasing);
    if (rc == 0) rc = gather_reference(erasing);
    if (rc == 0) rc = gather_ops(erasing);
    return rc;
}

/* ---- deleting ---- */

static void count(struct erasing *erasing, const struct linnet_doomed *doomed) {
    const char *id;
    json_t *ignored;
    json_object_foreach(doomed->seen, id, ignored) {
        struct linnet_id parsed;
        if (linnet_id_parse(id, &parsed)) continue;
        json_t *so_far = json_object_get(erasing->counts, parsed.kind);
        json_object_set_new(erasing->counts, parsed.kind, json_integer(json_integer_value(so_far) + 1));
    }
}

static void note_counts(struct erasing *erasing) {
    const char *kind;
    json_t *number;
    json_object_foreach(erasing->counts, kind, number) {
        char text[64];
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(number));
        linnet_steps_add(erasing->wish->steps, LINNET_REMOVED, kind, text, NULL);
    }
    json_object_clear(erasing->counts);
}

/* Gather and delete until nothing is found. */
static int delete_all(struct erasing *erasing) {
    int rc = 0;
    for (int round = 0; rc == 0 && round < ROUNDS; round++) {
        rc = gather(erasing);
        if (rc || doomed_in_all(erasing) == 0) return rc;
        for (int database = LINNET_DB_MAIN; rc == 0 && database < LINNET_DB_NONE; database++) {
            count(erasing, &erasing->doomed[database]);
            if (!erasing->wish->steps->dry_run)
                rc = linnet_doomed_delete(&erasing->doomed[database], erasing->err);
        }
        if (erasing->wish->steps->dry_run) return rc;
    }
    return rc;
}

/* From here on nobody signs in as this person: another password ends every session too. */
static int lock_account(struct erasing *erasing) {
    char password[LINNET_UID_SIZE];
    if (!erasing->wish->account || erasing->wish->steps->dry_run) return 0;
    linnet_uid_new(password);
    json_t *locked = json_copy(erasing->wish->account);
    json_object_set_new(locked, "password", json_string(password));
    int rc = linnet_account_put(erasing->wish->store, locked, erasing->err);
    json_decref(locked);
    return rc;
}

static int remove_account(struct erasing *erasing) {
    json_t *account = NULL;
    if (!erasing->wish->account) return 0;
    const char *name = linnet_json_string(erasing->wish->account, "name", "");
    int rc = erasing->wish->steps->dry_run
                 ? 0
                 : linnet_account_find(erasing->wish->store, name, &account, erasing->err);
    if (rc == LINNET_E_NOT_FOUND) return 0;
    if (account) {
        json_t *tombstone = json_pack("{s:O, s:O, s:b, s:O}", "_id", json_object_get(account, "_id"), "_rev",
                                      json_object_get(account, "_rev"), "_deleted", 1, "name",
                                      json_object_get(account, "name"));
        rc = linnet_account_put(erasing->wish->store, tombstone, erasing->err);
        json_decref(tombstone);
    }
    if (rc == 0) linnet_steps_add(erasing->wish->steps, LINNET_REMOVED, "account", name, NULL);
    json_decref(account);
    return rc;
}

/* ---- purging ---- */

/* Are the deletions still ahead of a checkpoint? Positions cannot be compared: the feed is asked. */
static int still_ahead(struct erasing *erasing, const char *checkpoint, bool *ahead) {
    struct linnet_buf path;
    json_t *ids = json_array(), *answer = NULL, *ignored, *body = json_pack("{s:O}", "doc_ids", ids);
    const char *id;
    json_object_foreach(erasing->doomed[LINNET_DB_MAIN].purge, id, ignored)
        json_array_append_new(ids, json_string(id));
    linnet_buf_init(&path, 0);
    int rc =
        linnet_buf_printf(&path, "/%s/_changes?filter=_doc_ids&limit=1&since=",
                          linnet_couch_database(linnet_store_couch(erasing->wish->store), LINNET_DB_MAIN));
    if (rc == 0) rc = linnet_couch_escape(&path, checkpoint);
    if (rc == 0)
        rc = linnet_store_request(erasing->wish->store, "POST", path.data, body, &answer, NULL, erasing->err);
    if (rc == 0) *ahead = json_array_size(json_object_get(answer, "results")) > 0;
    json_decref(answer);
    json_decref(body);
    json_decref(ids);
    linnet_buf_done(&path);
    return rc;
}

/* Has every share of every group been read past the deletions? A purged document is no longer in the feed:
 * who has not read of its deletion by then would keep what was made of it. */
static int workers_know(struct erasing *erasing, bool *known) {
    json_t *shares = NULL, *share, *asked = json_object();
    size_t i;
    int rc =
        linnet_store_range(erasing->wish->store, LINNET_DB_OPS, "share:", "share;", 0, &shares, erasing->err);
    *known = true;
    json_array_foreach(shares, i, share) {
        const char *checkpoint = linnet_json_string(share, "checkpoint", NULL);
        bool ahead = false;
        if (rc || !*known) break;
        if (!checkpoint) checkpoint = json_is_string(json_object_get(share, "owner")) ? "0" : NULL;
        if (!checkpoint || json_object_get(asked, checkpoint)) continue;
        json_object_set_new(asked, checkpoint, json_true());
        rc = still_ahead(erasing, checkpoint, &ahead);
        if (ahead) *known = false;
    }
    json_decref(asked);
    json_decref(shares);
    return rc;
}

static int wait_for_workers(struct erasing *erasing, bool *known) {
    int rc = workers_know(erasing, known);
    for (unsigned waited = 0; rc == 0 && !*known && waited < erasing->wish->wait_s * 1000;
         waited += POLL_MS) {
        uv_sleep(POLL_MS);
        rc = workers_know(erasing, known);
    }
    return rc;
}

static int purge(struct erasing *erasing) {
    bool known = false, deleted = json_object_size(erasing->doomed[LINNET_DB_MAIN].purge) > 0;
    int rc = deleted ? wait_for_workers(erasing, &known) : 0;
    if (rc == 0) rc = delete_all(erasing); /* what workers wrote before they knew */
    if (rc) return rc;
    if (deleted && !known) {
        linnet_steps_add(erasing->wish->steps, LINNET_UNCHANGED, "tombstones", "stay",
                         "empty, because the workers have not read of the deletions yet");
        return 0;
    }
    for (int database = LINNET_DB_MAIN; rc == 0 && database < LINNET_DB_NONE; database++)
        rc = linnet_doomed_purge(&erasing->doomed[database], erasing->err);
    if (rc == LINNET_E_UNSUPPORTED) {
        linnet_steps_add(erasing->wish->steps, LINNET_UNCHANGED, "tombstones", "stay",
                         "empty, because the server cannot purge");
        return 0;
    }
    if (rc == 0) linnet_steps_add(erasing->wish->steps, LINNET_REMOVED, "tombstones", "all", "purged");
    return rc;
}

/* ---- compacting ---- */

static void compact(struct erasing *erasing, const char *database, const char *what) {
    static const char *const bodies = "{}";
    char path[320];
    json_t *info = NULL, *nothing = json_loads(bodies, 0, NULL);
    struct linnet_error ignored; /* a server that does not offer it has nothing to compact */
    snprintf(path, sizeof path, "/%s/_compact%s", database, what);
    int rc = linnet_store_request(erasing->wish->store, "POST", path, nothing, NULL, NULL, &ignored);
    json_decref(nothing);
    snprintf(path, sizeof path, "/%s", database);
    for (int waited = 0; rc == 0 && waited < COMPACT_MS; waited += POLL_MS) {
        rc = linnet_store_request(erasing->wish->store, "GET", path, NULL, &info, NULL, &ignored);
        bool running = rc == 0 && json_is_true(json_object_get(info, "compact_running"));
        json_decref(info);
        info = NULL;
        if (!running) break;
        uv_sleep(POLL_MS);
    }
}

/* Old revisions keep their bodies until here. */
static void compact_all(struct erasing *erasing) {
    struct linnet_couch *couch = linnet_store_couch(erasing->wish->store);
    for (int database = LINNET_DB_MAIN; database < LINNET_DB_NONE; database++)
        compact(erasing, linnet_couch_database(couch, (enum linnet_database)database), "");
    compact(erasing, linnet_couch_database(couch, LINNET_DB_MAIN), "/people");
    compact(erasing, linnet_couch_database(couch, LINNET_DB_MAIN), "/linnet");
    compact(erasing, linnet_couch_database(couch, LINNET_DB_REFERENCE), "/linnet");
    compact(erasing, "_users", "");
}

/* ---- looking again ---- */

static int look_again(struct erasing *erasing) {
    json_t *left = json_array(), *ignored, *account = NULL;
    const char *id;
    int rc = gather(erasing);
    for (int database = LINNET_DB_MAIN; rc == 0 && database < LINNET_DB_NONE; database++) {
        json_object_foreach(erasing->doomed[database].seen, id, ignored)
            json_array_append_new(left, json_string(id));
    }
    if (rc == 0 && erasing->wish->account) {
        rc = linnet_account_find(erasing->wish->store, linnet_json_string(erasing->wish->account, "name", ""),
                                 &account, erasing->err);
        if (rc == 0) json_array_append(left, json_object_get(account, "_id"));
        if (rc == LINNET_E_NOT_FOUND) rc = 0;
        json_decref(account);
    }
    if (rc == 0)
        erasing->wish->left = left;
    else
        json_decref(left);
    return rc;
}

/* ---- the whole ---- */

static int erase(struct erasing *erasing) {
    struct linnet_steps *steps = erasing->wish->steps;
    int rc = lock_account(erasing);
    if (rc == 0) rc = delete_all(erasing);
    if (rc == 0 && !erasing->wish->account && json_object_size(erasing->counts) == 0)
        return linnet_error_set(erasing->err, LINNET_E_NOT_FOUND,
                                "there is no user %s, and nothing of such a uid", erasing->wish->uid);
    if (rc == 0)
        rc = linnet_manifests_erase(erasing->wish->store, steps, erasing->wish->uid, erasing->observations,
                                    erasing->err);
    if (rc == 0 && !steps->dry_run) rc = purge(erasing);
    note_counts(erasing);
    if (rc == 0) rc = remove_account(erasing);
    if (rc || steps->dry_run) {
        if (rc == 0) erasing->wish->left = json_array();
        return rc;
    }
    compact_all(erasing);
    return look_again(erasing);
}

int linnet_erase(struct linnet_erasure *erasure, struct linnet_error *err) {
    struct erasing erasing = {
        .wish = erasure, .observations = json_object(), .counts = json_object(), .err = err};
    for (int database = LINNET_DB_MAIN; database < LINNET_DB_NONE; database++)
        linnet_doomed_init(&erasing.doomed[database], erasure->store, (enum linnet_database)database);
    int rc = erase(&erasing);
    for (int database = LINNET_DB_MAIN; database < LINNET_DB_NONE; database++)
        linnet_doomed_done(&erasing.doomed[database]);
    json_decref(erasing.observations);
    json_decref(erasing.counts);
    return rc;
}
