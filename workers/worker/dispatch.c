/* One change of the feed: is it ours, does it tell anything new, whose task does it belong to? This runs for
 * every change of the database, so what needs nothing leaves at the first question that says so. */
#include <string.h>

#include "workers/worker/room.h"

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/time.h"

/* Does the source answer this share's changes? */
static bool answers(const struct linnet_source *source, unsigned share) {
    const struct linnet_held_share *held = &source->flow->shares[share];
    if (source->kind == LINNET_SOURCE_PASS) return (source->shares >> share & 1) != 0;
    return held->state != LINNET_HOLD_NONE && held->state != LINNET_HOLD_RELEASING;
}

static void pass(struct linnet_source *source, const char *seq) {
    source->flow->count.answered++;
    linnet_metric_add(source->flow->m_answered, 1);
    linnet_ledger_pass(&source->ledger, seq);
}

/* Is what happens to this kind of any interest here? */
static bool matters(const struct linnet_flow_kind *kind) {
    return kind && (kind->trigger || kind->produced || kind->settled);
}

bool linnet_dispatch_wants(const struct linnet_source *source, const char *id) {
    const struct linnet_flow *flow = source->flow;
    char ulid[LINNET_ULID_SIZE] = "";
    if (strnlen(id, LINNET_ULID_SIZE) < LINNET_ULID_SIZE || id[LINNET_ULID_SIZE - 1] != ':') return false;
    const struct linnet_flow_kind *kind = linnet_flow_kind(flow, id + LINNET_ULID_SIZE);
    if (!kind || !kind->sparse || !kind->trigger || kind->produced) return false;
    memcpy(ulid, id, LINNET_ULID_SIZE - 1);
    return answers(source, linnet_share_of(ulid, LINNET_SHARES));
}

/* Can the change be worked on with its own document and a few others, without reading the whole observation?
 */
static bool sparse(const struct linnet_flow_kind *kind, const struct linnet_change *change) {
    return kind->sparse && !change->deleted && change->nrevisions <= 1 &&
           (kind->produced || change->document);
}

/* Take from the change what saves reading the whole observation. A trigger is worked on as the feed tells it;
 * should it be old news, the newer follows. A result decides whether anything is due at all, so it is read as
 * it is now: the feed may tell one that this task's forerunner has just replaced. */
static void take(struct linnet_task *task, const struct linnet_flow_kind *kind,
                 const struct linnet_change *change) {
    if (!kind->produced) {
        linnet_task_put(task, change->document);
    } else if (linnet_task_ask(task, change->id)) {
        linnet_flow_fail(task->flow, LINNET_E_NOMEM, "no memory for a change");
    }
}

/* Hand the change to the observation's task. One that has begun looks at it once its flight is over: it may
 * well be the task's own write, back by the feed before its acknowledgement. */
static void join(struct linnet_task *task, struct linnet_entry *entry, const struct linnet_flow_kind *kind,
                 const struct linnet_change *change) {
    linnet_task_wait(task, entry);
    if (task->begun)
        entry->unknown = true;
    else if (sparse(kind, change))
        take(task, kind, change);
    else
        linnet_task_read(task);
    linnet_task_plan_later(task);
}

void linnet_dispatch_change(struct linnet_source *source, const struct linnet_change *change) {
    struct linnet_flow *flow = source->flow;
    flow->count.changes++;
    linnet_metric_add(flow->m_changes, 1);
    struct linnet_id id;
    if (linnet_id_parse(change->id, &id) || id.database != LINNET_DB_MAIN) {
        pass(source, change->seq);
        return;
    }
    const struct linnet_flow_kind *kind = linnet_flow_kind(flow, id.kind);
    if (!matters(kind)) {
        pass(source, change->seq);
        return;
    }
    unsigned share = linnet_share_of(id.observation, LINNET_SHARES);
    if (!answers(source, share)) {
        pass(source, change->seq);
        return;
    }
    uint64_t key = linnet_known_key(change->id, change->revisions, change->nrevisions);
    if (linnet_known_tell(&flow->known, key)) {
        linnet_metric_add(flow->m_known, 1);
        pass(source, change->seq);
        return;
    }
    struct linnet_task *task = linnet_task_of(flow, id.observation, share, LINNET_PRIORITY_FRESH);
    struct linnet_entry *entry = task ? linnet_ledger_add(&source->ledger, change->seq) : NULL;
    if (!entry) {
        linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for a change");
        return;
    }
    entry->key = key;
    entry->since = linnet_time_monotonic();
    join(task, entry, kind, change);
}
