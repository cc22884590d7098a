/* What moves elements: reshape, transpose, concatenation, slices, padding; and shapes that exporters compute
 * in the graph. */
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

/* The values of `from` in another shape. */
static struct array *reshaped(const struct array *from, int rank, const int64_t *dims) {
    struct array *to = array_new(rank, dims);
    memcpy(to->values, from->values, array_count(to) * sizeof *to->values);
    return to;
}

static struct onnx_file *start(int64_t opset, int64_t channels, int64_t height, int64_t width) {
    int64_t dims[4] = {-1, channels, height, width};
    struct onnx_file *file = onnx_new(opset);
    onnx_input(file, "x", 4, dims);
    return file;
}

static struct onnx_file *finish(struct onnx_file *file) {
    onnx_output(file, "y");
    return file;
}

/* As PyTorch exports x.view(x.size(0), -1): the batch is computed from the shape. */
static struct onnx_file *build_view(void *state) {
    (void)state;
    int64_t zero[1] = {0}, minus[1] = {-1}, axes[1] = {0};
    struct onnx_file *file = start(13, 6, 4, 5);
    onnx_integers(file, "index", 1, zero);
    onnx_integers(file, "rest", 1, minus);
    onnx_integers(file, "axes", 1, axes);
    onnx_add(file, "Shape", "x", "shape");
    onnx_add(file, "Gather", "shape index", "n");
    onnx_add(file, "Squeeze", "n axes", "scalar");
    onnx_add(file, "Unsqueeze", "scalar axes", "list");
    onnx_int(onnx_add(file, "Concat", "list rest", "wanted"), "axis", 0);
    onnx_int(onnx_add(file, "Cast", "wanted", "cast"), "to", 7);
    onnx_add(file, "Reshape", "x cast", "y");
    return finish(file);
}

/* A channel shuffle (ShuffleNet): reshape with the batch times a number, transpose, reshape. */
static struct onnx_file *build_shuffle(void *state) {
    (void)state;
    int64_t split[5] = {0, 2, 3, 4, 5}, join[4] = {-1, 6, 4, 5}, perm[5] = {0, 2, 1, 3, 4};
    struct onnx_file *file = start(13, 6, 4, 5);
    onnx_integers(file, "split", 5, split);
    onnx_integers(file, "join", 4, join);
    onnx_add(file, "Reshape", "x split", "s");
    onnx_ints(onnx_add(file, "Transpose", "s", "t"), "perm", 5, perm);
    onnx_add(file, "Reshape", "t join", "y");
    return finish(file);
}

/* Batch and channels become one dimension and come apart again. */
static struct onnx_file *build_merged(void *state) {
    (void)state;
    int64_t merged[3] = {-1, 4, 5}, apart[4] = {-1, 6, 4, 5};
    struct onnx_file *file = start(13, 6, 4, 5);
    onnx_integers(file, "merged", 3, merged);
    onnx_integers(file, "apart", 4, apart);
    onnx_add(file, "Reshape", "x merged", "m");
    onnx_add(file, "Relu", "m", "r");
    onnx_add(file, "Reshape", "r apart", "y");
    return finish(file);
}

/* NHWC and back, a pool between: the transposes move nothing if the layout can take them. */
static struct onnx_file *build_transposed(void *state) {
    (void)state;
    int64_t there[4] = {0, 2, 3, 1};
    struct onnx_file *file = start(13, 6, 4, 5);
    onnx_add(file, "Relu", "x", "r");
    onnx_ints(onnx_add(file, "Transpose", "r", "y"), "perm", 4, there);
    return finish(file);
}

/* Inception's transform_input: each channel taken, scaled, put back. */
static struct onnx_file *build_channels(void *state) {
    (void)state;
    static const float factors[3] = {0.5f, 2, -1};
    int64_t axes[1] = {1}, place;
    struct onnx_file *file = start(13, 3, 4, 5);
    onnx_integers(file, "axes", 1, axes);
    for (place = 0; place < 3; place++) {
        static const char *const names[3][4] = {
            {"i0", "g0", "u0", "m0"}, {"i1", "g1", "u1", "m1"}, {"i2", "g2", "u2", "m2"}};
        char inputs[32];
        onnx_integers(file, names[place][0], 1, &place);
        strcpy(inputs, "x ");
        onnx_int(onnx_add(file, "Gather", strcat(inputs, names[place][0]), names[place][1]), "axis", 1);
        strcpy(inputs, names[place][1]);
        onnx_floats(file, names[place][2], 0, NULL, &factors[place]);
        strcat(inputs, " ");
        onnx_add(file, "Mul", strcat(inputs, names[place][2]), names[place][3]);
    }
    onnx_int(onnx_add(file, "Concat", "m0 m1 m2", "y"), "axis", 1);
    return finish(file);
}

static void shapes_computed_in_the_graph_are_resolved(void **state) {
    (void)state;
    int64_t dims[4] = {3, 6, 4, 5}, flat[2] = {3, 120}, five[5] = {3, 2, 3, 4, 5};
    int perm[5] = {0, 2, 1, 3, 4}, nhwc[4] = {0, 2, 3, 1};
    struct array *x = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < array_count(x); i++)
        x->values[i] = x->values[i] < 0 ? -x->values[i] : x->values[i]; /* above Relu */
    struct array *split = reshaped(x, 5, five), *turned = reference_transpose(split, perm);
    check_network("view", build_view, NULL, x, reshaped(x, 2, flat));
    check_network("channel shuffle", build_shuffle, NULL, x, reshaped(turned, 4, dims));
    check_network("batch and channels merged", build_merged, NULL, x, reshaped(x, 4, dims));
    check_network("transpose", build_transposed, NULL, x, reference_transpose(x, nhwc));
    array_free(split);
    array_free(turned);
    array_free(x);
}

static void channels_taken_apart_and_joined(void **state) {
    (void)state;
    int64_t dims[4] = {3, 3, 4, 5};
    double factors[3] = {0.5, 2, -1};
    struct array *x = array_random(check_seed(), 4, dims), *y = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < array_count(x); i++)
        y->values[i] = x->values[i] * factors[i / 20 % 3];
    check_network("channels scaled one by one", build_channels, NULL, x, y);
    array_free(x);
}

static struct onnx_file *build_concat(void *state) {
    (void)state;
    int64_t starts[2] = {4, -3}, ends[2] = {20, INT64_MAX}, axes[2] = {1, 3}, sizes[2] = {5, 27};
    struct onnx_file *file = start(13, 32, 6, 7);
    onnx_integers(file, "starts", 2, starts);
    onnx_integers(file, "ends", 2, ends);
    onnx_integers(file, "axes", 2, axes);
    onnx_integers(file, "sizes", 2, sizes);
    onnx_add(file, "Relu", "x", "r");
    onnx_int(onnx_add(file, "Split", "r sizes", "a b"), "axis", 1);
    onnx_int(onnx_add(file, "Concat", "b a r", "c"), "axis", 1);
    onnx_add(file, "Slice", "c starts ends axes", "y");
    return finish(file);
}

static void split_concat_and_slice_equal_the_reference(void **state) {
    (void)state;
    int64_t dims[4] = {2, 32, 6, 7}, a_dims[4] = {2, 5, 6, 7}, b_dims[4] = {2, 27, 6, 7},
            out[4] = {2, 16, 6, 3};
    int64_t from_a[4] = {0, 0, 0, 0}, from_b[4] = {0, 5, 0, 0}, from[4] = {0, 4, 0, 4};
    struct array *x = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < array_count(x); i++)
        x->values[i] = x->values[i] < 0 ? -x->values[i] : x->values[i];
    struct array *a = reference_slice(x, from_a, a_dims), *b = reference_slice(x, from_b, b_dims);
    const struct array *parts[3] = {b, a, x};
    struct array *all = reference_concat(parts, 3, 1);
    check_network("split, concat, slice", build_concat, NULL, x, reference_slice(all, from, out));
    array_free(a);
    array_free(b);
    array_free(all);
    array_free(x);
}

static struct onnx_file *build_pad(void *state) {
    const float *value = state;
    int64_t pads[8] = {0, 1, 0, 2, 0, 2, 3, 0};
    struct onnx_file *file = start(13, 3, 4, 5);
    onnx_integers(file, "pads", 8, pads);
    onnx_floats(file, "value", 0, NULL, value);
    onnx_add(file, "Pad", "x pads value", "y");
    return finish(file);
}

static void padding_equals_the_reference(void **state) {
    (void)state;
    int64_t dims[4] = {2, 3, 4, 5}, before[4] = {0, 1, 0, 2}, after[4] = {0, 2, 3, 0};
    float value = 0.75f;
    struct array *x = array_random(check_seed(), 4, dims);
    check_network("pad", build_pad, &value, x, reference_pad(x, before, after, 0.75));
    array_free(x);
}

/* An input that is an output, one tensor that is two outputs, a Dropout: names stay what the file says. */
static void outputs_keep_their_names(void **state) {
    (void)state;
    int64_t dims[4] = {2, 3, 4, 5};
    struct array *x = array_random(check_seed(), 4, dims);
    for (size_t i = 0; i < 4; i++) {
        struct onnx_file *file = start(13, 3, 4, 5);
        onnx_add(file, "Neg", "x", "n");
        onnx_add(file, "Dropout", "n", "y");
        onnx_add(file, "Identity", "n", "z");
        onnx_output(file, "x");
        onnx_output(file, "y");
        onnx_output(file, "z");
        onnx_output(file, "n");
        const struct array *inputs[1] = {x};
        struct array *got = check_run(file, LINNET_NN_PRECISION_F32, inputs, i);
        for (size_t k = 0; k < array_count(x); k++)
            assert_true(got->values[k] == (i ? -x->values[k] : x->values[k]));
        array_free(got);
    }
    array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_computed_in_the_graph_are_resolved),
        cmocka_unit_test(channels_taken_apart_and_joined),
        cmocka_unit_test(split_concat_and_slice_equal_the_reference),
        cmocka_unit_test(padding_equals_the_reference),
        cmocka_unit_test(outputs_keep_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
