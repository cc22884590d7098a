/* Engines and sessions: batches, threads, memory, what the process is left with. */
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

#define SAMPLE  (3 * 32 * 32)
#define CLASSES 10

/* A small Inception-like network: branches of several kernels, pooled, joined, twice; batch free or fixed. */
static void write_branch(struct onnx_file *file, const char *from, const char *to, int64_t in, int64_t out,
                         int64_t kernel) {
    int64_t w[4] = {out, in, kernel, kernel}, pads[4] = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    char name[16], inputs[48], conv[16];
    uint64_t seed = (uint64_t)(in * 1000 + out * 10 + kernel) + (uint64_t)to[1];
    struct array *weights = array_random(&seed, 4, w);
    for (size_t i = 0; i < array_count(weights); i++)
        weights->values[i] /= (double)(in * kernel);
    snprintf(name, sizeof name, "w%s", to);
    snprintf(conv, sizeof conv, "c%s", to);
    snprintf(inputs, sizeof inputs, "%s %s", from, name);
    check_constant(file, name, weights);
    array_free(weights);
    onnx_ints(onnx_add(file, "Conv", inputs, conv), "pads", 4, pads);
    onnx_add(file, "Relu", conv, to);
}

static struct onnx_file *network(int64_t batch) {
    int64_t dims[4] = {batch, 3, 32, 32}, kernel[2] = {3, 3}, strides[2] = {2, 2}, head[2] = {48, CLASSES};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    write_branch(file, "x", "a0", 3, 16, 3);
    write_branch(file, "a0", "b1", 16, 16, 1);
    write_branch(file, "a0", "b2", 16, 16, 3);
    write_branch(file, "a0", "b3", 16, 16, 5);
    onnx_int(onnx_add(file, "Concat", "b1 b2 b3", "j"), "axis", 1);
    onnx_ints(onnx_ints(onnx_add(file, "MaxPool", "j", "p"), "kernel_shape", 2, kernel), "strides", 2,
              strides);
    write_branch(file, "p", "d0", 48, 48, 1);
    onnx_add(file, "GlobalAveragePool", "d0", "g");
    onnx_add(file, "Flatten", "g", "f");
    uint64_t seed = 3;
    struct array *weights = array_random(&seed, 2, head);
    check_constant(file, "wh", weights);
    array_free(weights);
    onnx_add(file, "Gemm", "f wh", "y");
    onnx_output(file, "y");
    onnx_output(file, "f");
    return file;
}

static struct linnet_nn_engine *engine_of(int64_t batch, enum linnet_nn_precision precision,
                                          unsigned batch_max) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine;
    struct linnet_nn_options options = {.backend = "cpu", .precision = precision, .batch_max = batch_max};
    size_t size;
    struct onnx_file *file = network(batch);
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    free(bytes);
    if (linnet_nn_engine_open(model, &options, &engine, &err)) fail_msg("%s", err.detail);
    linnet_nn_model_free(model); /* the engine keeps what it needs */
    return engine;
}

static struct linnet_nn_session *session_of(struct linnet_nn_engine *engine) {
    struct linnet_error err = {0};
    struct linnet_nn_session *session;
    if (linnet_nn_session_open(engine, &session, &err)) fail_msg("%s", err.detail);
    return session;
}

static float *random_samples(uint64_t *seed, unsigned n) {
    float *values = malloc(n * SAMPLE * sizeof *values);
    for (size_t i = 0; i < n * (size_t)SAMPLE; i++)
        values[i] = (float)(2 * reference_random(seed) - 1);
    return values;
}

static void run(struct linnet_nn_session *session, unsigned n, const float *input, float *output) {
    struct linnet_error err = {0};
    const float *inputs[1] = {input};
    float *outputs[2] = {output, NULL};
    if (linnet_nn_session_run(session, n, inputs, outputs, &err)) fail_msg("%s", err.detail);
}

static void assert_same(const float *a, const float *b, size_t count, float tolerance) {
    for (size_t i = 0; i < count; i++) {
        float difference = a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
        if (!(difference <= tolerance)) fail_msg("%g and %g at %zu", (double)a[i], (double)b[i], i);
    }
}

static struct linnet_nn_model *model_of(int64_t batch) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    size_t size;
    struct onnx_file *file = network(batch);
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    free(bytes);
    return model;
}

/* In several batch sizes, whose programs share the weights that are given back on the way. */
static void an_engine_that_takes_the_weights_gives_the_same_answers(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *model = model_of(-1);
    const struct linnet_nn_port *ports;
    struct linnet_nn_options options = {.backend = "cpu", .batch_max = 4};
    struct linnet_nn_engine *kept = engine_of(-1, LINNET_NN_PRECISION_F32, 4), *taken, *none;
    assert_int_equal(linnet_nn_engine_take(model, &options, &taken, &err), 0);
    assert_int_equal(linnet_nn_engine_take(model, &options, &none, &err), LINNET_E_INVALID);
    assert_int_equal(linnet_nn_engine_open(model, &options, &none, &err), LINNET_E_INVALID);
    struct linnet_nn_calibration *calibration = NULL;
    assert_int_equal(linnet_nn_calibration_open(model, &calibration, &err), LINNET_E_INVALID);
    assert_int_equal(linnet_nn_model_inputs(model, &ports), 1); /* its ports are left to it */
    assert_string_equal(ports[0].name, "x");
    linnet_nn_model_free(model);
    struct linnet_nn_session *a = session_of(kept), *b = session_of(taken);
    float *input = random_samples(check_seed(), 7), expected[7 * CLASSES], got[7 * CLASSES];
    run(a, 7, input, expected);
    run(b, 7, input, got);
    assert_same(expected, got, 7 * CLASSES, 0);
    free(input);
    linnet_nn_session_close(a);
    linnet_nn_session_close(b);
    linnet_nn_engine_close(kept);
    linnet_nn_engine_close(taken);
}

static void a_batch_is_useful_while_a_layer_fits_the_cache(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *small = model_of(-1), *large;
    int64_t dims[4] = {-1, 3, 1024, 1024};
    size_t size;
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "Relu", "x", "y"); /* 12 MB in, 12 MB out */
    onnx_output(file, "y");
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &large, &err)) fail_msg("%s", err.detail);
    free(bytes);
    assert_int_equal(linnet_nn_batch_useful(small, "cpu", 8), 8);
    assert_int_equal(linnet_nn_batch_useful(large, "cpu", 8), 1);
    linnet_nn_model_free(small);
    linnet_nn_model_free(large);
}

/* Any number of samples up to the maximum and beyond it, each with the result that it has alone. */
static void a_sample_has_one_result_in_every_batch(void **state) {
    (void)state;
    for (int half = 0; half < 2; half++) {
        enum linnet_nn_precision precision = half ? LINNET_NN_PRECISION_BF16 : LINNET_NN_PRECISION_F32;
        if (!linnet_nn_precision_native("cpu", precision)) continue;
        struct linnet_nn_engine *engine = engine_of(-1, precision, 8);
        struct linnet_nn_session *session = session_of(engine);
        float *input = random_samples(check_seed(), 19), alone[19 * CLASSES], batch[19 * CLASSES];
        for (unsigned i = 0; i < 19; i++)
            run(session, 1, input + i * SAMPLE, alone + i * CLASSES);
        for (unsigned n = 1; n <= 19; n++) {
            memset(batch, 0xff, sizeof batch); /* NaN */
            run(session, n, input, batch);
            assert_same(alone, batch, n * CLASSES, half ? 2e-2f : 2e-6f);
        }
        free(input);
        linnet_nn_session_close(session);
        linnet_nn_engine_close(engine);
    }
}

static void a_fixed_batch_takes_multiples_of_itself(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_engine *free_batch = engine_of(-1, LINNET_NN_PRECISION_F32, 2),
                            *fixed = engine_of(2, LINNET_NN_PRECISION_F32, 8);
    struct linnet_nn_session *a = session_of(free_batch), *b = session_of(fixed);
    float *input = random_samples(check_seed(), 4), expected[4 * CLASSES], got[4 * CLASSES];
    run(a, 4, input, expected);
    run(b, 4, input, got);
    assert_same(expected, got, 4 * CLASSES, 2e-6f);
    const float *inputs[1] = {input};
    float *outputs[2] = {got, NULL};
    assert_int_equal(linnet_nn_session_run(b, 3, inputs, outputs, &err), LINNET_E_INVALID);
    assert_non_null(strstr(err.detail, "batches of 2 only"));
    assert_int_equal(linnet_nn_session_run(b, 0, inputs, outputs, &err), LINNET_E_INVALID);
    free(input);
    linnet_nn_session_close(a);
    linnet_nn_session_close(b);
    linnet_nn_engine_close(free_batch);
    linnet_nn_engine_close(fixed);
}

static unsigned threads_of_process(void) {
    DIR *folder = opendir("/proc/self/task");
    unsigned count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* oneDNN's OpenMP would start a thread for each core, which spin while there is nothing to do. */
static void no_thread_is_started(void **state) {
    (void)state;
    unsigned before = threads_of_process();
    struct linnet_nn_engine *engine = engine_of(-1, LINNET_NN_PRECISION_F32, 4);
    struct linnet_nn_session *session = session_of(engine);
    float *input = random_samples(check_seed(), 4), output[4 * CLASSES];
    for (int i = 0; i < 20; i++)
        run(session, 4, input, output);
    assert_int_equal(threads_of_process(), before);
    free(input);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

struct worker {
    struct linnet_nn_engine *engine;
    uint64_t seed;
    const float *input, *expected;
    int failures;
};

static void *work(void *arg) {
    struct worker *worker = arg;
    struct linnet_nn_session *session;
    if (linnet_nn_session_open(worker->engine, &session, NULL)) {
        worker->failures++;
        return NULL;
    }
    for (int i = 0; i < 60; i++) {
        unsigned first = (unsigned)(reference_random(&worker->seed) * 8),
                 n = 1 + (unsigned)(reference_random(&worker->seed) * 8);
        float output[8 * CLASSES];
        const float *inputs[1] = {worker->input + first * SAMPLE};
        float *outputs[2] = {output, NULL};
        if (linnet_nn_session_run(session, n, inputs, outputs, NULL)) worker->failures++;
        for (unsigned k = 0; k < n * CLASSES; k++) {
            float difference = output[k] - worker->expected[first * CLASSES + k];
            worker->failures += !(difference < 2e-6f && difference > -2e-6f);
        }
    }
    linnet_nn_session_close(session);
    return NULL;
}

static void sessions_of_one_engine_run_at_once(void **state) {
    (void)state;
    enum { THREADS = 4 };
    struct linnet_nn_engine *engine = engine_of(-1, LINNET_NN_PRECISION_F32, 4);
    struct linnet_nn_session *session = session_of(engine);
    float *input = random_samples(check_seed(), 16), expected[16 * CLASSES];
    for (unsigned i = 0; i < 16; i++)
        run(session, 1, input + i * SAMPLE, expected + i * CLASSES);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){engine, *check_seed() + i, input, expected, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    free(input);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

/* Bytes that are allocated; under sanitizers, which look for leaks themselves, always 0. */
static size_t allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void batches_of_changing_size_leave_nothing_behind(void **state) {
    (void)state;
    struct linnet_nn_engine *engine = engine_of(-1, LINNET_NN_PRECISION_F32, 8);
    struct linnet_nn_session *session = session_of(engine);
    float *input = random_samples(check_seed(), 8), first[8 * CLASSES], last[8 * CLASSES];
    run(session, 8, input, first);
    for (unsigned i = 0; i < 64; i++)
        run(session, 1 + i % 8, input, last);
    size_t before = allocated();
    for (unsigned i = 0; i < 2000; i++)
        run(session, 1 + i % 8, input, last);
    run(session, 8, input, last);
    assert_memory_equal(first, last, sizeof first);
    assert_true(allocated() <= before + 4096);
    free(input);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
}

static void unusable_options_are_refused(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine = NULL;
    size_t size;
    struct onnx_file *file = network(-1);
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    assert_int_equal(linnet_nn_model_parse(bytes, size, &model, &err), 0);
    free(bytes);
    struct linnet_nn_options options = {.backend = "nowhere", .batch_max = 1};
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_UNSUPPORTED);
    assert_non_null(strstr(err.detail, "liblinnet-nn-nowhere.so"));
    options.backend = "../evil";
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_INVALID);
    options = (struct linnet_nn_options){.backend = "cpu", .batch_max = 1000000};
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_LIMIT);
    linnet_nn_model_free(model);
}

/* Two activations of 17 GB: more than a machine of the tests has. */
static void a_network_larger_than_the_machine_is_refused(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine = NULL;
    struct linnet_nn_options options = {.backend = "cpu", .batch_max = 4096};
    int64_t dims[4] = {-1, 1, 1024, 1024};
    size_t size;
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "Relu", "x", "r");
    onnx_add(file, "Concat", "r r r r r r r r r r r r r r r r r r r r r r r r r r r r r r r r", "c");
    onnx_add(file, "Abs", "c", "y");
    onnx_output(file, "y");
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    if (linnet_nn_model_parse(bytes, size, &model, &err)) fail_msg("%s", err.detail);
    free(bytes);
    assert_int_equal(linnet_nn_engine_open(model, &options, &engine, &err), LINNET_E_LIMIT);
    print_message("%s\n", err.detail);
    assert_non_null(strstr(err.detail, "GB of memory, the machine has"));
    linnet_nn_model_free(model);
}

static void a_model_tells_what_it_is_made_of(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    size_t size, length;
    char *text;
    struct onnx_file *file = network(-1);
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    assert_int_equal(linnet_nn_model_parse(bytes, size, &model, &err), 0);
    free(bytes);
    const struct linnet_nn_port *ports;
    assert_int_equal(linnet_nn_model_inputs(model, &ports), 1);
    assert_string_equal(ports[0].name, "x");
    assert_int_equal(ports[0].dims[0], -1);
    assert_int_equal(linnet_nn_model_outputs(model, &ports), 2);
    assert_string_equal(ports[1].name, "f");
    assert_int_equal(ports[1].dims[1], 48);
    uint64_t weights = 16 * 3 * 9 + 16 * 16 * (1 + 9 + 25) + 48 * 48 + 48 * CLASSES;
    assert_int_equal(linnet_nn_model_parameters(model), weights);
    /* Convolutions at 32 x 32 and 15 x 15 and the head, a multiply-add counting two; the rest is less than a
     * fiftieth. */
    uint64_t products = 2 * (1024 * (16 * 27 + 16 * 16 * 35) + 225 * 48 * 48 + 48 * CLASSES);
    uint64_t flops = linnet_nn_model_flops(model);
    assert_true(flops > products && flops < products + products / 50);
    FILE *stream = open_memstream(&text, &length);
    linnet_nn_model_print(model, stream);
    fclose(stream);
    assert_non_null(strstr(text, "[N, 48, 15, 15]"));
    free(text);
    stream = open_memstream(&text, &length);
    assert_int_equal(linnet_nn_model_draw(model, stream), 0);
    fclose(stream);
    size_t boxes = 0;
    for (const char *at = strstr(text, "<rect"); at; at = strstr(at + 1, "<rect"))
        boxes++;
    assert_int_equal(boxes, 15); /* its operators */
    assert_non_null(strstr(text, "[N, 48, 15, 15]"));
    assert_non_null(strstr(text, "</svg>"));
    free(text);
    linnet_nn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_engine_that_takes_the_weights_gives_the_same_answers),
        cmocka_unit_test(a_batch_is_useful_while_a_layer_fits_the_cache),
        cmocka_unit_test(a_sample_has_one_result_in_every_batch),
        cmocka_unit_test(a_fixed_batch_takes_multiples_of_itself),
        cmocka_unit_test(no_thread_is_started),
        cmocka_unit_test(sessions_of_one_engine_run_at_once),
        cmocka_unit_test(batches_of_changing_size_leave_nothing_behind),
        cmocka_unit_test(unusable_options_are_refused),
        cmocka_unit_test(a_network_larger_than_the_machine_is_refused),
        cmocka_unit_test(a_model_tells_what_it_is_made_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
