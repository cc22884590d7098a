/* What exporters compute shapes with besides arithmetic: comparisons, choices, and repeating to a shape. */
#include <string.h>

#include "common/nn/onnx/operators.h"
#include "common/nn/shape.h"

static const struct linnet_onnx_integers *integers_at(const struct linnet_onnx_node *node, size_t index) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, index) ? linnet_onnx_find(node->reader, node->proto->input[index]) : NULL;
    return value ? value->integers : NULL;
}

/* -1, 0 or 1 as a is less than, equal to or greater than b, the batch being any number from 1 on. False: it
 * depends on the batch. */
static bool compare(struct linnet_onnx_integer a, struct linnet_onnx_integer b, int *out) {
    if (a.per_batch != b.per_batch) {
        int64_t times = a.per_batch ? a.value : b.value, plain = a.per_batch ? b.value : a.value;
        /* times N >= times: never as small as anything below that */
        if (times <= 0 || plain >= times) return false;
        *out = a.per_batch ? 1 : -1;
        return true;
    }
    *out = (a.value > b.value) - (a.value < b.value);
    return true;
}

/* The length of lists used together: all of one length, or of one element. LINNET_E_UNSUPPORTED otherwise. */
static int common_list(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *const *lists,
                       int n, const struct linnet_onnx_integers **longest) {
    *longest = lists[0];
    for (int i = 1; i < n; i++)
        if (lists[i]->count > (*longest)->count ||
            (lists[i]->count == (*longest)->count && lists[i]->rank > (*longest)->rank))
            *longest = lists[i];
    for (int i = 0; i < n; i++)
        if (lists[i]->rank > 1 || (lists[i]->count != 1 && lists[i]->count != (*longest)->count))
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it compares or chooses integer tensors");
    return 0;
}

static struct linnet_onnx_integer item(const struct linnet_onnx_integers *list, size_t i) {
    return list->items[list->count == 1 ? 0 : i];
}

int linnet_onnx_read_comparison(const struct linnet_onnx_node *node) {
    const char *name = node->proto->op_type;
    int wanted = !strcmp(name, "Equal") ? 0 : !strcmp(name, "Less") ? -1 : 1;
    const struct linnet_onnx_integers *lists[2], *longest;
    int rc = linnet_onnx_integer_input(node, 0, &lists[0]);
    if (!rc) rc = linnet_onnx_integer_input(node, 1, &lists[1]);
    if (!rc) rc = common_list(node, lists, 2, &longest);
    if (rc) return rc;
    struct linnet_onnx_integers *out = linnet_onnx_integers_new(longest->rank, longest->dims);
    for (size_t i = 0; out && i < out->count; i++) {
        int order;
        if (!compare(item(lists[0], i), item(lists[1], i), &order)) {
            linnet_onnx_integers_free(out);
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its answer depends on the batch size");
        }
        out->items[i].value = order == wanted;
    }
    return linnet_onnx_output_integers(node, 0, out);
}

int linnet_onnx_read_not(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_integers *from;
    int rc = linnet_onnx_integer_input(node, 0, &from);
    if (rc) return rc;
    struct linnet_onnx_integers *out = linnet_onnx_integers_new(from->rank, from->dims);
    for (size_t i = 0; out && i < out->count; i++)
        out->items[i].value = !from->items[i].value;
    return linnet_onnx_output_integers(node, 0, out);
}

static int where_integers(const struct linnet_onnx_node *node,
                          const struct linnet_onnx_integers *const lists[3]) {
    const struct linnet_onnx_integers *longest;
    int rc = common_list(node, lists, 3, &longest);
    if (rc) return rc;
    struct linnet_onnx_integers *out = linnet_onnx_integers_new(longest->rank, longest->dims);
    for (size_t i = 0; out && i < out->count; i++)
        out->items[i] = item(lists[item(lists[0], i).value ? 1 : 2], i);
    return linnet_onnx_output_integers(node, 0, out);
}

/* A node that repeats `data` to `shape`, or nothing where it has that shape already. */
static int emit_expand(const struct linnet_onnx_node *node, uint32_t data,
                       const struct linnet_nn_shape *shape) {
    struct linnet_nn_node expand = {.op = LINNET_NN_OP_EXPAND, .inputs = &data, .ninputs = 1};
    const struct linnet_nn_tensor *tensor = linnet_onnx_tensor_at(node, data);
    if (tensor->data && linnet_nn_shape_equal(&tensor->shape, shape))
        return linnet_onnx_output_tensor(node, 0, data);
    return linnet_onnx_emit(node, &expand, 0, shape, NULL);
}

/* Tensors, by a condition that is known and the same throughout. */
static int where_tensors(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *condition) {
    uint32_t inputs[2];
    struct linnet_nn_shape shape = {.rank = condition->rank};
    memcpy(shape.dims, condition->dims, sizeof shape.dims);
    int rc = linnet_onnx_tensor_input(node, 1, &inputs[0]);
    if (!rc) rc = linnet_onnx_tensor_input(node, 2, &inputs[1]);
    for (size_t i = 1; i < condition->count && !rc; i++)
        if (!condition->items[i].value != !condition->items[0].value)
            rc =
                linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it chooses element by element between tensors");
    if (!rc && !condition->count) rc = linnet_onnx_fail(node, LINNET_E_INVALID, "its condition is empty");
    for (int i = 0; i < 2 && !rc; i++)
        rc = linnet_nn_broadcast(&shape, &linnet_onnx_tensor_at(node, inputs[i])->shape, &shape,
                                 node->reader->err);
    return rc ? rc : emit_expand(node, inputs[condition->items[0].value ? 0 : 1], &shape);
}

int linnet_onnx_read_where(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_integers *lists[3];
    int rc = linnet_onnx_integer_input(node, 0, &lists[0]);
    if (rc) return rc;
    for (size_t i = 0; i < lists[0]->count; i++)
        if (lists[0]->items[i].per_batch)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its condition depends on the batch size");
    lists[1] = integers_at(node, 1);
    lists[2] = integers_at(node, 2);
    return lists[1] && lists[2] ? where_integers(node, lists) : where_tensors(node, lists[0]);
}

/* A list of sizes as a shape. */
static int shape_of(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *sizes,
                    struct linnet_nn_shape *shape) {
    if (sizes->rank != 1 || sizes->count > LINNET_NN_RANK_MAX)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its shape is no list of at most %d sizes",
                                LINNET_NN_RANK_MAX);
    *shape = (struct linnet_nn_shape){.rank = (int)sizes->count};
    for (int i = 0; i < shape->rank; i++) {
        int64_t value = sizes->items[i].value;
        if (value <= 0)
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its shape holds %lld at place %d",
                                    (long long)value, i);
        shape->dims[i] = sizes->items[i].per_batch ? -value : value;
    }
    return 0;
}

static int expand_integers(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *from,
                           const struct linnet_nn_shape *shape) {
    if (from->count != 1)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it repeats a list of integers");
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it makes a list as long as the batch");
    struct linnet_onnx_integers *out = linnet_onnx_integers_new(shape->rank, shape->dims);
    for (size_t i = 0; out && i < out->count; i++)
        out->items[i] = from->items[0];
    return linnet_onnx_output_integers(node, 0, out);
}

int linnet_onnx_read_expand(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_integers *sizes, *integers = integers_at(node, 0);
    struct linnet_nn_shape shape;
    uint32_t data;
    int rc = linnet_onnx_integer_input(node, 1, &sizes);
    if (!rc) rc = shape_of(node, sizes, &shape);
    if (rc) return rc;
    if (integers) return expand_integers(node, integers, &shape);
    rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc)
        rc =
            linnet_nn_broadcast(&linnet_onnx_tensor_at(node, data)->shape, &shape, &shape, node->reader->err);
    return rc ? rc : emit_expand(node, data, &shape);
}
