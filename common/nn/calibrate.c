/* Calibration: the network as the passes leave it before anything is fused, so that each value of the file is
 * there under its name, run in f32 with all values handed out and counted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/nn/backend.h"
#include "common/nn/fail.h"
#include "common/nn/histogram.h"
#include "common/nn/model.h"
#include "common/nn/onnx/metadata.h"
#include "common/nn/passes/passes.h"
#include "common/nn/ranges.h"

/* One value of the network. */
struct value {
    char *name;
    size_t elements; /* of one batch */
    float *memory;   /* owned; NULL: the caller's, an input */
    struct linnet_nn_histogram *histogram;
};

struct linnet_nn_calibration {
    const struct linnet_nn_backend *backend;
    struct linnet_nn_program *program;
    struct linnet_nn_run *run;
    struct value *values; /* the inputs, then what is handed out */
    float **outputs;
    size_t ninputs, noutputs;
    unsigned batch;
    uint64_t samples;
};

/* Hand out all that nodes make. */
static int expose(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        uint32_t tensor = graph->nodes[i].output;
        int rc = graph->tensors[tensor].output ? 0 : linnet_nn_graph_add_output(graph, tensor);
        if (rc) return rc;
    }
    return 0;
}

static int make_value(const struct linnet_nn_graph *graph, uint32_t tensor, unsigned batch, bool input,
                      struct value *value) {
    value->name = strdup(graph->tensors[tensor].name);
    value->elements = (size_t)linnet_nn_shape_elements(&graph->tensors[tensor].shape, batch);
    value->memory = input ? NULL : calloc(value->elements, sizeof *value->memory);
    value->histogram = calloc(1, sizeof *value->histogram);
    return value->name && value->histogram && (input || value->memory) ? 0 : LINNET_E_NOMEM;
}

static int make_values(struct linnet_nn_calibration *calibration, const struct linnet_nn_graph *graph) {
    calibration->ninputs = graph->ninputs;
    calibration->noutputs = graph->noutputs;
    calibration->values = calloc(graph->ninputs + graph->noutputs, sizeof *calibration->values);
    calibration->outputs = calloc(graph->noutputs, sizeof *calibration->outputs);
    int rc = calibration->values && calibration->outputs ? 0 : LINNET_E_NOMEM;
    for (uint32_t i = 0; i < graph->ninputs && !rc; i++)
        rc = make_value(graph, graph->inputs[i], calibration->batch, true, &calibration->values[i]);
    for (uint32_t i = 0; i < graph->noutputs && !rc; i++) {
        struct value *value = &calibration->values[graph->ninputs + i];
        rc = make_value(graph, graph->outputs[i], calibration->batch, false, value);
        calibration->outputs[i] = value->memory;
    }
    return rc;
}

static int prepare(struct linnet_nn_calibration *calibration, struct linnet_nn_graph *graph,
                   struct linnet_error *err) {
    struct linnet_nn_target target = {.threads = 1, .nbuckets = 1, .buckets = {calibration->batch}};
    int rc = linnet_nn_optimize(graph, NULL, LINNET_NN_PRECISION_F32, NULL, err);
    if (!rc) {
        rc = expose(graph);
        if (!rc) rc = make_values(calibration, graph);
        if (rc) return linnet_nn_fail(err, rc, "out of memory");
    }
    if (!rc) rc = calibration->backend->compile(graph, &target, &calibration->program, err);
    return rc ? rc : calibration->backend->session_open(calibration->program, &calibration->run, err);
}

int linnet_nn_calibration_open(const struct linnet_nn_model *model, struct linnet_nn_calibration **out,
                               struct linnet_error *err) {
    const struct linnet_nn_backend *backend;
    if (!model->graph) return linnet_nn_fail(err, LINNET_E_INVALID, "an engine has taken its weights");
    int rc = linnet_nn_backend_find("cpu", &backend, err);
    if (rc) return rc;
    struct linnet_nn_calibration *calibration = calloc(1, sizeof *calibration);
    struct linnet_nn_graph *graph = linnet_nn_graph_clone(model->graph);
    int64_t batch = model->inputs[0].dims[0];
    if (calibration) {
        calibration->backend = backend;
        calibration->batch = batch > 0 ? (unsigned)batch : 1;
    }
    rc = calibration && graph ? prepare(calibration, graph, err)
                              : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    linnet_nn_graph_free(graph);
    if (rc) {
        linnet_nn_calibration_close(calibration);
        return rc;
    }
    *out = calibration;
    return 0;
}

void linnet_nn_calibration_close(struct linnet_nn_calibration *calibration) {
    if (!calibration) return;
    if (calibration->run) calibration->backend->session_close(calibration->run);
    if (calibration->program) calibration->backend->release(calibration->program);
    for (size_t i = 0; calibration->values && i < calibration->ninputs + calibration->noutputs; i++) {
        free(calibration->values[i].name);
        free(calibration->values[i].memory);
        free(calibration->values[i].histogram);
    }
    free(calibration->values);
    free(calibration->outputs);
    free(calibration);
}

static int add_batch(struct linnet_nn_calibration *calibration, const float *const *inputs,
                     struct linnet_error *err) {
    int rc = calibration->backend->session_run(calibration->run, calibration->batch, inputs,
                                               calibration->outputs, err);
    for (size_t i = 0; i < calibration->ninputs + calibration->noutputs && !rc; i++) {
        struct value *value = &calibration->values[i];
        linnet_nn_histogram_add(value->histogram, value->memory ? value->memory : inputs[i], value->elements);
    }
    return rc;
}

int linnet_nn_calibration_add(struct linnet_nn_calibration *calibration, unsigned n,
                              const float *const *inputs, struct linnet_error *err) {
    const float **at = calloc(calibration->ninputs, sizeof *at);
    int rc = at ? 0 : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    for (unsigned done = 0; done + calibration->batch <= n && !rc; done += calibration->batch) {
        for (size_t i = 0; i < calibration->ninputs; i++)
            at[i] = inputs[i] + done / calibration->batch * calibration->values[i].elements;
        rc = add_batch(calibration, at, err);
        if (!rc) calibration->samples += calibration->batch;
    }
    free(at);
    return rc;
}

uint64_t linnet_nn_calibration_samples(const struct linnet_nn_calibration *calibration) {
    return calibration->samples;
}

/* The ranges as text; the caller frees. NULL: out of memory. */
static char *print_ranges(const struct linnet_nn_calibration *calibration,
                          enum linnet_nn_range_method method) {
    static const char *const names[] = {"error", "percentile", "most"};
    json_t *ranges = json_object();
    for (size_t i = 0; i < calibration->ninputs + calibration->noutputs; i++) {
        const struct value *value = &calibration->values[i];
        float low, high;
        linnet_nn_histogram_range(value->histogram, method, &low, &high);
        if (high - low > 0)
            json_object_set_new(ranges, value->name, json_pack("[f, f]", (double)low, (double)high));
    }
    json_t *root = json_pack("{s:i, s:s, s:I, s:o}", "version", 1, "method", names[method], "samples",
                             (json_int_t)calibration->samples, "ranges", ranges);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    return text;
}

int linnet_nn_calibration_write(const struct linnet_nn_calibration *calibration,
                                enum linnet_nn_range_method method, const char *from, const char *to,
                                struct linnet_error *err) {
    struct stat status;
    if (!calibration->samples)
        return linnet_nn_fail(err, LINNET_E_INVALID, "no picture was seen: there is nothing to calibrate by");
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status)) {
        int error = errno;
        if (fd >= 0) close(fd);
        return linnet_nn_fail(err, LINNET_E_IO, "%s: %s", from, strerror(error));
    }
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED) return linnet_nn_fail(err, LINNET_E_IO, "%s: %s", from, strerror(errno));
    char *text = print_ranges(calibration, method);
    int rc =
        text ? linnet_onnx_metadata_write(file, (size_t)status.st_size, LINNET_NN_RANGES_KEY, text, to, err)
             : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    free(text);
    munmap(file, (size_t)status.st_size);
    return rc;
}
