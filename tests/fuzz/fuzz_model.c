/* A model's description as somebody wrote it, with a small network: a document that fits the network, or
 * words for what does not. The first byte says how many labels there are. */
#include <string.h>

#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/nn/onnx_write.h"
#include "workers/cli/model_document.h"

enum { CLASSES = 4 };

/* Means of three colours, four classes. */
static struct linnet_nn_model *network(void) {
    static const int64_t picture[4] = {-1, 3, 8, 6}, weights[2] = {CLASSES, 3};
    static const float values[CLASSES * 3];
    struct onnx_file *file = onnx_new(13);
    struct linnet_nn_model *model;
    size_t size;
    onnx_input(file, "picture", 4, picture);
    onnx_add(file, "GlobalAveragePool", "picture", "pooled");
    onnx_add(file, "Flatten", "pooled", "colour");
    onnx_floats(file, "w", 2, weights, values);
    onnx_int(onnx_add(file, "Gemm", "colour w", "logits"), "transB", 1);
    onnx_output(file, "logits");
    onnx_output(file, "colour");
    uint8_t *bytes = onnx_bytes(file, &size);
    HOLD(linnet_nn_model_parse(bytes, size, &model, NULL) == 0);
    free(bytes);
    onnx_free(file);
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct linnet_nn_model *model;
    json_t *description, *document = NULL;
    struct linnet_error err = {0};
    if (!model) model = network();
    if (size == 0 || linnet_json_parse((const char *)data + 1, size - 1, 0, &description, &err)) return 0;
    struct linnet_labels labels = {json_array(), json_array(), json_object()};
    json_t *assumed = json_array();
    for (int i = 0; i < data[0] % 8; i++)
        json_array_append_new(labels.taxa, json_null());
    const char *name = linnet_json_string(description, "name", "tiny"),
               *version = linnet_json_string(description, "version", "1");
    if (linnet_model_document(name, version, model, &labels, description, assumed, &document, &err)) {
        HOLD(!document && err.detail[0]);
    } else {
        const char *species = linnet_json_string(document, "outputs/species", "");
        size_t width = strcmp(species, "logits") ? 3 : CLASSES;
        HOLD(json_array_size(json_object_get(document, "labels")) == width);
        HOLD(linnet_json_integer(document, "input/width", 0) == 6);
        HOLD(linnet_json_integer(document, "input/height", 0) == 8);
    }
    json_decref(document);
    json_decref(assumed);
    json_decref(description);
    linnet_labels_done(&labels);
    return 0;
}
