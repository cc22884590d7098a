#include "common/nn/passes/passes.h"

int linnet_nn_fuse_activation(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        struct linnet_nn_node *unary = &graph->nodes[i];
        if (unary->op != LINNET_NN_OP_UNARY || unary->nposts) continue;
        uint32_t tensor = unary->inputs[0], producer = graph->tensors[tensor].producer;
        if (producer == LINNET_NN_NONE || linnet_nn_graph_only_user(graph, tensor) != i) continue;
        struct linnet_nn_node *node = &graph->nodes[producer];
        struct linnet_nn_post post = {.kind = LINNET_NN_POST_UNARY, .unary = unary->at.unary};
        if (node->nposts == LINNET_NN_POSTS_MAX || !backend->takes(node, &post)) continue;
        node->posts[node->nposts++] = post;
        int rc = linnet_nn_graph_replace(graph, unary->output, tensor);
        if (rc) return rc;
        linnet_nn_graph_remove(graph, i);
    }
    return linnet_nn_graph_sort(graph);
}
