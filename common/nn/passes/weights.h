/* New weights for a convolution or a product: what the folding passes share. Internal to the passes. */
#ifndef LINNET_NN_PASSES_WEIGHTS_H
#define LINNET_NN_PASSES_WEIGHTS_H

#include "common/nn/graph.h"

/* The CONV or GEMM without posts whose result is read by `reader`'s input `index` alone and whose parameters
 * are constants; LINNET_NN_NONE if there is none. */
uint32_t linnet_nn_linear_before(const struct linnet_nn_graph *graph, uint32_t reader, uint32_t index);
/* The axis of channels of such a node's result: 1 of a convolution, the last of a product. */
int linnet_nn_channel_axis(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node);
/* Give a CONV or GEMM weights times scale[o] and a bias times scale[o] plus shift[o]; `scale` NULL: 1. */
int linnet_nn_rescale(struct linnet_nn_graph *graph, uint32_t node, const double *scale, const double *shift);

#endif
