/* Where changes come from, and who answers for them.
 *
 * One feed goes on for ever. A share that is gained at another position than the feed's is caught up by a
 * pass: a reading from its checkpoint to the end as it stands, which answers that share (and others gained at
 * the same checkpoint) alone. The feed answers for it from the moment it was gained, so between them nothing
 * is missed, and what both tell is known the second time. As long as the pass is not over the share's
 * checkpoint is the pass's low-water mark, then the feed's. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/time.h"

enum { PASSES = 2 };

static bool owned(const struct linnet_held_share *share) {
    return share->state != LINNET_HOLD_NONE;
}

bool linnet_source_owns(const struct linnet_flow *flow, unsigned share) {
    return owned(&flow->shares[share]) && flow->shares[share].state != LINNET_HOLD_RELEASING;
}

/* ---- feeds ---- */

static bool is_site(const struct linnet_source *source) {
    return source->kind == LINNET_SOURCE_SITE || source->kind == LINNET_SOURCE_SITE_PASS;
}

static void change(void *arg, const struct linnet_change *change) {
    struct linnet_source *source = arg;
    source->connected = true;
    size_t size = strlen(change->seq) + 1;
    if (size > source->position_capacity) {
        char *grown = realloc(source->position, size + 64);
        if (!grown) {
            linnet_flow_fail(source->flow, LINNET_E_NOMEM, "no memory for a position");
            return;
        }
        source->position = grown;
        source->position_capacity = size + 64;
    }
    memcpy(source->position, change->seq, size);
    if (is_site(source))
        linnet_site_change(source, change);
    else if (source->kind == LINNET_SOURCE_BACKFILL)
        linnet_backfill_change(source, change);
    else
        linnet_dispatch_change(source, change);
    /* Now, not at the end of the turn: one read of the socket may bring thousands. */
    linnet_flow_pace(source->flow);
}

static void caught_up(void *arg, const char *seq) {
    struct linnet_source *source = arg;
    source->connected = true;
    /* The end's own seq is as good as a change's: on a quiet database the mark would lag behind what others
     * filtered out. */
    if (seq && *seq) linnet_ledger_pass(&source->ledger, seq);
    if (source->kind == LINNET_SOURCE_PASS || source->kind == LINNET_SOURCE_BACKFILL) source->over = true;
    if (source->kind == LINNET_SOURCE_FEED) linnet_known_caught_up(&source->flow->known);
    if (is_site(source)) linnet_site_caught_up(source);
}

static void broken(void *arg, int error, const char *detail, long retry_ms) {
    struct linnet_source *source = arg;
    source->connected = false;
    if (retry_ms < 0) {
        linnet_flow_fail(source->flow, error, detail);
        return;
    }
    linnet_log(LINNET_WARN, "feed", "broken, to be resumed", "error", "s", linnet_error_name(error), "detail",
               "s", detail, "retry_ms", "i", (json_int_t)retry_ms, NULL);
}

static bool wants(void *arg, const char *id) {
    const struct linnet_source *source = arg;
    return is_site(source) ? linnet_site_wants(source, id) : linnet_dispatch_wants(source, id);
}

/* Does anything downstream use the documents that a feed can bring along? */
static bool wants_documents(const struct linnet_flow *flow, enum linnet_source_kind kind) {
    if (kind == LINNET_SOURCE_SITE || kind == LINNET_SOURCE_SITE_PASS) return true;
    if (kind == LINNET_SOURCE_BACKFILL) return false;
    for (size_t i = 0; i < flow->nkinds; i++)
        if (flow->kinds[i].sparse && (flow->kinds[i].trigger || flow->kinds[i].produced)) return true;
    return false;
}

static void free_source(struct linnet_source *source) {
    linnet_ledger_done(&source->ledger);
    free(source->position);
    free(source->since);
    free(source);
}

struct linnet_source *linnet_source_open(struct linnet_flow *flow, enum linnet_source_kind kind,
                                         const char *since, void *owner) {
    static const struct linnet_changes_events events = {
        .change = change, .caught_up = caught_up, .broken = broken, .wants = wants};
    struct linnet_source *source = calloc(1, sizeof(*source));
    struct linnet_error why = {.code = LINNET_E_NOMEM, .detail = "no memory for a feed"};
    bool endless = kind == LINNET_SOURCE_FEED || kind == LINNET_SOURCE_SITE;
    int rc = source ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        source->flow = flow;
        source->kind = kind;
        source->owner = owner;
        source->since = strdup(since ? since : "");
        rc = source->since ? linnet_ledger_init(&source->ledger, since) : LINNET_E_NOMEM;
    }
    struct linnet_changes_options options = {.database = LINNET_DB_MAIN,
                                             .since = since,
                                             .include_docs = wants_documents(flow, kind),
                                             .continuous = endless};
    if (!rc) rc = linnet_changes_open(flow->options.couch, &options, &events, source, &source->changes, &why);
    if (!rc) return source;
    if (source) free_source(source);
    linnet_flow_fail(flow, rc, why.detail);
    return NULL;
}

void linnet_source_stop(struct linnet_source *source) {
    if (!source) return;
    linnet_changes_close(source->changes);
    source->changes = NULL;
}

void linnet_source_close(struct linnet_source *source) {
    if (!source) return;
    linnet_source_stop(source);
    free_source(source);
}

void linnet_source_pause(struct linnet_source *source, bool pause) {
    if (!source || !source->changes || source->paused == pause) return;
    source->paused = pause;
    if (pause)
        linnet_changes_pause(source->changes);
    else
        linnet_changes_resume(source->changes);
}

/* ---- gaining ---- */

static void set_since(struct linnet_held_share *share, const char *since) {
    char *copy = strdup(since ? since : "");
    if (!copy) return; /* the old one is lower, which is safe */
    free(share->since);
    share->since = copy;
}

int linnet_flow_shares_gained(struct linnet_flow *flow, const struct linnet_flow_gain *gains, size_t n,
                              struct linnet_error *err) {
    for (size_t i = 0; i < n; i++) {
        if (gains[i].share >= LINNET_SHARES)
            return linnet_error_set(err, LINNET_E_INVALID, "there is no share %u", gains[i].share);
        if (owned(&flow->shares[gains[i].share]))
            return linnet_error_set(err, LINNET_E_EXISTS, "share %u is owned already", gains[i].share);
    }
    for (size_t i = 0; i < n; i++) {
        struct linnet_held_share *share = &flow->shares[gains[i].share];
        set_since(share, gains[i].checkpoint);
        if (!share->since) return linnet_error_set(err, LINNET_E_NOMEM, "no memory for a share");
        share->state = LINNET_HOLD_LOADING;
        share->source = NULL;
    }
    if (!n) return 0;
    flow->loading = true;
    linnet_letters_load(flow);
    linnet_backfill_shares_changed(flow);
    return 0;
}

/* The commonest checkpoint among the shares that have just been loaded. */
static const char *commonest(const struct linnet_flow *flow) {
    const char *best = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        if (flow->shares[i].state != LINNET_HOLD_LOADING) continue;
        unsigned n = 0;
        for (unsigned k = i; k < LINNET_SHARES; k++)
            n += flow->shares[k].state == LINNET_HOLD_LOADING &&
                 strcmp(flow->shares[k].since, flow->shares[i].since) == 0;
        if (n <= most) continue;
        most = n;
        best = flow->shares[i].since;
    }
    return best;
}

/* Is this where the feed stands, so that nothing lies between? */
static bool at_the_feed(const struct linnet_flow *flow, const char *since) {
    const struct linnet_source *feed = flow->feed;
    return strcmp(since, feed->position ? feed->position : feed->since) == 0;
}

void linnet_source_shares_loaded(struct linnet_flow *flow) {
    flow->loading = false;
    const char *start = commonest(flow);
    if (!start) return;
    if (!flow->feed) flow->feed = linnet_source_open(flow, LINNET_SOURCE_FEED, start, NULL);
    if (!flow->feed) return;
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        struct linnet_held_share *share = &flow->shares[i];
        if (share->state != LINNET_HOLD_LOADING) continue;
        bool live = at_the_feed(flow, share->since);
        share->state = live ? LINNET_HOLD_LIVE : LINNET_HOLD_WAITING;
        share->source = live ? flow->feed : NULL;
    }
}

/* ---- passes ---- */

static size_t count_passes(const struct linnet_flow *flow) {
    size_t n = 0;
    const struct linnet_source *source;
    TAILQ_FOREACH(source, &flow->passes, link) n += source->kind == LINNET_SOURCE_PASS;
    return n;
}

static void begin_pass(struct linnet_flow *flow, unsigned first) {
    const char *since = flow->shares[first].since;
    struct linnet_source *pass = linnet_source_open(flow, LINNET_SOURCE_PASS, since, NULL);
    if (!pass) return;
    size_t n = 0;
    for (unsigned i = first; i < LINNET_SHARES; i++) {
        struct linnet_held_share *share = &flow->shares[i];
        if (share->state != LINNET_HOLD_WAITING || strcmp(share->since, pass->since) != 0) continue;
        share->state = LINNET_HOLD_PASSING;
        share->source = pass;
        pass->shares |= (uint64_t)1 << i;
        n++;
    }
    TAILQ_INSERT_TAIL(&flow->passes, pass, link);
    linnet_source_pause(pass, flow->paused);
    linnet_log(LINNET_INFO, "feed", "catching up", "shares", "i", (json_int_t)n, NULL);
}

static void end_pass(struct linnet_source *pass) {
    struct linnet_flow *flow = pass->flow;
    const char *low = linnet_ledger_low(&pass->ledger);
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        struct linnet_held_share *share = &flow->shares[i];
        if (share->source != pass) continue;
        if (low) set_since(share, low);
        share->state = LINNET_HOLD_LIVE;
        share->source = flow->feed;
    }
    TAILQ_REMOVE(&flow->passes, pass, link);
    linnet_source_close(pass);
}

static void tell_released(struct linnet_flow *flow) {
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        struct linnet_held_share *share = &flow->shares[i];
        void (*released)(void *, unsigned) = share->released;
        if (!released || share->tasks) continue;
        share->released = NULL;
        flow->releasing--;
        if (share->frozen) set_since(share, share->frozen);
        released(share->released_arg, i);
    }
}

void linnet_source_turn(struct linnet_flow *flow) {
    struct linnet_source *source = TAILQ_FIRST(&flow->passes);
    while (source) {
        struct linnet_source *next = TAILQ_NEXT(source, link);
        if (source->kind == LINNET_SOURCE_PASS &&
            (!source->shares || (source->over && !source->ledger.unanswered)))
            end_pass(source);
        source = next;
    }
    for (unsigned i = 0; i < LINNET_SHARES && !flow->draining && !flow->failed; i++)
        if (flow->shares[i].state == LINNET_HOLD_WAITING && count_passes(flow) < PASSES) begin_pass(flow, i);
    if (flow->releasing) tell_released(flow);
}

/* ---- giving up ---- */

static void forget_share(struct linnet_flow *flow, unsigned i) {
    struct linnet_held_share *share = &flow->shares[i];
    if (share->state == LINNET_HOLD_PASSING) share->source->shares &= ~((uint64_t)1 << i);
    linnet_task_drop_all(flow, (int)i);
    if (share->released) flow->releasing--;
    free(share->since);
    free(share->frozen);
    memset(share, 0, sizeof(*share));
    linnet_letters_forget(flow, (int)i);
    linnet_backfill_shares_changed(flow);
}

void linnet_flow_share_lost(struct linnet_flow *flow, unsigned share) {
    if (share < LINNET_SHARES && owned(&flow->shares[share])) forget_share(flow, share);
}

void linnet_source_late(struct linnet_flow *flow, int share) {
    linnet_log(LINNET_WARN, "flow", "lease too old to write under", "share", "i", (json_int_t)share, NULL);
    if (share == LINNET_SHARE_SITE) {
        linnet_site_late(flow);
    } else {
        if (!owned(&flow->shares[share])) return;
        forget_share(flow, (unsigned)share);
    }
    if (flow->options.events.late) flow->options.events.late(flow->options.arg, share);
}

int linnet_flow_share_release(struct linnet_flow *flow, unsigned share,
                              void (*done)(void *arg, unsigned share), void *arg) {
    if (share >= LINNET_SHARES || !owned(&flow->shares[share])) return LINNET_E_NOT_FOUND;
    struct linnet_held_share *held = &flow->shares[share];
    const char *low = linnet_flow_checkpoint(flow, share);
    /* When its tasks have ended, everything of this share that the feed has told is answered, whatever other
     * shares still wait for. */
    if (held->state == LINNET_HOLD_LIVE && flow->feed->position) held->frozen = strdup(flow->feed->position);
    if (held->state == LINNET_HOLD_PASSING) held->source->shares &= ~((uint64_t)1 << share);
    bool live = held->state == LINNET_HOLD_LIVE;
    if (low) set_since(held, low);
    held->source = NULL;
    held->state = LINNET_HOLD_RELEASING;
    if (!live)
        linnet_task_drop_all(flow,
                             (int)share); /* its checkpoint stays where it was; another owner does them */
    held->released = done;
    held->released_arg = arg;
    flow->releasing++;
    return 0;
}

/* ---- checkpoints ---- */

const char *linnet_flow_checkpoint(const struct linnet_flow *flow, unsigned share) {
    if (share >= LINNET_SHARES || !owned(&flow->shares[share])) return NULL;
    const struct linnet_held_share *held = &flow->shares[share];
    const char *low = held->source ? linnet_ledger_low(&held->source->ledger) : NULL;
    if (!low) low = held->since;
    return low && *low ? low : NULL;
}

bool linnet_flow_ready(const struct linnet_flow *flow) {
    if (flow->failed || flow->loading || (flow->feed && !flow->feed->connected)) return false;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        if (flow->shares[i].state == LINNET_HOLD_LOADING || flow->shares[i].state == LINNET_HOLD_WAITING)
            return false;
    return true;
}

void linnet_source_close_all(struct linnet_flow *flow) {
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        free(flow->shares[i].since);
        free(flow->shares[i].frozen);
        memset(&flow->shares[i], 0, sizeof(flow->shares[i]));
    }
    struct linnet_source *source;
    while ((source = TAILQ_FIRST(&flow->passes))) {
        TAILQ_REMOVE(&flow->passes, source, link);
        linnet_source_close(source);
    }
    linnet_source_close(flow->feed);
    flow->feed = NULL;
}
