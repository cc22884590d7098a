/* A GPU that cannot do what is asked of it (refusing_backend.c): "auto" computes on the CPU and says why,
 * "cuda" says why and does not compute. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/backend.h"
#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

static struct linnet_nn_model *network(const char *ranges) {
    int64_t dims[4] = {-1, 3, 8, 8}, w[4] = {8, 3, 3, 3};
    uint64_t seed = 7;
    struct linnet_nn_model *model;
    struct linnet_error err = {0};
    struct onnx_file *file = onnx_new(13);
    struct array *weights = array_random(&seed, 4, w);
    size_t size;
    onnx_input(file, "x", 4, dims);
    check_constant(file, "w", weights);
    onnx_add(file, "Conv", "x w", "c");
    onnx_add(file, "Erf", "c", "e");
    onnx_add(file, "Flatten", "e", "y");
    onnx_output(file, "y");
    if (ranges) onnx_metadata(file, "linnet.ranges", ranges);
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    array_free(weights);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    free(bytes);
    return model;
}

#define OUT ((size_t)8 * 6 * 6)

static void compute(struct linnet_nn_engine *engine, float y[OUT]) {
    struct linnet_nn_session *session;
    struct linnet_error err = {0};
    float x[3 * 8 * 8];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)(i % 13) / 13;
    const float *inputs[1] = {x};
    float *outputs[1] = {y};
    if (linnet_nn_session_open(engine, &session, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_run(session, 1, inputs, outputs, &err)) fail_msg("%s", err.detail);
    linnet_nn_session_close(session);
}

/* `take`: the weights are the engine's, which has none to spare. */
static void falls_back(const char *refuse, bool take, const char *words) {
    struct linnet_nn_options options = {.backend = "auto", .batch_max = 1},
                             cpu = {.backend = "cpu", .batch_max = 1};
    struct linnet_nn_engine *engine, *wanted;
    struct linnet_error err = {0};
    struct linnet_nn_model *model = network(NULL);
    float got[OUT], expected[OUT];
    setenv("LINNET_TEST_REFUSE", refuse, 1);
    if (linnet_nn_engine_open(model, &cpu, &wanted, &err)) fail_msg("%s", err.detail);
    int rc = take ? linnet_nn_engine_take(model, &options, &engine, &err)
                  : linnet_nn_engine_open(model, &options, &engine, &err);
    if (rc) fail_msg("%s", err.detail);
    assert_int_equal(strncmp(linnet_nn_engine_device(engine), "cpu (", 5), 0);
    assert_non_null(linnet_nn_engine_fallback(engine));
    if (!strstr(linnet_nn_engine_fallback(engine), words)) fail_msg("%s", linnet_nn_engine_fallback(engine));
    compute(engine, got);
    compute(wanted, expected);
    assert_memory_equal(got, expected, sizeof got);
    linnet_nn_engine_close(engine);
    linnet_nn_engine_close(wanted);
    linnet_nn_model_free(model);
}

static void what_the_gpu_cannot_compile_the_cpu_computes(void **state) {
    (void)state;
    falls_back("compile", false, "node \"c\" (Conv): cuDNN: no plan");
    falls_back("compile", true, "no plan");
    falls_back("memory", true, "1.0 GB of memory");
}

static void a_precision_that_the_gpu_lacks_is_the_cpus(void **state) {
    (void)state;
    struct linnet_nn_options options = {
        .backend = "auto", .batch_max = 1, .precision = LINNET_NN_PRECISION_INT8};
    struct linnet_nn_engine *engine;
    struct linnet_error err = {0};
    struct linnet_nn_model *model = network("{\"version\":1,\"ranges\":{\"x\":[0,1]}}");
    if (linnet_nn_engine_take(model, &options, &engine, &err)) fail_msg("%s", err.detail);
    assert_int_equal(strncmp(linnet_nn_engine_device(engine), "cpu (", 5), 0);
    assert_non_null(strstr(linnet_nn_engine_fallback(engine), "int8"));
    linnet_nn_engine_close(engine);
    linnet_nn_model_free(model);
}

/* Who asks for the GPU by name, or for what the CPU lacks, gets the GPU's own words. */
static void without_auto_there_is_an_error(void **state) {
    (void)state;
    struct linnet_nn_options options[] = {
        {.backend = "cuda", .batch_max = 1},
        {.backend = "auto", .batch_max = 1, .precision = LINNET_NN_PRECISION_F16}};
    setenv("LINNET_TEST_REFUSE", "compile", 1);
    for (size_t i = 0; i < 2; i++)
        for (int take = 0; take < 2; take++) {
            struct linnet_nn_engine *engine = NULL;
            struct linnet_error err = {0};
            struct linnet_nn_model *model = network(NULL);
            int rc = take ? linnet_nn_engine_take(model, &options[i], &engine, &err)
                          : linnet_nn_engine_open(model, &options[i], &engine, &err);
            assert_int_equal(rc, LINNET_E_UNSUPPORTED);
            assert_null(engine);
            if (!strstr(err.detail, "cuDNN: no plan")) fail_msg("%s", err.detail);
            if (i && !strstr(err.detail, "cpu) does not compute in f16")) fail_msg("%s", err.detail);
            linnet_nn_model_free(model);
        }
}

/* Backends are found once: the refusing one first, the CPU's where it always is. */
static int find_backends(void **state) {
    const struct linnet_nn_backend *backend;
    struct linnet_error err = {0};
    (void)state;
    setenv("LINNET_NN_PATH", REFUSING, 1);
    int rc = linnet_nn_backend_find("cuda", &backend, &err);
    unsetenv("LINNET_NN_PATH");
    return rc ? rc : linnet_nn_backend_find("cpu", &backend, &err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_gpu_cannot_compile_the_cpu_computes),
        cmocka_unit_test(a_precision_that_the_gpu_lacks_is_the_cpus),
        cmocka_unit_test(without_auto_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, find_backends, NULL);
}
