/* nn_int8 MODEL CALIBRATE MEASURE [error|percentile|most [random [OUT]]]: what 8 bits cost a network.
 *
 * Reads CALIBRATE and then MEASURE samples (raw f32, one input) from standard input, or makes them up,
 * calibrates on the first and runs the others in f32, in int8, and through a simulation: the same graph in
 * f32 with nothing but the roundings in it. Prints for each output the root mean square of both differences
 * from f32 as a share of f32's own, and of int8's to the simulation's: 1 says that the integers add no error
 * to the roundings. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nn/backend.h"
#include "common/nn/model.h"
#include "common/nn/passes/passes.h"

#define MAGIC 12582912.0f /* 1.5 2^23: what is added to it loses its fraction */

static void check(int rc, const struct linnet_error *err) {
    if (!rc) return;
    fprintf(stderr, "%s: %s\n", linnet_error_name(rc), err->detail);
    exit(1);
}

static void *need(void *memory) {
    if (!memory) exit(1);
    return memory;
}

/* --- the simulation --- */

static uint32_t append_function(struct linnet_nn_graph *graph, uint32_t from,
                                enum linnet_nn_function function, float alpha, float beta) {
    struct linnet_error err = {0};
    struct linnet_nn_node node = {.op = LINNET_NN_OP_UNARY, .inputs = &from, .ninputs = 1};
    uint32_t made;
    node.at.unary = (struct linnet_nn_unary){function, alpha, beta};
    check(linnet_nn_graph_add_node(graph, &node, "", "", NULL, &made, &err), &err);
    return made;
}

/* What reads `tensor` reads it rounded. */
static void round_tensor(struct linnet_nn_graph *graph, uint32_t tensor) {
    bool both = graph->tensors[tensor].type == LINNET_NN_S8;
    float scale = graph->tensors[tensor].scale;
    struct linnet_nn_node identity = {.op = LINNET_NN_OP_IDENTITY, .inputs = &tensor, .ninputs = 1};
    struct linnet_error err = {0};
    uint32_t last;
    /* Everybody reads the end of the chain, whose beginning is made last so as not to read itself. */
    check(linnet_nn_graph_add_node(graph, &identity, "", "", NULL, &last, &err), &err);
    uint32_t first = graph->tensors[last].producer;
    check(linnet_nn_graph_replace(graph, tensor, last), &err);
    uint32_t at = append_function(graph, tensor, LINNET_NN_LINEAR, 1 / scale, MAGIC);
    at = append_function(graph, at, LINNET_NN_LINEAR, 1, -MAGIC);
    at = append_function(graph, at, LINNET_NN_CLIP, both ? -128 : 0, both ? 127 : 255);
    at = append_function(graph, at, LINNET_NN_LINEAR, scale, 0);
    check(linnet_nn_graph_set_input(graph, first, 0, at), &err);
}

static void round_weights(struct linnet_nn_graph *graph, uint32_t node) {
    struct linnet_nn_tensor *old = &graph->tensors[graph->nodes[node].inputs[1]];
    size_t outputs = (size_t)old->shape.dims[0], each = old->data->count / outputs;
    float levels = __builtin_cpu_supports("avx512vnni") ? 127 : 63;
    float *values = need(malloc(old->data->count * sizeof *values));
    for (size_t o = 0; o < outputs; o++) {
        const float *from = old->data->values + o * each;
        float most = 0;
        for (size_t i = 0; i < each; i++)
            most = fmaxf(most, fabsf(from[i]));
        for (size_t i = 0; i < each; i++)
            values[o * each + i] = most > 0 ? nearbyintf(from[i] / (most / levels)) * (most / levels) : 0;
    }
    struct linnet_nn_shape shape = old->shape;
    struct linnet_nn_data *data = need(linnet_nn_data_new(values, outputs * each));
    uint32_t tensor;
    struct linnet_error err = {0};
    check(linnet_nn_graph_add_constant(graph, "", &shape, data, &tensor), &err);
    check(linnet_nn_graph_set_input(graph, node, 1, tensor), &err);
    linnet_nn_data_unref(data);
}

static void simulate(struct linnet_nn_graph *graph) {
    struct linnet_error err = {0};
    uint32_t nodes = graph->nnodes, tensors = graph->ntensors;
    for (uint32_t i = 0; i < nodes; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        if ((node->op == LINNET_NN_OP_CONV || node->op == LINNET_NN_OP_GEMM) &&
            graph->tensors[node->inputs[0]].type != LINNET_NN_F32)
            round_weights(graph, i);
    }
    for (uint32_t i = 0; i < tensors; i++) {
        if (graph->tensors[i].type == LINNET_NN_F32) continue;
        round_tensor(graph, i);
        graph->tensors[i].type = LINNET_NN_F32;
        graph->tensors[i].scale = 1;
    }
    check(linnet_nn_graph_sort(graph), &err);
}

/* --- running --- */

enum { SINGLE, INTEGERS, SIMULATED, WAYS };

struct way {
    const struct linnet_nn_backend *backend;
    struct linnet_nn_program *program;
    struct linnet_nn_run *run;
    float **outputs;
};

static void open_way(const struct linnet_nn_model *model, int which, struct way *way) {
    struct linnet_error err = {0};
    struct linnet_nn_target target = {.threads = 1, .nbuckets = 1, .buckets = {1}};
    check(linnet_nn_backend_find("cpu", &way->backend, &err), &err);
    struct linnet_nn_graph *graph = need(linnet_nn_graph_clone(model->graph));
    enum linnet_nn_precision precision = which ? LINNET_NN_PRECISION_INT8 : LINNET_NN_PRECISION_F32;
    check(linnet_nn_optimize(graph, way->backend, precision, model->ranges, &err), &err);
    if (which == SIMULATED) simulate(graph);
    if (which == INTEGERS) target.precision = precision;
    check(way->backend->compile(graph, &target, &way->program, &err), &err);
    check(way->backend->session_open(way->program, &way->run, &err), &err);
    way->outputs = need(calloc(model->noutputs, sizeof *way->outputs));
    for (size_t i = 0; i < model->noutputs; i++)
        way->outputs[i] = need(calloc(
            (size_t)linnet_nn_shape_elements(&model->graph->tensors[model->graph->outputs[i]].shape, 1),
            sizeof(float)));
    linnet_nn_graph_free(graph);
}

static bool made_up;

static void read_sample(float *sample, size_t count) {
    static uint32_t state = 2463534242u; /* xorshift32 (Marsaglia 2003) */
    for (size_t i = 0; made_up && i < count; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        sample[i] = (float)state / 1073741824.0f - 2;
    }
    if (made_up) return;
    if (fread(sample, sizeof *sample, count, stdin) == count) return;
    fprintf(stderr, "nn_int8: the samples end early\n");
    exit(3);
}

static void calibrate(const char *path, const char *to, size_t elements, unsigned samples, const char *word) {
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct linnet_nn_calibration *calibration;
    float *sample = need(malloc(elements * sizeof *sample));
    enum linnet_nn_range_method method = !strcmp(word, "most")         ? LINNET_NN_RANGE_MOST
                                         : !strcmp(word, "percentile") ? LINNET_NN_RANGE_PERCENTILE
                                                                       : LINNET_NN_RANGE_ERROR;
    check(linnet_nn_model_load(path, &model, &err), &err);
    check(linnet_nn_calibration_open(model, &calibration, &err), &err);
    for (unsigned i = 0; i < samples; i++) {
        const float *inputs[1] = {sample};
        read_sample(sample, elements);
        check(linnet_nn_calibration_add(calibration, 1, inputs, &err), &err);
    }
    check(linnet_nn_calibration_write(calibration, method, path, to, &err), &err);
    linnet_nn_calibration_close(calibration);
    linnet_nn_model_free(model);
    free(sample);
}

int main(int argc, char **argv) {
    made_up = argc > 5 && !strcmp(argv[5], "random");
    if (argc < 4 || argc > 7) {
        fprintf(stderr,
                "usage: nn_int8 MODEL CALIBRATE MEASURE [error|percentile|most [random [OUT]]] < samples\n");
        return 2;
    }
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct way ways[WAYS];
    char passing[] = "/tmp/nn_int8.XXXXXX", *to = argc > 6 ? argv[6] : passing;
    int fd = argc > 6 ? -1 : mkstemp(passing);
    if (argc < 7 && fd < 0) return 1;
    if (fd >= 0) close(fd);
    check(linnet_nn_model_load(argv[1], &model, &err), &err);
    size_t elements =
        (size_t)linnet_nn_shape_elements(&model->graph->tensors[model->graph->inputs[0]].shape, 1);
    linnet_nn_model_free(model);
    calibrate(argv[1], to, elements, (unsigned)atoi(argv[2]), argc > 4 ? argv[4] : "error");
    check(linnet_nn_model_load(to, &model, &err), &err);
    if (to == passing) unlink(to);
    for (int i = 0; i < WAYS; i++)
        open_way(model, i, &ways[i]);
    float *sample = need(malloc(elements * sizeof *sample));
    double(*sums)[WAYS] = need(calloc(model->noutputs, sizeof *sums));
    for (int k = 0; k < atoi(argv[3]); k++) {
        const float *inputs[1] = {sample};
        read_sample(sample, elements);
        for (int i = 0; i < WAYS; i++)
            check(ways[i].backend->session_run(ways[i].run, 1, inputs, ways[i].outputs, &err), &err);
        for (size_t o = 0; o < model->noutputs; o++) {
            int64_t count =
                linnet_nn_shape_elements(&model->graph->tensors[model->graph->outputs[o]].shape, 1);
            for (int64_t e = 0; e < count; e++) {
                double single = (double)ways[SINGLE].outputs[o][e];
                sums[o][SINGLE] += single * single;
                for (int i = 1; i < WAYS; i++)
                    sums[o][i] += pow((double)ways[i].outputs[o][e] - single, 2);
            }
        }
    }
    double worst = 0;
    for (size_t o = 0; o < model->noutputs; o++) {
        double ratio = sqrt(sums[o][INTEGERS] / sums[o][SIMULATED]);
        printf("%-16s int8 %.2e, simulated %.2e, ratio %.3f\n", model->outputs[o].name,
               sqrt(sums[o][INTEGERS] / sums[o][SINGLE]), sqrt(sums[o][SIMULATED] / sums[o][SINGLE]), ratio);
        if (!(ratio <= worst)) worst = ratio;
    }
    for (int i = 0; i < WAYS; i++) {
        for (size_t o = 0; o < model->noutputs; o++)
            free(ways[i].outputs[o]);
        free(ways[i].outputs);
        ways[i].backend->session_close(ways[i].run);
        ways[i].backend->release(ways[i].program);
    }
    linnet_nn_model_free(model);
    free(sample);
    free(sums);
    return worst <= 1.3 ? 0 : 1;
}
