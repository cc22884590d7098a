/* oneDNN as the CPU backend sees it: layouts, operations, calls. All that differs between oneDNN's versions
 * is behind this header; dnn2.c implements it on the C API of 2.x (Debian 12), and another file beside it can
 * on that of 3.x.
 *
 * A layout is an immutable description of a tensor in memory, a compiled operation is immutable and shared by
 * threads, a call binds an operation to memory and belongs to one thread. Functions that return 0 or an error
 * code fill `why` with oneDNN's own word for it. */
#ifndef LINNET_NN_CPU_DNN_H
#define LINNET_NN_CPU_DNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nn/graph.h"

struct dnn_layout;
struct dnn_op;
struct dnn_call;
struct dnn_stream;

/* The library: opened once for the process. "2.6.3", "avx512_core_bf16". */
int dnn_open(struct linnet_error *err);
const char *dnn_version(void);
const char *dnn_isa(void);
bool dnn_has_bf16(void);
/* Does the processor sum products of 8 bits without loss (VNNI)? Without, two products of a full U8 and a
 * full S8 may be too much for the 16 bits that they are added in: weights have to keep to 7 bits then. */
bool dnn_has_vnni(void);

/* How many OpenMP threads oneDNN uses on the calling thread; returns what it was. One means that no parallel
 * region is ever entered, so that OpenMP starts no thread that could spin. */
int dnn_set_threads(int threads);

/* Layouts. Types: LINNET_NN_F32, LINNET_NN_BF16, LINNET_NN_U8, LINNET_NN_S8. Plain is row-major; any leaves
 * the choice to the operation. A layout has a scale, 1 unless one is given: an element stands for itself
 * times that, and a copy into a layout of another scale keeps what elements stand for. The caller frees;
 * NULL: out of memory, or (view functions) a view that oneDNN can't describe. */
struct dnn_layout *dnn_layout_plain(enum linnet_nn_type type, int rank, const int64_t *dims);
struct dnn_layout *dnn_layout_any(enum linnet_nn_type type, int rank, const int64_t *dims);
struct dnn_layout *dnn_layout_copy(const struct dnn_layout *layout);
/* The same memory with other dimensions; with dimension i being axes[i] of `layout`; a part of it. */
struct dnn_layout *dnn_layout_reshape(const struct dnn_layout *layout, int rank, const int64_t *dims);
struct dnn_layout *dnn_layout_permute(const struct dnn_layout *layout, const int *axes);
struct dnn_layout *dnn_layout_slice(const struct dnn_layout *layout, const int64_t *starts,
                                    const int64_t *dims);
/* The same order in memory (or plain, where oneDNN has no way to say so) for elements of another type and
 * scale. */
struct dnn_layout *dnn_layout_retype(const struct dnn_layout *layout, enum linnet_nn_type type, float scale);
void dnn_layout_free(struct dnn_layout *layout);
bool dnn_layout_equal(const struct dnn_layout *a, const struct dnn_layout *b);
size_t dnn_layout_bytes(const struct dnn_layout *layout);
enum linnet_nn_type dnn_layout_type(const struct dnn_layout *layout);
float dnn_layout_scale(const struct dnn_layout *layout);
int dnn_layout_rank(const struct dnn_layout *layout);
const int64_t *dnn_layout_dims(const struct dnn_layout *layout);

/* The arguments of an operation. DNN_SOURCES + i and DNN_POSTS + i for the ith of several. */
enum dnn_role {
    DNN_SOURCE,
    DNN_SOURCE_1,
    DNN_WEIGHTS,
    DNN_BIAS,
    DNN_DESTINATION,
    DNN_MEAN,
    DNN_VARIANCE,
    DNN_SCALE,
    DNN_SHIFT,
    DNN_POSTS = 0x100,   /* the tensor that post i adds */
    DNN_SOURCES = 0x1000 /* of a concatenation */
};

enum dnn_kind {
    DNN_COPY,         /* SOURCE to DESTINATION, both given: reorders and converts */
    DNN_CONVOLUTION,  /* SOURCE, WEIGHTS, optional BIAS */
    DNN_INNER,        /* inner product: SOURCE [M, K], WEIGHTS [O, K], optional BIAS */
    DNN_MATMUL,       /* SOURCE, WEIGHTS */
    DNN_POOL,         /* SOURCE */
    DNN_REDUCTION,    /* SOURCE to DESTINATION, given */
    DNN_NORMALISE,    /* batch normalisation with known statistics: SOURCE, SCALE, SHIFT, MEAN, VARIANCE */
    DNN_LAYER_NORM,   /* over the last dimension: SOURCE, plain, SCALE, SHIFT */
    DNN_FUNCTION,     /* SOURCE */
    DNN_ARITHMETIC,   /* SOURCE, SOURCE_1 which may have dimensions of 1 */
    DNN_SOFTMAX,      /* SOURCE */
    DNN_CONCATENATION /* SOURCES */
};

/* One step of what is done to a result before it is written: a function, plus a tensor, or plus what the
 * destination holds. */
struct dnn_post {
    struct linnet_nn_unary unary;
    const struct dnn_layout *add; /* NULL: the function, or */
    bool accumulate;              /* the destination's old elements, which are */
    enum linnet_nn_type type;     /* of this type where the destination has 8 bits */
    float scale;                  /* what is added or the function's value is multiplied by it; 0: by 1 */
};

/* What is wanted of an operation. Layouts are borrowed for the call; any where the operation may choose. */
struct dnn_spec {
    enum dnn_kind kind;
    const struct dnn_layout *source, *source_1, *weights, *bias, *destination;
    const struct dnn_layout *const *sources; /* concatenation */
    int nsources;
    const struct linnet_nn_window *window; /* convolution, pool */
    bool average, include_padding;         /* pool */
    enum linnet_nn_reduction reduction;
    enum linnet_nn_arithmetic arithmetic;
    struct linnet_nn_unary unary;
    float epsilon;
    int axis;      /* softmax, concatenation */
    float *scales; /* convolution, inner product: the sums of each channel, with the bias in them, are */
    int nscales;   /* multiplied by these before the posts; NULL: by 1 */
    struct dnn_post posts[2 * LINNET_NN_POSTS_MAX];
    int nposts;
};

/* A function that takes several steps of oneDNN's is cut into them: fills steps[2], returns how many. 0:
 * oneDNN does not have it. */
int dnn_function_steps(const struct linnet_nn_unary *unary, struct linnet_nn_unary steps[2]);

/* Compile. LINNET_E_UNSUPPORTED: no implementation for this; LINNET_E_NOMEM. */
int dnn_op_new(const struct dnn_spec *spec, struct dnn_op **out, const char **why);
void dnn_op_free(struct dnn_op *op);
/* What the operation settled on for an argument. Borrowed. NULL: it has none such. */
const struct dnn_layout *dnn_op_layout(const struct dnn_op *op, enum dnn_role role);
/* Bytes of scratch memory that a call needs. */
size_t dnn_op_scratch(const struct dnn_op *op);
enum dnn_kind dnn_op_kind(const struct dnn_op *op);
/* "brgconv:avx512_core_amx" and the like. */
const char *dnn_op_implementation(const struct dnn_op *op);

/* One argument of a call: memory that outlives it, in the layout that the operation settled on. */
struct dnn_argument {
    int role;
    const struct dnn_layout *layout;
    void *memory;
};
#define DNN_ARGUMENTS_MAX 512

int dnn_call_new(const struct dnn_op *op, const struct dnn_argument *arguments, int n, void *scratch,
                 struct dnn_call **out, const char **why);
void dnn_call_free(struct dnn_call *call);
/* Let argument i point elsewhere. */
void dnn_call_bind(struct dnn_call *call, int i, void *memory);
int dnn_call_run(struct dnn_call *call, struct dnn_stream *stream, const char **why);

/* What calls are run on, one for each thread at a time. NULL: out of memory. */
struct dnn_stream *dnn_stream_new(void);
void dnn_stream_free(struct dnn_stream *stream);

#endif
