/* What kernels of ours do: elementwise functions and arithmetic, pools, depthwise convolutions, reductions,
 * softmax, layer normalisation. */
#include "common/nn/cuda/lower.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH 8

_Static_assert((int)KERNEL_F32 == (int)LINNET_NN_F32 && (int)KERNEL_U8 == (int)LINNET_NN_U8 &&
                   (int)KERNEL_BF16 == (int)LINNET_NN_BF16 && (int)KERNEL_F16 == (int)LINNET_NN_F16,
               "kernels have the types of the graph");

bool cuda_wide(const struct cuda_view *views, int n) {
    for (int i = 0; i < n; i++) {
        const struct cuda_view *view = &views[i];
        int last = view->rank - 1;
        if (last < 0 || view->dims[last] % WIDTH) return false;
        if (view->strides[last] == 0 && i) continue; /* one value for all */
        if (view->strides[last] != 1 || view->offset % WIDTH || view->type == LINNET_NN_U8) return false;
        for (int d = 0; d < last; d++)
            if (view->strides[d] % WIDTH) return false;
    }
    return true;
}

static void set_operand(struct kernel_operand *operand, const struct cuda_view *view) {
    operand->type = (int)view->type;
    for (int d = 0; d < view->rank && d < KERNEL_RANK_MAX; d++)
        operand->strides[d] = view->strides[d];
}

int cuda_map_kernel(const struct cuda_view *views, int n, int operation, const struct kernel_post *posts,
                    int nposts, const struct cuda_view *other, struct cuda_kernel *out) {
    struct cuda_view all[KERNEL_OPERANDS_MAX + 1];
    int count = n;
    for (int i = 0; i < n; i++)
        all[i] = views[i];
    if (other) all[count++] = *other;
    cuda_views_collapse(all, count);
    if (!all->rank)
        for (int i = 0; i < count; i++)
            all[i].rank = 1, all[i].dims[0] = 1, all[i].strides[0] = 1;
    if (all->rank > KERNEL_RANK_MAX) return LINNET_E_UNSUPPORTED;
    *out =
        (struct cuda_kernel){.kind = KERNEL_MAP, .rank = all->rank, .operation = operation, .nposts = nposts};
    out->width = cuda_wide(all, count) ? WIDTH : 1;
    for (int d = 0; d < all->rank; d++)
        out->dims[d] = all->dims[d];
    for (int i = 0; i < n; i++)
        set_operand(&out->operands[i], &all[i]);
    if (other) set_operand(&out->operands[KERNEL_OPERANDS_MAX], &all[n]);
    for (int i = 0; i < nposts; i++)
        out->posts[i] = posts[i];
    return 0;
}

static double bytes_of(const struct cuda_view *views, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double own = (double)cuda_type_size(views[i].type);
        for (int d = 0; d < views[i].rank; d++)
            if (views[i].strides[d]) own *= (double)views[i].dims[d];
        sum += own;
    }
    return sum;
}

int cuda_emit_map(struct cuda_lowering *lowering, const struct cuda_view *views, int n, int operation,
                  const struct kernel_post *posts, int nposts, const struct cuda_view *other) {
    struct cuda_step step;
    cuda_step_init(lowering, CUDA_KERNEL, &step);
    if (cuda_map_kernel(views, n, operation, posts, nposts, other, &step.kernel))
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "more dimensions than a kernel has");
    for (int i = 0; i < n; i++)
        step.pointers[i] = cuda_pointer_to(&views[i]);
    if (other) step.pointers[CUDA_POST] = cuda_pointer_to(other);
    step.bytes = bytes_of(views, n) + (other ? bytes_of(other, 1) : 0);
    return cuda_emit(lowering, &step);
}

int cuda_emit_fill(struct cuda_lowering *lowering, const struct cuda_view *view, float value) {
    struct cuda_step step;
    cuda_step_init(lowering, CUDA_KERNEL, &step);
    if (cuda_map_kernel(view, 1, KERNEL_COPY, NULL, 0, NULL, &step.kernel))
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "more dimensions than a kernel has");
    step.kernel.kind = KERNEL_FILL;
    step.kernel.value = value;
    step.pointers[CUDA_OUT] = cuda_pointer_to(view);
    step.bytes = bytes_of(view, 1);
    return cuda_emit(lowering, &step);
}

int cuda_copy(struct cuda_lowering *lowering, const struct cuda_view *from, const struct cuda_view *wanted,
              struct cuda_view *out) {
    struct cuda_view views[2] = {*wanted, *from};
    int rc = cuda_allocate(lowering, &views[0]);
    if (!rc) rc = cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
    if (!rc) *out = views[0];
    return rc;
}

int cuda_kernel_posts(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      const struct cuda_view *out, struct kernel_post *posts, int *nposts,
                      struct cuda_view *other, bool *adds) {
    *adds = false;
    *nposts = 0;
    for (uint32_t i = 0; i < node->nposts; i++) {
        const struct linnet_nn_post *post = &node->posts[i];
        bool add = post->kind == LINNET_NN_POST_ADD;
        posts[(*nposts)++] =
            (struct kernel_post){add ? -1 : (int)post->unary.function, post->unary.alpha, post->unary.beta};
        if (!add) continue;
        struct cuda_view from;
        int rc = *adds ? cuda_say(lowering, LINNET_E_UNSUPPORTED, "two tensors are added to its result")
                       : cuda_place_of(lowering, node->inputs[post->input], &from);
        if (rc) return rc;
        cuda_view_broadcast(&from, out->rank, out->dims, other);
        *adds = true;
    }
    return 0;
}

/* Memory for an elementwise result: as `like` lies, if that is one stretch of the same shape. */
static int allocate_like(struct cuda_lowering *lowering, const struct cuda_view *like,
                         struct cuda_view *out) {
    bool same = like && like->rank == out->rank && cuda_view_is_dense(like);
    for (int i = 0; i < out->rank && same; i++)
        same = like->dims[i] == out->dims[i];
    if (out->rank >= 4)
        cuda_view_channels_last(out);
    else
        cuda_view_plain(out);
    for (int i = 0; i < out->rank && same; i++)
        out->strides[i] = like->strides[i];
    return cuda_allocate(lowering, out);
}

/* out = posts(operation of `n` inputs of the node). */
static int lower_map(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     const uint32_t *inputs, int n, int operation, const struct kernel_post *first,
                     struct cuda_view *out) {
    struct cuda_view views[KERNEL_OPERANDS_MAX], other;
    struct kernel_post posts[KERNEL_POSTS_MAX + 1];
    int nposts = 0, rc = 0;
    const struct cuda_view *like = NULL;
    struct cuda_view places[KERNEL_OPERANDS_MAX];
    bool adds;
    cuda_shape_of(lowering, node->output, out);
    for (int i = 0; i < n && !rc; i++) {
        rc = cuda_place_of(lowering, inputs[i], &places[i]);
        if (rc) return rc;
        cuda_view_broadcast(&places[i], out->rank, out->dims, &views[i + 1]);
        bool whole = cuda_view_elements(&places[i]) == cuda_view_elements(out);
        if (!like && whole && !lowering->graph->tensors[inputs[i]].data) like = &places[i];
    }
    rc = allocate_like(lowering, like, out);
    if (first) posts[0] = *first;
    if (!rc) rc = cuda_kernel_posts(lowering, node, out, posts + (first ? 1 : 0), &nposts, &other, &adds);
    if (rc) return rc;
    nposts += first ? 1 : 0;
    if (nposts > KERNEL_POSTS_MAX)
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "more posts than a kernel has");
    views[0] = *out;
    return cuda_emit_map(lowering, views, n + 1, operation, posts, nposts, adds ? &other : NULL);
}

int cuda_lower_unary(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     struct cuda_view *out) {
    const struct linnet_nn_unary *unary = &node->at.unary;
    struct kernel_post first = {(int)unary->function, unary->alpha, unary->beta};
    return lower_map(lowering, node, node->inputs, 1, KERNEL_COPY, &first, out);
}

int cuda_lower_binary(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out) {
    return lower_map(lowering, node, node->inputs, 2, (int)node->at.binary.kind, NULL, out);
}

/* scale (x - mean) / sqrt(variance + epsilon) + shift as x a + b, a and b computed now. */
static int norm_constant(struct cuda_lowering *lowering, const struct linnet_nn_node *node, bool shift,
                         struct cuda_view *out) {
    const struct linnet_nn_data *p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = lowering->graph->tensors[node->inputs[i + 1]].data;
        if (!p[i])
            return cuda_say(lowering, LINNET_E_UNSUPPORTED, "its statistics are computed by the network");
    }
    size_t count = p[0]->count;
    float *values = malloc((count ? count : 1) * sizeof *values);
    if (!values) return cuda_say(lowering, LINNET_E_NOMEM, "out of memory");
    for (size_t c = 0; c < count; c++) {
        double scale =
            (double)p[0]->values[c] / sqrt((double)p[3]->values[c] + (double)node->at.norm.epsilon);
        values[c] = (float)(shift ? (double)p[1]->values[c] - (double)p[2]->values[c] * scale : scale);
    }
    struct linnet_nn_data *data = linnet_nn_data_new(values, count);
    if (!data) return cuda_say(lowering, LINNET_E_NOMEM, "out of memory");
    struct cuda_view view = {.type = LINNET_NN_F32, .rank = 1, .dims = {(int64_t)count}, .strides = {1}};
    int rc = cuda_constant(lowering, data, &view, &view, out);
    linnet_nn_data_unref(data);
    return rc;
}

int cuda_lower_norm(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                    struct cuda_view *out) {
    struct cuda_view views[4], place, other, constants[2];
    struct kernel_post posts[KERNEL_POSTS_MAX];
    int nposts = 0;
    bool adds;
    cuda_shape_of(lowering, node->output, out);
    int rc = cuda_place_of(lowering, node->inputs[0], &place);
    if (!rc) rc = allocate_like(lowering, &place, out);
    for (int i = 0; i < 2 && !rc; i++) {
        rc = norm_constant(lowering, node, i == 1, &constants[i]);
        if (rc) return rc;
        views[i + 2] = constants[i];
        views[i + 2].rank = out->rank;
        for (int d = 0; d < out->rank; d++) {
            views[i + 2].dims[d] = out->dims[d];
            views[i + 2].strides[d] = d == 1 ? 1 : 0;
        }
    }
    if (!rc) rc = cuda_kernel_posts(lowering, node, out, posts, &nposts, &other, &adds);
    if (rc) return rc;
    views[0] = *out;
    views[1] = place;
    return cuda_emit_map(lowering, views, 4, KERNEL_MULADD, posts, nposts, adds ? &other : NULL);
}

/* Pools and depthwise convolutions have dimensions N, height, width, C. */
static const int channels_last[4] = {0, 2, 3, 1};

static void set_image(struct kernel_operand *operand, const struct cuda_view *view) {
    operand->type = (int)view->type;
    for (int d = 0; d < 4; d++)
        operand->strides[d] = view->strides[channels_last[d]];
}

/* Vectors of channels: every view has them innermost, at multiples of 8. */
static bool wide_images(const struct cuda_view *views, int n) {
    struct cuda_view turned[KERNEL_OPERANDS_MAX];
    for (int i = 0; i < n; i++) {
        turned[i] = views[i];
        for (int d = 0; d < 4; d++) {
            turned[i].dims[d] = views[i].dims[channels_last[d]];
            turned[i].strides[d] = views[i].strides[channels_last[d]];
        }
        if (turned[i].strides[3] == 0) return false;
    }
    return cuda_wide(turned, n);
}

/* Window, memory and posts of a pool or a depthwise convolution of `data`; `step` gets all but the weights.
 */
static int image_step(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      enum kernel_kind kind, const struct linnet_nn_window *window,
                      const struct cuda_view *data, struct cuda_view *out, struct cuda_step *step) {
    struct cuda_view views[3] = {*out, *data}, other;
    struct cuda_kernel *kernel = &step->kernel;
    bool adds;
    cuda_step_init(lowering, CUDA_KERNEL, step);
    cuda_view_channels_last(out);
    int rc = cuda_allocate(lowering, out);
    if (rc) return rc;
    *kernel = (struct cuda_kernel){.kind = kind, .rank = 4};
    for (int d = 0; d < 4; d++)
        kernel->dims[d] = out->dims[channels_last[d]];
    for (int d = 0; d < 2; d++) {
        kernel->in[d] = data->dims[d + 2];
        kernel->kernel[d] = window->kernel[d];
        kernel->strides[d] = window->strides[d];
        kernel->dilations[d] = window->dilations[d];
        kernel->before[d] = window->before[d];
        kernel->padded[d] = window->before[d] + data->dims[d + 2] + window->after[d];
    }
    rc = cuda_kernel_posts(lowering, node, out, kernel->posts, &kernel->nposts, &other, &adds);
    if (rc) return rc;
    views[0] = *out;
    if (adds) views[2] = other;
    kernel->width = wide_images(views, adds ? 3 : 2) ? WIDTH : 1;
    set_image(&kernel->operands[CUDA_OUT], out);
    set_image(&kernel->operands[CUDA_A], data);
    if (adds) set_image(&kernel->operands[KERNEL_OPERANDS_MAX], &other);
    step->pointers[CUDA_OUT] = cuda_pointer_to(out);
    step->pointers[CUDA_A] = cuda_pointer_to(data);
    if (adds) step->pointers[CUDA_POST] = cuda_pointer_to(&other);
    step->bytes = bytes_of(views, adds ? 3 : 2);
    step->flops = (double)cuda_view_elements(out) * (double)(window->kernel[0] * window->kernel[1]);
    return 0;
}

int cuda_lower_pool(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                    struct cuda_view *out) {
    struct linnet_nn_window window = node->at.pool.window;
    struct cuda_view data;
    struct cuda_step step;
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    bool line = window.rank == 1;
    if (line) {
        window.kernel[1] = window.strides[1] = window.dilations[1] = 1;
        window.before[1] = window.after[1] = 0;
        data.rank = out->rank = 4;
        data.dims[3] = data.strides[3] = out->dims[3] = 1;
    } else if (window.rank != 2) {
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "pools over more than two dimensions");
    }
    rc = image_step(lowering, node, KERNEL_POOL, &window, &data, out, &step);
    step.kernel.average = node->at.pool.average;
    step.kernel.include_padding = node->at.pool.include_padding;
    if (line) out->rank = 3;
    return rc ? rc : cuda_emit(lowering, &step);
}

int cuda_lower_depthwise(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                         struct cuda_view *out) {
    struct cuda_view data, from, wanted, weights, bias, like;
    struct cuda_step step;
    struct linnet_nn_data *w = lowering->graph->tensors[node->inputs[1]].data, *b = NULL;
    uint32_t own = node->ninputs;
    for (uint32_t i = 0; i < node->nposts; i++)
        own -= node->posts[i].kind == LINNET_NN_POST_ADD;
    if (own > 2) b = lowering->graph->tensors[node->inputs[2]].data;
    if (!w || (own > 2 && !b)) return cuda_say(lowering, LINNET_E_UNSUPPORTED, "its weights are computed");
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    rc = image_step(lowering, node, KERNEL_DEPTHWISE, &node->at.conv.window, &data, out, &step);
    /* [C, 1, h, w] as [h, w, C], in f32: few, and read by every thread. */
    cuda_shape_of(lowering, node->inputs[1], &from);
    from.type = LINNET_NN_F32;
    cuda_view_plain(&from);
    wanted = from;
    wanted.strides[0] = 1;
    wanted.strides[1] = 1;
    wanted.strides[2] = from.dims[3] * from.dims[0];
    wanted.strides[3] = from.dims[0];
    if (!rc) rc = cuda_constant(lowering, w, &from, &wanted, &weights);
    like = (struct cuda_view){.type = LINNET_NN_F32, .rank = 1, .dims = {out->dims[1]}, .strides = {1}};
    if (!rc) rc = cuda_constant(lowering, b, &like, &like, &bias);
    if (rc) return rc;
    step.kernel.operands[CUDA_B].type = step.kernel.operands[CUDA_C].type = KERNEL_F32;
    step.kernel.operands[CUDA_C].strides[3] = 1;
    step.pointers[CUDA_B] = cuda_pointer_to(&weights);
    step.pointers[CUDA_C] = cuda_pointer_to(&bias);
    step.flops *= 2;
    return cuda_emit(lowering, &step);
}

int cuda_lower_reduce(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out) {
    struct cuda_view data, kept, gone;
    struct cuda_step step;
    struct cuda_view other;
    bool adds;
    cuda_step_init(lowering, CUDA_KERNEL, &step);
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    rc = allocate_like(lowering, NULL, out);
    /* Both halves with as few dimensions as they have; the input's strides beside the output's. */
    struct cuda_view both[2];
    kept = data;
    kept.rank = 0;
    gone = kept;
    both[0] = kept;
    for (int d = 0; d < data.rank; d++) {
        struct cuda_view *half = node->at.reduce.axes[d] ? &gone : &kept;
        both[0].dims[kept.rank] = data.dims[d];
        both[0].strides[kept.rank] = out->strides[d];
        half->dims[half->rank] = data.dims[d];
        half->strides[half->rank++] = data.strides[d];
    }
    both[0].rank = kept.rank;
    both[1] = kept;
    struct cuda_view order[2] = {both[1], both[0]}; /* by the input's strides: that is what is read most */
    cuda_views_collapse(order, 2);
    cuda_views_collapse(&gone, 1);
    struct cuda_kernel *kernel = &step.kernel;
    *kernel = (struct cuda_kernel){.kind = KERNEL_REDUCE, .operation = (int)node->at.reduce.kind};
    if (!order[0].rank)
        order[0].dims[0] = 1, order[0].strides[0] = order[1].strides[0] = 1, order[0].rank = 1;
    kernel->kept = order[0].rank;
    kernel->rank = kernel->kept + gone.rank;
    if (kernel->rank > KERNEL_RANK_MAX)
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "more dimensions than a kernel has");
    for (int d = 0; d < kernel->rank; d++) {
        bool stays = d < kernel->kept;
        kernel->dims[d] = stays ? order[0].dims[d] : gone.dims[d - kernel->kept];
        kernel->operands[CUDA_A].strides[d] = stays ? order[0].strides[d] : gone.strides[d - kernel->kept];
        kernel->operands[CUDA_OUT].strides[d] = stays ? order[1].strides[d] : 0;
    }
    kernel->operands[CUDA_A].type = (int)data.type;
    kernel->operands[CUDA_OUT].type = (int)out->type;
    order[0].offset = data.offset;
    order[0].type = data.type;
    order[1].rank = order[0].rank;
    for (int d = 0; d < order[0].rank; d++)
        order[1].dims[d] = order[0].dims[d];
    order[1].type = out->type;
    order[1].offset = 0;
    bool wide = cuda_wide(order, 2);
    for (int d = 0; d < gone.rank; d++)
        wide = wide && gone.strides[d] % WIDTH == 0;
    kernel->width = wide ? WIDTH : 1;
    if (!rc) rc = cuda_kernel_posts(lowering, node, out, kernel->posts, &kernel->nposts, &other, &adds);
    step.pointers[CUDA_OUT] = cuda_pointer_to(out);
    step.pointers[CUDA_A] = cuda_pointer_to(&data);
    step.bytes = bytes_of(&data, 1) + bytes_of(out, 1);
    step.flops = (double)cuda_view_elements(&data);
    return rc ? rc : cuda_emit(lowering, &step);
}

/* A kernel over rows along `axis` of `data`, written as `out` lies. All other dimensions come first, together
 * where they can be. */
static int rows_step(struct cuda_lowering *lowering, enum kernel_kind kind, const struct cuda_view *data,
                     const struct cuda_view *out, int axis, struct cuda_step *step) {
    struct cuda_view rows[2] = {*data, *out};
    cuda_step_init(lowering, CUDA_KERNEL, step);
    for (int i = 0; i < 2; i++) {
        for (int d = axis; d + 1 < out->rank; d++) {
            rows[i].dims[d] = rows[i].dims[d + 1];
            rows[i].strides[d] = rows[i].strides[d + 1];
        }
        rows[i].rank--;
    }
    cuda_views_collapse(rows, 2);
    if (rows[0].rank + 1 > KERNEL_RANK_MAX)
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "more dimensions than a kernel has");
    struct cuda_kernel *kernel = &step->kernel;
    *kernel = (struct cuda_kernel){.kind = kind, .rank = rows[0].rank + 1, .width = 1};
    for (int d = 0; d < rows[0].rank; d++) {
        kernel->dims[d] = rows[0].dims[d];
        kernel->operands[CUDA_A].strides[d] = rows[0].strides[d];
        kernel->operands[CUDA_OUT].strides[d] = rows[1].strides[d];
    }
    kernel->dims[kernel->rank - 1] = data->dims[axis];
    kernel->operands[CUDA_A].strides[kernel->rank - 1] = data->strides[axis];
    kernel->operands[CUDA_OUT].strides[kernel->rank - 1] = out->strides[axis];
    kernel->operands[CUDA_A].type = (int)data->type;
    kernel->operands[CUDA_OUT].type = (int)out->type;
    step->pointers[CUDA_OUT] = cuda_pointer_to(out);
    step->pointers[CUDA_A] = cuda_pointer_to(data);
    step->bytes = bytes_of(data, 1) + bytes_of(out, 1);
    return 0;
}

int cuda_emit_softmax(struct cuda_lowering *lowering, const struct cuda_view *data, int axis,
                      const struct cuda_view *out) {
    struct cuda_step step;
    int rc = rows_step(lowering, KERNEL_SOFTMAX, data, out, axis, &step);
    return rc ? rc : cuda_emit(lowering, &step);
}

int cuda_lower_softmax(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                       struct cuda_view *out) {
    struct cuda_view data;
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    rc = allocate_like(lowering, &data, out);
    return rc ? rc : cuda_emit_softmax(lowering, &data, node->at.softmax.axis, out);
}

int cuda_lower_layer_norm(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                          struct cuda_view *out) {
    struct cuda_view data, row;
    struct cuda_step step;
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, out);
    rc = allocate_like(lowering, &data, out);
    if (!rc) rc = rows_step(lowering, KERNEL_LAYER_NORM, &data, out, out->rank - 1, &step);
    for (int i = CUDA_B; i <= CUDA_C && !rc; i++) {
        struct linnet_nn_data *values = lowering->graph->tensors[node->inputs[i - CUDA_B + 1]].data;
        if (!values)
            return cuda_say(lowering, LINNET_E_UNSUPPORTED, "its parameters are computed by the network");
        row = (struct cuda_view){
            .type = LINNET_NN_F32, .rank = 1, .dims = {(int64_t)values->count}, .strides = {1}};
        rc = cuda_constant(lowering, values, &row, &row, &row);
        step.kernel.operands[i].type = KERNEL_F32;
        step.pointers[i] = cuda_pointer_to(&row);
    }
    step.kernel.value = node->at.norm.epsilon;
    return rc ? rc : cuda_emit(lowering, &step);
}
