/* He et al. 2016: y = f(x) + x. The addition costs nothing where f's last operator makes it before writing
 * its result. */
#include "common/nn/passes/passes.h"

/* Can the node that makes input `side` of an addition do it? */
static bool can_take(const struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend,
                     uint32_t add, uint32_t side) {
    const struct linnet_nn_node *sum = &graph->nodes[add];
    uint32_t tensor = sum->inputs[side], producer = graph->tensors[tensor].producer;
    if (producer == LINNET_NN_NONE || linnet_nn_graph_only_user(graph, tensor) != add) return false;
    const struct linnet_nn_tensor *other = &graph->tensors[sum->inputs[1 - side]];
    if (other->data || !linnet_nn_shape_equal(&other->shape, &graph->tensors[sum->output].shape) ||
        !linnet_nn_shape_equal(&graph->tensors[tensor].shape, &graph->tensors[sum->output].shape))
        return false;
    const struct linnet_nn_node *node = &graph->nodes[producer];
    struct linnet_nn_post post = {.kind = LINNET_NN_POST_ADD, .input = node->ninputs};
    return node->nposts + 1 + sum->nposts <= LINNET_NN_POSTS_MAX && backend->takes(node, &post);
}

static int fuse(struct linnet_nn_graph *graph, uint32_t add, uint32_t side) {
    struct linnet_nn_node *sum = &graph->nodes[add];
    uint32_t result = sum->inputs[side], other = sum->inputs[1 - side];
    uint32_t index = graph->tensors[result].producer;
    struct linnet_nn_node *node = &graph->nodes[index];
    node->posts[node->nposts++] = (struct linnet_nn_post){.kind = LINNET_NN_POST_ADD, .input = node->ninputs};
    int rc = linnet_nn_graph_append_input(graph, index, other);
    for (uint32_t i = 0; i < sum->nposts && !rc; i++)
        node->posts[node->nposts++] = sum->posts[i];
    if (!rc) rc = linnet_nn_graph_replace(graph, sum->output, result);
    if (!rc) linnet_nn_graph_remove(graph, add);
    return rc;
}

int linnet_nn_fuse_residual(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *sum = &graph->nodes[i];
        if (sum->op != LINNET_NN_OP_BINARY || sum->at.binary.kind != LINNET_NN_ADD || sum->nposts) continue;
        /* Of two that could, the one that is made later: the other's result is there by then. */
        uint32_t first = graph->tensors[sum->inputs[0]].producer,
                 second = graph->tensors[sum->inputs[1]].producer;
        bool swap = first == LINNET_NN_NONE || (second != LINNET_NN_NONE && second > first);
        uint32_t sides[2] = {swap ? 1 : 0, swap ? 0 : 1};
        for (int k = 0; k < 2; k++) {
            if (!can_take(graph, backend, i, sides[k])) continue;
            int rc = fuse(graph, i, sides[k]);
            if (rc) return rc;
            break;
        }
    }
    return linnet_nn_graph_sort(graph); /* a node may have to wait for its residual now */
}
