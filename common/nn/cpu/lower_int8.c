/* Convolutions and products in integers: y = f(s_x s_w[o] (sum of x w + b / (s_x s_w[o])) + r) / s_y, where x
 * and w have 8 bits and s are scales (Jacob et al. 2018, without zero points); the weights have a scale for
 * each channel o of the result. */
#include <math.h>
#include <stdlib.h>

#include "common/nn/cpu/lower.h"

/* Functions for which f(a x) = a f(x), a > 0: the result's scale may go before them. */
static bool is_homogeneous(const struct linnet_nn_node *node) {
    for (uint32_t i = 0; i < node->nposts; i++) {
        if (node->posts[i].kind != LINNET_NN_POST_UNARY) continue;
        enum linnet_nn_function function = node->posts[i].unary.function;
        if (function != LINNET_NN_RELU && function != LINNET_NN_LEAKY_RELU && function != LINNET_NN_ABS)
            return false;
    }
    return true;
}

/* What a unit of the sums stands for when the posts begin. */
static float unit_of(const struct linnet_nn_node *node, const struct dnn_spec *spec) {
    return is_homogeneous(node) ? dnn_layout_scale(spec->destination) : 1;
}

/* The most that a weight may be. */
static float levels(void) {
    return dnn_has_vnni() ? 127 : 63;
}

/* Without VNNI oneDNN keeps the weights of convolutions of signed data at half of what they are (its guide,
 * "Nuances of int8 computations"), and takes results times two. They are doubled first, so that no bit is
 * lost. */
static bool is_halved(const struct dnn_spec *spec) {
    return spec->kind == DNN_CONVOLUTION && dnn_layout_type(spec->source) == LINNET_NN_S8 && !dnn_has_vnni();
}

/* What one step of channel o's weights is: their own, if they came in no more steps than there may be, or
 * that of which the largest has `levels`. */
static float step_of(const struct linnet_nn_data *weights, size_t outputs, size_t o, float levels) {
    size_t each = weights->count / outputs;
    const float *from = weights->values + o * each;
    float most = 0;
    for (size_t i = 0; i < each; i++) {
        float size = fabsf(from[i]);
        most = size > most ? size : most;
    }
    if (weights->nsteps == outputs && most <= weights->steps[o] * (levels + 0.5F)) return weights->steps[o];
    return most > 0 ? most / levels : 1;
}

/* The nearest whole number of steps, ties to even; of what is none (weights that are not finite), the least.
 * Numbers of this size lose their fraction to 1.5 * 2^23, where neighbours are 1 apart: nearbyintf() in a
 * form that compilers take for many weights at once. */
static float whole(float steps, float levels) {
    const float large = 12582912.0F;
    float within = steps > -levels ? steps < levels ? steps : levels : -levels;
    return within + large - large;
}

/* The weights in whole steps; elements stand for themselves times `scale`. */
static int8_t *round_weights(const struct linnet_nn_data *weights, size_t outputs, float scale) {
    size_t each = weights->count / outputs;
    float most = levels(); /* asked once: oneDNN looks at the processor again each time */
    int8_t *rounded = malloc(weights->count ? weights->count : 1);
    for (size_t o = 0; rounded && o < outputs; o++) {
        const float *from = weights->values + o * each;
        float step = step_of(weights, outputs, o, most);
        for (size_t i = 0; i < each; i++)
            rounded[o * each + i] = (int8_t)(whole(from[i] / step, most) / scale);
    }
    return rounded;
}

/* Bring f32 weights, in whatever view, to 8 bits in plain order. */
static int bring_weights(struct cpu_lowering *lowering, const struct linnet_nn_data *data, size_t outputs,
                         float scale, struct cpu_place *weights) {
    const struct dnn_layout *from = weights->layout, *wanted;
    int rc = 0;
    struct dnn_layout *plain = dnn_layout_plain(LINNET_NN_S8, dnn_layout_rank(from), dnn_layout_dims(from)),
                      *scaled = plain ? dnn_layout_retype(plain, LINNET_NN_S8, scale) : NULL;
    dnn_layout_free(plain);
    rc = cpu_keep(lowering, scaled, &wanted);
    if (rc || cpu_find_values(lowering, data->values, from, wanted, &rc, weights)) return rc;
    return cpu_add_values(lowering, data->values, from, wanted, round_weights(data, outputs, scale), weights);
}

static int bring_bias(struct cpu_lowering *lowering, const float *bias, const float *sums, size_t outputs,
                      struct cpu_place *place) {
    float *values = malloc(outputs * sizeof *values);
    for (size_t o = 0; values && o < outputs; o++)
        values[o] = bias[o] / sums[o];
    return cpu_add_values(lowering, NULL, NULL, place->layout, values, place);
}

/* Weights that the operation may order, of 8 bits. */
static int weights_any(struct cpu_lowering *lowering, const struct cpu_place *weights,
                       const struct dnn_layout **any) {
    const struct dnn_layout *plain = weights->layout;
    struct dnn_layout *open = dnn_layout_any(LINNET_NN_S8, dnn_layout_rank(plain), dnn_layout_dims(plain)),
                      *scaled = open ? dnn_layout_retype(open, LINNET_NN_S8, dnn_layout_scale(plain)) : NULL;
    dnn_layout_free(open);
    return cpu_keep(lowering, scaled, any);
}

int cpu_int8_describe(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                      struct cpu_place *weights, const float *bias, struct cpu_place *bias_place) {
    const struct linnet_nn_tensor *tensor = &lowering->graph->tensors[node->inputs[1]];
    size_t outputs = (size_t)tensor->shape.dims[0];
    float doubled = is_halved(spec) ? 0.5f : 1, unit = unit_of(node, spec), most = levels();
    spec->nscales = (int)outputs;
    spec->scales = malloc(outputs * sizeof *spec->scales);
    if (!spec->scales) return cpu_fail(lowering, LINNET_E_NOMEM, "out of memory");
    for (size_t o = 0; o < outputs; o++)
        spec->scales[o] = dnn_layout_scale(spec->source) * step_of(tensor->data, outputs, o, most) * doubled;
    int rc = bring_weights(lowering, tensor->data, outputs, doubled, weights);
    if (!rc) rc = weights_any(lowering, weights, &spec->weights);
    if (!rc && bias) rc = bring_bias(lowering, bias, spec->scales, outputs, bias_place);
    for (size_t o = 0; o < outputs; o++)
        spec->scales[o] /= unit;
    return rc;
}

bool cpu_int8_scale_posts(const struct linnet_nn_node *node, struct dnn_spec *spec) {
    float unit = unit_of(node, spec), left = dnn_layout_scale(spec->destination) / unit;
    for (int i = 0; i < spec->nposts; i++)
        if (spec->posts[i].accumulate) spec->posts[i].scale /= unit;
    if (left >= 1 && left <= 1) return true;
    struct dnn_post *last = spec->nposts ? &spec->posts[spec->nposts - 1] : NULL;
    if (last && !last->accumulate && !last->add) {
        last->scale = 1 / left;
        return true;
    }
    if (spec->nposts >= 2 * LINNET_NN_POSTS_MAX) return false;
    spec->posts[spec->nposts++] = (struct dnn_post){.unary = {LINNET_NN_LINEAR, 1 / left, 0}};
    return true;
}

int cpu_int8_widen(struct cpu_lowering *lowering, const struct linnet_nn_node *node, struct dnn_spec *spec,
                   int rank, const int64_t *dims) {
    float unit = unit_of(node, spec);
    for (int i = 0; i < spec->nscales; i++)
        spec->scales[i] *= unit;
    return cpu_keep(lowering, dnn_layout_any(LINNET_NN_F32, rank, dims), &spec->destination);
}
