/* Networks that come quantised (QuantizeLinear and DequantizeLinear): each operator by a naive reference with
 * the same roundings, a small network by what ONNX Runtime made of it, and what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/model.h"
#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

#define U8  2
#define S8  3
#define S32 6

#define IN   6
#define OUT  5
#define SIZE 7

/* One rounding: its ONNX type and zero point. */
struct form {
    const char *what;
    int type;
    int32_t zero;
    double low, high; /* that its integers may be, and the engine's are */
};
static const struct form forms[] = {
    {"U8", U8, 0, 0, 255}, {"S8", S8, 0, -128, 127}, {"U8 around 128", U8, 128, 0, 255}};

static double relu(double x, double a, double b) {
    (void)a, (void)b;
    return fmax(x, 0);
}
static double as_it_is(double x, double a, double b) {
    (void)a, (void)b;
    return x;
}

static const struct form *form_now;
static double rounded(double x, double scale, double unused) {
    (void)unused;
    double whole = nearbyint((double)((float)x / (float)scale)) + form_now->zero;
    return (fmin(fmax(whole, form_now->low), form_now->high) - form_now->zero) * scale;
}

static void one_float(struct onnx_file *file, const char *name, double value) {
    float single = (float)value;
    onnx_floats(file, name, 0, NULL, &single);
}

/* QuantizeLinear and DequantizeLinear of `from` as `to`. */
static void round_value(struct onnx_file *file, const char *from, const char *to, const struct form *form,
                        double scale) {
    char names[4][32], inputs[128];
    snprintf(names[0], sizeof names[0], "%s_scale", to);
    snprintf(names[1], sizeof names[1], "%s_zero", to);
    snprintf(names[2], sizeof names[2], "%s_q", to);
    one_float(file, names[0], scale);
    onnx_whole(file, names[1], form->type, 0, NULL, &form->zero);
    snprintf(inputs, sizeof inputs, "%s %s %s", from, names[0], names[1]);
    onnx_add(file, "QuantizeLinear", inputs, names[2]);
    snprintf(inputs, sizeof inputs, "%s %s %s", names[2], names[0], names[1]);
    onnx_add(file, "DequantizeLinear", inputs, to);
}

/* The parts of a network: weights and biases as integers, and what they stand for. */
struct parts {
    int32_t weights[OUT * IN * 9], biases[OUT];
    float steps[OUT], sums[OUT];
    struct array *w, *b;
};

static int32_t whole(double from, double to) {
    return (int32_t)floor(from + (to - from + 1) * reference_random(check_seed()));
}

static void make_parts(struct parts *parts, float scale) {
    int64_t dims[4] = {OUT, IN, 3, 3}, one[1] = {OUT};
    parts->w = array_new(4, dims);
    parts->b = array_new(1, one);
    for (size_t o = 0; o < OUT; o++) {
        parts->steps[o] = 0.001F * (float)(1 + o);
        parts->sums[o] = parts->steps[o] * scale;
        parts->biases[o] = whole(-20000, 20000);
        parts->b->values[o] = (double)parts->sums[o] * parts->biases[o];
        for (size_t i = 0; i < IN * 9; i++) { /* without VNNI 63 steps are all there are */
            parts->weights[o * IN * 9 + i] = i ? whole(-62, 62) : 63;
            parts->w->values[o * IN * 9 + i] = (double)parts->steps[o] * parts->weights[o * IN * 9 + i];
        }
    }
}

static void free_parts(struct parts *parts) {
    array_free(parts->w);
    array_free(parts->b);
}

/* x, rounded -> Conv -> Relu, rounded -> Flatten, handed out. */
static struct onnx_file *write_network(const struct parts *parts, const struct form *form, double scale,
                                       double out_scale) {
    static const struct form unsigned_form = {"U8", U8, 0, 0, 255};
    int64_t dims[4] = {-1, IN, SIZE, SIZE}, w[4] = {OUT, IN, 3, 3}, one[1] = {OUT}, pads[4] = {1, 1, 1, 1};
    int32_t zeros[OUT] = {0};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    round_value(file, "x", "xr", form, scale);
    onnx_whole(file, "w_q", S8, 4, w, parts->weights);
    onnx_floats(file, "w_scale", 1, one, parts->steps);
    onnx_whole(file, "w_zero", S8, 1, one, zeros);
    onnx_int(onnx_add(file, "DequantizeLinear", "w_q w_scale w_zero", "w"), "axis", 0);
    onnx_whole(file, "b_q", S32, 1, one, parts->biases);
    onnx_floats(file, "b_scale", 1, one, parts->sums);
    onnx_int(onnx_add(file, "DequantizeLinear", "b_q b_scale", "b"), "axis", 0);
    onnx_ints(onnx_add(file, "Conv", "xr w b", "c"), "pads", 4, pads);
    onnx_add(file, "Relu", "c", "r");
    round_value(file, "r", "rr", &unsigned_form, out_scale);
    onnx_add(file, "Flatten", "rr", "y");
    onnx_output(file, "y");
    return file;
}

static struct array *random_data(bool negative) {
    int64_t dims[4] = {2, IN, SIZE, SIZE};
    struct array *x = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < array_count(x) && !negative; i++)
        x->values[i] = fabs(x->values[i]);
    return x;
}

/* The network on data that is rounded or not. */
static struct array *expect(const struct parts *parts, const struct array *x, double scale, bool rounding) {
    struct reference_window window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    struct array *data = reference_unary(x, rounding ? rounded : as_it_is, scale, 0),
                 *sum = reference_conv(data, parts->w, parts->b, 1, &window),
                 *result = reference_unary(sum, relu, 0, 0);
    array_free(data);
    array_free(sum);
    result->rank = 2;
    result->dims[1] *= (int64_t)SIZE * SIZE;
    return result;
}

/* int8 rounds as the file says; what it hands out is f32 and is not rounded again. */
static void the_integers_are_those_of_the_file(void **state) {
    (void)state;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        form_now = &forms[f];
        double scale = (double)(float)(forms[f].type == U8 && !forms[f].zero ? 1.0 / 300 : 1.0 / 140);
        struct parts parts;
        make_parts(&parts, (float)scale);
        struct array *x = random_data(forms[f].type != U8 || forms[f].zero);
        const struct array *input = x;
        struct array *expected = expect(&parts, x, scale, true),
                     *got = check_run(write_network(&parts, form_now, scale, 0.01), LINNET_NN_PRECISION_INT8,
                                      &input, 0);
        check_close(forms[f].what, got, expected, 2e-6);
        array_free(expected);
        array_free(got);
        got = check_run(write_network(&parts, form_now, scale, 0.01), LINNET_NN_PRECISION_F32, &input, 0);
        expected = expect(&parts, x, scale, false);
        check_close("f32, without roundings", got, expected, 2e-6);
        array_free(expected);
        array_free(got);
        array_free(x);
        free_parts(&parts);
    }
}

/* Weights that are f32 in the file and rounded on the way. */
static void constants_are_rounded_as_the_file_says(void **state) {
    (void)state;
    int64_t dims[2] = {-1, 3}, w[2] = {3, 2};
    float weights[6] = {0.26F, -0.24F, 500, -500, 0.75F, 0.25F}, x[3] = {1, 1, 1};
    static const struct form whole_form = {"S8", S8, 0, -128, 127};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 2, dims);
    onnx_floats(file, "w", 2, w, weights);
    round_value(file, "w", "wr", &whole_form, 0.5);
    onnx_add(file, "MatMul", "x wr", "y");
    onnx_output(file, "y");
    int64_t one[2] = {1, 3};
    struct array *data = array_new(2, one);
    for (int i = 0; i < 3; i++)
        data->values[i] = (double)x[i];
    const struct array *input = data;
    struct array *got = check_run(file, LINNET_NN_PRECISION_F32, &input, 0);
    assert_true(fabs(got->values[0] - (0.5 + 63.5 + 1)) < 1e-6); /* 0.75 / 0.5 ties to the even 2 */
    assert_true(fabs(got->values[1] - (0 - 64 + 0)) < 1e-6);     /* and 0.25 / 0.5 to 0 */
    array_free(got);
    array_free(data);
}

static float *read_floats(const char *name, size_t *count) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/data/nn/%s", LINNET_SOURCE, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is not there", path);
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file) / sizeof(float);
    rewind(file);
    float *values = malloc(*count * sizeof *values);
    assert_non_null(values);
    assert_int_equal(fread(values, sizeof *values, *count, file), *count);
    fclose(file);
    return values;
}

/* Of the root mean square of `b`. */
static double distance(const float *a, const float *b, size_t count) {
    double off = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        off += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(off / all);
}

/* tests/data/nn/README.md says how the files were made. */
static void a_network_answers_as_with_onnx_runtime(void **state) {
    (void)state;
    char path[512];
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session;
    struct linnet_nn_options options = {
        .backend = "cpu", .precision = LINNET_NN_PRECISION_INT8, .batch_max = 4};
    size_t pictures, wanted, plain;
    float *x = read_floats("qdq.pictures.f32", &pictures), *ort = read_floats("qdq.ort-qdq.f32", &wanted),
          *f32 = read_floats("qdq.ort-f32.f32", &plain), *got = calloc(wanted, sizeof *got);
    assert_int_equal(wanted, plain);
    snprintf(path, sizeof path, "%s/tests/data/nn/qdq.onnx", LINNET_SOURCE);
    if (linnet_nn_model_load(path, &model, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_engine_open(model, &options, &engine, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_open(engine, &session, &err)) fail_msg("%s", err.detail);
    const float *inputs[1] = {x};
    float *outputs[1] = {got};
    if (linnet_nn_session_run(session, 4, inputs, outputs, &err)) fail_msg("%s", err.detail);
    double off = distance(got, ort, wanted), loss = distance(ort, f32, wanted),
           own = distance(got, f32, wanted);
    print_message("off ONNX Runtime by %.2e, which is off f32 by %.2e, we by %.2e\n", off, loss, own);
    assert_true(off < loss); /* it rounds before sums, we after them: not the same, but nearer than f32 is */
    assert_true(own < 1.3 * loss);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
    linnet_nn_model_free(model);
    free(x);
    free(ort);
    free(f32);
    free(got);
}

/* --- what is refused --- */

static struct onnx_file *start(double scale) {
    int64_t dims[4] = {-1, 3, 4, 4};
    int32_t zero = 0;
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    one_float(file, "s", scale);
    onnx_whole(file, "z", U8, 0, NULL, &zero);
    onnx_add(file, "QuantizeLinear", "x s z", "q");
    return file;
}

static void integers_go_nowhere_but_back(void **state) {
    (void)state;
    int64_t kernel[2] = {2, 2};
    struct onnx_file *file = start(0.1);
    onnx_ints(onnx_add(file, "MaxPool", "q", "p"), "kernel_shape", 2, kernel);
    onnx_add(file, "DequantizeLinear", "p s z", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "integers of 8 bits, which only DequantizeLinear may");
    file = start(0.1);
    onnx_output(file, "q");
    check_refused(file, LINNET_E_UNSUPPORTED, "holds integers of 8 bits");
    file = start(0.1);
    onnx_add(file, "DequantizeLinear", "x s z", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "neither constant nor made by QuantizeLinear");
}

static void scales_that_make_no_sense_are_refused(void **state) {
    (void)state;
    int64_t three[1] = {3};
    float scales[3] = {1, 1, 1};
    struct onnx_file *file = start(-1);
    onnx_output(file, "x");
    check_refused(file, LINNET_E_INVALID, "no positive number");
    file = start(NAN);
    onnx_output(file, "x");
    check_refused(file, LINNET_E_INVALID, "no positive number");
    file = start(0.1);
    one_float(file, "other", 0.2);
    onnx_add(file, "DequantizeLinear", "q other z", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "not that of the QuantizeLinear before it");
    file = start(0.1);
    onnx_floats(file, "each", 1, three, scales);
    onnx_add(file, "QuantizeLinear", "x each", "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "values have one scale");
    file = start(0.1);
    onnx_floats(file, "each", 1, three, scales);
    onnx_add(file, "QuantizeLinear", "x each z", "y");
    check_refused(file, LINNET_E_INVALID, "3 scales and 1 zero points");
}

/* A value rounded twice has the wider range. */
static void two_roundings_of_a_value_are_one_range(void **state) {
    (void)state;
    struct onnx_file *file = start(0.1);
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    size_t size;
    one_float(file, "wide", 0.2);
    onnx_add(file, "DequantizeLinear", "q s z", "a");
    onnx_add(file, "QuantizeLinear", "x wide z", "q2");
    onnx_add(file, "DequantizeLinear", "q2 wide z", "b");
    onnx_add(file, "Add", "a b", "y");
    onnx_output(file, "y");
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_nn_model_ranges(model), 1);
    const struct linnet_nn_range *range = linnet_nn_ranges_find(model->ranges, "x");
    assert_non_null(range);
    assert_true(range->low >= 0 && range->low <= 0 && fabsf(range->high - 51) < 1e-4F);
    linnet_nn_model_free(model);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_integers_are_those_of_the_file),
        cmocka_unit_test(constants_are_rounded_as_the_file_says),
        cmocka_unit_test(a_network_answers_as_with_onnx_runtime),
        cmocka_unit_test(integers_go_nowhere_but_back),
        cmocka_unit_test(scales_that_make_no_sense_are_refused),
        cmocka_unit_test(two_roundings_of_a_value_are_one_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
