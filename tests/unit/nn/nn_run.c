/* nn_run MODEL BATCH PRECISION REPEAT [BACKEND]: run a network on standard input, write its outputs to
 * standard output.
 *
 * Input: the raw f32 values of each input in order, for BATCH samples; output: likewise of each output.
 * Precision is f32, bf16, f16 or (of a calibrated network) int8; the backend is "cpu" unless another is
 * named. What starting took (reading, compiling, the first run) and times of REPEAT further runs go to
 * standard error. What the comparison with PyTorch drives. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/nn/nn.h"

static size_t elements(const struct linnet_nn_port *port, unsigned batch) {
    size_t count = batch;
    for (int i = 1; i < port->rank; i++)
        count *= (size_t)port->dims[i];
    return count;
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void check(int rc, const struct linnet_error *err) {
    if (!rc) return;
    fprintf(stderr, "%s: %s\n", linnet_error_name(rc), err->detail);
    exit(1);
}

static float **make_ports(const struct linnet_nn_port *ports, size_t count, unsigned batch) {
    float **list = calloc(count, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = calloc(elements(&ports[i], batch), sizeof **list);
    return list;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void time_runs(struct linnet_nn_session *session, unsigned batch, float **in, float **out,
                      int repeat) {
    struct linnet_error err;
    double *wall = calloc((size_t)repeat + 1, sizeof *wall), *cpu = calloc((size_t)repeat + 1, sizeof *cpu);
    for (int i = 0; i < repeat; i++) {
        double start = seconds(CLOCK_MONOTONIC), start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        check(linnet_nn_session_run(session, batch, (const float *const *)in, out, &err), &err);
        wall[i] = seconds(CLOCK_MONOTONIC) - start;
        cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
    }
    qsort(wall, (size_t)repeat, sizeof *wall, ascending);
    qsort(cpu, (size_t)repeat, sizeof *cpu, ascending);
    if (repeat)
        fprintf(stderr, "median %.3f ms (%.3f ms of CPU), %.1f samples/s (%.1f of CPU)\n",
                wall[repeat / 2] * 1e3, cpu[repeat / 2] * 1e3, batch / wall[repeat / 2],
                batch / cpu[repeat / 2]);
    free(wall);
    free(cpu);
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: nn_run MODEL BATCH f32|bf16|f16|int8 REPEAT [BACKEND] < inputs > outputs\n");
        return 2;
    }
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session;
    unsigned batch = (unsigned)atoi(argv[2]);
    double start = seconds(CLOCK_MONOTONIC), start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(linnet_nn_model_load(argv[1], &model, &err), &err);
    double loaded = seconds(CLOCK_MONOTONIC);
    struct linnet_nn_options options = {.backend = argc > 5 ? argv[5] : "cpu", .batch_max = batch};
    if (!linnet_nn_precision_parse(argv[3], &options.precision)) return 2;
    check(linnet_nn_engine_open(model, &options, &engine, &err), &err);
    check(linnet_nn_session_open(engine, &session, &err), &err);
    fprintf(stderr, "%s: read %.0f ms, compiled %.0f ms\n", linnet_nn_engine_device(engine),
            (loaded - start) * 1e3, (seconds(CLOCK_MONOTONIC) - loaded) * 1e3);
    const struct linnet_nn_port *inputs, *outputs;
    size_t ninputs = linnet_nn_model_inputs(model, &inputs),
           noutputs = linnet_nn_model_outputs(model, &outputs);
    float **in = make_ports(inputs, ninputs, batch), **out = make_ports(outputs, noutputs, batch);
    for (size_t i = 0; i < ninputs; i++)
        if (fread(in[i], sizeof(float), elements(&inputs[i], batch), stdin) != elements(&inputs[i], batch))
            return 3;
    check(linnet_nn_session_run(session, batch, (const float *const *)in, out, &err), &err);
    fprintf(stderr, "started in %.0f ms (%.0f ms of CPU)\n", (seconds(CLOCK_MONOTONIC) - start) * 1e3,
            (seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu) * 1e3);
    time_runs(session, batch, in, out, atoi(argv[4]));
    for (size_t i = 0; i < noutputs; i++)
        if (fwrite(out[i], sizeof(float), elements(&outputs[i], batch), stdout) !=
            elements(&outputs[i], batch))
            return 4;
    for (size_t i = 0; i < ninputs; i++)
        free(in[i]);
    for (size_t i = 0; i < noutputs; i++)
        free(out[i]);
    free(in);
    free(out);
    linnet_nn_session_close(session);
    linnet_nn_engine_close(engine);
    linnet_nn_model_free(model);
    return 0;
}
