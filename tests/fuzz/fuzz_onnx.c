/* Foreign ONNX files: read, and where they are small networks, compiled and run, in int8 those that hold ranges. */
#include <string.h>

#include "common/nn/model.h"
#include "common/nn/nn.h"
#include "common/nn/passes/passes.h"
#include "tests/fuzz/fuzz.h"

#define WORK_MAX 200000 /* operations of a network that is still run */

static size_t elements(const struct linnet_nn_port *port) {
    size_t count = 1;
    for (int i = 1; i < port->rank; i++)
        count *= (size_t)port->dims[i];
    return count * (size_t)(port->dims[0] > 0 ? port->dims[0] : 2);
}

static float **buffers(const struct linnet_nn_port *ports, size_t count) {
    float **list = calloc(count, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = calloc(elements(&ports[i]), sizeof(float));
    return list;
}

static void release(float **list, size_t count) {
    for (size_t i = 0; list && i < count; i++)
        free(list[i]);
    free(list);
}

static void run(const struct linnet_nn_model *model) {
    struct linnet_nn_options options = {.backend = "cpu", .batch_max = 2};
    struct linnet_nn_engine *engine;
    struct linnet_nn_session *session;
    const struct linnet_nn_port *inputs, *outputs;
    size_t ninputs = linnet_nn_model_inputs(model, &inputs),
           noutputs = linnet_nn_model_outputs(model, &outputs);
    if (linnet_nn_model_ranges(model)) options.precision = LINNET_NN_PRECISION_INT8;
    if (linnet_nn_engine_open(model, &options, &engine, NULL)) return;
    if (!linnet_nn_session_open(engine, &session, NULL)) {
        float **in = buffers(inputs, ninputs), **out = buffers(outputs, noutputs);
        unsigned n = inputs[0].dims[0] > 0 ? (unsigned)inputs[0].dims[0] : 2;
        linnet_nn_session_run(session, n, (const float *const *)in, out, NULL);
        release(in, ninputs);
        release(out, noutputs);
        linnet_nn_session_close(session);
    }
    linnet_nn_engine_close(engine);
}

static uint64_t all_elements(const struct linnet_nn_graph *graph) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < graph->ntensors; i++) {
        uint64_t own = (uint64_t)linnet_nn_shape_elements(&graph->tensors[i].shape, 2);
        count = own > UINT64_MAX - count ? UINT64_MAX : count + own;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct linnet_nn_model *model;
    if (linnet_nn_model_parse(data, size, &model, NULL)) return 0;
    if (linnet_nn_model_flops(model) < WORK_MAX && all_elements(model->graph) < WORK_MAX) run(model);
    linnet_nn_model_free(model);
    return 0;
}
