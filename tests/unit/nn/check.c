#include "tests/unit/nn/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/unit/test.h"

const char *check_backend(void) {
    const char *chosen = getenv("LINNET_TEST_BACKEND");
    return chosen && *chosen ? chosen : "cpu";
}

uint64_t *check_seed(void) {
    static uint64_t seed;
    static bool known;
    if (known) return &seed;
    const char *chosen = getenv("LINNET_TEST_SEED");
    if (chosen)
        seed = strtoull(chosen, NULL, 0);
    else if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        abort();
    known = true;
    print_message("LINNET_TEST_SEED=0x%llx\n", (unsigned long long)seed);
    return &seed;
}

void check_constant(struct onnx_file *file, const char *name, const struct array *array) {
    float *values = array_floats(array);
    onnx_floats(file, name, array->rank, array->dims, values);
    free(values);
}

static struct linnet_nn_model *parse(struct onnx_file *file) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model = NULL;
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    int rc = linnet_nn_model_parse(bytes, size, &model, &err);
    free(bytes);
    if (rc) fail_msg("%s", err.detail);
    return model;
}

/* Arrays of the outputs' shapes at batch n. */
static struct array **make_outputs(const struct linnet_nn_model *model, int64_t n, float **values) {
    const struct linnet_nn_port *ports;
    size_t count = linnet_nn_model_outputs(model, &ports);
    struct array **arrays = calloc(count, sizeof *arrays);
    for (size_t i = 0; i < count; i++) {
        int64_t dims[LINNET_NN_RANK_MAX];
        memcpy(dims, ports[i].dims, sizeof dims);
        dims[0] = n;
        arrays[i] = array_new(ports[i].rank, dims);
        values[i] = array_floats(arrays[i]);
    }
    return arrays;
}

struct array *check_run(struct onnx_file *file, enum linnet_nn_precision precision,
                        const struct array *const *inputs, size_t index) {
    struct linnet_nn_model *model = parse(file);
    struct linnet_error err = {0};
    struct linnet_nn_engine *engine = NULL;
    struct linnet_nn_session *session = NULL;
    const struct linnet_nn_port *ports;
    unsigned n = (unsigned)inputs[0]->dims[0];
    struct linnet_nn_options options = {.backend = check_backend(), .precision = precision, .batch_max = n};
    if (linnet_nn_engine_open(model, &options, &engine, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_open(engine, &session, &err)) fail_msg("%s", err.detail);
    size_t ninputs = linnet_nn_model_inputs(model, &ports), noutputs = linnet_nn_model_outputs(model, &ports);
    float **in = calloc(ninputs, sizeof *in), **out = calloc(noutputs, sizeof *out);
    for (size_t i = 0; i < ninputs; i++)
        in[i] = array_floats(inputs[i]);
    struct array **arrays = make_outputs(model, n, out);
    if (linnet_nn_session_run(session, n, (const float *const *)in, out, &err)) fail_msg("%s", err.detail);
    for (size_t k = 0; k < array_count(arrays[index]); k++)
        arrays[index]->values[k] = (double)out[index][k];
    struct array *result = arrays[index];
    for (size_t i = 0; i < noutputs; i++) {
        if (i != index) array_free(arrays[i]);
        free(out[i]);
    }
    for (size_t i = 0; i < ninputs; i++)
        free(in[i]);
    free(arrays);
    free(in);
    free(out);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
    linnet_nn_model_free(model);
    return result;
}

void check_close(const char *what, const struct array *got, const struct array *expected, double tolerance) {
    double most = 0, error = 0;
    if (array_count(got) != array_count(expected))
        fail_msg("%s: %zu elements instead of %zu", what, array_count(got), array_count(expected));
    for (size_t i = 0; i < array_count(got); i++) {
        double difference = fabs(got->values[i] - expected->values[i]);
        most = fmax(most, fabs(expected->values[i]));
        if (!(difference <= error)) error = difference; /* catches NaN */
    }
    print_message("%-52s error %.1e of the maximum\n", what, error / most);
    if (!(error <= tolerance * most))
        fail_msg("%s: error %g of the maximum, allowed %g", what, error / most, tolerance);
}

void check_network(const char *what, struct onnx_file *(*build)(void *state), void *state,
                   const struct array *input, struct array *expected) {
    static const struct {
        enum linnet_nn_precision precision;
        const char *name;
        double tolerance;
    } precisions[] = {{LINNET_NN_PRECISION_F32, "f32", CHECK_F32},
                      {LINNET_NN_PRECISION_BF16, "bf16", CHECK_BF16},
                      {LINNET_NN_PRECISION_F16, "f16", CHECK_F16}};
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        if (!linnet_nn_precision_native(check_backend(), precisions[i].precision)) continue;
        char label[128];
        snprintf(label, sizeof label, "%s, %s", what, precisions[i].name);
        struct array *got = check_run(build(state), precisions[i].precision, &input, 0);
        check_close(label, got, expected, precisions[i].tolerance);
        array_free(got);
    }
    array_free(expected);
}

void check_refused(struct onnx_file *file, int code, const char *words) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model = NULL;
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    int rc = linnet_nn_model_parse(bytes, size, &model, &err);
    free(bytes);
    linnet_nn_model_free(model);
    print_message("%s\n", rc ? err.detail : "read without an error");
    assert_int_equal(rc, code);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
}
