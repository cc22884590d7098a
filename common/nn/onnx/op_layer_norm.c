/* ONNX LayerNormalization, of opset 17. What exporters write for it before that is several nodes, which a
 * pass makes one (common/nn/passes/fuse_layer_norm.c). */
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"
#include "common/nn/shape.h"

/* A parameter as one row of `count`; `fill` where it is absent. */
static int parameter(const struct linnet_onnx_node *node, size_t index, int64_t count, float fill,
                     uint32_t *out) {
    struct linnet_nn_shape row = {.rank = 1, .dims = {count}};
    const float *from = NULL;
    if (linnet_onnx_has_input(node, index)) {
        int rc = linnet_onnx_tensor_input(node, index, out);
        if (rc) return rc;
        const struct linnet_nn_tensor *tensor = linnet_onnx_tensor_at(node, *out);
        if (!tensor->data || (int64_t)tensor->data->count != count)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its input %zu is no constant of %lld values",
                                    index, (long long)count);
        if (tensor->shape.rank == 1) return 0;
        from = tensor->data->values;
    }
    float *values = malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = from ? from[i] : fill;
    struct linnet_nn_data *data = linnet_nn_data_new(values, (size_t)count);
    int rc = data ? linnet_nn_graph_add_constant(node->reader->graph, "", &row, data, out) : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    return rc ? linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc)) : 0;
}

/* All dimensions from `axis` on as one. */
static int flatten(const struct linnet_onnx_node *node, const struct linnet_nn_shape *shape, int axis,
                   struct linnet_nn_shape *flat) {
    *flat = *shape;
    flat->rank = axis + 1;
    for (int i = axis + 1; i < shape->rank; i++)
        if (shape->dims[i] < 0 || flat->dims[axis] < 0 ||
            linnet_nn_dim_multiply(flat->dims[axis], shape->dims[i], &flat->dims[axis]))
            return linnet_onnx_fail(node, LINNET_E_INVALID, "it normalises over the batch");
    if (flat->dims[axis] < 0 || flat->dims[axis] > LINNET_NN_ELEMENTS_MAX)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "it normalises over the batch, or over too much");
    return 0;
}

int linnet_onnx_read_layer_norm(const struct linnet_onnx_node *node) {
    uint32_t inputs[3];
    int64_t wanted;
    struct linnet_nn_node norm = {.op = LINNET_NN_OP_LAYER_NORM, .inputs = inputs, .ninputs = 3};
    struct linnet_nn_node reshape = {.op = LINNET_NN_OP_RESHAPE, .inputs = inputs, .ninputs = 1};
    struct linnet_nn_shape flat;
    int axis, rc = linnet_onnx_float(node, "epsilon", 1e-5f, &norm.at.norm.epsilon);
    if (!rc) rc = linnet_onnx_int(node, "axis", -1, &wanted);
    if (!rc) rc = linnet_onnx_tensor_input(node, 0, &inputs[0]);
    if (rc) return rc;
    if (node->proto->n_output > 1)
        for (size_t i = 1; i < node->proto->n_output; i++)
            if (node->proto->output[i][0])
                return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                        "its mean or deviation is used: it is exported for training");
    struct linnet_nn_shape shape = linnet_onnx_tensor_at(node, inputs[0])->shape;
    rc = linnet_onnx_axis(node, wanted, shape.rank, &axis);
    if (!rc) rc = flatten(node, &shape, axis, &flat);
    if (!rc) rc = parameter(node, 1, flat.dims[axis], 1, &inputs[1]);
    if (!rc) rc = parameter(node, 2, flat.dims[axis], 0, &inputs[2]);
    bool last = axis == shape.rank - 1;
    if (!rc && !last) rc = linnet_onnx_emit(node, &reshape, -1, &flat, &inputs[0]);
    if (!rc) rc = linnet_onnx_emit(node, &norm, last ? 0 : -1, NULL, &inputs[0]);
    return rc || last ? rc : linnet_onnx_emit(node, &reshape, 0, &shape, NULL);
}
