/* Swish (Ramachandran et al. 2017) and hard swish (Howard et al. 2019), which exporters write as a product.
 */
#include <math.h>

#include "common/nn/passes/passes.h"

/* The function that x times `gate`(x) is; false where it has no name. */
static bool gated(const struct linnet_nn_unary *gate, struct linnet_nn_unary *out) {
    if (gate->function == LINNET_NN_SIGMOID) {
        *out = (struct linnet_nn_unary){LINNET_NN_SWISH, 1, 0};
        return true;
    }
    /* min(max(x / 6 + 1/2, 0), 1), the sixth rounded as exporters do */
    if (gate->function == LINNET_NN_HARD_SIGMOID && fabsf(gate->alpha - 1.0f / 6) < 1e-6f &&
        gate->beta == 0.5f) {
        *out = (struct linnet_nn_unary){LINNET_NN_HARD_SWISH, 0, 0};
        return true;
    }
    return false;
}

/* The gate that input `side` of a product is, if it is a gate of the other input and read by this product
 * alone. */
static const struct linnet_nn_node *gate_at(const struct linnet_nn_graph *graph, uint32_t product,
                                            uint32_t side) {
    const struct linnet_nn_node *node = &graph->nodes[product];
    uint32_t tensor = node->inputs[side], producer = graph->tensors[tensor].producer;
    if (producer == LINNET_NN_NONE || linnet_nn_graph_only_user(graph, tensor) != product) return NULL;
    const struct linnet_nn_node *gate = &graph->nodes[producer];
    bool fits = gate->op == LINNET_NN_OP_UNARY && !gate->nposts && gate->inputs[0] == node->inputs[1 - side];
    return fits ? gate : NULL;
}

int linnet_nn_fuse_gate(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op != LINNET_NN_OP_BINARY || node->at.binary.kind != LINNET_NN_MUL || node->nposts)
            continue;
        for (uint32_t side = 0; side < 2; side++) {
            const struct linnet_nn_node *gate = gate_at(graph, i, side);
            struct linnet_nn_unary unary;
            if (!gate || !gated(&gate->at.unary, &unary)) continue;
            linnet_nn_graph_drop_input(graph, i, side);
            node->op = LINNET_NN_OP_UNARY;
            node->at.unary = unary;
            break;
        }
    }
    return linnet_nn_graph_sort(graph);
}
