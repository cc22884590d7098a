#include "plugins/fusion/fuse.h"

#include <math.h>
#include <stdlib.h>

#include "plugins/fusion/pool.h"

/* A plant or not is a distribution over two things, pooled like any other. */
static double fuse_plant(const struct fusion_config *config, const struct fusion_views *views) {
    double own[2 * FUSION_VIEWS_MAX], weights[FUSION_VIEWS_MAX], out[2];
    size_t n = 0;
    for (size_t v = 0; v < views->n; v++) {
        if (views->view[v].plant < 0) continue;
        own[2 * n] = views->view[v].plant;
        own[2 * n + 1] = 1 - views->view[v].plant;
        weights[n++] = 1;
    }
    if (n == 0) return -1;
    fusion_pool(config, own, weights, n, 2, out);
    return out[0];
}

static int fuse_views(const struct fusion_context *context, const struct fusion_views *views,
                      struct fusion_fused *fused) {
    size_t n = fused->tree.n;
    double weights[FUSION_VIEWS_MAX];
    double *rows = malloc(views->n * n * sizeof *rows);
    const double *under = fusion_labels_under(context->labels, views->model, context->model_document, NULL);
    int error = !rows;
    for (size_t v = 0; v < views->n && !error; v++) {
        weights[v] = views->view[v].weight;
        error =
            fusion_tree_complete(&fused->tree, &views->view[v], under, rows + v * n, fused->known + v * n);
    }
    if (!error) fusion_pool(context->config, rows, weights, views->n, n, fused->own);
    free(rows);
    return error ? -1 : 0;
}

/* Classes at or under a node: all of them, and those that grow in the flora. */
struct classes {
    double all, inside;
};

/* What is left of each node's own probability in the flora, as a factor: of a species its prior (all or
 * nothing where a flora is hard); of what a node holds besides its children the part of its classes that grow
 * there (all of it where the classes are not known). Returns how many species stay, or -1. */
static long factors(const struct fusion_context *context, const struct fusion_views *views,
                    const struct fusion_selection *selection, const struct fusion_tree *tree,
                    double *factor) {
    const double *all = fusion_labels_under(context->labels, views->model, context->model_document, NULL);
    const double *inside =
        fusion_labels_under(context->labels, views->model, context->model_document, selection);
    struct classes *children = calloc(tree->n, sizeof *children);
    long stay = 0;
    if (!children) return -1;
    for (uint32_t i = tree->n; i-- > 0;) {
        const struct fusion_node *node = &tree->node[i];
        uint32_t index = i == 0 ? (uint32_t)linnet_taxonomy_size(tree->taxonomy) : node->index;
        struct classes under = children[i];
        if (node->level == FUSION_SPECIES) {
            factor[i] = fusion_selection_prior(selection, tree->taxonomy, node->index, node->taxon);
            under = (struct classes){1, factor[i]};
            stay += factor[i] > 0;
        } else if (all && inside && index != LINNET_NO_TAXON) {
            double others = all[index] - under.all, others_inside = fmax(inside[index] - under.inside, 0);
            factor[i] = others > 0 ? fmin(others_inside / others, 1) : inside[index] > 0;
            under = (struct classes){fmax(all[index], under.all), fmax(inside[index], under.inside)};
        } else {
            factor[i] = 1;
        }
        if (i == 0) break;
        children[node->parent].all += under.all;
        children[node->parent].inside += under.inside;
    }
    free(children);
    return stay;
}

/* Multiply, and bring the sum back to 1; where a flora would leave no species, leave all as it is. */
static void keep_parts(struct fusion_fused *fused, const double *factor, bool emptied) {
    double kept = 0;
    for (uint32_t i = 0; i < fused->tree.n; i++)
        kept += fused->own[i] * factor[i];
    fused->emptied = emptied || !(kept > 0);
    fused->filtered = !fused->emptied;
    if (fused->emptied) return;
    fused->removed = fmax(1 - kept, 0);
    for (uint32_t i = 0; i < fused->tree.n; i++)
        fused->own[i] *= factor[i] / kept;
}

static int apply_flora(const struct fusion_context *context, const struct fusion_views *views,
                       const struct fusion_selection *selection, struct fusion_fused *fused) {
    const struct fusion_config *config = context->config;
    double outside = config->flora_mode == FUSION_FLORA_SOFT ? fmax(config->flora_outside, 1e-6) : 0;
    if (config->flora_mode == FUSION_FLORA_OFF || selection->n == 0) return 0;
    double *factor = calloc(fused->tree.n, sizeof *factor);
    if (!factor) return -1;
    long stay = factors(context, views, selection, &fused->tree, factor);
    for (uint32_t i = 0; i < fused->tree.n; i++) {
        fused->prior[i] = stay < 0 ? -1 : factor[i];
        factor[i] = outside + (1 - outside) * factor[i];
    }
    if (stay >= 0) keep_parts(fused, factor, stay == 0 && outside == 0);
    free(factor);
    return stay < 0 ? -1 : 0;
}

int fusion_fuse(const struct fusion_context *context, const struct fusion_views *views,
                const struct fusion_selection *selection, struct fusion_fused *out) {
    struct fusion_fused fused = {.plant = fuse_plant(context->config, views)};
    if (fusion_tree_make(context->taxonomy, views, &fused.tree)) return -1;
    size_t n = fused.tree.n;
    fused.own = malloc((3 + views->n) * n * sizeof *fused.own);
    if (fused.own) {
        fused.total = fused.own + n;
        fused.prior = fused.own + 2 * n;
        fused.known = fused.own + 3 * n;
        for (size_t i = 0; i < n; i++)
            fused.prior[i] = -1;
    }
    if (!fused.own || fuse_views(context, views, &fused) || apply_flora(context, views, selection, &fused)) {
        fusion_fused_done(&fused);
        return -1;
    }
    fusion_tree_sum(&fused.tree, fused.own, fused.total);
    *out = fused;
    return 0;
}

void fusion_fused_done(struct fusion_fused *fused) {
    fusion_tree_done(&fused->tree);
    free(fused->own);
    *fused = (struct fusion_fused){0};
}
