/* Which operators are read, and by what. */
#include "common/nn/onnx/operators.h"

#include <stdio.h>
#include <string.h>

#define MANY SIZE_MAX

static const struct linnet_onnx_operator operators[] = {
    {"Abs", "", 1, 1, linnet_onnx_read_unary},
    {"Add", "", 2, 2, linnet_onnx_read_binary},
    {"AveragePool", "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides", 1, 1,
     linnet_onnx_read_average_pool},
    {"BatchNormalization", "epsilon momentum spatial training_mode", 5, 5, linnet_onnx_read_batch_norm},
    {"Cast", "saturate to", 1, 1, linnet_onnx_read_cast},
    {"Clip", "min max", 1, 3, linnet_onnx_read_clip},
    {"Concat", "axis", 1, MANY, linnet_onnx_read_concat},
    {"Constant", "value value_float value_floats value_int value_ints", 0, 0, linnet_onnx_read_constant},
    {"ConstantOfShape", "value", 1, 1, linnet_onnx_read_constant_of_shape},
    {"Conv", "auto_pad dilations group kernel_shape pads strides", 2, 3, linnet_onnx_read_conv},
    {"DequantizeLinear", "axis", 2, 3, linnet_onnx_read_dequantize},
    {"Div", "", 2, 2, linnet_onnx_read_binary},
    {"Dropout", "ratio seed", 1, 3, linnet_onnx_read_dropout},
    {"Elu", "alpha", 1, 1, linnet_onnx_read_unary},
    {"Equal", "", 2, 2, linnet_onnx_read_comparison},
    {"Erf", "", 1, 1, linnet_onnx_read_unary},
    {"Exp", "", 1, 1, linnet_onnx_read_unary},
    {"Expand", "", 2, 2, linnet_onnx_read_expand},
    {"Flatten", "axis", 1, 1, linnet_onnx_read_flatten},
    {"Gather", "axis", 2, 2, linnet_onnx_read_gather},
    {"Gelu", "approximate", 1, 1, linnet_onnx_read_gelu},
    {"Gemm", "alpha beta transA transB", 2, 3, linnet_onnx_read_gemm},
    {"GlobalAveragePool", "", 1, 1, linnet_onnx_read_global_average_pool},
    {"GlobalMaxPool", "", 1, 1, linnet_onnx_read_global_max_pool},
    {"Greater", "", 2, 2, linnet_onnx_read_comparison},
    {"HardSigmoid", "alpha beta", 1, 1, linnet_onnx_read_unary},
    {"HardSwish", "", 1, 1, linnet_onnx_read_unary},
    {"Identity", "", 1, 1, linnet_onnx_read_identity},
    {"LayerNormalization", "axis epsilon stash_type", 2, 3, linnet_onnx_read_layer_norm},
    {"LeakyRelu", "alpha", 1, 1, linnet_onnx_read_unary},
    {"Less", "", 2, 2, linnet_onnx_read_comparison},
    {"MatMul", "", 2, 2, linnet_onnx_read_matmul},
    {"Max", "", 2, 2, linnet_onnx_read_binary},
    {"MaxPool", "auto_pad ceil_mode dilations kernel_shape pads storage_order strides", 1, 1,
     linnet_onnx_read_max_pool},
    {"Min", "", 2, 2, linnet_onnx_read_binary},
    {"Mul", "", 2, 2, linnet_onnx_read_binary},
    {"Neg", "", 1, 1, linnet_onnx_read_unary},
    {"Not", "", 1, 1, linnet_onnx_read_not},
    {"Pad", "mode pads value", 1, 4, linnet_onnx_read_pad},
    {"Pow", "", 2, 2, linnet_onnx_read_pow},
    {"Reciprocal", "", 1, 1, linnet_onnx_read_unary},
    {"QuantizeLinear", "axis saturate", 2, 3, linnet_onnx_read_quantize},
    {"ReduceMax", "axes keepdims noop_with_empty_axes", 1, 2, linnet_onnx_read_reduce},
    {"ReduceMean", "axes keepdims noop_with_empty_axes", 1, 2, linnet_onnx_read_reduce},
    {"ReduceMin", "axes keepdims noop_with_empty_axes", 1, 2, linnet_onnx_read_reduce},
    {"ReduceSum", "axes keepdims noop_with_empty_axes", 1, 2, linnet_onnx_read_reduce},
    {"Relu", "", 1, 1, linnet_onnx_read_unary},
    {"Reshape", "allowzero", 2, 2, linnet_onnx_read_reshape},
    {"Shape", "start end", 1, 1, linnet_onnx_read_shape},
    {"Sigmoid", "", 1, 1, linnet_onnx_read_unary},
    {"Slice", "axes starts ends", 1, 5, linnet_onnx_read_slice},
    {"Softmax", "axis", 1, 1, linnet_onnx_read_softmax},
    {"Split", "axis num_outputs split", 1, 2, linnet_onnx_read_split},
    {"Sqrt", "", 1, 1, linnet_onnx_read_unary},
    {"Squeeze", "axes", 1, 2, linnet_onnx_read_squeeze},
    {"Sub", "", 2, 2, linnet_onnx_read_binary},
    {"Tanh", "", 1, 1, linnet_onnx_read_unary},
    {"Transpose", "perm", 1, 1, linnet_onnx_read_transpose},
    {"Unsqueeze", "axes", 1, 2, linnet_onnx_read_unsqueeze},
    {"Where", "", 3, 3, linnet_onnx_read_where},
};

const struct linnet_onnx_operator *linnet_onnx_operator(const char *name) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strcmp(operators[i].name, name)) return &operators[i];
    return NULL;
}

void linnet_onnx_operators_print(char *text, size_t size) {
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t need = strlen(operators[i].name) + 2;
        if (at + need + sizeof "..." > size) {
            memcpy(text + at, "...", sizeof "...");
            return;
        }
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", operators[i].name);
    }
}

int linnet_onnx_axes(const struct linnet_onnx_node *node, size_t index, int64_t opset, int rank, bool *axes,
                     int *count) {
    int64_t list[LINNET_NN_RANK_MAX];
    int n = -1, rc = 0;
    if (node->reader->opset < opset)
        rc = linnet_onnx_ints(node, "axes", LINNET_NN_RANK_MAX, list, &n);
    else if (linnet_onnx_has_input(node, index))
        rc = linnet_onnx_plain_integers(node, index, LINNET_NN_RANK_MAX, list, &n);
    for (int i = 0; i < LINNET_NN_RANK_MAX; i++)
        axes[i] = false;
    for (int i = 0; i < n && !rc; i++) {
        int axis;
        rc = linnet_onnx_axis(node, list[i], rank, &axis);
        if (!rc && axes[axis]) rc = linnet_onnx_fail(node, LINNET_E_INVALID, "it names axis %d twice", axis);
        if (!rc) axes[axis] = true;
    }
    if (!rc) *count = n;
    return rc;
}
