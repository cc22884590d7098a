/* softmax(scale Q K^T) V (Vaswani et al. 2017), written as two products with a softmax between them, the
 * scale on the queries, on the keys, on both or on the product, becomes one node. */
#include "common/nn/passes/match.h"
#include "common/nn/passes/passes.h"

struct found {
    uint32_t queries, keys_turned, values;
    double scale;
};

/* Read by `user` alone? Else its value is needed besides. */
static bool only_for(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t user) {
    return linnet_nn_graph_only_user(graph, tensor) == user;
}

/* Behind multiplications that nobody else needs. */
static uint32_t own_unscaled(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t user,
                             double *factor) {
    double all = 1;
    uint32_t under = linnet_nn_unscaled(graph, tensor, &all);
    for (uint32_t at = tensor; at != under; at = graph->nodes[user].inputs[0]) {
        if (!only_for(graph, at, user)) return tensor;
        user = graph->tensors[at].producer;
    }
    *factor *= all;
    return under;
}

static bool match(const struct linnet_nn_graph *graph, uint32_t product, struct found *found) {
    const struct linnet_nn_node *last = &graph->nodes[product];
    uint32_t soft = linnet_nn_made_by(graph, last->inputs[0], LINNET_NN_OP_SOFTMAX);
    if (soft == LINNET_NN_NONE || !only_for(graph, last->inputs[0], product)) return false;
    int rank = graph->tensors[last->output].shape.rank;
    if (graph->nodes[soft].at.softmax.axis != graph->tensors[last->inputs[0]].shape.rank - 1) return false;
    found->scale = 1;
    uint32_t scores = own_unscaled(graph, graph->nodes[soft].inputs[0], soft, &found->scale);
    uint32_t first = linnet_nn_made_by(graph, scores, LINNET_NN_OP_MATMUL);
    if (first == LINNET_NN_NONE || graph->tensors[scores].nusers != 1 || graph->tensors[scores].output)
        return false;
    const uint32_t *sides = graph->nodes[first].inputs;
    found->queries = own_unscaled(graph, sides[0], first, &found->scale);
    found->keys_turned = own_unscaled(graph, sides[1], first, &found->scale);
    found->values = last->inputs[1];
    const struct linnet_nn_shape *q = &graph->tensors[found->queries].shape,
                                 *k = &graph->tensors[found->keys_turned].shape,
                                 *v = &graph->tensors[found->values].shape;
    if (rank < 3 || q->rank != rank || k->rank != rank || v->rank != rank) return false;
    for (int i = 0; i < rank - 2; i++)
        if (q->dims[i] != k->dims[i] || q->dims[i] != v->dims[i]) return false;
    for (int i = rank - 2; i < rank; i++)
        if (q->dims[i] < 0 || k->dims[i] < 0 || v->dims[i] < 0) return false;
    return found->scale > 0;
}

/* The keys as they were before their last two dimensions were swapped. A transposition that does more than
 * that is made anew without the swap; drop_identity takes what comes to nothing. */
static int turn_keys(struct linnet_nn_graph *graph, uint32_t turned, uint32_t *keys) {
    int rank = graph->tensors[turned].shape.rank;
    uint32_t before = linnet_nn_made_by(graph, turned, LINNET_NN_OP_TRANSPOSE), from = turned;
    struct linnet_nn_node transpose = {.op = LINNET_NN_OP_TRANSPOSE, .inputs = &from, .ninputs = 1};
    for (int i = 0; i < rank; i++)
        transpose.at.transpose.axes[i] = i;
    if (before != LINNET_NN_NONE) {
        transpose.at = graph->nodes[before].at;
        from = graph->nodes[before].inputs[0];
    }
    int *axes = transpose.at.transpose.axes, swap = axes[rank - 1];
    axes[rank - 1] = axes[rank - 2];
    axes[rank - 2] = swap;
    return linnet_nn_graph_add_node(graph, &transpose, "", "", NULL, keys, NULL);
}

static int fuse(struct linnet_nn_graph *graph, uint32_t product, const struct found *found) {
    uint32_t inputs[3] = {found->queries, 0, found->values}, made, old = graph->nodes[product].output;
    int rc = turn_keys(graph, found->keys_turned, &inputs[1]);
    struct linnet_nn_node node = {.op = LINNET_NN_OP_ATTENTION, .inputs = inputs, .ninputs = 3};
    node.at.attention.scale = (float)found->scale;
    if (!rc)
        rc = linnet_nn_graph_add_node(graph, &node, graph->nodes[product].name, graph->tensors[old].name,
                                      NULL, &made, NULL);
    return rc ? rc : linnet_nn_graph_replace(graph, old, made);
}

int linnet_nn_fuse_attention(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0, n = graph->nnodes; i < n; i++) {
        struct found found;
        if (graph->nodes[i].op != LINNET_NN_OP_MATMUL || graph->nodes[i].nposts || !match(graph, i, &found))
            continue;
        int rc = fuse(graph, i, &found);
        if (rc) return rc;
    }
    int rc = linnet_nn_graph_sort(graph);
    return rc ? rc : linnet_nn_drop_identity(graph);
}
