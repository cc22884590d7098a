/* A product with a constant for each channel (LayerScale, Touvron et al. 2021) joins the weights and the bias
 * of the convolution or product before it, through a transposition that may be between them. */
#include <stdlib.h>

#include "common/nn/passes/passes.h"
#include "common/nn/passes/weights.h"

/* Is `constant` one value for each place along `axis` of `result`, 1 in all other dimensions? */
static bool along(const struct linnet_nn_shape *constant, const struct linnet_nn_shape *result, int axis) {
    for (int i = 0; i < constant->rank; i++) {
        int place = i + result->rank - constant->rank;
        if (place < 0 || constant->dims[i] != (place == axis ? result->dims[axis] : 1)) return false;
    }
    return axis >= result->rank - constant->rank;
}

/* The convolution or product whose result is input `side` of node `index`; *axis is where its channels are
 * there. */
static uint32_t linear_behind(const struct linnet_nn_graph *graph, uint32_t index, uint32_t side, int *axis) {
    uint32_t tensor = graph->nodes[index].inputs[side], producer = graph->tensors[tensor].producer;
    bool turned = producer != LINNET_NN_NONE && graph->nodes[producer].op == LINNET_NN_OP_TRANSPOSE;
    if (!turned) {
        uint32_t linear = linnet_nn_linear_before(graph, index, side);
        if (linear != LINNET_NN_NONE) *axis = linnet_nn_channel_axis(graph, &graph->nodes[linear]);
        return linear;
    }
    uint32_t linear = linnet_nn_graph_only_user(graph, tensor) == index
                          ? linnet_nn_linear_before(graph, producer, 0)
                          : LINNET_NN_NONE;
    if (linear == LINNET_NN_NONE) return linear;
    int channels = linnet_nn_channel_axis(graph, &graph->nodes[linear]);
    const int *axes = graph->nodes[producer].at.transpose.axes;
    for (*axis = 0; axes[*axis] != channels;)
        ++*axis;
    return linear;
}

static int fold(struct linnet_nn_graph *graph, uint32_t index, uint32_t side, uint32_t linear) {
    const struct linnet_nn_data *data = graph->tensors[graph->nodes[index].inputs[1 - side]].data;
    double *scale = calloc(2 * data->count, sizeof *scale), *shift = scale + data->count;
    if (!scale) return LINNET_E_NOMEM;
    for (size_t i = 0; i < data->count; i++)
        scale[i] = (double)data->values[i];
    int rc = linnet_nn_rescale(graph, linear, scale, shift);
    free(scale);
    if (!rc)
        rc = linnet_nn_graph_replace(graph, graph->nodes[index].output, graph->nodes[index].inputs[side]);
    if (!rc) linnet_nn_graph_remove(graph, index);
    return rc;
}

int linnet_nn_fold_scale(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        for (uint32_t side = 0; side < 2; side++) {
            const struct linnet_nn_node *node = &graph->nodes[i];
            if (node->op != LINNET_NN_OP_BINARY || node->at.binary.kind != LINNET_NN_MUL || node->nposts)
                break;
            int axis = 0;
            uint32_t linear = linear_behind(graph, i, side, &axis);
            const struct linnet_nn_tensor *constant = &graph->tensors[node->inputs[1 - side]];
            if (linear == LINNET_NN_NONE || !constant->data ||
                !along(&constant->shape, &graph->tensors[node->inputs[side]].shape, axis) ||
                !linnet_nn_shape_equal(&graph->tensors[node->inputs[side]].shape,
                                       &graph->tensors[node->output].shape))
                continue;
            int rc = fold(graph, i, side, linear);
            if (rc) return rc;
        }
    }
    return linnet_nn_graph_sort(graph);
}
