/* From graph to steps. A node's handler asks where its inputs are, compiles an operation, has them brought
 * into the layout that the operation wants, and says where its output is. Internal to the CPU backend. */
#ifndef LINNET_NN_CPU_LOWER_H
#define LINNET_NN_CPU_LOWER_H

#include "common/nn/cpu/program.h"

struct cpu_lowering {
    struct linnet_nn_program *program;
    const struct linnet_nn_graph *graph;
    struct cpu_plan *plan;
    struct cpu_place *places;    /* for each tensor; layout NULL: not there yet */
    enum linnet_nn_type compute; /* what products are computed from: F32 or BF16 */
    uint32_t node;               /* being lowered */
    struct linnet_error *err;
};

/* Dimensions of a tensor at the plan's batch. */
void cpu_dims(const struct cpu_lowering *lowering, uint32_t tensor, int64_t dims[LINNET_NN_RANK_MAX]);
int cpu_rank(const struct cpu_lowering *lowering, uint32_t tensor);
enum linnet_nn_type cpu_type(const struct cpu_lowering *lowering, uint32_t tensor);
/* Does the tensor lie in 8 bits? */
bool cpu_narrow(const struct cpu_lowering *lowering, uint32_t tensor);
/* Give a layout to the plan; NULL is answered by an error. */
int cpu_keep(struct cpu_lowering *lowering, struct dnn_layout *layout, const struct dnn_layout **kept);
/* A layout that the operation may choose, of these dimensions and of a tensor's type and scale. */
int cpu_any(struct cpu_lowering *lowering, uint32_t tensor, int rank, const int64_t *dims,
            const struct dnn_layout **layout);
/* Where a tensor is (a constant: as it was read, plain f32). */
int cpu_place_of(struct cpu_lowering *lowering, uint32_t tensor, struct cpu_place *place);
/* The same elements in another layout: as they are where they lie so already, by a copy otherwise (made now
 * and once for all plans for a constant). */
int cpu_bring(struct cpu_lowering *lowering, struct cpu_place from, const struct dnn_layout *wanted,
              struct cpu_place *to);
/* Bring a tensor to plain order (in 8 bits with the scale that it has), to F32 or BF16 in whatever order it
 * has, or to the type and scale of another tensor. */
int cpu_bring_plain(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                    struct cpu_place *to);
int cpu_bring_type(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                   struct cpu_place *to);
int cpu_bring_as(struct cpu_lowering *lowering, struct cpu_place from, uint32_t tensor, struct cpu_place *to);
/* Constant values of our own, which the program takes (malloc'ed) whatever happens. `source` and `from`, what
 * they were made of, let other plans find them (cpu_find_values); NULL: for this plan alone. */
int cpu_add_values(struct cpu_lowering *lowering, const void *source, const struct dnn_layout *from,
                   const struct dnn_layout *layout, void *values, struct cpu_place *to);
/* False: not there yet. */
bool cpu_find_values(struct cpu_lowering *lowering, const void *source, const struct dnn_layout *from,
                     const struct dnn_layout *layout, int *rc, struct cpu_place *to);
/* A place with other dimensions, the elements in the same row-major order. */
int cpu_view(struct cpu_lowering *lowering, struct cpu_place from, int rank, const int64_t *dims,
             struct cpu_place *to);
/* Fresh memory of the arena. */
int cpu_allocate(struct cpu_lowering *lowering, const struct dnn_layout *layout, struct cpu_place *place);
/* Append a step; `op` is taken whatever happens. */
int cpu_emit(struct cpu_lowering *lowering, const struct cpu_step *step, const struct cpu_argument *arguments,
             int n);
/* Compile an operation; the error names what oneDNN said. */
int cpu_compile(struct cpu_lowering *lowering, const struct dnn_spec *spec, struct dnn_op **op);
#define cpu_fail(lowering, code, why) (cpu_say((lowering), (code), (why)), (code))
void cpu_say(struct cpu_lowering *lowering, int code, const char *why);

/* Run `spec` on `arguments` (brought to what it wants) into fresh memory of the layout that it settled on. */
int cpu_run(struct cpu_lowering *lowering, const struct dnn_spec *spec, struct cpu_argument *arguments, int n,
            struct cpu_place *out);
/* One function or one arithmetic step on places. */
int cpu_function(struct cpu_lowering *lowering, const struct linnet_nn_unary *unary, struct cpu_place from,
                 struct cpu_place *to);
int cpu_arithmetic(struct cpu_lowering *lowering, enum linnet_nn_arithmetic kind, struct cpu_place a,
                   struct cpu_place b, int rank, const int64_t *dims, enum linnet_nn_type type,
                   struct cpu_place *to);
/* Run `spec` with the posts of the node being lowered: fused where oneDNN can, as steps of their own where it
 * cannot. `rank` and `dims` are the result's as `spec` has them. */
int cpu_run_with_posts(struct cpu_lowering *lowering, struct dnn_spec *spec, struct cpu_argument *arguments,
                       int n, int rank, const int64_t *dims, struct cpu_place *out);

/* lower_int8.c: products in integers. Their specification gets 8-bit layouts, scales (malloc'ed: the caller
 * frees spec->scales) and the place of the bias; `weights` is brought to 8 bits. */
int cpu_int8_describe(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                      struct cpu_place *weights, const float *bias, struct cpu_place *bias_place);
/* What is added and the last function are scaled to what the destination's elements stand for. False: oneDNN
 * has no post for that. */
bool cpu_int8_scale_posts(const struct linnet_nn_node *node, struct dnn_spec *spec);
/* Let the result be f32, without posts. */
int cpu_int8_widen(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                   int rank, const int64_t *dims);

/* The handlers: lower_linear.c, lower_elementwise.c, lower_shape.c, lower_transformer.c. They set `out`. */
int cpu_lower_conv(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_gemm(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_matmul(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_norm(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_pool(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_reduce(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_unary(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_binary(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_softmax(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                      struct cpu_place *out);
int cpu_lower_layer_norm(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                         struct cpu_place *out);
int cpu_lower_attention(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                        struct cpu_place *out);
int cpu_lower_expand(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_concat(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_reshape(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                      struct cpu_place *out);
int cpu_lower_transpose(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                        struct cpu_place *out);
int cpu_lower_pad(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);
int cpu_lower_slice(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out);

#endif
