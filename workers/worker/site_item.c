/* One document on its way through a stage of scope site: in feed order, one queue a stage. What it emits is
 * compared with what stands before it is written, so a replay writes nothing. */
#include "workers/worker/site.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/host/provenance.h"

enum { RETRY_MIN = 200, RETRY_MAX = 8000 };

const char *linnet_site_item_id(const void *item) {
    return ((const struct linnet_site_item *)item)->id;
}

static struct linnet_site_item *new_item(struct linnet_site_stage *stage, struct linnet_site_change *change,
                                         const char *id) {
    struct linnet_site_item *item = calloc(1, sizeof(*item));
    if (!item) return NULL;
    item->stage = stage;
    item->change = change;
    item->id = strdup(id);
    if (!item->id) {
        free(item);
        return NULL;
    }
    stage->items++;
    stage->slot->items++;
    stage->site->references++;
    if (change) change->pending++;
    return item;
}

/* It is over, one way or the other. */
static void end_item(struct linnet_site_item *item, bool answered) {
    struct linnet_site_stage *stage = item->stage;
    struct linnet_site *site = stage->site;
    if (linnet_table_get(&stage->newest, item->id) == item) linnet_table_take(&stage->newest, item->id);
    stage->items--;
    stage->slot->items--;
    linnet_work_free(item->work);
    struct linnet_site_change *change = item->change;
    free(item->id);
    free(item->reason);
    free(item);
    if (change && !--change->pending) linnet_site_change_done(change, answered);
    linnet_site_unref(site);
}

/* A newer revision of the same document has come: what has not been begun of the older one never is. */
static void supersede(struct linnet_site_stage *stage, const char *id) {
    struct linnet_site_item *older = linnet_table_take(&stage->newest, id);
    if (!older) return;
    older->superseded = true;
    if (older->submitted || older->pending) return;
    if (older->due) {
        TAILQ_REMOVE(&stage->waiting, older, list);
    } else {
        TAILQ_REMOVE(&stage->ready, older, list);
        stage->nready--;
    }
    end_item(older, true);
}

static int make_work(struct linnet_site_item *item, json_t *document) {
    const struct linnet_planned_stage *stage = &item->stage->slot->planned;
    int rc = linnet_work_document(stage->plugin, item->id, document, &item->work);
    if (rc) return rc;
    item->work->owner = item;
    item->work->priority = item->visit ? LINNET_PRIORITY_RETRY : LINNET_PRIORITY_FRESH;
    const struct linnet_flow_options *options = &item->stage->site->flow->options;
    if (options->events.suspect)
        item->work->alone = item->suspect = options->events.suspect(options->arg, stage->name, item->id);
    return linnet_result_digest_json(stage->fingerprint, item->work->inputs, item->digest);
}

int linnet_site_item_begin(struct linnet_site_stage *stage, struct linnet_site_change *change, const char *id,
                           json_t *document) {
    const char *name = stage->slot->planned.name;
    supersede(stage, id);
    struct linnet_site_item *item = new_item(stage, change, id);
    if (!item) return LINNET_E_NOMEM;
    item->visit = !change->entry;
    item->attempts = linnet_letters_attempts(stage->site->flow, stage->slot, id);
    int rc = make_work(item, document);
    if (rc || linnet_letters_answer(stage->site->flow, name, id, item->digest)) {
        end_item(item, true);
        return rc;
    }
    rc = linnet_table_put(&stage->newest, item);
    if (rc) {
        end_item(item, true);
        return rc;
    }
    stage->slot->due++;
    linnet_metric_add(stage->slot->m_due, 1);
    TAILQ_INSERT_TAIL(&stage->ready, item, list);
    stage->nready++;
    return 0;
}

void linnet_site_items_submit(struct linnet_site_stage *stage) {
    struct linnet_flow *flow = stage->site->flow;
    struct linnet_site_item *item;
    while ((item = TAILQ_FIRST(&stage->ready))) {
        if (linnet_writer_load(flow->writers[LINNET_DB_MAIN]) > flow->options.writer_bytes) return;
        if (linnet_stage_submit(stage->slot->stage, item->work)) return;
        TAILQ_REMOVE(&stage->ready, item, list);
        stage->nready--;
        stage->slot->submitted++;
        item->submitted = true;
        item->work = NULL;
    }
}

void linnet_site_items_tick(struct linnet_site_stage *stage, int64_t now) {
    struct linnet_site_item *item = TAILQ_FIRST(&stage->waiting);
    while (item) {
        struct linnet_site_item *next = TAILQ_NEXT(item, list);
        if (item->due <= now) {
            TAILQ_REMOVE(&stage->waiting, item, list);
            item->due = 0;
            TAILQ_INSERT_TAIL(&stage->ready, item, list);
            stage->nready++;
        }
        item = next;
    }
}

void linnet_site_items_drop(struct linnet_site_stage *stage) {
    struct linnet_site_item *item;
    while ((item = TAILQ_FIRST(&stage->waiting))) {
        TAILQ_REMOVE(&stage->waiting, item, list);
        end_item(item, false);
    }
    while ((item = TAILQ_FIRST(&stage->ready))) {
        TAILQ_REMOVE(&stage->ready, item, list);
        stage->nready--;
        end_item(item, false);
    }
}

/* ---- letters ---- */

static void letter_written(struct linnet_write *write, int error, const char *detail) {
    struct linnet_site_item *item = write->arg;
    struct linnet_site_stage *stage = item->stage;
    enum linnet_letter_kind kind = item->dead ? LINNET_LETTER_DEAD : LINNET_LETTER_RETRY;
    if (!error && !stage->site->over)
        linnet_letters_written(stage->site->flow, stage->slot, kind, item->id, item->digest, item->attempts,
                               write);
    else if (error && error != LINNET_E_CANCELLED)
        linnet_log(LINNET_ERROR, "letter", "a letter could not be written", "id", "s", write->id, "error",
                   "s", detail, NULL);
    linnet_write_free(write);
    item->pending--;
    end_item(item, !error);
}

static void write_letter(struct linnet_site_item *item, enum linnet_letter_kind kind, const char *reason) {
    struct linnet_site_stage *stage = item->stage;
    struct linnet_flow *flow = stage->site->flow;
    item->dead = kind == LINNET_LETTER_DEAD;
    struct linnet_write *write =
        linnet_letters_compose(flow, stage->slot, kind, item->id, item->digest,
                               item->work ? item->work->inputs : NULL, item->attempts + item->dead, reason);
    if (!write) return;
    write->share = LINNET_SHARE_SITE;
    write->cancelled = &stage->site->over;
    write->done = letter_written;
    write->arg = item;
    item->pending++;
    linnet_writer_add(flow->writers[LINNET_DB_OPS], write);
}

static void reject(struct linnet_site_item *item, const char *reason) {
    item->stage->slot->reject++;
    write_letter(item, LINNET_LETTER_DEAD, reason);
}

int linnet_site_item_refuse(struct linnet_site_stage *stage, struct linnet_site_change *change,
                            const char *id, const char *reason) {
    supersede(stage, id);
    struct linnet_site_item *item = new_item(stage, change, id);
    if (!item) return LINNET_E_NOMEM;
    reject(item, reason);
    return 0;
}

/* ---- verdicts ---- */

/* It failed in a way that may pass: again later, and if that goes on for too long, parked. */
static void back_off(struct linnet_site_item *item, const char *reason) {
    struct linnet_site_stage *stage = item->stage;
    const struct linnet_flow_options *options = &stage->site->flow->options;
    int64_t now = linnet_time_monotonic();
    stage->slot->retry++;
    if (item->superseded) {
        end_item(item, true);
        return;
    }
    item->attempts++;
    if (!item->since) item->since = now;
    if (item->visit || now - item->since >= options->park_ms) {
        write_letter(item, LINNET_LETTER_RETRY, reason);
        return;
    }
    item->due = now + linnet_flow_backoff(item->attempts, RETRY_MIN, RETRY_MAX);
    TAILQ_INSERT_TAIL(&stage->waiting, item, list);
}

static void succeed(struct linnet_site_item *item) {
    struct linnet_site_stage *stage = item->stage;
    if (*item->id) linnet_letters_clear(stage->site->flow, stage->slot, item->id, item->suspect);
    end_item(item, true);
}

static void all_written(struct linnet_site_item *item) {
    struct linnet_site *site = item->stage->site;
    item->stage->writing[item->turn % 2]--;
    if (site->over || item->failure == LINNET_E_CANCELLED) {
        end_item(item, false);
    } else if (item->failure) {
        reject(item, item->reason ? item->reason : "");
    } else {
        succeed(item);
    }
}

static void result_written(struct linnet_write *write, int error, const char *detail) {
    struct linnet_site_item *item = write->arg;
    if (error && !item->failure) {
        item->failure = error;
        free(item->reason);
        item->reason = strdup(detail);
    }
    linnet_write_free(write);
    if (!--item->pending) all_written(item);
}

static struct linnet_write *write_of(struct linnet_site_item *item, struct linnet_result *result) {
    struct linnet_site *site = item->stage->site;
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return NULL;
    write->mode = result->create_only ? LINNET_WRITE_CREATE : LINNET_WRITE_SITE;
    write->share = LINNET_SHARE_SITE;
    write->cancelled = &site->over;
    write->id = strdup(result->id);
    write->document = result->document;
    write->blobs = result->blobs;
    write->nblobs = result->nblobs;
    write->done = result_written;
    write->arg = item;
    result->document = NULL;
    if (write->id && write->document &&
        json_object_set_new(write->document, "generation", json_integer((json_int_t)site->generation))) {
        linnet_write_free(write);
        return NULL;
    }
    if (write->id) return write;
    linnet_write_free(write);
    return NULL;
}

static void write_results(struct linnet_site_item *item) {
    struct linnet_flow *flow = item->stage->site->flow;
    struct linnet_work *work = item->work;
    item->pending = (unsigned)work->nresults;
    item->turn = item->stage->turn;
    item->stage->writing[item->turn % 2]++;
    for (size_t i = 0; i < work->nresults; i++) {
        struct linnet_write *write = write_of(item, &work->results[i]);
        if (!write) {
            if (!i) end_item(item, false); /* else it waits, never answered, for those that were not begun */
            linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for results");
            return;
        }
        linnet_writer_add(flow->writers[work->results[i].database % LINNET_DB_NONE], write);
    }
}

static void count(struct linnet_slot *slot, const struct linnet_work *work) {
    if (!work->item.ndocs) return;
    slot->processed++;
    slot->seconds += work->process_s;
    linnet_metric_observe(slot->m_queue, work->queued_s);
    linnet_metric_observe(slot->m_process, work->process_s);
}

void linnet_site_item_done(struct linnet_site_stage *stage, struct linnet_work *work) {
    bool from_change = work->item.ndocs != 0;
    struct linnet_site_item *item = from_change ? work->owner : new_item(stage, NULL, "");
    if (!item) {
        linnet_work_free(work);
        linnet_flow_fail(stage->site->flow, LINNET_E_NOMEM, "no memory for what a tick emitted");
        return;
    }
    if (from_change) stage->slot->submitted--;
    item->work = work;
    item->submitted = false;
    count(stage->slot, work);
    if (stage->site->over) {
        end_item(item, false);
    } else if (work->verdict == LINNET_OK && work->nresults) {
        stage->slot->ok++;
        write_results(item);
    } else if (work->verdict == LINNET_OK || work->verdict == LINNET_SKIP || !from_change) {
        stage->slot->skip += work->verdict == LINNET_SKIP;
        succeed(item);
    } else if (work->verdict == LINNET_REJECT) {
        reject(item, work->reason ? work->reason : "");
    } else {
        back_off(item, work->reason ? work->reason : "");
    }
}
