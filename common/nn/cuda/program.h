/* What a graph becomes for one batch bucket: a list of launches over buffers. Knows nothing of CUDA.
 *
 * Activations are kept in the precision that was asked for, images with their channels innermost; a product's
 * channels are padded to what tensor cores want. Accumulation and the functions after it are in f32. */
#ifndef LINNET_NN_CUDA_PROGRAM_H
#define LINNET_NN_CUDA_PROGRAM_H

#include "common/nn/backend.h"
#include "common/nn/cuda/dnn.h"
#include "common/nn/cuda/kernels.h"

#define CUDA_ALIGN 256

enum cuda_memory {
    CUDA_ARENA,    /* of the session, at `offset` */
    CUDA_CONSTANT, /* constant number `index` of the program */
    CUDA_INPUT,    /* port `index`, f32 as the caller has it, or the picture's bytes */
    CUDA_OUTPUT    /* port `index`, f32 */
};
struct cuda_buffer {
    enum cuda_memory memory;
    size_t bytes;
    uint32_t first, last; /* steps that write it first and use it last */
    size_t offset;
    uint32_t index;
};

/* Where an operand of a step begins. */
struct cuda_pointer {
    uint32_t buffer; /* LINNET_NN_NONE: the step has no such operand */
    size_t offset;   /* bytes */
};

enum cuda_step_kind { CUDA_PRODUCT, CUDA_KERNEL };

/* The order of a step's pointers. */
enum { CUDA_OUT, CUDA_A, CUDA_B, CUDA_C, CUDA_POST };
#define CUDA_POINTERS_MAX (CUDA_POST + DNN_POSTS_MAX)

struct cuda_step {
    enum cuda_step_kind kind;
    uint32_t node; /* that it belongs to; LINNET_NN_NONE: an input or an output of the graph */
    struct cuda_pointer pointers[CUDA_POINTERS_MAX];
    /* A product: all of it, and how many of the posts precompiled engines do as well. The posts after those
     * are what `kernel` does in place, unless all of it is planned as one. */
    struct dnn_spec spec;
    int safe;
    bool tailed; /* `kernel` has to follow a product that was planned with `safe` posts */
    struct cuda_kernel kernel;
    struct cuda_pointer tail_post; /* what the kernel after a product adds */
    double flops, bytes;           /* that it takes at least */
};

struct cuda_plan {
    unsigned batch;
    struct cuda_buffer *buffers;
    struct cuda_step *steps;
    uint32_t nbuffers, nsteps;
    size_t arena; /* bytes */
};

/* A constant as a step wants it, made once and shared by the plans. */
struct cuda_constant {
    struct linnet_nn_data *data; /* made of; a reference. NULL: zeros */
    struct cuda_view from,
        to;       /* dimensions, types and strides; `to` may be longer than `from`, with zeros there */
    void *memory; /* on the host, owned */
    size_t bytes;
};

struct cuda_program {
    struct linnet_nn_target target;
    struct cuda_plan *plans; /* one for each bucket */
    size_t nplans, ninputs, noutputs;
    struct cuda_constant *constants;
    uint32_t nconstants;
    char **names; /* of the nodes */
    uint32_t nnodes;
};

/* May `post` be done by `node`, the fusing passes ask. */
bool cuda_takes(const struct linnet_nn_node *node, const struct linnet_nn_post *post);
/* Lower a graph for every bucket of the target. LINNET_E_UNSUPPORTED with the node's name, LINNET_E_NOMEM. */
int cuda_program_new(const struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                     struct cuda_program **out, struct linnet_error *err);
void cuda_program_free(struct cuda_program *program);
/* The plan of a bucket, NULL if there is none. */
const struct cuda_plan *cuda_program_plan(const struct cuda_program *program, unsigned batch);
/* The largest arena of all plans, and all constants, in bytes. */
size_t cuda_program_arena(const struct cuda_program *program);
size_t cuda_program_constants(const struct cuda_program *program);
/* The host's copy of the constants and the network's own weights, once they are elsewhere. */
void cuda_program_forget_constants(struct cuda_program *program);
/* Does the program begin with packing a picture, so that it could take bytes as well? */
bool cuda_program_packs(const struct cuda_program *program);
/* Let a packing step of f32 [N, C, H, W] take bytes [N, H, W, C]. */
void cuda_kernel_take_bytes(struct cuda_kernel *kernel, const float *scale, const float *shift);
/* A step's node and its kind, for reports. */
const char *cuda_step_name(const struct cuda_program *program, const struct cuda_step *step);
const char *cuda_step_what(const struct cuda_step *step);
/* A product's specification with the posts of precompiled engines only. */
void cuda_step_safe_spec(const struct cuda_step *step, struct dnn_spec *out);

#endif
