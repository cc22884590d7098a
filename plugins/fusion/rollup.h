/* From a distribution over candidates to answers: lists by rank, and the finest taxon that is sure enough. */
#ifndef LINNET_FUSION_ROLLUP_H
#define LINNET_FUSION_ROLLUP_H

#include "plugins/fusion/tree.h"

struct fusion_best {
    const char *taxon; /* NULL: none is sure enough */
    const char *rank;
    double score;
};

/* The nodes of a level by falling total, then by id; those of nothing are left out. Returns how many were put
 * into `places` (room for `most`). -1: out of memory. */
long fusion_rank(const struct fusion_tree *tree, const double *total, enum fusion_level level,
                 uint32_t *places, size_t most);

/* The deepest taxon of the backbone, of any rank, whose summed probability reaches `threshold`: the species
 * if one does, else what its uncertain candidates have in common. Of equally deep ones the likelier, then the
 * lower id. 0, or -1: out of memory. */
int fusion_best_taxon(const struct fusion_tree *tree, const double *own, const double *total,
                      double threshold, struct fusion_best *out);

#endif
