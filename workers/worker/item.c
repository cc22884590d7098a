/* One due item on its way: blobs, room, stage, verdict, results, answer. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/host/provenance.h"

enum {
    RETRY_MIN = 200, /* milliseconds */
    RETRY_MAX = 8000,
    LOST_ATTACHMENTS = 3 /* an attachment that is told of but not there, so many times in a row */
};

/* ---- life ---- */

static struct linnet_flow_item *new_item(struct linnet_task *task, struct linnet_slot *slot,
                                         const char *output_id, const char *document, const char *digest) {
    struct linnet_flow_item *item = calloc(1, sizeof(*item));
    if (!item) return NULL;
    item->output_id = strdup(output_id);
    item->document = strdup(document);
    if (!item->output_id || !item->document) {
        free(item->output_id);
        free(item->document);
        free(item);
        return NULL;
    }
    snprintf(item->digest, sizeof(item->digest), "%s", digest);
    item->task = task;
    item->slot = slot;
    TAILQ_INSERT_TAIL(&task->items, item, link);
    task->nitems++;
    slot->items++;
    return item;
}

bool linnet_item_in_flight(const struct linnet_flow_item *item) {
    return item->state == LINNET_ITEM_SUBMITTED || item->state == LINNET_ITEM_WRITING;
}

static void free_work(struct linnet_flow_item *item) {
    linnet_work_free(item->work);
    item->work = NULL;
    linnet_flow_account(item->task->flow, &item->bytes, 0);
}

static void release_room(struct linnet_flow_item *item) {
    linnet_writer_release(item->task->flow->writers[LINNET_DB_MAIN], item->reserved);
    item->reserved = 0;
}

/* Take it off the list that its state has it on. */
static void unlist(struct linnet_flow_item *item) {
    if (item->state == LINNET_ITEM_READY) {
        TAILQ_REMOVE(&item->slot->ready[item->work->priority], item, list);
    } else if (item->state == LINNET_ITEM_WAITING) {
        TAILQ_REMOVE(&item->task->flow->waiting, item, list);
    } else if (item->state == LINNET_ITEM_FETCHING) {
        linnet_blob_forget(item);
    }
}

void linnet_item_free(struct linnet_flow_item *item) {
    struct linnet_task *task = item->task;
    unlist(item);
    free_work(item);
    release_room(item);
    TAILQ_REMOVE(&task->items, item, link);
    task->complete = false;
    task->nitems--;
    item->slot->items--;
    free(item->output_id);
    free(item->document);
    free(item->reason);
    json_decref(item->inputs);
    free(item);
    linnet_task_plan_later(task);
}

/* ---- towards the stage ---- */

/* What a dead letter records where there is no work that tells it. */
static json_t *inputs_of(const struct linnet_task *task, const struct linnet_due *due) {
    json_t *inputs = json_array();
    for (size_t i = 0; inputs && i < due->ndocs; i++)
        json_array_append_new(inputs, json_pack("{s:s, s:s}", "id", task->observation.docs[due->docs[i]].id,
                                                "digest", due->digests[i]));
    return inputs;
}

struct fetching {
    struct linnet_flow_item *item;
    int error;
};

static void fetch(void *arg, const struct linnet_held_doc *doc, const char *name) {
    struct fetching *f = arg;
    if (!f->error) f->error = linnet_blob_fetch(f->item, doc, name);
}

int linnet_item_begin(struct linnet_task *task, struct linnet_slot *slot,
                      const struct linnet_planned_stage *planned, const struct linnet_due *due) {
    const char *document = task->observation.docs[due->docs[0]].id;
    struct linnet_flow_item *item = new_item(task, slot, due->output_id, document, due->inputs_digest);
    if (!item) return LINNET_E_NOMEM;
    item->attempts = linnet_letters_attempts(task->flow, slot, document);
    slot->due++;
    linnet_metric_add(slot->m_due, 1);
    const struct linnet_flow_events *events = &task->flow->options.events;
    item->suspect = events->suspect && events->suspect(task->flow->options.arg, slot->planned.name, document);
    struct fetching f = {.item = item};
    item->state = LINNET_ITEM_FETCHING;
    linnet_plan_missing_blobs(&task->observation, planned, due, fetch, &f);
    if (f.error) {
        linnet_item_free(item);
        return f.error;
    }
    if (!item->pending) return linnet_item_make_work(item, due);
    item->inputs = inputs_of(task, due);
    return item->inputs ? 0 : LINNET_E_NOMEM;
}

static size_t blob_bytes(const struct linnet_work *work) {
    size_t bytes = 0;
    for (size_t i = 0; i < work->item.ndocs; i++)
        for (size_t k = 0; k < work->item.docs[i].nblobs; k++)
            bytes += work->item.docs[i].blobs[k].size;
    return bytes;
}

static void make_ready(struct linnet_flow_item *item) {
    item->state = LINNET_ITEM_READY;
    TAILQ_INSERT_TAIL(&item->slot->ready[item->work->priority], item, list);
}

int linnet_item_make_work(struct linnet_flow_item *item, const struct linnet_due *due) {
    struct linnet_task *task = item->task;
    item->work = linnet_plan_work(&task->observation, &item->slot->planned, due);
    if (!item->work) return LINNET_E_NOMEM;
    memcpy(item->digest, due->inputs_digest, sizeof(item->digest));
    item->work->owner = item;
    item->work->priority = task->priority;
    item->work->alone = item->suspect;
    linnet_flow_account(task->flow, &item->bytes, blob_bytes(item->work));
    make_ready(item);
    return 0;
}

static void back_off(struct linnet_flow_item *item, const char *reason);

static void reject(struct linnet_flow_item *item, const char *reason) {
    unlist(item);
    item->slot->reject++;
    item->state = LINNET_ITEM_WRITING;
    item->dead = true;
    linnet_letters_write(item, LINNET_LETTER_DEAD, reason);
}

void linnet_item_fetched(struct linnet_flow_item *item, int error, const char *detail) {
    if (error && !item->failure) {
        item->failure = error;
        free(item->reason);
        item->reason = strdup(detail ? detail : "");
    }
    if (--item->pending) return;
    error = item->failure;
    item->failure = 0;
    if (!error) {
        item->state = LINNET_ITEM_FETCHED;
        linnet_task_plan_later(item->task);
    } else if (error == LINNET_E_NOT_FOUND && ++item->attempts < LOST_ATTACHMENTS) {
        /* The document has changed since it was read. */
        linnet_task_read(item->task);
        back_off(item, item->reason);
    } else if (linnet_error_class(error) == LINNET_PERMANENT) {
        reject(item, item->reason);
    } else {
        back_off(item, item->reason);
    }
}

/* Is there room for what it may write? What is alone always fits. */
static bool reserve_room(struct linnet_flow_item *item) {
    struct linnet_flow *flow = item->task->flow;
    struct linnet_writer *writer = flow->writers[LINNET_DB_MAIN];
    size_t bytes = (size_t)item->slot->mean_bytes, load = linnet_writer_load(writer);
    if (load && load + bytes > flow->options.writer_bytes) return false;
    linnet_writer_reserve(writer, bytes);
    item->reserved = bytes;
    return true;
}

/* Submit what waits for this stage until it or the writer has no room. */
static void submit(struct linnet_slot *slot) {
    for (int p = 0; p < LINNET_PRIORITIES; p++) {
        struct linnet_flow_item *item;
        while ((item = TAILQ_FIRST(&slot->ready[p]))) {
            if (!reserve_room(item)) return;
            TAILQ_REMOVE(&slot->ready[p], item, list);
            item->state = LINNET_ITEM_SUBMITTED;
            if (linnet_stage_submit(slot->stage, item->work)) {
                release_room(item);
                item->state = LINNET_ITEM_READY;
                TAILQ_INSERT_HEAD(&slot->ready[p], item, list);
                return;
            }
            item->work = NULL; /* the stage's now */
            slot->submitted++;
        }
    }
}

void linnet_item_turn(struct linnet_flow *flow) {
    for (size_t i = 0; i < flow->nslots; i++)
        if (!flow->slots[i]->site && !flow->slots[i]->standby) submit(flow->slots[i]);
}

/* ---- verdicts ---- */

/* It is decided and there is no result: not again in this visit. */
static void settle(struct linnet_flow_item *item) {
    if (linnet_task_settle_item(item->task, item->slot, item->output_id, item->digest))
        linnet_flow_fail(item->task->flow, LINNET_E_NOMEM, "no memory for an answer");
    linnet_item_free(item);
}

static void park(struct linnet_flow_item *item, const char *reason) {
    item->state = LINNET_ITEM_WRITING;
    item->parked = true;
    linnet_letters_write(item, LINNET_LETTER_RETRY, reason);
}

/* It failed in a way that may pass: again later, and if that goes on for too long, parked. */
static void back_off(struct linnet_flow_item *item, const char *reason) {
    struct linnet_flow *flow = item->task->flow;
    int64_t now = linnet_time_monotonic();
    unlist(item);
    item->attempts++;
    if (!item->since) item->since = now;
    /* What has been parked before gets one attempt a visit. */
    if (item->task->visited || flow->draining || now - item->since >= flow->options.park_ms) {
        park(item, reason);
        return;
    }
    item->state = LINNET_ITEM_WAITING;
    item->due = now + linnet_flow_backoff(item->attempts, RETRY_MIN, RETRY_MAX);
    TAILQ_INSERT_TAIL(&flow->waiting, item, list);
}

void linnet_item_tick(struct linnet_flow *flow, int64_t now) {
    struct linnet_flow_item *item = TAILQ_FIRST(&flow->waiting);
    while (item) {
        struct linnet_flow_item *next = TAILQ_NEXT(item, list);
        if (flow->draining || item->due <= now) {
            TAILQ_REMOVE(&flow->waiting, item, list);
            if (flow->draining) {
                park(item, item->reason);
            } else if (item->work && !item->slot->replaced) {
                make_ready(item);
            } else { /* its blobs are missing, or its stage has gone: the plan starts it anew */
                item->state = LINNET_ITEM_FETCHED;
                linnet_item_free(item);
            }
        }
        item = next;
    }
}

int linnet_item_refuse(struct linnet_task *task, struct linnet_slot *slot, const char *document,
                       const char *digest, const char *reason) {
    struct linnet_input_ref input = {.id = document};
    char whole[LINNET_DIGEST_SIZE] = "";
    if (digest) {
        memcpy(input.digest, digest, sizeof(input.digest));
        linnet_result_digest(slot->planned.fingerprint, &input, 1, whole);
    }
    if (linnet_letters_answer(task->flow, slot->planned.name, document, whole)) return 0;
    struct linnet_flow_item *item = new_item(task, slot, document, document, whole);
    if (!item) return LINNET_E_NOMEM;
    if (digest) item->inputs = linnet_inputs_json(&input, 1);
    item->state = LINNET_ITEM_FETCHED;
    reject(item, reason);
    return 0;
}

/* ---- results ---- */

/* A result as the store tells it: with the revision that it has now and stubs for its attachments, by which a
 * blob that was let go is found again. */
static int complete(struct linnet_write *write, const struct linnet_result *result) {
    json_t *document = write->document;
    int failed = json_object_set_new(document, "_rev", json_string(write->revision));
    if (!result->nblobs) return failed;
    json_t *stubs = json_object();
    for (size_t i = 0; i < result->nblobs; i++) {
        const struct linnet_result_blob *blob = &result->blobs[i];
        failed |= json_object_set_new(stubs, blob->name,
                                      json_pack("{s:s, s:I, s:b}", "content_type", blob->content_type,
                                                "length", (json_int_t)blob->bytes->size, "stub", 1));
    }
    return failed | json_object_set_new(document, "_attachments", stubs);
}

/* Was this all that the task waits for, and nobody reads it? Then it ends without looking at it. */
static bool is_the_last(const struct linnet_flow_item *item) {
    return item->task->complete && item->task->nitems == 1 && item->work->nresults == 1;
}

static void put_result(struct linnet_flow_item *item, struct linnet_write *write,
                       const struct linnet_result *result) {
    struct linnet_task *task = item->task;
    if (result->database != LINNET_DB_MAIN) return;
    linnet_known_await(&task->flow->known, linnet_known_key_one(write->id, write->revision));
    if (strncmp(write->id, task->observation.ulid, LINNET_ULID_SIZE - 1) != 0 || task->dropped) return;
    if (is_the_last(item)) {
        task->shed = true;
        return;
    }
    if (!write->document) {
        linnet_observation_remove(&task->observation, write->id);
        return;
    }
    int rc = complete(write, result);
    if (!rc) rc = linnet_observation_put(&task->observation, write->document);
    if (rc) {
        linnet_flow_fail(task->flow, LINNET_E_NOMEM, "no memory for a result");
        return;
    }
    write->document = NULL;
    const struct linnet_flow_kind *kind = linnet_flow_kind(task->flow, strchr(write->id, ':') + 1);
    for (size_t i = 0; kind && kind->consumed && i < result->nblobs; i++)
        linnet_observation_put_blob(&task->observation, result->id, result->blobs[i].name,
                                    result->blobs[i].content_type, result->blobs[i].bytes);
    linnet_task_account(task);
}

/* All results are acknowledged. */
static void written(struct linnet_flow_item *item) {
    struct linnet_task *task = item->task;
    int error = item->failure;
    release_room(item);
    if (task->dropped || error == LINNET_E_CANCELLED) {
        linnet_item_free(item);
    } else if (error == LINNET_E_CONFLICT) {
        linnet_task_read(task);
        linnet_item_free(item);
    } else if (error) {
        item->failure = 0;
        reject(item, item->reason);
    } else {
        linnet_backfill_computed(task);
        linnet_letters_clear(item->task->flow, item->slot, item->document, item->suspect);
        bool complete = task->complete; /* a result was all that was to be expected of it */
        linnet_item_free(item);
        task->complete = complete;
    }
}

static void result_written(struct linnet_write *write, int error, const char *detail) {
    struct linnet_flow_item *item = write->arg;
    struct linnet_result *result = NULL;
    for (size_t i = 0; i < item->work->nresults; i++)
        if (strcmp(item->work->results[i].id, write->id) == 0) result = &item->work->results[i];
    if (!error && result && write->revision) put_result(item, write, result);
    if (error && !item->failure) {
        item->failure = error;
        free(item->reason);
        item->reason = strdup(detail);
    }
    linnet_write_free(write);
    if (!--item->pending) written(item);
}

static struct linnet_write *write_of(struct linnet_flow_item *item, struct linnet_result *result) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return NULL;
    const struct linnet_held_doc *present = linnet_observation_find(&item->task->observation, result->id);
    write->mode = result->create_only ? LINNET_WRITE_CREATE : LINNET_WRITE_RESULT;
    write->share = item->task->share;
    write->cancelled = &item->task->dropped;
    write->id = strdup(result->id);
    write->revision = present && present->revision ? strdup(present->revision) : NULL;
    write->document = result->document;
    write->blobs = result->blobs;
    write->nblobs = result->nblobs;
    write->done = result_written;
    write->arg = item;
    result->document = NULL;
    if (write->id) return write;
    linnet_write_free(write);
    return NULL;
}

static void write_results(struct linnet_flow_item *item) {
    struct linnet_flow *flow = item->task->flow;
    struct linnet_work *work = item->work;
    struct linnet_write *writes[16];
    size_t n = 0, bytes = 0;
    item->state = LINNET_ITEM_WRITING;
    for (; n < work->nresults && n < sizeof(writes) / sizeof(writes[0]); n++) {
        writes[n] = write_of(item, &work->results[n]);
        if (!writes[n]) break;
    }
    if (n < work->nresults) {
        while (n)
            linnet_write_free(writes[--n]);
        linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for results");
        linnet_item_free(item);
        return;
    }
    item->pending = (unsigned)n;
    release_room(item);
    for (size_t i = 0; i < n; i++) {
        enum linnet_database database = work->results[i].database;
        linnet_writer_add(flow->writers[database < LINNET_DB_NONE ? database : LINNET_DB_MAIN], writes[i]);
        bytes += writes[i]->bytes;
    }
    item->slot->mean_bytes += ((double)bytes - item->slot->mean_bytes) / 16;
}

static void count(struct linnet_slot *slot, const struct linnet_work *work) {
    slot->processed++;
    slot->seconds += work->process_s;
    linnet_metric_observe(slot->m_queue, work->queued_s);
    linnet_metric_observe(slot->m_process, work->process_s);
}

/* It went well, or there was nothing to do: what stood against its document is cleared. */
static void succeed(struct linnet_flow_item *item, bool skipped) {
    if (!skipped && item->work->nresults) {
        item->slot->ok++;
        write_results(item);
        return;
    }
    item->slot->skip++;
    linnet_letters_clear(item->task->flow, item->slot, item->document, item->suspect);
    settle(item);
}

void linnet_item_work_done(struct linnet_flow *flow, struct linnet_slot *slot, struct linnet_work *work) {
    struct linnet_flow_item *item = work->owner;
    struct linnet_task *task = item->task;
    item->work = work;
    slot->submitted--;
    count(slot, work);
    if (task->dropped || flow->closing) {
        item->state = LINNET_ITEM_FETCHED;
        linnet_item_free(item);
        return;
    }
    const char *reason = work->reason ? work->reason : "";
    switch (work->verdict) {
    case LINNET_OK:
    case LINNET_SKIP:
        succeed(item, work->verdict == LINNET_SKIP);
        return;
    case LINNET_REJECT:
        release_room(item);
        reject(item, reason);
        return;
    default:
        slot->retry++;
        release_room(item);
        free(item->reason);
        item->reason = strdup(reason);
        back_off(item, item->reason ? item->reason : "");
    }
}
