/* The views of one observation into one distribution over its candidates, within its flora. */
#ifndef LINNET_FUSION_FUSE_H
#define LINNET_FUSION_FUSE_H

#include "plugins/fusion/flora.h"
#include "plugins/fusion/labels.h"
#include "plugins/fusion/tree.h"

struct fusion_fused {
    struct fusion_tree tree;
    double *own;    /* fused, flora applied, sums to 1: see fusion_tree_complete */
    double *total;  /* of a node with all under it */
    double *prior;  /* of a species: how likely its place makes it; negative: nothing was asked */
    double *known;  /* views.n rows of tree.n: what a view itself says of a node; negative: nothing */
    double plant;   /* negative: the model does not tell */
    bool filtered;  /* a flora was applied */
    bool emptied;   /* it would have left no species, and was not applied */
    double removed; /* probability that it took away */
};

/* What fusing needs besides the views. All borrowed. */
struct fusion_context {
    const struct fusion_config *config;
    const struct linnet_taxonomy *taxonomy;
    struct fusion_labels *labels;
    const json_t *model_document; /* may be NULL */
};

/* Fuse. 0, or -1: out of memory. */
int fusion_fuse(const struct fusion_context *context, const struct fusion_views *views,
                const struct fusion_selection *selection, struct fusion_fused *out);
void fusion_fused_done(struct fusion_fused *fused);

#endif
