/* softmax(scale Q K^T) V as two products with a softmax between them. */
#include "common/nn/cuda/lower.h"

/* The queries times the scale: before the product, whose sums might not fit into 16 bits else. */
static int scaled(struct cuda_lowering *lowering, const struct cuda_view *queries, float scale,
                  struct cuda_view *out) {
    struct kernel_post post = {(int)LINNET_NN_LINEAR, scale, 0};
    struct cuda_view views[2] = {*queries, *queries};
    views[0].type = lowering->type;
    cuda_view_plain(&views[0]);
    int rc = cuda_allocate(lowering, &views[0]);
    if (!rc) rc = cuda_emit_map(lowering, views, 2, KERNEL_COPY, &post, 1, NULL);
    if (!rc) *out = views[0];
    return rc;
}

int cuda_lower_attention(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out) {
    struct cuda_view inputs[3], scores, weights;
    int rc = 0;
    for (int i = 0; i < 3 && !rc; i++)
        rc = cuda_place_of(lowering, node->inputs[i], &inputs[i]);
    if (!rc) rc = scaled(lowering, &inputs[0], node->at.attention.scale, &inputs[0]);
    if (rc) return rc;
    struct cuda_view turned = inputs[1];
    int last = turned.rank - 1;
    turned.dims[last] = inputs[1].dims[last - 1];
    turned.dims[last - 1] = inputs[1].dims[last];
    turned.strides[last] = inputs[1].strides[last - 1];
    turned.strides[last - 1] = inputs[1].strides[last];
    scores = inputs[0];
    scores.dims[last] = turned.dims[last];
    rc = cuda_emit_product(lowering, &inputs[0], &turned, &scores);
    weights = scores;
    if (!rc) rc = cuda_allocate(lowering, &weights);
    if (!rc) rc = cuda_emit_softmax(lowering, &scores, last, &weights);
    cuda_shape_of(lowering, node->output, out);
    return rc ? rc : cuda_emit_product(lowering, &weights, &inputs[2], out);
}
