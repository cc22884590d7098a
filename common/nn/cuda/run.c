/* Enqueuing steps. */
#include "common/nn/cuda/execute.h"
#include "common/nn/fail.h"

void *cuda_address(const struct cuda_binding *binding, const struct cuda_plan *plan,
                   const struct cuda_pointer *pointer) {
    if (pointer->buffer == LINNET_NN_NONE) return NULL;
    const struct cuda_buffer *buffer = &plan->buffers[pointer->buffer];
    char *base = NULL;
    switch (buffer->memory) {
    case CUDA_ARENA:
        base = binding->arena + buffer->offset;
        break;
    case CUDA_CONSTANT:
        base = binding->program->constants + binding->program->constant_offsets[buffer->index];
        break;
    case CUDA_INPUT:
        base = binding->inputs[buffer->index];
        break;
    case CUDA_OUTPUT:
        base = binding->outputs[buffer->index];
        break;
    }
    return base + pointer->offset;
}

static int launch(const struct cuda_kernel *kernel, void *const *memory, cudaStream_t stream,
                  struct linnet_error *err) {
    return cuda_check((cudaError_t)cuda_kernel_launch(kernel, memory, stream), "launching a kernel", err);
}

int cuda_run_product(const struct cuda_binding *binding, struct dnn_context *dnn,
                     const struct cuda_plan *plan, const struct cuda_step *step,
                     const struct cuda_choice *choice, cudaStream_t stream, struct linnet_error *err) {
    struct dnn_arguments arguments = {.a = cuda_address(binding, plan, &step->pointers[CUDA_A]),
                                      .b = cuda_address(binding, plan, &step->pointers[CUDA_B]),
                                      .c = cuda_address(binding, plan, &step->pointers[CUDA_C]),
                                      .out = cuda_address(binding, plan, &step->pointers[CUDA_OUT])};
    for (int i = 0; i < DNN_POSTS_MAX; i++)
        arguments.posts[i] = cuda_address(binding, plan, &step->pointers[CUDA_POST + i]);
    int rc = choice->gemm ? cuda_gemm_run(choice->gemm, &arguments, binding->workspace, stream, err)
                          : dnn_run(dnn, choice->dnn, &arguments, binding->workspace, stream, err);
    if (rc || choice->whole || !step->tailed) return rc;
    void *memory[KERNEL_OPERANDS_MAX + 1] = {arguments.out, arguments.out};
    memory[KERNEL_OPERANDS_MAX] = cuda_address(binding, plan, &step->tail_post);
    return launch(&step->kernel, memory, stream, err);
}

int cuda_run_step(const struct cuda_binding *binding, struct dnn_context *dnn, size_t plan, uint32_t index,
                  cudaStream_t stream, struct linnet_error *err) {
    const struct linnet_nn_program *program = binding->program;
    const struct cuda_plan *list = &program->program->plans[plan];
    const struct cuda_step *step = &list->steps[index];
    void *memory[KERNEL_OPERANDS_MAX + 1];
    if (step->kind == CUDA_PRODUCT)
        return cuda_run_product(binding, dnn, list, step, &program->choices[plan][index], stream, err);
    for (int i = 0; i <= KERNEL_OPERANDS_MAX; i++)
        memory[i] = cuda_address(binding, list, &step->pointers[i]);
    return launch(&step->kernel, memory, stream, err);
}
