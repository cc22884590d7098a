/* The handlers of the operators, one function each; see reader.h. */
#ifndef LINNET_NN_ONNX_OPERATORS_H
#define LINNET_NN_ONNX_OPERATORS_H

#include "common/nn/onnx/reader.h"

/* op_window.c */
int linnet_onnx_read_conv(const struct linnet_onnx_node *node);
int linnet_onnx_read_max_pool(const struct linnet_onnx_node *node);
int linnet_onnx_read_average_pool(const struct linnet_onnx_node *node);
int linnet_onnx_read_global_average_pool(const struct linnet_onnx_node *node);
int linnet_onnx_read_global_max_pool(const struct linnet_onnx_node *node);
/* op_linear.c */
int linnet_onnx_read_gemm(const struct linnet_onnx_node *node);
int linnet_onnx_read_matmul(const struct linnet_onnx_node *node);
int linnet_onnx_read_batch_norm(const struct linnet_onnx_node *node);
/* op_layer_norm.c */
int linnet_onnx_read_layer_norm(const struct linnet_onnx_node *node);
/* op_elementwise.c: one handler reads the operator's name to know which it is */
int linnet_onnx_read_unary(const struct linnet_onnx_node *node);
int linnet_onnx_read_gelu(const struct linnet_onnx_node *node);
int linnet_onnx_read_pow(const struct linnet_onnx_node *node);
int linnet_onnx_read_clip(const struct linnet_onnx_node *node);
int linnet_onnx_read_binary(const struct linnet_onnx_node *node);
int linnet_onnx_read_softmax(const struct linnet_onnx_node *node);
int linnet_onnx_read_reduce(const struct linnet_onnx_node *node);
int linnet_onnx_read_identity(const struct linnet_onnx_node *node);
int linnet_onnx_read_dropout(const struct linnet_onnx_node *node);
/* op_constant.c */
int linnet_onnx_read_constant(const struct linnet_onnx_node *node);
int linnet_onnx_read_constant_of_shape(const struct linnet_onnx_node *node);
int linnet_onnx_read_cast(const struct linnet_onnx_node *node);
int linnet_onnx_read_shape(const struct linnet_onnx_node *node);
/* op_reshape.c */
int linnet_onnx_read_reshape(const struct linnet_onnx_node *node);
int linnet_onnx_read_flatten(const struct linnet_onnx_node *node);
int linnet_onnx_read_squeeze(const struct linnet_onnx_node *node);
int linnet_onnx_read_unsqueeze(const struct linnet_onnx_node *node);
int linnet_onnx_read_transpose(const struct linnet_onnx_node *node);
/* op_slice.c */
int linnet_onnx_read_concat(const struct linnet_onnx_node *node);
int linnet_onnx_read_gather(const struct linnet_onnx_node *node);
int linnet_onnx_read_slice(const struct linnet_onnx_node *node);
int linnet_onnx_read_split(const struct linnet_onnx_node *node);
int linnet_onnx_read_pad(const struct linnet_onnx_node *node);

/* op_quantize.c */
int linnet_onnx_read_quantize(const struct linnet_onnx_node *node);
int linnet_onnx_read_dequantize(const struct linnet_onnx_node *node);
/* op_choose.c */
int linnet_onnx_read_comparison(const struct linnet_onnx_node *node);
int linnet_onnx_read_not(const struct linnet_onnx_node *node);
int linnet_onnx_read_where(const struct linnet_onnx_node *node);
int linnet_onnx_read_expand(const struct linnet_onnx_node *node);

/* operators.c: a list of axes from the attribute "axes" or, from `opset` on, from input `index`. *count -1:
 * absent. */
int linnet_onnx_axes(const struct linnet_onnx_node *node, size_t index, int64_t opset, int rank, bool *axes,
                     int *count);

#endif
