/* The backend "cuda": programs lowered to products (cuDNN, cuBLASLt) and kernels of our own, sessions that
 * run them as CUDA graphs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/execute.h"
#include "common/nn/fail.h"

static bool native(enum linnet_nn_precision precision) {
    (void)precision; /* f32, bf16 and f16, from Ampere on */
    return true;
}

static void release(struct linnet_nn_program *program) {
    if (!program) return;
    cudaSetDevice(program->device.index);
    for (size_t p = 0; program->choices && p < program->program->nplans; p++) {
        for (uint32_t i = 0; program->choices[p] && i < program->program->plans[p].nsteps; i++)
            cuda_choice_done(&program->choices[p][i]);
        free(program->choices[p]);
    }
    free(program->choices);
    free(program->constant_offsets);
    cudaFree(program->constants);
    dnn_close(program->dnn);
    cuda_program_free(program->program);
    free(program);
}

/* Constants, the arena and a session's workspace have to fit beside each other into what is free. */
static int check_memory(const struct linnet_nn_program *program, struct linnet_error *err) {
    const struct cuda_program *lowered = program->program;
    size_t free_bytes = 0, total = 0, constants = cuda_program_constants(lowered),
           arena = cuda_program_arena(lowered);
    int rc = cuda_check(cudaMemGetInfo(&free_bytes, &total), "asking for free memory", err);
    if (rc || (constants <= free_bytes && arena <= free_bytes - constants)) return rc;
    return linnet_nn_fail(
        err, LINNET_E_LIMIT,
        "a batch of %u needs %.1f GB of GPU memory, %s has %.1f of %.1f free: a smaller batch",
        lowered->plans[lowered->nplans - 1].batch, (double)(constants + arena) * 1e-9, program->device.name,
        (double)free_bytes * 1e-9, (double)total * 1e-9);
}

static int upload_constants(struct linnet_nn_program *program, struct linnet_error *err) {
    struct cuda_program *lowered = program->program;
    size_t at = 0;
    program->constant_offsets = calloc(lowered->nconstants + 1, sizeof *program->constant_offsets);
    if (!program->constant_offsets) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    int rc =
        cuda_check(cudaMalloc((void **)&program->constants, cuda_program_constants(lowered) + CUDA_ALIGN),
                   "memory for the weights", err);
    for (uint32_t i = 0; i < lowered->nconstants && !rc; i++) {
        const struct cuda_constant *constant = &lowered->constants[i];
        program->constant_offsets[i] = at;
        rc = cuda_check(
            cudaMemcpy(program->constants + at, constant->memory, constant->bytes, cudaMemcpyHostToDevice),
            "sending the weights", err);
        at += (constant->bytes + CUDA_ALIGN - 1) / CUDA_ALIGN * CUDA_ALIGN;
    }
    if (!rc) cuda_program_forget_constants(lowered);
    return rc;
}

static int compile_on(struct linnet_nn_program *program, struct linnet_error *err) {
    const struct cuda_program *lowered = program->program;
    program->choices = calloc(lowered->nplans + 1, sizeof *program->choices); // NOLINT(bugprone-sizeof-expression): an array of pointers
    if (!program->choices) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    for (size_t p = 0; p < lowered->nplans; p++) {
        program->choices[p] = calloc(lowered->plans[p].nsteps + 1, sizeof **program->choices);
        if (!program->choices[p]) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    int rc = check_memory(program, err);
    if (!rc) rc = upload_constants(program, err);
    if (!rc) rc = dnn_open(&program->dnn, err);
    if (!rc) rc = cuda_choose(program, err);
    return rc;
}

static int compile(struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err) {
    struct linnet_nn_program *program = calloc(1, sizeof *program);
    if (!program) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    int rc = cuda_program_new(graph, target, &program->program, err);
    if (!rc) rc = cuda_device_open(target->device, &program->device, err);
    if (!rc) rc = compile_on(program, err);
    if (rc) {
        release(program);
        return rc;
    }
    snprintf(program->name, sizeof program->name, "cuda (%s, cuDNN %s)", program->device.name, dnn_version());
    *out = program;
    return 0;
}

static const char *device(const struct linnet_nn_program *program) {
    return program->name;
}

static void limits(const struct linnet_nn_program *program, double *flops, double *bytes) {
    /* Products of f32 do not use the tensor cores that these operations are of. */
    bool narrow = program->program->target.precision != LINNET_NN_PRECISION_F32;
    *flops = narrow ? program->device.flops : 0;
    *bytes = narrow ? program->device.bytes : 0;
}

static const struct linnet_nn_backend backend = {
    .struct_size = sizeof backend,
    .abi = LINNET_NN_BACKEND_ABI,
    .name = "cuda",
    .pad_up = true,
    .probe = cuda_probe,
    .devices = cuda_devices,
    .native = native,
    .takes = cuda_takes,
    .compile = compile,
    .release = release,
    .device = device,
    .session_open = cuda_session_open,
    .session_close = cuda_session_close,
    .session_run = cuda_session_run,
    .session_run_pixels = cuda_session_run_pixels,
    .session_layers = cuda_session_layers,
    .limits = limits,
};

__attribute__((visibility("default"))) const struct linnet_nn_backend *linnet_nn_backend(void);

const struct linnet_nn_backend *linnet_nn_backend(void) {
    return &backend;
}
