#include "common/nn/shape.h"
#include "common/nn/fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHAPE_TEXT 160

bool linnet_nn_shape_equal(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b) {
    return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

int64_t linnet_nn_dim_at(int64_t dim, unsigned batch) {
    return dim >= 0 ? dim : -dim * (int64_t)batch;
}

int64_t linnet_nn_shape_elements(const struct linnet_nn_shape *shape, unsigned batch) {
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dims[i];
        if (dim < 0 && (__builtin_mul_overflow(dim, -(int64_t)batch, &dim))) return -1;
        if (__builtin_mul_overflow(count, dim, &count)) return -1;
    }
    return count;
}

void linnet_nn_shape_print(const struct linnet_nn_shape *shape, char *text, size_t size) {
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i <= shape->rank && at + 1 < size; i++) {
        const char *before = i ? ", " : "[";
        int n;
        if (i == shape->rank)
            n = snprintf(text + at, size - at, "%s]", i ? "" : "[");
        else if (shape->dims[i] == -1)
            n = snprintf(text + at, size - at, "%sN", before);
        else if (shape->dims[i] < 0)
            n = snprintf(text + at, size - at, "%s%" PRId64 "N", before, -shape->dims[i]);
        else
            n = snprintf(text + at, size - at, "%s%" PRId64, before, shape->dims[i]);
        at += n > 0 ? (size_t)n : 0;
    }
}

int linnet_nn_dim_multiply(int64_t a, int64_t b, int64_t *out) {
    if (a < 0 && b < 0) return LINNET_E_INVALID;
    return __builtin_mul_overflow(a, b, out) ? LINNET_E_LIMIT : 0;
}

int64_t linnet_nn_window_count(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                               int64_t after, bool ceil) {
    int64_t room = in + before + after - dilation * (kernel - 1) - 1;
    if (room < 0) return 0;
    int64_t count = (ceil ? room + stride - 1 : room) / stride + 1;
    if (ceil && (count - 1) * stride >= in + before) count--;
    return count;
}

static int wrong_rank(const struct linnet_nn_shape *shape, const char *expected, struct linnet_error *err) {
    char text[SHAPE_TEXT];
    linnet_nn_shape_print(shape, text, sizeof text);
    return linnet_nn_fail(err, LINNET_E_INVALID, "its input is %s where %s is needed", text, expected);
}

static int mismatch(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b, const char *what,
                    struct linnet_error *err) {
    char first[SHAPE_TEXT], second[SHAPE_TEXT];
    linnet_nn_shape_print(a, first, sizeof first);
    linnet_nn_shape_print(b, second, sizeof second);
    return linnet_nn_fail(err, LINNET_E_INVALID, "%s: %s and %s", what, first, second);
}

int linnet_nn_broadcast(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b,
                        struct linnet_nn_shape *out, struct linnet_error *err) {
    struct linnet_nn_shape shape = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < shape.rank; i++) {
        int ia = i - (shape.rank - a->rank), ib = i - (shape.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        if (da != db && da != 1 && db != 1)
            return mismatch(a, b, "the inputs do not broadcast to each other", err);
        shape.dims[i] = da == 1 ? db : da;
    }
    *out = shape;
    return 0;
}

/* Sizes after a window has moved over the spatial dimensions, from dimension 2 on. */
static int infer_window(const struct linnet_nn_window *window, struct linnet_nn_shape *shape,
                        struct linnet_error *err) {
    if (window->rank != shape->rank - 2)
        return wrong_rank(shape, "one spatial dimension for each of the kernel's", err);
    for (int i = 0; i < window->rank; i++) {
        int64_t in = shape->dims[i + 2];
        if (in < 0) return linnet_nn_fail(err, LINNET_E_INVALID, "a spatial dimension depends on the batch");
        int64_t count =
            linnet_nn_window_count(in, window->kernel[i], window->strides[i], window->dilations[i],
                                   window->before[i], window->after[i], false);
        if (count <= 0)
            return linnet_nn_fail(err, LINNET_E_INVALID,
                                  "a kernel of %" PRId64 " does not fit into a length of %" PRId64,
                                  window->kernel[i], in);
        shape->dims[i + 2] = count;
    }
    return 0;
}

static int infer_conv(const struct linnet_nn_node *node, const struct linnet_nn_shape *data,
                      const struct linnet_nn_shape *weights, struct linnet_nn_shape *out,
                      struct linnet_error *err) {
    const struct linnet_nn_window *window = &node->at.conv.window;
    int64_t groups = node->at.conv.groups;
    if (data->rank < 3 || data->rank != weights->rank || data->rank > 2 + LINNET_NN_SPATIAL_MAX)
        return mismatch(data, weights,
                        "a convolution needs data [N, C, ...] and weights of the same rank, 3 to 5", err);
    if (groups < 1 || weights->dims[0] % groups || data->dims[1] < 0 || data->dims[1] % groups ||
        data->dims[1] / groups != weights->dims[1])
        return mismatch(data, weights, "channels of data and weights do not fit the groups", err);
    for (int i = 0; i < window->rank && i < weights->rank - 2; i++)
        if (window->kernel[i] != weights->dims[i + 2])
            return mismatch(data, weights, "kernel_shape is not that of the weights", err);
    struct linnet_nn_shape shape = *data;
    shape.dims[1] = weights->dims[0];
    int rc = infer_window(window, &shape, err);
    if (!rc) *out = shape;
    return rc;
}

/* The third input of CONV and GEMM. */
static int check_bias(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                      struct linnet_error *err) {
    if (node->ninputs < 3) return 0;
    const struct linnet_nn_shape *weights = &graph->tensors[node->inputs[1]].shape;
    const struct linnet_nn_shape *bias = &graph->tensors[node->inputs[2]].shape;
    if (bias->rank == 1 && bias->dims[0] == weights->dims[0]) return 0;
    return mismatch(weights, bias, "the bias is not one value for each output channel", err);
}

static int infer_gemm(const struct linnet_nn_shape *data, const struct linnet_nn_shape *weights,
                      struct linnet_nn_shape *out, struct linnet_error *err) {
    if (data->rank < 1 || weights->rank != 2 || data->dims[data->rank - 1] != weights->dims[1])
        return mismatch(data, weights, "the inner dimensions differ", err);
    *out = *data;
    out->dims[data->rank - 1] = weights->dims[0];
    return 0;
}

static int infer_matmul(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b,
                        struct linnet_nn_shape *out, struct linnet_error *err) {
    if (a->rank < 2 || b->rank < 2 || a->dims[a->rank - 1] != b->dims[b->rank - 2])
        return mismatch(a, b, "the inner dimensions differ", err);
    struct linnet_nn_shape outer_a = *a, outer_b = *b;
    outer_a.rank -= 2;
    outer_b.rank -= 2;
    struct linnet_nn_shape shape;
    int rc = linnet_nn_broadcast(&outer_a, &outer_b, &shape, err);
    if (rc) return rc;
    shape.dims[shape.rank++] = a->dims[a->rank - 2];
    shape.dims[shape.rank++] = b->dims[b->rank - 1];
    *out = shape;
    return 0;
}

static int infer_norm(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                      struct linnet_nn_shape *out, struct linnet_error *err) {
    const struct linnet_nn_shape *data = &graph->tensors[node->inputs[0]].shape;
    if (data->rank < 2) return wrong_rank(data, "[N, C, ...]", err);
    for (int i = 1; i < 5; i++) {
        const struct linnet_nn_shape *each = &graph->tensors[node->inputs[i]].shape;
        if (each->rank != 1 || each->dims[0] != data->dims[1])
            return mismatch(data, each, "parameters of a normalisation are one value for each channel", err);
    }
    *out = *data;
    return 0;
}

static int infer_concat(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                        struct linnet_nn_shape *out, struct linnet_error *err) {
    struct linnet_nn_shape shape = graph->tensors[node->inputs[0]].shape;
    int axis = node->at.concat.axis;
    if (axis < 0 || axis >= shape.rank) return wrong_rank(&shape, "a dimension to concatenate along", err);
    for (uint32_t i = 1; i < node->ninputs; i++) {
        const struct linnet_nn_shape *each = &graph->tensors[node->inputs[i]].shape;
        bool fits = each->rank == shape.rank && (each->dims[axis] < 0) == (shape.dims[axis] < 0);
        for (int k = 0; k < shape.rank && fits; k++)
            fits = k == axis || each->dims[k] == shape.dims[k];
        if (!fits || __builtin_add_overflow(shape.dims[axis], each->dims[axis], &shape.dims[axis]))
            return mismatch(&shape, each, "what is concatenated must agree in all other dimensions", err);
    }
    *out = shape;
    return 0;
}

static int infer_transpose(const struct linnet_nn_node *node, const struct linnet_nn_shape *data,
                           struct linnet_nn_shape *out, struct linnet_error *err) {
    struct linnet_nn_shape shape = {.rank = data->rank};
    bool seen[LINNET_NN_RANK_MAX] = {false};
    for (int i = 0; i < data->rank; i++) {
        int axis = node->at.transpose.axes[i];
        if (axis < 0 || axis >= data->rank || seen[axis])
            return linnet_nn_fail(err, LINNET_E_INVALID, "perm is no permutation of %d axes", data->rank);
        seen[axis] = true;
        shape.dims[i] = data->dims[axis];
    }
    *out = shape;
    return 0;
}

static int infer_pad(const struct linnet_nn_node *node, const struct linnet_nn_shape *data,
                     struct linnet_nn_shape *out, struct linnet_error *err) {
    struct linnet_nn_shape shape = *data;
    for (int i = 0; i < shape.rank; i++) {
        int64_t before = node->at.pad.before[i], after = node->at.pad.after[i];
        if (!before && !after) continue;
        if (shape.dims[i] < 0) return linnet_nn_fail(err, LINNET_E_INVALID, "padding along the batch");
        if (__builtin_add_overflow(shape.dims[i], before, &shape.dims[i]) ||
            __builtin_add_overflow(shape.dims[i], after, &shape.dims[i]) || shape.dims[i] <= 0)
            return linnet_nn_fail(err, LINNET_E_INVALID,
                                  "padding by %" PRId64 " and %" PRId64 " leaves nothing of dimension %d",
                                  before, after, i);
    }
    *out = shape;
    return 0;
}

static int infer_slice(const struct linnet_nn_node *node, const struct linnet_nn_shape *data,
                       const struct linnet_nn_shape *given, struct linnet_error *err) {
    bool fits = given->rank == data->rank;
    for (int i = 0; i < data->rank && fits; i++) {
        int64_t start = node->at.slice.starts[i];
        if (data->dims[i] < 0)
            fits = !start && given->dims[i] == data->dims[i];
        else
            fits = start >= 0 && given->dims[i] >= 0 && start <= data->dims[i] - given->dims[i];
    }
    return fits ? 0 : mismatch(data, given, "the slice is not inside its input", err);
}

static int infer_layer_norm(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                            struct linnet_nn_shape *out, struct linnet_error *err) {
    const struct linnet_nn_shape *data = &graph->tensors[node->inputs[0]].shape;
    if (data->rank < 1 || data->dims[data->rank - 1] < 0)
        return wrong_rank(data, "a last dimension of known length", err);
    for (uint32_t i = 1; i < 3; i++) {
        const struct linnet_nn_shape *each = &graph->tensors[node->inputs[i]].shape;
        if (each->rank != 1 || each->dims[0] != data->dims[data->rank - 1])
            return mismatch(data, each, "scale and shift are one value for each place of the last dimension",
                            err);
    }
    *out = *data;
    return 0;
}

static int infer_attention(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                           struct linnet_nn_shape *out, struct linnet_error *err) {
    const struct linnet_nn_shape *queries = &graph->tensors[node->inputs[0]].shape,
                                 *keys = &graph->tensors[node->inputs[1]].shape,
                                 *values = &graph->tensors[node->inputs[2]].shape;
    int rank = queries->rank;
    if (rank < 2) return wrong_rank(queries, "[..., length, width]", err);
    bool fits = keys->rank == rank && values->rank == rank && keys->dims[rank - 1] == queries->dims[rank - 1];
    for (int i = 0; i < rank - 2 && fits; i++)
        fits = keys->dims[i] == queries->dims[i] && values->dims[i] == queries->dims[i];
    if (!fits) return mismatch(queries, keys, "queries and keys do not fit each other", err);
    if (values->dims[rank - 2] != keys->dims[rank - 2])
        return mismatch(keys, values, "there is not one value for each key", err);
    for (int i = rank - 2; i < rank; i++)
        if (queries->dims[i] < 0 || keys->dims[i] < 0 || values->dims[i] < 0)
            return linnet_nn_fail(err, LINNET_E_INVALID, "attention across the batch");
    *out = *queries;
    out->dims[rank - 1] = values->dims[rank - 1];
    return 0;
}

static int infer_expand(const struct linnet_nn_shape *data, const struct linnet_nn_shape *given,
                        struct linnet_error *err) {
    struct linnet_nn_shape shape;
    int rc = linnet_nn_broadcast(data, given, &shape, err);
    if (rc) return rc;
    return linnet_nn_shape_equal(&shape, given)
               ? 0
               : mismatch(data, given, "the input is larger than what it is expanded to", err);
}

static int infer_reshape(const struct linnet_nn_shape *data, const struct linnet_nn_shape *given,
                         struct linnet_error *err) {
    /* Equal at two batch sizes means equal at all, as both counts are one product of constants and a power of
     * the batch. */
    for (unsigned batch = 1; batch <= 2; batch++)
        if (linnet_nn_shape_elements(data, batch) != linnet_nn_shape_elements(given, batch))
            return mismatch(data, given, "the number of elements would change", err);
    return 0;
}

static int infer_reduce(const struct linnet_nn_node *node, const struct linnet_nn_shape *data,
                        struct linnet_nn_shape *out, struct linnet_error *err) {
    struct linnet_nn_shape shape = *data;
    for (int i = 0; i < shape.rank; i++) {
        if (!node->at.reduce.axes[i]) continue;
        if (shape.dims[i] < 0) return linnet_nn_fail(err, LINNET_E_INVALID, "reduction over the batch");
        shape.dims[i] = 1;
    }
    *out = shape;
    return 0;
}

int linnet_nn_infer(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node,
                    const struct linnet_nn_shape *given, struct linnet_nn_shape *out,
                    struct linnet_error *err) {
    const struct linnet_nn_shape *a = &graph->tensors[node->inputs[0]].shape;
    const struct linnet_nn_shape *b = node->ninputs > 1 ? &graph->tensors[node->inputs[1]].shape : a;
    switch (node->op) {
    case LINNET_NN_OP_CONV:
    case LINNET_NN_OP_GEMM: {
        int rc = check_bias(graph, node, err);
        if (rc) return rc;
        return node->op == LINNET_NN_OP_CONV ? infer_conv(node, a, b, out, err) : infer_gemm(a, b, out, err);
    }
    case LINNET_NN_OP_MATMUL:
        return infer_matmul(a, b, out, err);
    case LINNET_NN_OP_POOL: {
        struct linnet_nn_shape shape = *a;
        if (shape.rank < 3) return wrong_rank(a, "[N, C, ...]", err);
        int rc = infer_window(&node->at.pool.window, &shape, err);
        if (!rc) *out = shape;
        return rc;
    }
    case LINNET_NN_OP_REDUCE:
        return infer_reduce(node, a, out, err);
    case LINNET_NN_OP_NORM:
        return infer_norm(graph, node, out, err);
    case LINNET_NN_OP_BINARY:
        return linnet_nn_broadcast(a, b, out, err);
    case LINNET_NN_OP_CONCAT:
        return infer_concat(graph, node, out, err);
    case LINNET_NN_OP_TRANSPOSE:
        return infer_transpose(node, a, out, err);
    case LINNET_NN_OP_PAD:
        return infer_pad(node, a, out, err);
    case LINNET_NN_OP_LAYER_NORM:
        return infer_layer_norm(graph, node, out, err);
    case LINNET_NN_OP_ATTENTION:
        return infer_attention(graph, node, out, err);
    case LINNET_NN_OP_RESHAPE:
    case LINNET_NN_OP_SLICE:
    case LINNET_NN_OP_EXPAND: {
        int rc = node->op == LINNET_NN_OP_SLICE    ? infer_slice(node, a, given, err)
                 : node->op == LINNET_NN_OP_EXPAND ? infer_expand(a, given, err)
                                                   : infer_reshape(a, given, err);
        if (!rc) *out = *given;
        return rc;
    }
    case LINNET_NN_OP_SOFTMAX:
        if (node->at.softmax.axis < 0 || node->at.softmax.axis >= a->rank)
            return wrong_rank(a, "a dimension to normalise along", err);
        *out = *a;
        return 0;
    case LINNET_NN_OP_UNARY:
    case LINNET_NN_OP_IDENTITY:
        *out = *a;
        return 0;
    case LINNET_NN_OP_NONE:
        break;
    }
    return linnet_nn_fail(err, LINNET_E_INTERNAL, "no shape for operator %d", (int)node->op);
}
