/* What moves elements, or only says where they are. */
#include "common/nn/cuda/lower.h"

int cuda_lower_reshape(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                       struct cuda_view *out) {
    struct cuda_view from, shape;
    int rc = cuda_place_of(lowering, node->inputs[0], &from);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, &shape);
    if (cuda_view_reshape(&from, shape.rank, shape.dims, out)) return 0;
    struct cuda_view plain = from;
    cuda_view_plain(&plain);
    rc = cuda_copy(lowering, &from, &plain, &from);
    if (rc) return rc;
    return cuda_view_reshape(&from, shape.rank, shape.dims, out)
               ? 0
               : cuda_say(lowering, LINNET_E_INTERNAL, "elements that fit into no shape");
}

int cuda_lower_transpose(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out) {
    struct cuda_view from;
    int rc = cuda_place_of(lowering, node->inputs[0], &from);
    if (rc) return rc;
    *out = from;
    for (int i = 0; i < from.rank; i++) {
        out->dims[i] = from.dims[node->at.transpose.axes[i]];
        out->strides[i] = from.strides[node->at.transpose.axes[i]];
    }
    return 0;
}

int cuda_lower_slice(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     struct cuda_view *out) {
    struct cuda_view from, shape;
    int rc = cuda_place_of(lowering, node->inputs[0], &from);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, &shape);
    *out = from;
    for (int i = 0; i < from.rank; i++) {
        out->offset += node->at.slice.starts[i] * from.strides[i];
        out->dims[i] = shape.dims[i];
    }
    return 0;
}

/* Written out: not all that reads it takes strides of 0. */
int cuda_lower_expand(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out) {
    struct cuda_view from, wide, wanted;
    int rc = cuda_place_of(lowering, node->inputs[0], &from);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, &wanted);
    cuda_view_broadcast(&from, wanted.rank, wanted.dims, &wide);
    cuda_view_plain(&wanted);
    return cuda_copy(lowering, &wide, &wanted, out);
}

/* Images with their channels innermost, everything else row-major. */
static int allocate_image(struct cuda_lowering *lowering, struct cuda_view *out) {
    if (out->rank >= 4)
        cuda_view_channels_last(out);
    else
        cuda_view_plain(out);
    return cuda_allocate(lowering, out);
}

int cuda_lower_concat(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out) {
    int axis = node->at.concat.axis;
    cuda_shape_of(lowering, node->output, out);
    int rc = allocate_image(lowering, out);
    int64_t at = 0;
    for (uint32_t i = 0; i < node->ninputs && !rc; i++) {
        struct cuda_view views[2];
        rc = cuda_place_of(lowering, node->inputs[i], &views[1]);
        if (rc) return rc;
        views[0] = *out;
        views[0].offset += at * out->strides[axis];
        views[0].dims[axis] = views[1].dims[axis];
        at += views[1].dims[axis];
        if (cuda_view_elements(&views[0])) rc = cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
    }
    return rc;
}

int cuda_lower_pad(struct cuda_lowering *lowering, const struct linnet_nn_node *node, struct cuda_view *out) {
    struct cuda_view views[2];
    int rc = cuda_place_of(lowering, node->inputs[0], &views[1]);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    rc = allocate_image(lowering, out);
    if (!rc) rc = cuda_emit_fill(lowering, out, node->at.pad.value);
    /* Negative padding cuts: what is written is where both are. */
    views[0] = *out;
    for (int i = 0; i < out->rank; i++) {
        int64_t before = node->at.pad.before[i], after = node->at.pad.after[i];
        views[0].offset += before > 0 ? before * out->strides[i] : 0;
        views[1].offset += before < 0 ? -before * views[1].strides[i] : 0;
        views[1].dims[i] += (before < 0 ? before : 0) + (after < 0 ? after : 0);
        views[0].dims[i] = views[1].dims[i];
    }
    return rc ? rc : cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
}
