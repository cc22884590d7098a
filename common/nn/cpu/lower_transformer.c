/* What transformers are made of besides products: layer normalisation, attention, repeated tensors. */
#include "common/nn/cpu/lower.h"

/* Rows over the last dimension, plain, which is what oneDNN normalises fast. */
int cpu_lower_layer_norm(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                         struct cpu_place *out) {
    static const int roles[] = {DNN_SOURCE, DNN_SCALE, DNN_SHIFT};
    struct dnn_spec spec = {.kind = DNN_LAYER_NORM, .epsilon = node->at.norm.epsilon};
    struct cpu_argument arguments[3];
    int64_t dims[LINNET_NN_RANK_MAX], rows[2] = {1, 0};
    int rank = cpu_rank(lowering, node->output), rc = 0;
    cpu_dims(lowering, node->output, dims);
    for (int i = 0; i + 1 < rank; i++)
        rows[0] *= dims[i];
    rows[1] = dims[rank - 1];
    for (int i = 0; i < 3 && !rc; i++) {
        arguments[i].role = roles[i];
        rc = cpu_place_of(lowering, node->inputs[i], &arguments[i].place);
    }
    struct cpu_place *data = &arguments[0].place, flat;
    if (!rc) rc = cpu_bring_plain(lowering, *data, cpu_type(lowering, node->output), data);
    if (!rc) rc = cpu_view(lowering, *data, 2, rows, data);
    if (rc) return rc;
    spec.source = spec.destination = data->layout;
    rc = cpu_run(lowering, &spec, arguments, 3, &flat);
    return rc ? rc : cpu_view(lowering, flat, rank, dims, out);
}

/* A product of two places of one rank, times `scale`, into plain memory. */
static int product(struct cpu_lowering *lowering, struct cpu_place a, struct cpu_place b, int rank,
                   const int64_t *dims, float scale, struct cpu_place *out) {
    struct dnn_spec spec = {.kind = DNN_MATMUL, .source = a.layout, .weights = b.layout};
    struct cpu_argument arguments[2] = {{DNN_SOURCE, a}, {DNN_WEIGHTS, b}};
    if (scale < 1 || scale > 1)
        spec.posts[spec.nposts++] = (struct dnn_post){.unary = {LINNET_NN_LINEAR, scale, 0}};
    int rc = cpu_keep(lowering, dnn_layout_plain(dnn_layout_type(a.layout), rank, dims), &spec.destination);
    return rc ? rc : cpu_run(lowering, &spec, arguments, 2, out);
}

static int softmax(struct cpu_lowering *lowering, struct cpu_place from, int axis, struct cpu_place *to) {
    struct dnn_spec spec = {
        .kind = DNN_SOFTMAX, .source = from.layout, .destination = from.layout, .axis = axis};
    struct cpu_argument argument = {DNN_SOURCE, from};
    return cpu_run(lowering, &spec, &argument, 1, to);
}

/* An input as rows that lie one after the other, all leading dimensions made one. */
static int bring_rows(struct cpu_lowering *lowering, uint32_t tensor, struct cpu_place *place) {
    int64_t dims[LINNET_NN_RANK_MAX], flat[3] = {1};
    int rank = cpu_rank(lowering, tensor);
    cpu_dims(lowering, tensor, dims);
    for (int i = 0; i < rank - 2; i++)
        flat[0] *= dims[i];
    flat[1] = dims[rank - 2];
    flat[2] = dims[rank - 1];
    int rc = cpu_place_of(lowering, tensor, place);
    if (!rc) rc = cpu_bring_plain(lowering, *place, lowering->compute, place);
    return rc ? rc : cpu_view(lowering, *place, 3, flat, place);
}

int cpu_lower_attention(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                        struct cpu_place *out) {
    static const int swap[3] = {0, 2, 1};
    struct cpu_place queries, keys, values, turned, scores, weights, made;
    int64_t dims[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output);
    int rc = bring_rows(lowering, node->inputs[0], &queries);
    if (!rc) rc = bring_rows(lowering, node->inputs[1], &keys);
    if (!rc) rc = bring_rows(lowering, node->inputs[2], &values);
    if (rc) return rc;
    const int64_t *q = dnn_layout_dims(queries.layout), *k = dnn_layout_dims(keys.layout),
                  *v = dnn_layout_dims(values.layout);
    int64_t score_dims[3] = {q[0], q[1], k[1]}, made_dims[3] = {q[0], q[1], v[2]};
    turned.buffer = keys.buffer;
    rc = cpu_keep(lowering, dnn_layout_permute(keys.layout, swap), &turned.layout);
    if (!rc) rc = product(lowering, queries, turned, 3, score_dims, node->at.attention.scale, &scores);
    if (!rc) rc = softmax(lowering, scores, 2, &weights);
    if (!rc) rc = product(lowering, weights, values, 3, made_dims, 1, &made);
    cpu_dims(lowering, node->output, dims);
    if (!rc) rc = cpu_view(lowering, made, rank, dims, &made);
    return rc ? rc : cpu_bring_as(lowering, made, node->output, out);
}

/* The larger of a tensor and itself, broadcast: the one step of ours that repeats. */
int cpu_lower_expand(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *out) {
    struct cpu_step step = {.kind = CPU_BROADCAST, .arithmetic = LINNET_NN_MAX};
    struct cpu_place source;
    const struct dnn_layout *layout;
    int64_t dims[LINNET_NN_RANK_MAX], from[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output), own = cpu_rank(lowering, node->inputs[0]);
    cpu_dims(lowering, node->output, dims);
    cpu_dims(lowering, node->inputs[0], from);
    for (int i = rank - 1; i >= 0; i--)
        from[i] = i < rank - own ? 1 : from[i - (rank - own)];
    int rc = cpu_place_of(lowering, node->inputs[0], &source);
    if (!rc) rc = cpu_bring_plain(lowering, source, dnn_layout_type(source.layout), &source);
    if (!rc) rc = cpu_view(lowering, source, rank, from, &source);
    if (!rc) rc = cpu_keep(lowering, dnn_layout_plain(cpu_type(lowering, node->output), rank, dims), &layout);
    if (!rc) rc = cpu_allocate(lowering, layout, out);
    struct cpu_argument arguments[3] = {
        {DNN_SOURCE, source}, {DNN_SOURCE_1, source}, {DNN_DESTINATION, *out}};
    return rc ? rc : cpu_emit(lowering, &step, arguments, 3);
}
