#include "plugins/fusion/rollup.h"

#include <stdlib.h>
#include <string.h>

struct ranked {
    uint32_t place;
    double total;
    const char *taxon;
};

static int by_total(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    return strcmp(x->taxon, y->taxon);
}

long fusion_rank(const struct fusion_tree *tree, const double *total, enum fusion_level level,
                 uint32_t *places, size_t most) {
    struct ranked *ranked = malloc(tree->n * sizeof *ranked);
    size_t n = 0;
    if (!ranked) return -1;
    for (uint32_t i = 1; i < tree->n; i++)
        if (tree->node[i].level == level && total[i] > 0)
            ranked[n++] = (struct ranked){i, total[i], tree->node[i].taxon};
    qsort(ranked, n, sizeof *ranked, by_total);
    if (n > most) n = most;
    for (size_t i = 0; i < n; i++)
        places[i] = ranked[i].place;
    free(ranked);
    return (long)n;
}

/* A node's own probability, on behalf of one of the taxa above it (or itself). */
struct part {
    uint32_t taxon;
    double mass;
};

static int by_taxon(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    if (x->taxon != y->taxon) return x->taxon < y->taxon ? -1 : 1;
    return (x->mass > y->mass) - (x->mass < y->mass);
}

/* All parts, sorted by taxon. NULL: out of memory. */
static struct part *collect(const struct fusion_tree *tree, const double *own, size_t *count) {
    size_t n = 0, room = 1;
    for (uint32_t i = 1; i < tree->n; i++)
        if (tree->node[i].index != LINNET_NO_TAXON)
            room += linnet_taxonomy_at(tree->taxonomy, tree->node[i].index)->depth + 1;
    struct part *parts = malloc(room * sizeof *parts);
    for (uint32_t i = 1; parts && i < tree->n; i++) {
        uint32_t taxon = tree->node[i].index;
        for (; own[i] > 0 && taxon != LINNET_NO_TAXON && n < room;
             taxon = linnet_taxonomy_at(tree->taxonomy, taxon)->parent)
            parts[n++] = (struct part){taxon, own[i]};
    }
    if (parts) qsort(parts, n, sizeof *parts, by_taxon);
    *count = n;
    return parts;
}

/* Sums of many parts miss a threshold by less than this only by rounding. */
#define ROUNDING 1e-9

struct contest {
    struct fusion_best best;
    uint32_t depth;
};

static void consider(struct contest *contest, const char *taxon, const char *rank, uint32_t depth,
                     double score) {
    const struct fusion_best *best = &contest->best;
    if (best->taxon) {
        if (depth != contest->depth && depth < contest->depth) return;
        if (depth == contest->depth && score < best->score) return;
        if (depth == contest->depth && score == best->score && strcmp(taxon, best->taxon) > 0) return;
    }
    *contest = (struct contest){{taxon, rank, score}, depth};
}

int fusion_best_taxon(const struct fusion_tree *tree, const double *own, const double *total,
                      double threshold, struct fusion_best *out) {
    static const char *const ranks[] = {"", "family", "genus", "species"};
    struct contest contest = {0};
    size_t n;
    struct part *parts = collect(tree, own, &n);
    if (!parts) return -1;
    for (size_t i = 0; i < n;) {
        const struct linnet_taxon *taxon = linnet_taxonomy_at(tree->taxonomy, parts[i].taxon);
        double sum = 0;
        for (uint32_t same = parts[i].taxon; i < n && parts[i].taxon == same; i++)
            sum += parts[i].mass;
        if (sum + ROUNDING >= threshold)
            consider(&contest, taxon->id, linnet_rank_name(taxon->rank), taxon->depth, sum);
    }
    free(parts);
    /* What the backbone does not know has no depth: its level, below all that it knows. */
    for (uint32_t i = 1; i < tree->n; i++)
        if (tree->node[i].index == LINNET_NO_TAXON && total[i] + ROUNDING >= threshold && total[i] > 0)
            consider(&contest, tree->node[i].taxon, ranks[tree->node[i].level],
                     UINT32_MAX - 3 + tree->node[i].level, total[i]);
    *out = contest.best;
    return 0;
}
