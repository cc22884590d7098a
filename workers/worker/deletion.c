/* What a deletion takes with it. A tombstone of the observation takes all that is left of it; a tombstone of
 * a trigger takes the results that were made of it. What never was there takes nothing: it may only be late.
 */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"

/* ---- tombstones ---- */

static void buried(struct linnet_write *write, int error, const char *detail) {
    struct linnet_task *task = write->arg;
    task->writes--;
    if (error == LINNET_E_CONFLICT) {
        linnet_task_read(task);
    } else if (error && error != LINNET_E_CANCELLED) {
        linnet_task_settle_item(task, NULL, write->id, ""); /* not again and again */
        linnet_log(LINNET_ERROR, "deletion", "a document could not be deleted", "id", "s", write->id, "error",
                   "s", detail, NULL);
    } else if (!error && write->revision) {
        linnet_known_await(&task->flow->known, linnet_known_key_one(write->id, write->revision));
        linnet_observation_remove(&task->observation, write->id);
    }
    linnet_write_free(write);
    linnet_task_plan_later(task);
}

int linnet_deletion_bury(struct linnet_task *task, const char *id, const char *revision,
                         enum linnet_write_mode mode) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return LINNET_E_NOMEM;
    write->mode = mode;
    write->share = task->share;
    write->cancelled = &task->dropped;
    write->id = strdup(id);
    write->revision = revision ? strdup(revision) : NULL;
    write->done = buried;
    write->arg = task;
    if (!write->id || (revision && !write->revision)) {
        linnet_write_free(write);
        return LINNET_E_NOMEM;
    }
    task->writes++;
    linnet_writer_add(task->flow->writers[LINNET_DB_MAIN], write);
    return 0;
}

/* ---- is it deleted, or was it never there? ---- */

struct check {
    struct linnet_task *task;
    json_t *rows; /* the whole observation as it was read; NULL: orphans are checked */
    size_t n;
    struct linnet_orphan *orphans; /* own copies */
};

static void free_check(struct check *check) {
    for (size_t i = 0; i < check->n; i++) {
        free(check->orphans[i].id);
        free(check->orphans[i].gone);
    }
    free(check->orphans);
    json_decref(check->rows);
    free(check);
}

static bool was_deleted(const json_t *rows, size_t i) {
    return linnet_json_bool(json_array_get(rows, i), "value/deleted", false);
}

static bool never_was(const json_t *rows, size_t i) {
    return json_object_get(json_array_get(rows, i), "error") != NULL;
}

/* Every document that was read, every leaf of it. */
static int bury_everything(struct check *check) {
    size_t i, k;
    json_t *row, *leaf;
    int rc = 0;
    json_array_foreach(check->rows, i, row) {
        const json_t *document = json_object_get(row, "doc");
        const char *id = linnet_json_string(document, "_id", NULL),
                   *rev = linnet_json_string(document, "_rev", NULL);
        if (!id || !rev) continue;
        if (!rc) rc = linnet_deletion_bury(check->task, id, rev, LINNET_WRITE_PLAIN);
        json_array_foreach(json_object_get(document, "_conflicts"), k, leaf) {
            if (!rc) rc = linnet_deletion_bury(check->task, id, json_string_value(leaf), LINNET_WRITE_PLAIN);
        }
    }
    linnet_letters_bury(check->task);
    return rc;
}

static int bury_orphans(struct check *check, const json_t *states) {
    struct linnet_task *task = check->task;
    int rc = 0;
    for (size_t i = 0; !rc && i < check->n; i++) {
        const struct linnet_orphan *orphan = &check->orphans[i];
        const struct linnet_held_doc *doc = linnet_observation_find(&task->observation, orphan->id);
        if (!orphan->gone || was_deleted(states, i)) {
            if (doc && doc->revision)
                rc = linnet_deletion_bury(task, orphan->id, doc->revision, LINNET_WRITE_PLAIN);
        } else if (never_was(states, i)) {
            rc = linnet_task_settle_item(task, NULL, orphan->id, "");
        } else {
            linnet_task_read(task); /* it has come meanwhile */
        }
    }
    return rc;
}

static void check_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                       void *arg) {
    (void)request;
    struct check *check = arg;
    struct linnet_task *task = check->task;
    struct linnet_flow *flow = task->flow;
    const json_t *states = r->error ? NULL : json_object_get(r->json, "rows");
    int rc = 0;
    flow->requests--;
    task->writes--;
    linnet_task_plan_later(task);
    if (task->dropped || flow->closing) {
        /* nothing more */
    } else if (!json_is_array(states)) {
        task->whole = true;
        linnet_task_read_ended(task, r->error ? r->error : LINNET_E_SERVER,
                               r->detail ? r->detail : "no rows");
    } else if (!check->rows) {
        rc = bury_orphans(check, states);
    } else if (was_deleted(states, 0)) {
        task->gone = true;
        rc = bury_everything(check);
    } else if (never_was(states, 0)) {
        task->gone = true;
    } else {
        linnet_task_read(task);
    }
    if (rc) linnet_flow_fail(flow, rc, "no memory for a deletion");
    free_check(check);
}

static int ask(struct check *check, json_t *keys) {
    struct linnet_flow *flow = check->task->flow;
    int rc = linnet_couch_all_docs(flow->options.couch, LINNET_DB_MAIN, keys, false, check_done, check);
    if (rc) return rc;
    flow->requests++;
    check->task->writes++;
    return 0;
}

void linnet_deletion_check(struct linnet_task *task, json_t *rows) {
    if (!json_array_size(rows)) {
        task->gone = true;
        linnet_letters_bury(task);
        return;
    }
    struct check *check = calloc(1, sizeof(*check));
    char root[LINNET_ID_MAX];
    int rc = check ? linnet_id_format(task->observation.ulid, "observation", NULL, root) : LINNET_E_NOMEM;
    json_t *keys = rc ? NULL : json_pack("[s]", root);
    if (!rc) {
        check->task = task;
        check->rows = json_incref(rows);
        rc = keys ? ask(check, keys) : LINNET_E_NOMEM;
    }
    json_decref(keys);
    if (!rc) return;
    if (check) free_check(check);
    linnet_task_read_ended(task, rc, "a deletion could not be looked into");
}

static bool left_alone(const struct linnet_task *task, const char *id) {
    for (size_t i = 0; i < task->nsettled; i++)
        if (!task->settled[i].slot && strcmp(task->settled[i].output_id, id) == 0) return true;
    return false;
}

static int take_orphans(struct check *check, json_t *keys, const struct linnet_orphan *orphans, size_t n) {
    check->orphans = calloc(n, sizeof(*check->orphans));
    if (!check->orphans) return LINNET_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (left_alone(check->task, orphans[i].id)) continue;
        struct linnet_orphan *own = &check->orphans[check->n++];
        own->id = strdup(orphans[i].id);
        own->gone = orphans[i].gone ? strdup(orphans[i].gone) : NULL;
        if (!own->id || (orphans[i].gone && !own->gone)) return LINNET_E_NOMEM;
        if (json_array_append_new(keys, json_string(own->gone ? own->gone : own->id))) return LINNET_E_NOMEM;
    }
    return 0;
}

bool linnet_deletion_orphans(struct linnet_task *task, const struct linnet_orphan *orphans, size_t n) {
    struct check *check = calloc(1, sizeof(*check));
    json_t *keys = json_array();
    int rc = check && keys ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        check->task = task;
        rc = take_orphans(check, keys, orphans, n);
        if (!rc && check->n) rc = ask(check, keys);
    }
    bool asked = !rc && check->n;
    json_decref(keys);
    if (check && !asked) free_check(check);
    if (rc) linnet_flow_fail(task->flow, rc, "orphans could not be looked into");
    return asked;
}
