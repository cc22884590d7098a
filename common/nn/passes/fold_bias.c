#include <stdlib.h>

#include "common/nn/passes/passes.h"
#include "common/nn/passes/weights.h"

/* Is `constant` one value for each channel of `result`, 1 in all other dimensions? */
static bool per_channel(const struct linnet_nn_shape *constant, const struct linnet_nn_shape *result,
                        int axis) {
    if (constant->rank > result->rank || axis < result->rank - constant->rank) return false;
    for (int i = 0; i < constant->rank; i++) {
        int place = i + result->rank - constant->rank;
        if (constant->dims[i] != (place == axis ? result->dims[axis] : 1)) return false;
    }
    return true;
}

static int fold(struct linnet_nn_graph *graph, uint32_t index, uint32_t side, uint32_t linear) {
    const struct linnet_nn_node *add = &graph->nodes[index];
    const struct linnet_nn_data *data = graph->tensors[add->inputs[1 - side]].data;
    uint32_t result = add->inputs[side];
    double *shift = malloc(data->count * sizeof *shift);
    if (!shift) return LINNET_E_NOMEM;
    for (size_t i = 0; i < data->count; i++)
        shift[i] = (double)data->values[i];
    int rc = linnet_nn_rescale(graph, linear, NULL, shift);
    free(shift);
    if (!rc) rc = linnet_nn_graph_replace(graph, graph->nodes[index].output, result);
    if (!rc) linnet_nn_graph_remove(graph, index);
    return rc;
}

int linnet_nn_fold_bias(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        for (uint32_t side = 0; side < 2; side++) {
            const struct linnet_nn_node *add = &graph->nodes[i];
            if (add->op != LINNET_NN_OP_BINARY || add->at.binary.kind != LINNET_NN_ADD || add->nposts) break;
            uint32_t linear = linnet_nn_linear_before(graph, i, side);
            const struct linnet_nn_tensor *constant = &graph->tensors[add->inputs[1 - side]];
            if (linear == LINNET_NN_NONE || !constant->data ||
                !per_channel(&constant->shape, &graph->tensors[add->inputs[side]].shape,
                             linnet_nn_channel_axis(graph, &graph->nodes[linear])))
                continue;
            int rc = fold(graph, i, side, linear);
            if (rc) return rc;
        }
    }
    return linnet_nn_graph_sort(graph);
}
