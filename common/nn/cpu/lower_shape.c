/* What moves elements without computing: unions, views, padding, parts. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/cpu/lower.h"

#define CONCAT_MAX 512

static int concat_sources(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                          struct cpu_argument *arguments, const struct dnn_layout **layouts) {
    int rc = 0;
    for (uint32_t i = 0; i < node->ninputs && !rc; i++) {
        arguments[i].role = DNN_SOURCES + (int)i;
        rc = cpu_place_of(lowering, node->inputs[i], &arguments[i].place);
        if (!rc) rc = cpu_bring_as(lowering, arguments[i].place, node->output, &arguments[i].place);
        layouts[i] = arguments[i].place.layout;
    }
    return rc;
}

static int run_concat(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                      struct cpu_argument *arguments, const struct dnn_layout **layouts,
                      struct cpu_place *out) {
    struct dnn_spec spec = {.kind = DNN_CONCATENATION,
                            .sources = layouts,
                            .nsources = (int)node->ninputs,
                            .axis = node->at.concat.axis};
    struct cpu_step step = {.kind = CPU_RUN};
    int64_t dims[LINNET_NN_RANK_MAX];
    cpu_dims(lowering, node->output, dims);
    int rc = cpu_any(lowering, node->output, cpu_rank(lowering, node->output), dims, &spec.destination);
    if (!rc) rc = cpu_compile(lowering, &spec, &step.op);
    struct cpu_place made;
    if (!rc) rc = cpu_allocate(lowering, dnn_op_layout(step.op, DNN_DESTINATION), &made);
    if (rc) {
        dnn_op_free(step.op);
        return rc;
    }
    arguments[node->ninputs] = (struct cpu_argument){DNN_DESTINATION, made};
    rc = cpu_emit(lowering, &step, arguments, (int)node->ninputs + 1);
    if (!rc) *out = made;
    return rc;
}

int cpu_lower_concat(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                     struct cpu_place *out) {
    if (node->ninputs > CONCAT_MAX) return cpu_fail(lowering, LINNET_E_UNSUPPORTED, "more than 512 inputs");
    struct cpu_argument *arguments = malloc((node->ninputs + 1) * sizeof *arguments);
    const struct dnn_layout **layouts = malloc(node->ninputs * sizeof(struct dnn_layout *));
    int rc = arguments && layouts ? concat_sources(lowering, node, arguments, layouts)
                                  : cpu_fail(lowering, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = run_concat(lowering, node, arguments, layouts, out);
    free(arguments);
    free(layouts);
    return rc;
}

/* Also what changes nothing but had to stay (an identity between an input and an output). */
int cpu_lower_reshape(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                      struct cpu_place *out) {
    struct cpu_place source;
    int64_t dims[LINNET_NN_RANK_MAX];
    cpu_dims(lowering, node->output, dims);
    int rc = cpu_place_of(lowering, node->inputs[0], &source);
    if (!rc) rc = cpu_view(lowering, source, cpu_rank(lowering, node->output), dims, &source);
    return rc ? rc : cpu_bring_as(lowering, source, node->output, out);
}

int cpu_lower_transpose(struct cpu_lowering *lowering, const struct linnet_nn_node *node,
                        struct cpu_place *out) {
    struct cpu_place source;
    int rc = cpu_place_of(lowering, node->inputs[0], &source);
    if (!rc) rc = cpu_bring_as(lowering, source, node->output, &source);
    if (rc) return rc;
    out->buffer = source.buffer; /* no element moves: who needs another order brings them into it */
    return cpu_keep(lowering, dnn_layout_permute(source.layout, node->at.transpose.axes), &out->layout);
}

int cpu_lower_pad(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct cpu_place source, inside;
    int64_t dims[LINNET_NN_RANK_MAX], from[LINNET_NN_RANK_MAX];
    int rank = cpu_rank(lowering, node->output);
    enum linnet_nn_type type = cpu_type(lowering, node->output);
    const struct dnn_layout *layout;
    cpu_dims(lowering, node->output, dims);
    cpu_dims(lowering, node->inputs[0], from);
    int rc = cpu_place_of(lowering, node->inputs[0], &source);
    if (!rc) rc = cpu_keep(lowering, dnn_layout_plain(type, rank, dims), &layout);
    if (!rc) rc = cpu_allocate(lowering, layout, out);
    if (rc) return rc;
    struct cpu_step fill = {.kind = CPU_FILL, .value = node->at.pad.value}, copy = {.kind = CPU_RUN};
    struct cpu_argument whole = {DNN_DESTINATION, *out};
    rc = cpu_emit(lowering, &fill, &whole, 1);
    inside.buffer = out->buffer;
    if (!rc)
        rc = cpu_keep(lowering, dnn_layout_slice(out->layout, node->at.pad.before, from), &inside.layout);
    struct dnn_spec spec = {.kind = DNN_COPY, .source = source.layout, .destination = inside.layout};
    if (!rc) rc = cpu_compile(lowering, &spec, &copy.op);
    struct cpu_argument arguments[2] = {{DNN_SOURCE, source}, {DNN_DESTINATION, inside}};
    return rc ? rc : cpu_emit(lowering, &copy, arguments, 2);
}

int cpu_lower_slice(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct cpu_place *out) {
    struct cpu_place source;
    int64_t dims[LINNET_NN_RANK_MAX];
    cpu_dims(lowering, node->output, dims);
    int rc = cpu_place_of(lowering, node->inputs[0], &source);
    if (rc) return rc;
    struct dnn_layout *part = dnn_layout_slice(source.layout, node->at.slice.starts, dims);
    if (!part) { /* it cuts through a block */
        rc = cpu_bring_plain(lowering, source, dnn_layout_type(source.layout), &source);
        if (!rc) part = dnn_layout_slice(source.layout, node->at.slice.starts, dims);
    }
    struct cpu_place inside = {.buffer = source.buffer};
    if (!rc) rc = cpu_keep(lowering, part, &inside.layout);
    /* Dense, so that what reads it finds the kernels that it knows. */
    return rc ? rc : cpu_bring_plain(lowering, inside, cpu_type(lowering, node->output), out);
}
