/* Several distributions over the same things into one: how the views of a plant become one answer.
 *
 * "organ" is the weighted logarithmic opinion pool: P(t) ~ prod over views v of max(p_v(t), floor)^a_v, less
 * prod floor^a_v (so that what no view gives more than the floor comes to 0, and nothing jumps there), with
 * a_v = n^k w_v / (sum of w), n views of weights w. With k = 0 it is the weighted geometric mean: views that
 * agree leave the answer as sure as each of them. With k = 1 and equal weights it is the product of experts:
 * each view is new evidence. Photographs of one plant are neither copies nor independent: k, the
 * independence, lies between (on the synthetic flora scores are calibrated best at 0.5: the expected
 * calibration error is 0.11 at k = 0, 0.07 at 0.5, 0.14 at 1). One view alone stays as it is, for any k and
 * weight. To restrict the result to a flora is the same as to restrict every view before.
 *
 * "maximum" is P(t) ~ max over v of p_v(t), made to sum to 1; "mean" is P(t) = mean over v of p_v(t). Both
 * take no weights.
 *
 * C. Genest, J. V. Zidek, Combining probability distributions: a critique and an annotated bibliography,
 * Statistical Science 1(1), 1986. G. E. Hinton, Training products of experts by minimizing contrastive
 * divergence, Neural Computation 14(8), 2002. That organs tell unequally much, and that several tell more
 * than any one: A. Joly et al., A look inside the Pl@ntNet experience, Multimedia Systems 22(6), 2016;
 * M. Rzanny et al., Flowers, leaves or both? How to obtain suitable images for automated plant
 * identification, Plant Methods 15:77, 2019. */
#ifndef LINNET_FUSION_POOL_H
#define LINNET_FUSION_POOL_H

#include <stddef.h>

#include "plugins/fusion/config.h"

/* Pool `views` rows of `n` probabilities each (row after row in `own`, each summing to 1), weights above 0,
 * into out[n], which sums to 1. What no view gives anything (organ: more than the floor) stays 0. */
void fusion_pool(const struct fusion_config *config, const double *own, const double *weights, size_t views,
                 size_t n, double *out);

#endif
