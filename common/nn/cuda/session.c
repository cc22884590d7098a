/* Sessions: the caller's numbers go through pinned memory to the device piece by piece, so that copying one
 * piece by the processor overlaps with the transfer of the one before it; all launches of a bucket are one
 * CUDA graph, captured when the bucket first runs. Several sessions of one program run side by side on
 * streams of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/execute.h"
#include "common/nn/fail.h"

#define RING  4
#define PIECE ((size_t)4 << 20)
#define WAIT_ASIDE                                                                                           \
    8 /* from this batch on the thread sleeps until the device is done, instead of watching it */
#define TIMINGS 11

struct bucket {
    cudaGraphExec_t floats, pixels; /* NULL until they first run */
    struct linnet_nn_pixels packed; /* scale and shift that `pixels` was captured with */
};

struct linnet_nn_run {
    struct linnet_nn_program *program;
    struct cuda_binding binding;
    struct dnn_context *dnn;
    cudaStream_t stream;
    cudaEvent_t done, sleep; /* one to watch, one to sleep on */
    char *ring[RING];        /* pinned */
    cudaEvent_t sent[RING];
    bool used[RING];
    unsigned next;
    char **returned; /* pinned, for each output */
    size_t *input_bytes, *output_bytes;
    struct bucket *buckets;
};

static int enter(const struct linnet_nn_program *program, struct linnet_error *err) {
    return cuda_check(cudaSetDevice(program->device.index), "choosing the GPU", err);
}

void cuda_session_close(struct linnet_nn_run *run) {
    if (!run) return;
    const struct cuda_program *program = run->program->program;
    cudaSetDevice(run->program->device.index);
    if (run->stream) cudaStreamSynchronize(run->stream);
    for (size_t i = 0; run->buckets && i < program->nplans; i++) {
        if (run->buckets[i].floats) cudaGraphExecDestroy(run->buckets[i].floats);
        if (run->buckets[i].pixels) cudaGraphExecDestroy(run->buckets[i].pixels);
    }
    for (int i = 0; i < RING; i++) {
        cudaFreeHost(run->ring[i]);
        if (run->sent[i]) cudaEventDestroy(run->sent[i]);
    }
    for (size_t i = 0; run->binding.inputs && i < program->ninputs; i++)
        cudaFree(run->binding.inputs[i]);
    for (size_t i = 0; run->binding.outputs && i < program->noutputs; i++)
        cudaFree(run->binding.outputs[i]);
    for (size_t i = 0; run->returned && i < program->noutputs; i++)
        cudaFreeHost(run->returned[i]);
    cudaFree(run->binding.arena);
    cudaFree(run->binding.workspace);
    if (run->done) cudaEventDestroy(run->done);
    if (run->sleep) cudaEventDestroy(run->sleep);
    if (run->stream) cudaStreamDestroy(run->stream);
    dnn_close(run->dnn);
    free(run->binding.inputs);
    free(run->binding.outputs);
    free(run->returned);
    free(run->input_bytes);
    free(run->output_bytes);
    free(run->buckets);
    free(run);
}

/* The most bytes that each port has in any bucket. */
static void size_ports(struct linnet_nn_run *run) {
    const struct cuda_program *program = run->program->program;
    for (size_t p = 0; p < program->nplans; p++)
        for (uint32_t i = 0; i < program->plans[p].nbuffers; i++) {
            const struct cuda_buffer *buffer = &program->plans[p].buffers[i];
            size_t *list = buffer->memory == CUDA_INPUT    ? run->input_bytes
                           : buffer->memory == CUDA_OUTPUT ? run->output_bytes
                                                           : NULL;
            if (list && buffer->bytes > list[buffer->index]) list[buffer->index] = buffer->bytes;
        }
}

static int open_memory(struct linnet_nn_run *run, struct linnet_error *err) {
    const struct cuda_program *program = run->program->program;
    struct cuda_binding *binding = &run->binding;
    size_t arena = cuda_program_arena(program) + CUDA_ALIGN;
    int rc = cuda_check(cudaMalloc((void **)&binding->arena, arena), "a session's memory", err);
    /* What pads the channels of images is multiplied by zero, and must not be NaN for that. */
    if (!rc) rc = cuda_check(cudaMemset(binding->arena, 0, arena), "a session's memory", err);
    if (!rc)
        rc = cuda_check(cudaMalloc((void **)&binding->workspace, run->program->workspace + CUDA_ALIGN),
                        "a session's memory", err);
    for (size_t i = 0; i < program->ninputs && !rc; i++)
        rc = cuda_check(cudaMalloc((void **)&binding->inputs[i], run->input_bytes[i]), "an input's memory",
                        err);
    for (size_t i = 0; i < program->noutputs && !rc; i++) {
        rc = cuda_check(cudaMalloc((void **)&binding->outputs[i], run->output_bytes[i]), "an output's memory",
                        err);
        if (!rc)
            rc = cuda_check(cudaMallocHost((void **)&run->returned[i], run->output_bytes[i]), "pinned memory",
                            err);
    }
    for (int i = 0; i < RING && !rc; i++) {
        rc = cuda_check(cudaMallocHost((void **)&run->ring[i], PIECE), "pinned memory", err);
        if (!rc)
            rc = cuda_check(cudaEventCreateWithFlags(&run->sent[i], cudaEventDisableTiming), "an event", err);
    }
    return rc;
}

int cuda_session_open(struct linnet_nn_program *program, struct linnet_nn_run **out,
                      struct linnet_error *err) {
    int rc = enter(program, err);
    if (rc) return rc;
    const struct cuda_program *lowered = program->program;
    struct linnet_nn_run *run = calloc(1, sizeof *run);
    if (!run) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    run->program = program;
    run->binding.program = program;
    run->binding.inputs = calloc(lowered->ninputs + 1, sizeof(char *));
    run->binding.outputs = calloc(lowered->noutputs + 1, sizeof(char *));
    run->returned = calloc(lowered->noutputs + 1, sizeof(char *));
    run->input_bytes = calloc(lowered->ninputs + 1, sizeof(size_t));
    run->output_bytes = calloc(lowered->noutputs + 1, sizeof(size_t));
    run->buckets = calloc(lowered->nplans + 1, sizeof *run->buckets);
    if (!run->binding.inputs || !run->binding.outputs || !run->returned || !run->input_bytes ||
        !run->output_bytes || !run->buckets)
        rc = linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) size_ports(run);
    if (!rc) rc = cuda_check(cudaStreamCreateWithFlags(&run->stream, cudaStreamNonBlocking), "a stream", err);
    if (!rc) rc = cuda_check(cudaEventCreateWithFlags(&run->done, cudaEventDisableTiming), "an event", err);
    if (!rc)
        rc = cuda_check(cudaEventCreateWithFlags(&run->sleep, cudaEventDisableTiming | cudaEventBlockingSync),
                        "an event", err);
    if (!rc) rc = dnn_open(&run->dnn, err);
    if (!rc) rc = open_memory(run, err);
    if (rc) {
        cuda_session_close(run);
        return rc;
    }
    *out = run;
    return 0;
}

static size_t plan_index(const struct cuda_program *program, unsigned n) {
    size_t i = 0;
    while (i < program->nplans && program->plans[i].batch != n)
        i++;
    return i;
}

/* Bytes to the device by way of the ring. */
static int send(struct linnet_nn_run *run, const void *from, size_t bytes, char *to,
                struct linnet_error *err) {
    int rc = 0;
    for (size_t at = 0; at < bytes && !rc; at += PIECE) {
        size_t size = bytes - at < PIECE ? bytes - at : PIECE;
        unsigned slot = run->next++ % RING;
        if (run->used[slot]) rc = cuda_check(cudaEventSynchronize(run->sent[slot]), "sending", err);
        if (rc) return rc;
        memcpy(run->ring[slot], (const char *)from + at, size);
        rc = cuda_check(cudaMemcpyAsync(to + at, run->ring[slot], size, cudaMemcpyHostToDevice, run->stream),
                        "sending", err);
        if (!rc) rc = cuda_check(cudaEventRecord(run->sent[slot], run->stream), "sending", err);
        run->used[slot] = true;
    }
    return rc;
}

/* The packing step of pictures: from bytes, with this scale and shift. */
static int run_packing(struct linnet_nn_run *run, const struct cuda_plan *plan, const struct cuda_step *step,
                       const struct linnet_nn_pixels *pixels, struct linnet_error *err) {
    struct cuda_kernel kernel = step->kernel;
    void *memory[KERNEL_OPERANDS_MAX + 1] = {NULL};
    cuda_kernel_take_bytes(&kernel, pixels->scale, pixels->shift);
    for (int i = 0; i <= KERNEL_OPERANDS_MAX; i++)
        memory[i] = cuda_address(&run->binding, plan, &step->pointers[i]);
    return cuda_check((cudaError_t)cuda_kernel_launch(&kernel, memory, run->stream), "launching a kernel",
                      err);
}

static int enqueue(struct linnet_nn_run *run, size_t index, const struct linnet_nn_pixels *pixels,
                   struct linnet_error *err) {
    const struct cuda_plan *plan = &run->program->program->plans[index];
    int rc = 0;
    for (uint32_t i = 0; i < plan->nsteps && !rc; i++) {
        const struct cuda_step *step = &plan->steps[i];
        bool packs = pixels && step->kind == CUDA_KERNEL && step->kernel.kind == KERNEL_PACK;
        rc = packs ? run_packing(run, plan, step, pixels, err)
                   : cuda_run_step(&run->binding, run->dnn, index, i, run->stream, err);
    }
    return rc;
}

/* Record all launches of a bucket. */
static int capture(struct linnet_nn_run *run, size_t index, const struct linnet_nn_pixels *pixels,
                   cudaGraphExec_t *out, struct linnet_error *err) {
    cudaGraph_t graph = NULL;
    /* Once without recording: libraries load their kernels when they first run them. */
    int rc = enqueue(run, index, pixels, err);
    if (!rc) rc = cuda_check(cudaStreamSynchronize(run->stream), "running", err);
    if (!rc)
        rc = cuda_check(cudaStreamBeginCapture(run->stream, cudaStreamCaptureModeThreadLocal), "recording",
                        err);
    if (rc) return rc;
    rc = enqueue(run, index, pixels, err);
    cudaError_t ended = cudaStreamEndCapture(run->stream, &graph);
    if (!rc) rc = cuda_check(ended, "recording", err);
    if (!rc) rc = cuda_check(cudaGraphInstantiate(out, graph, 0), "recording", err);
    if (graph) cudaGraphDestroy(graph);
    return rc;
}

static bool same_channels(const float *a, const float *b) {
    for (size_t i = 0; i < LINNET_NN_CHANNELS_MAX; i++)
        if (a[i] != b[i]) return false;
    return true;
}

/* The graph of a bucket, for numbers or for pictures of this scale and shift. */
static int graph_of(struct linnet_nn_run *run, size_t index, const struct linnet_nn_pixels *pixels,
                    cudaGraphExec_t *out, struct linnet_error *err) {
    struct bucket *bucket = &run->buckets[index];
    cudaGraphExec_t *graph = pixels ? &bucket->pixels : &bucket->floats;
    if (pixels && *graph &&
        !(same_channels(pixels->scale, bucket->packed.scale) && same_channels(pixels->shift, bucket->packed.shift))) {
        cudaGraphExecDestroy(*graph);
        *graph = NULL;
    }
    int rc = *graph ? 0 : capture(run, index, pixels, graph, err);
    if (rc) return rc;
    if (pixels) bucket->packed = *pixels;
    *out = *graph;
    return 0;
}

/* Launch, bring back what is wanted, wait. */
static int finish(struct linnet_nn_run *run, size_t index, const struct linnet_nn_pixels *pixels,
                  float *const *outputs, struct linnet_error *err) {
    const struct cuda_program *program = run->program->program;
    const struct cuda_plan *plan = &program->plans[index];
    cudaGraphExec_t graph;
    int rc = graph_of(run, index, pixels, &graph, err);
    if (!rc) rc = cuda_check(cudaGraphLaunch(graph, run->stream), "running", err);
    for (uint32_t i = 0; i < plan->nbuffers && !rc; i++) {
        const struct cuda_buffer *buffer = &plan->buffers[i];
        if (buffer->memory != CUDA_OUTPUT || !outputs[buffer->index]) continue;
        rc = cuda_check(cudaMemcpyAsync(run->returned[buffer->index], run->binding.outputs[buffer->index],
                                        buffer->bytes, cudaMemcpyDeviceToHost, run->stream),
                        "bringing back", err);
    }
    cudaEvent_t event = plan->batch >= WAIT_ASIDE ? run->sleep : run->done;
    if (!rc) rc = cuda_check(cudaEventRecord(event, run->stream), "running", err);
    if (!rc) rc = cuda_check(cudaEventSynchronize(event), "running", err);
    for (uint32_t i = 0; i < plan->nbuffers && !rc; i++) {
        const struct cuda_buffer *buffer = &plan->buffers[i];
        if (buffer->memory == CUDA_OUTPUT && outputs[buffer->index])
            memcpy(outputs[buffer->index], run->returned[buffer->index], buffer->bytes);
    }
    return rc;
}

static int send_inputs(struct linnet_nn_run *run, const struct cuda_plan *plan, const float *const *inputs,
                       struct linnet_error *err) {
    int rc = 0;
    for (uint32_t i = 0; i < plan->nbuffers && !rc; i++) {
        const struct cuda_buffer *buffer = &plan->buffers[i];
        if (buffer->memory == CUDA_INPUT)
            rc = send(run, inputs[buffer->index], buffer->bytes, run->binding.inputs[buffer->index], err);
    }
    return rc;
}

int cuda_session_run(struct linnet_nn_run *run, unsigned n, const float *const *inputs, float *const *outputs,
                     struct linnet_error *err) {
    const struct cuda_program *program = run->program->program;
    size_t index = plan_index(program, n);
    if (index == program->nplans) return linnet_nn_fail(err, LINNET_E_INTERNAL, "no bucket of %u", n);
    int rc = enter(run->program, err);
    if (!rc) rc = send_inputs(run, &program->plans[index], inputs, err);
    return rc ? rc : finish(run, index, NULL, outputs, err);
}

int cuda_session_run_pixels(struct linnet_nn_run *run, unsigned n, const struct linnet_nn_pixels *pixels,
                            float *const *outputs, struct linnet_error *err) {
    const struct cuda_program *program = run->program->program;
    size_t index = plan_index(program, n), bytes = 0;
    if (!cuda_program_packs(program))
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "this network wants numbers");
    if (index == program->nplans) return linnet_nn_fail(err, LINNET_E_INTERNAL, "no bucket of %u", n);
    for (uint32_t i = 0; i < program->plans[index].nbuffers; i++)
        if (program->plans[index].buffers[i].memory == CUDA_INPUT)
            bytes = program->plans[index].buffers[i].bytes / sizeof(float);
    int rc = enter(run->program, err);
    if (!rc) rc = send(run, pixels->data, bytes, run->binding.inputs[0], err);
    return rc ? rc : finish(run, index, pixels, outputs, err);
}

/* --- times of single steps --- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int time_step(struct linnet_nn_run *run, size_t index, uint32_t step, cudaEvent_t start,
                     cudaEvent_t end, double *seconds, struct linnet_error *err) {
    float times[TIMINGS];
    int rc = 0;
    for (int i = 0; i < TIMINGS && !rc; i++) {
        rc = cuda_check(cudaEventRecord(start, run->stream), "timing", err);
        if (!rc) rc = cuda_run_step(&run->binding, run->dnn, index, step, run->stream, err);
        if (!rc) rc = cuda_check(cudaEventRecord(end, run->stream), "timing", err);
        if (!rc) rc = cuda_check(cudaEventSynchronize(end), "timing", err);
        if (!rc) rc = cuda_check(cudaEventElapsedTime(&times[i], start, end), "timing", err);
    }
    if (rc) return rc;
    qsort(times, TIMINGS, sizeof *times, ascending);
    *seconds = (double)times[TIMINGS / 2] * 1e-3;
    return 0;
}

static void describe(const struct linnet_nn_program *program, size_t index, uint32_t i,
                     struct linnet_nn_layer *layer) {
    const struct cuda_step *step = &program->program->plans[index].steps[i];
    const struct cuda_choice *choice = &program->choices[index][i];
    const char *how = step->kind == CUDA_KERNEL ? cuda_step_what(step)
                      : choice->gemm            ? "cuBLASLt"
                                                : dnn_plan_name(choice->dnn);
    bool tail = step->kind == CUDA_PRODUCT && step->tailed && !choice->whole;
    snprintf(layer->name, sizeof layer->name, "%.*s", (int)sizeof layer->name - 1,
             cuda_step_name(program->program, step));
    snprintf(layer->how, sizeof layer->how, "%.40s%s", how, tail ? " + map" : "");
    layer->flops = step->flops;
    layer->bytes = step->bytes;
}

int cuda_session_layers(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                        float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                        struct linnet_error *err) {
    const struct cuda_program *program = run->program->program;
    size_t index = plan_index(program, n);
    int rc = cuda_session_run(run, n, inputs, outputs, err);
    if (rc) return rc;
    cudaEvent_t start = NULL, end = NULL;
    uint32_t nsteps = program->plans[index].nsteps;
    struct linnet_nn_layer *list = calloc(nsteps + 1, sizeof *list);
    if (!list) rc = linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = cuda_check(cudaEventCreate(&start), "timing", err);
    if (!rc) rc = cuda_check(cudaEventCreate(&end), "timing", err);
    for (uint32_t i = 0; i < nsteps && !rc; i++) {
        describe(run->program, index, i, &list[i]);
        rc = time_step(run, index, i, start, end, &list[i].seconds, err);
    }
    if (start) cudaEventDestroy(start);
    if (end) cudaEventDestroy(end);
    if (rc) {
        free(list);
        return rc;
    }
    *layers = list;
    *count = nsteps;
    return 0;
}
