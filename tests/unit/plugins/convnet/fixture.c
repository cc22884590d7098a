#include "tests/unit/plugins/convnet/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/nn/onnx_write.h"
#include "tests/unit/plugins/normalize/pictures.h"
#include "tests/unit/test.h"

const float convnet_class_weights[4][3] = {{2, -1, 0}, {-1, 2, 0}, {0, 0, 1}, {1, 1, -2}};
const float convnet_organ_weights[2][3] = {{1, 0, 0}, {0, 1, 1}};
const float convnet_plant_weights[1][3] = {{0.5f, 1, -0.5f}};

char *convnet_network(void) {
    static const int64_t input[4] = {-1, 3, CONVNET_SIZE, CONVNET_SIZE};
    static const struct {
        const char *weights, *output;
        int64_t rows;
        const float *values;
    } heads[] = {{"wc", "logits", 4, convnet_class_weights[0]},
                 {"wo", "organ_logits", 2, convnet_organ_weights[0]},
                 {"wp", "plant_logit", 1, convnet_plant_weights[0]}};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "input", 4, input);
    onnx_add(file, "GlobalAveragePool", "input", "pooled");
    onnx_add(file, "Flatten", "pooled", "embedding");
    for (size_t i = 0; i < 3; i++) {
        int64_t dims[2] = {heads[i].rows, 3};
        char inputs[32];
        snprintf(inputs, sizeof inputs, "embedding %s", heads[i].weights);
        onnx_floats(file, heads[i].weights, 2, dims, heads[i].values);
        onnx_int(onnx_add(file, "Gemm", inputs, heads[i].output), "transB", 1);
        onnx_output(file, heads[i].output);
    }
    onnx_output(file, "embedding");
    char *path = strdup("/tmp/linnet-convnet-XXXXXX");
    size_t size;
    uint8_t *bytes = onnx_bytes(file, &size);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
    free(bytes);
    onnx_free(file);
    return path;
}

json_t *convnet_document(const char *name, const char *created_at) {
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:[s,s,n,s], s:{s:s, s:i, s:i, s:s, s:i, s:s, s:[f,f,f], s:[f,f,f], s:s},"
                  " s:{s:s, s:s, s:s, s:s}, s:[s,s], s:{s:f}}",
                  "kind", "model", "name", "tiny", "created_at", created_at, "labels", "taxon:qr", "taxon:qp",
                  "taxon:rc", "input", "name", "input", "width", CONVNET_SIZE, "height", CONVNET_SIZE,
                  "resize", "shortest", "resize_to", CONVNET_RESIZE, "crop", "center", "mean", 0.5, 0.4, 0.3,
                  "std", 0.25, 0.2, 0.5, "layout", "NCHW", "outputs", "species", "logits", "organ",
                  "organ_logits", "plant", "plant_logit", "embedding", "embedding", "organs", "flower",
                  "leaf", "calibration", "temperature", 2.0);
    assert_non_null(document);
    char id[64];
    snprintf(id, sizeof id, "model:%s", name);
    json_object_set_new(document, "_id", json_string(id));
    json_object_set_new(document, "version", json_string(strchr(name, '@') + 1));
    return document;
}

static json_t *taxon(const char *id, const char *name, const char *rank, const char *parent,
                     const char *accepted) {
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "_id", id, "kind", "taxon", "scientificName",
                                 name, "taxonRank", rank, "parentNameUsageID", parent);
    if (accepted) json_object_set_new(document, "acceptedNameUsageID", json_string(accepted));
    return document;
}

struct fake_host *convnet_host(const char *path) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    fake_host_reference(host, taxon("taxon:fagaceae", "Fagaceae", "family", NULL, NULL));
    fake_host_reference(host, taxon("taxon:rosaceae", "Rosaceae", "family", NULL, NULL));
    fake_host_reference(host, taxon("taxon:quercus", "Quercus", "genus", "taxon:fagaceae", NULL));
    fake_host_reference(host, taxon("taxon:rosa", "Rosa", "genus", "taxon:rosaceae", NULL));
    fake_host_reference(host, taxon("taxon:qr", "Quercus robur", "species", "taxon:quercus", NULL));
    fake_host_reference(host,
                        taxon("taxon:qp", "Quercus pedunculata", "species", "taxon:quercus", "taxon:qr"));
    fake_host_reference(host, taxon("taxon:rc", "Rosa canina", "species", "taxon:rosa", NULL));
    if (path) {
        fake_host_reference(host, convnet_document("tiny@1", "2026-01-01T00:00:00Z"));
        fake_host_reference_file(host, "model:tiny@1", "model.onnx", path);
    }
    return host;
}

struct fake_item *convnet_item_of(const void *data, size_t size) {
    static unsigned serial;
    char digest[65], id[128];
    snprintf(digest, sizeof digest, "%064x", ++serial);
    snprintf(id, sizeof id, "%s:normalized:%s", CONVNET_OBSERVATION, digest);
    struct fake_item *item = fake_item_new(CONVNET_OBSERVATION);
    fake_item_doc(item, json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:i, s:i}}}", "_id", id, "kind", "normalized",
                                  "digest", digest, "sizes", "model", "attachment", "model.jpg", "width", 1,
                                  "height", 1));
    fake_item_blob(item, 0, "model.jpg", "image/jpeg", data, size);
    return item;
}

struct fake_item *convnet_item(const double colour[3], int size) {
    VipsImage *image = picture_plain(size, size, colour, 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB);
    struct file file = picture_save(image, ".jpg[Q=100,no_subsample]");
    struct fake_item *item = convnet_item_of(file.data, file.size);
    g_free(file.data);
    return item;
}

double convnet_score(const json_t *document, const char *level, const char *taxon_id) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(document, level), i, entry) {
        if (!strcmp(json_string_value(json_object_get(entry, "taxon")), taxon_id))
            return json_number_value(json_object_get(entry, "score"));
    }
    fail_msg("%s is not among %s", taxon_id, level);
    return 0;
}
