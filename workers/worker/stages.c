/* The stages that the flow has been given, and what follows from their declarations for each kind of
 * document. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/* ---- slots ---- */

static void open_metrics(struct linnet_slot *slot, struct linnet_metrics *m) {
    if (!m) return; /* what was processed and how it ended, the stage itself counts */
    char labels[128];
    snprintf(labels, sizeof(labels), "stage=\"%s\"", slot->planned.name);
    slot->m_due = linnet_metrics_counter(m, "linnet_stage_due_total", labels, "Items that were due");
    slot->m_queue =
        linnet_metrics_histogram(m, "linnet_stage_queue_seconds", labels, "Waiting for the stage, by item");
    slot->m_process = linnet_metrics_histogram(m, "linnet_stage_process_seconds", labels,
                                               "In the stage, by item: its part of the batch");
}

static bool is_simple(const struct linnet_plugin *plugin) {
    const struct linnet_input *input = plugin->inputs;
    return plugin->unit == LINNET_UNIT_DOCUMENT && input && input[0].kind && !input[1].kind &&
           (input[0].flags & LINNET_TRIGGER) && !(input[0].flags & (LINNET_OPTIONAL | LINNET_PRESENCE));
}

static void free_slot(struct linnet_slot *slot) {
    if (!slot) return;
    free((char *)slot->planned.name);
    free((char *)slot->planned.fingerprint);
    free(slot);
}

static struct linnet_slot *new_slot(const struct linnet_flow *flow, const struct linnet_flow_stage *given) {
    struct linnet_slot *slot = calloc(1, sizeof(*slot));
    if (!slot) return NULL;
    const struct linnet_plugin *plugin = linnet_stage_plugin(given->stage);
    slot->stage = given->stage;
    slot->standby = given->standby;
    slot->site = plugin->scope == LINNET_SCOPE_SITE;
    slot->simple = !slot->site && is_simple(plugin);
    slot->planned =
        (struct linnet_planned_stage){.name = strdup(linnet_stage_name(given->stage)),
                                      .plugin = plugin,
                                      .fingerprint = strdup(linnet_stage_fingerprint(given->stage)),
                                      .instance = linnet_stage_instance(given->stage),
                                      .policy = given->policy};
    for (int p = 0; p < LINNET_PRIORITIES; p++)
        TAILQ_INIT(&slot->ready[p]);
    if (!slot->planned.name || !slot->planned.fingerprint) {
        free_slot(slot);
        return NULL;
    }
    open_metrics(slot, flow->options.metrics);
    return slot;
}

/* ---- kinds ---- */

struct tables {
    struct linnet_slot **slots;
    size_t nslots;
    struct linnet_planned_stage *planned;
    struct linnet_slot **planned_slots;
    size_t nplanned;
    struct linnet_flow_kind *kinds;
    size_t nkinds;
    bool terminal;
};

static struct linnet_flow_kind *kind_of(struct tables *t, const char *name) {
    for (size_t i = 0; i < t->nkinds; i++)
        if (strcmp(t->kinds[i].name, name) == 0) return &t->kinds[i];
    struct linnet_flow_kind *grown = realloc(t->kinds, (t->nkinds + 1) * sizeof(*grown));
    if (!grown) return NULL;
    t->kinds = grown;
    struct linnet_flow_kind *kind = &grown[t->nkinds++];
    memset(kind, 0, sizeof(*kind));
    snprintf(kind->name, sizeof(kind->name), "%s", name);
    return kind;
}

static int learn_from(struct tables *t, const struct linnet_slot *slot) {
    const struct linnet_plugin *plugin = slot->planned.plugin;
    for (const struct linnet_input *input = plugin->inputs; input && input->kind; input++) {
        struct linnet_flow_kind *kind = kind_of(t, input->kind);
        if (!kind) return LINNET_E_NOMEM;
        if (slot->site) {
            kind->site |= (input->flags & LINNET_TRIGGER) != 0;
        } else {
            kind->consumed = true;
            /* One that an item cannot be made without triggers as well, by arriving. */
            kind->trigger |= (input->flags & LINNET_TRIGGER) || !(input->flags & LINNET_OPTIONAL);
        }
        if (strcmp(input->kind, "validation") == 0) kind->settled = true;
    }
    for (const char *const *name = plugin->produces; name && *name; name++) {
        if (linnet_plugin_kind_database(*name) != LINNET_DB_MAIN) continue;
        struct linnet_flow_kind *kind = kind_of(t, *name);
        if (!kind) return LINNET_E_NOMEM;
        kind->settled = true;
        kind->produced |= !slot->site;
    }
    return 0;
}

/* What apps write about an observation is settled, and its deletion carried out, by the group that works on
 * observations. */
static int learn_roots(struct tables *t) {
    static const char *const roots[] = {"observation", "image"};
    for (size_t i = 0; i < 2; i++) {
        struct linnet_flow_kind *kind = kind_of(t, roots[i]);
        if (!kind) return LINNET_E_NOMEM;
        kind->settled = true;
        if (i == 0) kind->trigger = true;
    }
    return 0;
}

static int learn(struct tables *t) {
    int rc = 0;
    bool sparse = true;
    for (size_t i = 0; !rc && i < t->nslots; i++) {
        const struct linnet_slot *slot = t->slots[i];
        rc = learn_from(t, slot);
        if (slot->site) continue;
        /* Sparse reading sees a part of an observation only: one stage that looks at more would take the part
         * for the whole. */
        sparse = sparse && slot->simple;
        if (slot->standby) continue;
        t->planned[t->nplanned] = slot->planned;
        t->planned_slots[t->nplanned++] = t->slots[i];
    }
    bool any = false;
    for (size_t i = 0; i < t->nslots; i++)
        any |= !t->slots[i]->site;
    if (!rc && any) rc = learn_roots(t);
    t->terminal = true;
    for (size_t i = 0; i < t->nkinds; i++) {
        t->kinds[i].sparse = any && sparse;
        if (t->kinds[i].produced && t->kinds[i].consumed) t->terminal = false;
    }
    return rc;
}

const struct linnet_flow_kind *linnet_flow_kind(const struct linnet_flow *flow, const char *name) {
    size_t size = strcspn(name, ":");
    for (size_t i = 0; i < flow->nkinds; i++)
        if (strncmp(flow->kinds[i].name, name, size) == 0 && !flow->kinds[i].name[size])
            return &flow->kinds[i];
    return NULL;
}

/* ---- giving, replacing ---- */

static void free_tables(struct tables *t) {
    for (size_t i = 0; t->slots && i < t->nslots; i++)
        free_slot(t->slots[i]);
    free(t->slots);
    free(t->planned);
    free(t->planned_slots);
    free(t->kinds);
}

static int make_tables(const struct linnet_flow *flow, const struct linnet_flow_stage *stages, size_t n,
                       struct tables *t) {
    memset(t, 0, sizeof(*t));
    t->slots = calloc(n ? n : 1, sizeof(struct linnet_slot *));
    t->planned = calloc(n ? n : 1, sizeof(*t->planned));
    t->planned_slots = calloc(n ? n : 1, sizeof(struct linnet_slot *));
    if (!t->slots || !t->planned || !t->planned_slots) return LINNET_E_NOMEM;
    for (; t->nslots < n; t->nslots++) {
        t->slots[t->nslots] = new_slot(flow, &stages[t->nslots]);
        if (!t->slots[t->nslots]) return LINNET_E_NOMEM;
    }
    return learn(t);
}

/* Items of a replaced slot that are not in flight are begun anew by the next plan, with the stages as they
 * are then. */
static void retire(struct linnet_flow *flow, struct linnet_slot *slot) {
    slot->replaced = true;
    for (int p = 0; p < LINNET_PRIORITIES; p++)
        while (!TAILQ_EMPTY(&slot->ready[p]))
            linnet_item_free(TAILQ_FIRST(&slot->ready[p]));
    size_t at = 0;
    struct linnet_task *task;
    while ((task = linnet_table_next(&flow->tasks, &at))) {
        struct linnet_flow_item *item = TAILQ_FIRST(&task->items);
        while (item) {
            struct linnet_flow_item *next = TAILQ_NEXT(item, link);
            if (item->slot == slot && !linnet_item_in_flight(item)) linnet_item_free(item);
            item = next;
        }
        task->complete = false;
        task->fresh = true;
        linnet_task_plan_later(task);
    }
}

void linnet_flow_sweep_slots(struct linnet_flow *flow) {
    size_t kept = 0;
    for (size_t i = 0; i < flow->nold; i++) {
        if (flow->old[i]->items || flow->old[i]->submitted)
            flow->old[kept++] = flow->old[i];
        else
            free_slot(flow->old[i]);
    }
    flow->nold = kept;
}

int linnet_flow_set_stages(struct linnet_flow *flow, const struct linnet_flow_stage *stages, size_t n,
                           struct linnet_error *err) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(linnet_stage_name(stages[i].stage), linnet_stage_name(stages[k].stage)) == 0)
                return linnet_error_set(err, LINNET_E_INVALID, "two stages are called %s",
                                        linnet_stage_name(stages[i].stage));
    struct tables t;
    int rc = make_tables(flow, stages, n, &t);
    struct linnet_slot **old =
        rc ? NULL : realloc(flow->old, (flow->nold + flow->nslots + 1) * sizeof(struct linnet_slot *));
    if (rc || !old) {
        free_tables(&t);
        return linnet_error_set(err, LINNET_E_NOMEM, "no memory for stages");
    }
    flow->old = old;
    for (size_t i = 0; i < flow->nslots; i++) {
        old[flow->nold++] = flow->slots[i];
        retire(flow, flow->slots[i]);
    }
    free(flow->slots);
    free(flow->planned);
    free(flow->planned_slots);
    free(flow->kinds);
    flow->slots = t.slots;
    flow->nslots = t.nslots;
    flow->planned = t.planned;
    flow->planned_slots = t.planned_slots;
    flow->nplanned = t.nplanned;
    flow->kinds = t.kinds;
    flow->nkinds = t.nkinds;
    flow->terminal = t.terminal;
    linnet_known_clear(&flow->known); /* what was settled may not be, by these stages */
    linnet_site_stages_changed(flow);
    return 0;
}

void linnet_flow_free_stages(struct linnet_flow *flow) {
    for (size_t i = 0; i < flow->nslots; i++)
        free_slot(flow->slots[i]);
    for (size_t i = 0; i < flow->nold; i++)
        free_slot(flow->old[i]);
    free(flow->slots);
    free(flow->old);
    free(flow->planned);
    free(flow->planned_slots);
    free(flow->kinds);
}

bool linnet_flow_needs_shares(const struct linnet_flow *flow) {
    for (size_t i = 0; i < flow->nslots; i++)
        if (!flow->slots[i]->site) return true;
    return false;
}

bool linnet_flow_needs_site(const struct linnet_flow *flow) {
    for (size_t i = 0; i < flow->nslots; i++)
        if (flow->slots[i]->site) return true;
    return false;
}

void linnet_flow_work_done(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    struct linnet_flow *flow = arg;
    for (size_t i = 0; i < flow->nslots + flow->nold; i++) {
        struct linnet_slot *slot = i < flow->nslots ? flow->slots[i] : flow->old[i - flow->nslots];
        if (slot->stage != stage) continue;
        if (!slot->site)
            linnet_item_work_done(flow, slot, work);
        else
            linnet_site_work_done(flow, slot, work);
        return;
    }
    linnet_log(LINNET_ERROR, "flow", "work of a stage that nobody knows", "stage", "s",
               linnet_stage_name(stage), NULL);
    linnet_work_free(work);
}
