#include "common/nn/passes/passes.h"

static bool changes_nothing(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node) {
    if (node->nposts) return false;
    switch (node->op) {
    case LINNET_NN_OP_IDENTITY:
        return true;
    case LINNET_NN_OP_RESHAPE:
    case LINNET_NN_OP_EXPAND:
        return linnet_nn_shape_equal(&graph->tensors[node->inputs[0]].shape,
                                     &graph->tensors[node->output].shape);
    case LINNET_NN_OP_CONCAT:
        return node->ninputs == 1;
    case LINNET_NN_OP_UNARY: /* times 1 plus 0, what a fused factor leaves */
        return node->at.unary.function == LINNET_NN_LINEAR && node->at.unary.alpha >= 1 &&
               node->at.unary.alpha <= 1 && node->at.unary.beta >= 0 && node->at.unary.beta <= 0;
    case LINNET_NN_OP_SLICE:
        return linnet_nn_shape_equal(&graph->tensors[node->inputs[0]].shape,
                                     &graph->tensors[node->output].shape);
    case LINNET_NN_OP_TRANSPOSE:
        for (int i = 0; i < graph->tensors[node->output].shape.rank; i++)
            if (node->at.transpose.axes[i] != i) return false;
        return true;
    default:
        return false;
    }
}

int linnet_nn_drop_identity(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op == LINNET_NN_OP_NONE || !changes_nothing(graph, node)) continue;
        const struct linnet_nn_tensor *from = &graph->tensors[node->inputs[0]];
        /* Each output of the graph is a tensor of its own, made by a node. */
        if (graph->tensors[node->output].output && (from->output || from->producer == LINNET_NN_NONE))
            continue;
        int rc = linnet_nn_graph_replace(graph, node->output, node->inputs[0]);
        if (rc) return rc;
        linnet_nn_graph_remove(graph, i);
    }
    return linnet_nn_graph_sort(graph);
}
