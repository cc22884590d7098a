/* Evaluation of nodes that read constants only. In double precision, element by element: these are small next
 * to what is trained. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/passes/passes.h"

/* The element of `from` (of shape `shape`) that the element at `at` (of a tensor of rank `rank`) reads by
 * broadcasting. */
static size_t broadcast_index(const struct linnet_nn_shape *shape, int rank, const int64_t *at) {
    size_t index = 0;
    for (int i = 0; i < shape->rank; i++) {
        int64_t place = shape->dims[i] == 1 ? 0 : at[i + rank - shape->rank];
        index = index * (size_t)shape->dims[i] + (size_t)place;
    }
    return index;
}

static double arithmetic(enum linnet_nn_arithmetic kind, double a, double b) {
    switch (kind) {
    case LINNET_NN_ADD:
        return a + b;
    case LINNET_NN_SUB:
        return a - b;
    case LINNET_NN_MUL:
        return a * b;
    case LINNET_NN_DIV:
        return a / b;
    case LINNET_NN_MIN:
        return fmin(a, b);
    case LINNET_NN_MAX:
        return fmax(a, b);
    }
    return NAN;
}

/* The input that holds the element at `at` of a concatenation; `at` becomes its place there. */
static const struct linnet_nn_tensor *concat_part(const struct linnet_nn_graph *graph,
                                                  const struct linnet_nn_node *node, int64_t *at) {
    int axis = node->at.concat.axis;
    for (uint32_t i = 0;; i++) {
        const struct linnet_nn_tensor *part = &graph->tensors[node->inputs[i]];
        if (at[axis] < part->shape.dims[axis]) return part;
        at[axis] -= part->shape.dims[axis];
    }
}

/* The value of the output's element at `at`, the `index`th in order. */
static double element(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node, int rank,
                      const int64_t *at, size_t index) {
    const struct linnet_nn_tensor *a = &graph->tensors[node->inputs[0]];
    int64_t from[LINNET_NN_RANK_MAX] = {0};
    switch (node->op) {
    case LINNET_NN_OP_UNARY:
        return linnet_nn_function_apply(&node->at.unary, (double)a->data->values[index]);
    case LINNET_NN_OP_BINARY: {
        const struct linnet_nn_tensor *b = &graph->tensors[node->inputs[1]];
        return arithmetic(node->at.binary.kind, (double)a->data->values[broadcast_index(&a->shape, rank, at)],
                          (double)b->data->values[broadcast_index(&b->shape, rank, at)]);
    }
    case LINNET_NN_OP_EXPAND:
        return (double)a->data->values[broadcast_index(&a->shape, rank, at)];
    case LINNET_NN_OP_TRANSPOSE:
        for (int i = 0; i < rank; i++)
            from[node->at.transpose.axes[i]] = at[i];
        return (double)a->data->values[broadcast_index(&a->shape, rank, from)];
    case LINNET_NN_OP_SLICE:
        for (int i = 0; i < rank; i++)
            from[i] = at[i] + node->at.slice.starts[i];
        return (double)a->data->values[broadcast_index(&a->shape, rank, from)];
    case LINNET_NN_OP_CONCAT:
        memcpy(from, at, sizeof from);
        a = concat_part(graph, node, from);
        return (double)a->data->values[broadcast_index(&a->shape, rank, from)];
    default: /* Identity, Reshape */
        return (double)a->data->values[index];
    }
}

static bool can_fold(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node) {
    switch (node->op) {
    case LINNET_NN_OP_UNARY:
    case LINNET_NN_OP_BINARY:
    case LINNET_NN_OP_TRANSPOSE:
    case LINNET_NN_OP_SLICE:
    case LINNET_NN_OP_CONCAT:
    case LINNET_NN_OP_RESHAPE:
    case LINNET_NN_OP_IDENTITY:
        break;
    case LINNET_NN_OP_EXPAND: /* to the batch's length it is no constant */
        for (int i = 0; i < graph->tensors[node->output].shape.rank; i++)
            if (graph->tensors[node->output].shape.dims[i] < 0) return false;
        break;
    default:
        return false;
    }
    for (uint32_t i = 0; i < node->ninputs; i++)
        if (!graph->tensors[node->inputs[i]].data) return false;
    return !node->nposts && !graph->tensors[node->output].output;
}

static struct linnet_nn_data *evaluate(const struct linnet_nn_graph *graph,
                                       const struct linnet_nn_node *node) {
    const struct linnet_nn_shape *shape = &graph->tensors[node->output].shape;
    size_t count = (size_t)linnet_nn_shape_elements(shape, 1);
    float *values = malloc(count * sizeof *values);
    int64_t at[LINNET_NN_RANK_MAX] = {0};
    for (size_t i = 0; values && i < count; i++) {
        values[i] = (float)element(graph, node, shape->rank, at, i);
        for (int k = shape->rank - 1; k >= 0 && ++at[k] == shape->dims[k]; k--)
            at[k] = 0;
    }
    return linnet_nn_data_new(values, count);
}

int linnet_nn_fold_constants(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        if (node->op == LINNET_NN_OP_NONE || !can_fold(graph, node)) continue;
        struct linnet_nn_data *data = evaluate(graph, node);
        if (!data) return LINNET_E_NOMEM;
        graph->tensors[node->output].data = data; /* the node's tensor becomes the constant */
        linnet_nn_graph_remove(graph, i);
    }
    return linnet_nn_graph_sort(graph);
}
