/* One operation with its posts, and the elementwise steps that others are made of. */
#include "common/nn/cpu/lower.h"

#include <string.h>

int cpu_run(struct cpu_lowering *lowering, const struct dnn_spec *spec, struct cpu_argument *arguments, int n,
            struct cpu_place *out) {
    struct cpu_step step = {.kind = CPU_RUN};
    struct cpu_argument brought[16];
    int rc = n + 1 > (int)(sizeof brought / sizeof *brought)
                 ? cpu_fail(lowering, LINNET_E_INTERNAL, "too many arguments")
                 : cpu_compile(lowering, spec, &step.op);
    if (rc) return rc;
    for (int i = 0; i < n && !rc; i++) {
        const struct dnn_layout *wanted = dnn_op_layout(step.op, (enum dnn_role)arguments[i].role);
        brought[i] = arguments[i];
        if (wanted) rc = cpu_bring(lowering, arguments[i].place, wanted, &brought[i].place);
    }
    struct cpu_place made;
    if (!rc) rc = cpu_allocate(lowering, dnn_op_layout(step.op, DNN_DESTINATION), &made);
    if (rc) {
        dnn_op_free(step.op);
        return rc;
    }
    brought[n] = (struct cpu_argument){DNN_DESTINATION, made};
    rc = cpu_emit(lowering, &step, brought, n + 1);
    if (!rc) *out = made;
    return rc;
}

int cpu_function(struct cpu_lowering *lowering, const struct linnet_nn_unary *unary, struct cpu_place from,
                 struct cpu_place *to) {
    struct linnet_nn_unary steps[2];
    int count = dnn_function_steps(unary, steps), rc = 0;
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

int cpu_arithmetic(struct cpu_lowering *lowering, enum linnet_nn_arithmetic kind, struct cpu_place a,
                   struct cpu_place b, int rank, const int64_t *dims, enum linnet_nn_type type,
                   struct cpu_place *to) {
    int rc = widen(lowering, a, rank, &a);
    if (!rc) rc = widen(lowering, b, rank, &b);
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
    if (!rc && full_size(b.layout, rank, dims)) rc = cpu_bring(lowering, b, a.layout, &b);
    if (rc) return rc;
    struct dnn_spec spec = {
        .kind = DNN_ARITHMETIC, .source = a.layout, .source_1 = b.layout, .arithmetic = kind};
    spec.destination = a.layout;
    struct cpu_argument arguments[2] = {{DNN_SOURCE, a}, {DNN_SOURCE_1, b}};
    return cpu_run(lowering, &spec, arguments, 2, to);
}

/* The posts of the node as oneDNN's, with the tensors that they add as further arguments; returns how many
 * arguments there are, or a negative error. */
static int add_posts(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                     struct cpu_argument *arguments, int n, int rank, const int64_t *dims) {
    spec->nposts = 0;
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
        if (rc) return rc;
        arguments[n++] = (struct cpu_argument){DNN_POSTS + spec->nposts, added};
        spec->posts[spec->nposts++] = (struct dnn_post){.add = added.layout};
    }
    return n;
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

int cpu_run_with_posts(struct cpu_lowering *lowering, struct dnn_spec *spec, struct cpu_argument *arguments,
                       int n, int rank, const int64_t *dims, struct cpu_place *out) {
    const struct linnet_nn_node *node = &lowering->graph->nodes[lowering->node];
    struct cpu_argument all[8 + LINNET_NN_POSTS_MAX];
    memcpy(all, arguments, (size_t)n * sizeof *all);
    int count = add_posts(lowering, node, spec, all, n, rank, dims);
    if (count < 0) return count;
    int rc = cpu_run(lowering, spec, all, count, out);
    if (rc != LINNET_E_UNSUPPORTED || !spec->nposts) return rc;
    spec->nposts = 0;
    rc = cpu_run(lowering, spec, arguments, n, out);
    return rc ? rc : posts_apart(lowering, node, rank, dims, out);
}
