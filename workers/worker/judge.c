/* The judgement over a dead child's batches, and its writing. See suspects.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/worker/flow.h"
#include "workers/worker/suspects.h"

#define ATTEMPTS 3

/* ---- whom it blames ---- */

static bool any_culprit(const struct linnet_inflight_batch *batches, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (batches[i].culprit) return true;
    return false;
}

static bool blamed(const struct linnet_inflight_batch *batch, const struct linnet_death *death,
                   bool culprit_known) {
    if (culprit_known) return batch->culprit;
    if (death->cause == LINNET_DEATH_KILLED)
        return death->at_ms - batch->started_ms >= LINNET_SUSPECT_PATIENCE_MS;
    return true;
}

/* Is it sure that a blamed batch did it? An outside kill never makes sure. */
static bool sure(size_t n, const struct linnet_death *death, bool culprit_known) {
    return culprit_known ||
           (n == 1 && (death->cause == LINNET_DEATH_FAULT || death->cause == LINNET_DEATH_EXIT ||
                       death->cause == LINNET_DEATH_DEADLINE));
}

static int make_id(const char *kind, const char *stage, const char *document, char out[LINNET_ID_MAX]) {
    return snprintf(out, LINNET_ID_MAX, "%s:%s:%s", kind, stage, document) < LINNET_ID_MAX ? 0
                                                                                           : LINNET_E_LIMIT;
}

json_t *linnet_suspects_ids(const struct linnet_inflight_batch *batches, size_t n,
                            const struct linnet_death *death) {
    json_t *ids = json_array(), *item;
    bool known = any_culprit(batches, n);
    for (size_t i = 0; ids != NULL && i < n; i++) {
        size_t at;
        if (!blamed(&batches[i], death, known)) continue;
        json_array_foreach(batches[i].items, at, item) {
            char id[LINNET_ID_MAX];
            const char *document = linnet_json_string(item, "id", "");
            if (make_id("suspect", batches[i].stage, document, id) == 0)
                json_array_append_new(ids, json_string(id));
            if (make_id("deadletter", batches[i].stage, document, id) == 0)
                json_array_append_new(ids, json_string(id));
        }
    }
    return ids;
}

/* ---- what it says ---- */

static void describe(const struct linnet_death *death, uint32_t deadline_ms, char *out, size_t size) {
    switch (death->cause) {
    case LINNET_DEATH_FAULT:
        snprintf(out, size, "the stage crashed (signal %d, %s)", death->number, strsignal(death->number));
        break;
    case LINNET_DEATH_EXIT:
        snprintf(out, size, "the stage ended its process (exit status %d)", death->number);
        break;
    case LINNET_DEATH_DEADLINE:
        snprintf(out, size, "the stage ran past its deadline of %.1f s and was stopped",
                 deadline_ms / 1000.0);
        break;
    case LINNET_DEATH_MEMORY:
        snprintf(out, size, "the process ran out of memory while the stage ran");
        break;
    case LINNET_DEATH_KILLED:
        snprintf(out, size, "the process was killed from outside (signal %d) while the stage ran",
                 death->number);
        break;
    }
}

static json_t *suspect_document(const char *id, const char *stage, const char *document, long long kills,
                                long long doubts, const char *reason, const char *worker,
                                const json_t *known) {
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "_id", id, "kind", "suspect",
                             "stage", stage, "id", document, "kills", (json_int_t)kills, "doubts",
                             (json_int_t)doubts, "reason", reason, "worker", worker, "at", now);
    const char *revision = linnet_json_string(known, "_rev", NULL);
    if (made != NULL && revision != NULL) json_object_set_new(made, "_rev", json_string(revision));
    return made;
}

/* The dead letter, and the suspect's deletion with it. */
static int add_dead(json_t *out, const struct linnet_inflight_batch *batch, const json_t *item,
                    const struct linnet_death *death, const char *reason, unsigned attempts,
                    const json_t *suspect, const json_t *known, const char *worker) {
    const char *document = linnet_json_string(item, "id", "");
    char id[LINNET_ID_MAX], words[320];
    snprintf(words, sizeof words, "%s, %u times; it is not tried again by itself", reason, attempts);
    json_t *dead = linnet_deadletter_document(batch->stage, batch->fingerprint, document, words,
                                              death->cause == LINNET_DEATH_DEADLINE ? "deadline" : "crash",
                                              attempts, json_object_get(item, "inputs"), worker);
    if (dead == NULL || make_id("deadletter", batch->stage, document, id) != 0) {
        json_decref(dead);
        return LINNET_E_NOMEM;
    }
    const char *revision = linnet_json_string(json_object_get(known, id), "_rev", NULL);
    if (revision != NULL) json_object_set_new(dead, "_rev", json_string(revision));
    json_array_append_new(out, dead);
    revision = linnet_json_string(suspect, "_rev", NULL);
    if (revision == NULL) return 0;
    return json_array_append_new(out,
                                 json_pack("{s:s, s:s, s:b}", "_id", linnet_json_string(suspect, "_id", ""),
                                           "_rev", revision, "_deleted", 1));
}

static int judge_item(json_t *out, const struct linnet_inflight_batch *batch, const json_t *item,
                      const struct linnet_death *death, bool kill, const json_t *known, const char *worker) {
    const char *document = linnet_json_string(item, "id", "");
    char id[LINNET_ID_MAX], reason[256];
    if (make_id("suspect", batch->stage, document, id) != 0) return 0;
    const json_t *before = json_object_get(known, id);
    long long kills = linnet_json_integer(before, "kills", 0) + kill,
              doubts = linnet_json_integer(before, "doubts", 0) + !kill;
    bool alone = json_array_size(batch->items) == 1;
    describe(death, batch->deadline_ms, reason, sizeof reason);
    if (alone && (kills >= LINNET_SUSPECT_KILLS || doubts >= LINNET_SUSPECT_DOUBTS))
        return add_dead(out, batch, item, death, reason,
                        (unsigned)(kills >= LINNET_SUSPECT_KILLS ? kills : doubts), before, known, worker);
    return json_array_append_new(
        out, suspect_document(id, batch->stage, document, kills, doubts, reason, worker, before));
}

json_t *linnet_suspects_judge(const struct linnet_inflight_batch *batches, size_t n,
                              const struct linnet_death *death, const json_t *known, const char *worker) {
    json_t *out = json_array(), *item;
    bool culprit_known = any_culprit(batches, n), kill = sure(n, death, culprit_known);
    for (size_t i = 0; out != NULL && i < n; i++) {
        size_t at;
        if (!blamed(&batches[i], death, culprit_known)) continue;
        json_array_foreach(batches[i].items, at, item) {
            if (judge_item(out, &batches[i], item, death, kill, known, worker) == 0) continue;
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* ---- writing it ---- */

static void fail(struct linnet_suspects_case *record, int error, const char *detail) {
    record->done(record, error, detail);
}

/* Leave only the items of which something could not be written. Returns how many. */
static size_t keep_failed(struct linnet_suspects_case *record, const json_t *failed_ids) {
    size_t left = 0;
    for (size_t i = 0; i < record->n; i++) {
        struct linnet_inflight_batch *batch = &record->batches[i];
        for (size_t at = json_array_size(batch->items); at-- > 0;) {
            char suspect[LINNET_ID_MAX] = "", dead[LINNET_ID_MAX] = "";
            const char *document = linnet_json_string(json_array_get(batch->items, at), "id", "");
            make_id("suspect", batch->stage, document, suspect);
            make_id("deadletter", batch->stage, document, dead);
            if (json_object_get(failed_ids, suspect) != NULL || json_object_get(failed_ids, dead) != NULL)
                left++;
            else
                json_array_remove(batch->items, at);
        }
    }
    return left;
}

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct linnet_suspects_case *record = arg;
    (void)request;
    if (response->error != 0) {
        fail(record, response->error, response->detail);
        return;
    }
    json_t *failed_ids = json_object(), *row;
    const char *why = NULL;
    size_t i;
    json_array_foreach(response->json, i, row) {
        if (json_object_get(row, "error") == NULL) continue;
        why = linnet_json_string(row, "reason", linnet_json_string(row, "error", ""));
        json_object_set_new(failed_ids, linnet_json_string(row, "id", ""), json_true());
    }
    bool again = why != NULL && ++record->attempts < ATTEMPTS && keep_failed(record, failed_ids) > 0;
    json_decref(failed_ids);
    if (again)
        linnet_suspects_write(record);
    else if (why != NULL)
        fail(record, LINNET_E_CONFLICT, why);
    else
        record->done(record, 0, "");
}

static void on_known(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                     void *arg) {
    struct linnet_suspects_case *record = arg;
    (void)request;
    if (response->error != 0) {
        fail(record, response->error, response->detail);
        return;
    }
    json_t *known = json_object(), *row;
    size_t i;
    json_array_foreach(json_object_get(response->json, "rows"), i, row) {
        json_t *document = json_object_get(row, "doc");
        if (json_is_object(document)) json_object_set(known, linnet_json_string(row, "id", ""), document);
    }
    json_t *documents =
        linnet_suspects_judge(record->batches, record->n, &record->death, known, record->worker);
    json_decref(known);
    int rc = documents == NULL
                 ? LINNET_E_NOMEM
                 : linnet_couch_bulk(record->couch, LINNET_DB_OPS, documents, true, on_written, record);
    json_decref(documents);
    if (rc != 0) fail(record, rc, linnet_error_message(rc));
}

void linnet_suspects_write(struct linnet_suspects_case *record) {
    json_t *ids = linnet_suspects_ids(record->batches, record->n, &record->death);
    int rc = ids == NULL ? LINNET_E_NOMEM
                         : linnet_couch_all_docs(record->couch, LINNET_DB_OPS, ids, true, on_known, record);
    json_decref(ids);
    if (rc != 0) fail(record, rc, linnet_error_message(rc));
}

void linnet_suspects_case_done(struct linnet_suspects_case *record) {
    for (size_t i = 0; i < record->n; i++)
        linnet_inflight_batch_done(&record->batches[i]);
    record->n = 0;
}
