/* Functions, arithmetic, pools, reductions, softmax. */
#include <string.h>

#include "common/nn/cpu/lower.h"

/* The first input, in whatever order it lies, as the type of the output. */
static int source_of(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *place) {
    int rc = cpu_place_of(lowering, node->inputs[0], place);
    return rc ? rc : cpu_bring_as(lowering, *place, node->output, place);
}

int cpu_lower_unary(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct cpu_place source;
    int rc = source_of(lowering, node, &source);
    return rc ? rc : cpu_function(lowering, &node->at.unary, source, out);
}

int cpu_lower_binary(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *out) {
    struct cpu_place a, b;
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output);
    cpu_dims(lowering, node->output, dims);
    int rc = cpu_place_of(lowering, node->inputs[0], &a);
    if (!rc) rc = cpu_place_of(lowering, node->inputs[1], &b);
    if (!rc)
        rc = cpu_arithmetic(lowering, node->at.binary.kind, a, b, rank, dims,
                            cpu_type(lowering, node->output), out);
    for (uint32_t i = 0; i < node->nposts && !rc; i++)
        rc = cpu_function(lowering, &node->posts[i].unary, *out, out);
    return rc;
}

static int run_pool(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                    struct cpu_place source, struct cpu_place *out) {
    int64_t dims[LINNET_NN_RANK_MAX];
    cpu_dims(lowering, node->output, dims);
    spec->kind = DNN_POOL;
    spec->source = source.layout;
    struct cpu_argument argument = {DNN_SOURCE, source};
    int rc = cpu_any(lowering, node->output, cpu_rank(lowering, node->output), dims, &spec->destination);
    return rc ? rc : cpu_run(lowering, spec, &argument, 1, out);
}

int cpu_lower_pool(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct dnn_spec spec = {.window = &node->at.pool.window,
                            .average = node->at.pool.average,
                            .include_padding = node->at.pool.include_padding};
    struct cpu_place source;
    int rc = source_of(lowering, node, &source);
    return rc ? rc : run_pool(lowering, node, &spec, source, out);
}

/* A mean or a maximum over all of one to three spatial dimensions is a pool, for which there are fast
 * kernels. */
static bool is_global_pool(const struct linnet_nn_node *node, int rank) {
    enum linnet_nn_reduction kind = node->at.reduce.kind;
    if (rank < 3 || rank > 2 + LINNET_NN_SPATIAL_MAX) return false;
    if (kind != LINNET_NN_REDUCE_MEAN && kind != LINNET_NN_REDUCE_MAX) return false;
    for (int i = 0; i < rank; i++)
        if (node->at.reduce.axes[i] != (i >= 2)) return false;
    return true;
}

static int reduce_generally(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                            struct cpu_place source, struct cpu_place *out) {
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output);
    cpu_dims(lowering, node->output, dims);
    if (!memcmp(dims, dnn_layout_dims(source.layout),
                (size_t)rank * sizeof *dims)) { /* over dimensions of 1 */
        *out = source;
        return 0;
    }
    struct dnn_spec spec = {
        .kind = DNN_REDUCTION, .source = source.layout, .reduction = node->at.reduce.kind};
    struct cpu_argument argument = {DNN_SOURCE, source};
    int rc =
        cpu_keep(lowering, dnn_layout_plain(cpu_type(lowering, node->output), rank, dims), &spec.destination);
    return rc ? rc : cpu_run(lowering, &spec, &argument, 1, out);
}

int cpu_lower_reduce(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *out) {
    struct cpu_place source;
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->inputs[0]), rc = source_of(lowering, node, &source);
    if (rc || !is_global_pool(node, rank)) return rc ? rc : reduce_generally(lowering, node, source, out);
    struct linnet_nn_window window = {.rank = rank - 2};
    cpu_dims(lowering, node->inputs[0], dims);
    for (int i = 0; i < window.rank; i++) {
        window.kernel[i] = dims[i + 2];
        window.strides[i] = window.dilations[i] = 1;
    }
    struct dnn_spec spec = {.window = &window, .average = node->at.reduce.kind == LINNET_NN_REDUCE_MEAN};
    return run_pool(lowering, node, &spec, source, out);
}

int cpu_lower_softmax(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                      struct cpu_place *out) {
    struct cpu_place source;
    int rc = source_of(lowering, node, &source);
    if (rc) return rc;
    struct dnn_spec spec = {.kind = DNN_SOFTMAX,
                            .source = source.layout,
                            .destination = source.layout,
                            .axis = node->at.softmax.axis};
    struct cpu_argument argument = {DNN_SOURCE, source};
    return cpu_run(lowering, &spec, &argument, 1, out);
}
