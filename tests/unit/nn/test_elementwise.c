/* Functions of single values, broadcast arithmetic, reductions and softmax against the reference. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

static double clamp(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}
static double f_relu(double x, double a, double b) {
    (void)a, (void)b;
    return fmax(x, 0);
}
static double f_leaky(double x, double a, double b) {
    (void)b;
    return x < 0 ? a * x : x;
}
static double f_clip(double x, double a, double b) {
    return clamp(x, a, b);
}
static double f_sigmoid(double x, double a, double b) {
    (void)a, (void)b;
    return 1 / (1 + exp(-x));
}
static double f_hard_sigmoid(double x, double a, double b) {
    return clamp(a * x + b, 0, 1);
}
static double f_hard_swish(double x, double a, double b) {
    (void)a, (void)b;
    return x * clamp(x / 6 + 0.5, 0, 1);
}
static double f_swish(double x, double a, double b) {
    (void)a, (void)b;
    return x / (1 + exp(-x));
}
static double f_tanh(double x, double a, double b) {
    (void)a, (void)b;
    return tanh(x);
}
static double f_elu(double x, double a, double b) {
    (void)b;
    return x < 0 ? a * (exp(x) - 1) : x;
}
static double f_exp(double x, double a, double b) {
    (void)a, (void)b;
    return exp(x);
}
static double f_abs(double x, double a, double b) {
    (void)a, (void)b;
    return fabs(x);
}
static double f_erf(double x, double a, double b) {
    (void)a, (void)b;
    return erf(x);
}
static double f_gelu(double x, double a, double b) {
    (void)a, (void)b;
    return x * (1 + erf(x / sqrt(2))) / 2;
}
static double f_gelu_tanh(double x, double a, double b) {
    (void)a, (void)b;
    return x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3)))) / 2;
}
static double f_power(double x, double a, double b) {
    (void)b;
    return pow(x, a);
}
static double f_neg(double x, double a, double b) {
    (void)a, (void)b;
    return -x;
}

struct function {
    const char *op;
    double (*f)(double, double, double);
    float alpha, beta;
    const char *first, *second; /* names of the attributes */
};

/* An input of three dimensions, so that nothing relies on images. */
static struct onnx_file *build_function(void *state) {
    const struct function *function = state;
    int64_t dims[3] = {-1, 5, 33};
    struct onnx_file *file = onnx_new(20);
    onnx_input(file, "x", 3, dims);
    if (!strcmp(function->op, "Clip")) {
        onnx_floats(file, "low", 0, NULL, &function->alpha);
        onnx_floats(file, "high", 0, NULL, &function->beta);
        onnx_add(file, "Clip", "x low high", "y");
    } else if (!strcmp(function->op, "Pow")) {
        onnx_floats(file, "power", 0, NULL, &function->alpha);
        onnx_add(file, "Pow", "x power", "y");
    } else if (!strcmp(function->op, "GeluTanh")) {
        onnx_string(onnx_add(file, "Gelu", "x", "y"), "approximate", "tanh");
    } else if (!strcmp(function->op, "Swish")) {
        onnx_add(file, "Sigmoid", "x", "s");
        onnx_add(file, "Mul", "x s", "y");
    } else if (!strcmp(function->op, "HardSwish13")) {
        onnx_float(onnx_add(file, "HardSigmoid", "x", "s"), "alpha", 1.0f / 6);
        onnx_add(file, "Mul", "s x", "y");
    } else {
        struct onnx_node *node = onnx_add(file, function->op, "x", "y");
        if (function->first) onnx_float(node, function->first, function->alpha);
        if (function->second) onnx_float(node, function->second, function->beta);
    }
    onnx_output(file, "y");
    return file;
}

static void functions_equal_the_reference(void **state) {
    (void)state;
    struct function cases[] = {
        {"Relu", f_relu, 0, 0, NULL, NULL},
        {"LeakyRelu", f_leaky, 0.1f, 0, "alpha", NULL},
        {"Clip", f_clip, -1.5f, 2, NULL, NULL},
        {"Sigmoid", f_sigmoid, 0, 0, NULL, NULL},
        {"HardSigmoid", f_hard_sigmoid, 0.3f, 0.4f, "alpha", "beta"},
        {"HardSwish", f_hard_swish, 0, 0, NULL, NULL},
        {"HardSwish13", f_hard_swish, 0, 0, NULL, NULL},
        {"Swish", f_swish, 0, 0, NULL, NULL},
        {"Tanh", f_tanh, 0, 0, NULL, NULL},
        {"Elu", f_elu, 0.7f, 0, "alpha", NULL},
        {"Exp", f_exp, 0, 0, NULL, NULL},
        {"Abs", f_abs, 0, 0, NULL, NULL},
        {"Neg", f_neg, 0, 0, NULL, NULL},
        {"Erf", f_erf, 0, 0, NULL, NULL},
        {"Gelu", f_gelu, 0, 0, NULL, NULL},
        {"GeluTanh", f_gelu_tanh, 0, 0, NULL, NULL},
        {"Pow", f_power, 3, 0, NULL, NULL},
    };
    int64_t dims[3] = {3, 5, 33};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array *x = array_random(check_seed(), 3, dims);
        for (size_t k = 0; k < array_count(x); k++)
            x->values[k] *= 5;
        for (size_t k = 0; k < array_count(x); k++)
            x->values[k] = (double)(float)x->values[k];
        check_network(cases[i].op, build_function, &cases[i], x,
                      reference_unary(x, cases[i].f, (double)cases[i].alpha, (double)cases[i].beta));
        array_free(x);
    }
}

static double add(double a, double b) {
    return a + b;
}
static double sub(double a, double b) {
    return a - b;
}
static double mul(double a, double b) {
    return a * b;
}
static double quotient(double a, double b) {
    return a / b;
}

struct arithmetic {
    const char *what, *op;
    double (*f)(double, double);
    int rank; /* of the constant */
    int64_t dims[4];
    bool first; /* the constant is the first input */
    struct array *constant;
};

static struct onnx_file *build_arithmetic(void *state) {
    const struct arithmetic *arithmetic = state;
    int64_t dims[4] = {-1, 20, 6, 7};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "c", arithmetic->constant);
    onnx_add(file, arithmetic->op, arithmetic->first ? "c x" : "x c", "y");
    onnx_output(file, "y");
    return file;
}

static void arithmetic_broadcasts_like_the_reference(void **state) {
    (void)state;
    struct arithmetic cases[] = {
        {"add a number", "Add", add, 0, {0}, false, NULL},
        {"a number minus x", "Sub", sub, 0, {0}, true, NULL},
        {"divide by a number", "Div", quotient, 0, {0}, false, NULL},
        {"divide a number", "Div", quotient, 0, {0}, true, NULL},
        {"times one of each channel", "Mul", mul, 3, {20, 1, 1}, false, NULL},
        {"minus one of each channel", "Sub", sub, 4, {1, 20, 1, 1}, false, NULL},
        {"one of each channel minus x", "Sub", sub, 3, {20, 1, 1}, true, NULL},
        {"plus a plane", "Add", add, 2, {6, 7}, false, NULL},
        {"plus a row", "Add", add, 1, {7}, true, NULL},
        {"plus a sample", "Add", add, 4, {1, 20, 6, 7}, false, NULL},
        {"least", "Min", fmin, 3, {20, 1, 7}, false, NULL},
        {"most", "Max", fmax, 4, {1, 1, 6, 1}, true, NULL},
    };
    int64_t dims[4] = {3, 20, 6, 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array *x = array_random(check_seed(), 4, dims);
        cases[i].constant = array_random(check_seed(), cases[i].rank, cases[i].dims);
        /* Nothing to divide by may be near nought. */
        for (size_t k = 0; k < array_count(x); k++)
            x->values[k] += x->values[k] < 0 ? -1 : 1;
        for (size_t k = 0; k < array_count(x); k++)
            x->values[k] = (double)(float)x->values[k];
        cases[i].constant->values[0] += cases[i].constant->values[0] < 0 ? -1 : 1;
        cases[i].constant->values[0] = (double)(float)cases[i].constant->values[0];
        const struct array *a = cases[i].first ? cases[i].constant : x,
                           *b = cases[i].first ? x : cases[i].constant;
        check_network(cases[i].what, build_arithmetic, &cases[i], x, reference_binary(a, b, cases[i].f));
        array_free(cases[i].constant);
        array_free(x);
    }
}

/* x times the mean of each of its channels: both sides depend on the data, as in squeeze and excitation. */
static struct onnx_file *build_gate(void *state) {
    const struct array *x = state;
    int64_t dims[4] = {-1, x->dims[1], x->dims[2], x->dims[3]};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "GlobalAveragePool", "x", "m");
    onnx_add(file, "Mul", "m x", "y");
    onnx_output(file, "y");
    return file;
}

/* The outer product of the means over rows and over columns: both sides are broadcast. */
static struct onnx_file *build_outer(void *state) {
    const struct array *x = state;
    int64_t dims[4] = {-1, x->dims[1], x->dims[2], x->dims[3]}, rows[1] = {2}, columns[1] = {-1};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_ints(onnx_add(file, "ReduceMean", "x", "r"), "axes", 1, rows);
    onnx_ints(onnx_add(file, "ReduceMax", "x", "c"), "axes", 1, columns);
    onnx_add(file, "Sub", "r c", "y");
    onnx_output(file, "y");
    return file;
}

static void two_tensors_broadcast_to_each_other(void **state) {
    (void)state;
    int64_t dims[4] = {2, 24, 9, 5};
    bool plane[4] = {false, false, true, true}, rows[4] = {false, false, true, false},
         columns[4] = {false, false, false, true};
    struct array *x = array_random(check_seed(), 4, dims);
    struct array *means = reference_reduce(x, plane, 'm');
    check_network("times the mean of its channel", build_gate, x, x, reference_binary(x, means, mul));
    struct array *r = reference_reduce(x, rows, 'm'), *c = reference_reduce(x, columns, 'x');
    check_network("rows minus columns", build_outer, x, x, reference_binary(r, c, sub));
    array_free(means);
    array_free(r);
    array_free(c);
    array_free(x);
}

struct reduce {
    const char *op;
    char kind;
    bool axes[4], keep;
};

static struct onnx_file *build_reduce(void *state) {
    const struct reduce *reduce = state;
    int64_t dims[4] = {-1, 6, 5, 4}, axes[4];
    size_t n = 0;
    for (int i = 0; i < 4; i++)
        if (reduce->axes[i]) axes[n++] = i;
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    if (!strcmp(reduce->op, "ReduceSum")) { /* the one whose axes are an input by then */
        onnx_integers(file, "axes", n, axes);
        onnx_int(onnx_add(file, reduce->op, "x axes", "y"), "keepdims", reduce->keep);
    } else {
        onnx_ints(onnx_int(onnx_add(file, reduce->op, "x", "y"), "keepdims", reduce->keep), "axes", n, axes);
    }
    onnx_output(file, "y");
    return file;
}

static void reductions_equal_the_reference(void **state) {
    (void)state;
    struct reduce cases[] = {
        {"ReduceMean", 'm', {false, false, true, true}, true},
        {"ReduceMean", 'm', {false, false, true, true}, false},
        {"ReduceMean", 'm', {false, true, false, false}, false},
        {"ReduceSum", 's', {false, false, false, true}, true},
        {"ReduceMax", 'x', {false, false, true, true}, false},
        {"ReduceMax", 'x', {false, true, false, true}, true},
        {"ReduceMin", 'n', {false, false, true, false}, false},
    };
    int64_t dims[4] = {2, 6, 5, 4};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array *x = array_random(check_seed(), 4, dims);
        check_network(cases[i].op, build_reduce, &cases[i], x,
                      reference_reduce(x, cases[i].axes, cases[i].kind));
        array_free(x);
    }
}

struct softmax {
    const char *what;
    int64_t opset, axis;
};

static struct onnx_file *build_softmax(void *state) {
    const struct softmax *softmax = state;
    int64_t dims[3] = {-1, 7, 11};
    struct onnx_file *file = onnx_new(softmax->opset);
    onnx_input(file, "x", 3, dims);
    onnx_int(onnx_add(file, "Softmax", "x", "y"), "axis", softmax->axis);
    onnx_output(file, "y");
    return file;
}

/* Before opset 13 all dimensions from the axis on are one. */
static void softmax_equals_the_reference(void **state) {
    (void)state;
    struct softmax cases[] = {
        {"softmax, last axis", 13, -1}, {"softmax, axis 1", 13, 1}, {"softmax of opset 11", 11, 1}};
    int64_t dims[3] = {4, 7, 11}, flat[2] = {4, 77};
    for (size_t i = 0; i < 3; i++) {
        struct array *x = array_random(check_seed(), 3, dims), *view = array_new(2, flat);
        memcpy(view->values, x->values, array_count(x) * sizeof *x->values);
        struct array *expected = cases[i].opset < 13 ? reference_softmax(view, 1)
                                                     : reference_softmax(x, cases[i].axis < 0 ? 2 : 1);
        check_network(cases[i].what, build_softmax, &cases[i], x, expected);
        array_free(view);
        array_free(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_equal_the_reference),
        cmocka_unit_test(arithmetic_broadcasts_like_the_reference),
        cmocka_unit_test(two_tensors_broadcast_to_each_other),
        cmocka_unit_test(reductions_equal_the_reference),
        cmocka_unit_test(softmax_equals_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
