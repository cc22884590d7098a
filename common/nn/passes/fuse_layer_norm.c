/* y = scale (x - mean) / sqrt(variance + epsilon) + shift, mean and variance over the last dimension (Ba,
 * Kiros and Hinton 2016), as exporters write it before opset 17: ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt,
 * Div, and then Mul and Add where it has parameters. */
#include "common/nn/passes/match.h"
#include "common/nn/passes/passes.h"

/* Is `tensor` the mean of `of` over its last dimension? *of NONE: of anything, which it becomes. */
static bool is_mean(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t *of) {
    uint32_t index = linnet_nn_made_by(graph, tensor, LINNET_NN_OP_REDUCE);
    if (index == LINNET_NN_NONE) return false;
    const struct linnet_nn_node *node = &graph->nodes[index];
    int rank = graph->tensors[node->inputs[0]].shape.rank;
    if (node->at.reduce.kind != LINNET_NN_REDUCE_MEAN) return false;
    for (int i = 0; i < rank; i++)
        if (node->at.reduce.axes[i] != (i == rank - 1)) return false;
    if (*of == LINNET_NN_NONE) *of = node->inputs[0];
    return *of == node->inputs[0];
}

/* Is `tensor` x minus its own mean? *x likewise. */
static bool is_centred(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t *x) {
    uint32_t index = linnet_nn_made_by_arithmetic(graph, tensor, LINNET_NN_SUB);
    if (index == LINNET_NN_NONE) return false;
    const struct linnet_nn_node *node = &graph->nodes[index];
    if (*x != LINNET_NN_NONE && *x != node->inputs[0]) return false;
    *x = node->inputs[0];
    return is_mean(graph, node->inputs[1], x);
}

/* Is `tensor` the square of x minus its mean? By a power, or a product with itself. */
static bool is_square(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x) {
    uint32_t power = linnet_nn_made_by_function(graph, tensor, LINNET_NN_POW),
             product = linnet_nn_made_by_arithmetic(graph, tensor, LINNET_NN_MUL);
    if (power != LINNET_NN_NONE) {
        float alpha = graph->nodes[power].at.unary.alpha;
        return alpha >= 2 && alpha <= 2 && is_centred(graph, graph->nodes[power].inputs[0], &x);
    }
    if (product == LINNET_NN_NONE) return false;
    const uint32_t *sides = graph->nodes[product].inputs;
    return is_centred(graph, sides[0], &x) && is_centred(graph, sides[1], &x);
}

/* Is `tensor` sqrt(variance of x + epsilon)? */
static bool is_deviation(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x, float *epsilon) {
    uint32_t root = linnet_nn_made_by_function(graph, tensor, LINNET_NN_SQRT);
    if (root == LINNET_NN_NONE) return false;
    uint32_t sum = linnet_nn_made_by_function(graph, graph->nodes[root].inputs[0], LINNET_NN_LINEAR);
    if (sum == LINNET_NN_NONE) return false;
    const struct linnet_nn_unary *unary = &graph->nodes[sum].at.unary;
    *epsilon = unary->beta;
    uint32_t squares = LINNET_NN_NONE;
    return unary->alpha >= 1 && unary->alpha <= 1 && unary->beta >= 0 &&
           is_mean(graph, graph->nodes[sum].inputs[0], &squares) && is_square(graph, squares, x);
}

/* If `tensor` is read by one product (or sum) with a row of constants alone: that row, *made what comes out.
 */
static uint32_t row_after(const struct linnet_nn_graph *graph, uint32_t tensor,
                          enum linnet_nn_arithmetic kind, uint32_t *made) {
    uint32_t user = linnet_nn_graph_only_user(graph, tensor);
    if (user == LINNET_NN_NONE) return LINNET_NN_NONE;
    const struct linnet_nn_node *node = &graph->nodes[user];
    if (node->op != LINNET_NN_OP_BINARY || node->at.binary.kind != kind || node->nposts)
        return LINNET_NN_NONE;
    uint32_t row = node->inputs[node->inputs[0] == tensor ? 1 : 0];
    if (!linnet_nn_last_row(graph, row, &graph->tensors[tensor].shape)) return LINNET_NN_NONE;
    *made = node->output;
    return row;
}

static int add_parameter(struct linnet_nn_graph *graph, uint32_t row, float fill, int64_t count,
                         uint32_t *tensor) {
    if (row == LINNET_NN_NONE) return linnet_nn_add_row(graph, "", NULL, fill, count, tensor);
    if (graph->tensors[row].shape.rank == 1) {
        *tensor = row;
        return 0;
    }
    return linnet_nn_add_row(graph, graph->tensors[row].name, graph->tensors[row].data->values, fill, count,
                             tensor);
}

static int fuse(struct linnet_nn_graph *graph, uint32_t division, uint32_t x, float epsilon) {
    struct linnet_nn_shape shape = graph->tensors[x].shape;
    uint32_t inputs[3] = {x}, made = graph->nodes[division].output, norm;
    uint32_t scale = row_after(graph, made, LINNET_NN_MUL, &made),
             shift = row_after(graph, made, LINNET_NN_ADD, &made);
    int64_t count = shape.dims[shape.rank - 1];
    int rc = add_parameter(graph, scale, 1, count, &inputs[1]);
    if (!rc) rc = add_parameter(graph, shift, 0, count, &inputs[2]);
    struct linnet_nn_node node = {.op = LINNET_NN_OP_LAYER_NORM, .inputs = inputs, .ninputs = 3};
    node.at.norm.epsilon = epsilon;
    if (!rc)
        rc = linnet_nn_graph_add_node(graph, &node, graph->nodes[division].name, graph->tensors[made].name,
                                      NULL, &norm, NULL);
    return rc ? rc : linnet_nn_graph_replace(graph, made, norm);
}

int linnet_nn_fuse_layer_norm(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0, n = graph->nnodes; i < n; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op != LINNET_NN_OP_BINARY || node->at.binary.kind != LINNET_NN_DIV || node->nposts)
            continue;
        uint32_t x = LINNET_NN_NONE;
        float epsilon;
        if (!is_centred(graph, node->inputs[0], &x) || !is_deviation(graph, node->inputs[1], x, &epsilon) ||
            graph->tensors[x].shape.dims[graph->tensors[x].shape.rank - 1] < 1)
            continue;
        int rc = fuse(graph, i, x, epsilon);
        if (rc) return rc;
    }
    return linnet_nn_graph_sort(graph);
}
