/* What all backends have in common: devices, pictures, what is said where something is missing. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/backend.h"
#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

#define HEIGHT 5
#define WIDTH  7
#define SAMPLE (3 * HEIGHT * WIDTH)
#define BATCH  6

/* y[n, 4] = of each picture; with a second input there is no picture to take. */
static struct linnet_nn_model *model_of(bool picture) {
    int64_t dims[4] = {-1, 3, HEIGHT, WIDTH}, weights[4] = {4, 3, 3, 3};
    struct onnx_file *file = onnx_new(13);
    struct linnet_error err = {0};
    struct linnet_nn_model *model = NULL;
    uint64_t seed = 5;
    size_t size;
    onnx_input(file, "x", 4, dims);
    if (!picture) onnx_input(file, "z", 4, dims);
    struct array *w = array_random(&seed, 4, weights);
    check_constant(file, "w", w);
    array_free(w);
    if (!picture) onnx_add(file, "Add", "x z", "s");
    onnx_add(file, "Conv", picture ? "x w" : "s w", "c");
    onnx_add(file, "GlobalAveragePool", "c", "g");
    onnx_add(file, "Flatten", "g", "y");
    onnx_output(file, "y");
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    free(bytes);
    return model;
}

static struct linnet_nn_session *session_of(bool picture, struct linnet_nn_engine **engine) {
    struct linnet_nn_options options = {.backend = check_backend(), .batch_max = 4};
    struct linnet_nn_model *model = model_of(picture);
    struct linnet_nn_session *session = NULL;
    struct linnet_error err = {0};
    if (linnet_nn_engine_open(model, &options, engine, &err)) fail_msg("%s", err.detail);
    if (linnet_nn_session_open(*engine, &session, &err)) fail_msg("%s", err.detail);
    linnet_nn_model_free(model);
    return session;
}

static void a_picture_is_the_numbers_that_it_is_scaled_to(void **state) {
    (void)state;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session = session_of(true, &engine);
    struct linnet_nn_pixels pixels = {.scale = {0.02f, 0.03f, -0.01f}, .shift = {-1, 0.5f, 2}};
    uint8_t bytes[BATCH * SAMPLE];
    float numbers[BATCH * SAMPLE], expected[BATCH * 4], got[BATCH * 4];
    for (int n = 0; n < BATCH; n++)
        for (int k = 0; k < HEIGHT * WIDTH; k++)
            for (int c = 0; c < 3; c++) {
                int at = n * SAMPLE + k * 3 + c;
                bytes[at] = (uint8_t)(reference_random(check_seed()) * 256);
                numbers[n * SAMPLE + c * HEIGHT * WIDTH + k] =
                    (float)bytes[at] * pixels.scale[c] + pixels.shift[c];
            }
    pixels.data = bytes;
    const float *inputs[1] = {numbers};
    float *wanted[1] = {expected}, *outputs[1] = {got};
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_session_run(session, BATCH, inputs, wanted, &err), 0);
    assert_int_equal(linnet_nn_session_run_pixels(session, BATCH, &pixels, outputs, &err), 0);
    assert_memory_equal(got, expected, sizeof got);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

static void a_network_of_two_inputs_takes_no_picture(void **state) {
    (void)state;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session = session_of(false, &engine);
    uint8_t bytes[SAMPLE] = {0};
    struct linnet_nn_pixels pixels = {.data = bytes};
    float got[4], *outputs[1] = {got};
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_session_run_pixels(session, 1, &pixels, outputs, &err), LINNET_E_INVALID);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

static void a_device_that_is_not_there_is_named(void **state) {
    (void)state;
    if (strcmp(check_backend(), "cpu") != 0) skip();
    struct linnet_nn_options options = {.backend = "cpu", .batch_max = 1, .device = 1};
    struct linnet_nn_model *model = model_of(true);
    struct linnet_nn_engine *engine = NULL;
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_NOT_FOUND);
    assert_non_null(strstr(err.detail, "no device 1: cpu has 1"));
    options =
        (struct linnet_nn_options){.backend = "cpu", .batch_max = 1, .precision = LINNET_NN_PRECISION_F16};
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_UNSUPPORTED);
    assert_non_null(strstr(err.detail, "f16"));
    linnet_nn_model_free(model);
}

/* The GPU backend opens nowhere but where there is a GPU, and says why. "auto" takes the CPU then. */
static void without_a_gpu_the_reason_is_said(void **state) {
    (void)state;
    const struct linnet_nn_backend *backend;
    struct linnet_error err = {0};
    if (!linnet_nn_backend_find("cuda", &backend, &err)) {
        print_message("%u devices here\n", backend->devices());
        assert_true(backend->devices() > 0);
        return;
    }
    print_message("%s\n", err.detail);
    assert_int_equal(err.code, LINNET_E_UNSUPPORTED);
    assert_true(strstr(err.detail, "no NVIDIA") || strstr(err.detail, "liblinnet-nn-cuda.so") ||
                strstr(err.detail, "GPU"));
    if (strcmp(check_backend(), "cpu") != 0) return;
    assert_true(linnet_nn_precision_native("auto", LINNET_NN_PRECISION_F32));
    struct linnet_nn_options options = {.backend = "auto", .batch_max = 1};
    struct linnet_nn_model *model = model_of(true);
    struct linnet_nn_engine *engine = NULL, *chosen = NULL;
    struct linnet_error unwanted = {0};
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &unwanted), 0);
    assert_string_equal(linnet_nn_engine_fallback(engine), err.detail);
    assert_int_equal(strncmp(linnet_nn_engine_device(engine), "cpu (", 5), 0);
    options.backend = "cpu";
    assert_int_equal(linnet_nn_engine_open(model, &options, &chosen, &unwanted), 0);
    assert_null(linnet_nn_engine_fallback(chosen));
    linnet_nn_engine_close(engine);
    linnet_nn_engine_close(chosen);
    linnet_nn_model_free(model);
}

/* Every step has a name, what computes it and its time; what is counted of them is what the model says. */
static void the_steps_of_a_run_are_timed(void **state) {
    (void)state;
    if (strcmp(check_backend(), "cpu") != 0) skip();
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session = session_of(true, &engine);
    float numbers[BATCH * SAMPLE] = {0}, got[1024], *outputs[1] = {got};
    const float *inputs[1] = {numbers};
    struct linnet_nn_layer *layers;
    size_t count;
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_session_layers(session, 3, inputs, outputs, &layers, &count, &err),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_nn_session_layers(session, 4, inputs, outputs, &layers, &count, &err), 0);
    double flops = 0;
    assert_true(count > 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(layers[i].name[0] && layers[i].how[0]);
        assert_true(layers[i].seconds > 0 && layers[i].bytes > 0);
        flops += layers[i].flops;
    }
    assert_true(flops > 0);
    free(layers);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_the_numbers_that_it_is_scaled_to),
        cmocka_unit_test(a_network_of_two_inputs_takes_no_picture),
        cmocka_unit_test(a_device_that_is_not_there_is_named),
        cmocka_unit_test(without_a_gpu_the_reason_is_said),
        cmocka_unit_test(the_steps_of_a_run_are_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
