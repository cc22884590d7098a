/* y = scale (x - mean) / sqrt(variance + epsilon) + shift (Ioffe and Szegedy 2015) is linear for each channel
 * once trained. */
#include <math.h>
#include <stdlib.h>

#include "common/nn/passes/passes.h"
#include "common/nn/passes/weights.h"

static int fold(struct linnet_nn_graph *graph, uint32_t index, uint32_t linear) {
    const struct linnet_nn_node *norm = &graph->nodes[index];
    const float *values[5] = {NULL};
    for (uint32_t i = 1; i < 5; i++)
        values[i] = graph->tensors[norm->inputs[i]].data->values;
    size_t channels = graph->tensors[norm->inputs[1]].data->count;
    double *scale = malloc(2 * channels * sizeof *scale), *shift = scale + channels;
    if (!scale) return LINNET_E_NOMEM;
    for (size_t c = 0; c < channels; c++) {
        scale[c] = (double)values[1][c] / sqrt((double)values[4][c] + (double)norm->at.norm.epsilon);
        shift[c] = (double)values[2][c] - (double)values[3][c] * scale[c];
    }
    int rc = linnet_nn_rescale(graph, linear, scale, shift);
    free(scale);
    if (!rc) rc = linnet_nn_graph_replace(graph, graph->nodes[index].output, graph->nodes[index].inputs[0]);
    if (!rc) linnet_nn_graph_remove(graph, index);
    return rc;
}

int linnet_nn_fold_norm(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *norm = &graph->nodes[i];
        if (norm->op != LINNET_NN_OP_NORM || norm->nposts) continue;
        uint32_t linear = linnet_nn_linear_before(graph, i, 0);
        if (linear == LINNET_NN_NONE || linnet_nn_channel_axis(graph, &graph->nodes[linear]) != 1) continue;
        int rc = fold(graph, i, linear);
        if (rc) return rc;
    }
    return linnet_nn_graph_sort(graph);
}
