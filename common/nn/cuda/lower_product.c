/* Convolutions and products with weights: both are cuDNN convolutions, because for these it has precompiled
 * engines with bias, residual and ReLU, and for matrix products it has none. A row of a product is a picture
 * of one pixel. */
#include "common/nn/cuda/lower.h"

/* Rows or columns of tensor-core tiles are loaded by 16 bytes. */
#define CHANNELS 8
/* A product of a single pixel's channels, with at most so many weights, is not worth a tensor core. */
#define SMALL_WEIGHTS (1 << 17)

static int64_t round_up(int64_t value, int64_t to) {
    return (value + to - 1) / to * to;
}

/* A picture's 3 or 4 channels fit into 8 bytes, for which there are engines of their own. */
static int64_t padded_channels(const struct cuda_lowering *lowering, int64_t channels) {
    if (lowering->type == LINNET_NN_F32) return channels;
    return channels <= 4 ? 4 : round_up(channels, CHANNELS);
}

static struct dnn_tensor tensor_of(const struct cuda_view *view) {
    struct dnn_tensor tensor = {.type = view->type, .rank = view->rank};
    for (int i = 0; i < view->rank; i++) {
        tensor.dims[i] = view->dims[i];
        tensor.strides[i] = view->strides[i];
    }
    return tensor;
}

/* Do the elements lie so that an engine takes them: channels innermost, everything at multiples of 16 bytes?
 */
static bool suits(const struct cuda_lowering *lowering, const struct cuda_view *view, int64_t channels) {
    int64_t unit = lowering->type == LINNET_NN_F32 ? 4 : channels == 4 ? 4 : CHANNELS, pixel = channels;
    if (view->type != lowering->type || view->offset % unit) return false;
    if (view->dims[1] != 1 && view->strides[1] != 1) return false;
    for (int i = view->rank - 1; i >= 2; i--) {
        if (view->dims[i] != 1 && view->strides[i] != pixel) return false;
        pixel *= view->dims[i];
    }
    return view->dims[0] == 1 || view->strides[0] == pixel;
}

/* Channels innermost, `channels` of them in memory. */
static void padded_strides(struct cuda_view *view, int64_t channels) {
    int64_t own = view->dims[1];
    view->dims[1] = channels;
    cuda_view_channels_last(view);
    view->dims[1] = own;
}

/* Weights [O, I, k...] as [padded O, padded I, k...] with I innermost. */
static int bring_weights(struct cuda_lowering *lowering, uint32_t tensor, int rank, int64_t out, int64_t in,
                         struct cuda_view *to) {
    struct cuda_view from;
    struct linnet_nn_data *data = lowering->graph->tensors[tensor].data;
    if (!data) return cuda_say(lowering, LINNET_E_UNSUPPORTED, "its weights are computed by the network");
    cuda_shape_of(lowering, tensor, &from);
    from.type = LINNET_NN_F32;
    while (from.rank < rank)
        from.dims[from.rank++] = 1;
    cuda_view_plain(&from);
    struct cuda_view wanted = from;
    wanted.type = lowering->type;
    wanted.dims[0] = out;
    wanted.dims[1] = in;
    cuda_view_channels_last(&wanted);
    return cuda_constant(lowering, data, &from, &wanted, to);
}

/* One bias for each output channel, in the type of the data (cuDNN's engines want that); zeros if there is
 * none. */
static int bring_bias(struct cuda_lowering *lowering, const struct linnet_nn_node *node, bool has, int rank,
                      int64_t channels, enum linnet_nn_type type, struct cuda_view *to) {
    struct linnet_nn_data *data = has ? lowering->graph->tensors[node->inputs[2]].data : NULL;
    if (has && !data) return cuda_say(lowering, LINNET_E_UNSUPPORTED, "its bias is computed by the network");
    struct cuda_view wanted = {.type = type, .rank = rank};
    for (int i = 0; i < rank; i++)
        wanted.dims[i] = 1;
    wanted.dims[1] = channels;
    cuda_view_channels_last(&wanted);
    struct cuda_view from = wanted;
    from.type = LINNET_NN_F32;
    if (data) from.dims[1] = (int64_t)data->count;
    cuda_view_channels_last(&from);
    return cuda_constant(lowering, data, &from, &wanted, to);
}

/* Inputs that a node has of its own, before those of its posts. */
static bool has_bias(const struct linnet_nn_node *node) {
    uint32_t own = node->ninputs;
    for (uint32_t i = 0; i < node->nposts; i++)
        own -= node->posts[i].kind == LINNET_NN_POST_ADD;
    return own > 2;
}

/* Memory for a result with zeros behind its channels. */
static int allocate_padded(struct cuda_lowering *lowering, const struct cuda_view *like, int64_t channels,
                           struct cuda_view *out) {
    struct cuda_view whole = *like;
    if (whole.rank > 1 && channels > 0) whole.dims[1] = channels;
    int rc = cuda_allocate(lowering, &whole);
    if (!rc && whole.dims[1] != like->dims[1]) rc = cuda_emit_fill(lowering, &whole, 0);
    *out = *like;
    out->buffer = whole.buffer;
    out->offset = 0;
    return rc;
}

/* Data as an engine takes it, `channels` of them in memory. */
static int bring_data(struct cuda_lowering *lowering, struct cuda_view *view, int64_t channels) {
    if (suits(lowering, view, channels)) return 0;
    struct cuda_view views[2], like = *view;
    like.type = lowering->type;
    padded_strides(&like, channels);
    views[1] = *view;
    int rc = allocate_padded(lowering, &like, channels, &views[0]);
    *view = views[0];
    return rc ? rc : cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
}

/* What is added, as the result lies: same strides, and `channels` of them in memory (0: just its own). */
static int bring_residual(struct cuda_lowering *lowering, const struct linnet_nn_node *node, uint32_t index,
                          const struct cuda_view *out, int64_t channels, struct cuda_view *to) {
    struct cuda_view from = {0};
    int rc = cuda_place_of(lowering, node->inputs[node->posts[index].input], &from);
    if (!rc && !cuda_view_reshape(&from, out->rank, out->dims, to)) {
        struct cuda_view plain = from;
        cuda_view_plain(&plain);
        rc = cuda_copy(lowering, &from, &plain, &from);
        if (!rc && !cuda_view_reshape(&from, out->rank, out->dims, to)) rc = LINNET_E_INTERNAL;
    }
    if (rc) return rc;
    bool same = to->type == out->type && to->offset % CHANNELS == 0;
    for (int i = 0; i < out->rank; i++)
        same = same && (out->dims[i] == 1 || to->strides[i] == out->strides[i]);
    if (same) return 0;
    struct cuda_view views[2];
    views[1] = *to;
    rc = allocate_padded(lowering, out, channels, &views[0]);
    *to = views[0];
    return rc ? rc : cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
}

/* out = a b, of either kind: specification, operands, and the bytes that it moves at least. */
static void set_product(const struct cuda_lowering *lowering, enum dnn_kind kind, const struct cuda_view *a,
                        const struct cuda_view *b, const struct cuda_view *out, struct cuda_step *step) {
    step->spec.kind = kind;
    step->spec.exact = lowering->type == LINNET_NN_F32;
    step->spec.a = tensor_of(a);
    step->spec.b = tensor_of(b);
    step->spec.out = tensor_of(out);
    step->pointers[CUDA_A] = cuda_pointer_to(a);
    step->pointers[CUDA_B] = cuda_pointer_to(b);
    step->pointers[CUDA_OUT] = cuda_pointer_to(out);
    step->bytes = (double)cuda_type_size(lowering->type) *
                  (double)(cuda_view_elements(a) + cuda_view_elements(b) + cuda_view_elements(out));
}

/* Posts of the specification: the residual first if it comes before any function, then the bias, then the
 * rest. Those up to and with a ReLU behind the bias are what precompiled engines do. */
static int add_posts(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                     const struct cuda_view *out, const struct cuda_view *bias, int64_t channels,
                     struct cuda_step *step) {
    bool early = node->nposts && node->posts[0].kind == LINNET_NN_POST_ADD;
    struct dnn_spec *spec = &step->spec;
    int rc = 0;
    for (uint32_t i = 0; i < node->nposts + 1 && !rc; i++) {
        uint32_t place = early ? 1 : 0, from = i < place ? i : i - 1;
        struct dnn_post *post = &spec->posts[spec->nposts];
        struct cuda_view view = *bias;
        if (i != place && node->posts[from].kind == LINNET_NN_POST_UNARY) {
            *post = (struct dnn_post){.unary = node->posts[from].unary};
        } else {
            if (i != place) rc = bring_residual(lowering, node, from, out, channels, &view);
            *post = (struct dnn_post){.add = true, .tensor = tensor_of(&view)};
            step->pointers[CUDA_POST + spec->nposts] = cuda_pointer_to(&view);
        }
        spec->nposts++;
        if (i == place) step->safe = spec->nposts;
    }
    if (spec->nposts > step->safe && !spec->posts[step->safe].add &&
        spec->posts[step->safe].unary.function == LINNET_NN_RELU)
        step->safe++;
    return rc;
}

/* Posts that precompiled engines do not do, as a kernel on the result. */
static int add_tail(struct cuda_lowering *lowering, const struct cuda_view *out, struct cuda_step *step) {
    struct kernel_post posts[KERNEL_POSTS_MAX];
    struct cuda_view other = *out;
    bool adds = false;
    int n = 0;
    for (int i = step->safe; i < step->spec.nposts; i++) {
        const struct dnn_post *post = &step->spec.posts[i];
        if (n == KERNEL_POSTS_MAX || (post->add && adds))
            return cuda_say(lowering, LINNET_E_UNSUPPORTED,
                            "more is done to its result than one kernel takes");
        posts[n++] = (struct kernel_post){post->add ? -1 : (int)post->unary.function, post->unary.alpha,
                                          post->unary.beta};
        if (!post->add) continue;
        adds = true;
        step->tail_post = step->pointers[CUDA_POST + i];
    }
    if (!n) return 0;
    struct cuda_view views[2] = {*out, *out};
    step->tailed = true;
    return cuda_map_kernel(views, 2, KERNEL_COPY, posts, n, adds ? &other : NULL, &step->kernel);
}

/* A convolution of `data` (brought) with everything after it, into fresh memory. `shape`: the result's
 * dimensions. */
static int emit_convolution(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                            const struct linnet_nn_window *window, int64_t groups, struct cuda_view data,
                            const struct cuda_view *shape, struct cuda_view *out) {
    int64_t in = groups == 1 ? padded_channels(lowering, data.dims[1]) : data.dims[1];
    int64_t own = shape->dims[1],
            made = groups == 1 && lowering->type != LINNET_NN_F32 ? round_up(own, CHANNELS) : own;
    struct cuda_view weights, bias, whole = *shape;
    struct cuda_step step;
    cuda_step_init(lowering, CUDA_PRODUCT, &step);
    int rc = bring_data(lowering, &data, in);
    if (!rc)
        rc = bring_weights(lowering, node->inputs[1], data.rank, made, groups == 1 ? in : in / groups,
                           &weights);
    if (!rc) rc = bring_bias(lowering, node, has_bias(node), data.rank, made, lowering->type, &bias);
    whole.dims[1] = made;
    cuda_view_channels_last(&whole);
    if (!rc) rc = cuda_allocate(lowering, &whole);
    if (rc) return rc;
    *out = whole;
    out->dims[1] = own;
    data.dims[1] = in;
    padded_strides(&data, in);
    set_product(lowering, DNN_CONVOLUTION, &data, &weights, &whole, &step);
    step.spec.window = *window;
    rc = add_posts(lowering, node, out, &bias, made, &step);
    /* A residual is as long as the result, the padding behind it included. */
    for (int i = 0; i < step.spec.nposts; i++)
        if (step.spec.posts[i].add && step.spec.posts[i].tensor.dims[1] == own)
            step.spec.posts[i].tensor.dims[1] = made;
    if (!rc) rc = add_tail(lowering, out, &step);
    double macs = (double)cuda_view_elements(shape) * (double)data.dims[1] / (double)groups;
    for (int i = 0; i < window->rank; i++)
        macs *= (double)window->kernel[i];
    step.flops = 2 * macs;
    for (uint32_t i = 0; i < node->nposts; i++)
        if (node->posts[i].kind == LINNET_NN_POST_ADD)
            step.bytes += (double)cuda_type_size(lowering->type) * (double)cuda_view_elements(shape);
    return rc ? rc : cuda_emit(lowering, &step);
}

/* [M, K] times [O, K]: a warp for each output. Both views have rows that are one stretch. */
static int emit_small(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      const struct cuda_view *data, const struct cuda_view *shape, struct cuda_view *out) {
    struct cuda_view weights, bias, other = {.rank = 0};
    struct cuda_step step;
    bool adds = false;
    cuda_step_init(lowering, CUDA_KERNEL, &step);
    *out = *shape;
    out->type = lowering->type;
    cuda_view_channels_last(out);
    int64_t rows = shape->dims[0], columns = shape->dims[1], k = data->dims[1];
    int rc = bring_weights(lowering, node->inputs[1], data->rank, columns, k, &weights);
    if (!rc) rc = bring_bias(lowering, node, has_bias(node), data->rank, columns, LINNET_NN_F32, &bias);
    if (!rc) rc = cuda_allocate(lowering, out);
    step.kernel = (struct cuda_kernel){
        .kind = KERNEL_SMALL, .rank = 2, .dims = {rows, columns}, .width = 1, .kernel = {k, 1}};
    if (!rc)
        rc = cuda_kernel_posts(lowering, node, out, step.kernel.posts, &step.kernel.nposts, &other, &adds);
    if (rc) return rc;
    const struct cuda_view *views[] = {out, data, &weights, &bias};
    for (int i = 0; i < 4; i++) {
        step.kernel.operands[i].type = (int)views[i]->type;
        step.kernel.operands[i].strides[0] = i == CUDA_B ? 0 : views[i]->strides[0];
        step.kernel.operands[i].strides[1] = i == CUDA_B ? weights.strides[0] : 1;
        step.pointers[i] = cuda_pointer_to(views[i]);
    }
    if (adds) {
        step.kernel.operands[KERNEL_OPERANDS_MAX] =
            (struct kernel_operand){(int)other.type, {other.strides[0], other.strides[1]}};
        step.pointers[CUDA_POST] = cuda_pointer_to(&other);
    }
    step.flops = 2.0 * (double)(rows * columns * k);
    step.bytes = (double)cuda_type_size(lowering->type) * (double)(rows * k + rows * columns + columns * k);
    return cuda_emit(lowering, &step);
}

static bool single_pixel(const struct cuda_view *view) {
    for (int i = 2; i < view->rank; i++)
        if (view->dims[i] != 1) return false;
    return true;
}

int cuda_lower_conv(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                    struct cuda_view *out) {
    struct linnet_nn_window window = node->at.conv.window;
    struct cuda_view data, shape;
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, &shape);
    int64_t groups = node->at.conv.groups;
    bool line = window.rank == 1; /* a picture of one row */
    if (line) {
        window.rank = 2;
        window.kernel[1] = window.strides[1] = window.dilations[1] = 1;
        window.before[1] = window.after[1] = 0;
        data.dims[3] = shape.dims[3] = data.strides[3] = 1;
        data.rank = shape.rank = 4;
    }
    if (groups == data.dims[1] && groups == shape.dims[1] && groups > 1 && window.rank == 2 && !line)
        return cuda_lower_depthwise(lowering, node, out);
    bool small =
        groups == 1 && single_pixel(&data) && single_pixel(&shape) && data.strides[1] == 1 && !line &&
        data.dims[1] * shape.dims[1] <= SMALL_WEIGHTS && lowering->graph->tensors[node->inputs[1]].data &&
        lowering->graph->tensors[node->inputs[1]].data->count == (size_t)(data.dims[1] * shape.dims[1]);
    rc = small ? emit_small(lowering, node, &data, &shape, out)
               : emit_convolution(lowering, node, &window, groups, data, &shape, out);
    if (!rc && line) out->rank = 3;
    return rc;
}

int cuda_lower_gemm(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                    struct cuda_view *out) {
    static const struct linnet_nn_window pixel = {2, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    struct cuda_view data, rows, shape, made;
    int rc = cuda_place_of(lowering, node->inputs[0], &data);
    if (rc) return rc;
    cuda_shape_of(lowering, node->output, &shape);
    int64_t k = data.dims[data.rank - 1], columns = shape.dims[shape.rank - 1];
    int64_t count = k ? cuda_view_elements(&data) / k : 0, flat[4] = {count, k, 1, 1};
    bool row = data.strides[data.rank - 1] == 1 || k == 1;
    if (!row || !cuda_view_reshape(&data, 4, flat, &rows)) {
        struct cuda_view plain = data;
        plain.type = lowering->type;
        cuda_view_plain(&plain);
        rc = cuda_copy(lowering, &data, &plain, &data);
        if (rc) return rc;
        if (!cuda_view_reshape(&data, 4, flat, &rows))
            return cuda_say(lowering, LINNET_E_INTERNAL, "rows of no shape");
    }
    struct cuda_view flat_out = {.type = lowering->type, .rank = 4, .dims = {count, columns, 1, 1}};
    rc = emit_convolution(lowering, node, &pixel, 1, rows, &flat_out, &made);
    if (rc) return rc;
    if (!cuda_view_reshape(&made, shape.rank, shape.dims, out))
        return cuda_say(lowering, LINNET_E_INTERNAL, "rows of no shape");
    return 0;
}

/* Leading dimensions as one, the last two as they are: a dense copy where the strides can't say it. */
static int bring_side(struct cuda_lowering *lowering, struct cuda_view from, int rank, const int64_t *lead,
                      struct cuda_view *to) {
    struct cuda_view wide;
    int64_t dims[LINNET_NN_RANK_MAX], batch = 1;
    int own = from.rank;
    bool repeats = false, single = true;
    for (int i = 0; i < rank - 2; i++) {
        int64_t mine = i < rank - own ? 1 : from.dims[i - (rank - own)];
        repeats = repeats || mine != lead[i];
        single = single && mine == 1;
        batch *= lead[i];
        dims[i] = lead[i];
    }
    dims[rank - 2] = from.dims[own - 2];
    dims[rank - 1] = from.dims[own - 1];
    int64_t flat[3] = {single ? 1 : batch, dims[rank - 2], dims[rank - 1]};
    bool inner = from.type == lowering->type && (from.strides[own - 1] == 1 || from.strides[own - 2] == 1) &&
                 from.offset % CHANNELS == 0;
    if (inner && (!repeats || single) && cuda_view_reshape(&from, 3, flat, to)) return 0;
    cuda_view_broadcast(&from, rank, dims, &wide);
    if (single) { /* the product repeats it */
        wide = from;
        while (wide.rank > 3 && wide.dims[0] == 1) {
            for (int i = 0; i + 1 < wide.rank; i++)
                wide.dims[i] = wide.dims[i + 1], wide.strides[i] = wide.strides[i + 1];
            wide.rank--;
        }
    }
    struct cuda_view dense = wide;
    dense.type = lowering->type;
    cuda_view_plain(&dense);
    int rc = cuda_copy(lowering, &wide, &dense, &wide);
    if (!rc && !cuda_view_reshape(&wide, 3, flat, to)) rc = cuda_say(lowering, LINNET_E_INTERNAL, "no shape");
    return rc;
}

/* The product of two places into plain memory of the dimensions of `out`, nothing after it yet. *flat: the
 * same as [batch, M, N]. */
static int product_step(struct cuda_lowering *lowering, const struct cuda_view *left,
                        const struct cuda_view *right, struct cuda_view *out, struct cuda_view *flat,
                        struct cuda_step *step) {
    struct cuda_view a, b;
    cuda_step_init(lowering, CUDA_PRODUCT, step);
    if (out->rank < 2) return cuda_say(lowering, LINNET_E_UNSUPPORTED, "products of vectors");
    cuda_view_plain(out);
    int rc = bring_side(lowering, *left, out->rank, out->dims, &a);
    if (!rc) rc = bring_side(lowering, *right, out->rank, out->dims, &b);
    if (!rc) rc = cuda_allocate(lowering, out);
    if (rc) return rc;
    int64_t dims[3] = {1, out->dims[out->rank - 2], out->dims[out->rank - 1]};
    for (int i = 0; i < out->rank - 2; i++)
        dims[0] *= out->dims[i];
    if (!cuda_view_reshape(out, 3, dims, flat)) return cuda_say(lowering, LINNET_E_INTERNAL, "no shape");
    set_product(lowering, DNN_PRODUCT, &a, &b, flat, step);
    step->flops = 2.0 * (double)cuda_view_elements(flat) * (double)a.dims[2];
    return 0;
}

int cuda_emit_product(struct cuda_lowering *lowering, const struct cuda_view *left,
                      const struct cuda_view *right, struct cuda_view *out) {
    struct cuda_view flat;
    struct cuda_step step;
    int rc = product_step(lowering, left, right, out, &flat, &step);
    return rc ? rc : cuda_emit(lowering, &step);
}

int cuda_lower_matmul(struct cuda_lowering *lowering, const struct linnet_nn_node *node,
                      struct cuda_view *out) {
    struct cuda_view left, right, flat = {0};
    struct cuda_step step;
    int rc = cuda_place_of(lowering, node->inputs[0], &left);
    if (!rc) rc = cuda_place_of(lowering, node->inputs[1], &right);
    cuda_shape_of(lowering, node->output, out);
    if (!rc) rc = product_step(lowering, &left, &right, out, &flat, &step);
    if (rc) return rc;
    for (uint32_t i = 0; i < node->nposts && !rc; i++) {
        struct dnn_post *post = &step.spec.posts[step.spec.nposts];
        *post = (struct dnn_post){.unary = node->posts[i].unary};
        if (node->posts[i].kind == LINNET_NN_POST_ADD) {
            struct cuda_view view = flat;
            rc = bring_residual(lowering, node, i, &flat, 0, &view);
            *post = (struct dnn_post){.add = true, .tensor = tensor_of(&view)};
            step.pointers[CUDA_POST + step.spec.nposts] = cuda_pointer_to(&view);
        }
        step.spec.nposts++;
    }
    if (!rc) rc = add_tail(lowering, &flat, &step);
    return rc ? rc : cuda_emit(lowering, &step);
}
