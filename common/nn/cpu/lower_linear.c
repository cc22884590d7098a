/* Convolutions, products and normalisations. */
#include "common/nn/cpu/lower.h"

#include <stdlib.h>

/* The product of a node whose data has 8 bits: weights, bias and scales in integers' terms. */
static int in_integers(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                       struct dnn_spec *spec, struct cpu_argument *arguments, int n) {
    const struct linnet_nn_tensor *bias = n > 2 ? &lowering->graph->tensors[node->inputs[2]] : NULL;
    return cpu_int8_describe(lowering, node, spec, &arguments[1].place, bias ? bias->data->values : NULL,
                             n > 2 ? &arguments[2].place : NULL);
}

/* A bias is added in f32 whatever the data's type. */
static int bias_of(struct cpu_lowering *lowering, const struct linnet_nn_node *node, bool wanted,
                   struct dnn_spec *spec, struct cpu_argument *arguments, int *n) {
    if (!wanted) return 0;
    struct cpu_place bias;
    int rc = cpu_place_of(lowering, node->inputs[2], &bias);
    if (rc) return rc;
    spec->bias = bias.layout;
    arguments[(*n)++] = (struct cpu_argument){DNN_BIAS, bias};
    return 0;
}

/* Inputs that a node has of its own, before those of its posts. */
static bool has_bias(const struct linnet_nn_node *node) {
    uint32_t own = node->ninputs;
    for (uint32_t i = 0; i < node->nposts; i++)
        own -= node->posts[i].kind == LINNET_NN_POST_ADD;
    return own > 2;
}

/* Weights [O, I/g, ...] as oneDNN wants those of groups: [g, O/g, I/g, ...]. */
static int conv_weights(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                        struct cpu_place *weights, const struct dnn_layout **any) {
    int64_t dims[LINNET_NN_RANK_MAX + 1], groups = node->at.conv.groups;
    int rank = cpu_rank(lowering, node->inputs[1]);
    int rc = cpu_place_of(lowering, node->inputs[1], weights);
    if (rc) return rc;
    cpu_dims(lowering, node->inputs[1], dims);
    if (groups > 1) {
        for (int i = rank; i > 0; i--)
            dims[i] = dims[i - 1];
        dims[0] = groups;
        dims[1] /= groups;
        rc = cpu_view(lowering, *weights, ++rank, dims, weights);
    }
    return rc ? rc : cpu_keep(lowering, dnn_layout_any(lowering->compute, rank, dims), any);
}

/* What the data is brought to: 8 bits as they are, else what products are computed from. */
static int source_any(struct cpu_lowering *lowering, const struct linnet_nn_node *node, int rank,
                      const int64_t *dims, const struct dnn_layout **layout) {
    if (cpu_narrow(lowering, node->inputs[0])) return cpu_any(lowering, node->inputs[0], rank, dims, layout);
    return cpu_keep(lowering, dnn_layout_any(lowering->compute, rank, dims), layout);
}

int cpu_lower_conv(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct cpu_argument arguments[3] = {{.role = DNN_SOURCE}, {.role = DNN_WEIGHTS}};
    struct dnn_spec spec = {.kind = DNN_CONVOLUTION, .window = &node->at.conv.window};
    int64_t from[LINNET_NN_RANK_MAX], to[LINNET_NN_RANK_MAX];
    int n = 2, rank = cpu_rank(lowering, node->output);
    cpu_dims(lowering, node->inputs[0], from);
    cpu_dims(lowering, node->output, to);
    int rc = cpu_place_of(lowering, node->inputs[0], &arguments[0].place);
    if (!rc) rc = conv_weights(lowering, node, &arguments[1].place, &spec.weights);
    if (!rc) rc = bias_of(lowering, node, has_bias(node), &spec, arguments, &n);
    if (!rc) rc = source_any(lowering, node, rank, from, &spec.source);
    if (!rc) rc = cpu_any(lowering, node->output, rank, to, &spec.destination);
    if (!rc && cpu_narrow(lowering, node->inputs[0])) rc = in_integers(lowering, node, &spec, arguments, n);
    if (!rc) rc = cpu_run_with_posts(lowering, &spec, arguments, n, rank, to, out);
    free(spec.scales);
    return rc;
}

int cpu_lower_gemm(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct cpu_argument arguments[3] = {{.role = DNN_SOURCE}, {.role = DNN_WEIGHTS}};
    struct dnn_spec spec = {.kind = DNN_INNER};
    int64_t from[LINNET_NN_RANK_MAX], to[LINNET_NN_RANK_MAX], weights[LINNET_NN_RANK_MAX];
    int n = 2, rank = cpu_rank(lowering, node->output);
    cpu_dims(lowering, node->inputs[0], from);
    cpu_dims(lowering, node->output, to);
    cpu_dims(lowering, node->inputs[1], weights);
    int64_t flat_from[2] = {1, weights[1]}, flat_to[2] = {1, weights[0]};
    for (int i = 0; i + 1 < rank; i++)
        flat_from[0] *= from[i];
    flat_to[0] = flat_from[0];
    int rc = cpu_place_of(lowering, node->inputs[0], &arguments[0].place);
    if (!rc) rc = cpu_view(lowering, arguments[0].place, 2, flat_from, &arguments[0].place);
    if (!rc) rc = cpu_place_of(lowering, node->inputs[1], &arguments[1].place);
    if (!rc) rc = bias_of(lowering, node, has_bias(node), &spec, arguments, &n);
    if (!rc) rc = source_any(lowering, node, 2, flat_from, &spec.source);
    if (!rc) rc = cpu_keep(lowering, dnn_layout_any(lowering->compute, 2, weights), &spec.weights);
    if (!rc) rc = cpu_any(lowering, node->output, 2, flat_to, &spec.destination);
    if (!rc && cpu_narrow(lowering, node->inputs[0])) rc = in_integers(lowering, node, &spec, arguments, n);
    struct cpu_place flat;
    if (!rc) rc = cpu_run_with_posts(lowering, &spec, arguments, n, 2, flat_to, &flat);
    free(spec.scales);
    return rc ? rc : cpu_view(lowering, flat, rank, to, out);
}

/* A side of a product with ones in front, its type the one computed in. */
static int matmul_side(struct cpu_lowering *lowering, uint32_t tensor, int rank, struct cpu_place *place,
                       const struct dnn_layout **layout) {
    int64_t dims[LINNET_NN_RANK_MAX], own[LINNET_NN_RANK_MAX];
    int own_rank = cpu_rank(lowering, tensor);
    cpu_dims(lowering, tensor, own);
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - own_rank ? 1 : own[i - (rank - own_rank)];
    int rc = cpu_place_of(lowering, tensor, place);
    if (!rc) rc = cpu_view(lowering, *place, rank, dims, place);
    if (!rc) rc = cpu_bring_type(lowering, *place, lowering->compute, place);
    /* Plain or permuted, as it is: the product takes both. */
    if (!rc) *layout = place->layout;
    return rc;
}

int cpu_lower_matmul(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *out) {
    struct cpu_argument arguments[2] = {{.role = DNN_SOURCE}, {.role = DNN_WEIGHTS}};
    struct dnn_spec spec = {.kind = DNN_MATMUL};
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output);
    cpu_dims(lowering, node->output, dims);
    int rc = matmul_side(lowering, node->inputs[0], rank, &arguments[0].place, &spec.source);
    if (!rc) rc = matmul_side(lowering, node->inputs[1], rank, &arguments[1].place, &spec.weights);
    if (!rc)
        rc = cpu_keep(lowering, dnn_layout_plain(cpu_type(lowering, node->output), rank, dims),
                      &spec.destination);
    return rc ? rc : cpu_run_with_posts(lowering, &spec, arguments, 2, rank, dims, out);
}

int cpu_lower_norm(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    static const int roles[] = {DNN_SOURCE, DNN_SCALE, DNN_SHIFT, DNN_MEAN, DNN_VARIANCE};
    struct dnn_spec spec = {.kind = DNN_NORMALISE, .epsilon = node->at.norm.epsilon};
    struct cpu_argument arguments[5];
    int64_t dims[LINNET_NN_RANK_MAX];
    cpu_dims(lowering, node->output, dims);
    int rc = 0;
    for (int i = 0; i < 5 && !rc; i++) {
        arguments[i].role = roles[i];
        rc = cpu_place_of(lowering, node->inputs[i], &arguments[i].place);
    }
    if (!rc) rc = cpu_bring_as(lowering, arguments[0].place, node->output, &arguments[0].place);
    if (rc) return rc;
    spec.source = spec.destination = arguments[0].place.layout;
    return cpu_run_with_posts(lowering, &spec, arguments, 5, cpu_rank(lowering, node->output), dims, out);
}
