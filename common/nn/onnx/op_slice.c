/* Parts and unions of tensors: Concat, Gather, Slice, Split, Pad. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"

static const struct linnet_onnx_integers *integers_at(const struct linnet_onnx_node *node, size_t index) {
    const struct linnet_onnx_value *value =
        linnet_onnx_has_input(node, index) ? linnet_onnx_find(node->reader, node->proto->input[index]) : NULL;
    return value ? value->integers : NULL;
}

static int concat_integers(const struct linnet_onnx_node *node) {
    int64_t total = 0;
    for (size_t i = 0; i < node->proto->n_input; i++) {
        const struct linnet_onnx_integers *part;
        int rc = linnet_onnx_integer_input(node, i, &part);
        if (rc) return rc;
        if (part->rank != 1) return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it joins integer tensors");
        total += (int64_t)part->count;
        if (total > LINNET_ONNX_INTEGERS_MAX)
            return linnet_onnx_fail(node, LINNET_E_LIMIT, "it joins too many integers");
    }
    struct linnet_onnx_integers *all = linnet_onnx_integers_new(1, &total);
    size_t at = 0;
    for (size_t i = 0; all && i < node->proto->n_input; i++) {
        const struct linnet_onnx_integers *part = integers_at(node, i);
        if (part->count) memcpy(all->items + at, part->items, part->count * sizeof *part->items);
        at += part->count;
    }
    return linnet_onnx_output_integers(node, 0, all);
}

int linnet_onnx_read_concat(const struct linnet_onnx_node *node) {
    if (integers_at(node, 0)) return concat_integers(node);
    int64_t axis;
    int rc = linnet_onnx_int(node, "axis", 1, &axis);
    uint32_t *inputs = malloc(node->proto->n_input * sizeof *inputs);
    if (!rc && !inputs) rc = linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; i < node->proto->n_input && !rc; i++)
        rc = linnet_onnx_tensor_input(node, i, &inputs[i]);
    struct linnet_nn_node concat = {
        .op = LINNET_NN_OP_CONCAT, .inputs = inputs, .ninputs = (uint32_t)node->proto->n_input};
    if (!rc)
        rc = linnet_onnx_axis(node, axis, linnet_onnx_tensor_at(node, inputs[0])->shape.rank,
                              &concat.at.concat.axis);
    if (!rc) rc = linnet_onnx_emit(node, &concat, 0, NULL, NULL);
    free(inputs);
    return rc;
}

/* Elements of a list of integers, at `indices`. */
static int gather_integers(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *from,
                           const struct linnet_onnx_integers *indices) {
    if (from->rank != 1)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it picks from an integer tensor");
    struct linnet_onnx_integers *to = linnet_onnx_integers_new(indices->rank, indices->dims);
    for (size_t i = 0; to && i < to->count; i++) {
        int64_t at = indices->items[i].value;
        if (at < 0) at += (int64_t)from->count;
        if (indices->items[i].per_batch || at < 0 || at >= (int64_t)from->count) {
            linnet_onnx_integers_free(to);
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its index is outside the %zu elements",
                                    from->count);
        }
        to->items[i] = from->items[at];
    }
    return linnet_onnx_output_integers(node, 0, to);
}

/* One index of a tensor is a slice without that dimension (PyTorch exports x[:, 0] so). */
int linnet_onnx_read_gather(const struct linnet_onnx_node *node) {
    const struct linnet_onnx_integers *indices, *from = integers_at(node, 0);
    int rc = linnet_onnx_integer_input(node, 1, &indices);
    if (rc) return rc;
    if (from) return gather_integers(node, from, indices);
    uint32_t data;
    int64_t wanted;
    int axis;
    rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = linnet_onnx_int(node, "axis", 0, &wanted);
    if (!rc) rc = linnet_onnx_axis(node, wanted, linnet_onnx_tensor_at(node, data)->shape.rank, &axis);
    if (rc) return rc;
    struct linnet_nn_shape part = linnet_onnx_tensor_at(node, data)->shape;
    if (indices->count != 1 || indices->rank > 1 || indices->items[0].per_batch || part.dims[axis] < 0)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it picks several indices, or along the batch");
    int64_t at =
        indices->items[0].value < 0 ? indices->items[0].value + part.dims[axis] : indices->items[0].value;
    struct linnet_nn_node slice = {.op = LINNET_NN_OP_SLICE, .inputs = &data, .ninputs = 1};
    slice.at.slice.starts[axis] = at;
    part.dims[axis] = 1;
    if (indices->rank) return linnet_onnx_emit(node, &slice, 0, &part, NULL);
    rc = linnet_onnx_emit(node, &slice, -1, &part, &data);
    struct linnet_nn_shape shape = {0};
    for (int i = 0; i < part.rank; i++)
        if (i != axis) shape.dims[shape.rank++] = part.dims[i];
    struct linnet_nn_node reshape = {.op = LINNET_NN_OP_RESHAPE, .inputs = &data, .ninputs = 1};
    return rc ? rc : linnet_onnx_emit(node, &reshape, 0, &shape, NULL);
}

struct ranges {
    int count;
    int64_t starts[LINNET_NN_RANK_MAX], ends[LINNET_NN_RANK_MAX], axes[LINNET_NN_RANK_MAX],
        steps[LINNET_NN_RANK_MAX];
};

/* Attributes before opset 10, inputs from then on. */
static int read_ranges(const struct linnet_onnx_node *node, struct ranges *ranges) {
    int max = LINNET_NN_RANK_MAX, ends = 0, axes = -1, steps = -1, rc;
    if (node->reader->opset < 10) {
        rc = linnet_onnx_ints(node, "starts", max, ranges->starts, &ranges->count);
        if (!rc) rc = linnet_onnx_ints(node, "ends", max, ranges->ends, &ends);
        if (!rc) rc = linnet_onnx_ints(node, "axes", max, ranges->axes, &axes);
    } else {
        rc = linnet_onnx_plain_integers(node, 1, max, ranges->starts, &ranges->count);
        if (!rc) rc = linnet_onnx_plain_integers(node, 2, max, ranges->ends, &ends);
        if (!rc && linnet_onnx_has_input(node, 3))
            rc = linnet_onnx_plain_integers(node, 3, max, ranges->axes, &axes);
        if (!rc && linnet_onnx_has_input(node, 4))
            rc = linnet_onnx_plain_integers(node, 4, max, ranges->steps, &steps);
    }
    if (rc) return rc;
    if (ranges->count < 0 || ends != ranges->count || (axes >= 0 && axes != ends) ||
        (steps >= 0 && steps != ends))
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its starts, ends, axes and steps differ in length");
    for (int i = 0; i < ranges->count; i++) {
        if (axes < 0) ranges->axes[i] = i;
        if (steps < 0) ranges->steps[i] = 1;
    }
    return 0;
}

/* start and end of a range in 0..length, by NumPy's rules. */
static void clamp_range(int64_t length, int64_t *start, int64_t *end) {
    int64_t *sides[2] = {start, end};
    for (int i = 0; i < 2; i++) {
        if (*sides[i] < 0) *sides[i] = *sides[i] < -length ? 0 : *sides[i] + length;
        if (*sides[i] > length) *sides[i] = length;
    }
}

/* The same going backwards: from `start` down to above `end`, which is -1 for the very beginning. */
static void clamp_backward(int64_t length, int64_t *start, int64_t *end) {
    if (*start < 0) *start = *start < -length ? -1 : *start + length;
    if (*start >= length) *start = length - 1;
    if (*end < 0) *end = *end < -length ? -1 : *end + length;
    if (*end >= length) *end = length - 1;
}

/* `count` places along one axis of integers, from `start` by `step`. */
static struct linnet_onnx_integers *take(const struct linnet_onnx_integers *from, int axis, int64_t start,
                                         int64_t step, int64_t count) {
    int64_t dims[LINNET_NN_RANK_MAX], inner = 1;
    memcpy(dims, from->dims, sizeof dims);
    for (int i = axis + 1; i < from->rank; i++)
        inner *= dims[i];
    int64_t row = inner * dims[axis];
    dims[axis] = count;
    struct linnet_onnx_integers *to = linnet_onnx_integers_new(from->rank, dims);
    if (!inner || !count) return to;
    for (int64_t i = 0; to && i < (int64_t)to->count; i++) {
        int64_t outer = i / (inner * count), place = i / inner % count;
        to->items[i] = from->items[outer * row + (start + place * step) * inner + i % inner];
    }
    return to;
}

/* One range of integers. PyTorch reverses lists of paddings so. */
static int slice_range(const struct linnet_onnx_node *node, const struct ranges *ranges, int i,
                       struct linnet_onnx_integers **integers) {
    struct linnet_onnx_integers *from = *integers;
    int64_t start = ranges->starts[i], end = ranges->ends[i], step = ranges->steps[i];
    int axis, rc = linnet_onnx_axis(node, ranges->axes[i], from->rank, &axis);
    if (rc) return rc;
    if (!step || step < -LINNET_ONNX_INTEGERS_MAX || step > LINNET_ONNX_INTEGERS_MAX)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "it slices by steps of %lld", (long long)step);
    if (step > 0)
        clamp_range(from->dims[axis], &start, &end);
    else
        clamp_backward(from->dims[axis], &start, &end);
    int64_t room = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
    struct linnet_onnx_integers *part =
        take(from, axis, start, step, room > 0 ? (room + stride - 1) / stride : 0);
    if (!part) return linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    linnet_onnx_integers_free(from);
    *integers = part;
    return 0;
}

static int slice_integers(const struct linnet_onnx_node *node, const struct linnet_onnx_integers *from,
                          const struct ranges *ranges) {
    struct linnet_onnx_integers *integers = linnet_onnx_integers_new(from->rank, from->dims);
    int rc = integers ? 0 : linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    if (!rc && from->count) memcpy(integers->items, from->items, from->count * sizeof *from->items);
    for (int i = 0; i < ranges->count && !rc; i++)
        rc = slice_range(node, ranges, i, &integers);
    if (!rc) return linnet_onnx_output_integers(node, 0, integers);
    linnet_onnx_integers_free(integers);
    return rc;
}

int linnet_onnx_read_slice(const struct linnet_onnx_node *node) {
    struct ranges ranges = {0};
    uint32_t data;
    int rc = read_ranges(node, &ranges);
    if (rc) return rc;
    if (integers_at(node, 0)) return slice_integers(node, integers_at(node, 0), &ranges);
    rc = linnet_onnx_tensor_input(node, 0, &data);
    if (rc) return rc;
    struct linnet_nn_shape shape = linnet_onnx_tensor_at(node, data)->shape;
    struct linnet_nn_node slice = {.op = LINNET_NN_OP_SLICE, .inputs = &data, .ninputs = 1};
    for (int i = 0; i < ranges.count; i++) {
        int axis;
        rc = linnet_onnx_axis(node, ranges.axes[i], shape.rank, &axis);
        if (rc) return rc;
        if (ranges.steps[i] != 1)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it slices data by steps");
        if (shape.dims[axis] < 0) {
            if (ranges.starts[i] || ranges.ends[i] < LINNET_ONNX_WINDOW_MAX)
                return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it takes a part of the batch");
            continue;
        }
        clamp_range(shape.dims[axis], &ranges.starts[i], &ranges.ends[i]);
        if (ranges.ends[i] <= ranges.starts[i])
            return linnet_onnx_fail(node, LINNET_E_INVALID, "it takes nothing");
        slice.at.slice.starts[axis] = ranges.starts[i];
        shape.dims[axis] = ranges.ends[i] - ranges.starts[i];
    }
    return linnet_onnx_emit(node, &slice, 0, &shape, NULL);
}

/* The lengths of the parts, `n` of them: given, or equal ones (the last shorter). */
static int split_lengths(const struct linnet_onnx_node *node, int64_t length, size_t n, int64_t *lengths) {
    int64_t given[256], sum = 0;
    int count = -1, rc = 0;
    if (n > 256) return linnet_onnx_fail(node, LINNET_E_LIMIT, "it has %zu outputs", n);
    if (node->reader->opset < 13)
        rc = linnet_onnx_ints(node, "split", 256, given, &count);
    else if (linnet_onnx_has_input(node, 1))
        rc = linnet_onnx_plain_integers(node, 1, 256, given, &count);
    if (rc) return rc;
    int64_t each = (length + (int64_t)n - 1) / (int64_t)n;
    for (size_t i = 0; i < n; i++) {
        lengths[i] = count < 0        ? (i + 1 < n ? each : length - each * (int64_t)(n - 1))
                     : (int)i < count ? given[i]
                                      : 0;
        if (lengths[i] <= 0 || lengths[i] > length - sum || (count >= 0 && (size_t)count != n))
            return linnet_onnx_fail(node, LINNET_E_INVALID, "it does not split %lld into %zu",
                                    (long long)length, n);
        sum += lengths[i];
    }
    return sum == length ? 0
                         : linnet_onnx_fail(node, LINNET_E_INVALID, "its parts do not add up to %lld",
                                            (long long)length);
}

int linnet_onnx_read_split(const struct linnet_onnx_node *node) {
    uint32_t data;
    int64_t wanted, lengths[256];
    int axis, rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = linnet_onnx_int(node, "axis", 0, &wanted);
    if (!rc) rc = linnet_onnx_axis(node, wanted, linnet_onnx_tensor_at(node, data)->shape.rank, &axis);
    if (rc) return rc;
    struct linnet_nn_shape shape = linnet_onnx_tensor_at(node, data)->shape;
    if (shape.dims[axis] < 0) return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it splits the batch");
    rc = split_lengths(node, shape.dims[axis], node->proto->n_output, lengths);
    struct linnet_nn_node slice = {.op = LINNET_NN_OP_SLICE, .inputs = &data, .ninputs = 1};
    for (size_t i = 0; i < node->proto->n_output && !rc; i++) {
        shape.dims[axis] = lengths[i];
        rc = linnet_onnx_emit(node, &slice, (int)i, &shape, NULL);
        slice.at.slice.starts[axis] += lengths[i];
    }
    return rc;
}

/* Opset 18 may name the axes that pads are for; spread them over all. */
static int spread_pads(const struct linnet_onnx_node *node, int rank, int64_t *pads, int *count) {
    int64_t list[LINNET_NN_RANK_MAX], all[2 * LINNET_NN_RANK_MAX] = {0};
    bool seen[LINNET_NN_RANK_MAX] = {false};
    int n, axis, rc = linnet_onnx_plain_integers(node, 3, LINNET_NN_RANK_MAX, list, &n);
    if (!rc && *count != 2 * n)
        rc = linnet_onnx_fail(node, LINNET_E_INVALID, "its pads has %d values for %d axes", *count, n);
    for (int i = 0; i < n && !rc; i++) {
        rc = linnet_onnx_axis(node, list[i], rank, &axis);
        if (!rc && seen[axis]) rc = linnet_onnx_fail(node, LINNET_E_INVALID, "it names axis %d twice", axis);
        if (rc) break;
        seen[axis] = true;
        all[axis] = pads[i];
        all[rank + axis] = pads[n + i];
    }
    if (rc) return rc;
    memcpy(pads, all, sizeof all);
    *count = 2 * rank;
    return 0;
}

int linnet_onnx_read_pad(const struct linnet_onnx_node *node) {
    static const char *const modes[] = {"constant", NULL};
    struct linnet_nn_node pad = {.op = LINNET_NN_OP_PAD, .ninputs = 1};
    int64_t pads[2 * LINNET_NN_RANK_MAX];
    uint32_t data;
    int mode, count, rc = linnet_onnx_choice(node, "mode", modes, &mode);
    if (!rc) rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc && node->reader->opset < 11) {
        rc = linnet_onnx_ints(node, "pads", 2 * LINNET_NN_RANK_MAX, pads, &count);
        if (!rc) rc = linnet_onnx_float(node, "value", 0, &pad.at.pad.value);
    } else if (!rc) {
        rc = linnet_onnx_plain_integers(node, 1, 2 * LINNET_NN_RANK_MAX, pads, &count);
        if (!rc && linnet_onnx_has_input(node, 2)) rc = linnet_onnx_scalar_input(node, 2, &pad.at.pad.value);
    }
    if (rc) return rc;
    int rank = linnet_onnx_tensor_at(node, data)->shape.rank;
    if (linnet_onnx_has_input(node, 3)) rc = spread_pads(node, rank, pads, &count);
    if (rc) return rc;
    if (count != 2 * rank)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its pads has %d values for %d dimensions", count,
                                rank);
    for (int i = 0; i < rank; i++) {
        pad.at.pad.before[i] = pads[i];
        pad.at.pad.after[i] = pads[rank + i];
        if (pads[i] < 0 || pads[rank + i] < 0)
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it crops by negative padding");
        if (pads[i] > LINNET_ONNX_WINDOW_MAX || pads[rank + i] > LINNET_ONNX_WINDOW_MAX)
            return linnet_onnx_fail(node, LINNET_E_LIMIT, "its padding is too large");
    }
    pad.inputs = &data;
    return linnet_onnx_emit(node, &pad, 0, NULL, NULL);
}
