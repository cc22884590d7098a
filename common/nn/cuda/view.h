/* Where a tensor's elements lie: a buffer, and a stride for each dimension. A transposition, a slice, a
 * channels-last picture and a part of a concatenation are all views of memory that others wrote, and cost
 * nothing.
 *
 * This header and what is built on it (view.c, program.h, lower*.c) know nothing of CUDA, so that all of it
 * is tested where there is no GPU. */
#ifndef LINNET_NN_CUDA_VIEW_H
#define LINNET_NN_CUDA_VIEW_H

#include "common/nn/graph.h"

struct cuda_view {
    uint32_t buffer; /* of the plan */
    int64_t offset;  /* elements from its start */
    enum linnet_nn_type type;
    int rank;
    int64_t dims[LINNET_NN_RANK_MAX], strides[LINNET_NN_RANK_MAX]; /* strides in elements */
};

/* Bytes of one element. */
size_t cuda_type_size(enum linnet_nn_type type);
int64_t cuda_view_elements(const struct cuda_view *view);
/* Strides of dense memory: row-major, or with dimension 1 innermost (what images and their like are kept in;
 * the same as row-major below rank 3). */
void cuda_view_plain(struct cuda_view *view);
void cuda_view_channels_last(struct cuda_view *view);
bool cuda_view_is_plain(const struct cuda_view *view);
bool cuda_view_is_channels_last(const struct cuda_view *view);
/* Are the elements one stretch of memory, in whatever order? */
bool cuda_view_is_dense(const struct cuda_view *view);
/* The same elements under other dimensions, in the same row-major order. False: these strides can't say it,
 * the elements have to be copied. */
bool cuda_view_reshape(const struct cuda_view *view, int rank, const int64_t *dims, struct cuda_view *out);
/* `view` as an operand of something of these dimensions by NumPy's rules: strides of 0 where it is repeated.
 */
void cuda_view_broadcast(const struct cuda_view *view, int rank, const int64_t *dims, struct cuda_view *out);
/* Take n views of the same dimensions at once (strides of 0 where one is repeated) to as few dimensions as
 * say the same, outermost first by the strides of the first view. Dimensions of 1 go. */
void cuda_views_collapse(struct cuda_view *views, int n);

/* Numbers to (rounded to nearest even) and from a type: F32, BF16 or F16. */
void cuda_convert_from_f32(enum linnet_nn_type type, const float *from, void *to, size_t count);
void cuda_convert_to_f32(enum linnet_nn_type type, const void *from, float *to, size_t count);

#endif
