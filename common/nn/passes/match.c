#include "common/nn/passes/match.h"

#include <stdlib.h>

uint32_t linnet_nn_made_by(const struct linnet_nn_graph *graph, uint32_t tensor, enum linnet_nn_op op) {
    uint32_t producer = graph->tensors[tensor].producer;
    if (producer == LINNET_NN_NONE) return LINNET_NN_NONE;
    const struct linnet_nn_node *node = &graph->nodes[producer];
    return node->op == op && !node->nposts ? producer : LINNET_NN_NONE;
}

uint32_t linnet_nn_made_by_function(const struct linnet_nn_graph *graph, uint32_t tensor,
                                    enum linnet_nn_function function) {
    uint32_t node = linnet_nn_made_by(graph, tensor, LINNET_NN_OP_UNARY);
    return node != LINNET_NN_NONE && graph->nodes[node].at.unary.function == function ? node : LINNET_NN_NONE;
}

uint32_t linnet_nn_made_by_arithmetic(const struct linnet_nn_graph *graph, uint32_t tensor,
                                      enum linnet_nn_arithmetic kind) {
    uint32_t node = linnet_nn_made_by(graph, tensor, LINNET_NN_OP_BINARY);
    return node != LINNET_NN_NONE && graph->nodes[node].at.binary.kind == kind ? node : LINNET_NN_NONE;
}

uint32_t linnet_nn_unscaled(const struct linnet_nn_graph *graph, uint32_t tensor, double *factor) {
    for (;;) {
        uint32_t node = linnet_nn_made_by_function(graph, tensor, LINNET_NN_LINEAR);
        if (node == LINNET_NN_NONE || graph->nodes[node].at.unary.beta < 0 ||
            graph->nodes[node].at.unary.beta > 0)
            return tensor;
        *factor *= (double)graph->nodes[node].at.unary.alpha;
        tensor = graph->nodes[node].inputs[0];
    }
}

bool linnet_nn_last_row(const struct linnet_nn_graph *graph, uint32_t tensor,
                        const struct linnet_nn_shape *like) {
    const struct linnet_nn_tensor *row = &graph->tensors[tensor];
    if (!row->data || row->shape.rank < 1 || row->shape.rank > like->rank) return false;
    int64_t last = row->shape.dims[row->shape.rank - 1];
    return last == like->dims[like->rank - 1] && (int64_t)row->data->count == last;
}

int linnet_nn_add_row(struct linnet_nn_graph *graph, const char *name, const float *from, float fill,
                      int64_t count, uint32_t *tensor) {
    struct linnet_nn_shape shape = {.rank = 1, .dims = {count}};
    float *values = malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = from ? from[i] : fill;
    struct linnet_nn_data *data = linnet_nn_data_new(values, (size_t)count);
    int rc = data ? linnet_nn_graph_add_constant(graph, name, &shape, data, tensor) : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    if (!rc && from) graph->tensors[*tensor].trained = true;
    return rc;
}
