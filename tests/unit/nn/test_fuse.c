/* The passes that make one node of several, each alone: on graphs written for it, and on some that look alike
 * but mean something else. That the values stay the same is held by the tests of the operators. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/passes/passes.h"
#include "tests/unit/test.h"

#define WIDTH 6

static struct linnet_nn_graph *new_graph(uint32_t *x) {
    struct linnet_nn_shape shape = {.rank = 3, .dims = {-1, 4, WIDTH}};
    struct linnet_nn_graph *graph = linnet_nn_graph_new();
    assert_non_null(graph);
    assert_int_equal(linnet_nn_graph_add_input(graph, "x", &shape, x), 0);
    return graph;
}

static uint32_t add(struct linnet_nn_graph *graph, struct linnet_nn_node node, uint32_t a, uint32_t b) {
    struct linnet_error err = {0};
    uint32_t inputs[2] = {a, b}, made;
    node.inputs = inputs;
    node.ninputs = b == LINNET_NN_NONE ? 1 : 2;
    if (linnet_nn_graph_add_node(graph, &node, "", "t", NULL, &made, &err)) fail_msg("%s", err.detail);
    return made;
}

static uint32_t unary(struct linnet_nn_graph *graph, enum linnet_nn_function function, float alpha,
                      float beta, uint32_t x) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_UNARY};
    node.at.unary = (struct linnet_nn_unary){function, alpha, beta};
    return add(graph, node, x, LINNET_NN_NONE);
}

static uint32_t linear(struct linnet_nn_graph *graph, float alpha, float beta, uint32_t x) {
    return unary(graph, LINNET_NN_LINEAR, alpha, beta, x);
}

static uint32_t binary(struct linnet_nn_graph *graph, enum linnet_nn_arithmetic kind, uint32_t a,
                       uint32_t b) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_BINARY};
    node.at.binary.kind = kind;
    return add(graph, node, a, b);
}

static uint32_t mean(struct linnet_nn_graph *graph, uint32_t x, int axis) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_REDUCE};
    node.at.reduce.axes[axis] = true;
    return add(graph, node, x, LINNET_NN_NONE);
}

static uint32_t transpose(struct linnet_nn_graph *graph, uint32_t x, int a, int b, int c) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_TRANSPOSE};
    int axes[3] = {a, b, c};
    memcpy(node.at.transpose.axes, axes, sizeof axes);
    return add(graph, node, x, LINNET_NN_NONE);
}

static uint32_t constant(struct linnet_nn_graph *graph, int rank, const int64_t *dims) {
    struct linnet_nn_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    size_t count = (size_t)linnet_nn_shape_elements(&shape, 1);
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = 1 + (float)i;
    struct linnet_nn_data *data = linnet_nn_data_new(values, count);
    uint32_t tensor;
    assert_int_equal(linnet_nn_graph_add_constant(graph, "c", &shape, data, &tensor), 0);
    linnet_nn_data_unref(data);
    return tensor;
}

static void output(struct linnet_nn_graph *graph, uint32_t tensor) {
    assert_int_equal(linnet_nn_graph_add_output(graph, tensor), 0);
}

static uint32_t count_of(const struct linnet_nn_graph *graph, enum linnet_nn_op op) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->nnodes; i++)
        count += graph->nodes[i].op == op;
    return count;
}

/* --- layer normalisation --- */

/* (x - mean) / sqrt(mean of squares + epsilon), the mean of the squares over `axis`. */
static uint32_t write_norm(struct linnet_nn_graph *graph, uint32_t x, int axis, float power) {
    uint32_t centred = binary(graph, LINNET_NN_SUB, x, mean(graph, x, 2));
    uint32_t square = unary(graph, LINNET_NN_POW, power, 0, centred);
    uint32_t sum = linear(graph, 1, 1e-6f, mean(graph, square, axis));
    return binary(graph, LINNET_NN_DIV, centred, unary(graph, LINNET_NN_SQRT, 0, 0, sum));
}

static void a_normalisation_written_out_becomes_one_node(void **state) {
    (void)state;
    int64_t row[1] = {WIDTH}, deep[3] = {1, 1, WIDTH};
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    uint32_t scale = constant(graph, 1, row), shift = constant(graph, 3, deep);
    uint32_t scaled = binary(graph, LINNET_NN_MUL, write_norm(graph, x, 2, 2), scale);
    output(graph, binary(graph, LINNET_NN_ADD, scaled, shift));
    assert_int_equal(linnet_nn_fuse_layer_norm(graph), 0);
    assert_int_equal(graph->nnodes, 1);
    assert_int_equal(graph->nodes[0].op, LINNET_NN_OP_LAYER_NORM);
    assert_int_equal(graph->nodes[0].inputs[0], x);
    assert_int_equal(graph->nodes[0].inputs[1], scale);
    assert_true(fabsf(graph->nodes[0].at.norm.epsilon - 1e-6f) < 1e-12f);
    assert_int_equal(graph->tensors[graph->nodes[0].inputs[2]].shape.rank, 1);
    assert_int_equal(graph->nodes[0].output, graph->outputs[0]);
    linnet_nn_graph_free(graph);
}

static void what_others_read_of_a_normalisation_stays(void **state) {
    (void)state;
    int64_t row[1] = {WIDTH};
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    uint32_t norm = write_norm(graph, x, 2, 2);
    output(graph, binary(graph, LINNET_NN_MUL, norm, constant(graph, 1, row)));
    output(graph, norm); /* before the scale */
    assert_int_equal(linnet_nn_fuse_layer_norm(graph), 0);
    assert_int_equal(count_of(graph, LINNET_NN_OP_LAYER_NORM), 1);
    assert_int_equal(count_of(graph, LINNET_NN_OP_BINARY), 1);
    linnet_nn_graph_free(graph);
}

static void what_only_looks_like_a_normalisation_stays(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint32_t x;
        struct linnet_nn_graph *graph = new_graph(&x);
        output(graph, write_norm(graph, x, i ? 2 : 1, i ? 4 : 2)); /* over others, by another power */
        assert_int_equal(linnet_nn_fuse_layer_norm(graph), 0);
        assert_int_equal(count_of(graph, LINNET_NN_OP_LAYER_NORM), 0);
        linnet_nn_graph_free(graph);
    }
}

/* --- GELU --- */

/* x (1 + erf(x / root)) and half of it: before, after, or on the gate. */
static uint32_t write_gelu(struct linnet_nn_graph *graph, uint32_t x, float root, int half) {
    uint32_t gate = linear(graph, 1, 1, unary(graph, LINNET_NN_ERF, 0, 0, linear(graph, 1 / root, 0, x)));
    if (half == 1) gate = linear(graph, 0.5f, 0, gate);
    uint32_t made = binary(graph, LINNET_NN_MUL, half == 2 ? linear(graph, 0.5f, 0, x) : x, gate);
    return half ? made : linear(graph, 0.5f, 0, made);
}

static uint32_t write_gelu_tanh(struct linnet_nn_graph *graph, uint32_t x, bool power) {
    uint32_t cube = power ? unary(graph, LINNET_NN_POW, 3, 0, x)
                          : binary(graph, LINNET_NN_MUL, x, binary(graph, LINNET_NN_MUL, x, x));
    uint32_t sum = binary(graph, LINNET_NN_ADD, x, linear(graph, 0.044715f, 0, cube));
    uint32_t tanh = unary(graph, LINNET_NN_TANH, 0, 0, linear(graph, 0.7978846f, 0, sum));
    return linear(graph, 0.5f, 0, binary(graph, LINNET_NN_MUL, linear(graph, 1, 1, tanh), x));
}

static void gelu_written_out_becomes_one_function(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        uint32_t x;
        struct linnet_nn_graph *graph = new_graph(&x);
        output(graph, i < 3 ? write_gelu(graph, x, sqrtf(2), i) : write_gelu_tanh(graph, x, i == 3));
        assert_int_equal(linnet_nn_fuse_gelu(graph), 0);
        uint32_t linears = 0;
        for (uint32_t k = 0; k < graph->nnodes; k++)
            linears += graph->nodes[k].at.unary.function == LINNET_NN_LINEAR;
        assert_int_equal(graph->nodes[0].op, LINNET_NN_OP_UNARY);
        assert_int_equal(graph->nodes[0].at.unary.function, i < 3 ? LINNET_NN_GELU : LINNET_NN_GELU_TANH);
        assert_int_equal(graph->nodes[0].inputs[0], x);
        /* What took the half is times one now, which is nothing. */
        assert_int_equal(graph->nnodes, 1);
        assert_int_equal(linears, 0);
        linnet_nn_graph_free(graph);
    }
}

static void what_only_looks_like_gelu_stays(void **state) {
    (void)state;
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    output(graph, write_gelu(graph, x, 2, 0));
    output(graph,
           binary(graph, LINNET_NN_MUL, x, linear(graph, 1, 0.5f, unary(graph, LINNET_NN_ERF, 0, 0, x))));
    uint32_t before = count_of(graph, LINNET_NN_OP_UNARY);
    assert_int_equal(linnet_nn_fuse_gelu(graph), 0);
    assert_int_equal(count_of(graph, LINNET_NN_OP_BINARY), 2);
    assert_int_equal(count_of(graph, LINNET_NN_OP_UNARY), before);
    linnet_nn_graph_free(graph);
}

/* --- attention --- */

static uint32_t product(struct linnet_nn_graph *graph, uint32_t a, uint32_t b) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_MATMUL};
    return add(graph, node, a, b);
}

static uint32_t softmax(struct linnet_nn_graph *graph, uint32_t x, int axis) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_SOFTMAX};
    node.at.softmax.axis = axis;
    return add(graph, node, x, LINNET_NN_NONE);
}

static void two_products_around_a_softmax_become_attention(void **state) {
    (void)state;
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    uint32_t keys = unary(graph, LINNET_NN_ABS, 0, 0, x);
    uint32_t scores = product(graph, linear(graph, 0.5f, 0, x), transpose(graph, keys, 0, 2, 1));
    output(graph, product(graph, softmax(graph, linear(graph, 0.5f, 0, scores), 2), x));
    assert_int_equal(linnet_nn_fuse_attention(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    const struct linnet_nn_node *node = &graph->nodes[1];
    assert_int_equal(node->op, LINNET_NN_OP_ATTENTION);
    assert_int_equal(node->inputs[0], x);
    assert_int_equal(node->inputs[1], keys);
    assert_int_equal(node->inputs[2], x);
    assert_true(fabsf(node->at.attention.scale - 0.25f) < 1e-7f);
    linnet_nn_graph_free(graph);
}

static void products_around_another_softmax_stay(void **state) {
    (void)state;
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    uint32_t scores = product(graph, x, transpose(graph, x, 0, 2, 1));
    output(graph, product(graph, softmax(graph, scores, 1), x)); /* along the queries */
    uint32_t seen = softmax(graph, product(graph, x, transpose(graph, x, 0, 2, 1)), 2);
    output(graph, seen); /* the weights are wanted themselves */
    output(graph, product(graph, seen, x));
    assert_int_equal(linnet_nn_fuse_attention(graph), 0);
    assert_int_equal(count_of(graph, LINNET_NN_OP_ATTENTION), 0);
    linnet_nn_graph_free(graph);
}

/* --- scales --- */

static void a_scale_for_each_channel_joins_the_weights(void **state) {
    (void)state;
    int64_t square[2] = {WIDTH, WIDTH}, row[1] = {WIDTH}, column[2] = {WIDTH, 1};
    for (int turned = 0; turned < 2; turned++) {
        uint32_t x;
        struct linnet_nn_graph *graph = new_graph(&x);
        struct linnet_nn_node gemm = {.op = LINNET_NN_OP_GEMM};
        uint32_t made = add(graph, gemm, x, constant(graph, 2, square));
        if (turned) made = transpose(graph, made, 0, 2, 1);
        uint32_t scale = turned ? constant(graph, 2, column) : constant(graph, 1, row);
        output(graph, binary(graph, LINNET_NN_MUL, scale, made));
        assert_int_equal(linnet_nn_fold_scale(graph), 0);
        assert_int_equal(graph->nnodes, turned ? 2 : 1);
        const float *weights = graph->tensors[graph->nodes[0].inputs[1]].data->values;
        for (int o = 0; o < WIDTH; o++)
            assert_true(fabsf(weights[o * WIDTH] - (float)((1 + o * WIDTH) * (1 + o))) < 1e-3f);
        linnet_nn_graph_free(graph);
    }
}

static void a_scale_along_something_else_stays(void **state) {
    (void)state;
    int64_t square[2] = {WIDTH, WIDTH}, column[2] = {4, 1};
    uint32_t x;
    struct linnet_nn_graph *graph = new_graph(&x);
    struct linnet_nn_node gemm = {.op = LINNET_NN_OP_GEMM};
    uint32_t made = add(graph, gemm, x, constant(graph, 2, square));
    output(graph, binary(graph, LINNET_NN_MUL, made, constant(graph, 2, column)));
    assert_int_equal(linnet_nn_fold_scale(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    linnet_nn_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_normalisation_written_out_becomes_one_node),
        cmocka_unit_test(what_others_read_of_a_normalisation_stays),
        cmocka_unit_test(what_only_looks_like_a_normalisation_stays),
        cmocka_unit_test(gelu_written_out_becomes_one_function),
        cmocka_unit_test(what_only_looks_like_gelu_stays),
        cmocka_unit_test(two_products_around_a_softmax_become_attention),
        cmocka_unit_test(products_around_another_softmax_stay),
        cmocka_unit_test(a_scale_for_each_channel_joins_the_weights),
        cmocka_unit_test(a_scale_along_something_else_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
