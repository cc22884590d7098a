#include "common/nn/cuda/program.h"

#include <stdlib.h>

bool cuda_takes(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    bool add = post->kind == LINNET_NN_POST_ADD;
    for (uint32_t i = 0; i < node->nposts && add; i++)
        if (node->posts[i].kind == LINNET_NN_POST_ADD) return false; /* one tensor is enough */
    switch (node->op) {
    case LINNET_NN_OP_CONV:
    case LINNET_NN_OP_GEMM:
    case LINNET_NN_OP_MATMUL:
    case LINNET_NN_OP_BINARY:
    case LINNET_NN_OP_UNARY:
    case LINNET_NN_OP_NORM:
    case LINNET_NN_OP_POOL:
        return true;
    case LINNET_NN_OP_REDUCE:
        return !add;
    default:
        return false;
    }
}

void cuda_program_free(struct cuda_program *program) {
    if (!program) return;
    for (size_t i = 0; i < program->nplans; i++) {
        free(program->plans[i].buffers);
        free(program->plans[i].steps);
    }
    for (uint32_t i = 0; i < program->nconstants; i++) {
        if (program->constants[i].data) linnet_nn_data_unref(program->constants[i].data);
        free(program->constants[i].memory);
    }
    for (uint32_t i = 0; i < program->nnodes; i++)
        free(program->names[i]);
    free(program->names);
    free(program->constants);
    free(program->plans);
    free(program);
}

const struct cuda_plan *cuda_program_plan(const struct cuda_program *program, unsigned batch) {
    for (size_t i = 0; i < program->nplans; i++)
        if (program->plans[i].batch == batch) return &program->plans[i];
    return NULL;
}

size_t cuda_program_arena(const struct cuda_program *program) {
    size_t most = 0;
    for (size_t i = 0; i < program->nplans; i++)
        if (program->plans[i].arena > most) most = program->plans[i].arena;
    return most;
}

size_t cuda_program_constants(const struct cuda_program *program) {
    size_t sum = 0;
    for (uint32_t i = 0; i < program->nconstants; i++)
        sum += (program->constants[i].bytes + CUDA_ALIGN - 1) / CUDA_ALIGN * CUDA_ALIGN;
    return sum;
}

void cuda_program_forget_constants(struct cuda_program *program) {
    for (uint32_t i = 0; i < program->nconstants; i++) {
        if (program->constants[i].data) linnet_nn_data_unref(program->constants[i].data);
        free(program->constants[i].memory);
        program->constants[i].data = NULL;
        program->constants[i].memory = NULL;
    }
}

bool cuda_program_packs(const struct cuda_program *program) {
    const struct cuda_step *first = program->plans[0].nsteps ? &program->plans[0].steps[0] : NULL;
    return program->ninputs == 1 && first && first->kind == CUDA_KERNEL && first->kernel.kind == KERNEL_PACK;
}

void cuda_kernel_take_bytes(struct cuda_kernel *kernel, const float *scale, const float *shift) {
    struct kernel_operand *from = &kernel->operands[CUDA_A];
    from->type = KERNEL_U8;
    from->strides[3] = 1;
    from->strides[2] = kernel->channels;
    from->strides[1] = kernel->dims[2] * from->strides[2];
    from->strides[0] = kernel->dims[1] * from->strides[1];
    for (int c = 0; c < KERNEL_CHANNELS_MAX; c++) {
        kernel->scale[c] = scale[c];
        kernel->shift[c] = shift[c];
    }
}

const char *cuda_step_name(const struct cuda_program *program, const struct cuda_step *step) {
    return step->node < program->nnodes ? program->names[step->node] : "(port)";
}

const char *cuda_step_what(const struct cuda_step *step) {
    static const char *const products[] = {"convolution", "product", "attention"};
    static const char *const kernels[] = {"map",    "fill",    "pack",       "pool", "depthwise",
                                          "reduce", "softmax", "layer norm", "small"};
    return step->kind == CUDA_PRODUCT ? products[step->spec.kind] : kernels[step->kernel.kind];
}

void cuda_step_safe_spec(const struct cuda_step *step, struct dnn_spec *out) {
    *out = step->spec;
    out->nposts = step->safe;
}
