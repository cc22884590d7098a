/* Constants, casts and shapes: what is known while reading. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"

static int output_integers(const struct linnet_onnx_node *node, const int64_t *values, size_t count,
                           bool scalar) {
    int64_t dims[1] = {(int64_t)count};
    struct linnet_onnx_integers *integers = linnet_onnx_integers_new(scalar ? 0 : 1, dims);
    for (size_t i = 0; integers && i < integers->count; i++)
        integers->items[i].value = values[i];
    return linnet_onnx_output_integers(node, 0, integers);
}

static int output_floats(const struct linnet_onnx_node *node, const struct linnet_nn_shape *shape,
                         struct linnet_nn_data *data) {
    uint32_t tensor;
    int rc =
        data ? linnet_nn_graph_add_constant(node->reader->graph, node->proto->output[0], shape, data, &tensor)
             : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    if (rc) return linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc));
    return linnet_onnx_output_tensor(node, 0, tensor);
}

static struct linnet_nn_data *copy_floats(const float *values, size_t count) {
    float *copy = malloc((count ? count : 1) * sizeof *copy);
    if (copy && count) memcpy(copy, values, count * sizeof *copy);
    return linnet_nn_data_new(copy, count);
}

int linnet_onnx_read_constant(const struct linnet_onnx_node *node) {
    if (node->proto->n_attribute != 1)
        return linnet_onnx_fail(node, LINNET_E_PARSE, "it has no single value");
    Onnx__AttributeProto *attribute = node->proto->attribute[0];
    struct linnet_nn_shape list = {.rank = 1};
    if (!strcmp(attribute->name, "value_int")) return output_integers(node, &attribute->i, 1, true);
    if (!strcmp(attribute->name, "value_ints"))
        return output_integers(node, attribute->ints, attribute->n_ints, false);
    if (!strcmp(attribute->name, "value_float")) {
        list.rank = 0;
        return output_floats(node, &list, copy_floats(&attribute->f, 1));
    }
    if (!strcmp(attribute->name, "value_floats")) {
        list.dims[0] = (int64_t)attribute->n_floats;
        return output_floats(node, &list, copy_floats(attribute->floats, attribute->n_floats));
    }
    struct linnet_nn_data *data;
    struct linnet_onnx_integers *integers;
    if (!attribute->t) return linnet_onnx_fail(node, LINNET_E_PARSE, "it has no value");
    int rc = linnet_onnx_tensor(node->reader, attribute->t, &list, &data, &integers, node->reader->err);
    if (rc) return rc;
    if (integers) return linnet_onnx_output_integers(node, 0, integers);
    node->reader->elements += data->count;
    if (data->count) return output_floats(node, &list, data);
    linnet_nn_data_unref(data); /* an empty placeholder; an error only where it is used */
    return 0;
}

int linnet_onnx_read_constant_of_shape(const struct linnet_onnx_node *node) {
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank, rc = linnet_onnx_plain_integers(node, 0, LINNET_NN_RANK_MAX, dims, &rank);
    if (rc) return rc;
    Onnx__AttributeProto *attribute = linnet_onnx_attribute(node, "value");
    struct linnet_nn_shape shape = {.rank = rank}, one;
    struct linnet_nn_data *data = NULL;
    struct linnet_onnx_integers *integers = NULL, *filled = NULL;
    if (attribute && attribute->t)
        rc = linnet_onnx_tensor(node->reader, attribute->t, &one, &data, &integers, node->reader->err);
    if (rc) return rc;
    if (integers) {
        filled = linnet_onnx_integers_new(rank, dims);
        for (size_t i = 0; filled && integers->count && i < filled->count; i++)
            filled->items[i] = integers->items[0];
        linnet_onnx_integers_free(integers);
        return linnet_onnx_output_integers(node, 0, filled);
    }
    float value = data && data->count ? data->values[0] : 0;
    linnet_nn_data_unref(data);
    for (int i = 0; i < rank; i++)
        shape.dims[i] = dims[i] > 0 ? dims[i] : 0;
    int64_t count = linnet_nn_shape_elements(&shape, 1);
    if (count < 0 || count > LINNET_ONNX_INTEGERS_MAX)
        return linnet_onnx_fail(node, LINNET_E_LIMIT, "it makes too many values");
    float *values = malloc((size_t)(count ? count : 1) * sizeof *values);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = value;
    return output_floats(node, &shape, linnet_nn_data_new(values, (size_t)count));
}

static bool is_float_type(int64_t type) {
    return type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ||
           type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE || type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

/* A constant cut to integers. */
static int truncate_constant(const struct linnet_onnx_node *node, const struct linnet_nn_tensor *tensor) {
    if (!tensor->data) return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it turns data into integers");
    struct linnet_onnx_integers *integers = linnet_onnx_integers_new(tensor->shape.rank, tensor->shape.dims);
    for (size_t i = 0; integers && i < integers->count; i++) {
        float value = tensor->data->values[i];
        if (!(fabsf(value) < 9e18f)) {
            linnet_onnx_integers_free(integers);
            return linnet_onnx_fail(node, LINNET_E_INVALID, "it casts %g to an integer", (double)value);
        }
        integers->items[i].value = (int64_t)value;
    }
    return linnet_onnx_output_integers(node, 0, integers);
}

/* All floats are one type here, and all integers another. */
int linnet_onnx_read_cast(const struct linnet_onnx_node *node) {
    int64_t to;
    uint32_t data;
    int rc = linnet_onnx_int(node, "to", 0, &to);
    if (rc) return rc;
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, 0) ? linnet_onnx_find(node->reader, node->proto->input[0]) : NULL;
    bool from_integers = value && value->integers;
    if (to == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL && !from_integers)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it casts data to bool");
    if (from_integers != is_float_type(to)) return linnet_onnx_read_identity(node);
    rc = linnet_onnx_tensor_input(node, 0, &data); /* makes a constant of integers */
    if (rc) return rc;
    if (from_integers) return linnet_onnx_output_tensor(node, 0, data);
    return truncate_constant(node, linnet_onnx_tensor_at(node, data));
}

/* Of a tensor, or of integers. */
static int shape_of_input(const struct linnet_onnx_node *node, struct linnet_nn_shape *shape) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, 0) ? linnet_onnx_find(node->reader, node->proto->input[0]) : NULL;
    if (value && value->integers) {
        shape->rank = value->integers->rank;
        memcpy(shape->dims, value->integers->dims, sizeof shape->dims);
        return 0;
    }
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) *shape = linnet_onnx_tensor_at(node, data)->shape;
    return rc;
}

int linnet_onnx_read_shape(const struct linnet_onnx_node *node) {
    int64_t start, end;
    struct linnet_nn_shape shape;
    int rc = shape_of_input(node, &shape);
    if (!rc) rc = linnet_onnx_int(node, "start", 0, &start);
    if (!rc) rc = linnet_onnx_int(node, "end", INT64_MAX, &end);
    if (rc) return rc;
    if (start < 0) start = start < -shape.rank ? 0 : start + shape.rank;
    if (end < 0) end = end < -shape.rank ? 0 : end + shape.rank;
    if (end > shape.rank) end = shape.rank;
    int64_t dims[1] = {end > start ? end - start : 0};
    struct linnet_onnx_integers *integers = linnet_onnx_integers_new(1, dims);
    for (size_t i = 0; integers && i < integers->count; i++) {
        int64_t dim = shape.dims[(size_t)start + i];
        integers->items[i] = (struct linnet_onnx_integer){dim < 0 ? -dim : dim, dim < 0};
    }
    return linnet_onnx_output_integers(node, 0, integers);
}
