#include <float.h>
#include <math.h>

#include "common/nn/passes/passes.h"

/* The padding that a window's input has got by a Pad node, NULL if there is none that reaches spatial
 * dimensions only. */
static const struct linnet_nn_node *pad_before(const struct linnet_nn_graph *graph,
                                               const struct linnet_nn_node *node) {
    uint32_t producer = graph->tensors[node->inputs[0]].producer;
    if (producer == LINNET_NN_NONE) return NULL;
    const struct linnet_nn_node *pad = &graph->nodes[producer];
    if (pad->op != LINNET_NN_OP_PAD || pad->nposts) return NULL;
    for (int i = 0; i < 2; i++)
        if (pad->at.pad.before[i] || pad->at.pad.after[i]) return NULL;
    return pad;
}

static bool has_padding(const struct linnet_nn_window *window) {
    for (int i = 0; i < window->rank; i++)
        if (window->before[i] || window->after[i]) return true;
    return false;
}

/* Would every window still see at least one element of the input? Backends take no wider padding. */
static bool stays_inside(const struct linnet_nn_window *window, const struct linnet_nn_node *pad) {
    for (int i = 0; i < window->rank; i++) {
        int64_t reach = window->dilations[i] * (window->kernel[i] - 1) + 1;
        if (window->before[i] + pad->at.pad.before[i + 2] >= reach ||
            window->after[i] + pad->at.pad.after[i + 2] >= reach)
            return false;
    }
    return true;
}

static bool can_join(const struct linnet_nn_node *node, const struct linnet_nn_node *pad) {
    float value = pad->at.pad.value;
    if (node->op == LINNET_NN_OP_CONV) return value == 0 && stays_inside(&node->at.conv.window, pad);
    if (!stays_inside(&node->at.pool.window, pad)) return false;
    if (!node->at.pool.average) return value <= -FLT_MAX; /* what a maximum takes padding for */
    /* Padding that counted as zeros and padding that did not count cannot be one. */
    return value == 0 && (node->at.pool.include_padding || !has_padding(&node->at.pool.window));
}

int linnet_nn_fold_pad(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op != LINNET_NN_OP_CONV && node->op != LINNET_NN_OP_POOL) continue;
        const struct linnet_nn_node *pad = pad_before(graph, node);
        if (!pad || !can_join(node, pad)) continue;
        struct linnet_nn_window *window =
            node->op == LINNET_NN_OP_CONV ? &node->at.conv.window : &node->at.pool.window;
        for (int k = 0; k < window->rank; k++) {
            window->before[k] += pad->at.pad.before[k + 2];
            window->after[k] += pad->at.pad.after[k + 2];
        }
        if (node->op == LINNET_NN_OP_POOL && node->at.pool.average) node->at.pool.include_padding = true;
        int rc = linnet_nn_graph_set_input(graph, i, 0, pad->inputs[0]);
        if (rc) return rc;
    }
    return linnet_nn_graph_sort(graph); /* drops what nobody reads any more */
}
