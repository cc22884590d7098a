#include "common/nn/passes/passes.h"

/* alpha x + beta for `x kind c` (or, swapped, `c kind x`). False where it is not linear. */
static bool as_linear(enum linnet_nn_arithmetic kind, bool swapped, float c, struct linnet_nn_unary *unary) {
    *unary = (struct linnet_nn_unary){LINNET_NN_LINEAR, 1, 0};
    switch (kind) {
    case LINNET_NN_ADD:
        unary->beta = c;
        return true;
    case LINNET_NN_SUB:
        unary->alpha = swapped ? -1 : 1;
        unary->beta = swapped ? c : -c;
        return true;
    case LINNET_NN_MUL:
        unary->alpha = c;
        return true;
    case LINNET_NN_DIV:
        unary->alpha = 1 / c;
        return !swapped && c != 0;
    default:
        return false;
    }
}

int linnet_nn_fold_scalar(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op != LINNET_NN_OP_BINARY || node->nposts) continue;
        bool swapped = graph->tensors[node->inputs[0]].data != NULL;
        const struct linnet_nn_tensor *constant = &graph->tensors[node->inputs[swapped ? 0 : 1]];
        uint32_t data = node->inputs[swapped ? 1 : 0];
        struct linnet_nn_unary unary;
        if (!constant->data || constant->data->count != 1 ||
            !linnet_nn_shape_equal(&graph->tensors[data].shape, &graph->tensors[node->output].shape) ||
            !as_linear(node->at.binary.kind, swapped, constant->data->values[0], &unary))
            continue;
        linnet_nn_graph_drop_input(graph, i, swapped ? 0 : 1);
        node->op = LINNET_NN_OP_UNARY;
        node->at.unary = unary;
    }
    return linnet_nn_graph_sort(graph);
}
