/* GELU (Hendrycks and Gimpel 2016), which exporters before opset 20 write as x (1 + erf(x / sqrt(2))) / 2, or
 * by tanh as x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. Where the half stands differs from one
 * exporter to the next, so factors are collected from wherever they are. */
#include <math.h>

#include "common/nn/passes/match.h"
#include "common/nn/passes/passes.h"

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-5 * fabs(b);
}

/* Is `tensor` x times factor? */
static bool is_times(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x, double factor) {
    double found = 1;
    return linnet_nn_unscaled(graph, tensor, &found) == x && near(found, factor);
}

/* Is `tensor` x cubed: a power, or products of x with itself? */
static bool is_cube(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x) {
    uint32_t power = linnet_nn_made_by_function(graph, tensor, LINNET_NN_POW),
             product = linnet_nn_made_by_arithmetic(graph, tensor, LINNET_NN_MUL);
    if (power != LINNET_NN_NONE)
        return graph->nodes[power].inputs[0] == x && near((double)graph->nodes[power].at.unary.alpha, 3);
    if (product == LINNET_NN_NONE) return false;
    for (int side = 0; side < 2; side++) {
        if (graph->nodes[product].inputs[side] != x) continue;
        uint32_t square =
            linnet_nn_made_by_arithmetic(graph, graph->nodes[product].inputs[1 - side], LINNET_NN_MUL);
        if (square != LINNET_NN_NONE && graph->nodes[square].inputs[0] == x &&
            graph->nodes[square].inputs[1] == x)
            return true;
    }
    return false;
}

/* Is `tensor` sqrt(2 / pi) (x + 0.044715 x^3)? */
static bool is_inner(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x) {
    double outer = 1;
    tensor = linnet_nn_unscaled(graph, tensor, &outer);
    uint32_t sum = linnet_nn_made_by_arithmetic(graph, tensor, LINNET_NN_ADD);
    if (sum == LINNET_NN_NONE || !near(outer, M_2_SQRTPI * M_SQRT1_2)) return false;
    for (int side = 0; side < 2; side++) {
        double factor = 1;
        uint32_t cube = linnet_nn_unscaled(graph, graph->nodes[sum].inputs[1 - side], &factor);
        if (graph->nodes[sum].inputs[side] == x && near(factor, 0.044715) && is_cube(graph, cube, x))
            return true;
    }
    return false;
}

/* Is `tensor` factor (1 + erf(x / sqrt(2))) or the same by tanh? *factor and *function are set. */
static bool is_gate(const struct linnet_nn_graph *graph, uint32_t tensor, uint32_t x, double *factor,
                    enum linnet_nn_function *function) {
    *factor = 1;
    tensor = linnet_nn_unscaled(graph, tensor, factor);
    uint32_t plus = linnet_nn_made_by_function(graph, tensor, LINNET_NN_LINEAR);
    if (plus == LINNET_NN_NONE) return false;
    double alpha = (double)graph->nodes[plus].at.unary.alpha, beta = (double)graph->nodes[plus].at.unary.beta;
    uint32_t inside = graph->nodes[plus].inputs[0];
    *factor *= alpha;
    uint32_t erf = linnet_nn_made_by_function(graph, inside, LINNET_NN_ERF),
             tanh = linnet_nn_made_by_function(graph, inside, LINNET_NN_TANH);
    *function = erf != LINNET_NN_NONE ? LINNET_NN_GELU : LINNET_NN_GELU_TANH;
    if (!near(alpha, beta)) return false;
    return (erf != LINNET_NN_NONE && is_times(graph, graph->nodes[erf].inputs[0], x, M_SQRT1_2)) ||
           (tanh != LINNET_NN_NONE && is_inner(graph, graph->nodes[tanh].inputs[0], x));
}

/* The product becomes the function; what is left of the factor goes into the multiplication after it. False:
 * there is none to take it. */
static bool settle_factor(struct linnet_nn_graph *graph, uint32_t product, double factor) {
    if (near(factor, 0.5)) return true;
    uint32_t user = linnet_nn_graph_only_user(graph, graph->nodes[product].output);
    if (user == LINNET_NN_NONE) return false;
    struct linnet_nn_node *after = &graph->nodes[user];
    if (after->op != LINNET_NN_OP_UNARY || after->at.unary.function != LINNET_NN_LINEAR) return false;
    double left = 2 * factor * (double)after->at.unary.alpha;
    after->at.unary.alpha = near(left, 1) ? 1 : (float)left;
    return true;
}

int linnet_nn_fuse_gelu(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op != LINNET_NN_OP_BINARY || node->at.binary.kind != LINNET_NN_MUL || node->nposts)
            continue;
        for (uint32_t side = 0; side < 2; side++) {
            double factor = 1, gate;
            enum linnet_nn_function function;
            uint32_t x = linnet_nn_unscaled(graph, node->inputs[side], &factor);
            if (!is_gate(graph, node->inputs[1 - side], x, &gate, &function) ||
                !settle_factor(graph, i, factor * gate))
                continue;
            int rc = linnet_nn_graph_set_input(graph, i, side, x);
            if (rc) return rc;
            linnet_nn_graph_drop_input(graph, i, 1 - side);
            node->op = LINNET_NN_OP_UNARY;
            node->at.unary = (struct linnet_nn_unary){function, 0, 0};
            break;
        }
    }
    int rc = linnet_nn_graph_sort(graph);
    return rc ? rc : linnet_nn_drop_identity(graph);
}
