/* Files that are broken, hostile or beyond us end as errors that say which node and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

static struct onnx_file *image(void) {
    int64_t dims[4] = {-1, 3, 8, 8};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    return file;
}

static void an_unknown_operator_is_named_with_its_node(void **state) {
    (void)state;
    struct onnx_file *file = image();
    onnx_add(file, "GridSample", "x x", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED,
                  "node 0 \"GridSample\" (GridSample): this operator is not supported; supported are: Abs");
}

static void an_unknown_attribute_is_an_error(void **state) {
    (void)state;
    struct onnx_file *file = image();
    onnx_int(onnx_add(file, "Relu", "x", "y"), "consumed_inputs", 1);
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "\"consumed_inputs\"");
}

static void shapes_that_do_not_fit_are_said(void **state) {
    (void)state;
    int64_t w[4] = {4, 5, 3, 3};
    struct onnx_file *file = image();
    struct array *weights = array_random(check_seed(), 4, w);
    check_constant(file, "w", weights);
    onnx_add(file, "Conv", "x w", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_INVALID,
                  "channels of data and weights do not fit the groups: [N, 3, 8, 8] and [4, 5, 3, 3]");
    array_free(weights);
}

static void a_kernel_larger_than_its_input_is_refused(void **state) {
    (void)state;
    int64_t kernel[2] = {9, 9};
    struct onnx_file *file = image();
    onnx_ints(onnx_add(file, "MaxPool", "x", "y"), "kernel_shape", 2, kernel);
    onnx_output(file, "y");
    check_refused(file, LINNET_E_INVALID, "a kernel of 9 does not fit into a length of 8");
}

static void an_input_from_nowhere_is_refused(void **state) {
    (void)state;
    struct onnx_file *file = image();
    onnx_add(file, "Relu", "later", "y");
    onnx_add(file, "Relu", "x", "later");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_PARSE, "\"later\" is made by nothing before it");
}

static void a_name_for_two_values_is_refused(void **state) {
    (void)state;
    struct onnx_file *file = image();
    onnx_add(file, "Relu", "x", "y");
    onnx_add(file, "Abs", "x", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_PARSE, "stands for two values");
}

static void a_free_size_other_than_the_batch_is_refused(void **state) {
    (void)state;
    int64_t dims[4] = {-1, 3, -1, 8};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "Relu", "x", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "leaves dimension 2 free");
}

static void a_later_operator_set_is_refused(void **state) {
    (void)state;
    int64_t dims[4] = {-1, 3, 8, 8};
    struct onnx_file *file = onnx_new(99);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "Relu", "x", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "operator set 99");
}

static void an_output_that_does_not_follow_the_batch_is_refused(void **state) {
    (void)state;
    int64_t wanted[2] = {1, -1}, column[2] = {-1, 1};
    struct onnx_file *file = image();
    onnx_integers(file, "wanted", 2, wanted);
    onnx_add(file, "Reshape", "x wanted", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "does not have the batch as its first dimension");
    file = onnx_new(13); /* each sample with each other */
    onnx_input(file, "x", 2, column);
    onnx_add(file, "Transpose", "x", "t");
    onnx_add(file, "Add", "x t", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_UNSUPPORTED, "dimension 1 of output \"y\" depends on the batch");
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    int64_t dims[4] = {-1, INT64_C(1) << 31, INT64_C(1) << 31, 16};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_add(file, "Relu", "x", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_LIMIT, "limit");
    int64_t pads[8] = {0, 0, INT64_MAX, 0, 0, 0, INT64_MAX, 0};
    file = image();
    onnx_integers(file, "pads", 8, pads);
    onnx_add(file, "Pad", "x pads", "y");
    onnx_output(file, "y");
    check_refused(file, LINNET_E_LIMIT, "its padding is too large");
}

/* A network worth cutting and damaging. */
static struct onnx_file *network(void) {
    int64_t w[4] = {8, 3, 3, 3}, pads[4] = {1, 1, 1, 1}, kernel[2] = {2, 2};
    struct onnx_file *file = image();
    uint64_t seed = 7;
    struct array *weights = array_random(&seed, 4, w);
    check_constant(file, "w", weights);
    array_free(weights);
    onnx_ints(onnx_add(file, "Conv", "x w", "c"), "pads", 4, pads);
    onnx_add(file, "Relu", "c", "r");
    onnx_ints(onnx_add(file, "MaxPool", "r", "p"), "kernel_shape", 2, kernel);
    onnx_add(file, "Flatten", "p", "y");
    onnx_output(file, "y");
    return file;
}

static void parse_and_forget(const uint8_t *bytes, size_t size) {
    struct linnet_nn_model *model = NULL;
    struct linnet_error err = {0};
    if (linnet_nn_model_parse(bytes, size, &model, &err)) {
        assert_null(model);
        assert_true(err.detail[0] != 0);
    }
    linnet_nn_model_free(model);
}

/* Cut at a field's end, bytes can still be a shorter file; whatever it is, the answer is an error in words or
 * a model. */
static void every_prefix_of_a_file_is_answered(void **state) {
    (void)state;
    struct onnx_file *file = network();
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    for (size_t n = 0; n < size; n++) {
        uint8_t *cut = malloc(n + 1); /* of its own, so that a read beyond it is seen by the sanitizer */
        memcpy(cut, bytes, n);
        struct linnet_nn_model *model = NULL;
        struct linnet_error err = {0};
        int rc = linnet_nn_model_parse(cut, n, &model, &err);
        assert_true(rc < 0);
        assert_true(err.detail[0] != 0);
        free(cut);
    }
    free(bytes);
}

static void every_damaged_byte_is_answered(void **state) {
    (void)state;
    struct onnx_file *file = network();
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    onnx_free(file);
    for (size_t i = 0; i < size; i++) {
        uint8_t kept = bytes[i];
        for (int k = 0; k < 4; k++) {
            bytes[i] = (uint8_t)(reference_random(check_seed()) * 256);
            parse_and_forget(bytes, size);
        }
        bytes[i] = kept;
    }
    free(bytes);
}

/* A graph in an attribute of a node of a graph in ...: protobuf-c would recurse as deep as the file is long.
 */
static void deep_nesting_is_refused_before_it_recurses(void **state) {
    (void)state;
    enum { LEVELS = 20000 };
    size_t size = 0, room = LEVELS * 16;
    uint8_t *bytes = malloc(room), *at = bytes + room;
    for (int i = 0; i < LEVELS; i++) { /* built from the inside: tag and length before what there is */
        size_t length = size;
        uint8_t varint[10];
        size_t n = 0;
        do {
            varint[n++] = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
            length >>= 7;
        } while (length);
        at -= n;
        memcpy(at, varint, n);
        int depth = LEVELS - 1 - i; /* graph; then node, attribute, graph again and again */
        *--at = depth == 0       ? 7 << 3 | 2
                : depth % 3 == 1 ? 1 << 3 | 2
                : depth % 3 == 2 ? 5 << 3 | 2
                                 : 6 << 3 | 2;
        size = (size_t)(bytes + room - at);
    }
    struct linnet_nn_model *model = NULL;
    struct linnet_error err = {0};
    int rc = linnet_nn_model_parse(at, size, &model, &err);
    print_message("%s\n", err.detail);
    assert_int_equal(rc, LINNET_E_LIMIT);
    assert_non_null(strstr(err.detail, "nests deeper"));
    free(bytes);
}

/* Two bytes of file for each empty node: 100 times as much in memory. */
static void a_file_that_swells_in_memory_is_refused(void **state) {
    (void)state;
    enum { NODES = 1 << 20 };
    size_t inner = 2 * NODES, size = 0;
    uint8_t *bytes = malloc(inner + 8);
    bytes[size++] = 7 << 3 | 2;
    for (size_t n = inner; n; n >>= 7)
        bytes[size++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    for (size_t i = 0; i < NODES; i++) {
        bytes[size++] = 1 << 3 | 2;
        bytes[size++] = 0;
    }
    struct linnet_nn_model *model = NULL;
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_model_parse(bytes, size, &model, &err), LINNET_E_LIMIT);
    print_message("%s\n", err.detail);
    free(bytes);
}

static void a_missing_file_is_not_found(void **state) {
    (void)state;
    struct linnet_nn_model *model = NULL;
    struct linnet_error err = {0};
    assert_int_equal(linnet_nn_model_load("/nowhere/model.onnx", &model, &err), LINNET_E_NOT_FOUND);
    assert_non_null(strstr(err.detail, "/nowhere/model.onnx"));
    assert_int_equal(linnet_nn_model_load("/", &model, &err), LINNET_E_PARSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_operator_is_named_with_its_node),
        cmocka_unit_test(an_unknown_attribute_is_an_error),
        cmocka_unit_test(shapes_that_do_not_fit_are_said),
        cmocka_unit_test(a_kernel_larger_than_its_input_is_refused),
        cmocka_unit_test(an_input_from_nowhere_is_refused),
        cmocka_unit_test(a_name_for_two_values_is_refused),
        cmocka_unit_test(a_free_size_other_than_the_batch_is_refused),
        cmocka_unit_test(a_later_operator_set_is_refused),
        cmocka_unit_test(an_output_that_does_not_follow_the_batch_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(every_prefix_of_a_file_is_answered),
        cmocka_unit_test(every_damaged_byte_is_answered),
        cmocka_unit_test(deep_nesting_is_refused_before_it_recurses),
        cmocka_unit_test(a_file_that_swells_in_memory_is_refused),
        cmocka_unit_test(a_missing_file_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
