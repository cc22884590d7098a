/* Making again what was made with other fingerprints: a pass over all observations of the shares that are
 * owned, as slowly as fresh work wants it. How far it has come is kept for each share in linnet-ops, so it
 * goes on where it was, here or at another member. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

enum {
    VISITS = 64,       /* observations at once when nothing else is to do */
    FRESH_TO_ONE = 20, /* and beside fresh ones: one to so many, at least */
    VISITS_LEAST = 2,
    SAVE_MS = 5000
};

enum progress { UNKNOWN, ASKED, TODO, RUNNING, DONE };

struct linnet_backfill {
    struct linnet_backfill *next;
    struct linnet_flow *flow;
    char *stage, *fingerprint;
    struct {
        enum progress progress;
        char *position; /* "": from the beginning */
    } shares[LINNET_SHARES];
    struct linnet_source *pass;
    size_t active; /* visits under way */
    uint64_t visited, computed;
    int64_t next_save;
    bool asking, stopped;
    size_t references; /* requests and visits */
    struct linnet_metric *m_visited;
};

static void free_backfill(struct linnet_backfill *b) {
    for (int i = 0; i < LINNET_SHARES; i++)
        free(b->shares[i].position);
    free(b->stage);
    free(b->fingerprint);
    free(b);
}

static void unref(struct linnet_backfill *b) {
    if (--b->references == 0) free_backfill(b);
}

static struct linnet_slot *slot_of(const struct linnet_flow *flow, const char *stage) {
    for (size_t i = 0; i < flow->nslots; i++)
        if (!flow->slots[i]->site && strcmp(flow->slots[i]->planned.name, stage) == 0) return flow->slots[i];
    return NULL;
}

/* ---- positions ---- */

static json_t *id_of(const struct linnet_backfill *b, unsigned share) {
    return json_sprintf("backfill:%s:%s-%02u", b->stage, b->fingerprint, share);
}

static void take_position(struct linnet_backfill *b, unsigned share, const json_t *document) {
    if (b->shares[share].progress != ASKED) return; /* lost meanwhile */
    bool done = linnet_json_bool(document, "done", false);
    free(b->shares[share].position);
    b->shares[share].position = strdup(linnet_json_string(document, "position", ""));
    b->shares[share].progress = done ? DONE : TODO;
    if (!b->shares[share].position) linnet_flow_fail(b->flow, LINNET_E_NOMEM, "no memory for a backfill");
}

static void positions_read(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                           void *arg) {
    (void)request;
    struct linnet_backfill *b = arg;
    const json_t *rows = r->error ? NULL : json_object_get(r->json, "rows"), *row;
    b->flow->requests--;
    b->asking = false;
    size_t i;
    for (unsigned s = 0; s < LINNET_SHARES && !rows; s++)
        if (b->shares[s].progress == ASKED) b->shares[s].progress = UNKNOWN; /* asked again by a later turn */
    json_array_foreach(rows, i, row) {
        const char *key = linnet_json_string(row, "key", ""), *dash = strrchr(key, '-');
        unsigned share = dash ? (unsigned)strtoul(dash + 1, NULL, 10) : LINNET_SHARES;
        if (share < LINNET_SHARES) take_position(b, share, json_object_get(row, "doc"));
    }
    unref(b);
}

static void ask_positions(struct linnet_backfill *b) {
    struct linnet_flow *flow = b->flow;
    json_t *keys = json_array();
    for (unsigned i = 0; keys && i < LINNET_SHARES; i++) {
        if (b->shares[i].progress != UNKNOWN || !linnet_source_owns(flow, i)) continue;
        if (!json_array_append_new(keys, id_of(b, i))) b->shares[i].progress = ASKED;
    }
    if (json_array_size(keys) &&
        !linnet_couch_all_docs(flow->options.couch, LINNET_DB_OPS, keys, true, positions_read, b)) {
        b->asking = true;
        b->references++;
        flow->requests++;
    }
    json_decref(keys);
}

static void saved(struct linnet_write *write, int error, const char *detail) {
    if (error && error != LINNET_E_CANCELLED)
        linnet_log(LINNET_WARN, "backfill", "a position could not be saved", "id", "s", write->id, "error",
                   "s", detail, NULL);
    linnet_write_free(write);
}

static void save(struct linnet_backfill *b, unsigned share, const char *position, bool done) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    json_t *id = id_of(b, share);
    if (write && id) {
        write->mode = LINNET_WRITE_OVER;
        write->share = (int)share;
        write->id = strdup(json_string_value(id));
        write->document = json_pack("{s:O, s:s, s:s, s:s, s:b, s:I, s:I}", "_id", id, "kind", "backfill",
                                    "stage", b->stage, "position", position, "done", done, "visited",
                                    (json_int_t)b->visited, "computed", (json_int_t)b->computed);
        write->done = saved;
    }
    json_decref(id);
    if (write && write->id && write->document)
        linnet_writer_add(b->flow->writers[LINNET_DB_OPS], write);
    else
        linnet_write_free(write); /* the old position stands, which costs a second look */
}

static void save_all(struct linnet_backfill *b, bool done) {
    const char *low = b->pass ? linnet_ledger_low(&b->pass->ledger) : NULL;
    if (!low && !done) return;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        if (b->shares[i].progress == RUNNING) save(b, i, low ? low : "", done);
}

/* ---- the pass ---- */

static bool fits(const struct linnet_backfill *b, unsigned share, const char *position) {
    return b->shares[share].progress == TODO && linnet_source_owns(b->flow, share) &&
           strcmp(b->shares[share].position, position) == 0;
}

static void begin_pass(struct linnet_backfill *b) {
    struct linnet_flow *flow = b->flow;
    const char *position = NULL;
    for (unsigned i = 0; i < LINNET_SHARES && !position; i++)
        if (b->shares[i].progress == TODO && linnet_source_owns(flow, i)) position = b->shares[i].position;
    if (!position) return;
    b->pass = linnet_source_open(flow, LINNET_SOURCE_BACKFILL, position, b);
    if (!b->pass) return;
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        if (!fits(b, i, position)) continue;
        b->shares[i].progress = RUNNING;
        b->pass->shares |= (uint64_t)1 << i;
    }
    TAILQ_INSERT_TAIL(&flow->passes, b->pass, link);
}

static void close_pass(struct linnet_backfill *b) {
    TAILQ_REMOVE(&b->flow->passes, b->pass, link);
    linnet_source_close(b->pass);
    b->pass = NULL;
}

static void end_pass(struct linnet_backfill *b) {
    save_all(b, true);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        if (b->shares[i].progress == RUNNING) b->shares[i].progress = DONE;
    close_pass(b);
    linnet_log(LINNET_INFO, "backfill", "pass over", "stage", "s", b->stage, "visited", "i",
               (json_int_t)b->visited, "computed", "i", (json_int_t)b->computed, NULL);
}

/* How many observations may be visited now? */
static size_t allowed(const struct linnet_flow *flow, const struct linnet_backfill *b) {
    size_t fresh = flow->ntasks > b->active ? flow->ntasks - b->active : 0;
    if (!fresh) return VISITS;
    return fresh / FRESH_TO_ONE > VISITS_LEAST ? fresh / FRESH_TO_ONE : VISITS_LEAST;
}

static void pace(struct linnet_backfill *b) {
    linnet_source_pause(b->pass, b->flow->paused || b->active >= allowed(b->flow, b));
}

void linnet_backfill_change(struct linnet_source *source, const struct linnet_change *change) {
    struct linnet_backfill *b = source->owner;
    struct linnet_flow *flow = b->flow;
    struct linnet_id id;
    bool visit = !linnet_id_parse(change->id, &id) && id.database == LINNET_DB_MAIN && !change->deleted &&
                 strcmp(id.kind, "observation") == 0;
    unsigned share = visit ? linnet_share_of(id.observation, LINNET_SHARES) : 0;
    if (!visit || !(source->shares >> share & 1)) {
        linnet_ledger_pass(&source->ledger, change->seq);
        return;
    }
    struct linnet_task *task = linnet_task_of(flow, id.observation, (int)share, LINNET_PRIORITY_BACKFILL);
    struct linnet_entry *entry = task ? linnet_ledger_add(&source->ledger, change->seq) : NULL;
    if (!entry) {
        linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for a backfill");
        return;
    }
    entry->since = linnet_time_monotonic();
    entry->key = linnet_known_key(change->id, change->revisions, change->nrevisions);
    linnet_task_wait(task, entry);
    task->backfill = true;
    if (!task->visitor) {
        task->visitor = b;
        b->active++;
        b->references++;
    }
    linnet_task_read(task);
    pace(b); /* one read of the socket may bring thousands */
}

void linnet_backfill_task_ended(struct linnet_task *task) {
    struct linnet_backfill *b = task->visitor;
    task->visitor = NULL;
    b->active--;
    b->visited++;
    unref(b);
}

void linnet_backfill_computed(struct linnet_task *task) {
    if (task->visitor) task->visitor->computed++;
}

static void turn_one(struct linnet_backfill *b) {
    struct linnet_flow *flow = b->flow;
    bool unknown = false;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        unknown |= b->shares[i].progress == UNKNOWN && linnet_source_owns(flow, i);
    if (unknown && !b->asking) ask_positions(b);
    if (!b->pass && !b->asking) begin_pass(b);
    if (!b->pass) return;
    pace(b);
    if ((b->pass->over && !b->pass->ledger.unanswered) || !b->pass->shares) end_pass(b);
}

void linnet_backfill_turn(struct linnet_flow *flow) {
    if (flow->loading || flow->draining) return;
    /* One at a time: two would only take turns in the same queues. */
    for (struct linnet_backfill *b = flow->backfills; b; b = b->next) {
        turn_one(b);
        if (b->pass || b->asking) return;
    }
}

void linnet_backfill_tick(struct linnet_flow *flow, int64_t now) {
    for (struct linnet_backfill *b = flow->backfills; b; b = b->next) {
        if (!b->pass || now < b->next_save) continue;
        if (b->next_save) save_all(b, false);
        b->next_save = now + SAVE_MS;
    }
}

void linnet_backfill_shares_changed(struct linnet_flow *flow) {
    for (struct linnet_backfill *b = flow->backfills; b; b = b->next)
        for (unsigned i = 0; i < LINNET_SHARES; i++) {
            if (linnet_source_owns(flow, i)) continue;
            b->shares[i].progress = UNKNOWN;
            if (b->pass) b->pass->shares &= ~((uint64_t)1 << i);
        }
}

/* ---- asked for, and not any more ---- */

int linnet_flow_backfill(struct linnet_flow *flow, const char *stage, struct linnet_error *err) {
    const struct linnet_slot *slot = slot_of(flow, stage);
    if (!slot) return linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no stage %s here", stage);
    for (struct linnet_backfill *b = flow->backfills; b; b = b->next)
        if (strcmp(b->stage, stage) == 0 && strcmp(b->fingerprint, slot->planned.fingerprint) == 0) return 0;
    linnet_flow_backfill_stop(flow, stage); /* one for another fingerprint has no object any more */
    struct linnet_backfill *b = calloc(1, sizeof(*b));
    if (b) {
        b->flow = flow;
        b->references = 1;
        b->stage = strdup(stage);
        b->fingerprint = strdup(slot->planned.fingerprint);
    }
    if (!b || !b->stage || !b->fingerprint) {
        if (b) free_backfill(b);
        return linnet_error_set(err, LINNET_E_NOMEM, "no memory for a backfill");
    }
    struct linnet_backfill **last = &flow->backfills;
    while (*last)
        last = &(*last)->next;
    *last = b;
    return 0;
}

/* Visits under way end as visits of nobody. */
static void let_go(struct linnet_backfill *b) {
    struct linnet_flow *flow = b->flow;
    if (!b->pass) return;
    save_all(b, false);
    linnet_task_forget_ledger(flow, &b->pass->ledger);
    close_pass(b);
}

void linnet_flow_backfill_stop(struct linnet_flow *flow, const char *stage) {
    struct linnet_backfill **at = &flow->backfills;
    while (*at) {
        struct linnet_backfill *b = *at;
        if (strcmp(b->stage, stage) != 0) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        let_go(b);
        unref(b);
    }
}

void linnet_backfill_close(struct linnet_flow *flow) {
    while (flow->backfills)
        linnet_flow_backfill_stop(flow, flow->backfills->stage);
}

int linnet_backfill_status(const struct linnet_flow *flow, json_t *out) {
    for (const struct linnet_backfill *b = flow->backfills; b; b = b->next) {
        bool done = !b->pass && !b->asking;
        for (unsigned i = 0; i < LINNET_SHARES; i++)
            if (linnet_source_owns(flow, i) && b->shares[i].progress != DONE) done = false;
        if (json_object_set_new(out, b->stage,
                                json_pack("{s:I, s:I, s:b}", "visited", (json_int_t)b->visited, "computed",
                                          (json_int_t)b->computed, "done", done)))
            return LINNET_E_NOMEM;
    }
    return 0;
}
