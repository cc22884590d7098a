/* Inputs and outputs of the node being read. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/reader.h"

void linnet_onnx_say(const struct linnet_onnx_node *node, int code, const char *format, ...) {
    char text[384];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    linnet_error_set(node->reader->err, code, "%s", text);
}

bool linnet_onnx_has_input(const struct linnet_onnx_node *node, size_t index) {
    return index < node->proto->n_input && node->proto->input[index][0];
}

const struct linnet_onnx_rounding *linnet_onnx_rounded(const struct linnet_onnx_node *node, size_t index) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, index) ? linnet_onnx_find(node->reader, node->proto->input[index]) : NULL;
    return value && value->rounding ? &node->reader->roundings[value->rounding - 1] : NULL;
}

static int find_input(const struct linnet_onnx_node *node, size_t index,
                      const struct linnet_onnx_value **value) {
    if (!linnet_onnx_has_input(node, index))
        return linnet_onnx_fail(node, LINNET_E_PARSE, "its input %zu is missing", index);
    char text[64];
    *value = linnet_onnx_find(node->reader, node->proto->input[index]);
    if (*value) return 0;
    return linnet_onnx_fail(node, LINNET_E_PARSE, "its input \"%s\" is made by nothing before it",
                            linnet_onnx_clean(node->proto->input[index], text, sizeof text));
}

/* Integers used as numbers, as a constant of the graph. */
static int integers_as_tensor(const struct linnet_onnx_node *node,
                              const struct linnet_onnx_integers *integers, uint32_t *tensor) {
    struct linnet_nn_shape shape = {.rank = integers->rank};
    memcpy(shape.dims, integers->dims, sizeof shape.dims);
    float *values = malloc((integers->count ? integers->count : 1) * sizeof *values);
    if (!values) return linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; i < integers->count; i++) {
        if (integers->items[i].per_batch) {
            free(values);
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it computes with the batch size");
        }
        values[i] = (float)integers->items[i].value;
    }
    struct linnet_nn_data *data = linnet_nn_data_new(values, integers->count);
    int rc =
        data ? linnet_nn_graph_add_constant(node->reader->graph, "", &shape, data, tensor) : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    return rc ? linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc)) : 0;
}

int linnet_onnx_tensor_input(const struct linnet_onnx_node *node, size_t index, uint32_t *tensor) {
    const struct linnet_onnx_value *value = NULL;
    int rc = find_input(node, index, &value);
    if (rc) return rc;
    if (value->tensor == LINNET_NN_NONE) return integers_as_tensor(node, value->integers, tensor);
    if (value->rounding)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "it reads integers of 8 bits, which only DequantizeLinear may");
    *tensor = value->tensor;
    return 0;
}

int linnet_onnx_integer_input(const struct linnet_onnx_node *node, size_t index,
                              const struct linnet_onnx_integers **integers) {
    const struct linnet_onnx_value *value = NULL;
    int rc = find_input(node, index, &value);
    if (rc) return rc;
    if (!value->integers)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "its input %zu must be integers known without running the network", index);
    *integers = value->integers;
    return 0;
}

int linnet_onnx_plain_integers(const struct linnet_onnx_node *node, size_t index, int max, int64_t *out,
                               int *count) {
    const struct linnet_onnx_integers *integers = NULL;
    int rc = linnet_onnx_integer_input(node, index, &integers);
    if (rc) return rc;
    if (integers->rank > 1 || integers->count > (size_t)max)
        return linnet_onnx_fail(node, LINNET_E_PARSE, "its input %zu is no list of at most %d integers",
                                index, max);
    for (size_t i = 0; i < integers->count; i++) {
        if (integers->items[i].per_batch)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its input %zu depends on the batch size",
                                    index);
        out[i] = integers->items[i].value;
    }
    *count = (int)integers->count;
    return 0;
}

int linnet_onnx_scalar_input(const struct linnet_onnx_node *node, size_t index, float *out) {
    const struct linnet_onnx_value *value = NULL;
    int rc = find_input(node, index, &value);
    if (rc) return rc;
    const struct linnet_nn_data *data =
        value->tensor == LINNET_NN_NONE ? NULL : node->reader->graph->tensors[value->tensor].data;
    if (data && data->count == 1) {
        *out = data->values[0];
        return 0;
    }
    if (value->integers && value->integers->count == 1 && !value->integers->items[0].per_batch) {
        *out = (float)value->integers->items[0].value;
        return 0;
    }
    return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its input %zu must be one constant number", index);
}

const struct linnet_nn_tensor *linnet_onnx_tensor_at(const struct linnet_onnx_node *node, uint32_t tensor) {
    return &node->reader->graph->tensors[tensor];
}

int linnet_onnx_axis(const struct linnet_onnx_node *node, int64_t axis, int rank, int *out) {
    if (axis < -rank || axis >= rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its axis %lld is outside the %d dimensions",
                                (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return 0;
}

int linnet_onnx_emit(const struct linnet_onnx_node *node, const struct linnet_nn_node *wanted, int index,
                     const struct linnet_nn_shape *shape, uint32_t *tensor) {
    const char *name = index < 0 ? "" : node->proto->output[index];
    const char *node_name = node->proto->name ? node->proto->name : "";
    uint32_t added;
    int rc = linnet_nn_graph_add_node(node->reader->graph, wanted, node_name, name, shape, &added,
                                      node->reader->err);
    if (!rc && index >= 0) rc = linnet_onnx_output_tensor(node, (size_t)index, added);
    if (!rc && tensor) *tensor = added;
    return rc;
}

int linnet_onnx_output_tensor(const struct linnet_onnx_node *node, size_t index, uint32_t tensor) {
    if (index >= node->proto->n_output || !node->proto->output[index][0]) return 0; /* not wanted */
    return linnet_onnx_bind(node->reader, node->proto->output[index], tensor, NULL);
}

int linnet_onnx_output_integers(const struct linnet_onnx_node *node, size_t index,
                                struct linnet_onnx_integers *integers) {
    if (!integers) return linnet_onnx_fail(node, LINNET_E_LIMIT, "it computes too many integers");
    if (index >= node->proto->n_output || !node->proto->output[index][0]) {
        linnet_onnx_integers_free(integers);
        return 0;
    }
    return linnet_onnx_bind(node->reader, node->proto->output[index], LINNET_NN_NONE, integers);
}
