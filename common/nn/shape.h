/* Shapes: what an operator makes of its inputs' shapes. Dimensions as in graph.h: negative ones are multiples
 * of the batch. Formulas: ONNX operator specifications, opset 17; sizes of windows as PyTorch computes them
 * (with ceil_mode a last window must begin inside the input or its leading padding). */
#ifndef LINNET_NN_SHAPE_H
#define LINNET_NN_SHAPE_H

#include "common/nn/graph.h"

/* The output shape of `node`, whose inputs are tensors of `graph`. `given` is the output's for RESHAPE,
 * SLICE and EXPAND (checked against the input's), else NULL. LINNET_E_INVALID with the shapes in words. */
int linnet_nn_infer(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                    const struct linnet_nn_shape *given, struct linnet_nn_shape *out,
                    struct linnet_error *err);
/* The shape that two broadcast to by NumPy's rules. LINNET_E_INVALID. */
int linnet_nn_broadcast(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b,
                        struct linnet_nn_shape *out, struct linnet_error *err);
/* Product of two dimensions. LINNET_E_INVALID: the batch times the batch; LINNET_E_LIMIT: overflow. */
int linnet_nn_dim_multiply(int64_t a, int64_t b, int64_t *out);
/* Windows along one dimension of length `in`: floor or (ceil) PyTorch's ceiling. 0 or less: it does not fit.
 */
int64_t linnet_nn_window_count(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                               int64_t after, bool ceil);

#endif
