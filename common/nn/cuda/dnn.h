/* cuDNN's graph API as the backend sees it: a product (a convolution, a matrix product, attention) with what
 * is done to its result before it is written, as one specification; the plans that cuDNN has for it; running
 * one.
 *
 * Planning needs no GPU: a context is made either for the device in this machine, or from a description of a
 * device (cuDNN's own JSON of its properties), and what is planned for one is the same.
 *
 * The order of the operations in a graph decides which engines take it: a residual is added before the bias,
 * because the precompiled tensor-core engines know that order alone.
 *
 * A context belongs to one thread at a time; plans are immutable and shared. */
#ifndef LINNET_NN_CUDA_DNN_H
#define LINNET_NN_CUDA_DNN_H

#include "common/nn/cuda/view.h"

#define DNN_RANK_MAX  5
#define DNN_POSTS_MAX 6
#define DNN_NAME_SIZE 64

/* Dimensions as cuDNN has them (images N, C, H, W), strides in elements. */
struct dnn_tensor {
    enum linnet_nn_type type;
    int rank;
    int64_t dims[DNN_RANK_MAX], strides[DNN_RANK_MAX];
};

enum dnn_kind {
    DNN_CONVOLUTION, /* a = data, b = weights [O, I/groups, h, w] */
    DNN_PRODUCT,     /* a = [batch, M, K], b = [batch, K, N]; batches of 1 are broadcast */
    DNN_ATTENTION    /* a = queries, b = keys, c = values, all [N, heads, length, width]; scaled, softmax */
};

/* One step on the result, in order: plus a tensor (a dimension of 1 is broadcast), or a function. */
struct dnn_post {
    bool add;
    struct dnn_tensor tensor;
    struct linnet_nn_unary unary;
};

struct dnn_spec {
    enum dnn_kind kind;
    struct dnn_tensor a, b, c, out;
    struct linnet_nn_window window; /* convolution */
    float scale;                    /* attention */
    struct dnn_post posts[DNN_POSTS_MAX];
    int nposts;
    bool exact; /* products of f32 in f32: no tensor cores, which round the factors */
};

/* What a plan is run on: one pointer for each tensor of its specification. */
struct dnn_arguments {
    void *a, *b, *c, *out, *posts[DNN_POSTS_MAX];
};

struct dnn_context;
struct dnn_plan;

/* For the device that is current (cudnnCreate; `stream` is a cudaStream_t), or for a described one.
 * LINNET_E_UNSUPPORTED without a device, LINNET_E_PARSE for a description that cuDNN does not take. */
int dnn_open(struct dnn_context **out, struct linnet_error *err);
int dnn_open_described(const char *json, struct dnn_context **out, struct linnet_error *err);
void dnn_close(struct dnn_context *context);
/* What the device of a context is, as cuDNN writes it. malloc'ed, the caller's. */
int dnn_describe(struct dnn_context *context, char **json, struct linnet_error *err);
/* "9.19.0" */
const char *dnn_version(void);

/* Does cuDNN have a way to say this function in a graph? */
bool dnn_has_function(const struct linnet_nn_unary *unary);

/* The plans for a specification, at most `max`, the one that cuDNN thinks fastest first. Each is the
 * caller's. LINNET_E_UNSUPPORTED: none, with cuDNN's words. */
int dnn_plan(struct dnn_context *context, const struct dnn_spec *spec, size_t max, struct dnn_plan **plans,
             size_t *count, struct linnet_error *err);
void dnn_plan_free(struct dnn_plan *plan);
/* Bytes of scratch memory; "engine 47, precompiled". */
size_t dnn_plan_workspace(const struct dnn_plan *plan);
const char *dnn_plan_name(const struct dnn_plan *plan);
/* Are its kernels part of the library, or compiled for it when it was made? */
bool dnn_plan_precompiled(const struct dnn_plan *plan);
/* A plan as text that makes it again at once (with the same library, for the same kind of device). malloc'ed.
 */
int dnn_plan_save(const struct dnn_plan *plan, char **text, struct linnet_error *err);
int dnn_plan_load(struct dnn_context *context, const struct dnn_spec *spec, const char *text,
                  struct dnn_plan **out, struct linnet_error *err);
/* Enqueue on a stream (cudaStream_t). LINNET_E_DEVICE, LINNET_E_INTERNAL. */
int dnn_run(struct dnn_context *context, const struct dnn_plan *plan, const struct dnn_arguments *arguments,
            void *workspace, void *stream, struct linnet_error *err);

#endif
