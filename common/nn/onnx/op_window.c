/* Convolutions and pools: ONNX Conv, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool. */
#include <string.h>

#include "common/nn/onnx/operators.h"
#include "common/nn/shape.h"

enum auto_pad { NOTSET, VALID, SAME_UPPER, SAME_LOWER };

/* A list attribute of one positive value for each spatial dimension, or `fallback` everywhere. */
static int window_list(const struct linnet_onnx_node *node, const char *name, int rank, int64_t fallback,
                       int64_t *out) {
    int count, rc = linnet_onnx_ints(node, name, LINNET_NN_SPATIAL_MAX, out, &count);
    if (rc) return rc;
    if (count >= 0 && count != rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its %s has %d values for %d spatial dimensions",
                                name, count, rank);
    for (int i = 0; i < rank; i++) {
        if (count < 0) out[i] = fallback;
        if (out[i] < 1 || out[i] > LINNET_ONNX_WINDOW_MAX)
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its %s holds %lld", name, (long long)out[i]);
    }
    return 0;
}

/* "SAME": as many windows as the stride allows, padding split, the odd one at the end (upper) or at the
 * beginning. */
static void pad_same(struct linnet_nn_window *window, int i, int64_t in, bool upper) {
    int64_t out = (in + window->strides[i] - 1) / window->strides[i];
    int64_t need = (out - 1) * window->strides[i] + window->dilations[i] * (window->kernel[i] - 1) + 1 - in;
    int64_t total = need > 0 ? need : 0;
    window->before[i] = upper ? total / 2 : total - total / 2;
    window->after[i] = total - window->before[i];
}

static int read_pads(const struct linnet_onnx_node *node, const struct linnet_nn_shape *data,
                     struct linnet_nn_window *window) {
    static const char *const choices[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", NULL};
    int64_t pads[2 * LINNET_NN_SPATIAL_MAX];
    int mode, count, rc = linnet_onnx_choice(node, "auto_pad", choices, &mode);
    if (!rc) rc = linnet_onnx_ints(node, "pads", 2 * LINNET_NN_SPATIAL_MAX, pads, &count);
    if (rc) return rc;
    if (mode == NOTSET && count >= 0 && count != 2 * window->rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its pads has %d values for %d spatial dimensions",
                                count, window->rank);
    for (int i = 0; i < window->rank; i++) {
        if (mode == SAME_UPPER || mode == SAME_LOWER) {
            pad_same(window, i, data->dims[i + 2], mode == SAME_UPPER);
            continue;
        }
        window->before[i] = mode == NOTSET && count >= 0 ? pads[i] : 0;
        window->after[i] = mode == NOTSET && count >= 0 ? pads[window->rank + i] : 0;
        if (window->before[i] < 0 || window->after[i] < 0 || window->before[i] > LINNET_ONNX_WINDOW_MAX ||
            window->after[i] > LINNET_ONNX_WINDOW_MAX)
            return linnet_onnx_fail(node, LINNET_E_INVALID,
                                    "its pads holds a value that is negative or too large");
    }
    return 0;
}

/* The window over `data`; the kernel is that of the attribute, or `kernel` (of the weights) where that is not
 * NULL. */
static int read_window(const struct linnet_onnx_node *node, const struct linnet_nn_shape *data,
                       const int64_t *kernel, struct linnet_nn_window *window) {
    int rank = data->rank - 2;
    char text[128];
    linnet_nn_shape_print(data, text, sizeof text);
    if (rank < 1 || rank > LINNET_NN_SPATIAL_MAX)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "its input is %s; one to three spatial dimensions are supported", text);
    for (int i = 0; i < rank; i++)
        if (data->dims[i + 2] < 0) return linnet_onnx_fail(node, LINNET_E_INVALID, "its input is %s", text);
    memset(window, 0, sizeof *window);
    window->rank = rank;
    int rc = 0;
    if (kernel && !linnet_onnx_attribute(node, "kernel_shape"))
        memcpy(window->kernel, kernel, (size_t)rank * sizeof *kernel);
    else if (!linnet_onnx_attribute(node, "kernel_shape"))
        rc = linnet_onnx_fail(node, LINNET_E_PARSE, "its kernel_shape is missing");
    else
        rc = window_list(node, "kernel_shape", rank, 1, window->kernel);
    if (!rc) rc = window_list(node, "strides", rank, 1, window->strides);
    if (!rc) rc = window_list(node, "dilations", rank, 1, window->dilations);
    return rc ? rc : read_pads(node, data, window);
}

int linnet_onnx_read_conv(const struct linnet_onnx_node *node) {
    uint32_t inputs[3];
    struct linnet_nn_node conv = {.op = LINNET_NN_OP_CONV, .inputs = inputs, .ninputs = 2};
    int rc = linnet_onnx_tensor_input(node, 0, &inputs[0]);
    if (!rc) rc = linnet_onnx_tensor_input(node, 1, &inputs[1]);
    if (!rc && linnet_onnx_has_input(node, 2)) {
        rc = linnet_onnx_tensor_input(node, 2, &inputs[2]);
        conv.ninputs = 3;
    }
    if (!rc) rc = linnet_onnx_int(node, "group", 1, &conv.at.conv.groups);
    if (rc) return rc;
    const struct linnet_nn_shape *weights = &linnet_onnx_tensor_at(node, inputs[1])->shape;
    const struct linnet_nn_shape *data = &linnet_onnx_tensor_at(node, inputs[0])->shape;
    if (weights->rank != data->rank || weights->rank < 3)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "weights of %d dimensions for data of %d",
                                weights->rank, data->rank);
    rc = read_window(node, data, weights->dims + 2, &conv.at.conv.window);
    return rc ? rc : linnet_onnx_emit(node, &conv, 0, NULL, NULL);
}

/* With ceil_mode, make room at the end for the windows that PyTorch counts. True if there were any to make.
 */
static bool extend_for_ceil(const struct linnet_nn_shape *data, struct linnet_nn_window *window) {
    bool extended = false;
    for (int i = 0; i < window->rank; i++) {
        int64_t in = data->dims[i + 2], reach = window->dilations[i] * (window->kernel[i] - 1) + 1;
        int64_t count =
            linnet_nn_window_count(in, window->kernel[i], window->strides[i], window->dilations[i],
                                   window->before[i], window->after[i], true);
        int64_t missing =
            (count - 1) * window->strides[i] + reach - in - window->before[i] - window->after[i];
        if (count < 1 || missing <= 0) continue;
        window->after[i] += missing;
        extended = true;
    }
    return extended;
}

/* An average that counts explicit padding as zeros, but not what ceil_mode adds: the padding becomes a node
 * of its own. */
static int pad_apart(const struct linnet_onnx_node *node, uint32_t *data, struct linnet_nn_window *window) {
    struct linnet_nn_node pad = {.op = LINNET_NN_OP_PAD, .inputs = data, .ninputs = 1};
    for (int i = 0; i < window->rank; i++) {
        pad.at.pad.before[i + 2] = window->before[i];
        pad.at.pad.after[i + 2] = window->after[i];
        window->before[i] = window->after[i] = 0;
    }
    return linnet_onnx_emit(node, &pad, -1, NULL, data);
}

static int read_pool(const struct linnet_onnx_node *node, bool average) {
    uint32_t data;
    struct linnet_nn_node pool = {.op = LINNET_NN_OP_POOL, .inputs = &data, .ninputs = 1};
    struct linnet_nn_window *window = &pool.at.pool.window;
    int64_t ceil, include;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = read_window(node, &linnet_onnx_tensor_at(node, data)->shape, NULL, window);
    if (!rc) rc = linnet_onnx_int(node, "ceil_mode", 0, &ceil);
    if (!rc) rc = linnet_onnx_int(node, "count_include_pad", 0, &include);
    if (rc) return rc;
    if (node->proto->n_output > 1 && node->proto->output[1][0])
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its output of indices is used");
    pool.at.pool.average = average;
    pool.at.pool.include_padding = average && include;
    struct linnet_nn_window plain = *window;
    if (ceil && extend_for_ceil(&linnet_onnx_tensor_at(node, data)->shape, window) &&
        pool.at.pool.include_padding) {
        *window = plain;
        rc = pad_apart(node, &data, window);
        if (rc) return rc;
        pool.at.pool.include_padding = false;
        extend_for_ceil(&linnet_onnx_tensor_at(node, data)->shape, window);
    }
    return linnet_onnx_emit(node, &pool, 0, NULL, NULL);
}

int linnet_onnx_read_max_pool(const struct linnet_onnx_node *node) {
    return read_pool(node, false);
}

int linnet_onnx_read_average_pool(const struct linnet_onnx_node *node) {
    return read_pool(node, true);
}

static int read_global(const struct linnet_onnx_node *node, enum linnet_nn_reduction kind) {
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    struct linnet_nn_node reduce = {.op = LINNET_NN_OP_REDUCE, .inputs = &data, .ninputs = 1};
    reduce.at.reduce.kind = kind;
    int rank = linnet_onnx_tensor_at(node, data)->shape.rank;
    if (rank < 3) return linnet_onnx_fail(node, LINNET_E_INVALID, "its input has no spatial dimension");
    for (int i = 2; i < rank; i++)
        reduce.at.reduce.axes[i] = true;
    return linnet_onnx_emit(node, &reduce, 0, NULL, NULL);
}

int linnet_onnx_read_global_average_pool(const struct linnet_onnx_node *node) {
    return read_global(node, LINNET_NN_REDUCE_MEAN);
}

int linnet_onnx_read_global_max_pool(const struct linnet_onnx_node *node) {
    return read_global(node, LINNET_NN_REDUCE_MAX);
}
