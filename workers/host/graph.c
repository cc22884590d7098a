#include "workers/host/graph.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "workers/host/observation.h"
#include "workers/host/plugin.h"

bool linnet_graph_feeds(const struct linnet_plugin *from, const struct linnet_plugin *to) {
    for (const char *const *kind = from->produces; *kind; kind++)
        if (linnet_plugin_input(to, *kind)) return true;
    return false;
}

static bool listed(const char *const *kinds, const char *kind) {
    for (; kinds && *kinds; kinds++)
        if (!strcmp(*kinds, kind) || !strcmp(*kinds, "*")) return true;
    return false;
}

static int check_names(const struct linnet_graph_stage *stages, size_t n, struct linnet_error *err) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(stages[i].name, stages[j].name))
                return linnet_error_set(err, LINNET_E_INVALID,
                                        "two stages are named %s: give one another name", stages[i].name);
    return 0;
}

static int check_producers(const struct linnet_graph_stage *stages, size_t n, const char *const *elsewhere,
                           struct linnet_error *err) {
    for (size_t i = 0; i < n; i++)
        for (const struct linnet_input *input = stages[i].plugin->inputs; input->kind; input++) {
            bool produced = linnet_kind_from_app(input->kind) || listed(elsewhere, input->kind);
            for (size_t j = 0; j < n && !produced; j++)
                produced = linnet_plugin_produces(stages[j].plugin, input->kind);
            if (!produced && !(input->flags & LINNET_OPTIONAL))
                return linnet_error_set(
                    err, LINNET_E_INVALID,
                    "the stage %s needs documents of kind %s, and no stage produces them: add one that "
                    "does, or say that another group has it",
                    stages[i].name, input->kind);
        }
    return 0;
}

/* Two stages may produce one kind if each says which of its documents are its own (by `qualifier`, or by
 * naming them at each emit as scope `site` does). */
static int check_writers(const struct linnet_graph_stage *stages, size_t n, struct linnet_error *err) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const struct linnet_plugin *one = stages[j].plugin, *other = stages[i].plugin;
            if (one->scope == LINNET_SCOPE_SITE || other->scope == LINNET_SCOPE_SITE) continue;
            if (one->qualifier && other->qualifier) continue;
            for (const char *const *kind = one->produces; *kind; kind++)
                if (linnet_plugin_produces(other, *kind))
                    return linnet_error_set(err, LINNET_E_INVALID,
                                            "the stages %s and %s would both write the same %s documents",
                                            stages[j].name, stages[i].name, *kind);
        }
    return 0;
}

/* Every stage that is not placed waits for one that is not placed either: walk back until one comes again. */
static int tell_cycle(const struct linnet_graph_stage *stages, size_t n, const bool *placed,
                      struct linnet_error *err) {
    size_t at = 0;
    while (placed[at])
        at++;
    for (size_t step = 0; step < 2 * n;
         step++) { /* after n steps `at` is on the cycle, after n more it went round */
        size_t from = 0;
        while (placed[from] || !linnet_graph_feeds(stages[from].plugin, stages[at].plugin))
            from++;
        at = from;
    }
    struct linnet_buf words = {0};
    size_t start = at;
    int rc = linnet_buf_append_string(&words, stages[at].name);
    do {
        size_t from = 0;
        while (placed[from] || !linnet_graph_feeds(stages[from].plugin, stages[at].plugin))
            from++;
        at = from;
        if (!rc)
            rc = linnet_buf_printf(&words, " needs what %s produces%s", stages[at].name,
                                   at == start ? "" : ", which");
    } while (at != start && words.size < 400);
    linnet_error_set(err, LINNET_E_INVALID, "the stages wait for each other: %s",
                     rc ? "a cycle" : words.data);
    linnet_buf_done(&words);
    return LINNET_E_INVALID;
}

/* Kahn's algorithm, taking the first that is ready each time: stages that don't depend on each other stay as
 * given. */
static int sort(const struct linnet_graph_stage *stages, size_t n, size_t *order, bool *placed,
                struct linnet_error *err) {
    for (size_t done = 0; done < n; done++) {
        size_t next = n;
        for (size_t i = 0; i < n && next == n; i++) {
            bool ready = !placed[i];
            for (size_t from = 0; from < n && ready; from++)
                if (!placed[from] && linnet_graph_feeds(stages[from].plugin, stages[i].plugin)) ready = false;
            if (ready) next = i;
        }
        if (next == n) return tell_cycle(stages, n, placed, err);
        placed[next] = true;
        order[done] = next;
    }
    return 0;
}

int linnet_graph_make(const struct linnet_graph_stage *stages, size_t n, const char *const *elsewhere,
                      struct linnet_graph *out, struct linnet_error *err) {
    int rc = check_names(stages, n, err);
    if (!rc) rc = check_producers(stages, n, elsewhere, err);
    if (!rc) rc = check_writers(stages, n, err);
    if (rc) return rc;
    size_t *order = calloc(n ? n : 1, sizeof(*order));
    bool *placed = calloc(n ? n : 1, sizeof(*placed));
    rc = order && placed ? sort(stages, n, order, placed, err)
                         : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    free(placed);
    if (rc) {
        free(order);
        return rc;
    }
    *out = (struct linnet_graph){order, n};
    return 0;
}

void linnet_graph_done(struct linnet_graph *graph) {
    free(graph->order);
    *graph = (struct linnet_graph){0};
}
