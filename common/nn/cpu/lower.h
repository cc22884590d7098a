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
/* Give a layout to the plan; NULL is answered by an error. */
int cpu_keep(struct cpu_lowering *lowering, struct dnn_layout *layout, const struct dnn_layout **kept);
/* Where a tensor is (a constant: as it was read, plain f32). */
int cpu_place_of(struct cpu_lowering *lowering, uint32_t tensor, struct cpu_place *place);
/* The same elements in another layout: as they are where they lie so already, by a copy otherwise (made now
 * and once for all plans for a constant). */
int cpu_bring(struct cpu_lowering *lowering, struct cpu_place from, const struct dnn_layout *wanted,
              struct cpu_place *to);
/* Bring a tensor to plain order, or to a type in whatever order it has. */
int cpu_bring_plain(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                    struct cpu_place *to);
int cpu_bring_type(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                   struct cpu_place *to);
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
