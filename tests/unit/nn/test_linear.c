/* Products, normalisations and what the passes make of convolutions with their neighbours, against the
 * reference. */
#include <math.h>
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

struct gemm {
    const char *what;
    bool transposed, biased;
    float alpha, beta;
    struct array *b, *c;
};

static struct onnx_file *build_gemm(void *state) {
    const struct gemm *gemm = state;
    int64_t dims[2] = {-1, 37};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 2, dims);
    check_constant(file, "b", gemm->b);
    if (gemm->biased) check_constant(file, "c", gemm->c);
    struct onnx_node *node = onnx_add(file, "Gemm", gemm->biased ? "x b c" : "x b", "y");
    onnx_int(node, "transB", gemm->transposed);
    onnx_float(node, "alpha", gemm->alpha);
    onnx_float(node, "beta", gemm->beta);
    onnx_output(file, "y");
    return file;
}

static double add(double a, double b) {
    return a + b;
}
static double scale(double x, double a, double b) {
    (void)b;
    return a * x;
}

static void gemm_equals_the_reference(void **state) {
    (void)state;
    struct gemm cases[] = {
        {"gemm", false, false, 1, 1, NULL, NULL},
        {"gemm, transposed, biased", true, true, 1, 1, NULL, NULL},
        {"gemm, alpha and beta", false, true, 0.5f, 2, NULL, NULL},
    };
    int64_t dims[2] = {5, 37}, plain[2] = {37, 21}, turned[2] = {21, 37}, row[1] = {21};
    int swap[2] = {1, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gemm *gemm = &cases[i];
        struct array *x = array_random(check_seed(), 2, dims);
        gemm->b = array_random(check_seed(), 2, gemm->transposed ? turned : plain);
        gemm->c = array_random(check_seed(), 1, row);
        struct array *b =
            gemm->transposed ? reference_transpose(gemm->b, swap) : array_random(check_seed(), 2, plain);
        if (!gemm->transposed) memcpy(b->values, gemm->b->values, array_count(b) * sizeof *b->values);
        struct array *product = reference_matmul(x, b),
                     *scaled = reference_unary(product, scale, (double)gemm->alpha, 0);
        struct array *bias = reference_unary(gemm->c, scale, gemm->biased ? (double)gemm->beta : 0, 0);
        check_network(gemm->what, build_gemm, gemm, x, reference_binary(scaled, bias, add));
        array_free(product);
        array_free(scaled);
        array_free(bias);
        array_free(b);
        array_free(gemm->b);
        array_free(gemm->c);
        array_free(x);
    }
}

static struct onnx_file *build_matmul(void *state) {
    struct array *const *constants = state;
    int64_t dims[3] = {-1, 9, 16};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 3, dims);
    check_constant(file, "w", constants[0]);
    check_constant(file, "b", constants[1]);
    onnx_add(file, "MatMul", "x w", "p");
    onnx_add(file, "Add", "p b", "y");
    onnx_output(file, "y");
    return file;
}

/* x . x^T: both sides depend on the data. */
static struct onnx_file *build_gram(void *state) {
    (void)state;
    int64_t dims[3] = {-1, 9, 16}, perm[3] = {0, 2, 1};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 3, dims);
    onnx_ints(onnx_add(file, "Transpose", "x", "t"), "perm", 3, perm);
    onnx_add(file, "MatMul", "x t", "y");
    onnx_output(file, "y");
    return file;
}

static void matmul_equals_the_reference(void **state) {
    (void)state;
    int64_t dims[3] = {3, 9, 16}, weights[2] = {16, 24}, row[1] = {24};
    int perm[3] = {0, 2, 1};
    struct array *x = array_random(check_seed(), 3, dims);
    struct array *constants[2] = {array_random(check_seed(), 2, weights), array_random(check_seed(), 1, row)};
    struct array *product = reference_matmul(x, constants[0]), *turned = reference_transpose(x, perm);
    check_network("matmul, add", build_matmul, constants, x, reference_binary(product, constants[1], add));
    check_network("matmul of two tensors", build_gram, NULL, x, reference_matmul(x, turned));
    array_free(product);
    array_free(turned);
    array_free(constants[0]);
    array_free(constants[1]);
    array_free(x);
}

/* A block as in residual networks, with all that the passes fold and fuse:
 * y = f(norm(conv(x)) + s), s being x or conv1(x). */
struct block {
    const char *what;
    const char *activation; /* of the sum; NULL: none */
    bool projected;         /* s is a convolution of its own */
    bool normalised;        /* with a normalisation after it */
    bool first; /* a normalisation and an activation before the convolution, which nothing folds */
    struct array *w, *p, *norm[4];
};

static void write_norm(struct onnx_file *file, const char *from, const char *to) {
    char inputs[64];
    strcpy(inputs, from);
    strcat(inputs, " scale shift mean variance");
    onnx_float(onnx_add(file, "BatchNormalization", inputs, to), "epsilon", 1e-3f);
}

static struct onnx_file *build_block(void *state) {
    static const char *const names[4] = {"scale", "shift", "mean", "variance"};
    const struct block *block = state;
    int64_t dims[4] = {-1, 32, 10, 10}, pads[4] = {1, 1, 1, 1};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "w", block->w);
    check_constant(file, "p", block->p);
    for (int i = 0; i < 4; i++)
        check_constant(file, names[i], block->norm[i]);
    const char *at = "x", *side = "x";
    if (block->first) {
        write_norm(file, "x", "n");
        onnx_add(file, "Relu", "n", "r");
        at = "r";
    }
    char inputs[16];
    strcpy(inputs, at);
    strcat(inputs, " w");
    onnx_ints(onnx_add(file, "Conv", inputs, "c"), "pads", 4, pads);
    at = "c";
    if (block->normalised) {
        write_norm(file, "c", "m");
        at = "m";
    }
    if (block->projected) {
        onnx_add(file, "Conv", "x p", "s");
        side = "s";
    }
    strcpy(inputs, at);
    strcat(inputs, " ");
    strcat(inputs, side);
    onnx_add(file, "Add", inputs, block->activation ? "sum" : "y");
    if (block->activation) onnx_add(file, block->activation, "sum", "y");
    onnx_output(file, "y");
    return file;
}

static double relu(double x, double a, double b) {
    (void)a, (void)b;
    return fmax(x, 0);
}
static double hard_swish(double x, double a, double b) {
    (void)a, (void)b;
    return x * fmin(fmax(x / 6 + 0.5, 0), 1);
}

static struct array *expect_block(const struct block *block, const struct array *x) {
    struct reference_window three = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
                            one = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    const struct array *const *norm = (const struct array *const *)block->norm;
    struct array *steps[6] = {NULL};
    const struct array *at = x;
    if (block->first) {
        steps[0] = reference_norm(x, norm, 1e-3);
        at = steps[1] = reference_unary(steps[0], relu, 0, 0);
    }
    at = steps[2] = reference_conv(at, block->w, NULL, 1, &three);
    if (block->normalised) at = steps[3] = reference_norm(at, norm, 1e-3);
    if (block->projected) steps[4] = reference_conv(x, block->p, NULL, 1, &one);
    struct array *result = reference_binary(at, steps[4] ? steps[4] : x, add);
    if (block->activation) {
        steps[5] = result;
        result = reference_unary(result, strcmp(block->activation, "Relu") ? hard_swish : relu, 0, 0);
    }
    for (int i = 0; i < 6; i++)
        array_free(steps[i]);
    return result;
}

static void blocks_equal_the_reference(void **state) {
    (void)state;
    struct block cases[] = {
        {"residual block", "Relu", false, true, false, NULL, NULL, {NULL}},
        {"residual block, projected", "Relu", true, true, false, NULL, NULL, {NULL}},
        {"residual block, linear", NULL, false, true, false, NULL, NULL, {NULL}},
        {"residual block, hard swish", "HardSwish", false, false, false, NULL, NULL, {NULL}},
        {"residual block, activated first", NULL, false, false, true, NULL, NULL, {NULL}},
    };
    int64_t dims[4] = {3, 32, 10, 10}, w[4] = {32, 32, 3, 3}, p[4] = {32, 32, 1, 1}, channels[1] = {32};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct block *block = &cases[i];
        struct array *x = array_random(check_seed(), 4, dims);
        block->w = array_random(check_seed(), 4, w);
        block->p = array_random(check_seed(), 4, p);
        for (int k = 0; k < 4; k++)
            block->norm[k] = array_random(check_seed(), 1, channels);
        for (int64_t k = 0; k < 32; k++)
            block->norm[3]->values[k] = fabs(block->norm[3]->values[k]) + 0.5;
        for (int64_t k = 0; k < 32; k++)
            block->norm[3]->values[k] = (double)(float)block->norm[3]->values[k];
        check_network(block->what, build_block, block, x, expect_block(block, x));
        array_free(block->w);
        array_free(block->p);
        for (int k = 0; k < 4; k++)
            array_free(block->norm[k]);
        array_free(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_equals_the_reference),
        cmocka_unit_test(matmul_equals_the_reference),
        cmocka_unit_test(blocks_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
