/* Reading observations. Whole: one request for each, a bounded number at once, everything of the observation
 * with conflicts. Sparse: the few documents that matter, of many observations in one request, which costs a
 * fraction. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

enum {
    SPARSE_KEYS = 500 /* documents of one sparse read; one is under way at a time, and what comes meanwhile
                         makes the next one bigger */
};

void linnet_gather_add(struct linnet_task *task) {
    if (task->to_read) return;
    task->to_read = true;
    struct linnet_flow *flow = task->flow;
    struct linnet_task_list *list =
        task->whole ? &flow->to_read[task->priority] : &flow->to_read_sparse[task->priority];
    TAILQ_INSERT_TAIL(list, task, read_link);
    task->read_list = list;
}

void linnet_gather_remove(struct linnet_task *task) {
    if (!task->to_read) return;
    TAILQ_REMOVE(task->read_list, task, read_link);
    task->to_read = false;
}

/* ---- ends ---- */

/* A read failed in a way that time may heal: again, later. */
static void again(struct linnet_task *task, int error, const char *detail) {
    unsigned wait = linnet_flow_backoff(++task->failures, 200, 10000);
    task->not_before = linnet_time_monotonic() + wait;
    linnet_log(LINNET_WARN, "gather", "observation could not be read, to be tried again", "observation", "s",
               task->observation.ulid, "error", "s", linnet_error_name(error), "detail", "s", detail, NULL);
    linnet_gather_add(task);
}

static void clear(struct linnet_observation *observation) {
    char ulid[LINNET_ULID_SIZE];
    memcpy(ulid, observation->ulid, sizeof(ulid));
    linnet_observation_done(observation);
    linnet_observation_init(observation, ulid);
}

void linnet_task_read_ended(struct linnet_task *task, int error, const char *detail) {
    struct linnet_flow *flow = task->flow;
    task->reading = false;
    linnet_task_plan_later(task);
    if (!error) {
        task->failures = 0;
        return;
    }
    if (task->dropped || flow->closing) return;
    task->stale = task->whole;
    if (error == LINNET_E_AUTH || error == LINNET_E_DENIED || error == LINNET_E_NOT_FOUND) {
        linnet_flow_fail(flow, error, detail);
    } else if (linnet_error_class(error) == LINNET_PERMANENT && task->whole) {
        /* Too big, or no JSON: nobody can work on it. */
        char id[LINNET_ID_MAX];
        task->stale = false;
        task->gone = true;
        clear(&task->observation);
        if (!linnet_id_format(task->observation.ulid, "observation", NULL, id) && flow->nplanned)
            linnet_item_refuse(task, flow->planned_slots[0], id, NULL, detail);
    } else {
        if (linnet_error_class(error) == LINNET_PERMANENT) task->whole = task->stale = true;
        again(task, error, detail);
    }
}

/* ---- whole ---- */

/* What is not there any more goes; the rest is replaced document by document, so that blobs in memory stay.
 */
static int remove_missing(struct linnet_observation *observation, const json_t *rows) {
    if (!observation->ndocs) return 0;
    json_t *present = json_object(), *row;
    size_t i;
    if (!present) return LINNET_E_NOMEM;
    int rc = 0;
    json_array_foreach(rows, i, row) {
        const char *id = linnet_json_string(row, "id", NULL);
        if (id && json_object_set_new(present, id, json_true())) rc = LINNET_E_NOMEM;
    }
    for (size_t at = observation->ndocs; at-- && !rc;)
        if (!json_object_get(present, observation->docs[at].id))
            linnet_observation_remove(observation, observation->docs[at].id);
    json_decref(present);
    return rc;
}

static void take_rows(struct linnet_task *task, const json_t *rows) {
    char root[LINNET_ID_MAX];
    size_t i;
    json_t *row;
    bool settling = false;
    if (remove_missing(&task->observation, rows) ||
        linnet_id_format(task->observation.ulid, "observation", NULL, root)) {
        linnet_flow_fail(task->flow, LINNET_E_NOMEM, "no memory for an observation");
        return;
    }
    json_array_foreach(rows, i, row) {
        json_t *document = json_object_get(row, "doc");
        if (!json_is_object(document)) continue;
        if (linnet_conflict_settle(task, document)) settling = true;
        linnet_task_put(task, document);
    }
    task->stale = settling;
    task->gone = false;
    if (linnet_observation_find(&task->observation, root)) return;
    /* An invalid observation document is refused, not deleted: look at what was read, not at what was put. */
    json_array_foreach(rows, i, row) {
        if (strcmp(linnet_json_string(row, "id", ""), root) == 0) {
            task->gone = true;
            return;
        }
    }
    linnet_deletion_check(task, (json_t *)rows);
}

static void whole_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                       void *arg) {
    (void)request;
    struct linnet_task *task = arg;
    task->flow->reads--;
    task->flow->requests--;
    int error = r->error;
    const char *detail = r->detail;
    const json_t *rows = error ? NULL : json_object_get(r->json, "rows");
    if (!error && !json_is_array(rows)) {
        error = LINNET_E_SERVER;
        detail = "the answer has no rows";
    }
    linnet_task_read_ended(task, error, detail);
    if (!error && !task->dropped && !task->flow->closing) take_rows(task, rows);
}

static void cover_entries(struct linnet_task *task) {
    for (struct linnet_entry *entry = task->waiting; entry; entry = entry->waiting)
        entry->unknown = false;
}

static bool read_whole(struct linnet_task *task) {
    struct linnet_flow *flow = task->flow;
    linnet_gather_remove(task);
    task->reading = true;
    task->stale = false;
    cover_entries(task);
    flow->reads++;
    flow->requests++;
    linnet_metric_add(flow->m_reads, 1);
    int rc = linnet_couch_get_observation(flow->options.couch, task->observation.ulid, whole_done, task);
    if (!rc) return true;
    flow->reads--;
    flow->requests--;
    linnet_task_read_ended(task, rc, linnet_error_message(rc));
    return false;
}

/* ---- sparse ---- */

struct sparse_read {
    struct linnet_flow *flow;
    size_t ntasks;
    struct linnet_task *tasks[SPARSE_KEYS];
};

/* One row: a document that was asked for, or that it is not there. */
static void take_row(struct linnet_task *task, const char *id, const struct linnet_couch_row *row) {
    const char *kind = id + LINNET_ULID_SIZE;
    bool root = strcmp(kind, "observation") == 0;
    if (json_array_size(json_object_get(row->document, "_conflicts"))) {
        linnet_task_read(task); /* what is settled is settled with everything in view */
    } else if (row->document) {
        linnet_task_put(task, row->document);
    } else if (root) {
        if (row->deleted)
            linnet_task_read(task); /* to delete what is left */
        else
            task->gone = true;
    }
}

static void sparse_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                        void *arg) {
    (void)request;
    struct sparse_read *read = arg;
    struct linnet_flow *flow = read->flow;
    flow->sparse_reads--;
    flow->requests--;
    size_t at = 0;
    for (size_t i = 0; i < read->ntasks; i++) {
        struct linnet_task *task = read->tasks[i];
        size_t first = task->nread, n = task->nasked - first;
        int error = r->error ? r->error : at + n > r->nrows ? LINNET_E_SERVER : 0;
        linnet_task_read_ended(task, error, r->error ? r->detail : "the answer lacks rows");
        for (size_t k = 0; k < n && !error && !task->dropped && !flow->closing; k++)
            take_row(task, task->asked[first + k], &r->rows[at + k]);
        if (!error) task->nread = first + n;
        at += n;
    }
    free(read);
}

/* The ids of one question; they belong to the tasks. */
struct ids {
    const char **of;
    size_t n, capacity;
};

static bool add_ids(struct ids *ids, const struct linnet_task *task) {
    size_t n = task->nasked - task->nread;
    if (ids->n + n > ids->capacity) {
        size_t capacity = ids->n + n + SPARSE_KEYS;
        const char **grown = realloc(ids->of, capacity * sizeof *grown);
        if (!grown) return false;
        ids->of = grown;
        ids->capacity = capacity;
    }
    for (size_t i = 0; i < n; i++)
        ids->of[ids->n++] = task->asked[task->nread + i];
    return true;
}

/* Take tasks from a list as long as their questions fit into one request. */
static void collect(struct linnet_task_list *list, struct sparse_read *read, struct ids *ids, int64_t now) {
    struct linnet_task *task = TAILQ_FIRST(list);
    while (task && ids->n < SPARSE_KEYS && read->ntasks < SPARSE_KEYS) {
        struct linnet_task *next = TAILQ_NEXT(task, read_link);
        if (task->not_before <= now && add_ids(ids, task)) {
            linnet_gather_remove(task);
            task->reading = true;
            read->tasks[read->ntasks++] = task;
        }
        task = next;
    }
}

static bool waits_for_sparse(const struct linnet_flow *flow) {
    for (int p = 0; p < LINNET_PRIORITIES; p++)
        if (!TAILQ_EMPTY(&flow->to_read_sparse[p])) return true;
    return false;
}

static bool read_sparse(struct linnet_flow *flow, int64_t now) {
    /* Asked in every turn: a big block taken and given back each time makes malloc tidy its whole heap. */
    if (!waits_for_sparse(flow)) return false;
    struct sparse_read *read = malloc(sizeof(*read));
    if (!read) return false;
    struct ids ids = {0};
    read->flow = flow;
    read->ntasks = 0;
    for (int p = 0; p < LINNET_PRIORITIES; p++)
        collect(&flow->to_read_sparse[p], read, &ids, now);
    int rc = 0;
    if (read->ntasks) {
        linnet_metric_add(flow->m_reads, 1);
        rc = linnet_couch_all_docs_rows(flow->options.couch, LINNET_DB_MAIN, ids.of, ids.n, true, sparse_done,
                                        read);
        if (!rc) {
            flow->sparse_reads++;
            flow->requests++;
        }
    }
    free(ids.of);
    bool sent = read->ntasks && !rc;
    if (sent) return true;
    for (size_t i = 0; i < read->ntasks; i++)
        linnet_task_read_ended(read->tasks[i], rc, linnet_error_message(rc));
    free(read);
    return false;
}

/* ---- */

void linnet_gather_turn(struct linnet_flow *flow) {
    int64_t now = linnet_time_monotonic();
    if (!flow->sparse_reads) read_sparse(flow, now);
    for (int p = 0; p < LINNET_PRIORITIES; p++) {
        struct linnet_task *task = TAILQ_FIRST(&flow->to_read[p]);
        while (task && flow->reads < flow->options.gathers) {
            struct linnet_task *next = TAILQ_NEXT(task, read_link);
            if (task->not_before <= now) read_whole(task);
            task = next;
        }
    }
}
