/* The stages of scope site: one leased owner feeds them single documents, tombstones too, in the order of a
 * feed of their own, and says from time to time up to which position their state on disk stands.
 *
 * A state depends on the latest revision of each document, so a replay does no harm, but a document must not
 * arrive after a newer revision of it. Where stages come with states of different positions, one of them
 * follows the feed at once and the others are caught up by passes; a pass leaves out what the feed has told
 * meanwhile. */
#include "workers/worker/site.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

enum { READY_MOST = 1000 /* items waiting for a stage before the feed is paused */ };

/* ---- life of one ownership ---- */

static void free_told(struct linnet_site_stage *stage) {
    size_t at = 0;
    void *id;
    while ((id = linnet_table_next(&stage->told, &at)))
        free(id);
    linnet_table_done(&stage->told);
}

static void free_site(struct linnet_site *site) {
    for (size_t i = 0; i < site->nstages; i++) {
        free_told(&site->stages[i]);
        linnet_table_done(&site->stages[i].newest);
        linnet_source_close(site->stages[i].pass);
        free(site->stages[i].position);
    }
    linnet_source_close(site->source); /* its ledger outlived the items that wait in it */
    free(site->stages);
    free(site->checkpoint);
    free(site->taking);
    free(site);
}

void linnet_site_unref(struct linnet_site *site) {
    if (--site->references) return;
    struct linnet_site **at = &site->flow->sites;
    while (*at && *at != site)
        at = &(*at)->next;
    if (*at) *at = site->next;
    free_site(site);
}

static struct linnet_site *current(const struct linnet_flow *flow) {
    struct linnet_site *site = flow->sites;
    return site && !site->over ? site : NULL;
}

static void end_site(struct linnet_site *site) {
    site->over = true;
    for (size_t i = 0; i < site->nstages; i++) {
        linnet_site_items_drop(&site->stages[i]);
        linnet_source_stop(site->stages[i].pass);
    }
    linnet_source_stop(site->source);
    linnet_task_drop_all(site->flow, LINNET_SHARE_SITE);
    linnet_letters_forget(site->flow, LINNET_SHARE_SITE);
    linnet_site_unref(site);
}

/* ---- changes ---- */

void linnet_site_change_done(struct linnet_site_change *change, bool answered) {
    (void)answered; /* when the site was lost its ledger says nothing any more */
    if (change->entry) linnet_ledger_answer(change->entry);
    free(change);
}

static const char *told_key(const void *value) {
    return value;
}

/* The feed has told this stage a document while its pass runs. */
static void remember(struct linnet_site_stage *stage, const char *id) {
    if (!stage->pass || linnet_table_get(&stage->told, id)) return;
    char *copy = strdup(id);
    if (!copy || linnet_table_put(&stage->told, copy)) {
        free(copy);
        linnet_flow_fail(stage->site->flow, LINNET_E_NOMEM, "no memory for a site's stage");
    }
}

/* Is the document what its schema says? Words if not. */
static bool sound(const struct linnet_flow *flow, const char *kind, const json_t *document,
                  struct linnet_error *why) {
    if (!flow->options.schemas || !linnet_kind_from_app(kind)) return true;
    int rc = linnet_schemas_check(flow->options.schemas, kind, document, why);
    return rc == 0 || rc == LINNET_E_NOT_FOUND;
}

static int give(struct linnet_site_stage *stage, struct linnet_site_change *change, const char *kind,
                const struct linnet_change *told) {
    struct linnet_error why;
    json_t *document = told->deleted ? NULL : told->document;
    if (!told->deleted && !document)
        return linnet_site_item_refuse(stage, change, told->id, "the document is too big to be read");
    if (document && !sound(stage->site->flow, kind, document, &why))
        return linnet_site_item_refuse(stage, change, told->id, why.detail);
    return linnet_site_item_begin(stage, change, told->id, document);
}

static bool consumes(const struct linnet_slot *slot, const char *kind) {
    const struct linnet_input *input = linnet_plugin_input(slot->planned.plugin, kind);
    return input && (input->flags & LINNET_TRIGGER);
}

bool linnet_site_wants(const struct linnet_source *source, const char *id) {
    const struct linnet_site *site = source->owner;
    struct linnet_id parsed;
    bool wanted = false;
    if (linnet_id_parse(id, &parsed)) return false;
    for (size_t i = 0; i < site->nstages; i++)
        wanted = wanted || consumes(site->stages[i].slot, parsed.kind);
    return wanted;
}

/* Does this source tell the stage this document? */
static bool is_for(const struct linnet_source *source, const struct linnet_site_stage *stage,
                   const char *kind, const char *id) {
    if (!consumes(stage->slot, kind)) return false;
    if (source == stage->site->source) return true;
    return source == stage->pass && !linnet_table_get(&stage->told, id);
}

/* A group that has no share settles the conflicts of what it reads here. `*out` waits for that; NULL if
 * there is nothing to settle. */
static int settle(struct linnet_source *source, const struct linnet_change *change,
                  const struct linnet_id *id, struct linnet_entry **out) {
    struct linnet_flow *flow = source->flow;
    const struct linnet_flow_kind *kind = linnet_flow_kind(flow, id->kind);
    if (linnet_flow_needs_shares(flow) || !kind || !kind->settled || change->nrevisions < 2) return 0;
    uint64_t key = linnet_known_key(change->id, change->revisions, change->nrevisions);
    if (linnet_known_has(&flow->known, key)) return 0;
    struct linnet_task *task =
        linnet_task_of(flow, id->observation, LINNET_SHARE_SITE, LINNET_PRIORITY_FRESH);
    struct linnet_entry *entry = task ? linnet_ledger_add(&source->ledger, change->seq) : NULL;
    if (!entry) return LINNET_E_NOMEM;
    *out = entry;
    entry->key = key;
    entry->since = linnet_time_monotonic();
    linnet_task_wait(task, entry);
    if (task->begun)
        entry->unknown = true;
    else
        linnet_task_read(task);
    linnet_task_plan_later(task);
    return 0;
}

/* What the stages wait for: `settling` if the change waits for that already, so that it is not taken for
 * answered before both have answered it. */
static struct linnet_entry *entry_for(struct linnet_source *source, const struct linnet_change *told,
                                      struct linnet_entry *settling) {
    if (settling) {
        linnet_ledger_hold(settling);
        return settling;
    }
    struct linnet_entry *entry = linnet_ledger_add(&source->ledger, told->seq);
    if (entry) entry->since = linnet_time_monotonic();
    return entry;
}

static int hand_on(struct linnet_source *source, const struct linnet_change *told, const struct linnet_id *id,
                   struct linnet_entry *settling) {
    struct linnet_site *site = source->owner;
    struct linnet_site_change *change = NULL;
    int rc = 0;
    for (size_t i = 0; !rc && i < site->nstages; i++) {
        struct linnet_site_stage *stage = &site->stages[i];
        if (!is_for(source, stage, id->kind, told->id)) continue;
        if (source == site->source) remember(stage, told->id);
        if (!change) {
            change = calloc(1, sizeof(*change));
            if (!change) return LINNET_E_NOMEM;
            change->pending = 1; /* ours, until all stages have it */
            change->entry = entry_for(source, told, settling);
            if (!change->entry) rc = LINNET_E_NOMEM;
        }
        if (!rc) rc = give(stage, change, id->kind, told);
    }
    if (!change && !settling)
        linnet_ledger_pass(&source->ledger, told->seq);
    else if (change && !--change->pending)
        linnet_site_change_done(change, true);
    return rc;
}

static bool crowded(const struct linnet_site *site) {
    const struct linnet_flow *flow = site->flow;
    if (flow->draining || flow->failed) return true;
    for (size_t i = 0; i < site->nstages; i++)
        if (site->stages[i].nready > READY_MOST) return true;
    return site->source && site->source->ledger.span > flow->options.span_limit;
}

void linnet_site_change(struct linnet_source *source, const struct linnet_change *change) {
    struct linnet_flow *flow = source->flow;
    struct linnet_id id;
    flow->count.changes++;
    linnet_metric_add(flow->m_changes, 1);
    if (linnet_id_parse(change->id, &id) || id.database != LINNET_DB_MAIN) {
        linnet_ledger_pass(&source->ledger, change->seq);
        return;
    }
    struct linnet_entry *settling = NULL;
    int rc = settle(source, change, &id, &settling);
    if (!rc) rc = hand_on(source, change, &id, settling);
    if (rc) linnet_flow_fail(flow, rc, "no memory for a change");
    linnet_source_pause(source, crowded(source->owner)); /* one read of the socket may bring thousands */
}

void linnet_site_caught_up(struct linnet_source *source) {
    struct linnet_site *site = source->owner;
    if (source == site->source)
        site->caught_up = true;
    else
        source->over = true;
}

/* ---- gaining: restore, then follow ---- */

static void follow(struct linnet_site *site) {
    struct linnet_flow *flow = site->flow;
    site->source = linnet_source_open(flow, LINNET_SOURCE_SITE, site->stages[0].position, site);
    if (!site->source) return;
    for (size_t i = 1; i < site->nstages; i++) {
        struct linnet_site_stage *stage = &site->stages[i];
        if (strcmp(stage->position, site->stages[0].position) == 0) continue;
        stage->pass = linnet_source_open(flow, LINNET_SOURCE_SITE_PASS, stage->position, site);
        if (!stage->pass) return;
    }
    linnet_log(LINNET_INFO, "site", "owned", "generation", "i", (json_int_t)site->generation, "position", "s",
               site->stages[0].position, NULL);
}

static void restored(void *arg, int error, const char *position) {
    struct linnet_site_stage *stage = arg;
    struct linnet_site *site = stage->site;
    if (error && !site->over)
        linnet_log(LINNET_WARN, "site", "a state could not be restored, to be made anew", "stage", "s",
                   stage->slot->planned.name, NULL);
    stage->position = strdup(error || !position ? "" : position);
    site->restoring--;
    if (!stage->position)
        linnet_flow_fail(site->flow, LINNET_E_NOMEM, "no memory for a site's stage");
    else if (!site->over && !site->restoring)
        follow(site);
    linnet_site_unref(site);
}

static int add_stages(struct linnet_site *site) {
    struct linnet_flow *flow = site->flow;
    site->stages = calloc(flow->nslots ? flow->nslots : 1, sizeof(*site->stages));
    if (!site->stages) return LINNET_E_NOMEM;
    for (size_t i = 0; i < flow->nslots; i++) {
        if (!flow->slots[i]->site || flow->slots[i]->standby) continue;
        struct linnet_site_stage *stage = &site->stages[site->nstages++];
        stage->site = site;
        stage->slot = flow->slots[i];
        linnet_table_init(&stage->told, told_key);
        linnet_table_init(&stage->newest, linnet_site_item_id);
        TAILQ_INIT(&stage->ready);
        TAILQ_INIT(&stage->waiting);
    }
    return 0;
}

int linnet_flow_site_gained(struct linnet_flow *flow, uint64_t generation, struct linnet_error *err) {
    if (current(flow)) return linnet_error_set(err, LINNET_E_EXISTS, "the site is owned already");
    struct linnet_site *site = calloc(1, sizeof(*site));
    if (!site) return linnet_error_set(err, LINNET_E_NOMEM, "no memory for the site");
    site->flow = flow;
    site->generation = generation;
    site->references = 1;
    int rc = add_stages(site);
    if (rc) {
        free_site(site);
        return linnet_error_set(err, rc, "no memory for the site");
    }
    site->next = flow->sites;
    flow->sites = site;
    for (size_t i = 0; !rc && i < site->nstages; i++) {
        site->restoring++;
        site->references++;
        rc = linnet_stage_restore(site->stages[i].slot->stage, restored, &site->stages[i]);
        if (rc) {
            site->restoring--;
            site->references--;
        }
    }
    if (!rc) {
        linnet_letters_load(flow);
        return 0;
    }
    end_site(site);
    return linnet_error_set(err, rc, "a site's stage could not be asked for its state");
}

void linnet_flow_site_lost(struct linnet_flow *flow) {
    struct linnet_site *site = current(flow);
    if (site) end_site(site);
}

void linnet_site_late(struct linnet_flow *flow) {
    linnet_flow_site_lost(flow);
}

/* Other stages: the site is owned anew with them. */
void linnet_site_stages_changed(struct linnet_flow *flow) {
    struct linnet_site *site = current(flow);
    if (!site) return;
    uint64_t generation = site->generation;
    struct linnet_error why;
    end_site(site);
    if (linnet_flow_site_gained(flow, generation, &why)) linnet_flow_fail(flow, why.code, why.detail);
}

/* ---- snapshots ---- */

/* Up to where this stage has seen everything. */
static const char *position_of(const struct linnet_site_stage *stage) {
    const struct linnet_source *source = stage->pass ? stage->pass : stage->site->source;
    return source ? linnet_ledger_low(&source->ledger) : NULL;
}

static void snapshot_done(void *arg, int error) {
    struct linnet_site *site = arg;
    if (error && !site->snapshot_error) site->snapshot_error = error;
    if (!--site->snapshots && !site->over) {
        if (site->snapshot_error) {
            linnet_log(LINNET_WARN, "site", "a state could not be saved", NULL);
        } else if (site->taking) {
            free(site->checkpoint);
            site->checkpoint = site->taking;
            site->taking = NULL;
        }
        free(site->taking);
        site->taking = NULL;
    }
    linnet_site_unref(site);
}

static bool snapshot_due(const struct linnet_site *site) {
    const char *low = site->source ? linnet_ledger_low(&site->source->ledger) : NULL;
    return low && !site->snapshots && (!site->checkpoint || strcmp(low, site->checkpoint) != 0);
}

static void snapshot(struct linnet_site *site, int64_t now) {
    site->next_snapshot = now + site->flow->options.snapshot_ms;
    site->snapshot_error = 0;
    bool together = true; /* no stage lags behind in a pass of its own */
    for (size_t i = 0; i < site->nstages; i++)
        together = together && !site->stages[i].pass;
    site->taking = together ? strdup(linnet_ledger_low(&site->source->ledger)) : NULL;
    for (size_t i = 0; i < site->nstages; i++) {
        const char *position = position_of(&site->stages[i]);
        if (!position) continue;
        int rc = linnet_stage_snapshot(site->stages[i].slot->stage, position, snapshot_done, site);
        if (rc) {
            site->snapshot_error = rc;
            continue;
        }
        site->snapshots++;
        site->references++;
    }
}

const char *linnet_flow_site_checkpoint(const struct linnet_flow *flow) {
    const struct linnet_site *site = current(flow);
    return site ? site->checkpoint : NULL;
}

/* ---- turns ---- */

static void end_passes(struct linnet_site *site) {
    for (size_t i = 0; i < site->nstages; i++) {
        struct linnet_site_stage *stage = &site->stages[i];
        if (!stage->pass || !stage->pass->over || stage->pass->ledger.unanswered) continue;
        linnet_source_close(stage->pass);
        stage->pass = NULL;
        free_told(stage);
    }
}

static bool settled(const struct linnet_site *site) {
    for (size_t i = 0; i < site->nstages; i++)
        if (site->stages[i].items) return false;
    return true;
}

void linnet_site_turn(struct linnet_flow *flow) {
    struct linnet_site *site = current(flow);
    if (!site) return;
    bool pause = crowded(site);
    linnet_source_pause(site->source, pause);
    end_passes(site);
    for (size_t i = 0; i < site->nstages; i++) {
        linnet_source_pause(site->stages[i].pass, pause);
        linnet_site_items_submit(&site->stages[i]);
    }
    /* Nothing is left to do: save the state now instead of leaving it to a replay. */
    if (flow->draining && settled(site) && snapshot_due(site)) snapshot(site, linnet_time_monotonic());
}

static void ticked(void *arg) {
    struct linnet_site_stage *stage = arg;
    stage->ticking = false;
    stage->turn++;
    linnet_site_unref(stage->site);
}

static void ask_for_tick(struct linnet_site_stage *stage) {
    stage->ticking = true;
    stage->site->references++;
    if (!linnet_stage_tick(stage->slot->stage, ticked, stage)) return;
    stage->ticking = false;
    stage->site->references--;
    linnet_log(LINNET_WARN, "site", "a tick could not be asked for", "stage", "s", stage->slot->planned.name,
               NULL);
}

/* The first one comes when all is read that there is: before, a state is a part of itself. Each comes when
 * everything that had come up to the return of the one before is written. */
static void tick_stage(struct linnet_site_stage *stage, int64_t now) {
    const struct linnet_plugin *plugin = stage->slot->planned.plugin;
    if (!plugin->tick || !plugin->tick_ms || now < stage->next_tick) return;
    if (stage->ticking || stage->writing[(stage->turn + 1) % 2]) return;
    if (stage->next_tick) ask_for_tick(stage);
    stage->next_tick = now + plugin->tick_ms;
}

void linnet_site_tick(struct linnet_flow *flow, int64_t now) {
    struct linnet_site *site = current(flow);
    if (!site) return;
    bool ready = site->caught_up && !flow->draining && settled(site);
    for (size_t i = 0; i < site->nstages; i++) {
        linnet_site_items_tick(&site->stages[i], now);
        if (ready || site->stages[i].next_tick) tick_stage(&site->stages[i], now);
    }
    if (now >= site->next_snapshot && snapshot_due(site)) snapshot(site, now);
}

/* ---- parked retries ---- */

struct revisit {
    struct linnet_site_stage *stage;
    char *id;
};

static void revisit_read(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                         void *arg) {
    (void)request;
    struct revisit *visit = arg;
    struct linnet_site_stage *stage = visit->stage;
    struct linnet_site *site = stage->site;
    site->flow->requests--;
    struct linnet_site_change *change = calloc(1, sizeof(*change));
    bool known = !r->error || r->error == LINNET_E_NOT_FOUND;
    if (!site->over && change && known) {
        change->pending = 1;
        if (linnet_site_item_begin(stage, change, visit->id, r->error ? NULL : r->json))
            linnet_flow_fail(site->flow, LINNET_E_NOMEM, "no memory for a retry");
        if (!--change->pending) free(change);
    } else {
        free(change);
        linnet_letters_forget_visit(site->flow, stage->slot, visit->id);
    }
    free(visit->id);
    free(visit);
    linnet_site_unref(site);
}

bool linnet_site_revisit(struct linnet_flow *flow, const struct linnet_slot *slot, const char *document) {
    struct linnet_site *site = current(flow);
    for (size_t i = 0; site && i < site->nstages; i++) {
        if (site->stages[i].slot != slot) continue;
        struct revisit *visit = calloc(1, sizeof(*visit));
        if (visit) visit->id = strdup(document);
        if (!visit || !visit->id ||
            linnet_couch_get(flow->options.couch, LINNET_DB_MAIN, document, NULL, revisit_read, visit)) {
            if (visit) free(visit->id);
            free(visit);
            return false;
        }
        visit->stage = &site->stages[i];
        site->references++;
        flow->requests++;
        return true;
    }
    return false;
}

bool linnet_site_owned(const struct linnet_flow *flow) {
    return current(flow) != NULL;
}

void linnet_site_work_done(struct linnet_flow *flow, struct linnet_slot *slot, struct linnet_work *work) {
    for (struct linnet_site *site = flow->sites; site; site = site->next)
        for (size_t i = 0; i < site->nstages; i++) {
            struct linnet_site_stage *stage = &site->stages[i];
            if (work->item.ndocs ? ((struct linnet_site_item *)work->owner)->stage == stage
                                 : stage->slot == slot && !site->over) {
                linnet_site_item_done(stage, work);
                return;
            }
        }
    linnet_work_free(work); /* a tick's, of a site that is lost */
}

bool linnet_site_idle(const struct linnet_flow *flow) {
    const struct linnet_site *site = current(flow);
    if (!site) return flow->sites == NULL;
    return flow->draining && settled(site) && !site->snapshots && !site->restoring &&
           (!snapshot_due(site) || site->snapshot_error);
}

void linnet_site_close(struct linnet_flow *flow) {
    while (flow->sites) {
        struct linnet_site *site = flow->sites;
        flow->sites = site->next;
        free_site(site);
    }
}
