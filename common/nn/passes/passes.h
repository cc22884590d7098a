/* The passes that make a network read from a file into one that is run for inference. Each is one file and
 * stands alone: it takes a graph in topological order and leaves one, with the same inputs and outputs and,
 * but for rounding, the same values. All return 0, LINNET_E_NOMEM or what is said; on failure the graph is
 * fit for being freed only. */
#ifndef LINNET_NN_PASSES_H
#define LINNET_NN_PASSES_H

#include "common/nn/backend.h"
#include "common/nn/ranges.h"

/* Nodes that change nothing (Identity, Dropout, Reshape and Transpose to what it is already, times 1) give
 * way to their input. */
int linnet_nn_drop_identity(struct linnet_nn_graph *graph);
/* Nodes that read constants only become constants. */
int linnet_nn_fold_constants(struct linnet_nn_graph *graph);
/* Zero padding of spatial dimensions joins the convolution or the average pool that reads it; padding by the
 * lowest value joins a maximum pool. */
int linnet_nn_fold_pad(struct linnet_nn_graph *graph);
/* Arithmetic with one constant number becomes a linear function. */
int linnet_nn_fold_scalar(struct linnet_nn_graph *graph);
/* BatchNormalization joins the weights and the bias of the convolution or product before it. */
int linnet_nn_fold_norm(struct linnet_nn_graph *graph);
/* Adding a constant for each channel becomes the bias of the convolution or product before it. */
int linnet_nn_fold_bias(struct linnet_nn_graph *graph);
/* Multiplying by a constant for each channel joins the weights of the convolution or product before it. */
int linnet_nn_fold_scale(struct linnet_nn_graph *graph);
/* Layer normalisation, GELU and attention that are written out become one node each. Numbers have to be
 * folded (fold_scalar) before. */
int linnet_nn_fuse_layer_norm(struct linnet_nn_graph *graph);
int linnet_nn_fuse_gelu(struct linnet_nn_graph *graph);
int linnet_nn_fuse_attention(struct linnet_nn_graph *graph);
/* x sigmoid(x) and x hard_sigmoid(x) become one function. */
int linnet_nn_fuse_gate(struct linnet_nn_graph *graph);
/* The addition of a tensor of the same shape is done by the node before it, where `backend` takes that. */
int linnet_nn_fuse_residual(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend);
/* A function of single values is done by the node before it, where `backend` takes that. */
int linnet_nn_fuse_activation(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend);
/* Mark what is kept in 16 bits: all that nodes hand to each other, but not the graph's inputs and outputs. */
int linnet_nn_set_precision(struct linnet_nn_graph *graph, enum linnet_nn_precision precision);

/* Mark what is kept in 8 bits, for int8: what a convolution or product with constant weights reads becomes U8
 * (where no value is negative) or S8 with the scale of its range, and so does what it makes and what only
 * moves it, where that is read in 8 bits again. An IDENTITY between tensors of two types converts. A
 * convolution or product computes in integers if its data has 8 bits: the backend's part. Values without a
 * range stay as they are, and so does what reads them. */
int linnet_nn_quantize(struct linnet_nn_graph *graph, const struct linnet_nn_ranges *ranges);

/* All of them, in order. `backend` NULL: no fusion that asks for it; `ranges` is for int8 and may be NULL for
 * others. The failing pass is named in `err`. */
int linnet_nn_optimize(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend,
                       enum linnet_nn_precision precision, const struct linnet_nn_ranges *ranges,
                       struct linnet_error *err);

/* Memory planning: where in one arena each of `n` buffers lies, so that those alive at the same time do not
 * overlap. Greedy, the largest first, each at the lowest place that is free while it lives (Pisarchyk and Lee
 * 2020, "Efficient memory management for deep neural net inference", greedy by size). Sizes are rounded up to
 * `align`. */
struct linnet_nn_buffer {
    size_t size;          /* bytes */
    uint32_t first, last; /* steps that write it first and use it last */
    size_t offset;        /* out */
};
int linnet_nn_plan_memory(struct linnet_nn_buffer *buffers, size_t n, size_t align, size_t *total);

/* Batch buckets: 1, 2, 4, ... up to batch_max for a free batch; the fixed batch alone otherwise (`fixed` >
 * 0). Returns how many. */
size_t linnet_nn_batch_buckets(unsigned fixed, unsigned batch_max, unsigned buckets[LINNET_NN_BUCKETS_MAX]);
/* The bucket to run next when `left` samples are left: the largest that is not larger, or (pad_up) the
 * smallest that holds them all if there is one. 0: none fits (fewer are left than the fixed batch, without
 * padding). */
unsigned linnet_nn_batch_next(const unsigned *buckets, size_t n, unsigned left, bool pad_up);

#endif
