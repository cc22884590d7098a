/* Functions of single values, broadcast arithmetic, reductions and what changes nothing. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"

static int emit_unary(const struct linnet_onnx_node *node, uint32_t data, struct linnet_nn_unary unary) {
    struct linnet_nn_node wanted = {.op = LINNET_NN_OP_UNARY, .inputs = &data, .ninputs = 1};
    wanted.at.unary = unary;
    return linnet_onnx_emit(node, &wanted, 0, NULL, NULL);
}

int linnet_onnx_read_unary(const struct linnet_onnx_node *node) {
    static const struct {
        const char *name;
        enum linnet_nn_function function;
        float alpha, beta; /* the function's, or the defaults of the attributes */
        bool reads_alpha, reads_beta;
    } table[] = {
        {"Abs", LINNET_NN_ABS, 0, 0, false, false},
        {"Elu", LINNET_NN_ELU, 1, 0, true, false},
        {"Erf", LINNET_NN_ERF, 0, 0, false, false},
        {"Exp", LINNET_NN_EXP, 0, 0, false, false},
        {"HardSigmoid", LINNET_NN_HARD_SIGMOID, 0.2f, 0.5f, true, true},
        {"HardSwish", LINNET_NN_HARD_SWISH, 0, 0, false, false},
        {"LeakyRelu", LINNET_NN_LEAKY_RELU, 0.01f, 0, true, false},
        {"Neg", LINNET_NN_LINEAR, -1, 0, false, false},
        {"Reciprocal", LINNET_NN_POW, -1, 0, false, false},
        {"Relu", LINNET_NN_RELU, 0, 0, false, false},
        {"Sigmoid", LINNET_NN_SIGMOID, 0, 0, false, false},
        {"Sqrt", LINNET_NN_SQRT, 0, 0, false, false},
        {"Tanh", LINNET_NN_TANH, 0, 0, false, false},
    };
    size_t i = 0;
    while (strcmp(table[i].name, node->proto->op_type) != 0)
        i++;
    struct linnet_nn_unary unary = {table[i].function, table[i].alpha, table[i].beta};
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc && table[i].reads_alpha) rc = linnet_onnx_float(node, "alpha", unary.alpha, &unary.alpha);
    if (!rc && table[i].reads_beta) rc = linnet_onnx_float(node, "beta", unary.beta, &unary.beta);
    return rc ? rc : emit_unary(node, data, unary);
}

int linnet_onnx_read_gelu(const struct linnet_onnx_node *node) {
    static const char *const forms[] = {"none", "tanh", NULL};
    uint32_t data;
    int form, rc = linnet_onnx_choice(node, "approximate", forms, &form);
    if (!rc) rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    return emit_unary(node, data,
                      (struct linnet_nn_unary){form ? LINNET_NN_GELU_TANH : LINNET_NN_GELU, 0, 0});
}

int linnet_onnx_read_pow(const struct linnet_onnx_node *node) {
    struct linnet_nn_unary power = {LINNET_NN_POW, 0, 0};
    uint32_t data;
    int rc = linnet_onnx_scalar_input(node, 1, &power.alpha);
    if (!rc) rc = linnet_onnx_tensor_input(node, 0, &data);
    return rc ? rc : emit_unary(node, data, power);
}

/* The bounds are attributes before opset 11, constant inputs from then on. */
int linnet_onnx_read_clip(const struct linnet_onnx_node *node) {
    struct linnet_nn_unary clip = {LINNET_NN_CLIP, -FLT_MAX, FLT_MAX};
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc && node->reader->opset < 11) {
        rc = linnet_onnx_float(node, "min", clip.alpha, &clip.alpha);
        if (!rc) rc = linnet_onnx_float(node, "max", clip.beta, &clip.beta);
    } else {
        if (!rc && linnet_onnx_has_input(node, 1)) rc = linnet_onnx_scalar_input(node, 1, &clip.alpha);
        if (!rc && linnet_onnx_has_input(node, 2)) rc = linnet_onnx_scalar_input(node, 2, &clip.beta);
    }
    if (!rc && !(clip.alpha <= clip.beta))
        rc = linnet_onnx_fail(node, LINNET_E_INVALID, "its bounds are in no order");
    return rc ? rc : emit_unary(node, data, clip);
}

static bool combine(enum linnet_nn_arithmetic kind, struct linnet_onnx_integer a,
                    struct linnet_onnx_integer b, struct linnet_onnx_integer *out) {
    int64_t value;
    switch (kind) {
    case LINNET_NN_ADD:
        if (a.per_batch != b.per_batch && a.value && b.value) return false;
        if (__builtin_add_overflow(a.value, b.value, &value)) return false;
        *out = (struct linnet_onnx_integer){value, (a.per_batch && a.value) || (b.per_batch && b.value)};
        return true;
    case LINNET_NN_SUB:
        if (a.per_batch != b.per_batch && a.value && b.value) return false;
        if (__builtin_sub_overflow(a.value, b.value, &value)) return false;
        *out = (struct linnet_onnx_integer){value, (a.per_batch && a.value) || (b.per_batch && b.value)};
        return true;
    case LINNET_NN_MUL:
        if ((a.per_batch && b.per_batch) || __builtin_mul_overflow(a.value, b.value, &value)) return false;
        *out = (struct linnet_onnx_integer){value, a.per_batch || b.per_batch};
        return true;
    case LINNET_NN_DIV: /* integer division cuts towards zero; of a multiple of the batch only where nothing
                           is cut */
        if (!b.value || (a.value == INT64_MIN && b.value == -1)) return false;
        if ((b.per_batch && !a.per_batch) || (a.per_batch && a.value % b.value)) return false;
        *out = (struct linnet_onnx_integer){a.value / b.value, a.per_batch && !b.per_batch};
        return true;
    default:
        if (a.per_batch || b.per_batch) return false;
        out->per_batch = false;
        out->value = (kind == LINNET_NN_MIN) == (a.value < b.value) ? a.value : b.value;
        return true;
    }
}

/* Arithmetic on shapes: lists of one length, or one of them a single value. */
static int combine_integers(const struct linnet_onnx_node *node, enum linnet_nn_arithmetic kind,
                            const struct linnet_onnx_integers *a, const struct linnet_onnx_integers *b) {
    const struct linnet_onnx_integers *longer =
        a->count > b->count || (a->count == b->count && a->rank > b->rank) ? a : b;
    if (a->rank > 1 || b->rank > 1 || (a->count != b->count && a->count != 1 && b->count != 1))
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it computes with integer tensors");
    struct linnet_onnx_integers *out = linnet_onnx_integers_new(longer->rank, longer->dims);
    for (size_t i = 0; out && i < out->count; i++) {
        if (combine(kind, a->items[a->count == 1 ? 0 : i], b->items[b->count == 1 ? 0 : i], &out->items[i]))
            continue;
        linnet_onnx_integers_free(out);
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "it computes a shape that is no multiple of the batch");
    }
    return linnet_onnx_output_integers(node, 0, out);
}

int linnet_onnx_read_binary(const struct linnet_onnx_node *node) {
    static const char *const names[] = {
        [LINNET_NN_ADD] = "Add", [LINNET_NN_SUB] = "Sub", [LINNET_NN_MUL] = "Mul",
        [LINNET_NN_DIV] = "Div", [LINNET_NN_MIN] = "Min", [LINNET_NN_MAX] = "Max"};
    size_t kind = 0;
    while (strcmp(names[kind], node->proto->op_type) != 0)
        kind++;
    const struct linnet_onnx_value *values[2] = {NULL, NULL};
    for (size_t i = 0; i < 2; i++)
        if (linnet_onnx_has_input(node, i)) values[i] = linnet_onnx_find(node->reader, node->proto->input[i]);
    if (values[0] && values[1] && values[0]->integers && values[1]->integers)
        return combine_integers(node, (enum linnet_nn_arithmetic)kind, values[0]->integers,
                                values[1]->integers);
    uint32_t inputs[2];
    struct linnet_nn_node wanted = {.op = LINNET_NN_OP_BINARY, .inputs = inputs, .ninputs = 2};
    wanted.at.binary.kind = (enum linnet_nn_arithmetic)kind;
    int rc = linnet_onnx_tensor_input(node, 0, &inputs[0]);
    if (!rc) rc = linnet_onnx_tensor_input(node, 1, &inputs[1]);
    return rc ? rc : linnet_onnx_emit(node, &wanted, 0, NULL, NULL);
}

/* Before opset 13 all dimensions from the axis on are normalised together: they are made one first. */
static int softmax_flattened(const struct linnet_onnx_node *node, uint32_t data, int axis) {
    struct linnet_nn_shape shape = linnet_onnx_tensor_at(node, data)->shape, flat = {.rank = axis + 1};
    int rc = 0;
    for (int i = 0; i <= axis; i++)
        flat.dims[i] = shape.dims[i];
    for (int i = axis + 1; i < shape.rank && !rc; i++) {
        if (flat.dims[axis] < 0 || shape.dims[i] < 0 ||
            __builtin_mul_overflow(flat.dims[axis], shape.dims[i], &flat.dims[axis]))
            rc = linnet_onnx_fail(node, LINNET_E_INVALID, "it normalises over the batch");
    }
    struct linnet_nn_node reshape = {.op = LINNET_NN_OP_RESHAPE, .inputs = &data, .ninputs = 1};
    struct linnet_nn_node softmax = {.op = LINNET_NN_OP_SOFTMAX, .inputs = &data, .ninputs = 1};
    softmax.at.softmax.axis = axis;
    if (!rc) rc = linnet_onnx_emit(node, &reshape, -1, &flat, &data);
    if (!rc) rc = linnet_onnx_emit(node, &softmax, -1, NULL, &data);
    return rc ? rc : linnet_onnx_emit(node, &reshape, 0, &shape, NULL);
}

int linnet_onnx_read_softmax(const struct linnet_onnx_node *node) {
    bool old = node->reader->opset < 13;
    uint32_t data;
    int64_t wanted;
    int axis, rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = linnet_onnx_int(node, "axis", old ? 1 : -1, &wanted);
    if (!rc) rc = linnet_onnx_axis(node, wanted, linnet_onnx_tensor_at(node, data)->shape.rank, &axis);
    if (rc) return rc;
    const struct linnet_nn_shape *shape = &linnet_onnx_tensor_at(node, data)->shape;
    if (old && axis != shape->rank - 1) return softmax_flattened(node, data, axis);
    if (shape->dims[axis] < 0)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "it normalises over the batch");
    struct linnet_nn_node softmax = {.op = LINNET_NN_OP_SOFTMAX, .inputs = &data, .ninputs = 1};
    softmax.at.softmax.axis = axis;
    return linnet_onnx_emit(node, &softmax, 0, NULL, NULL);
}

int linnet_onnx_read_reduce(const struct linnet_onnx_node *node) {
    const char *name = node->proto->op_type;
    bool sum = !strcmp(name, "ReduceSum");
    uint32_t data;
    int64_t keep, empty_is_none;
    int count, rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    struct linnet_nn_node reduce = {.op = LINNET_NN_OP_REDUCE, .inputs = &data, .ninputs = 1};
    reduce.at.reduce.kind = sum                          ? LINNET_NN_REDUCE_SUM
                            : !strcmp(name, "ReduceMax") ? LINNET_NN_REDUCE_MAX
                            : !strcmp(name, "ReduceMin") ? LINNET_NN_REDUCE_MIN
                                                         : LINNET_NN_REDUCE_MEAN;
    bool *axes = reduce.at.reduce.axes;
    int rank = linnet_onnx_tensor_at(node, data)->shape.rank;
    rc = linnet_onnx_axes(node, 1, sum ? 13 : 18, rank, axes, &count);
    if (!rc) rc = linnet_onnx_int(node, "keepdims", 1, &keep);
    if (!rc) rc = linnet_onnx_int(node, "noop_with_empty_axes", 0, &empty_is_none);
    if (rc) return rc;
    if (count <= 0 && empty_is_none) return linnet_onnx_read_identity(node);
    for (int i = 0; i < rank && count <= 0; i++)
        axes[i] = true;
    rc = linnet_onnx_emit(node, &reduce, keep ? 0 : -1, NULL, &data);
    if (rc || keep) return rc;
    struct linnet_nn_shape shape = {0};
    for (int i = 0; i < rank; i++)
        if (!axes[i]) shape.dims[shape.rank++] = linnet_onnx_tensor_at(node, data)->shape.dims[i];
    struct linnet_nn_node reshape = {.op = LINNET_NN_OP_RESHAPE, .inputs = &data, .ninputs = 1};
    return linnet_onnx_emit(node, &reshape, 0, &shape, NULL);
}

int linnet_onnx_read_identity(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, 0) ? linnet_onnx_find(node->reader, node->proto->input[0]) : NULL;
    if (value && value->integers) {
        struct linnet_onnx_integers *copy =
            linnet_onnx_integers_new(value->integers->rank, value->integers->dims);
        if (copy) memcpy(copy->items, value->integers->items, copy->count * sizeof *copy->items);
        return linnet_onnx_output_integers(node, 0, copy);
    }
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    /* Another name for a shared weight stays a constant, so that later nodes see its value. */
    if (linnet_onnx_tensor_at(node, data)->data) return linnet_onnx_output_tensor(node, 0, data);
    struct linnet_nn_node identity = {.op = LINNET_NN_OP_IDENTITY, .inputs = &data, .ninputs = 1};
    return linnet_onnx_emit(node, &identity, 0, NULL, NULL);
}

int linnet_onnx_read_dropout(const struct linnet_onnx_node *node) {
    if (node->proto->n_output > 1 && node->proto->output[1][0])
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its mask is used: it is exported for training");
    return linnet_onnx_read_identity(node);
}
