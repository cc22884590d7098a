/* The backend "cpu": programs compiled by oneDNN, sessions that run them on the thread that asks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/nn/cpu/program.h"
#include "common/nn/fail.h"
#include "common/nn/passes/passes.h"

#define TIMED 9 /* runs that a step's time is the median of */

/* What one bucket of a session needs to run. */
struct bucket {
    struct dnn_call **calls; /* for each step; NULL for those of ours */
};

struct linnet_nn_run {
    const struct linnet_nn_program *program;
    struct dnn_stream *stream;
    char *arena, *scratch;
    struct bucket *buckets; /* made when first used */
};

static bool native(enum linnet_nn_precision precision) {
    return precision == LINNET_NN_PRECISION_F32 || precision == LINNET_NN_PRECISION_INT8 ||
           (precision == LINNET_NN_PRECISION_BF16 && !dnn_open(NULL) && dnn_has_bf16());
}

/* Products take residuals and functions; the others' functions are a pass over memory either way, but one
 * that finds the result in the cache. */
static bool takes(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    struct linnet_nn_unary steps[2];
    if (post->kind == LINNET_NN_POST_UNARY && !dnn_function_steps(&post->unary, steps)) return false;
    switch (node->op) {
    case LINNET_NN_OP_CONV:
    case LINNET_NN_OP_GEMM:
    case LINNET_NN_OP_MATMUL:
        return true;
    case LINNET_NN_OP_NORM:
        return post->kind == LINNET_NN_POST_UNARY && post->unary.function == LINNET_NN_RELU && !node->nposts;
    default:
        return false;
    }
}

static int plan_arena(struct cpu_plan *plan, struct linnet_error *err) {
    struct linnet_nn_buffer *buffers = calloc(plan->nbuffers ? plan->nbuffers : 1, sizeof *buffers);
    if (!buffers) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < plan->nbuffers; i++) {
        const struct cpu_buffer *buffer = &plan->buffers[i];
        if (buffer->memory != CPU_ARENA || buffer->first == UINT32_MAX) continue;
        buffers[i] =
            (struct linnet_nn_buffer){.size = buffer->bytes, .first = buffer->first, .last = buffer->last};
    }
    int rc = linnet_nn_plan_memory(buffers, plan->nbuffers, CPU_ALIGN, &plan->arena);
    for (uint32_t i = 0; i < plan->nbuffers && !rc; i++)
        plan->buffers[i].offset = buffers[i].offset;
    free(buffers);
    if (rc) return linnet_nn_fail(err, rc, "out of memory");
    size_t here = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (plan->arena <= here && plan->scratch <= here - plan->arena) return 0;
    return linnet_nn_fail(err, LINNET_E_LIMIT, "a batch of %u needs %.1f GB of memory, the machine has %.1f",
                          plan->batch, (double)(plan->arena + plan->scratch) * 1e-9, (double)here * 1e-9);
}

static void release(struct linnet_nn_program *program) {
    if (!program) return;
    for (size_t i = 0; i < program->nplans; i++)
        cpu_plan_done(&program->plans[i]);
    free(program->plans);
    cpu_constants_done(program);
    free(program);
}

static int compile(struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err) {
    struct linnet_nn_program *program = calloc(1, sizeof *program);
    if (program) program->plans = calloc(target->nbuckets, sizeof *program->plans);
    if (!program || !program->plans) {
        release(program);
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    program->target = *target;
    program->ninputs = graph->ninputs;
    program->noutputs = graph->noutputs;
    snprintf(program->device, sizeof program->device, "cpu (oneDNN %s, %s)", dnn_version(), dnn_isa());
    int before = dnn_set_threads((int)target->threads), rc = 0;
    for (size_t i = 0; i < target->nbuckets; i++)
        program->plans[i].batch = target->buckets[i];
    program->nplans = target->nbuckets;
    rc = cpu_lower(program, graph, err);
    for (size_t i = 0; i < target->nbuckets && !rc; i++)
        rc = plan_arena(&program->plans[i], err);
    dnn_set_threads(before);
    if (!rc) cpu_constants_settle(program);
    if (rc) {
        release(program);
        return rc;
    }
    *out = program;
    return 0;
}

static const char *device(const struct linnet_nn_program *program) {
    return program->device;
}

static void *allocate(size_t size) {
    return aligned_alloc(4096, (size + 4096) / 4096 * 4096);
}

static void session_close(struct linnet_nn_run *run) {
    if (!run) return;
    for (size_t i = 0; run->buckets && i < run->program->nplans; i++) {
        for (uint32_t k = 0; run->buckets[i].calls && k < run->program->plans[i].nsteps; k++)
            dnn_call_free(run->buckets[i].calls[k]);
        free(run->buckets[i].calls);
    }
    free(run->buckets);
    dnn_stream_free(run->stream);
    free(run->arena);
    free(run->scratch);
    free(run);
}

static int session_open(struct linnet_nn_program *program, struct linnet_nn_run **out,
                        struct linnet_error *err) {
    size_t arena = 0, scratch = 0;
    for (size_t i = 0; i < program->nplans; i++) {
        if (program->plans[i].arena > arena) arena = program->plans[i].arena;
        if (program->plans[i].scratch > scratch) scratch = program->plans[i].scratch;
    }
    struct linnet_nn_run *run = calloc(1, sizeof *run);
    if (run) {
        run->program = program;
        run->buckets = calloc(program->nplans + 1, sizeof *run->buckets);
        run->stream = dnn_stream_new();
        run->arena = allocate(arena);
        run->scratch = allocate(scratch);
    }
    if (!run || !run->buckets || !run->stream || !run->arena || !run->scratch) {
        session_close(run);
        return linnet_nn_fail(err, LINNET_E_NOMEM, "no memory for a session of %.1f MB",
                              (double)(arena + scratch) * 1e-6);
    }
    *out = run;
    return 0;
}

/* Where a buffer is for this run; NULL for ports, which are bound each time. */
static void *address(const struct linnet_nn_run *run, const struct cpu_buffer *buffer) {
    if (buffer->memory == CPU_CONSTANT) return buffer->constant;
    return buffer->memory == CPU_ARENA ? run->arena + buffer->offset : NULL;
}

static int make_call(struct linnet_nn_run *run, const struct cpu_plan *plan, const struct cpu_step *step,
                     struct dnn_call **call, const char **why) {
    struct dnn_argument *arguments = calloc((size_t)step->narguments, sizeof *arguments);
    if (!arguments) return LINNET_E_NOMEM;
    for (int i = 0; i < step->narguments; i++) {
        const struct cpu_place *place = &step->arguments[i].place;
        arguments[i] = (struct dnn_argument){step->arguments[i].role, place->layout,
                                             address(run, &plan->buffers[place->buffer])};
    }
    int rc = dnn_call_new(step->op, arguments, step->narguments, run->scratch, call, why);
    free(arguments);
    return rc;
}

static int make_calls(struct linnet_nn_run *run, size_t index, struct linnet_error *err) {
    const struct cpu_plan *plan = &run->program->plans[index];
    struct bucket *bucket = &run->buckets[index];
    const char *why = "out of memory";
    if (bucket->calls) return 0;
    bucket->calls = calloc(plan->nsteps + 1, sizeof(struct dnn_call *));
    int rc = bucket->calls ? 0 : LINNET_E_NOMEM;
    for (uint32_t i = 0; i < plan->nsteps && !rc; i++)
        if (plan->steps[i].kind == CPU_RUN)
            rc = make_call(run, plan, &plan->steps[i], &bucket->calls[i], &why);
    return rc ? linnet_nn_fail(err, rc, "oneDNN: %s", why) : 0;
}

/* Point a step at the caller's memory. False: it writes an output that nobody wants. */
static bool bind_ports(const struct cpu_plan *plan, const struct cpu_step *step, struct dnn_call *call,
                       const float *const *inputs, float *const *outputs) {
    for (int i = 0; i < step->narguments; i++) {
        const struct cpu_buffer *buffer = &plan->buffers[step->arguments[i].place.buffer];
        if (buffer->memory == CPU_OUTPUT && !outputs[buffer->port]) return false;
        if (buffer->memory == CPU_OUTPUT) dnn_call_bind(call, i, outputs[buffer->port]);
        if (buffer->memory == CPU_INPUT) dnn_call_bind(call, i, (void *)inputs[buffer->port]);
    }
    return true;
}

/* An argument's memory for a step of ours. */
static void *argument(const struct linnet_nn_run *run, const struct cpu_plan *plan,
                      const struct cpu_step *step, int i, const float *const *inputs) {
    const struct cpu_buffer *buffer = &plan->buffers[step->arguments[i].place.buffer];
    return buffer->memory == CPU_INPUT ? (void *)inputs[buffer->port] : address(run, buffer);
}

static void run_own(const struct linnet_nn_run *run, const struct cpu_plan *plan, const struct cpu_step *step,
                    const float *const *inputs) {
    const struct dnn_layout *layouts[3] = {NULL};
    void *memory[3] = {NULL};
    for (int i = 0; i < step->narguments; i++) {
        layouts[i] = step->arguments[i].place.layout;
        memory[i] = argument(run, plan, step, i, inputs);
    }
    if (step->kind == CPU_FILL) {
        size_t each = dnn_layout_type(layouts[0]) == LINNET_NN_BF16 ? 2 : 4;
        cpu_fill(memory[0], dnn_layout_type(layouts[0]), dnn_layout_bytes(layouts[0]) / each, step->value);
        return;
    }
    if (step->kind == CPU_FUNCTION) {
        size_t each = dnn_layout_type(layouts[0]) == LINNET_NN_BF16 ? 2 : 4;
        cpu_apply(&step->unary, dnn_layout_type(layouts[0]), dnn_layout_bytes(layouts[0]) / each, memory[0],
                  memory[1]);
        return;
    }
    cpu_broadcast(step->arithmetic, dnn_layout_rank(layouts[2]), memory[0], dnn_layout_dims(layouts[0]),
                  dnn_layout_type(layouts[0]), memory[1], dnn_layout_dims(layouts[1]),
                  dnn_layout_type(layouts[1]), memory[2], dnn_layout_dims(layouts[2]),
                  dnn_layout_type(layouts[2]));
}

static int run_step(struct linnet_nn_run *run, size_t index, uint32_t i, const float *const *inputs,
                    float *const *outputs, struct linnet_error *err) {
    const struct cpu_plan *plan = &run->program->plans[index];
    const struct cpu_step *step = &plan->steps[i];
    struct dnn_call *call = run->buckets[index].calls[i];
    const char *why = "";
    if (!call) {
        run_own(run, plan, step, inputs);
        return 0;
    }
    if (!bind_ports(plan, step, call, inputs, outputs)) return 0;
    int rc = dnn_call_run(call, run->stream, &why);
    return rc ? linnet_nn_fail(err, rc, "oneDNN: step %u: %s", i, why) : 0;
}

static int run_plan(struct linnet_nn_run *run, size_t index, const float *const *inputs,
                    float *const *outputs, struct linnet_error *err) {
    int rc = make_calls(run, index, err);
    for (uint32_t i = 0; i < run->program->plans[index].nsteps && !rc; i++)
        rc = run_step(run, index, i, inputs, outputs, err);
    return rc;
}

/* The plan of a bucket; nplans: there is none. */
static size_t plan_of(const struct linnet_nn_program *program, unsigned n) {
    size_t index = 0;
    while (index < program->nplans && program->plans[index].batch != n)
        index++;
    return index;
}

static int session_run(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                       float *const *outputs, struct linnet_error *err) {
    size_t index = plan_of(run->program, n);
    if (index == run->program->nplans) return linnet_nn_fail(err, LINNET_E_INTERNAL, "no bucket of %u", n);
    int before = dnn_set_threads((int)run->program->target.threads);
    int rc = run_plan(run, index, inputs, outputs, err);
    dnn_set_threads(before);
    return rc;
}

/* Seconds: of this thread alone where it does all the work, so that others on the processor do not count. */
static double now(const struct linnet_nn_program *program) {
    struct timespec time;
    clock_gettime(program->target.threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void describe(const struct cpu_plan *plan, const struct cpu_step *step,
                     struct linnet_nn_layer *layer) {
    static const char *const own[] = {
        [CPU_RUN] = "", [CPU_FILL] = "fill", [CPU_BROADCAST] = "broadcast", [CPU_FUNCTION] = "function"};
    snprintf(layer->name, sizeof layer->name, "%s", step->name);
    snprintf(layer->how, sizeof layer->how, "%s",
             step->op ? dnn_op_implementation(step->op) : own[step->kind]);
    layer->flops = step->flops * plan->batch;
    for (int i = 0; i < step->narguments; i++)
        layer->bytes += (double)dnn_layout_bytes(step->arguments[i].place.layout);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Whole runs with a look at the clock between the steps, so that each finds the caches as it does at work:
 * times[step * TIMED + run]. */
static int time_steps(struct linnet_nn_run *run, size_t index, const float *const *inputs,
                      float *const *outputs, double *times, struct linnet_error *err) {
    int rc = run_plan(run, index, inputs, outputs, err);
    for (int k = 0; k < TIMED && !rc; k++) {
        double before = now(run->program);
        for (uint32_t i = 0; i < run->program->plans[index].nsteps && !rc; i++) {
            rc = run_step(run, index, i, inputs, outputs, err);
            double after = now(run->program);
            times[i * TIMED + k] = after - before;
            before = after;
        }
    }
    return rc;
}

static int session_layers(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                          float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                          struct linnet_error *err) {
    size_t index = plan_of(run->program, n);
    if (index == run->program->nplans) return linnet_nn_fail(err, LINNET_E_INTERNAL, "no bucket of %u", n);
    const struct cpu_plan *plan = &run->program->plans[index];
    struct linnet_nn_layer *list = calloc(plan->nsteps + 1, sizeof *list);
    double *times = calloc((size_t)plan->nsteps * TIMED + 1, sizeof *times);
    int rc = list && times ? 0 : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    int before = dnn_set_threads((int)run->program->target.threads);
    if (!rc) rc = time_steps(run, index, inputs, outputs, times, err);
    dnn_set_threads(before);
    for (uint32_t i = 0; i < plan->nsteps && !rc; i++) {
        describe(plan, &plan->steps[i], &list[i]);
        qsort(times + i * TIMED, TIMED, sizeof *times, ascending);
        list[i].seconds = times[i * TIMED + TIMED / 2];
    }
    free(times);
    if (rc) {
        free(list);
        return rc;
    }
    *layers = list;
    *count = plan->nsteps;
    return 0;
}

static const struct linnet_nn_backend backend = {
    .struct_size = sizeof backend,
    .abi = LINNET_NN_BACKEND_ABI,
    .name = "cpu",
    .pad_up = false, /* time grows with the batch here */
    .probe = dnn_open,
    .native = native,
    .takes = takes,
    .compile = compile,
    .release = release,
    .device = device,
    .session_open = session_open,
    .session_close = session_close,
    .session_run = session_run,
    .session_layers = session_layers,
};

__attribute__((visibility("default"))) const struct linnet_nn_backend *linnet_nn_backend(void);

const struct linnet_nn_backend *linnet_nn_backend(void) {
    return &backend;
}
