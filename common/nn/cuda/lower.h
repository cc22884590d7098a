/* From graph to launches. A node's handler asks where its inputs are, brings them into a form that its launch
 * takes where they are not in one, appends a step, and says where its output is. Internal to lower*.c. */
#ifndef LINNET_NN_CUDA_LOWER_H
#define LINNET_NN_CUDA_LOWER_H

#include "common/nn/cuda/program.h"

struct cuda_lowering {
    struct cuda_program *program;
    const struct linnet_nn_graph *graph;
    struct cuda_plan *plan;
    struct cuda_view *places; /* for each tensor; rank -1: not there yet */
    enum linnet_nn_type type; /* that activations are kept in */
    uint32_t node;            /* being lowered */
    struct linnet_error *err;
};

/* cuda_fail(lowering, code, "words"): the node's name before them. */
int cuda_say(struct cuda_lowering *lowering, int code, const char *words);

/* The dimensions of a tensor at the plan's batch, as a view without memory or strides. */
void cuda_shape_of(const struct cuda_lowering *lowering, uint32_t tensor, struct cuda_view *out);
/* Memory of the arena for a view whose dimensions, type and strides are given. */
int cuda_allocate(struct cuda_lowering *lowering, struct cuda_view *view);
/* Where a tensor is: an activation, or a constant as it was read, plain f32. */
int cuda_place_of(struct cuda_lowering *lowering, uint32_t tensor, struct cuda_view *out);
/* A constant in the form of `wanted` (which may be longer in any dimension; zeros there). `data` NULL: all
 * zeros. */
int cuda_constant(struct cuda_lowering *lowering, struct linnet_nn_data *data, const struct cuda_view *from,
                  const struct cuda_view *wanted, struct cuda_view *out);
struct cuda_pointer cuda_pointer_to(const struct cuda_view *view);
/* Append a step; pointers that it has not are to be LINNET_NN_NONE (cuda_step_init sees to it). */
void cuda_step_init(const struct cuda_lowering *lowering, enum cuda_step_kind kind, struct cuda_step *step);
int cuda_emit(struct cuda_lowering *lowering, const struct cuda_step *step);
/* One launch of MAP over views of the same dimensions (n of them: out, a, b, c), with posts; `other` is what
 * a post adds.
 */
int cuda_map_kernel(const struct cuda_view *views, int n, int operation, const struct kernel_post *posts,
                    int nposts, const struct cuda_view *other, struct cuda_kernel *out);
int cuda_emit_map(struct cuda_lowering *lowering, const struct cuda_view *views, int n, int operation,
                  const struct kernel_post *posts, int nposts, const struct cuda_view *other);
int cuda_emit_fill(struct cuda_lowering *lowering, const struct cuda_view *view, float value);
/* The product of two places by NumPy's rules into plain memory, fresh; `out` has the dimensions and the type.
 * Softmax of `data` along an axis into memory that is there. */
int cuda_emit_product(struct cuda_lowering *lowering, const struct cuda_view *left,
                      const struct cuda_view *right, struct cuda_view *out);
int cuda_emit_softmax(struct cuda_lowering *lowering, const struct cuda_view *data, int axis,
                      const struct cuda_view *out);
/* Copy `from` into memory of its own with these strides. */
int cuda_copy(struct cuda_lowering *lowering, const struct cuda_view *from, const struct cuda_view *wanted,
              struct cuda_view *out);
/* The posts of a node as a kernel has them; the one that is added (at most one), brought to `out`'s
 * dimensions. */
int cuda_kernel_posts(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      const struct cuda_view *out, struct kernel_post *posts, int *nposts,
                      struct cuda_view *other, bool *adds);
/* May a kernel take 8 elements of these views' last dimension at once? */
bool cuda_wide(const struct cuda_view *views, int n);

/* The handlers: lower_product.c, lower_kernel.c, lower_view.c, lower_attention.c. */
typedef int (*cuda_handler)(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                            struct cuda_view *out);
int cuda_lower_conv(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out);
int cuda_lower_gemm(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out);
int cuda_lower_matmul(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out);
int cuda_lower_depthwise(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out);
int cuda_lower_pool(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out);
int cuda_lower_reduce(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out);
int cuda_lower_norm(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out);
int cuda_lower_unary(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     struct cuda_view *out);
int cuda_lower_binary(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out);
int cuda_lower_softmax(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                       struct cuda_view *out);
int cuda_lower_layer_norm(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                          struct cuda_view *out);
int cuda_lower_attention(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out);
int cuda_lower_expand(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out);
int cuda_lower_concat(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out);
int cuda_lower_reshape(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                       struct cuda_view *out);
int cuda_lower_transpose(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out);
int cuda_lower_pad(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out);
int cuda_lower_slice(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     struct cuda_view *out);

#endif
