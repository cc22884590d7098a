/* One observation in work.
 *
 * A task is level-triggered: it does not act on what changed but compares what is there with what should be,
 * again after every step, until nothing is due. Then it answers the changes that wait for it and is freed. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

/* ---- life ---- */

struct linnet_task *linnet_task_of(struct linnet_flow *flow, const char *ulid, int share,
                                   enum linnet_priority priority) {
    struct linnet_task *task = linnet_table_get(&flow->tasks, ulid);
    if (task) {
        if (priority < task->priority && !task->to_read) task->priority = priority;
        return task;
    }
    task = calloc(1, sizeof(*task));
    if (!task) return NULL;
    linnet_observation_init(&task->observation, ulid);
    task->flow = flow;
    task->share = share;
    task->priority = priority;
    TAILQ_INIT(&task->items);
    if (linnet_table_put(&flow->tasks, task)) {
        linnet_observation_done(&task->observation);
        free(task);
        return NULL;
    }
    flow->ntasks++;
    if (share >= 0) flow->shares[share].tasks++;
    return task;
}

static void forget_asked(struct linnet_task *task) {
    for (size_t i = 0; i < task->nasked; i++)
        free(task->asked[i]);
    free(task->asked);
    task->asked = NULL;
    task->nasked = task->nread = 0;
}

static void drop_plan(struct linnet_task *task) {
    if (task->planned) linnet_plan_done(&task->plan);
    task->planned = false;
}

static void free_task(struct linnet_task *task) {
    struct linnet_flow *flow = task->flow;
    if (task->to_read) linnet_gather_remove(task);
    if (task->to_plan) TAILQ_REMOVE(&flow->to_plan, task, plan_link);
    if (!task->dropped) {
        linnet_table_take(&flow->tasks, task->observation.ulid);
        if (task->share >= 0) flow->shares[task->share].tasks--;
    }
    for (size_t i = 0; i < task->nsettled; i++)
        free(task->settled[i].output_id);
    free(task->settled);
    forget_asked(task);
    drop_plan(task);
    linnet_flow_account(flow, &task->bytes, 0);
    linnet_observation_done(&task->observation);
    flow->ntasks--;
    free(task);
}

void linnet_task_wait(struct linnet_task *task, struct linnet_entry *entry) {
    entry->waiting = task->waiting;
    task->waiting = entry;
}

static void let_go_of_entries(struct linnet_task *task, bool done) {
    struct linnet_flow *flow = task->flow;
    while (task->waiting) {
        struct linnet_entry *entry = task->waiting;
        task->waiting = entry->waiting;
        if (done) {
            if (!linnet_known_tell(&flow->known, entry->key)) linnet_known_add(&flow->known, entry->key);
            flow->count.answered++;
            linnet_metric_add(flow->m_answered, 1);
        }
        linnet_ledger_answer(entry);
    }
}

void linnet_task_forget_ledger(struct linnet_flow *flow, const struct linnet_ledger *ledger) {
    size_t at = 0;
    struct linnet_task *task;
    while ((task = linnet_table_next(&flow->tasks, &at))) {
        struct linnet_entry **entry = &task->waiting;
        while (*entry) {
            if ((*entry)->ledger == ledger)
                *entry = (*entry)->waiting;
            else
                entry = &(*entry)->waiting;
        }
    }
}

static bool idle(const struct linnet_task *task) {
    return !task->nitems && !task->writes && !task->reading;
}

/* Nothing is due any more: what was seen is known, and every change that waited is answered. */
static void end(struct linnet_task *task) {
    for (size_t i = 0; i < task->observation.ndocs; i++) {
        const struct linnet_held_doc *doc = &task->observation.docs[i];
        if (doc->revision) linnet_known_add(&task->flow->known, linnet_known_key_one(doc->id, doc->revision));
    }
    let_go_of_entries(task, true);
    if (task->visited) linnet_letters_visited(task);
    if (task->visitor) linnet_backfill_task_ended(task);
    free_task(task);
}

void linnet_task_drop(struct linnet_task *task) {
    struct linnet_flow *flow = task->flow;
    let_go_of_entries(task, false);
    linnet_table_take(&flow->tasks, task->observation.ulid);
    if (task->share >= 0) flow->shares[task->share].tasks--;
    task->dropped = true;
    if (task->visitor) linnet_backfill_task_ended(task);
    if (task->to_read) linnet_gather_remove(task);
    struct linnet_flow_item *item = TAILQ_FIRST(&task->items);
    while (item) {
        struct linnet_flow_item *next = TAILQ_NEXT(item, link);
        if (!linnet_item_in_flight(item)) linnet_item_free(item);
        item = next;
    }
    linnet_task_plan_later(task);
}

void linnet_task_drop_all(struct linnet_flow *flow, int share) {
    /* Dropping takes tasks out of the table, so it is walked anew after each sweep. */
    for (bool found = true; found;) {
        size_t at = 0;
        struct linnet_task *task;
        found = false;
        while (!found && (task = linnet_table_next(&flow->tasks, &at)))
            found = task->share == share;
        if (found) linnet_task_drop(task);
    }
}

void linnet_task_plan_later(struct linnet_task *task) {
    if (task->to_plan) return;
    task->to_plan = true;
    TAILQ_INSERT_TAIL(&task->flow->to_plan, task, plan_link);
}

void linnet_task_account(struct linnet_task *task) {
    linnet_flow_account(task->flow, &task->bytes, sizeof(*task) + task->observation.bytes);
}

/* ---- documents ---- */

/* The stage to which a document that nobody can use is charged. */
static struct linnet_slot *consumer_of(struct linnet_flow *flow, const char *kind) {
    for (size_t i = 0; i < flow->nplanned; i++) {
        const struct linnet_input *input = flow->planned[i].plugin->inputs;
        for (; input && input->kind; input++)
            if (strcmp(input->kind, kind) == 0) return flow->planned_slots[i];
    }
    return NULL;
}

/* Is it what its schema says? What is not is as good as absent, and a dead letter says why. */
static bool sound(struct linnet_task *task, const char *id, json_t *document) {
    struct linnet_flow *flow = task->flow;
    struct linnet_id parsed;
    struct linnet_error why;
    if (!flow->options.schemas || linnet_id_parse(id, &parsed)) return true;
    const struct linnet_flow_kind *kind = linnet_flow_kind(flow, parsed.kind);
    if (!kind || !kind->consumed || kind->produced) return true;
    int rc = linnet_schemas_check(flow->options.schemas, parsed.kind, document, &why);
    if (rc == 0 || rc == LINNET_E_NOT_FOUND) return true;
    struct linnet_slot *slot = consumer_of(flow, parsed.kind);
    char digest[LINNET_DIGEST_SIZE];
    if (slot && !linnet_json_digest(document, digest)) linnet_item_refuse(task, slot, id, digest, why.detail);
    return false;
}

void linnet_task_put(struct linnet_task *task, json_t *document) {
    task->fresh = true;
    task->complete = false;
    const char *id = linnet_json_string(document, "_id", NULL);
    if (!id || strncmp(id, task->observation.ulid, LINNET_ULID_SIZE - 1) != 0) return;
    if (!sound(task, id, document)) {
        linnet_observation_remove(&task->observation, id);
        return;
    }
    json_incref(document);
    int rc = linnet_observation_put(&task->observation, document);
    if (rc) json_decref(document);
    if (rc == LINNET_E_NOMEM) linnet_flow_fail(task->flow, rc, "no memory for a document");
    linnet_task_account(task);
}

void linnet_task_read(struct linnet_task *task) {
    task->complete = false;
    task->whole = true;
    task->stale = true;
    linnet_task_plan_later(task);
}

int linnet_task_settle_item(struct linnet_task *task, const struct linnet_slot *slot, const char *output_id,
                            const char *digest) {
    struct linnet_settled *grown = realloc(task->settled, (task->nsettled + 1) * sizeof(*grown));
    if (!grown) return LINNET_E_NOMEM;
    task->settled = grown;
    struct linnet_settled *one = &grown[task->nsettled];
    one->slot = slot;
    one->output_id = strdup(output_id);
    if (!one->output_id) return LINNET_E_NOMEM;
    snprintf(one->digest, sizeof(one->digest), "%s", digest);
    task->nsettled++;
    return 0;
}

static bool is_settled(const struct linnet_task *task, const struct linnet_slot *slot,
                       const struct linnet_due *due) {
    for (size_t i = 0; i < task->nsettled; i++) {
        const struct linnet_settled *one = &task->settled[i];
        if (one->slot == slot && strcmp(one->output_id, due->output_id) == 0 &&
            strcmp(one->digest, due->inputs_digest) == 0)
            return true;
    }
    return false;
}

/* ---- what the sparse way still has to read ---- */

static bool was_asked(const struct linnet_task *task, const char *id) {
    for (size_t i = 0; i < task->nasked; i++)
        if (strcmp(task->asked[i], id) == 0) return true;
    return linnet_observation_find(&task->observation, id) != NULL;
}

int linnet_task_ask(struct linnet_task *task, const char *id) {
    if (was_asked(task, id)) return 0;
    char **grown = realloc(task->asked, (task->nasked + 1) * sizeof(*grown));
    if (!grown) return LINNET_E_NOMEM;
    task->asked = grown;
    char *copy = strdup(id);
    if (!copy) return LINNET_E_NOMEM;
    grown[task->nasked++] = copy;
    return 0;
}

/* What a result was made of decides whether it still stands. */
static int ask_for_inputs(struct linnet_task *task, const json_t *document) {
    json_t *input;
    size_t at;
    json_array_foreach(json_object_get(document, "inputs"), at, input) {
        const char *id = linnet_json_string(input, "id", NULL);
        if (!id || strncmp(id, task->observation.ulid, LINNET_ULID_SIZE - 1) != 0) continue;
        if (linnet_task_ask(task, id)) return LINNET_E_NOMEM;
    }
    return 0;
}

/* True if something must be read before this plan can be believed. */
static bool asks(struct linnet_task *task, const struct linnet_plan *plan) {
    char id[LINNET_ID_MAX];
    int rc = 0;
    for (size_t i = 0; !rc && i < task->observation.ndocs; i++)
        rc = ask_for_inputs(task, task->observation.docs[i].json);
    for (size_t i = 0; !rc && i < plan->ndue; i++)
        rc = linnet_task_ask(task, plan->due[i].output_id);
    if (!rc) rc = linnet_id_format(task->observation.ulid, "observation", NULL, id);
    if (!rc) rc = linnet_task_ask(task, id);
    if (rc) linnet_flow_fail(task->flow, rc, "no memory for a read");
    return rc || task->nasked > task->nread;
}

/* ---- the plan ---- */

/* The item that makes this output; a stage that was replaced may still have it. */
static struct linnet_flow_item *item_of(const struct linnet_task *task, const struct linnet_slot *slot,
                                        const char *output_id) {
    struct linnet_flow_item *item;
    TAILQ_FOREACH(item, &task->items, link) {
        bool same = item->slot == slot || !strcmp(item->slot->planned.name, slot->planned.name);
        if (same && !strcmp(item->output_id, output_id)) return item;
    }
    return NULL;
}

/* Bring one due item on its way; true if it is (or was) taken care of. */
static int begin(struct linnet_task *task, const struct linnet_due *due) {
    struct linnet_flow *flow = task->flow;
    struct linnet_slot *slot = flow->planned_slots[due->stage];
    struct linnet_flow_item *item = item_of(task, slot, due->output_id);
    if (item && item->state == LINNET_ITEM_FETCHED) return linnet_item_make_work(item, due);
    if (item && (linnet_item_in_flight(item) || strcmp(item->digest, due->inputs_digest) == 0)) return 0;
    if (item) linnet_item_free(item); /* it waits with inputs that have been replaced */
    if (is_settled(task, slot, due)) return 0;
    const char *document = task->observation.docs[due->docs[0]].id;
    if (linnet_letters_answer(flow, slot->planned.name, document, due->inputs_digest)) return 0;
    return linnet_item_begin(task, slot, &flow->planned[due->stage], due);
}

static bool still_due(const struct linnet_flow_item *item, const struct linnet_plan *plan) {
    for (size_t i = 0; i < plan->ndue; i++)
        if (item->task->flow->planned_slots[plan->due[i].stage] == item->slot &&
            strcmp(plan->due[i].output_id, item->output_id) == 0)
            return true;
    return false;
}

/* Items that wait for something and are not due any more have nothing to wait for. */
static void sweep(struct linnet_task *task, const struct linnet_plan *plan) {
    struct linnet_flow_item *item = TAILQ_FIRST(&task->items);
    while (item) {
        struct linnet_flow_item *next = TAILQ_NEXT(item, link);
        if (!linnet_item_in_flight(item) && (!plan || !still_due(item, plan))) linnet_item_free(item);
        item = next;
    }
}

/* Blobs are kept for items that wait for more of them; the work that is made holds references of its own. */
static void drop_blobs(struct linnet_task *task) {
    struct linnet_flow_item *item;
    TAILQ_FOREACH(item, &task->items, link)
    if (item->state == LINNET_ITEM_FETCHING || item->state == LINNET_ITEM_FETCHED) return;
    linnet_observation_drop_blobs(&task->observation);
    linnet_task_account(task);
}

/* Is one of the documents that the item reads about to be replaced, or (for an item of the whole observation)
 * is something on its way that leads to another document for it? What backs off is not waited for. */
static bool better_later(const struct linnet_task *task, const struct linnet_due *due) {
    const struct linnet_slot *slot = task->flow->planned_slots[due->stage];
    const struct linnet_flow_item *item;
    TAILQ_FOREACH(item, &task->items, link) {
        if (item->slot == slot || item->state == LINNET_ITEM_WAITING || item->dead || item->parked) continue;
        if (slot->planned.plugin->unit == LINNET_UNIT_OBSERVATION) return true;
        for (size_t i = 0; i < due->ndocs; i++)
            if (strcmp(task->observation.docs[due->docs[i]].id, item->output_id) == 0) return true;
    }
    return false;
}

static void act_on(struct linnet_task *task, struct linnet_plan *plan) {
    int rc = 0;
    sweep(task, plan);
    task->complete = task->flow->terminal && !plan->norphans;
    for (size_t i = 0; !rc && i < plan->ndue; i++)
        if (!plan->due[i].waits) rc = begin(task, &plan->due[i]);
    for (size_t i = 0; !rc && i < plan->ndue; i++)
        if (plan->due[i].waits && !better_later(task, &plan->due[i])) rc = begin(task, &plan->due[i]);
    if (rc) linnet_flow_fail(task->flow, rc, "an item could not be begun");
    if (plan->norphans) linnet_deletion_orphans(task, plan->orphans, plan->norphans);
    drop_blobs(task);
}

/* Has every change that waits been taken into account? */
static bool caught_up(struct linnet_task *task) {
    bool all = true;
    for (struct linnet_entry *entry = task->waiting; entry; entry = entry->waiting) {
        if (!entry->unknown) continue;
        if (linnet_known_has(&task->flow->known, entry->key))
            entry->unknown = false;
        else
            all = false;
    }
    return all;
}

static bool in_flight(const struct linnet_task *task) {
    const struct linnet_flow_item *item;
    TAILQ_FOREACH(item, &task->items, link) {
        if (linnet_item_in_flight(item)) return true;
    }
    return false;
}

/* It must be read again; what is in flight ends first, what only waits is forgotten. */
static void read_again(struct linnet_task *task) {
    sweep(task, NULL);
    if (!idle(task)) return;
    forget_asked(task);
    drop_plan(task);
    linnet_gather_add(task);
}

/* The plan as things stand; the one that was made before a sparse read still holds if that found nothing. */
static int make_plan(struct linnet_task *task) {
    const struct linnet_flow *flow = task->flow;
    if (task->planned && !task->fresh) return 0;
    drop_plan(task);
    int rc = linnet_plan_make(&task->observation, flow->planned, flow->nplanned, task->backfill, &task->plan);
    task->planned = !rc;
    task->fresh = false;
    return rc;
}

void linnet_task_plan(struct linnet_task *task) {
    struct linnet_flow *flow = task->flow;
    if (task->dropped || flow->closing) {
        if (task->dropped && idle(task)) free_task(task);
        return;
    }
    if (task->reading || task->to_read || task->writes) return;
    if (task->begun && !task->stale && !caught_up(task)) {
        /* Perhaps its own write, back before its acknowledgement: that is known as soon as nothing is in
         * flight. */
        if (in_flight(task)) return;
        task->whole = task->stale = true;
    }
    bool over = task->gone || (task->complete && idle(task));
    if (task->shed && !over) {
        task->whole = task->stale = true;
        task->shed = false;
    }
    task->begun = true;
    if (task->stale) {
        read_again(task);
        return;
    }
    if (!over) {
        int rc = make_plan(task);
        if (rc) {
            linnet_flow_fail(flow, rc, "a plan could not be made");
            return;
        }
        if (!task->whole && asks(task, &task->plan)) {
            linnet_gather_add(task);
        } else {
            act_on(task, &task->plan);
            drop_plan(task);
        }
    }
    if (!task->to_read && !task->to_plan && idle(task)) end(task);
}
