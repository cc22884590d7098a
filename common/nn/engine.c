/* Engines and sessions: a model optimised for a backend, compiled, and run by batches. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/engine.h"
#include "common/nn/fail.h"
#include "common/nn/model.h"
#include "common/nn/onnx/reader.h"
#include "common/nn/passes/passes.h"
#include "common/nn/shape.h"

#define THREADS_MAX 64
#define BATCH_MAX   4096
/* Of a processor's cache, what a layer of one batch may fill: measured with oneDNN on Zen 3, where pictures
 * of networks whose widest layer has 8 MB run no faster in batches than one by one. */
#define CACHE_BYTES (12.0 * 1024 * 1024)

static bool is_auto(const char *name) {
    return !name || !strcmp(name, "auto");
}

/* `fallback` is filled where "auto" takes the CPU. */
static int choose_backend(const char *name, const struct linnet_nn_backend **out,
                          struct linnet_error *fallback, struct linnet_error *err) {
    if (!is_auto(name)) return linnet_nn_backend_find(name, out, err);
    if (!linnet_nn_backend_find("cuda", out, fallback)) return 0;
    return linnet_nn_backend_find("cpu", out, err);
}

static size_t *sizes_of(const struct linnet_nn_port *ports, size_t count) {
    size_t *sizes = calloc(count ? count : 1, sizeof *sizes);
    for (size_t i = 0; sizes && i < count; i++) {
        sizes[i] = 1;
        for (int k = 1; k < ports[i].rank; k++)
            sizes[i] *= (size_t)ports[i].dims[k];
    }
    return sizes;
}

/* Is the network's one input a picture? */
static void note_picture(struct linnet_nn_engine *engine, const struct linnet_nn_model *model) {
    const struct linnet_nn_port *port = &model->inputs[0];
    if (model->ninputs != 1 || port->rank != 4 || port->dims[1] > LINNET_NN_CHANNELS_MAX) return;
    engine->channels = (size_t)port->dims[1];
    engine->height = (size_t)port->dims[2];
    engine->width = (size_t)port->dims[3];
}

static int check_options(const struct linnet_nn_options *options, struct linnet_error *err) {
    if (options->threads > THREADS_MAX || options->batch_max > BATCH_MAX)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "at most %d threads and batches of %d", THREADS_MAX,
                              BATCH_MAX);
    return 0;
}

/* Is the device one that there is, and does it compute in what is asked for? */
static int check_device(const struct linnet_nn_backend *backend, const struct linnet_nn_options *options,
                        struct linnet_error *err) {
    unsigned count = backend->devices ? backend->devices() : 1;
    if (options->device >= count)
        return linnet_nn_fail(err, LINNET_E_NOT_FOUND, "there is no device %u: %s has %u", options->device,
                              backend->name, count);
    if (backend->native(options->precision)) return 0;
    return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                          "this device (%s) does not compute in %s, of %s bits, itself: use f32",
                          backend->name, linnet_nn_precision_name(options->precision),
                          options->precision == LINNET_NN_PRECISION_INT8 ? "8" : "16");
}

/* The graph is freed whatever happens. */
static int compile(struct linnet_nn_engine *engine, struct linnet_nn_graph *graph,
                   const struct linnet_nn_ranges *ranges, struct linnet_error *err) {
    int rc = linnet_nn_optimize(graph, engine->backend, engine->target.precision, ranges, err);
    if (!rc) rc = engine->backend->compile(graph, &engine->target, &engine->program, err);
    linnet_nn_graph_free(graph);
    return rc;
}

/* What a layer reads and writes for one sample, the widest layer's: its bytes. */
static double widest_layer(const struct linnet_nn_graph *graph) {
    double most = 0;
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        double elements = (double)linnet_nn_shape_elements(&graph->tensors[node->output].shape, 1);
        for (uint32_t k = 0; k < node->ninputs; k++) {
            const struct linnet_nn_tensor *read = &graph->tensors[node->inputs[k]];
            if (!read->data) elements += (double)linnet_nn_shape_elements(&read->shape, 1);
        }
        if (elements > most) most = elements;
    }
    return most * sizeof(float);
}

unsigned linnet_nn_batch_useful(const struct linnet_nn_model *model, const char *name, unsigned most) {
    const struct linnet_nn_backend *backend;
    if (!model->graph || choose_backend(name, &backend, NULL, NULL) || backend->pad_up) return most;
    double fits = CACHE_BYTES / widest_layer(model->graph);
    return fits >= most ? most : fits < 1 ? 1 : (unsigned)fits;
}

/* The backend for what is asked of a model, if all of it can be. */
static int choose(const struct linnet_nn_model *model, const struct linnet_nn_options *options,
                  const struct linnet_nn_backend **backend, struct linnet_error *fallback,
                  struct linnet_error *err) {
    if (!model->graph) return linnet_nn_fail(err, LINNET_E_INVALID, "an engine has taken its weights");
    int rc = check_options(options, err);
    if (!rc && options->precision == LINNET_NN_PRECISION_INT8 && !model->ranges)
        rc = linnet_nn_fail(err, LINNET_E_INVALID,
                            "the network is not calibrated, which int8 needs: run `linnet model calibrate`");
    if (!rc) rc = choose_backend(options->backend, backend, fallback, err);
    if (!rc && is_auto(options->backend) && !fallback->code && check_device(*backend, options, fallback))
        rc = linnet_nn_backend_find("cpu", backend, err);
    if (!rc) rc = check_device(*backend, options, err);
    if (!rc && model->inputs[0].dims[0] > BATCH_MAX)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "its batch is fixed at more than %d", BATCH_MAX);
    return rc;
}

/* The graph is taken, whatever happens. */
static int open_one(const struct linnet_nn_backend *backend, const struct linnet_nn_model *model,
                    struct linnet_nn_graph *graph, const struct linnet_nn_options *options,
                    const struct linnet_error *fallback, struct linnet_nn_engine **out,
                    struct linnet_error *err) {
    int64_t batch = model->inputs[0].dims[0];
    struct linnet_nn_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        linnet_nn_graph_free(graph);
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    engine->backend = backend;
    engine->fallback = *fallback;
    engine->target.precision = options->precision;
    engine->target.threads = options->threads ? options->threads : 1;
    engine->target.device = options->device;
    engine->target.nbuckets =
        linnet_nn_batch_buckets(batch > 0 ? (unsigned)batch : 0, options->batch_max, engine->target.buckets);
    engine->ninputs = model->ninputs;
    engine->noutputs = model->noutputs;
    engine->input_elements = sizes_of(model->inputs, model->ninputs);
    engine->output_elements = sizes_of(model->outputs, model->noutputs);
    note_picture(engine, model);
    int rc = compile(engine, graph, model->ranges, err);
    if (!rc && (!engine->input_elements || !engine->output_elements))
        rc = linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    if (rc) {
        linnet_nn_engine_close(engine);
        return rc;
    }
    *out = engine;
    return 0;
}

/* The same, where "auto" took a GPU that turns out not to be up to this network: on the CPU then. */
static int open_on(const struct linnet_nn_backend *backend, const struct linnet_nn_model *model,
                   struct linnet_nn_graph *graph, const struct linnet_nn_options *options,
                   struct linnet_error *fallback, struct linnet_nn_engine **out, struct linnet_error *err) {
    const struct linnet_nn_backend *cpu;
    if (!is_auto(options->backend) || fallback->code || linnet_nn_backend_find("cpu", &cpu, NULL) ||
        cpu == backend)
        return open_one(backend, model, graph, options, fallback, out, err);
    struct linnet_error why = {0}, none = {0};
    struct linnet_nn_graph *again = linnet_nn_graph_clone(graph); /* keeps the weights until it is known */
    if (!again) {
        linnet_nn_graph_free(graph);
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    int rc = open_one(backend, model, graph, options, fallback, out, &why);
    if (!rc || rc == LINNET_E_NOMEM || check_device(cpu, options, &none)) {
        linnet_nn_graph_free(again);
        return rc ? linnet_nn_fail(err, rc, "%s%s%s", why.detail, none.code ? "; nor is there another: " : "",
                                   none.detail)
                  : 0;
    }
    return open_one(cpu, model, again, options, &why, out, err);
}

int linnet_nn_engine_open(const struct linnet_nn_model *model, const struct linnet_nn_options *options,
                          struct linnet_nn_engine **out, struct linnet_error *err) {
    const struct linnet_nn_backend *backend;
    struct linnet_error fallback = {0};
    int rc = choose(model, options, &backend, &fallback, err);
    if (rc) return rc;
    struct linnet_nn_graph *graph = linnet_nn_graph_clone(model->graph);
    if (!graph) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    return open_on(backend, model, graph, options, &fallback, out, err);
}

int linnet_nn_engine_take(struct linnet_nn_model *model, const struct linnet_nn_options *options,
                          struct linnet_nn_engine **out, struct linnet_error *err) {
    const struct linnet_nn_backend *backend;
    struct linnet_error fallback = {0};
    int rc = choose(model, options, &backend, &fallback, err);
    if (rc) return rc;
    struct linnet_nn_graph *graph = model->graph;
    model->graph = NULL;
    return open_on(backend, model, graph, options, &fallback, out, err);
}

void linnet_nn_engine_close(struct linnet_nn_engine *engine) {
    if (!engine) return;
    if (engine->program) engine->backend->release(engine->program);
    free(engine->input_elements);
    free(engine->output_elements);
    free(engine);
}

const char *linnet_nn_engine_device(const struct linnet_nn_engine *engine) {
    return engine->backend->device(engine->program);
}

const char *linnet_nn_engine_fallback(const struct linnet_nn_engine *engine) {
    return engine->fallback.code ? engine->fallback.detail : NULL;
}

void linnet_nn_engine_limits(const struct linnet_nn_engine *engine, double *flops, double *bytes) {
    *flops = *bytes = 0;
    if (engine->backend->limits) engine->backend->limits(engine->program, flops, bytes);
}

static const char *const precisions[] = {"f32", "bf16", "f16", "int8"};

const char *linnet_nn_precision_name(enum linnet_nn_precision precision) {
    return precisions[precision];
}

bool linnet_nn_precision_parse(const char *name, enum linnet_nn_precision *out) {
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        if (strcmp(name, precisions[i]) != 0) continue;
        *out = (enum linnet_nn_precision)i;
        return true;
    }
    return false;
}

bool linnet_nn_precision_native(const char *backend, enum linnet_nn_precision precision) {
    const struct linnet_nn_backend *found;
    return !choose_backend(backend, &found, NULL, NULL) && found->native(precision);
}

static void free_each(float **list, size_t count) {
    for (size_t i = 0; list && i < count; i++)
        free(list[i]);
    free(list);
}

int linnet_nn_session_open(struct linnet_nn_engine *engine, struct linnet_nn_session **out,
                           struct linnet_error *err) {
    struct linnet_nn_session *session = calloc(1, sizeof *session);
    if (!session) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    session->engine = engine;
    session->inputs = calloc(engine->ninputs, sizeof *session->inputs);
    session->outputs = calloc(engine->noutputs, sizeof *session->outputs);
    int rc = session->inputs && session->outputs
                 ? engine->backend->session_open(engine->program, &session->run, err)
                 : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    if (rc) {
        linnet_nn_session_close(session);
        return rc;
    }
    *out = session;
    return 0;
}

void linnet_nn_session_close(struct linnet_nn_session *session) {
    if (!session) return;
    if (session->run) session->engine->backend->session_close(session->run);
    free_each(session->padded_inputs, session->engine->ninputs);
    free_each(session->padded_outputs, session->engine->noutputs);
    free(session->padded_pixels);
    free(session->inputs);
    free(session->outputs);
    free(session);
}

float **linnet_nn_session_room(const size_t *elements, size_t count, unsigned samples) {
    float **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++) {
        list[i] = calloc(elements[i] * samples, sizeof **list);
        if (list[i]) continue;
        free_each(list, count);
        return NULL;
    }
    return list;
}

static int run_padded(struct linnet_nn_session *session, unsigned bucket, unsigned left,
                      struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    unsigned largest = engine->target.buckets[engine->target.nbuckets - 1];
    if (!session->padded_inputs)
        session->padded_inputs = linnet_nn_session_room(engine->input_elements, engine->ninputs, largest);
    if (!session->padded_outputs)
        session->padded_outputs = linnet_nn_session_room(engine->output_elements, engine->noutputs, largest);
    if (!session->padded_inputs || !session->padded_outputs)
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory for a batch of %u", largest);
    for (size_t i = 0; i < engine->ninputs; i++)
        memcpy(session->padded_inputs[i], session->inputs[i],
               left * engine->input_elements[i] * sizeof(float));
    int rc = engine->backend->session_run(session->run, bucket, (const float *const *)session->padded_inputs,
                                          session->padded_outputs, err);
    for (size_t i = 0; i < engine->noutputs && !rc; i++)
        if (session->outputs[i])
            memcpy(session->outputs[i], session->padded_outputs[i],
                   left * engine->output_elements[i] * sizeof(float));
    return rc;
}

int linnet_nn_session_run(struct linnet_nn_session *session, unsigned n, const float *const *inputs,
                          float *const *outputs, struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    const struct linnet_nn_target *target = &engine->target;
    if (!n) return linnet_nn_fail(err, LINNET_E_INVALID, "a batch of nothing");
    for (unsigned done = 0; done < n;) {
        unsigned left = n - done;
        unsigned bucket =
            linnet_nn_batch_next(target->buckets, target->nbuckets, left, engine->backend->pad_up);
        if (!bucket)
            return linnet_nn_fail(err, LINNET_E_INVALID,
                                  "the network takes batches of %u only, %u samples are left",
                                  target->buckets[0], left);
        for (size_t i = 0; i < engine->ninputs; i++)
            session->inputs[i] = inputs[i] + done * engine->input_elements[i];
        for (size_t i = 0; i < engine->noutputs; i++)
            session->outputs[i] = outputs[i] ? outputs[i] + done * engine->output_elements[i] : NULL;
        int rc = bucket > left ? run_padded(session, bucket, left, err)
                               : engine->backend->session_run(session->run, bucket, session->inputs,
                                                              session->outputs, err);
        if (rc) return rc;
        done += bucket > left ? left : bucket;
    }
    return 0;
}
