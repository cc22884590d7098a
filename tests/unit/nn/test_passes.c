/* Each pass alone, on graphs written for it. That the values stay the same is held by the tests of the
 * operators. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/passes/passes.h"
#include "tests/unit/nn/reference.h"
#include "tests/unit/test.h"

/* --- writing graphs --- */

static uint32_t add_input(struct linnet_nn_graph *graph, int rank, const int64_t *dims) {
    struct linnet_nn_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    uint32_t tensor;
    assert_int_equal(linnet_nn_graph_add_input(graph, "x", &shape, &tensor), 0);
    return tensor;
}

/* A constant whose elements are `value`, 1 + `value`, ... */
static uint32_t add_constant(struct linnet_nn_graph *graph, int rank, const int64_t *dims, float value) {
    struct linnet_nn_shape shape = {.rank = rank};
    if (rank) memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    size_t count = (size_t)linnet_nn_shape_elements(&shape, 1);
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = value + (float)i;
    struct linnet_nn_data *data = linnet_nn_data_new(values, count);
    uint32_t tensor;
    assert_int_equal(linnet_nn_graph_add_constant(graph, "c", &shape, data, &tensor), 0);
    linnet_nn_data_unref(data);
    return tensor;
}

static uint32_t add_node(struct linnet_nn_graph *graph, struct linnet_nn_node node, const uint32_t *inputs,
                         uint32_t n, const struct linnet_nn_shape *shape) {
    struct linnet_error err = {0};
    uint32_t tensor, copy[8];
    memcpy(copy, inputs, n * sizeof *copy);
    node.inputs = copy;
    node.ninputs = n;
    if (linnet_nn_graph_add_node(graph, &node, "", "t", shape, &tensor, &err)) fail_msg("%s", err.detail);
    return tensor;
}

static uint32_t add_unary(struct linnet_nn_graph *graph, enum linnet_nn_function function, float alpha,
                          float beta, uint32_t x) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_UNARY};
    node.at.unary = (struct linnet_nn_unary){function, alpha, beta};
    return add_node(graph, node, &x, 1, NULL);
}

static uint32_t add_binary(struct linnet_nn_graph *graph, enum linnet_nn_arithmetic kind, uint32_t a,
                           uint32_t b) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_BINARY};
    uint32_t inputs[2] = {a, b};
    node.at.binary.kind = kind;
    return add_node(graph, node, inputs, 2, NULL);
}

static uint32_t add_conv(struct linnet_nn_graph *graph, uint32_t x, uint32_t w, int64_t kernel, int64_t pad) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_CONV};
    uint32_t inputs[2] = {x, w};
    node.at.conv.groups = 1;
    node.at.conv.window =
        (struct linnet_nn_window){2, {kernel, kernel}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}};
    return add_node(graph, node, inputs, 2, NULL);
}

static uint32_t add_pad(struct linnet_nn_graph *graph, uint32_t x, float value) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_PAD};
    for (int i = 2; i < 4; i++)
        node.at.pad.before[i] = node.at.pad.after[i] = 1;
    node.at.pad.value = value;
    return add_node(graph, node, &x, 1, NULL);
}

static uint32_t add_pool(struct linnet_nn_graph *graph, uint32_t x, bool average, int64_t pad) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_POOL};
    node.at.pool.average = average;
    node.at.pool.window = (struct linnet_nn_window){2, {3, 3}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}};
    return add_node(graph, node, &x, 1, NULL);
}

static const int64_t image[4] = {-1, 4, 8, 8}, weights[4] = {4, 4, 3, 3}, channels[1] = {4},
                     per_channel[3] = {4, 1, 1};

static struct linnet_nn_graph *new_graph(void) {
    struct linnet_nn_graph *graph = linnet_nn_graph_new();
    assert_non_null(graph);
    return graph;
}

static const struct linnet_nn_node *only_node(const struct linnet_nn_graph *graph, enum linnet_nn_op op) {
    assert_int_equal(graph->nnodes, 1);
    assert_int_equal(graph->nodes[0].op, op);
    assert_int_equal(graph->nodes[0].output, graph->outputs[0]);
    return &graph->nodes[0];
}

/* --- the graph itself --- */

static void sorting_drops_what_no_output_needs(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image);
    uint32_t a = add_unary(graph, LINNET_NN_RELU, 0, 0, x);
    add_unary(graph, LINNET_NN_TANH, 0, 0, a);
    uint32_t b = add_unary(graph, LINNET_NN_ABS, 0, 0, a);
    linnet_nn_graph_add_output(graph, b);
    assert_int_equal(linnet_nn_graph_sort(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    assert_int_equal(graph->tensors[a].nusers, 1);
    assert_int_equal(linnet_nn_graph_only_user(graph, a), 1);
    struct linnet_nn_graph *clone = linnet_nn_graph_clone(graph);
    linnet_nn_graph_free(graph);
    assert_int_equal(clone->nnodes, 2);
    assert_int_equal(clone->nodes[1].at.unary.function, LINNET_NN_ABS);
    linnet_nn_graph_free(clone);
}

static void sorting_puts_a_node_after_what_it_reads(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image);
    uint32_t a = add_unary(graph, LINNET_NN_RELU, 0, 0, x);
    uint32_t b = add_unary(graph, LINNET_NN_TANH, 0, 0, x);
    linnet_nn_graph_add_output(graph, a);
    assert_int_equal(linnet_nn_graph_set_input(graph, graph->tensors[a].producer, 0, b),
                     0); /* the first reads the second */
    assert_int_equal(linnet_nn_graph_sort(graph), 0);
    assert_int_equal(graph->nodes[0].output, b);
    assert_int_equal(graph->nodes[1].output, a);
    linnet_nn_graph_set_input(graph, 0, 0, a); /* and now in a circle */
    assert_int_equal(linnet_nn_graph_sort(graph), LINNET_E_INVALID);
    linnet_nn_graph_free(graph);
}

/* --- passes --- */

static void identities_go_but_for_those_between_ports(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    struct linnet_nn_node identity = {.op = LINNET_NN_OP_IDENTITY}, reshape = {.op = LINNET_NN_OP_RESHAPE};
    uint32_t x = add_input(graph, 4, image);
    uint32_t a = add_node(graph, identity, &x, 1, NULL);
    uint32_t b = add_unary(graph, LINNET_NN_RELU, 0, 0, a);
    uint32_t c = add_node(graph, reshape, &b, 1, &graph->tensors[b].shape);
    uint32_t d = add_node(graph, identity, &c, 1, NULL);
    uint32_t e = add_node(graph, identity, &x, 1, NULL);
    linnet_nn_graph_add_output(graph, d);
    linnet_nn_graph_add_output(graph, e);
    assert_int_equal(linnet_nn_drop_identity(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    assert_int_equal(graph->outputs[0], b);
    assert_int_equal(graph->outputs[1], e);
    linnet_nn_graph_free(graph);
}

static void constants_are_computed(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    struct linnet_nn_node transpose = {.op = LINNET_NN_OP_TRANSPOSE};
    int64_t dims[2] = {2, 3}, row[2] = {-1, 3};
    transpose.at.transpose.axes[0] = 1;
    uint32_t x = add_input(graph, 2, row);
    uint32_t c = add_constant(graph, 2, dims, 0); /* 0 1 2; 3 4 5 */
    uint32_t t = add_node(graph, transpose, &c, 1, NULL);
    int64_t two[1] = {2};
    uint32_t s =
        add_binary(graph, LINNET_NN_MUL, t, add_constant(graph, 1, two, 1)); /* columns times 1 and 2 */
    uint32_t u = add_unary(graph, LINNET_NN_LINEAR, -1, 0, s);
    struct linnet_nn_node matmul = {.op = LINNET_NN_OP_MATMUL};
    uint32_t inputs[2] = {x, u};
    linnet_nn_graph_add_output(graph, add_node(graph, matmul, inputs, 2, NULL));
    assert_int_equal(linnet_nn_fold_constants(graph), 0);
    only_node(graph, LINNET_NN_OP_MATMUL);
    static const float expected[6] = {-0.0f, -6, -1, -8, -2, -10};
    for (int i = 0; i < 6; i++)
        assert_true(graph->tensors[u].data->values[i] == expected[i]);
    linnet_nn_graph_free(graph);
}

static void padding_joins_what_reads_it(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    linnet_nn_graph_add_output(graph, add_conv(graph, add_pad(graph, x, 0), w, 3, 1));
    linnet_nn_graph_add_output(graph, add_pool(graph, add_pad(graph, x, 0), true, 0));
    linnet_nn_graph_add_output(graph, add_pool(graph, add_pad(graph, x, -INFINITY), false, 0));
    assert_int_equal(linnet_nn_fold_pad(graph), 0);
    assert_int_equal(graph->nnodes, 3);
    assert_int_equal(graph->nodes[0].at.conv.window.before[0], 2);
    assert_int_equal(graph->nodes[0].at.conv.window.after[1], 2);
    assert_true(graph->nodes[1].at.pool.include_padding);
    assert_int_equal(graph->nodes[1].at.pool.window.before[1], 1);
    assert_int_equal(graph->nodes[2].at.pool.window.after[0], 1);
    linnet_nn_graph_free(graph);
}

static void padding_that_would_mean_something_else_stays(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    linnet_nn_graph_add_output(
        graph, add_pool(graph, add_pad(graph, x, 0), false, 0)); /* a nought can be the maximum */
    linnet_nn_graph_add_output(graph,
                               add_pool(graph, add_pad(graph, x, 0), true, 1)); /* counts, and does not */
    linnet_nn_graph_add_output(graph, add_conv(graph, add_pad(graph, x, 1), w, 3, 0));
    assert_int_equal(linnet_nn_fold_pad(graph), 0);
    assert_int_equal(graph->nnodes, 6);
    linnet_nn_graph_free(graph);
}

static uint32_t add_norm(struct linnet_nn_graph *graph, uint32_t x) {
    struct linnet_nn_node node = {.op = LINNET_NN_OP_NORM};
    uint32_t inputs[5] = {x};
    for (uint32_t i = 1; i < 5; i++)
        inputs[i] = add_constant(graph, 1, channels, (float)i);
    node.at.norm.epsilon = 0;
    return add_node(graph, node, inputs, 5, NULL);
}

static void a_normalisation_joins_the_convolution_before_it(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    linnet_nn_graph_add_output(graph, add_norm(graph, add_conv(graph, x, w, 3, 1)));
    assert_int_equal(linnet_nn_fold_norm(graph), 0);
    const struct linnet_nn_node *conv = only_node(graph, LINNET_NN_OP_CONV);
    assert_int_equal(conv->ninputs, 3);
    for (int c = 0; c < 4; c++) { /* scale 1 + c, shift 2 + c, mean 3 + c, variance 4 + c */
        double scale = (1 + c) / sqrt(4 + c), bias = 2 + c - (3 + c) * scale;
        float first = graph->tensors[conv->inputs[1]].data->values[c * 36];
        assert_true(fabs((double)first - c * 36 * scale) < 1e-4);
        assert_true(fabs((double)graph->tensors[conv->inputs[2]].data->values[c] - bias) < 1e-5);
    }
    linnet_nn_graph_free(graph);
}

/* One weight read by two convolutions, one of them normalised: the other keeps its values. */
static void shared_weights_are_not_changed_for_others(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    linnet_nn_graph_add_output(graph, add_norm(graph, add_conv(graph, x, w, 3, 1)));
    linnet_nn_graph_add_output(graph, add_conv(graph, x, w, 3, 1));
    assert_int_equal(linnet_nn_fold_norm(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    assert_int_not_equal(graph->nodes[0].inputs[1], w);
    assert_int_equal(graph->nodes[1].inputs[1], w);
    assert_true(graph->tensors[w].data->values[143] == 143);
    linnet_nn_graph_free(graph);
}

static void a_result_that_others_read_is_not_normalised_away(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    uint32_t c = add_conv(graph, x, w, 3, 1);
    linnet_nn_graph_add_output(graph, add_norm(graph, c));
    linnet_nn_graph_add_output(graph, c);
    assert_int_equal(linnet_nn_fold_norm(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    linnet_nn_graph_free(graph);
}

static void what_is_added_to_each_channel_becomes_the_bias(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    uint32_t c = add_conv(graph, x, w, 3, 1);
    uint32_t s = add_binary(graph, LINNET_NN_ADD, add_constant(graph, 3, per_channel, 5), c);
    linnet_nn_graph_add_output(graph,
                               add_binary(graph, LINNET_NN_ADD, s, add_constant(graph, 3, per_channel, 1)));
    assert_int_equal(linnet_nn_fold_bias(graph), 0);
    const struct linnet_nn_node *conv = only_node(graph, LINNET_NN_OP_CONV);
    for (int i = 0; i < 4; i++)
        assert_true(graph->tensors[conv->inputs[2]].data->values[i] == (float)(6 + 2 * i));
    linnet_nn_graph_free(graph);
}

static void a_row_of_as_many_numbers_is_no_bias(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    int64_t square[4] = {-1, 4, 4, 4}, row[1] = {4};
    uint32_t x = add_input(graph, 4, square), w = add_constant(graph, 4, weights, 0);
    linnet_nn_graph_add_output(
        graph, add_binary(graph, LINNET_NN_ADD, add_conv(graph, x, w, 3, 1), add_constant(graph, 1, row, 0)));
    assert_int_equal(linnet_nn_fold_bias(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    linnet_nn_graph_free(graph);
}

static void arithmetic_with_a_number_is_linear(void **state) {
    (void)state;
    static const struct {
        enum linnet_nn_arithmetic kind;
        bool first;
        float alpha, beta;
    } cases[] = {{LINNET_NN_ADD, false, 1, 4},
                 {LINNET_NN_SUB, false, 1, -4},
                 {LINNET_NN_SUB, true, -1, 4},
                 {LINNET_NN_MUL, true, 4, 0},
                 {LINNET_NN_DIV, false, 0.25f, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct linnet_nn_graph *graph = new_graph();
        uint32_t x = add_input(graph, 4, image), c = add_constant(graph, 0, NULL, 4);
        linnet_nn_graph_add_output(graph, cases[i].first ? add_binary(graph, cases[i].kind, c, x)
                                                         : add_binary(graph, cases[i].kind, x, c));
        assert_int_equal(linnet_nn_fold_scalar(graph), 0);
        const struct linnet_nn_node *node = only_node(graph, LINNET_NN_OP_UNARY);
        assert_int_equal(node->at.unary.function, LINNET_NN_LINEAR);
        assert_true(node->at.unary.alpha == cases[i].alpha && node->at.unary.beta == cases[i].beta);
        linnet_nn_graph_free(graph);
    }
}

static void a_gated_tensor_becomes_one_function(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image);
    uint32_t s = add_binary(graph, LINNET_NN_MUL, x, add_unary(graph, LINNET_NN_SIGMOID, 0, 0, x));
    uint32_t h =
        add_binary(graph, LINNET_NN_MUL, add_unary(graph, LINNET_NN_HARD_SIGMOID, 1.0f / 6, 0.5f, s), s);
    linnet_nn_graph_add_output(graph, h);
    assert_int_equal(linnet_nn_fuse_gate(graph), 0);
    assert_int_equal(graph->nnodes, 2);
    assert_int_equal(graph->nodes[0].at.unary.function, LINNET_NN_SWISH);
    assert_int_equal(graph->nodes[1].at.unary.function, LINNET_NN_HARD_SWISH);
    linnet_nn_graph_free(graph);
}

static void a_gate_of_something_else_stays(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image);
    uint32_t a = add_unary(graph, LINNET_NN_ABS, 0, 0, x);
    linnet_nn_graph_add_output(
        graph, add_binary(graph, LINNET_NN_MUL, x, add_unary(graph, LINNET_NN_SIGMOID, 0, 0, a)));
    linnet_nn_graph_add_output(
        graph, add_binary(graph, LINNET_NN_MUL, x, add_unary(graph, LINNET_NN_HARD_SIGMOID, 0.2f, 0.5f, x)));
    assert_int_equal(linnet_nn_fuse_gate(graph), 0);
    assert_int_equal(graph->nnodes, 5);
    linnet_nn_graph_free(graph);
}

static bool takes_all(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    (void)post;
    return node->op == LINNET_NN_OP_CONV;
}
static bool takes_none(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    (void)node, (void)post;
    return false;
}
static const struct linnet_nn_backend eager = {.takes = takes_all}, plain = {.takes = takes_none};

/* relu(conv(x) + conv(x)): the later convolution adds the earlier one's result, then applies the function. */
static struct linnet_nn_graph *residual(void) {
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    uint32_t a = add_conv(graph, x, w, 3, 1), b = add_conv(graph, x, w, 3, 1);
    uint32_t s = add_binary(graph, LINNET_NN_ADD, b, a);
    linnet_nn_graph_add_output(graph, add_unary(graph, LINNET_NN_RELU, 0, 0, s));
    return graph;
}

static void a_residual_and_a_function_join_the_later_convolution(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = residual();
    assert_int_equal(linnet_nn_fuse_residual(graph, &eager), 0);
    assert_int_equal(linnet_nn_fuse_activation(graph, &eager), 0);
    assert_int_equal(graph->nnodes, 2);
    const struct linnet_nn_node *node = &graph->nodes[1];
    assert_int_equal(node->nposts, 2);
    assert_int_equal(node->posts[0].kind, LINNET_NN_POST_ADD);
    assert_int_equal(node->inputs[node->posts[0].input], graph->nodes[0].output);
    assert_int_equal(node->posts[1].unary.function, LINNET_NN_RELU);
    assert_int_equal(node->output, graph->outputs[0]);
    linnet_nn_graph_free(graph);
}

static void nothing_is_fused_that_the_backend_does_not_take(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = residual();
    assert_int_equal(linnet_nn_fuse_residual(graph, &plain), 0);
    assert_int_equal(linnet_nn_fuse_activation(graph, &plain), 0);
    assert_int_equal(graph->nnodes, 4);
    linnet_nn_graph_free(graph);
}

/* x + f(x) where f's result is read twice: nothing to fuse into without computing it twice. */
static void a_result_that_others_read_is_not_fused(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = new_graph();
    uint32_t x = add_input(graph, 4, image), w = add_constant(graph, 4, weights, 0);
    uint32_t a = add_conv(graph, x, w, 3, 1);
    linnet_nn_graph_add_output(graph, add_binary(graph, LINNET_NN_ADD, a, x));
    linnet_nn_graph_add_output(graph, add_unary(graph, LINNET_NN_TANH, 0, 0, a));
    assert_int_equal(linnet_nn_fuse_residual(graph, &eager), 0);
    assert_int_equal(linnet_nn_fuse_activation(graph, &eager), 0);
    assert_int_equal(graph->nnodes, 3);
    linnet_nn_graph_free(graph);
}

static void ports_stay_in_single_precision(void **state) {
    (void)state;
    struct linnet_nn_graph *graph = residual();
    assert_int_equal(linnet_nn_set_precision(graph, LINNET_NN_PRECISION_BF16), 0);
    assert_int_equal(graph->tensors[graph->inputs[0]].type, LINNET_NN_F32);
    assert_int_equal(graph->tensors[graph->outputs[0]].type, LINNET_NN_F32);
    assert_int_equal(graph->tensors[graph->nodes[0].output].type, LINNET_NN_BF16);
    linnet_nn_graph_free(graph);
}

/* --- memory and batches --- */

static void buffers_that_live_together_do_not_overlap(void **state) {
    (void)state;
    enum { BUFFERS = 300 };
    uint64_t seed = 11;
    for (int round = 0; round < 20; round++) {
        struct linnet_nn_buffer buffers[BUFFERS];
        size_t total, alive[BUFFERS] = {0}, least = 0;
        for (int i = 0; i < BUFFERS; i++) {
            uint32_t first = (uint32_t)(reference_random(&seed) * BUFFERS);
            uint32_t last = first + (uint32_t)(reference_random(&seed) * (i % 10 ? 5 : 100));
            buffers[i] = (struct linnet_nn_buffer){(size_t)(reference_random(&seed) * 1e6), first,
                                                   last < BUFFERS ? last : BUFFERS - 1, 0};
        }
        assert_int_equal(linnet_nn_plan_memory(buffers, BUFFERS, 64, &total), 0);
        for (int i = 0; i < BUFFERS; i++) {
            assert_int_equal(buffers[i].offset % 64, 0);
            assert_true(buffers[i].offset + buffers[i].size <= total);
            for (uint32_t step = buffers[i].first; step <= buffers[i].last; step++)
                alive[step] += buffers[i].size;
            for (int k = 0; k < i; k++) {
                bool apart_in_time = buffers[i].last < buffers[k].first || buffers[k].last < buffers[i].first;
                bool apart = buffers[i].offset + buffers[i].size <= buffers[k].offset ||
                             buffers[k].offset + buffers[k].size <= buffers[i].offset;
                assert_true(apart_in_time || apart);
            }
        }
        for (int i = 0; i < BUFFERS; i++)
            least = alive[i] > least ? alive[i] : least;
        assert_true(total >= least && (double)total <= 1.25 * (double)least);
    }
}

static void a_chain_needs_two_buffers(void **state) {
    (void)state;
    struct linnet_nn_buffer buffers[10];
    size_t total;
    for (uint32_t i = 0; i < 10; i++)
        buffers[i] = (struct linnet_nn_buffer){1000, i, i + 1, 0};
    assert_int_equal(linnet_nn_plan_memory(buffers, 10, 64, &total), 0);
    assert_int_equal(total, 2048);
}

static void batches_are_cut_or_padded_to_buckets(void **state) {
    (void)state;
    unsigned buckets[LINNET_NN_BUCKETS_MAX];
    assert_int_equal(linnet_nn_batch_buckets(0, 6, buckets), 3);
    assert_int_equal(buckets[2], 4);
    assert_int_equal(linnet_nn_batch_next(buckets, 3, 7, false), 4);
    assert_int_equal(linnet_nn_batch_next(buckets, 3, 3, false), 2);
    assert_int_equal(linnet_nn_batch_next(buckets, 3, 3, true), 4);
    assert_int_equal(linnet_nn_batch_next(buckets, 3, 9, true), 4);
    assert_int_equal(linnet_nn_batch_buckets(0, 0, buckets), 1);
    assert_int_equal(linnet_nn_batch_buckets(3, 8, buckets), 1);
    assert_int_equal(buckets[0], 3);
    assert_int_equal(linnet_nn_batch_next(buckets, 1, 2, false), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_drops_what_no_output_needs),
        cmocka_unit_test(sorting_puts_a_node_after_what_it_reads),
        cmocka_unit_test(identities_go_but_for_those_between_ports),
        cmocka_unit_test(constants_are_computed),
        cmocka_unit_test(padding_joins_what_reads_it),
        cmocka_unit_test(padding_that_would_mean_something_else_stays),
        cmocka_unit_test(a_normalisation_joins_the_convolution_before_it),
        cmocka_unit_test(shared_weights_are_not_changed_for_others),
        cmocka_unit_test(a_result_that_others_read_is_not_normalised_away),
        cmocka_unit_test(what_is_added_to_each_channel_becomes_the_bias),
        cmocka_unit_test(a_row_of_as_many_numbers_is_no_bias),
        cmocka_unit_test(arithmetic_with_a_number_is_linear),
        cmocka_unit_test(a_gated_tensor_becomes_one_function),
        cmocka_unit_test(a_gate_of_something_else_stays),
        cmocka_unit_test(a_residual_and_a_function_join_the_later_convolution),
        cmocka_unit_test(nothing_is_fused_that_the_backend_does_not_take),
        cmocka_unit_test(a_result_that_others_read_is_not_fused),
        cmocka_unit_test(ports_stay_in_single_precision),
        cmocka_unit_test(buffers_that_live_together_do_not_overlap),
        cmocka_unit_test(a_chain_needs_two_buffers),
        cmocka_unit_test(batches_are_cut_or_padded_to_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
