/* A model's document is made of its graph, its labels and a description, which must fit each other. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "tests/unit/nn/onnx_write.h"
#include "tests/unit/test.h"
#include "workers/cli/model_document.h"

enum { CLASSES = 4, ORGANS = 2 };

static void head(struct onnx_file *file, const char *inputs, const char *weights, const char *output,
                 int64_t rows) {
    float values[CLASSES * 3] = {0};
    const int64_t dims[2] = {rows, 3};
    onnx_floats(file, weights, 2, dims, values);
    onnx_int(onnx_add(file, "Gemm", inputs, output), "transB", 1);
    onnx_output(file, output);
}

/* Means of the colours, four classes, two organs; `size` the picture's side. */
static struct linnet_nn_model *network(int64_t size) {
    const int64_t dims[4] = {-1, 3, size, size};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "picture", 4, dims);
    onnx_add(file, "GlobalAveragePool", "picture", "pooled");
    onnx_add(file, "Flatten", "pooled", "colour");
    head(file, "colour wc", "wc", "logits", CLASSES);
    head(file, "colour wo", "wo", "organ_logits", ORGANS);
    size_t n;
    uint8_t *bytes = onnx_bytes(file, &n);
    struct linnet_nn_model *model = NULL;
    struct linnet_error err = {0};
    if (linnet_nn_model_parse(bytes, n, &model, &err) != 0) fail_msg("%s", err.detail);
    free(bytes);
    onnx_free(file);
    return model;
}

/* Make the document of `size`, `labels` classes and a description in JSON (NULL: none). */
static int document(int64_t size, size_t nlabels, const char *text, json_t **assumed, json_t **out,
                    struct linnet_error *err) {
    struct linnet_nn_model *model = network(size);
    struct linnet_labels labels = {json_array(), json_array(), json_object()};
    json_error_t fault;
    json_t *description = text ? json_loads(text, 0, &fault) : NULL;
    if (text && !description) fail_msg("%s: %s", text, fault.text);
    for (size_t i = 0; i < nlabels; i++)
        json_array_append_new(labels.taxa, json_sprintf("taxon:%zu", i));
    *assumed = json_array();
    int code = linnet_model_document("tiny", "1.0", model, &labels, description, *assumed, out, err);
    json_decref(description);
    linnet_labels_done(&labels);
    linnet_nn_model_free(model);
    return code;
}

static json_t *good(int64_t size, const char *description, size_t assumptions) {
    json_t *assumed, *out = NULL;
    struct linnet_error err = {0};
    if (document(size, CLASSES, description, &assumed, &out, &err) != 0) fail_msg("%s", err.detail);
    assert_int_equal(json_array_size(assumed), assumptions);
    json_decref(assumed);
    return out;
}

static void refused(int64_t size, size_t nlabels, const char *description, const char *words) {
    json_t *assumed, *out = NULL;
    struct linnet_error err = {0};
    assert_int_equal(document(size, nlabels, description, &assumed, &out, &err), LINNET_E_INVALID);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
    assert_null(out);
    json_decref(assumed);
}

static void text_is(const json_t *value, const char *path, const char *expected) {
    const char *text = linnet_json_string(value, path, NULL);
    if (!text || strcmp(text, expected) != 0) fail_msg("%s is %s, not %s", path, text ? text : "-", expected);
}

static void a_graph_and_labels_are_enough(void **state) {
    (void)state;
    json_t *model = good(224, NULL, 3);
    text_is(model, "_id", "model:tiny@1.0");
    text_is(model, "kind", "model");
    text_is(model, "name", "tiny");
    text_is(model, "version", "1.0");
    text_is(model, "input/name", "picture");
    text_is(model, "input/layout", "NCHW");
    text_is(model, "input/resize", "shortest");
    text_is(model, "outputs/species", "logits");
    assert_int_equal(linnet_json_integer(model, "input/width", 0), 224);
    assert_int_equal(linnet_json_integer(model, "input/height", 0), 224);
    assert_int_equal(linnet_json_integer(model, "input/resize_to", 0), 256);
    assert_int_equal(json_array_size(json_object_get(model, "labels")), CLASSES);
    assert_true(json_is_null(linnet_json_at(model, "outputs/organ")));
    assert_true(linnet_json_number(model, "calibration/temperature", 0) == 1);
    json_decref(model);
}

static void what_the_description_says_stands(void **state) {
    (void)state;
    json_t *model = good(96,
                         "{\"input\":{\"width\":96,\"height\":96,\"resize\":\"shortest\",\"resize_to\":110,"
                         "\"crop\":\"center\",\"mean\":[0,0,0],\"std\":[1,1,1]},"
                         "\"outputs\":{\"organ\":\"organ_logits\"},\"organs\":[\"leaf\",\"bark\"],"
                         "\"calibration\":{\"temperature\":1.3},\"licence\":\"CC0-1.0\",\"secret\":1}",
                         0);
    assert_int_equal(linnet_json_integer(model, "input/resize_to", 0), 110);
    text_is(model, "outputs/organ", "organ_logits");
    text_is(model, "organs/1", "bark");
    text_is(model, "licence", "CC0-1.0");
    assert_true(linnet_json_number(model, "calibration/temperature", 0) == 1.3);
    assert_null(json_object_get(model, "secret")); /* only what a model document has */
    json_decref(model);
}

/* A model whose classes are as many as its organs: the description settles which output is which. */
static void outputs_may_be_named(void **state) {
    (void)state;
    json_t *assumed, *model;
    struct linnet_error err = {0};
    assert_int_equal(
        document(96, ORGANS, "{\"outputs\":{\"species\":\"organ_logits\"}}", &assumed, &model, &err), 0);
    text_is(model, "outputs/species", "organ_logits");
    json_decref(assumed);
    json_decref(model);
}

static void what_does_not_fit_is_refused_in_words(void **state) {
    (void)state;
    refused(96, CLASSES + 1, NULL, "there are 5 labels, but output logits has 4 values");
    refused(96, CLASSES, "{\"outputs\":{\"species\":\"nothing\"}}", "no output \"nothing\"");
    refused(96, CLASSES, "{\"outputs\":{\"species\":\"organ_logits\"}}", "there are 4 labels");
    refused(96, CLASSES, "{\"outputs\":{\"plant\":\"x\"}}", "(outputs.plant)");
    refused(96, CLASSES, "{\"outputs\":{\"organ\":\"organ_logits\"},\"organs\":[\"leaf\"]}",
            "has 2 values, the description names 1 organs");
    refused(96, CLASSES, "{\"input\":{\"name\":\"image\"}}", "none is named \"image\"");
    refused(96, CLASSES, "{\"input\":{\"width\":0,\"height\":96}}", "the graph takes 96");
    refused(96, CLASSES, "{\"input\":{\"width\":128,\"height\":96}}", "the graph takes 96");
    refused(96, CLASSES, "{\"input\":[1,2]}", "input of the description is no object");
    refused(96, CLASSES, "{\"outputs\":\"logits\"}", "outputs of the description is no object");
}

static void names_that_make_no_id_are_refused(void **state) {
    (void)state;
    struct linnet_nn_model *model = network(96);
    struct linnet_labels labels = {json_array(), json_array(), json_object()};
    struct linnet_error err = {0};
    json_t *assumed = json_array(), *out = NULL;
    char longest[1024];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(linnet_model_document(longest, "1", model, &labels, NULL, assumed, &out, &err),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_model_document("", "1", model, &labels, NULL, assumed, &out, &err),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_model_document("a", "", model, &labels, NULL, assumed, &out, &err),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_model_document("a@2", "1", model, &labels, NULL, assumed, &out, &err),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_model_document("a b:c", "1", model, &labels, NULL, assumed, &out, &err),
                     LINNET_E_INVALID);
    assert_null(out);
    json_decref(assumed);
    linnet_labels_done(&labels);
    linnet_nn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_and_labels_are_enough),
        cmocka_unit_test(what_the_description_says_stands),
        cmocka_unit_test(outputs_may_be_named),
        cmocka_unit_test(what_does_not_fit_is_refused_in_words),
        cmocka_unit_test(names_that_make_no_id_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
