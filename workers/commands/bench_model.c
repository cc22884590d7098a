/* linnet bench-model: how fast a network runs here. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/nn/nn.h"
#include "workers/cli/command.h"
#include "workers/cli/say.h"

#define RUNS_MAX 100000

struct options {
    const char *file, *backend;
    enum linnet_nn_precision precision;
    unsigned batch, threads, device, runs;
    bool layers, json, pixels;
};

enum { KEY_LAYERS = 1, KEY_JSON, KEY_PIXELS, KEY_DEVICE };

static const struct argp_option options[] = {
    {"batch", 'b', "N", 0, "Pictures at once (1)", 0},
    {"precision", 'p', "f32|bf16|f16|int8", 0, "What it computes in (f32); int8 wants a calibrated network",
     0},
    {"backend", 'B', "NAME", 0, "cpu, cuda or auto (auto)", 0},
    {"device", KEY_DEVICE, "N", 0, "Which of several GPUs (0)", 0},
    {"threads", 't', "N", 0, "Of one run on the CPU (1)", 0},
    {"runs", 'n', "N", 0, "How many are timed, after three that are not (20)", 0},
    {"pixels", KEY_PIXELS, 0, 0, "Hand over pictures as bytes", 0},
    {"layers", KEY_LAYERS, 0, 0, "Also time every step by itself", 0},
    {"json", KEY_JSON, 0, 0, "One JSON object", 0},
    {0},
};

static unsigned number(struct argp_state *state, const char *arg, unsigned long most) {
    char *end;
    unsigned long value = strtoul(arg, &end, 10);
    if (*end || !*arg || value > most) argp_error(state, "'%s' is no number up to %lu", arg, most);
    return (unsigned)value;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case 'b':
        mine->batch = number(state, arg, 4096);
        return 0;
    case 'p':
        if (!linnet_nn_precision_parse(arg, &mine->precision))
            argp_error(state, "--precision is f32, bf16, f16 or int8, not '%s'", arg);
        return 0;
    case 'B':
        mine->backend = arg;
        return 0;
    case KEY_DEVICE:
        mine->device = number(state, arg, 1024);
        return 0;
    case 't':
        mine->threads = number(state, arg, 64);
        return 0;
    case 'n':
        mine->runs = number(state, arg, RUNS_MAX);
        return 0;
    case KEY_PIXELS:
        mine->pixels = true;
        return 0;
    case KEY_LAYERS:
        mine->layers = true;
        return 0;
    case KEY_JSON:
        mine->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) return ARGP_ERR_UNKNOWN;
        mine->file = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "the network's file is wanted");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {options,
                                 parse,
                                 "FILE.onnx",
                                 "Run a network on random pictures and print its speed: the latency of a "
                                 "batch, images a second, and, where it is "
                                 "known what the device can do at most, the share of that.\vThe share is of "
                                 "the least time that the network's steps "
                                 "take if each is bound by the device's arithmetic or by its memory alone.",
                                 0,
                                 0,
                                 0};

/* What one measurement works on. */
struct bench {
    struct linnet_nn_model *model;
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session;
    const struct linnet_nn_port *inputs, *outputs;
    size_t ninputs, noutputs;
    float **in, **out;
    uint8_t *bytes;
    double load, compile;           /* seconds */
    double *seconds;                /* of each run, ascending */
    struct linnet_nn_layer *layers; /* NULL: not asked for, or not known here */
    size_t nlayers;
    double peak_flops, peak_bytes;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static size_t elements(const struct linnet_nn_port *port, unsigned batch) {
    size_t count = batch;
    for (int i = 1; i < port->rank; i++)
        count *= (size_t)port->dims[i];
    return count;
}

/* Numbers in -1..1, of no pattern that a processor could take advantage of (xorshift32, Marsaglia 2003). */
static float **make_ports(const struct linnet_nn_port *ports, size_t count, unsigned batch) {
    uint32_t state = 2463534242u;
    float **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++) {
        size_t many = elements(&ports[i], batch);
        list[i] = malloc((many ? many : 1) * sizeof **list);
        for (size_t k = 0; list[i] && k < many; k++) {
            state ^= state << 13, state ^= state >> 17, state ^= state << 5;
            list[i][k] = (float)state / 2147483648.0f - 1;
        }
    }
    return list;
}

static void free_ports(float **list, size_t count) {
    for (size_t i = 0; list && i < count; i++)
        free(list[i]);
    free(list);
}

static void close_bench(struct bench *bench) {
    linnet_nn_session_close(bench->session);
    linnet_nn_engine_close(bench->engine);
    free_ports(bench->in, bench->ninputs);
    free_ports(bench->out, bench->noutputs);
    linnet_nn_model_free(bench->model);
    free(bench->bytes);
    free(bench->seconds);
    free(bench->layers);
}

static int open_bench(struct options *mine, struct bench *bench, struct linnet_error *err) {
    double start = now();
    int rc = linnet_nn_model_load(mine->file, &bench->model, err);
    if (rc) return rc;
    double loaded = now();
    bench->ninputs = linnet_nn_model_inputs(bench->model, &bench->inputs);
    bench->noutputs = linnet_nn_model_outputs(bench->model, &bench->outputs);
    if (bench->inputs[0].dims[0] > 0) mine->batch = (unsigned)bench->inputs[0].dims[0];
    struct linnet_nn_options wanted = {.backend = mine->backend,
                                       .precision = mine->precision,
                                       .batch_max = mine->batch,
                                       .threads = mine->threads,
                                       .device = mine->device};
    rc = linnet_nn_engine_open(bench->model, &wanted, &bench->engine, err);
    if (!rc) rc = linnet_nn_session_open(bench->engine, &bench->session, err);
    if (rc) return rc;
    bench->load = loaded - start;
    bench->compile = now() - loaded;
    linnet_nn_engine_limits(bench->engine, &bench->peak_flops, &bench->peak_bytes);
    bench->in = make_ports(bench->inputs, bench->ninputs, mine->batch);
    bench->out = make_ports(bench->outputs, bench->noutputs, mine->batch);
    bench->bytes = calloc(elements(&bench->inputs[0], mine->batch) + 1, 1);
    bench->seconds = calloc((size_t)mine->runs + 1, sizeof *bench->seconds);
    bool whole = bench->in && bench->out && bench->bytes && bench->seconds;
    for (size_t i = 0; whole && i < bench->ninputs; i++)
        whole = bench->in[i] != NULL;
    for (size_t i = 0; whole && i < bench->noutputs; i++)
        whole = bench->out[i] != NULL;
    return whole ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
}

static int once(const struct options *mine, struct bench *bench, struct linnet_error *err) {
    struct linnet_nn_pixels pixels = {.data = bench->bytes, .scale = {0.01f, 0.01f, 0.01f, 0.01f}};
    if (mine->pixels)
        return linnet_nn_session_run_pixels(bench->session, mine->batch, &pixels, bench->out, err);
    return linnet_nn_session_run(bench->session, mine->batch, (const float *const *)bench->in, bench->out,
                                 err);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(const struct options *mine, struct bench *bench, struct linnet_error *err) {
    int rc = 0;
    for (int i = 0; i < 3 && !rc; i++)
        rc = once(mine, bench, err);
    for (unsigned i = 0; i < mine->runs && !rc; i++) {
        double start = now();
        rc = once(mine, bench, err);
        bench->seconds[i] = now() - start;
    }
    if (rc) return rc;
    qsort(bench->seconds, mine->runs, sizeof *bench->seconds, ascending);
    /* The steps are wanted for the floor too; a backend that does not time them is no failure for that. */
    if (!mine->layers && !(bench->peak_flops > 0)) return 0;
    rc = linnet_nn_session_layers(bench->session, mine->batch, (const float *const *)bench->in, bench->out,
                                  &bench->layers, &bench->nlayers, err);
    return mine->layers ? rc : 0;
}

static double percentile(const struct options *mine, const struct bench *bench, double share) {
    return bench->seconds[(size_t)(share * (double)(mine->runs - 1) + 0.5)];
}

/* The least seconds that all steps take, each bound by arithmetic or memory; 0: not known. */
static double floor_of(const struct bench *bench) {
    double sum = 0;
    for (size_t i = 0; i < bench->nlayers && bench->peak_flops > 0 && bench->peak_bytes > 0; i++) {
        double compute = bench->layers[i].flops / bench->peak_flops,
               memory = bench->layers[i].bytes / bench->peak_bytes;
        sum += compute > memory ? compute : memory;
    }
    return sum;
}

static int print_json(const struct options *mine, const struct bench *bench) {
    double median = percentile(mine, bench, 0.5), least = floor_of(bench);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:i, s:b, s:i, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:f, s:f}", "model",
                  mine->file, "device", linnet_nn_engine_device(bench->engine), "precision",
                  linnet_nn_precision_name(mine->precision), "batch", (int)mine->batch, "pixels",
                  (int)mine->pixels, "runs", (int)mine->runs, "load_ms", bench->load * 1e3, "compile_ms",
                  bench->compile * 1e3, "latency_ms", "min", bench->seconds[0] * 1e3, "p50", median * 1e3,
                  "p90", percentile(mine, bench, 0.9) * 1e3, "p99", percentile(mine, bench, 0.99) * 1e3,
                  "max", bench->seconds[mine->runs - 1] * 1e3, "images_per_second", mine->batch / median,
                  "gflop", (double)linnet_nn_model_flops(bench->model) * 1e-9);
    json_object_set_new(json, "roofline_share", least > 0 ? json_real(least / median) : json_null());
    json_object_set_new(json, "roofline_images_per_second",
                        least > 0 ? json_real(mine->batch / least) : json_null());
    json_t *layers = mine->layers ? json_array() : NULL;
    for (size_t i = 0; layers && i < bench->nlayers; i++)
        json_array_append_new(layers,
                              json_pack("{s:s, s:s, s:f, s:f, s:f}", "name", bench->layers[i].name, "how",
                                        bench->layers[i].how, "flops", bench->layers[i].flops, "bytes",
                                        bench->layers[i].bytes, "ms", bench->layers[i].seconds * 1e3));
    if (layers) json_object_set_new(json, "layers", layers);
    int rc = json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
    return rc ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

static int print_table(const struct options *mine, const struct bench *bench) {
    double median = percentile(mine, bench, 0.5), least = floor_of(bench);
    printf("%s\n%s, %s, batch %u%s\n", mine->file, linnet_nn_engine_device(bench->engine),
           linnet_nn_precision_name(mine->precision), mine->batch, mine->pixels ? ", from bytes" : "");
    if (linnet_nn_engine_fallback(bench->engine))
        printf("  the GPU is not used: %s\n", linnet_nn_engine_fallback(bench->engine));
    printf("  read %.0f ms, compiled %.0f ms\n", bench->load * 1e3, bench->compile * 1e3);
    printf("  latency of %u runs: median %.3f ms, 90%% %.3f, 99%% %.3f, least %.3f, most %.3f\n", mine->runs,
           median * 1e3, percentile(mine, bench, 0.9) * 1e3, percentile(mine, bench, 0.99) * 1e3,
           bench->seconds[0] * 1e3, bench->seconds[mine->runs - 1] * 1e3);
    printf("  %.1f images/s, %.2f TFLOP/s\n", mine->batch / median,
           (double)linnet_nn_model_flops(bench->model) * mine->batch / median * 1e-12);
    if (least > 0)
        printf("  %.1f%% of the roofline (%.0f images/s)\n", 100 * least / median, mine->batch / least);
    else
        printf("  roofline: not known of this device\n");
    for (size_t i = 0; mine->layers && i < bench->nlayers; i++) {
        const struct linnet_nn_layer *layer = &bench->layers[i];
        printf("  %9.4f ms %8.2f GFLOP %8.2f MB  %-40s %s\n", layer->seconds * 1e3, layer->flops * 1e-9,
               layer->bytes * 1e-6, layer->name, layer->how);
    }
    return LINNET_EXIT_OK;
}

static int run(int argc, char **argv) {
    struct options mine = {.backend = "auto", .batch = 1, .threads = 1, .runs = 20};
    struct bench bench = {0};
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    if (!mine.batch || !mine.runs) {
        fprintf(stderr, "linnet bench-model: at least one picture and one run\n");
        return LINNET_EXIT_USAGE;
    }
    int rc = open_bench(&mine, &bench, &err);
    if (!rc) rc = measure(&mine, &bench, &err);
    int exit_code = rc          ? linnet_say_error("bench-model", &err)
                    : mine.json ? print_json(&mine, &bench)
                                : print_table(&mine, &bench);
    close_bench(&bench);
    return exit_code;
}

const struct linnet_command linnet_command_bench_model = {"bench-model",
                                                          "measure how fast a network runs here", run};
