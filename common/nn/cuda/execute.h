/* Running programs on a GPU: what a program needs there (constants, plans that were timed), and what a
 * session does (its arena, pinned memory, a CUDA graph for each bucket). Internal to the GPU backend. */
#ifndef LINNET_NN_CUDA_EXECUTE_H
#define LINNET_NN_CUDA_EXECUTE_H

#include "common/nn/cuda/blaslt.h"
#include "common/nn/cuda/device.h"
#include "common/nn/cuda/program.h"

/* How one product is computed: by one of the two, whichever was faster. */
struct cuda_choice {
    struct dnn_plan *dnn;
    struct cuda_gemm *gemm;
    bool whole; /* with all its posts: no kernel after it */
    size_t workspace;
};

/* A program on its device. Immutable once made, but for `dnn` and `lt`, which the lock guards: cuDNN's handle
 * is one thread's at a time. */
struct linnet_nn_program {
    struct cuda_program *program;
    struct cuda_device device;
    struct dnn_context *dnn;
    char *constants;              /* device memory of all of them */
    size_t *constant_offsets;     /* in it */
    struct cuda_choice **choices; /* for each plan, for each step */
    size_t workspace;             /* the most that any choice wants */
    char name[192];
};

struct cuda_binding {
    const struct linnet_nn_program *program;
    char *arena, *workspace;
    char **inputs, **outputs; /* device memory of the ports */
};

/* The device address of a pointer of a plan's. */
void *cuda_address(const struct cuda_binding *binding, const struct cuda_plan *plan,
                   const struct cuda_pointer *pointer);
/* Enqueue a step. */
int cuda_run_step(const struct cuda_binding *binding, struct dnn_context *dnn, size_t plan, uint32_t step,
                  cudaStream_t stream, struct linnet_error *err);
/* One product as a choice says (with the kernel after it unless it is whole). */
int cuda_run_product(const struct cuda_binding *binding, struct dnn_context *dnn,
                     const struct cuda_plan *plan, const struct cuda_step *step,
                     const struct cuda_choice *choice, cudaStream_t stream, struct linnet_error *err);
/* Find, time and choose how each product of each plan is computed; from the cache where it was done before.
 */
int cuda_choose(struct linnet_nn_program *program, struct linnet_error *err);
void cuda_choice_done(struct cuda_choice *choice);

/* The backend's session functions (common/nn/backend.h). */
int cuda_session_open(struct linnet_nn_program *program, struct linnet_nn_run **out,
                      struct linnet_error *err);
void cuda_session_close(struct linnet_nn_run *run);
int cuda_session_run(struct linnet_nn_run *run, unsigned n, const float *const *inputs, float *const *outputs,
                     struct linnet_error *err);
int cuda_session_run_pixels(struct linnet_nn_run *run, unsigned n, const struct linnet_nn_pixels *pixels,
                            float *const *outputs, struct linnet_error *err);
int cuda_session_layers(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                        float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                        struct linnet_error *err);

#endif
