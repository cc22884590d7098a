#include "common/nn/passes/weights.h"

#include <stdlib.h>

#include "common/nn/room.h"

uint32_t linnet_nn_linear_before(const struct linnet_nn_graph *graph, uint32_t reader, uint32_t index) {
    uint32_t tensor = graph->nodes[reader].inputs[index], producer = graph->tensors[tensor].producer;
    if (producer == LINNET_NN_NONE || linnet_nn_graph_only_user(graph, tensor) != reader)
        return LINNET_NN_NONE;
    const struct linnet_nn_node *node = &graph->nodes[producer];
    if ((node->op != LINNET_NN_OP_CONV && node->op != LINNET_NN_OP_GEMM) || node->nposts)
        return LINNET_NN_NONE;
    for (uint32_t i = 1; i < node->ninputs; i++)
        if (!graph->tensors[node->inputs[i]].data) return LINNET_NN_NONE;
    return producer;
}

int linnet_nn_channel_axis(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node) {
    return node->op == LINNET_NN_OP_CONV ? 1 : graph->tensors[node->output].shape.rank - 1;
}

/* A new constant like `like`, of values that are taken. */
static int add_values(struct linnet_nn_graph *graph, const char *name, const struct linnet_nn_shape *shape,
                      float *values, uint32_t *tensor) {
    struct linnet_nn_data *data = linnet_nn_data_new(values, (size_t)linnet_nn_shape_elements(shape, 1));
    if (!data) return LINNET_E_NOMEM;
    int rc = linnet_nn_graph_add_constant(graph, name, shape, data, tensor);
    linnet_nn_data_unref(data);
    if (!rc) graph->tensors[*tensor].trained = true;
    return rc;
}

static int scale_weights(struct linnet_nn_graph *graph, uint32_t node, const double *scale) {
    const struct linnet_nn_tensor *old = &graph->tensors[graph->nodes[node].inputs[1]];
    struct linnet_nn_shape shape = old->shape;
    size_t outputs = (size_t)shape.dims[0], each = old->data->count / outputs;
    float *values = linnet_nn_room(old->data->count * sizeof *values);
    for (size_t o = 0; values && o < outputs; o++)
        for (size_t i = 0; i < each; i++)
            values[o * each + i] = (float)((double)old->data->values[o * each + i] * scale[o]);
    uint32_t tensor;
    int rc = values ? add_values(graph, old->name, &shape, values, &tensor) : LINNET_E_NOMEM;
    return rc ? rc : linnet_nn_graph_set_input(graph, node, 1, tensor);
}

int linnet_nn_rescale(struct linnet_nn_graph *graph, uint32_t node, const double *scale,
                      const double *shift) {
    size_t outputs = (size_t)graph->tensors[graph->nodes[node].inputs[1]].shape.dims[0];
    bool biased = graph->nodes[node].ninputs > 2;
    const float *bias = biased ? graph->tensors[graph->nodes[node].inputs[2]].data->values : NULL;
    float *values = malloc(outputs * sizeof *values);
    if (!values) return LINNET_E_NOMEM;
    for (size_t o = 0; o < outputs; o++)
        values[o] = (float)((bias ? (double)bias[o] : 0) * (scale ? scale[o] : 1) + shift[o]);
    struct linnet_nn_shape shape = {.rank = 1, .dims = {(int64_t)outputs}};
    uint32_t tensor;
    int rc = add_values(graph, "", &shape, values, &tensor);
    if (!rc)
        rc = biased ? linnet_nn_graph_set_input(graph, node, 2, tensor)
                    : linnet_nn_graph_append_input(graph, node, tensor);
    return rc || !scale ? rc : scale_weights(graph, node, scale);
}
