#include "plugins/fusion/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *list;
    enum fusion_level level;
} lists[] = {{"families", FUSION_FAMILY}, {"genera", FUSION_GENUS}, {"species", FUSION_SPECIES}};

/* --- making --- */

static int64_t find(const struct fusion_tree *tree, const char *taxon) {
    const json_t *place = json_object_get(tree->places, taxon);
    return place ? json_integer_value(place) : -1;
}

static int64_t append(struct fusion_tree *tree, struct fusion_node node) {
    if (tree->n == tree->capacity) {
        uint32_t capacity = tree->capacity ? 2 * tree->capacity : 64;
        struct fusion_node *bigger = realloc(tree->node, capacity * sizeof *bigger);
        if (!bigger) return -1;
        tree->node = bigger;
        tree->capacity = capacity;
    }
    if (node.taxon && json_object_set_new(tree->places, node.taxon, json_integer(tree->n))) return -1;
    tree->node[tree->n] = node;
    return tree->n++;
}

static int64_t place_of(struct fusion_tree *tree, const char *taxon, uint32_t index, enum fusion_level level);

/* The node above a taxon: its genus, else its family, else the root. */
static int64_t place_of_parent(struct fusion_tree *tree, uint32_t index, enum fusion_level level) {
    static const enum linnet_rank ranks[] = {LINNET_RANK_KINGDOM, LINNET_RANK_FAMILY, LINNET_RANK_GENUS};
    for (int above = (int)level - 1; index != LINNET_NO_TAXON && above > FUSION_ROOT; above--) {
        uint32_t parent = linnet_taxonomy_ancestor(tree->taxonomy, index, ranks[above]);
        if (parent == LINNET_NO_TAXON || parent == index) continue;
        return place_of(tree, linnet_taxonomy_at(tree->taxonomy, parent)->id, parent,
                        (enum fusion_level)above);
    }
    return 0;
}

/* The place of a taxon, which is put in with all that is above it if it is new. Negative: out of memory. */
static int64_t place_of(struct fusion_tree *tree, const char *taxon, uint32_t index,
                        enum fusion_level level) {
    int64_t place = find(tree, taxon);
    if (place >= 0) return place;
    int64_t parent = place_of_parent(tree, index, level);
    if (parent < 0) return -1;
    return append(tree, (struct fusion_node){taxon, index, (uint32_t)parent, level});
}

/* The accepted taxon that a prediction names. */
static const char *accepted(const struct linnet_taxonomy *taxonomy, const char *taxon, uint32_t *index) {
    *index = linnet_taxonomy_find(taxonomy, taxon);
    if (*index == LINNET_NO_TAXON) return taxon;
    *index = linnet_taxonomy_accepted(taxonomy, *index);
    return linnet_taxonomy_at(taxonomy, *index)->id;
}

static int add_list(struct fusion_tree *tree, const json_t *list, enum fusion_level level) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *taxon = json_string_value(json_object_get(json_array_get(list, i), "taxon"));
        uint32_t index;
        if (!taxon) continue;
        taxon = accepted(tree->taxonomy, taxon, &index);
        if (place_of(tree, taxon, index, level) < 0) return -1;
    }
    return 0;
}

int fusion_tree_make(const struct linnet_taxonomy *taxonomy, const struct fusion_views *views,
                     struct fusion_tree *out) {
    struct fusion_tree tree = {.taxonomy = taxonomy, .places = json_object()};
    int error =
        !tree.places || append(&tree, (struct fusion_node){NULL, LINNET_NO_TAXON, 0, FUSION_ROOT}) < 0;
    for (size_t l = 0; l < 3; l++)
        for (size_t v = 0; v < views->n && !error; v++)
            error =
                add_list(&tree, json_object_get(views->view[v].prediction, lists[l].list), lists[l].level);
    if (error) {
        fusion_tree_done(&tree);
        return -1;
    }
    *out = tree;
    return 0;
}

void fusion_tree_done(struct fusion_tree *tree) {
    free(tree->node);
    json_decref(tree->places);
    *tree = (struct fusion_tree){0};
}

/* --- completing a view --- */

/* One view on its way to a distribution: a value for each node. */
struct completion {
    bool *listed;      /* the view names it */
    double *mass;      /* its probability, with all under it; for an unlisted one, at first, the sum of its
                          children's */
    double *below;     /* the sum of its children's masses, as far as they are listed */
    double *seen;      /* listed species under it */
    double *classes;   /* unlisted classes under it */
    double *claimed;   /* those that lie under its listed children */
    double *unclaimed; /* those that lie under its unlisted children */
    double *share;     /* what each of the unclaimed gets */
};

#define VALUES 7 /* arrays of doubles in a completion */

static int completion_init(struct completion *c, size_t n) {
    double *values = calloc(VALUES * n, sizeof *values);
    bool *listed = calloc(n, sizeof *listed);
    if (!values || !listed) {
        free(values);
        free(listed);
        return -1;
    }
    *c = (struct completion){listed,         values,         values + n,     values + 2 * n,
                             values + 3 * n, values + 4 * n, values + 5 * n, values + 6 * n};
    return 0;
}

static void completion_done(struct completion *c) {
    free(c->mass);
    free(c->listed);
}

/* A class that stands for a genus is among the species of a prediction: it stays what is left of its genus.
 */
static void read_lists(const struct fusion_tree *tree, const struct fusion_view *view, struct completion *c) {
    for (size_t l = 0; l < 3; l++) {
        const json_t *list = json_object_get(view->prediction, lists[l].list);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *entry = json_array_get(list, i);
            const char *taxon = json_string_value(json_object_get(entry, "taxon"));
            double score = json_number_value(json_object_get(entry, "score"));
            uint32_t index;
            if (!taxon || !(score >= 0)) continue;
            int64_t place = find(tree, accepted(tree->taxonomy, taxon, &index));
            if (place < 0 || tree->node[place].level != lists[l].level) continue;
            c->mass[place] += score; /* two synonyms of one taxon add up */
            c->listed[place] = true;
        }
    }
}

/* From the leaves up: masses at least those of the children; which classes are still free. */
static void gather_up(const struct fusion_tree *tree, const double *labels, struct completion *c) {
    for (uint32_t i = tree->n; i-- > 0;) {
        const struct fusion_node *node = &tree->node[i];
        uint32_t index = i == 0 ? (uint32_t)linnet_taxonomy_size(tree->taxonomy) : node->index;
        if (node->level == FUSION_SPECIES) {
            c->seen[i] = c->listed[i];
            c->classes[i] = !c->listed[i];
        } else {
            double counted = labels && index != LINNET_NO_TAXON ? labels[index] - c->seen[i] : 0;
            c->classes[i] = fmax(counted, c->claimed[i] + c->unclaimed[i]);
        }
        c->mass[i] = fmax(c->mass[i], c->below[i]);
        if (i == 0) break;
        c->below[node->parent] += c->mass[i];
        c->seen[node->parent] += c->seen[i];
        *(c->listed[i] ? &c->claimed[node->parent] : &c->unclaimed[node->parent]) += c->classes[i];
    }
}

/* From the root down: what a node has left is shared out among the classes under it that no listed child
 * claims. */
static void share_down(const struct fusion_tree *tree, const double *labels, struct completion *c,
                       double *own) {
    c->mass[0] = fmax(c->mass[0], 1);
    for (uint32_t i = 0; i < tree->n; i++) {
        if (i && !c->listed[i]) c->mass[i] += c->share[tree->node[i].parent] * c->classes[i];
        own[i] = c->mass[i];
        if (tree->node[i].level == FUSION_SPECIES) continue;
        double left = fmax(c->mass[i] - c->below[i], 0);
        double others = labels ? fmax(c->classes[i] - c->claimed[i] - c->unclaimed[i], 0) : 1;
        if (c->unclaimed[i] + others > 0) c->share[i] = left / (c->unclaimed[i] + others);
        own[i] = fmax(left - c->share[i] * c->unclaimed[i], 0);
    }
}

int fusion_tree_complete(const struct fusion_tree *tree, const struct fusion_view *view, const double *labels,
                         double *own, double *known) {
    struct completion c;
    if (completion_init(&c, tree->n)) return -1;
    read_lists(tree, view, &c);
    for (uint32_t i = 0; known && i < tree->n; i++)
        known[i] = c.listed[i] ? c.mass[i] : -1;
    gather_up(tree, labels, &c);
    share_down(tree, labels, &c, own);
    for (uint32_t i = 0; i < tree->n; i++)
        own[i] /= c.mass[0];
    completion_done(&c);
    return 0;
}

void fusion_tree_sum(const struct fusion_tree *tree, const double *own, double *total) {
    for (uint32_t i = 0; i < tree->n; i++)
        total[i] = own[i];
    for (uint32_t i = tree->n; i-- > 1;)
        total[tree->node[i].parent] += total[i];
}
