#include "workers/host/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "workers/host/graph.h"
#include "workers/host/plugin.h"
#include "workers/host/provenance.h"

#define NOWHERE ((size_t)-1)

/* What one stage's items are made in. The arrays have room for every document of the observation and are used
 * again. */
struct planner {
    const struct linnet_observation *observation;
    const struct linnet_planned_stage *stage;
    size_t stage_index;
    bool backfill;
    size_t *places;                     /* of the item's documents in the observation */
    const struct linnet_input **inputs; /* what each is for the stage */
    struct linnet_doc *docs;
    char (*digests)[LINNET_DIGEST_SIZE];
    bool *keep;
    struct linnet_input_ref *refs;
    size_t n, nrefs;
    struct linnet_plan plan;
};

/* ---- the item of one trigger ---- */

static void take(struct planner *planner, size_t place, const struct linnet_input *input) {
    planner->places[planner->n] = place;
    planner->inputs[planner->n] = input;
    planner->n++;
}

/* All documents that the item has before `select`. `trigger` is NOWHERE where the unit is the observation. */
static void collect(struct planner *planner, size_t trigger) {
    const struct linnet_plugin *plugin = planner->stage->plugin;
    planner->n = 0;
    if (trigger != NOWHERE)
        take(planner, trigger, linnet_plugin_input(plugin, planner->observation->docs[trigger].kind));
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++) {
        if (trigger != NOWHERE && (input->flags & LINNET_TRIGGER)) continue;
        for (size_t i = 0; i < planner->observation->ndocs; i++)
            if (!strcmp(planner->observation->docs[i].kind, input->kind)) take(planner, i, input);
    }
}

/* Is there a trigger, and a document of every kind that must be there? */
static bool complete(const struct planner *planner) {
    const struct linnet_plugin *plugin = planner->stage->plugin;
    bool triggered = false;
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++) {
        bool present = false;
        for (size_t i = 0; i < planner->n && !present; i++)
            present = planner->inputs[i] == input;
        bool trigger = input->flags & LINNET_TRIGGER;
        triggered |= present && trigger;
        if (plugin->unit == LINNET_UNIT_DOCUMENT && trigger)
            continue; /* one of them is enough: the item's own */
        if (!present && !(input->flags & LINNET_OPTIONAL)) return false;
    }
    return triggered;
}

static int describe(struct planner *planner) {
    const char *trigger = planner->stage->plugin->unit == LINNET_UNIT_DOCUMENT
                              ? planner->observation->docs[planner->places[0]].qualifier
                              : "";
    for (size_t i = 0; i < planner->n; i++) {
        const struct linnet_held_doc *held = &planner->observation->docs[planner->places[i]];
        int rc =
            linnet_input_digest(held->json, held->digest, planner->inputs[i], trigger, planner->digests[i]);
        if (rc) return rc;
        planner->docs[i] = (struct linnet_doc){.id = held->id,
                                               .kind = held->kind,
                                               .qualifier = held->qualifier,
                                               .digest = planner->digests[i],
                                               .json = held->json};
    }
    return 0;
}

/* Let the plugin drop what does not matter. False: nothing is to be done. */
static bool choose(struct planner *planner, const struct linnet_item *item) {
    const struct linnet_planned_stage *stage = planner->stage;
    if (!stage->plugin->select || !stage->instance) return true;
    for (size_t i = 0; i < planner->n; i++)
        planner->keep[i] = true;
    if (!stage->plugin->select(stage->instance, item, planner->keep)) return false;
    if (stage->plugin->unit == LINNET_UNIT_DOCUMENT && !planner->keep[0]) return false;
    size_t kept = 0;
    for (size_t i = 0; i < planner->n; i++) {
        if (!planner->keep[i]) continue;
        if (kept != i) {
            planner->places[kept] = planner->places[i];
            planner->inputs[kept] = planner->inputs[i];
            memcpy(planner->digests[kept], planner->digests[i], LINNET_DIGEST_SIZE);
            planner->docs[kept] = planner->docs[i];
            planner->docs[kept].digest = planner->digests[kept];
        }
        kept++;
    }
    planner->n = kept;
    return complete(planner);
}

static int name_output(const struct planner *planner, const struct linnet_item *item,
                       char out[LINNET_ID_MAX]) {
    const struct linnet_planned_stage *stage = planner->stage;
    char qualifier[LINNET_ID_MAX] = "";
    if (stage->plugin->qualifier && stage->instance) {
        if (stage->plugin->qualifier(stage->instance, item, qualifier, sizeof(qualifier)))
            return LINNET_E_INVALID;
    } else if (stage->plugin->unit == LINNET_UNIT_DOCUMENT) {
        snprintf(qualifier, sizeof(qualifier), "%s", item->docs[0].qualifier);
    }
    return linnet_id_format(planner->observation->ulid, stage->plugin->produces[0], qualifier, out);
}

static void record_inputs(struct planner *planner) {
    planner->nrefs = 0;
    for (size_t i = 0; i < planner->n; i++) {
        if (planner->inputs[i]->flags & LINNET_PRESENCE) continue;
        struct linnet_input_ref *ref = &planner->refs[planner->nrefs++];
        ref->id = planner->docs[i].id;
        memcpy(ref->digest, planner->digests[i], sizeof(ref->digest));
    }
    linnet_inputs_sort(planner->refs, planner->nrefs);
}

/* ---- is it due? ---- */

static bool made_by(const struct linnet_held_doc *doc, const struct linnet_planned_stage *stage) {
    const char *name = linnet_json_string(doc->json, "stage/name", "");
    return !strcmp(name, stage->name);
}

static bool same_inputs(const struct planner *planner, const struct linnet_held_doc *doc) {
    return linnet_inputs_equal(json_object_get(doc->json, "inputs"), planner->refs, planner->nrefs);
}

/* A result of this stage, made of the same inputs with another fingerprint, under this id or another? */
static bool has_predecessor(const struct planner *planner, const char *output_id) {
    const struct linnet_planned_stage *stage = planner->stage;
    /* Where results do not record their trigger, those of different triggers look alike. */
    bool traceable =
        stage->plugin->unit == LINNET_UNIT_OBSERVATION || !(planner->inputs[0]->flags & LINNET_PRESENCE);
    for (size_t i = 0; i < planner->observation->ndocs; i++) {
        const struct linnet_held_doc *doc = &planner->observation->docs[i];
        if (strcmp(doc->kind, stage->plugin->produces[0]) != 0 || !made_by(doc, stage)) continue;
        if (!traceable && strcmp(doc->id, output_id) != 0) continue;
        const char *fingerprint = linnet_json_string(doc->json, "stage/fingerprint", "");
        if (strcmp(fingerprint, stage->fingerprint) != 0 && same_inputs(planner, doc)) return true;
    }
    return false;
}

static bool is_due(const struct planner *planner, const char *output_id, bool *outdated) {
    const struct linnet_planned_stage *stage = planner->stage;
    const struct linnet_held_doc *existing = linnet_observation_find(planner->observation, output_id);
    *outdated = existing != NULL;
    if (existing && same_inputs(planner, existing) &&
        !strcmp(linnet_json_string(existing->json, "stage/fingerprint", ""), stage->fingerprint))
        return false;
    if (!has_predecessor(planner, output_id)) return true;
    return stage->policy == LINNET_POLICY_BACKFILL ||
           (stage->policy == LINNET_POLICY_VIEW && !planner->backfill);
}

static int add_due(struct planner *planner, const char *output_id, bool outdated) {
    struct linnet_plan *plan = &planner->plan;
    struct linnet_due *more = realloc(plan->due, (plan->ndue + 1) * sizeof(*more));
    if (!more) return LINNET_E_NOMEM;
    plan->due = more;
    struct linnet_due *due = &more[plan->ndue];
    memset(due, 0, sizeof(*due));
    due->stage = planner->stage_index;
    due->ndocs = planner->n;
    due->outdated = outdated;
    due->docs = calloc(planner->n + 1, sizeof(*due->docs)); /* n may be 0 */
    due->digests = calloc(planner->n + 1, sizeof(*due->digests));
    if (!due->docs || !due->digests) {
        free(due->docs);
        free(due->digests);
        return LINNET_E_NOMEM;
    }
    memcpy(due->docs, planner->places, planner->n * sizeof(*due->docs));
    memcpy(due->digests, planner->digests, planner->n * sizeof(*due->digests));
    memcpy(due->output_id, output_id, strlen(output_id) + 1);
    linnet_result_digest(planner->stage->fingerprint, planner->refs, planner->nrefs, due->inputs_digest);
    plan->ndue++;
    return 0;
}

static int plan_item(struct planner *planner, size_t trigger) {
    collect(planner, trigger);
    if (!complete(planner)) return 0;
    int rc = describe(planner);
    if (rc) return rc;
    struct linnet_item item = {
        .observation = planner->observation->ulid, .docs = planner->docs, .ndocs = planner->n};
    if (!choose(planner, &item)) return 0;
    item.ndocs = planner->n;
    char output_id[LINNET_ID_MAX];
    if (name_output(planner, &item, output_id)) return 0;
    record_inputs(planner);
    bool outdated;
    return is_due(planner, output_id, &outdated) ? add_due(planner, output_id, outdated) : 0;
}

/* ---- results whose trigger is gone ---- */

static bool is_trigger_kind(const struct linnet_plugin *plugin, const char *kind) {
    const struct linnet_input *input = linnet_plugin_input(plugin, kind);
    return input && (input->flags & LINNET_TRIGGER);
}

/* Unit document: the trigger is named among the inputs (unless its content does not count). */
static bool trigger_gone(const struct planner *planner, const struct linnet_held_doc *doc,
                         const char **gone) {
    const json_t *inputs = json_object_get(doc->json, "inputs");
    *gone = NULL;
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const char *id = linnet_json_string(json_array_get(inputs, i), "id", "");
        struct linnet_id parsed;
        if (linnet_id_parse(id, &parsed) || !is_trigger_kind(planner->stage->plugin, parsed.kind)) continue;
        if (linnet_observation_find(planner->observation, id)) return false;
        *gone = id;
    }
    if (*gone) return true;
    for (size_t i = 0; i < planner->observation->ndocs; i++)
        if (is_trigger_kind(planner->stage->plugin, planner->observation->docs[i].kind)) return false;
    return true;
}

/* Unit observation: a kind that must be there has no document left. */
static bool context_gone(struct planner *planner, const struct linnet_held_doc *doc, const char **gone) {
    const char *missing = NULL;
    collect(planner, NOWHERE);
    for (const struct linnet_input *input = planner->stage->plugin->inputs; input->kind && !missing;
         input++) {
        bool present = input->flags & LINNET_OPTIONAL;
        for (size_t i = 0; i < planner->n && !present; i++)
            present = planner->inputs[i] == input;
        if (!present) missing = input->kind;
    }
    *gone = NULL;
    if (!missing) return false;
    const json_t *inputs = json_object_get(doc->json, "inputs");
    for (size_t i = 0; i < json_array_size(inputs) && !*gone; i++) {
        const char *id = linnet_json_string(json_array_get(inputs, i), "id", "");
        struct linnet_id parsed;
        if (!linnet_id_parse(id, &parsed) && !strcmp(parsed.kind, missing)) *gone = id;
    }
    return true;
}

static int add_orphan(struct linnet_plan *plan, const char *id, const char *gone) {
    struct linnet_orphan *more = realloc(plan->orphans, (plan->norphans + 1) * sizeof(*more));
    if (!more) return LINNET_E_NOMEM;
    plan->orphans = more;
    struct linnet_orphan orphan = {strdup(id), gone ? strdup(gone) : NULL};
    if (!orphan.id || (gone && !orphan.gone)) {
        free(orphan.id);
        free(orphan.gone);
        return LINNET_E_NOMEM;
    }
    more[plan->norphans++] = orphan;
    return 0;
}

static int plan_orphans(struct planner *planner) {
    const struct linnet_plugin *plugin = planner->stage->plugin;
    int rc = 0;
    for (size_t i = 0; !rc && i < planner->observation->ndocs; i++) {
        const struct linnet_held_doc *doc = &planner->observation->docs[i];
        const char *gone;
        if (!linnet_plugin_produces(plugin, doc->kind) || !made_by(doc, planner->stage)) continue;
        bool orphan = plugin->unit == LINNET_UNIT_DOCUMENT ? trigger_gone(planner, doc, &gone)
                                                           : context_gone(planner, doc, &gone);
        if (orphan) rc = add_orphan(&planner->plan, doc->id, gone);
    }
    return rc;
}

/* ---- all stages ---- */

static int plan_stage(struct planner *planner) {
    const struct linnet_plugin *plugin = planner->stage->plugin;
    if (plugin->scope == LINNET_SCOPE_SITE) return 0;
    int rc = plan_orphans(planner);
    if (plugin->unit == LINNET_UNIT_OBSERVATION) return rc ? rc : plan_item(planner, NOWHERE);
    for (size_t i = 0; !rc && i < planner->observation->ndocs; i++)
        if (is_trigger_kind(plugin, planner->observation->docs[i].kind)) rc = plan_item(planner, i);
    return rc;
}

/* Mark what waits for another due item: reached[s] is grown from every stage that has one along the arrows of
 * the graph. */
static int mark_waits(struct linnet_plan *plan, const struct linnet_planned_stage *stages, size_t nstages) {
    if (plan->ndue < 2) return 0;
    bool *busy = calloc(2 * nstages, sizeof(*busy));
    if (!busy) return LINNET_E_NOMEM;
    bool *reached = busy + nstages;
    for (size_t i = 0; i < plan->ndue; i++)
        busy[plan->due[i].stage] = true;
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t to = 0; to < nstages; to++)
            for (size_t from = 0; from < nstages && !reached[to]; from++)
                if ((busy[from] || reached[from]) &&
                    linnet_graph_feeds(stages[from].plugin, stages[to].plugin))
                    grown = reached[to] = true;
    }
    for (size_t i = 0; i < plan->ndue; i++)
        plan->due[i].waits = reached[plan->due[i].stage];
    free(busy);
    return 0;
}

static int planner_init(struct planner *planner, const struct linnet_observation *observation,
                        bool backfill) {
    size_t n = observation->ndocs ? observation->ndocs : 1;
    *planner = (struct planner){.observation = observation, .backfill = backfill};
    planner->places = calloc(n, sizeof(*planner->places));
    planner->inputs = calloc(n, sizeof(struct linnet_input *));
    planner->docs = calloc(n, sizeof(*planner->docs));
    planner->digests = calloc(n, sizeof(*planner->digests));
    planner->keep = calloc(n, sizeof(*planner->keep));
    planner->refs = calloc(n, sizeof(*planner->refs));
    bool made = planner->places && planner->inputs && planner->docs && planner->digests && planner->keep &&
                planner->refs;
    return made ? 0 : LINNET_E_NOMEM;
}

static void planner_done(struct planner *planner) {
    free(planner->places);
    free(planner->inputs);
    free(planner->docs);
    free(planner->digests);
    free(planner->keep);
    free(planner->refs);
}

int linnet_plan_make(const struct linnet_observation *observation, const struct linnet_planned_stage *stages,
                     size_t nstages, bool backfill, struct linnet_plan *out) {
    struct planner planner;
    int rc = planner_init(&planner, observation, backfill);
    for (size_t i = 0; !rc && i < nstages; i++) {
        planner.stage = &stages[i];
        planner.stage_index = i;
        rc = plan_stage(&planner);
    }
    if (!rc) rc = mark_waits(&planner.plan, stages, nstages);
    planner_done(&planner);
    if (rc)
        linnet_plan_done(&planner.plan);
    else
        *out = planner.plan;
    return rc;
}

void linnet_plan_done(struct linnet_plan *plan) {
    for (size_t i = 0; i < plan->ndue; i++) {
        free(plan->due[i].docs);
        free(plan->due[i].digests);
    }
    for (size_t i = 0; i < plan->norphans; i++) {
        free(plan->orphans[i].id);
        free(plan->orphans[i].gone);
    }
    free(plan->due);
    free(plan->orphans);
    memset(plan, 0, sizeof(*plan));
}

/* ---- from the plan to work ---- */

void linnet_plan_missing_blobs(const struct linnet_observation *observation,
                               const struct linnet_planned_stage *stage, const struct linnet_due *due,
                               void (*each)(void *arg, const struct linnet_held_doc *doc, const char *name),
                               void *arg) {
    for (size_t i = 0; i < due->ndocs; i++) {
        const struct linnet_held_doc *doc = &observation->docs[due->docs[i]];
        const struct linnet_input *input = linnet_plugin_input(stage->plugin, doc->kind);
        const char *name;
        json_t *attachment;
        json_object_foreach(json_object_get(doc->json, "_attachments"), name, attachment) {
            if (linnet_input_wants_blob(input, name) && !linnet_held_doc_blob(doc, name))
                each(arg, doc, name);
        }
    }
}

/* What follows the kind in an output's id. */
static char *qualifier_of(const char *output_id) {
    struct linnet_id id;
    if (linnet_id_parse(output_id, &id)) return NULL;
    return strdup(id.qualifier);
}

struct linnet_work *linnet_plan_work(const struct linnet_observation *observation,
                                     const struct linnet_planned_stage *stage, const struct linnet_due *due) {
    struct linnet_work *work = linnet_work_new(observation->ulid, due->ndocs);
    if (!work) return NULL;
    int rc = (work->qualifier = qualifier_of(due->output_id)) ? 0 : LINNET_E_NOMEM;
    for (size_t i = 0; !rc && i < due->ndocs; i++) {
        const struct linnet_held_doc *doc = &observation->docs[due->docs[i]];
        rc = linnet_work_add(work, doc, linnet_plugin_input(stage->plugin, doc->kind), due->digests[i]);
    }
    if (!rc) return work;
    linnet_work_free(work);
    return NULL;
}
