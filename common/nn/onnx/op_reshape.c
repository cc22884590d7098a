/* What changes the shape but not the values: Reshape, Flatten, Squeeze, Unsqueeze, Transpose. */
#include <string.h>

#include "common/nn/onnx/operators.h"
#include "common/nn/shape.h"

static int emit_reshape(const struct linnet_onnx_node *node, uint32_t data,
                        const struct linnet_nn_shape *shape) {
    struct linnet_nn_node reshape = {.op = LINNET_NN_OP_RESHAPE, .inputs = &data, .ninputs = 1};
    return linnet_onnx_emit(node, &reshape, 0, shape, NULL);
}

/* A count of elements: `factor` times the batch to the power `power`. */
struct product {
    int64_t factor;
    int power;
};

static bool multiply(struct product *product, int64_t dim) {
    product->power += dim < 0;
    return !__builtin_mul_overflow(product->factor, dim < 0 ? -dim : dim, &product->factor);
}

/* The dimension that makes the others hold all elements. */
static int infer_rest(const struct linnet_onnx_node *node, const struct linnet_nn_shape *from,
                      const struct linnet_nn_shape *to, int unknown, int64_t *dim) {
    struct product all = {1, 0}, known = {1, 0};
    bool fits = true;
    for (int i = 0; i < from->rank; i++)
        fits = fits && multiply(&all, from->dims[i]);
    for (int i = 0; i < to->rank; i++)
        if (i != unknown) fits = fits && multiply(&known, to->dims[i]);
    int power = all.power - known.power;
    if (!fits || !known.factor || all.factor % known.factor || power < 0 || power > 1)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "no size of dimension %d fits its input", unknown);
    *dim = power ? -(all.factor / known.factor) : all.factor / known.factor;
    return 0;
}

static int target_shape(const struct linnet_onnx_node *node, const struct linnet_nn_shape *from,
                        const struct linnet_onnx_integers *wanted, bool allow_zero,
                        struct linnet_nn_shape *to) {
    int unknown = -1;
    if (wanted->rank != 1 || wanted->count > LINNET_NN_RANK_MAX)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its shape is no list of at most %d sizes",
                                LINNET_NN_RANK_MAX);
    to->rank = (int)wanted->count;
    for (int i = 0; i < to->rank; i++) {
        struct linnet_onnx_integer size = wanted->items[i];
        if (size.value == -1 && !size.per_batch && unknown < 0) {
            unknown = i;
            to->dims[i] = 1;
        } else if (!size.value && !allow_zero && i < from->rank) {
            to->dims[i] = from->dims[i];
        } else if (size.value > 0) {
            to->dims[i] = size.per_batch ? -size.value : size.value;
        } else {
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its shape holds %lld at place %d",
                                    (long long)size.value, i);
        }
    }
    return unknown < 0 ? 0 : infer_rest(node, from, to, unknown, &to->dims[unknown]);
}

static const struct linnet_onnx_integers *integers_of(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, 0) ? linnet_onnx_find(node->reader, node->proto->input[0]) : NULL;
    return value ? value->integers : NULL;
}

/* The same integers in another shape. */
static int reshape_integers(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *from,
                            int rank, const int64_t *dims) {
    struct linnet_onnx_integers *to = linnet_onnx_integers_new(rank, dims);
    if (to && to->count != from->count) {
        linnet_onnx_integers_free(to);
        return linnet_onnx_fail(node, LINNET_E_INVALID, "the number of elements would change");
    }
    if (to) memcpy(to->items, from->items, to->count * sizeof *to->items);
    return linnet_onnx_output_integers(node, 0, to);
}

int linnet_onnx_read_reshape(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_integers *wanted, *integers = integers_of(node);
    struct linnet_nn_shape from = {0}, to = {0};
    int64_t allow_zero;
    uint32_t data = LINNET_NN_NONE;
    int rc = linnet_onnx_integer_input(node, 1, &wanted);
    if (!rc) rc = linnet_onnx_int(node, "allowzero", 0, &allow_zero);
    if (!rc && !integers) rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    if (integers) {
        from.rank = integers->rank;
        memcpy(from.dims, integers->dims, sizeof from.dims);
    } else {
        from = linnet_onnx_tensor_at(node, data)->shape;
    }
    rc = target_shape(node, &from, wanted, allow_zero, &to);
    if (rc) return rc;
    return integers ? reshape_integers(node, integers, to.rank, to.dims) : emit_reshape(node, data, &to);
}

int linnet_onnx_read_flatten(const struct linnet_onnx_node *node) {
    uint32_t data;
    int64_t axis;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = linnet_onnx_int(node, "axis", 1, &axis);
    if (rc) return rc;
    const struct linnet_nn_shape *from = &linnet_onnx_tensor_at(node, data)->shape;
    if (axis < -from->rank || axis > from->rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its axis is outside the %d dimensions", from->rank);
    if (axis < 0) axis += from->rank;
    struct linnet_nn_shape to = {.rank = 2, .dims = {1, 1}};
    for (int i = 0; i < from->rank && !rc; i++) {
        int64_t *side = &to.dims[i < axis ? 0 : 1];
        rc = linnet_nn_dim_multiply(*side, from->dims[i], side);
    }
    if (rc) return linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc));
    return emit_reshape(node, data, &to);
}

/* Shape and rank of the input, be it a tensor or integers. */
static int any_input(const struct linnet_onnx_node *node, uint32_t *data, struct linnet_nn_shape *shape) {
    const struct linnet_onnx_integers *integers = integers_of(node);
    memset(shape, 0, sizeof *shape);
    if (integers) {
        shape->rank = integers->rank;
        memcpy(shape->dims, integers->dims, sizeof shape->dims);
        return 0;
    }
    int rc = linnet_onnx_tensor_input(node, 0, data);
    if (!rc) *shape = linnet_onnx_tensor_at(node, *data)->shape;
    return rc;
}

static int output_shape(const struct linnet_onnx_node *node, uint32_t data,
                        const struct linnet_nn_shape *to) {
    const struct linnet_onnx_integers *integers = integers_of(node);
    return integers ? reshape_integers(node, integers, to->rank, to->dims) : emit_reshape(node, data, to);
}

int linnet_onnx_read_squeeze(const struct linnet_onnx_node *node) {
    uint32_t data = LINNET_NN_NONE;
    struct linnet_nn_shape from, to = {0};
    bool axes[LINNET_NN_RANK_MAX];
    int count, rc = any_input(node, &data, &from);
    if (!rc) rc = linnet_onnx_axes(node, 1, 13, from.rank, axes, &count);
    if (rc) return rc;
    for (int i = 0; i < from.rank; i++) {
        bool drop = count < 0 ? from.dims[i] == 1 : axes[i];
        if (drop && from.dims[i] != 1)
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its dimension %d to be dropped is not 1", i);
        if (!drop) to.dims[to.rank++] = from.dims[i];
    }
    return output_shape(node, data, &to);
}

int linnet_onnx_read_unsqueeze(const struct linnet_onnx_node *node) {
    uint32_t data = LINNET_NN_NONE;
    struct linnet_nn_shape from, to = {0};
    bool axes[LINNET_NN_RANK_MAX];
    int64_t list[LINNET_NN_RANK_MAX];
    int count = -1, rc = any_input(node, &data, &from);
    if (rc) return rc;
    /* How many axes there are has to be known before they can be counted from the end. */
    if (node->reader->opset < 13)
        rc = linnet_onnx_ints(node, "axes", LINNET_NN_RANK_MAX, list, &count);
    else
        rc = linnet_onnx_plain_integers(node, 1, LINNET_NN_RANK_MAX, list, &count);
    if (rc) return rc;
    if (count < 0) return linnet_onnx_fail(node, LINNET_E_PARSE, "its axes are missing");
    to.rank = from.rank + count;
    if (to.rank > LINNET_NN_RANK_MAX)
        return linnet_onnx_fail(node, LINNET_E_LIMIT, "it makes %d dimensions, more than %d", to.rank,
                                LINNET_NN_RANK_MAX);
    rc = linnet_onnx_axes(node, 1, 13, to.rank, axes, &count);
    if (rc) return rc;
    for (int i = 0, k = 0; i < to.rank; i++)
        to.dims[i] = axes[i] ? 1 : from.dims[k++];
    return output_shape(node, data, &to);
}

/* Integers with their dimensions in the order `axes`. */
static int transpose_integers(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *from,
                              const int *axes) {
    int64_t dims[LINNET_NN_RANK_MAX], strides[LINNET_NN_RANK_MAX], at[LINNET_NN_RANK_MAX] = {0}, step = 1;
    bool seen[LINNET_NN_RANK_MAX] = {false};
    for (int i = from->rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= from->dims[i];
    }
    for (int i = 0; i < from->rank; i++) {
        if (axes[i] < 0 || seen[axes[i]])
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its perm is no permutation of %d axes",
                                    from->rank);
        seen[axes[i]] = true;
        dims[i] = from->dims[axes[i]];
    }
    struct linnet_onnx_integers *to = linnet_onnx_integers_new(from->rank, dims);
    for (size_t i = 0; to && i < to->count; i++) {
        int64_t place = 0;
        for (int k = 0; k < from->rank; k++)
            place += at[k] * strides[axes[k]];
        to->items[i] = from->items[place];
        for (int k = from->rank - 1; k >= 0 && ++at[k] == dims[k]; k--)
            at[k] = 0;
    }
    return linnet_onnx_output_integers(node, 0, to);
}

int linnet_onnx_read_transpose(const struct linnet_onnx_node *node) {
    uint32_t data = LINNET_NN_NONE;
    int64_t perm[LINNET_NN_RANK_MAX];
    struct linnet_nn_shape from;
    struct linnet_nn_node transpose = {.op = LINNET_NN_OP_TRANSPOSE, .inputs = &data, .ninputs = 1};
    int count, rc = any_input(node, &data, &from);
    if (!rc) rc = linnet_onnx_ints(node, "perm", LINNET_NN_RANK_MAX, perm, &count);
    if (rc) return rc;
    if (count >= 0 && count != from.rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its perm has %d values for %d dimensions", count,
                                from.rank);
    for (int i = 0; i < from.rank; i++) {
        int64_t axis = count < 0 ? from.rank - 1 - i : perm[i];
        transpose.at.transpose.axes[i] = axis < 0 || axis >= from.rank ? -1 : (int)axis;
    }
    if (integers_of(node)) return transpose_integers(node, integers_of(node), transpose.at.transpose.axes);
    return linnet_onnx_emit(node, &transpose, 0, NULL, NULL);
}
