/* The candidates of one observation as a tree: everything, the families, genera and species that its views
 * name. Every view is completed to a distribution over this tree, so that what one view lists and another
 * does not can be compared. */
#ifndef LINNET_FUSION_TREE_H
#define LINNET_FUSION_TREE_H

#include <stdint.h>

#include "common/taxonomy/taxonomy.h"
#include "plugins/fusion/views.h"

enum fusion_level { FUSION_ROOT, FUSION_FAMILY, FUSION_GENUS, FUSION_SPECIES };

struct fusion_node {
    const char *taxon; /* id of the accepted taxon; NULL for the root. Borrowed */
    uint32_t index;    /* in the taxonomy, LINNET_NO_TAXON if it is not there */
    uint32_t parent;   /* its place; parents stand before their children; the root is its own */
    enum fusion_level level;
};

struct fusion_tree {
    const struct linnet_taxonomy *taxonomy;
    struct fusion_node *node; /* node[0] is the root */
    uint32_t n, capacity;
    json_t *places; /* by id */
};

/* Make the tree of all taxa that the views name. Predicted names are replaced by their accepted ones. 0, or
 * -1: out of memory. */
int fusion_tree_make(const struct linnet_taxonomy *taxonomy, const struct fusion_views *views,
                     struct fusion_tree *out);
void fusion_tree_done(struct fusion_tree *tree);

/* Complete a view to a distribution: own[i] is, for a species, its probability; for a node with children, the
 * probability of all that lies under it but is not in the tree. They sum to 1. `known[i]` is what the view
 * itself says of a node, negative where it says nothing; may be NULL. `labels` counts the model's classes
 * (labels.h), NULL if unknown. 0, or -1: out of memory.
 *
 * A node that the view lists keeps its probability (raised to the sum of its children's if that is more).
 * What is left of a node's probability after its listed children goes to the unlisted ones and to what is not
 * in the tree, in proportion to the number of unlisted classes under each: as a model that says nothing of
 * them means it. Without counts each unlisted candidate species counts as one, and so does all that is not in
 * the tree. */
int fusion_tree_complete(const struct fusion_tree *tree, const struct fusion_view *view, const double *labels,
                         double *own, double *known);

/* total[i] = own[i] + the totals of its children: the probability of a taxon with all that lies under it. */
void fusion_tree_sum(const struct fusion_tree *tree, const double *own, double *total);

#endif
