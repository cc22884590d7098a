/* The kernels that are ours: what cuDNN has no precompiled engine for, or what is bound by memory anyway.
 *
 * A kernel is described by numbers alone (struct cuda_kernel) and gets its memory when it is launched. The
 * same body (kernels_body.cuh) is compiled for the GPU and for the host: cuda_kernel_host runs it, thread
 * after thread, so that indices and arithmetic are tested where there is no GPU. */
#ifndef LINNET_NN_CUDA_KERNELS_H
#define LINNET_NN_CUDA_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KERNEL_RANK_MAX     6
#define KERNEL_OPERANDS_MAX 4 /* out and three inputs */
#define KERNEL_POSTS_MAX    4
#define KERNEL_CHANNELS_MAX 4 /* of a picture */

/* As in common/nn/graph.h and nn.h, whose headers are not for C++: the lowering asserts that they are the
 * same. */
enum kernel_type { KERNEL_F32, KERNEL_U8, KERNEL_I64, KERNEL_BF16, KERNEL_F16 };

struct kernel_post {
    int function; /* enum linnet_nn_function; -1: plus the last operand */
    float alpha, beta;
};

/* Elements of an operand: a stride for each of the kernel's dimensions. */
struct kernel_operand {
    int type; /* enum kernel_type */
    int64_t strides[KERNEL_RANK_MAX];
};

enum kernel_kind {
    KERNEL_MAP,        /* out = posts(a), posts(a op b) or posts(a b + c) */
    KERNEL_FILL,       /* out = value */
    KERNEL_PACK,       /* a picture [N, C, H, W] of f32 or [N, H, W, C] of bytes to [N, H, W, channels], zeros
                          behind C */
    KERNEL_POOL,       /* [N, H, W, C] */
    KERNEL_DEPTHWISE,  /* a [N, H, W, C], b [h, w, C], c [C], then posts with the last operand */
    KERNEL_REDUCE,     /* the first `kept` dimensions stay */
    KERNEL_SOFTMAX,    /* over the last dimension */
    KERNEL_LAYER_NORM, /* over the last dimension; b and c are scale and shift along it */
    KERNEL_SMALL       /* a [M, K], b [O, K], c [O]: a product too small or too odd for tensor cores */
};
enum kernel_operation { KERNEL_COPY = -1, KERNEL_MULADD = 100 }; /* else enum linnet_nn_arithmetic */

struct cuda_kernel {
    enum kernel_kind kind;
    int rank;
    int64_t dims[KERNEL_RANK_MAX];
    struct kernel_operand operands[KERNEL_OPERANDS_MAX + 1]; /* out, a, b, c, what a post adds */
    int width; /* elements of the last dimension that one thread takes: 8 where they are one stretch, else 1
                */
    int operation; /* of MAP; of REDUCE: enum linnet_nn_reduction */
    struct kernel_post posts[KERNEL_POSTS_MAX];
    int nposts;
    float value; /* FILL; LAYER_NORM: epsilon */
    /* pools and depthwise convolutions: dims are [N, out height, out width, C], `operands` have strides for
     * these */
    int64_t in[2], kernel[2], strides[2], dilations[2], before[2];
    bool average, include_padding;
    int64_t
        padded[2]; /* height and width that count as padding where that is included: before + in + after */
    int kept;      /* REDUCE */
    int channels;  /* PACK: of the picture */
    float scale[KERNEL_CHANNELS_MAX], shift[KERNEL_CHANNELS_MAX]; /* PACK of bytes */
};

/* memory[i] is operand i's first element; those that a kernel has not are ignored. Returns a cudaError_t. */
int cuda_kernel_launch(const struct cuda_kernel *kernel, void *const *memory, void *stream);
/* The same on the host, in host memory. */
void cuda_kernel_host(const struct cuda_kernel *kernel, void *const *memory);
#ifdef __cplusplus
}
#endif

#endif
