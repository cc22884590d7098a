/* One operation with its posts, and the elementwise steps that others are made of. */
#include "common/nn/cpu/lower.h"

#include <string.h>

#define ARGUMENTS_MAX 16

static bool in_8_bits(const struct dnn_layout *layout) {
    enum linnet_nn_type type = dnn_layout_type(layout);
    return type == LINNET_NN_U8 || type == LINNET_NN_S8;
}

/* Lies every tensor that a post adds as the destination does? oneDNN 2.6's x64:gemm convolution takes one
 * that lies otherwise and adds it in the wrong order. */
static bool added_in_order(const struct dnn_spec *spec, const struct dnn_op *op) {
    const struct dnn_layout *made = dnn_op_layout(op, DNN_DESTINATION);
    bool same = true;
    for (int i = 0; i < spec->nposts && same; i++) {
        const struct dnn_layout *added = spec->posts[i].add;
        if (!added) continue;
        struct dnn_layout *wanted = dnn_layout_retype(made, dnn_layout_type(added), dnn_layout_scale(added));
        same = wanted && dnn_layout_equal(added, wanted);
        dnn_layout_free(wanted);
    }
    return same;
}

/* Compile `spec` and have its arguments brought to what it wants. With `fast` oneDNN's reference
 * implementation, a hundred times as slow as others, is none: it comes where a post is more than these can
 * do. */
static int compile_and_bring(struct cpu_lowering *lowering, const struct dnn_spec *spec, bool fast,
                             const struct cpu_argument *arguments, int n,
                             struct cpu_argument brought[ARGUMENTS_MAX], struct dnn_op **op) {
    if (n + 1 > ARGUMENTS_MAX) return cpu_fail(lowering, LINNET_E_INTERNAL, "too many arguments");
    int rc = cpu_compile(lowering, spec, op);
    if (rc) return rc;
    if (fast && spec->nposts &&
        (!strncmp(dnn_op_implementation(*op), "ref", 3) || !added_in_order(spec, *op))) {
        dnn_op_free(*op);
        return LINNET_E_UNSUPPORTED;
    }
    for (int i = 0; i < n && !rc; i++) {
        const struct dnn_layout *wanted = dnn_op_layout(*op, (enum dnn_role)arguments[i].role);
        brought[i] = arguments[i];
        if (wanted) rc = cpu_bring(lowering, arguments[i].place, wanted, &brought[i].place);
    }
    if (rc) dnn_op_free(*op);
    return rc;
}

static int emit_into(struct cpu_lowering *lowering, struct dnn_op *op, struct cpu_argument *brought, int n,
                     struct cpu_place made, struct cpu_place *out) {
    struct cpu_step step = {.kind = CPU_RUN, .op = op};
    brought[n] = (struct cpu_argument){DNN_DESTINATION, made};
    int rc = cpu_emit(lowering, &step, brought, n + 1);
    if (!rc) *out = made;
    return rc;
}

static int run_fresh(struct cpu_lowering *lowering, const struct dnn_spec *spec, bool fast,
                     const struct cpu_argument *arguments, int n, struct cpu_place *out) {
    struct cpu_argument brought[ARGUMENTS_MAX];
    struct cpu_place made;
    struct dnn_op *op;
    int rc = compile_and_bring(lowering, spec, fast, arguments, n, brought, &op);
    if (rc) return rc;
    rc = cpu_allocate(lowering, dnn_op_layout(op, DNN_DESTINATION), &made);
    if (!rc) return emit_into(lowering, op, brought, n, made, out);
    dnn_op_free(op);
    return rc;
}

int cpu_run(struct cpu_lowering *lowering, const struct dnn_spec *spec, struct cpu_argument *arguments, int n,
            struct cpu_place *out) {
    return run_fresh(lowering, spec, false, arguments, n, out);
}

/* Is a tensor's memory free for others once the node being lowered has read it? Views share a buffer, so all
 * tensors in it count. */
static bool dies_here(const struct cpu_lowering *lowering, uint32_t tensor) {
    const struct linnet_nn_graph *graph = lowering->graph;
    uint32_t buffer = lowering->places[tensor].buffer;
    if (lowering->plan->buffers[buffer].memory != CPU_ARENA) return false;
    for (uint32_t i = 0; i < graph->ntensors; i++) {
        const struct linnet_nn_tensor *other = &graph->tensors[i];
        if (!lowering->places[i].layout || lowering->places[i].buffer != buffer) continue;
        uint32_t reads = 0;
        for (uint32_t k = 0; k < other->nusers; k++) {
            reads += other->users[k] == lowering->node;
            if (other->users[k] > lowering->node) return false;
        }
        if (other->output || reads > 1 || (reads && i != tensor)) return false;
    }
    return true;
}

/* What lies in the destination before: of its layout, or, in 8 bits, of its order with a type and a scale of
 * its own. */
static int layout_before(struct cpu_lowering *lowering, const struct dnn_layout *added,
                         const struct dnn_layout *destination, const struct dnn_layout **before) {
    bool own = in_8_bits(destination);
    return cpu_keep(lowering,
                    dnn_layout_retype(destination, dnn_layout_type(own ? added : destination),
                                      dnn_layout_scale(own ? added : destination)),
                    before);
}

/* Run `spec`, one of whose posts adds what the destination holds: the tensor `added`, viewed at `place`. Its
 * own memory is the destination where nobody needs it any more. */
static int run_accumulating(struct cpu_lowering *lowering, const struct dnn_spec *spec,
                            const struct cpu_argument *arguments, int n, uint32_t added,
                            struct cpu_place place, struct cpu_place *out) {
    struct cpu_argument brought[ARGUMENTS_MAX];
    struct dnn_op *op;
    int rc = compile_and_bring(lowering, spec, true, arguments, n, brought, &op);
    if (rc) return rc;
    const struct dnn_layout *wanted;
    struct cpu_place made = place;
    rc = layout_before(lowering, place.layout, dnn_op_layout(op, DNN_DESTINATION), &wanted);
    if (!rc && !dnn_layout_equal(place.layout, wanted)) {
        rc = cpu_bring(lowering, place, wanted, &made);
    } else if (!rc && !dies_here(lowering, added)) {
        struct dnn_spec copy = {.kind = DNN_COPY, .source = place.layout, .destination = wanted};
        struct cpu_argument source = {DNN_SOURCE, place};
        rc = cpu_run(lowering, &copy, &source, 1, &made);
    }
    if (!rc) rc = cpu_keep(lowering, dnn_layout_copy(dnn_op_layout(op, DNN_DESTINATION)), &made.layout);
    if (!rc) return emit_into(lowering, op, brought, n, made, out);
    dnn_op_free(op);
    return rc;
}

/* A function that oneDNN does not have, on plain memory. */
static int function_plainly(struct cpu_lowering *lowering, const struct linnet_nn_unary *unary,
                            struct cpu_place from, struct cpu_place *to) {
    struct cpu_step step = {.kind = CPU_FUNCTION, .unary = *unary};
    struct cpu_place made;
    int rc = cpu_bring_plain(lowering, from, dnn_layout_type(from.layout), &from);
    if (!rc) rc = cpu_allocate(lowering, from.layout, &made);
    if (rc) return rc;
    struct cpu_argument arguments[2] = {{DNN_SOURCE, from}, {DNN_DESTINATION, made}};
    rc = cpu_emit(lowering, &step, arguments, 2);
    if (!rc) *to = made;
    return rc;
}

int cpu_function(struct cpu_lowering *lowering, const struct linnet_nn_unary *unary, struct cpu_place from,
                 struct cpu_place *to) {
    struct linnet_nn_unary steps[2];
    int count = dnn_function_steps(unary, steps), rc = 0;
    if (!count) return function_plainly(lowering, unary, from, to);
    for (int i = 0; i < count && !rc; i++) {
        struct dnn_spec spec = {
            .kind = DNN_FUNCTION, .source = from.layout, .destination = from.layout, .unary = steps[i]};
        struct cpu_argument argument = {DNN_SOURCE, from};
        rc = cpu_run(lowering, &spec, &argument, 1, &from);
    }
    if (!rc) *to = from;
    return rc;
}

static bool full_size(const struct dnn_layout *layout, int rank, const int64_t *dims) {
    return !memcmp(dnn_layout_dims(layout), dims, (size_t)rank * sizeof *dims);
}

/* The same number of dimensions, ones in front. */
static int widen(struct cpu_lowering *lowering, struct cpu_place from, int rank, struct cpu_place *to) {
    int64_t dims[LINNET_NN_RANK_MAX];
    int own = dnn_layout_rank(from.layout);
    if (own >= rank) {
        *to = from;
        return 0;
    }
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - own ? 1 : dnn_layout_dims(from.layout)[i - (rank - own)];
    return cpu_view(lowering, from, rank, dims, to);
}

/* What oneDNN does not do: both sides broadcast, or the smaller one first. */
static int broadcast_plainly(struct cpu_lowering *lowering, enum linnet_nn_arithmetic kind,
                             struct cpu_place a, struct cpu_place b, int rank, const int64_t *dims,
                             enum linnet_nn_type type, struct cpu_place *to) {
    struct cpu_step step = {.kind = CPU_BROADCAST, .arithmetic = kind};
    struct cpu_place plain_a, plain_b, made;
    const struct dnn_layout *layout;
    int rc = cpu_bring_plain(lowering, a, dnn_layout_type(a.layout), &plain_a);
    if (!rc) rc = cpu_bring_plain(lowering, b, dnn_layout_type(b.layout), &plain_b);
    if (!rc) rc = cpu_keep(lowering, dnn_layout_plain(type, rank, dims), &layout);
    if (!rc) rc = cpu_allocate(lowering, layout, &made);
    if (rc) return rc;
    struct cpu_argument arguments[3] = {
        {DNN_SOURCE, plain_a}, {DNN_SOURCE_1, plain_b}, {DNN_DESTINATION, made}};
    rc = cpu_emit(lowering, &step, arguments, 3);
    if (!rc) *to = made;
    return rc;
}

/* Does it lie in plain order, in whatever words? */
static bool is_plain(const struct dnn_layout *layout) {
    struct dnn_layout *plain =
        dnn_layout_plain(dnn_layout_type(layout), dnn_layout_rank(layout), dnn_layout_dims(layout));
    bool same = plain && dnn_layout_equal(plain, layout);
    dnn_layout_free(plain);
    return same;
}

int cpu_arithmetic(struct cpu_lowering *lowering, enum linnet_nn_arithmetic kind, struct cpu_place a,
                   struct cpu_place b, int rank, const int64_t *dims, enum linnet_nn_type type,
                   struct cpu_place *to) {
    int rc = widen(lowering, a, rank, &a);
    if (!rc) rc = widen(lowering, b, rank, &b);
    if (!rc && in_8_bits(a.layout)) rc = cpu_bring_type(lowering, a, type, &a);
    if (!rc && in_8_bits(b.layout)) rc = cpu_bring_type(lowering, b, type, &b);
    if (rc) return rc;
    bool ordered = kind == LINNET_NN_SUB || kind == LINNET_NN_DIV;
    if (!full_size(a.layout, rank, dims) && !ordered) {
        struct cpu_place swap = a;
        a = b;
        b = swap;
    }
    if (!full_size(a.layout, rank, dims))
        return broadcast_plainly(lowering, kind, a, b, rank, dims, type, to);
    rc = cpu_bring_type(lowering, a, type, &a);
    if (!rc && is_plain(a.layout)) rc = cpu_bring_plain(lowering, a, type, &a);
    if (!rc && full_size(b.layout, rank, dims)) {
        rc = cpu_bring(lowering, b, a.layout, &b);
        b.layout = a.layout; /* in the same words (cpu_bring_plain) */
    }
    if (rc) return rc;
    struct dnn_spec spec = {
        .kind = DNN_ARITHMETIC, .source = a.layout, .source_1 = b.layout, .arithmetic = kind};
    spec.destination = a.layout;
    struct cpu_argument arguments[2] = {{DNN_SOURCE, a}, {DNN_SOURCE_1, b}};
    return cpu_run(lowering, &spec, arguments, 2, to);
}

/* What the posts of a node come to. */
struct posts {
    struct cpu_argument
        arguments[8 + LINNET_NN_POSTS_MAX]; /* the operation's own and the tensors that posts add */
    int n;
    uint32_t accumulated; /* tensor that the destination holds at first; LINNET_NN_NONE: none */
    struct cpu_place place;
};

/* The posts of the node as oneDNN's. With `accumulate` the first tensor that is added is to lie in the
 * destination: all of oneDNN's kernels do that, while some leave a tensor elsewhere to much slower ones. */
static int add_posts(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                     int rank, const int64_t *dims, bool accumulate, struct posts *posts) {
    spec->nposts = 0;
    posts->accumulated = LINNET_NN_NONE;
    for (uint32_t i = 0; i < node->nposts; i++) {
        const struct linnet_nn_post *post = &node->posts[i];
        struct linnet_nn_unary steps[2];
        int count = post->kind == LINNET_NN_POST_UNARY ? dnn_function_steps(&post->unary, steps) : 0;
        for (int k = 0; k < count; k++)
            spec->posts[spec->nposts++] = (struct dnn_post){.unary = steps[k]};
        if (post->kind != LINNET_NN_POST_ADD) continue;
        struct cpu_place added;
        int rc = cpu_place_of(lowering, node->inputs[post->input], &added);
        if (!rc) rc = cpu_view(lowering, added, rank, dims, &added);
        if (!rc && !in_8_bits(spec->destination))
            rc = cpu_bring_type(lowering, added, dnn_layout_type(spec->destination), &added);
        if (rc) return rc;
        if (accumulate && posts->accumulated == LINNET_NN_NONE) {
            posts->accumulated = node->inputs[post->input];
            posts->place = added;
            spec->posts[spec->nposts++] = (struct dnn_post){.accumulate = true,
                                                            .type = dnn_layout_type(added.layout),
                                                            .scale = dnn_layout_scale(added.layout)};
            continue;
        }
        if (in_8_bits(spec->destination)) return LINNET_E_UNSUPPORTED; /* none with a scale */
        posts->arguments[posts->n++] = (struct cpu_argument){DNN_POSTS + spec->nposts, added};
        spec->posts[spec->nposts++] = (struct dnn_post){.add = added.layout};
    }
    return 0;
}

static int posts_apart(struct cpu_lowering *lowering, const struct linnet_nn_node *node, int rank,
                       const int64_t *dims, struct cpu_place *place) {
    int rc = 0;
    for (uint32_t i = 0; i < node->nposts && !rc; i++) {
        const struct linnet_nn_post *post = &node->posts[i];
        struct cpu_place added;
        if (post->kind == LINNET_NN_POST_UNARY) {
            rc = cpu_function(lowering, &post->unary, *place, place);
            continue;
        }
        rc = cpu_place_of(lowering, node->inputs[post->input], &added);
        if (!rc) rc = cpu_view(lowering, added, rank, dims, &added);
        if (!rc)
            rc = cpu_arithmetic(lowering, LINNET_NN_ADD, *place, added, rank, dims,
                                dnn_layout_type(place->layout), place);
    }
    return rc;
}

static int run_fused(struct cpu_lowering *lowering, struct dnn_spec *spec,
                     const struct cpu_argument *arguments, int n, int rank, const int64_t *dims,
                     bool accumulate, struct cpu_place *out) {
    struct posts posts = {.n = n};
    memcpy(posts.arguments, arguments, (size_t)n * sizeof *arguments);
    int rc =
        add_posts(lowering, &lowering->graph->nodes[lowering->node], spec, rank, dims, accumulate, &posts);
    if (!rc && spec->scales && !cpu_int8_scale_posts(&lowering->graph->nodes[lowering->node], spec))
        rc = LINNET_E_UNSUPPORTED;
    if (rc) return rc;
    if (posts.accumulated != LINNET_NN_NONE)
        return run_accumulating(lowering, spec, posts.arguments, posts.n, posts.accumulated, posts.place,
                                out);
    return run_fresh(lowering, spec, true, posts.arguments, posts.n, out);
}

int cpu_run_with_posts(struct cpu_lowering *lowering, struct dnn_spec *spec, struct cpu_argument *arguments,
                       int n, int rank, const int64_t *dims, struct cpu_place *out) {
    const struct linnet_nn_node *node = &lowering->graph->nodes[lowering->node];
    int rc = run_fused(lowering, spec, arguments, n, rank, dims, true, out);
    if (rc == LINNET_E_UNSUPPORTED) rc = run_fused(lowering, spec, arguments, n, rank, dims, false, out);
    if (rc != LINNET_E_UNSUPPORTED || (!node->nposts && !spec->scales)) return rc;
    spec->nposts = 0;
    rc = spec->scales ? cpu_int8_widen(lowering, node, spec, rank, dims) : 0;
    if (!rc) rc = cpu_run(lowering, spec, arguments, n, out);
    if (!rc) rc = posts_apart(lowering, node, rank, dims, out);
    return rc ? rc : cpu_bring_as(lowering, *out, node->output, out);
}
