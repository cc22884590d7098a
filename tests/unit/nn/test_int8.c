/* Operators in 8 bits against the reference, with the same roundings made naively in double precision: the
 * integers must be the same but where a sum lies at the middle between two. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nn/histogram.h"
#include "common/nn/model.h"
#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

#define SIZE 9

/* One network: x -> product -> (+ x) -> function -> (what moves) -> product with the identity -> y. */
struct net {
    const char *what;
    int64_t in, out, groups, kernel, stride, dilation;
    bool is_signed;       /* x */
    bool residual;        /* x is added */
    bool extreme;         /* all values at the ends of what they may be */
    const char *function; /* ONNX's; NULL: none */
    const char *moved;    /* MaxPool, AveragePool, Concat, Transpose; NULL: nothing */
    struct array *x, *w, *b, *one;
    double most; /* of what is rounded; its range */
    bool both;   /* it may be negative */
};

static bool has_vnni(void) {
    return __builtin_cpu_supports("avx512vnni");
}

static double relu(double x, double a, double b) {
    (void)a, (void)b;
    return fmax(x, 0);
}
static double clip(double x, double a, double b) {
    return fmin(fmax(x, a), b);
}
static double leaky(double x, double a, double b) {
    (void)b;
    return x > 0 ? x : (double)(float)a * x;
}
static double hard_swish(double x, double a, double b) {
    (void)a, (void)b;
    return x * fmin(fmax(x / 6 + 0.5, 0), 1);
}
static double sigmoid(double x, double a, double b) {
    (void)a, (void)b;
    return 1 / (1 + exp(-x));
}
static double add(double a, double b) {
    return a + b;
}

/* Rounded to the steps of a range. */
static double rounded(double x, double most, double negative) {
    double step = (double)((float)most / (negative != 0 ? 127 : 255));
    return step * fmin(fmax(nearbyint(x / step), negative != 0 ? -128 : 0), negative != 0 ? 127 : 255);
}

static struct array *round_weights(const struct array *w) {
    struct array *copy = array_new(w->rank, w->dims);
    size_t each = array_count(w) / (size_t)w->dims[0];
    for (int64_t o = 0; o < w->dims[0]; o++) {
        const double *from = w->values + (size_t)o * each;
        double most = 0;
        for (size_t i = 0; i < each; i++)
            most = fmax(most, fabs(from[i]));
        double step = (double)((float)most / (float)(has_vnni() ? 127 : 63));
        for (size_t i = 0; i < each; i++)
            copy->values[(size_t)o * each + i] = step * nearbyint((double)((float)from[i] / (float)step));
    }
    return copy;
}

static struct array *apply(const struct net *net, const struct array *x) {
    if (!net->function) return reference_unary(x, clip, -INFINITY, INFINITY);
    if (!strcmp(net->function, "Relu")) return reference_unary(x, relu, 0, 0);
    if (!strcmp(net->function, "Clip")) return reference_unary(x, clip, 0, 6);
    if (!strcmp(net->function, "LeakyRelu")) return reference_unary(x, leaky, 0.1, 0);
    if (!strcmp(net->function, "HardSwish")) return reference_unary(x, hard_swish, 0, 0);
    return reference_unary(x, sigmoid, 0, 0);
}

static struct array *move(const struct net *net, const struct array *x) {
    struct reference_window three = {{3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}};
    int64_t none[2] = {0, 0};
    int swap[4] = {0, 1, 3, 2};
    const struct array *twice[2] = {x, x};
    if (!net->moved) return reference_unary(x, clip, -INFINITY, INFINITY);
    if (!strcmp(net->moved, "Concat")) return reference_concat(twice, 2, 1);
    if (!strcmp(net->moved, "Transpose")) return reference_transpose(x, swap);
    return reference_pool(x, &three, none, !strcmp(net->moved, "AveragePool"), true);
}

/* The function's value of the rounded product; `net` is told its range. */
static struct array *product(struct net *net) {
    int64_t pad = net->dilation * (net->kernel - 1) / 2;
    struct reference_window window = {{net->kernel, net->kernel},
                                      {net->stride, net->stride},
                                      {net->dilation, net->dilation},
                                      {pad, pad},
                                      {pad, pad}};
    struct array *x = reference_unary(net->x, rounded, 1, net->is_signed), *w = round_weights(net->w);
    struct array *sum = reference_conv(x, w, net->b, net->groups, &window);
    if (net->residual) {
        struct array *both = reference_binary(sum, x, add);
        array_free(sum);
        sum = both;
    }
    struct array *result = apply(net, sum);
    net->both = false;
    net->most = 0;
    for (size_t i = 0; i < array_count(result); i++) {
        net->both = net->both || result->values[i] < 0;
        net->most = fmax(net->most, fabs(result->values[i]));
    }
    net->most = (double)(float)(net->most * 0.9); /* some are beyond it */
    array_free(x);
    array_free(w);
    array_free(sum);
    return result;
}

static struct array *expect(struct net *net) {
    struct array *result = product(net), *kept = reference_unary(result, rounded, net->most, net->both);
    struct array *moved = move(net, kept);
    struct array *again = net->moved && !strcmp(net->moved, "AveragePool")
                              ? reference_unary(moved, rounded, net->most, net->both)
                              : reference_unary(moved, clip, -INFINITY, INFINITY);
    array_free(result);
    array_free(kept);
    array_free(moved);
    return again;
}

static void write_function(struct onnx_file *file, const struct net *net, const char *from, const char *to) {
    char inputs[32];
    bool clipped = net->function && !strcmp(net->function, "Clip");
    float low = 0, high = 6;
    if (clipped) {
        onnx_floats(file, "low", 0, NULL, &low);
        onnx_floats(file, "high", 0, NULL, &high);
    }
    snprintf(inputs, sizeof inputs, "%s%s", from, clipped ? " low high" : "");
    struct onnx_node *node = onnx_add(file, net->function ? net->function : "Identity", inputs, to);
    if (net->function && !strcmp(net->function, "LeakyRelu")) onnx_float(node, "alpha", 0.1f);
}

static const char *write_moved(struct onnx_file *file, const struct net *net) {
    int64_t three[2] = {3, 3}, two[2] = {2, 2}, swap[4] = {0, 1, 3, 2};
    if (!net->moved) return "a";
    bool joined = !strcmp(net->moved, "Concat");
    struct onnx_node *node = onnx_add(file, net->moved, joined ? "a a" : "a", "m");
    if (joined) {
        onnx_int(node, "axis", 1);
    } else if (!strcmp(net->moved, "Transpose")) {
        onnx_ints(node, "perm", 4, swap);
    } else {
        onnx_ints(node, "kernel_shape", 2, three);
        onnx_ints(node, "strides", 2, two);
    }
    return "m";
}

static struct onnx_file *write_net(const struct net *net) {
    int64_t dims[4] = {-1, net->in, SIZE, SIZE}, pad = net->dilation * (net->kernel - 1) / 2;
    int64_t pads[4] = {pad, pad, pad, pad}, strides[2] = {net->stride, net->stride},
            dilations[2] = {net->dilation, net->dilation};
    char inputs[16], ranges[512];
    struct onnx_file *file = onnx_new(14);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "w", net->w);
    check_constant(file, "b", net->b);
    check_constant(file, "one", net->one);
    struct onnx_node *conv = onnx_add(file, "Conv", "x w b", "c");
    onnx_ints(onnx_ints(onnx_ints(conv, "pads", 4, pads), "strides", 2, strides), "dilations", 2, dilations);
    onnx_int(conv, "group", net->groups);
    if (net->residual) onnx_add(file, "Add", "c x", "s");
    write_function(file, net, net->residual ? "s" : "c", "a");
    snprintf(inputs, sizeof inputs, "%s one", write_moved(file, net));
    onnx_add(file, "Conv", inputs, "y");
    onnx_output(file, "y");
    double low = net->both ? -net->most : 0;
    snprintf(ranges, sizeof ranges,
             "{\"version\":1,\"ranges\":{\"x\":[%d,1],\"a\":[%.9g,%.9g],\"m\":[%.9g,%.9g]}}",
             net->is_signed ? -1 : 0, low, net->most, low, net->most);
    onnx_metadata(file, "linnet.ranges", ranges);
    return file;
}

/* The identity, so that what comes out is what was rounded. */
static struct array *identity(int64_t channels) {
    int64_t dims[4] = {channels, channels, 1, 1};
    struct array *one = array_new(4, dims);
    memset(one->values, 0, array_count(one) * sizeof *one->values);
    for (int64_t c = 0; c < channels; c++)
        one->values[c * channels + c] = 1;
    return one;
}

/* Equal but for one step in at most one of 200. */
static void check_steps(const struct net *net, const struct array *got, const struct array *expected) {
    double step = net->most / (net->both ? 127 : 255);
    size_t off = 0, count = array_count(got);
    assert_int_equal(count, array_count(expected));
    for (size_t i = 0; i < count; i++) {
        double apart = fabs(got->values[i] - expected->values[i]) / step;
        if (!(apart < 1.01)) fail_msg("%s: %g steps apart at %zu", net->what, apart, i);
        if (apart > 0.01) off++;
    }
    print_message("%-40s %zu of %zu one step off\n", net->what, off, count);
    assert_true(off * 200 <= count);
}

static void check_net(struct net *net) {
    int64_t x[4] = {2, net->in, SIZE, SIZE},
            w[4] = {net->out, net->in / net->groups, net->kernel, net->kernel}, b[1] = {net->out};
    net->x = array_random(check_seed(), 4, x);
    net->w = array_random(check_seed(), 4, w);
    net->b = array_random(check_seed(), 1, b);
    for (size_t i = 0; i < array_count(net->x); i++) {
        if (net->extreme) net->x->values[i] = 1;
        if (!net->is_signed) net->x->values[i] = fabs(net->x->values[i]);
    }
    for (size_t i = 0; net->extreme && i < array_count(net->w); i++)
        net->w->values[i] = net->out > 1 && i / (array_count(net->w) / (size_t)net->out) % 2 ? -1 : 1;
    bool joined = net->moved && !strcmp(net->moved, "Concat");
    net->one = identity(joined ? 2 * net->out : net->out);
    struct array *expected = expect(net);
    const struct array *inputs = net->x;
    struct array *got = check_run(write_net(net), LINNET_NN_PRECISION_INT8, &inputs, 0);
    check_steps(net, got, expected);
    array_free(got);
    array_free(expected);
    array_free(net->x);
    array_free(net->w);
    array_free(net->b);
    array_free(net->one);
}

static void convolutions_make_the_integers_of_the_reference(void **state) {
    (void)state;
    struct net nets[] = {
        {.what = "3x3", .in = 16, .out = 24, .groups = 1, .kernel = 3, .stride = 1, .dilation = 1},
        {.what = "1x1", .in = 32, .out = 16, .groups = 1, .kernel = 1, .stride = 1, .dilation = 1},
        {.what = "1x1, stride 2", .in = 32, .out = 16, .groups = 1, .kernel = 1, .stride = 2, .dilation = 1},
        {.what = "5x5, stride 2", .in = 3, .out = 8, .groups = 1, .kernel = 5, .stride = 2, .dilation = 1},
        {.what = "dilated", .in = 16, .out = 16, .groups = 1, .kernel = 3, .stride = 1, .dilation = 2},
        {.what = "odd channels", .in = 7, .out = 5, .groups = 1, .kernel = 3, .stride = 1, .dilation = 1},
        {.what = "groups", .in = 32, .out = 32, .groups = 4, .kernel = 3, .stride = 1, .dilation = 1},
        {.what = "depthwise", .in = 24, .out = 24, .groups = 24, .kernel = 3, .stride = 1, .dilation = 1},
        {.what = "depthwise, stride 2",
         .in = 32,
         .out = 32,
         .groups = 32,
         .kernel = 5,
         .stride = 2,
         .dilation = 1},
    };
    for (int both = 0; both < 2; both++)
        for (int extreme = 0; extreme < 2; extreme++)
            for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
                char what[64];
                struct net net = nets[i];
                snprintf(what, sizeof what, "%s, %s%s", net.what, both ? "s8" : "u8",
                         extreme ? ", extreme" : "");
                net.what = what;
                net.is_signed = both;
                net.extreme = extreme;
                check_net(&net);
            }
}

static void what_is_done_to_a_result_keeps_its_scale(void **state) {
    (void)state;
    static const char *const functions[] = {NULL, "Relu", "Clip", "LeakyRelu", "HardSwish", "Sigmoid"};
    for (int both = 0; both < 2; both++)
        for (int residual = 0; residual < 2; residual++)
            for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
                char what[64];
                struct net net = {what,  16,           16,   1,    3,    1,    1,    both, residual,
                                  false, functions[i], NULL, NULL, NULL, NULL, NULL, 0,    false};
                snprintf(what, sizeof what, "%s%s, %s", functions[i] ? functions[i] : "nothing",
                         residual ? " of a residual" : "", both ? "s8" : "u8");
                check_net(&net);
            }
}

static void what_moves_integers_keeps_them(void **state) {
    (void)state;
    static const char *const moved[] = {"MaxPool", "AveragePool", "Concat", "Transpose"};
    for (int both = 0; both < 2; both++)
        for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
            char what[64];
            struct net net = {
                what,     16,   16,   1,    3,    1, 1,    both, false, false, both ? NULL : "Relu",
                moved[i], NULL, NULL, NULL, NULL, 0, false};
            snprintf(what, sizeof what, "%s, %s", moved[i], both ? "s8" : "u8");
            check_net(&net);
        }
}

static struct onnx_file *write_gemm(const struct array *const *parts, double most, bool both,
                                    bool is_signed) {
    int64_t dims[2] = {-1, 40};
    char ranges[256];
    struct onnx_file *file = onnx_new(14);
    onnx_input(file, "x", 2, dims);
    check_constant(file, "w", parts[0]);
    check_constant(file, "b", parts[1]);
    check_constant(file, "one", parts[2]);
    onnx_int(onnx_add(file, "Gemm", "x w b", "a"), "transB", 1);
    onnx_int(onnx_add(file, "Gemm", "a one", "y"), "transB", 1);
    onnx_output(file, "y");
    snprintf(ranges, sizeof ranges, "{\"version\":1,\"ranges\":{\"x\":[%d,1],\"a\":[%.9g,%.9g]}}",
             is_signed ? -1 : 0, both ? -most : 0, most);
    onnx_metadata(file, "linnet.ranges", ranges);
    return file;
}

static void products_make_the_integers_of_the_reference(void **state) {
    (void)state;
    int64_t dims[2] = {5, 40}, weights[2] = {24, 40}, row[1] = {24}, square[2] = {24, 24};
    int swap[2] = {1, 0};
    for (int kind = 0; kind < 4; kind++) {
        bool is_signed = kind & 1, extreme = kind & 2;
        struct array *x = array_random(check_seed(), 2, dims);
        struct array *parts[3] = {array_random(check_seed(), 2, weights), array_random(check_seed(), 1, row),
                                  array_new(2, square)};
        for (size_t i = 0; i < array_count(x); i++)
            x->values[i] = extreme ? 1 : is_signed ? x->values[i] : fabs(x->values[i]);
        for (size_t i = 0; extreme && i < array_count(parts[0]); i++)
            parts[0]->values[i] = i / 40 % 2 ? -1 : 1;
        for (size_t i = 0; i < 24 * 24; i++)
            parts[2]->values[i] = i % 25 == 0;
        struct array *data = reference_unary(x, rounded, 1, is_signed), *w = round_weights(parts[0]),
                     *turned = reference_transpose(w, swap), *sum = reference_matmul(data, turned),
                     *result = reference_binary(sum, parts[1], add);
        struct net net = {.what = is_signed ? extreme ? "gemm, s8, extreme" : "gemm, s8"
                                  : extreme ? "gemm, u8, extreme"
                                            : "gemm, u8"};
        for (size_t i = 0; i < array_count(result); i++)
            net.most = fmax(net.most, fabs(result->values[i]));
        net.most = (double)(float)net.most;
        net.both = true;
        struct array *expected = reference_unary(result, rounded, net.most, 1);
        const struct array *input = x;
        struct array *got =
            check_run(write_gemm((const struct array *const *)parts, net.most, true, is_signed),
                      LINNET_NN_PRECISION_INT8, &input, 0);
        check_steps(&net, got, expected);
        struct array *all[] = {x, parts[0], parts[1], parts[2], data, w, turned, sum, result, expected, got};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            array_free(all[i]);
    }
}

/* --- what has to be there --- */

static void open_fails(struct onnx_file *file, int code, const char *words) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model = NULL;
    struct linnet_nn_engine *engine = NULL;
    struct linnet_nn_options options = {.backend = "cpu", .precision = LINNET_NN_PRECISION_INT8};
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    int rc = linnet_nn_model_parse(bytes, size, &model, &err);
    if (!rc) rc = linnet_nn_engine_open(model, &options, &engine, &err);
    free(bytes);
    linnet_nn_model_free(model);
    assert_int_equal(rc, code);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
}

static struct onnx_file *small_file(const char *ranges) {
    int64_t dims[2] = {-1, 4};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 2, dims);
    onnx_add(file, "Relu", "x", "y");
    onnx_output(file, "y");
    if (ranges) onnx_metadata(file, "linnet.ranges", ranges);
    return file;
}

static void int8_asks_for_a_calibrated_network(void **state) {
    (void)state;
    open_fails(small_file(NULL), LINNET_E_INVALID, "linnet model calibrate");
}

static void broken_ranges_are_refused(void **state) {
    (void)state;
    open_fails(small_file("{"), LINNET_E_PARSE, "linnet.ranges");
    open_fails(small_file("{\"version\":2,\"ranges\":{}}"), LINNET_E_PARSE, "version 1");
    open_fails(small_file("{\"version\":1,\"ranges\":{\"x\":[1,2]}}"), LINNET_E_PARSE,
               "two numbers around 0");
    open_fails(small_file("{\"version\":1,\"ranges\":{\"x\":[0,0]}}"), LINNET_E_PARSE,
               "two numbers around 0");
    open_fails(small_file("{\"version\":1,\"ranges\":{\"x\":[-1,1e99]}}"), LINNET_E_PARSE, "two numbers");
}

/* --- calibration --- */

static void write_file(const char *path, struct onnx_file *file) {
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    free(bytes);
    onnx_free(file);
}

/* y = 2 Relu(x), all with names. */
static struct onnx_file *doubling_file(void) {
    int64_t dims[2] = {-1, 100}, weights[2] = {100, 100};
    struct array *w = array_new(2, weights);
    for (size_t i = 0; i < array_count(w); i++)
        w->values[i] = i % 101 == 0 ? 2 : 0;
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 2, dims);
    check_constant(file, "w", w);
    onnx_add(file, "Relu", "x", "r");
    onnx_add(file, "Gemm", "r w", "y");
    onnx_output(file, "y");
    array_free(w);
    return file;
}

static const struct linnet_nn_range *range_of(const struct linnet_nn_model *model, const char *name) {
    const struct linnet_nn_range *range = linnet_nn_ranges_find(model->ranges, name);
    if (!range) fail_msg("no range of %s", name);
    return range;
}

static void a_calibration_gives_each_value_its_range(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *model, *calibrated;
    struct linnet_nn_calibration *calibration;
    char from[] = "/tmp/linnet-int8.XXXXXX", to[64];
    close(mkstemp(from));
    snprintf(to, sizeof to, "%s.out", from);
    write_file(from, doubling_file());
    float samples[2][100];
    for (int i = 0; i < 200; i++)
        samples[i / 100][i % 100] = i == 199 ? 8 : (float)(i % 100 - 50) / 50;
    const float *inputs[1] = {samples[0]};
    if (linnet_nn_model_load(from, &model, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_nn_model_ranges(model), 0);
    if (linnet_nn_calibration_open(model, &calibration, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_nn_calibration_write(calibration, LINNET_NN_RANGE_MOST, from, to, &err),
                     LINNET_E_INVALID);
    if (linnet_nn_calibration_add(calibration, 2, inputs, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_nn_calibration_samples(calibration), 2);
    if (linnet_nn_calibration_write(calibration, LINNET_NN_RANGE_MOST, from, to, &err))
        fail_msg("%s", err.detail);
    if (linnet_nn_model_load(to, &calibrated, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_nn_model_ranges(calibrated), 3);
    assert_true(range_of(calibrated, "x")->low == -8 && range_of(calibrated, "x")->high == 8);
    assert_true(range_of(calibrated, "r")->low == 0 && range_of(calibrated, "r")->high == 8);
    assert_true(range_of(calibrated, "y")->low == 0 && range_of(calibrated, "y")->high == 16);
    linnet_nn_model_free(calibrated);
    linnet_nn_calibration_close(calibration);
    linnet_nn_model_free(model);
    unlink(from);
    unlink(to);
}

static void the_range_of_least_error_gives_up_what_is_rare(void **state) {
    (void)state;
    struct linnet_nn_histogram *histogram = calloc(1, sizeof *histogram);
    float *values = malloc(1000000 * sizeof *values), low, high;
    for (int i = 0; i < 1000000; i++)
        values[i] = (float)fabs(2 * reference_random(check_seed()) - 1);
    values[500000] = 20; /* one of a million */
    linnet_nn_histogram_add(histogram, values, 500000);
    linnet_nn_histogram_add(histogram, values + 500000, 500000);
    linnet_nn_histogram_range(histogram, LINNET_NN_RANGE_MOST, &low, &high);
    assert_true(low == 0 && high == 20);
    linnet_nn_histogram_range(histogram, LINNET_NN_RANGE_PERCENTILE, &low, &high);
    assert_true(low == 0 && high > 0.98f && high < 1.05f);
    linnet_nn_histogram_range(histogram, LINNET_NN_RANGE_ERROR, &low, &high);
    /* Steps of c / 255 lose c^2 / (12 255^2) each of a million times, the one value (20 - c)^2: least at
     * about c = 20 / (1 + 10^6 / (12 255^2)) = 8.8. */
    print_message("least error at %g\n", (double)high);
    assert_true(low == 0 && high > 8 && high < 9.6f);
    free(values);
    free(histogram);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_make_the_integers_of_the_reference),
        cmocka_unit_test(what_is_done_to_a_result_keeps_its_scale),
        cmocka_unit_test(what_moves_integers_keeps_them),
        cmocka_unit_test(products_make_the_integers_of_the_reference),
        cmocka_unit_test(int8_asks_for_a_calibrated_network),
        cmocka_unit_test(broken_ranges_are_refused),
        cmocka_unit_test(a_calibration_gives_each_value_its_range),
        cmocka_unit_test(the_range_of_least_error_gives_up_what_is_rare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
