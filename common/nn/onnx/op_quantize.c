/* Networks that are quantised already, in the form of QuantizeLinear and DequantizeLinear around what is to
 * be computed in integers ("QDQ").
 *
 * Constants are what they stand for, (q - zero) scale. A value that is rounded and scaled back on the way is
 * that value here, and the range that its 8 bits span is noted as calibration would note it: int8 rounds by
 * it (common/nn/passes/quantize.c), and other precisions, to which the rounding would only be a loss, do
 * without. What else is done to integers is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* Inputs 1 and 2 of a node, one number or one for each place along an axis. */
struct steps {
    size_t count;
    const float *scale;
    const struct linnet_onnx_integers *zero; /* NULL: 0 */
    int axis;
};

static int read_scale(const struct linnet_onnx_node *node, struct steps *steps) {
    uint32_t tensor;
    int rc = linnet_onnx_tensor_input(node, 1, &tensor);
    if (rc) return rc;
    const struct linnet_nn_data *data = linnet_onnx_tensor_at(node, tensor)->data;
    if (!data || linnet_onnx_tensor_at(node, tensor)->shape.rank > 1)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "its scale must be one constant number, or one for each channel");
    for (size_t i = 0; i < data->count; i++)
        if (!(data->values[i] > 0) || !isfinite(255 * data->values[i]))
            return linnet_onnx_fail(node, LINNET_E_INVALID, "its scale is no positive number");
    steps->count = data->count;
    steps->scale = data->values;
    return 0;
}

static int read_steps(const struct linnet_onnx_node *node, int rank, struct steps *steps) {
    int64_t axis;
    int rc = read_scale(node, steps);
    if (!rc && linnet_onnx_has_input(node, 2)) {
        rc = linnet_onnx_integer_input(node, 2, &steps->zero);
        if (!rc && steps->zero->count != steps->count)
            rc = linnet_onnx_fail(node, LINNET_E_INVALID, "it has %zu scales and %zu zero points",
                                  steps->count, steps->zero->count);
    }
    if (!rc) rc = linnet_onnx_int(node, "axis", 1, &axis);
    if (rc || steps->count == 1) return rc;
    return linnet_onnx_axis(node, axis, rank, &steps->axis);
}

static float zero_at(const struct steps *steps, size_t i) {
    return steps->zero ? (float)steps->zero->items[i].value : 0;
}

/* What 8 bits hold: of the type of the zero point, U8 without one. */
static int limits(const struct linnet_onnx_node *node, const struct steps *steps, float *low, float *high) {
    int type = steps->zero ? steps->zero->type : TYPE(UINT8);
    if (type != TYPE(UINT8) && type != TYPE(INT8))
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "it rounds to data type %d, not to 8 bits", type);
    *low = type == TYPE(INT8) ? -128 : 0;
    *high = type == TYPE(INT8) ? 127 : 255;
    return 0;
}

/* Each element of a constant by the step of its place along the axis. */
struct change {
    struct steps steps;
    bool back; /* from integers */
    float low, high;
};

static float changed(const struct change *change, float value, size_t at) {
    float scale = change->steps.scale[at], zero = zero_at(&change->steps, at);
    if (change->back) return (value - zero) * scale;
    float rounded = nearbyintf(value / scale) + zero;
    return rounded > change->low ? rounded < change->high ? rounded : change->high : change->low;
}

/* What a step is for each place of the first dimension, if it is the same for all of such a place. */
static float *steps_of(const struct change *change, const struct linnet_nn_shape *shape) {
    if (!change->back || shape->rank < 2 || (change->steps.count > 1 && change->steps.axis)) return NULL;
    size_t count = (size_t)shape->dims[0];
    float *steps = malloc((count ? count : 1) * sizeof *steps);
    for (size_t i = 0; steps && i < count; i++)
        steps[i] = change->steps.scale[change->steps.count > 1 ? i : 0];
    return steps;
}

/* A constant turned into another; files repeat none of size often, so that a broken one cannot ask for much
 * memory by naming the same again and again. */
static int change_constant(const struct linnet_onnx_node *node, uint32_t tensor,
                           const struct change *change) {
    struct linnet_onnx_reader *reader = node->reader;
    const struct linnet_nn_tensor *from = linnet_onnx_tensor_at(node, tensor);
    struct linnet_nn_shape shape = from->shape;
    size_t count = from->data->count, inner = 1, steps = change->steps.count;
    if (steps > 1 && shape.dims[change->steps.axis] != (int64_t)steps)
        return linnet_onnx_fail(node, LINNET_E_INVALID, "it has %zu scales for an axis of %lld", steps,
                                (long long)shape.dims[change->steps.axis]);
    for (int i = change->steps.axis + 1; steps > 1 && i < shape.rank; i++)
        inner *= (size_t)shape.dims[i];
    reader->changed += count;
    if (reader->changed > 4 * reader->elements + LINNET_ONNX_INTEGERS_MAX)
        return linnet_onnx_fail(node, LINNET_E_LIMIT, "constants are turned into others again and again");
    float *values = malloc((count ? count : 1) * sizeof *values);
    for (size_t i = 0; values && i < count; i++)
        values[i] = changed(change, from->data->values[i], steps > 1 ? i / inner % steps : 0);
    struct linnet_nn_data *data = linnet_nn_data_new(values, count);
    if (data) data->steps = steps_of(change, &shape);
    if (data && data->steps) data->nsteps = (size_t)shape.dims[0];
    uint32_t made;
    int rc = data ? linnet_nn_graph_add_constant(reader->graph, node->proto->output[0], &shape, data, &made)
                  : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    if (rc) return linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc));
    reader->graph->tensors[made].trained = change->back;
    return linnet_onnx_output_tensor(node, 0, made);
}

/* The range that the steps span, without the one value that a symmetric range has more on one side: its
 * grid is what `quantize` makes of it again. */
static void span(const struct change *change, float *low, float *high) {
    float scale = change->steps.scale[0], zero = zero_at(&change->steps, 0);
    float below = change->low - zero, above = change->high - zero;
    if (below >= -128 && below <= -128) below = -127;
    *low = below * scale;
    *high = above * scale;
}

int linnet_onnx_read_quantize(const struct linnet_onnx_node *node) {
    struct change change = {.back = false};
    uint32_t data;
    int rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = read_steps(node, linnet_onnx_tensor_at(node, data)->shape.rank, &change.steps);
    if (!rc) rc = limits(node, &change.steps, &change.low, &change.high);
    if (rc) return rc;
    if (linnet_onnx_tensor_at(node, data)->data) return change_constant(node, data, &change);
    if (change.steps.count != 1)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "values have one scale; only constants may have one for each channel");
    struct linnet_onnx_rounding rounding = {data, change.steps.scale[0], zero_at(&change.steps, 0), 0, 0};
    span(&change, &rounding.low, &rounding.high);
    if (!(rounding.low <= 0 && rounding.high >= 0 && rounding.high - rounding.low > 0))
        return linnet_onnx_fail(node, LINNET_E_INVALID, "its steps do not span a range around 0");
    return linnet_onnx_bind_rounded(node->reader, node->proto->output[0], &rounding);
}

int linnet_onnx_read_dequantize(const struct linnet_onnx_node *node) {
    struct change change = {.back = true};
    const struct linnet_onnx_rounding *rounding = linnet_onnx_rounded(node, 0);
    uint32_t data;
    int rc = 0;
    if (rounding)
        data = rounding->tensor;
    else
        rc = linnet_onnx_tensor_input(node, 0, &data);
    if (!rc) rc = read_steps(node, linnet_onnx_tensor_at(node, data)->shape.rank, &change.steps);
    if (rc) return rc;
    if (!rounding && linnet_onnx_tensor_at(node, data)->data) return change_constant(node, data, &change);
    if (!rounding)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "what it scales is neither constant nor made by QuantizeLinear");
    float scale = change.steps.scale[0], zero = zero_at(&change.steps, 0);
    if (change.steps.count != 1 || scale < rounding->scale || scale > rounding->scale ||
        zero < rounding->zero || zero > rounding->zero)
        return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                "its scale is not that of the QuantizeLinear before it");
    return linnet_onnx_output_tensor(node, 0, data);
}
