/* What transformers are made of, in every form in which exporters write it, against the reference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

#define WIDTH 24

static double add(double a, double b) {
    return a + b;
}
static double times(double x, double a, double b) {
    (void)b;
    return a * x;
}
static double reciprocal(double x, double a, double b) {
    (void)a, (void)b;
    return 1 / x;
}

static void scalar(struct onnx_file *file, const char *name, float value) {
    onnx_floats(file, name, 0, NULL, &value);
}

/* --- layer normalisation --- */

struct norm {
    const char *what;
    bool written_out, squared_by_product, scaled, shifted;
    int64_t opset;
    struct array *scale, *shift;
};

static void write_norm(struct onnx_file *file, const struct norm *norm) {
    int64_t last[1] = {-1};
    scalar(file, "two", 2);
    scalar(file, "epsilon", 1e-5f);
    struct onnx_node *means[2] = {NULL};
    if (norm->opset >= 18) onnx_integers(file, "last", 1, last);
    means[0] = onnx_add(file, "ReduceMean", norm->opset >= 18 ? "x last" : "x", "mean");
    onnx_add(file, "Sub", "x mean", "centred");
    onnx_add(file, norm->squared_by_product ? "Mul" : "Pow",
             norm->squared_by_product ? "centred centred" : "centred two", "square");
    means[1] = onnx_add(file, "ReduceMean", norm->opset >= 18 ? "square last" : "square", "variance");
    for (int i = 0; i < 2 && norm->opset < 18; i++)
        onnx_ints(means[i], "axes", 1, last);
    onnx_add(file, "Add", "variance epsilon", "sum");
    onnx_add(file, "Sqrt", "sum", "deviation");
    onnx_add(file, "Div", "centred deviation", norm->scaled || norm->shifted ? "n" : "y");
    if (norm->scaled) onnx_add(file, "Mul", "n scale", norm->shifted ? "s" : "y");
    if (norm->shifted) onnx_add(file, "Add", norm->scaled ? "s shift" : "n shift", "y");
}

static struct onnx_file *build_norm(void *state) {
    const struct norm *norm = state;
    int64_t dims[3] = {-1, 5, WIDTH};
    struct onnx_file *file = onnx_new(norm->opset);
    onnx_input(file, "x", 3, dims);
    check_constant(file, "scale", norm->scale);
    check_constant(file, "shift", norm->shift);
    if (norm->written_out)
        write_norm(file, norm);
    else
        onnx_add(file, "LayerNormalization", norm->shifted ? "x scale shift" : "x scale", "y");
    onnx_output(file, "y");
    return file;
}

static void layer_normalisation_equals_the_reference(void **state) {
    (void)state;
    struct norm cases[] = {
        {"layer norm", false, false, true, true, 17, NULL, NULL},
        {"layer norm, no shift", false, false, true, false, 21, NULL, NULL},
        {"layer norm written out", true, false, true, true, 9, NULL, NULL},
        {"layer norm written out, opset 18", true, true, true, true, 18, NULL, NULL},
        {"layer norm written out, plain", true, true, false, false, 13, NULL, NULL},
        {"layer norm written out, shifted", true, false, false, true, 13, NULL, NULL},
    };
    int64_t dims[3] = {3, 5, WIDTH}, row[1] = {WIDTH};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct norm *norm = &cases[i];
        struct array *x = array_random(check_seed(), 3, dims), *ones = array_new(1, row),
                     *noughts = array_new(1, row);
        norm->scale = array_random(check_seed(), 1, row);
        norm->shift = array_random(check_seed(), 1, row);
        for (int64_t k = 0; k < WIDTH; k++)
            ones->values[k] = 1;
        check_network(norm->what, build_norm, norm, x,
                      reference_layer_norm(x, norm->scaled ? norm->scale : ones,
                                           norm->shifted ? norm->shift : noughts, 1e-5));
        array_free(norm->scale);
        array_free(norm->shift);
        array_free(ones);
        array_free(noughts);
        array_free(x);
    }
}

static struct onnx_file *build_deep_norm(void *state) {
    struct array *const *parameters = state;
    int64_t dims[4] = {-1, 4, 2, 3};
    struct onnx_file *file = onnx_new(17);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "scale", parameters[0]);
    check_constant(file, "shift", parameters[1]);
    onnx_int(onnx_add(file, "LayerNormalization", "x scale shift", "y"), "axis", 1);
    onnx_output(file, "y");
    return file;
}

static void a_normalisation_over_several_dimensions_equals_the_reference(void **state) {
    (void)state;
    int64_t dims[4] = {3, 4, 2, 3}, flat[2] = {3, 24}, each[3] = {4, 2, 3};
    struct array *x = array_random(check_seed(), 4, dims), *view = array_new(2, flat);
    struct array *parameters[2] = {array_random(check_seed(), 3, each), array_random(check_seed(), 3, each)};
    memcpy(view->values, x->values, array_count(x) * sizeof *x->values);
    check_network("layer norm, three dimensions", build_deep_norm, parameters, x,
                  reference_layer_norm(view, parameters[0], parameters[1], 1e-5));
    for (int i = 0; i < 2; i++)
        array_free(parameters[i]);
    array_free(view);
    array_free(x);
}

/* --- attention --- */

enum scaling { ON_QUERIES, ON_PRODUCT, ON_BOTH, NOWHERE };
struct attention {
    const char *what;
    enum scaling scaling;
    bool heads;  /* [N, heads, length, width], else [N * heads, length, width] */
    bool merged; /* the keys come turned by one transposition from where the heads were split */
};

/* x [N, 7, 24] is queries, keys and values at once, of 3 heads. */
static struct onnx_file *build_attention(void *state) {
    const struct attention *attention = state;
    int64_t dims[3] = {-1, 7, 24}, split[4] = {0, 7, 3, 8}, heads[4] = {0, 2, 1, 3}, turned[4] = {0, 2, 3, 1},
            swap[4] = {0, 1, 3, 2}, swap3[3] = {0, 2, 1}, flat[3] = {-1, 7, 8}, apart[4] = {-1, 3, 7, 8},
            joined[3] = {0, 7, 24};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 3, dims);
    onnx_integers(file, "split", 4, split);
    onnx_integers(file, "flat", 3, flat);
    onnx_integers(file, "apart", 4, apart);
    onnx_integers(file, "joined", 3, joined);
    scalar(file, "root", sqrtf(sqrtf(8)));
    scalar(file, "all", sqrtf(8));
    onnx_add(file, "Reshape", "x split", "s");
    onnx_ints(onnx_add(file, "Transpose", "s", "h"), "perm", 4, heads);
    const char *q = "h";
    if (!attention->heads) onnx_add(file, "Reshape", "h flat", q = "f");
    if (attention->merged)
        onnx_ints(onnx_add(file, "Transpose", "s", "t"), "perm", 4, turned);
    else
        onnx_ints(onnx_add(file, "Transpose", q, "t"), "perm", attention->heads ? 4 : 3,
                  attention->heads ? swap : swap3);
    bool both = attention->scaling == ON_BOTH;
    onnx_add(file, "Div", attention->heads ? "h root" : "f root", "q1");
    onnx_add(file, "Div", "t root", "t1");
    onnx_add(file, "Div", attention->heads ? "h all" : "f all", "q2");
    onnx_add(file, "MatMul",
             both                               ? "q1 t1"
             : attention->scaling == ON_QUERIES ? "q2 t"
             : attention->heads                 ? "h t"
                                                : "f t",
             "p");
    if (attention->scaling == ON_PRODUCT) onnx_add(file, "Div", "p all", "d");
    onnx_int(onnx_add(file, "Softmax", attention->scaling == ON_PRODUCT ? "d" : "p", "w"), "axis", -1);
    onnx_add(file, "MatMul", attention->heads ? "w h" : "w f", attention->heads ? "a" : "b");
    if (!attention->heads) onnx_add(file, "Reshape", "b apart", "a");
    onnx_ints(onnx_add(file, "Transpose", "a", "o"), "perm", 4, heads);
    onnx_add(file, "Reshape", "o joined", "y");
    onnx_output(file, "y");
    return file;
}

static struct array *expect_attention(const struct array *x, double scale) {
    int64_t split[4] = {x->dims[0], 7, 3, 8};
    int heads[4] = {0, 2, 1, 3}, swap[4] = {0, 1, 3, 2};
    struct array *apart = array_new(4, split);
    memcpy(apart->values, x->values, array_count(x) * sizeof *x->values);
    struct array *h = reference_transpose(apart, heads), *t = reference_transpose(h, swap);
    struct array *p = reference_matmul(h, t), *s = reference_unary(p, times, scale, 0),
                 *w = reference_softmax(s, 3), *a = reference_matmul(w, h),
                 *o = reference_transpose(a, heads);
    struct array *steps[] = {apart, h, t, p, s, w, a};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        array_free(steps[i]);
    return o;
}

static void attention_equals_the_reference(void **state) {
    (void)state;
    struct attention cases[] = {
        {"attention, scaled queries", ON_QUERIES, true, false},
        {"attention, scaled product", ON_PRODUCT, true, false},
        {"attention, both scaled", ON_BOTH, true, true},
        {"attention, unscaled", NOWHERE, true, true},
        {"attention, batch and heads as one", ON_QUERIES, false, false},
    };
    int64_t dims[3] = {3, 7, 24};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array *x = array_random(check_seed(), 3, dims);
        check_network(cases[i].what, build_attention, &cases[i], x,
                      expect_attention(x, cases[i].scaling == NOWHERE ? 1 : 1 / sqrt(8)));
        array_free(x);
    }
}

/* --- products and softmax of more dimensions --- */

static struct onnx_file *build_batched(void *state) {
    int64_t dims[4] = {-1, 3, 5, 4};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "b", state);
    onnx_add(file, "MatMul", "x b", "y");
    onnx_output(file, "y");
    return file;
}

static struct onnx_file *build_softmax(void *state) {
    int64_t dims[4] = {-1, 3, 5, 4};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_int(onnx_add(file, "Softmax", "x", "y"), "axis", *(const int *)state);
    onnx_output(file, "y");
    return file;
}

static void products_and_softmax_go_over_any_dimensions(void **state) {
    (void)state;
    int64_t dims[4] = {3, 3, 5, 4}, shapes[2][4] = {{3, 4, 6, 0}, {1, 3, 4, 6}};
    for (int i = 0; i < 2; i++) {
        struct array *x = array_random(check_seed(), 4, dims),
                     *b = array_random(check_seed(), 3 + i, shapes[i]);
        check_network("batched product", build_batched, b, x, reference_matmul(x, b));
        array_free(b);
        array_free(x);
    }
    for (int axis = 1; axis < 4; axis++) {
        struct array *x = array_random(check_seed(), 4, dims);
        check_network("softmax", build_softmax, &axis, x, reference_softmax(x, axis));
        array_free(x);
    }
}

/* --- a token before the others, as PyTorch writes expand(n, -1, -1) --- */

static struct onnx_file *build_token(void *state) {
    struct array *const *constants = state;
    int64_t dims[3] = {-1, 5, 8}, zero[1] = {0}, minus[3] = {-1, -1, -1}, rest[2] = {-1, -1};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 3, dims);
    check_constant(file, "token", constants[0]);
    check_constant(file, "places", constants[1]);
    onnx_integers(file, "zero", 1, zero);
    onnx_integers(file, "rest", 2, rest);
    onnx_integers(file, "minus", 3, minus);
    onnx_add(file, "Shape", "x", "shape");
    onnx_add(file, "Gather", "shape zero", "n");
    onnx_int(onnx_add(file, "Concat", "n rest", "wanted"), "axis", 0);
    onnx_add(file, "Shape", "wanted", "length");
    onnx_add(file, "ConstantOfShape", "length", "noughts");
    onnx_int(onnx_add(file, "Cast", "noughts", "whole"), "to", 7);
    onnx_add(file, "Sub", "whole minus", "ones"); /* 0 - -1 */
    onnx_add(file, "Equal", "wanted minus", "unknown");
    onnx_add(file, "Where", "unknown ones wanted", "sizes");
    onnx_add(file, "Expand", "token sizes", "tokens");
    onnx_int(onnx_add(file, "Concat", "tokens x", "all"), "axis", 1);
    onnx_add(file, "Add", "all places", "y");
    onnx_output(file, "y");
    return file;
}

static void a_token_is_repeated_for_the_batch(void **state) {
    (void)state;
    int64_t dims[3] = {3, 5, 8}, token[3] = {1, 1, 8}, tokens[3] = {3, 1, 8}, places[3] = {1, 6, 8};
    struct array *x = array_random(check_seed(), 3, dims), *repeated = array_new(3, tokens);
    struct array *constants[2] = {array_random(check_seed(), 3, token),
                                  array_random(check_seed(), 3, places)};
    for (size_t i = 0; i < 24; i++)
        repeated->values[i] = constants[0]->values[i % 8];
    const struct array *parts[2] = {repeated, x};
    struct array *all = reference_concat(parts, 2, 1);
    check_network("a token before the others", build_token, constants, x,
                  reference_binary(all, constants[1], add));
    array_free(all);
    array_free(repeated);
    array_free(constants[0]);
    array_free(constants[1]);
    array_free(x);
}

/* --- operators that changed after opset 17 --- */

static struct onnx_file *build_later(void *state) {
    (void)state;
    int64_t dims[4] = {-1, 4, 3, 5}, axes[2] = {-1, 2}, pads[4] = {1, 0, 2, 1}, reduced[1] = {1};
    float value = 2;
    struct onnx_file *file = onnx_new(21);
    onnx_input(file, "x", 4, dims);
    onnx_integers(file, "axes", 2, axes);
    onnx_integers(file, "pads", 4, pads);
    onnx_integers(file, "reduced", 1, reduced);
    onnx_floats(file, "value", 0, NULL, &value);
    onnx_add(file, "Pad", "x pads value axes", "p");
    onnx_int(onnx_int(onnx_add(file, "Split", "p", "a b"), "axis", 1), "num_outputs", 2);
    onnx_add(file, "Add", "a b", "s");
    onnx_add(file, "ReduceMax", "s reduced", "m");
    onnx_add(file, "Reciprocal", "m", "y");
    onnx_output(file, "y");
    return file;
}

static void operators_of_later_sets_equal_the_reference(void **state) {
    (void)state;
    int64_t dims[4] = {2, 4, 3, 5}, before[4] = {0, 0, 0, 1}, after[4] = {0, 0, 1, 2}, half[4] = {2, 2, 4, 8},
            starts[2][4] = {{0}, {0, 2, 0, 0}};
    bool axes[4] = {false, true, false, false};
    struct array *x = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < array_count(x); i++)
        x->values[i] = (double)(float)(2 + x->values[i]);
    struct array *p = reference_pad(x, before, after, 2), *a = reference_slice(p, starts[0], half),
                 *b = reference_slice(p, starts[1], half), *s = reference_binary(a, b, add),
                 *m = reference_reduce(s, axes, 'x');
    check_network("pad, split, reduce of opset 21", build_later, NULL, x,
                  reference_unary(m, reciprocal, 0, 0));
    struct array *steps[] = {x, p, a, b, s, m};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        array_free(steps[i]);
}

/* Sequences first, as PyTorch's attention has them, and back: with one picture the elements lie as if nothing
 * had been done. The sum after it is no business of oneDNN's reference implementation, which takes a hundred
 * times as long. */
static void a_sum_after_turning_back_is_fast(void **state) {
    (void)state;
    if (strcmp(check_backend(), "cpu") != 0) skip();
    int64_t dims[3] = {-1, 4, WIDTH}, w[2] = {WIDTH, WIDTH}, turned[3] = {1, 0, 2};
    struct onnx_file *file = onnx_new(13);
    struct array *weights = array_random(check_seed(), 2, w);
    float numbers[4 * WIDTH] = {0}, got[4 * WIDTH], *outputs[1] = {got};
    const float *inputs[1] = {numbers};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session;
    struct linnet_nn_layer *layers;
    struct linnet_nn_options options = {.backend = "cpu", .batch_max = 1};
    struct linnet_error err = {0};
    size_t size, count, sums = 0;
    onnx_input(file, "x", 3, dims);
    check_constant(file, "w", weights);
    onnx_ints(onnx_add(file, "Transpose", "x", "t"), "perm", 3, turned);
    onnx_add(file, "MatMul", "t w", "m");
    onnx_ints(onnx_add(file, "Transpose", "m", "b"), "perm", 3, turned);
    onnx_add(file, "Add", "x b", "y");
    onnx_output(file, "y");
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    array_free(weights);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_engine_open(model, &options, &engine, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_open(engine, &session, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_layers(session, 1, inputs, outputs, &layers, &count, &err))
        fail_msg("%s", err.detail);
    for (size_t i = 0; i < count; i++) {
        sums += !strcmp(layers[i].name, "Add");
        if (!strncmp(layers[i].how, "ref", 3)) fail_msg("%s: %s", layers[i].name, layers[i].how);
    }
    assert_true(sums > 0);
    free(layers);
    free(bytes);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
    linnet_nn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_normalisation_equals_the_reference),
        cmocka_unit_test(a_normalisation_over_several_dimensions_equals_the_reference),
        cmocka_unit_test(attention_equals_the_reference),
        cmocka_unit_test(products_and_softmax_go_over_any_dimensions),
        cmocka_unit_test(a_token_is_repeated_for_the_batch),
        cmocka_unit_test(operators_of_later_sets_equal_the_reference),
        cmocka_unit_test(a_sum_after_turning_back_is_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
