#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/schema.h"
#include "common/nn/nn.h"
#include "tests/unit/plugins/convnet/fixture.h"
#include "tests/unit/plugins/normalize/pictures.h"
#include "tests/unit/test.h"

static char *network;

static const double grey[3] = {128, 128, 128}, red[3] = {200, 60, 40};

/* What the network's embedding is for a picture of one colour. */
static void means_of(const double colour[3], double means[3]) {
    static const double mean[3] = {0.5, 0.4, 0.3}, std[3] = {0.25, 0.2, 0.5};
    for (int c = 0; c < 3; c++)
        means[c] = (colour[c] / 255 - mean[c]) / std[c];
}

static double dot(const float row[3], const double means[3]) {
    return (double)row[0] * means[0] + (double)row[1] * means[1] + (double)row[2] * means[2];
}

static json_t *document_of(const struct fake_item *item) {
    if (item->verdict != LINNET_OK) fail_msg("%s", item->reason);
    assert_int_equal(item->noutputs, 1);
    return item->outputs[0].document;
}

/* The colour as the decoder gives it back: JPEG moves plain colours by a step at most. */
static void assert_near(double got, double expected) {
    if (!(fabs(got - expected) < 0.02)) fail_msg("%g instead of %g", got, expected);
}

static void a_picture_is_scored_at_three_levels(void **state) {
    (void)state;
    struct fake_host *host = convnet_host(network);
    assert_int_equal(fake_host_open(host, NULL), 0);
    struct fake_item *item = convnet_item(red, 40);
    assert_int_equal(fake_host_process(host, item), 0);
    const json_t *document = document_of(item);
    double means[3], scores[4], sum = 0;
    means_of(red, means);
    for (int i = 0; i < 4; i++)
        sum += scores[i] = exp(dot(convnet_class_weights[i], means) / 2.0);
    for (int i = 0; i < 4; i++)
        scores[i] /= sum;
    /* The synonym counts for its accepted name; the class without a taxon keeps its share but is not listed.
     */
    assert_near(convnet_score(document, "species", "taxon:qr"), scores[0] + scores[1]);
    assert_near(convnet_score(document, "genera", "taxon:quercus"), scores[0] + scores[1]);
    assert_near(convnet_score(document, "families", "taxon:fagaceae"), scores[0] + scores[1]);
    assert_near(convnet_score(document, "species", "taxon:rc"), scores[3]);
    assert_int_equal(json_array_size(json_object_get(document, "species")), 2);
    double flower = exp(dot(convnet_organ_weights[0], means)),
           leaf = exp(dot(convnet_organ_weights[1], means));
    assert_near(json_number_value(json_object_get(json_object_get(document, "organ"), "flower")),
                flower / (flower + leaf));
    assert_near(json_number_value(json_object_get(document, "plant")),
                1 / (1 + exp(-dot(convnet_plant_weights[0], means))));
    assert_string_equal(json_string_value(json_object_get(document, "model")), "tiny@1");
    assert_string_equal(json_string_value(json_object_get(document, "image")), item->item.docs[0].qualifier);
    fake_item_free(item);
    fake_host_free(host);
}

static double half_to_double(const unsigned char *bytes) {
    int half = bytes[0] | bytes[1] << 8, exponent = half >> 10 & 31;
    double magnitude = exponent ? ldexp(1024 + (half & 1023), exponent - 25) : ldexp(half & 1023, -24);
    return half & 0x8000 ? -magnitude : magnitude;
}

static void the_embedding_is_half_precision_in_base64(void **state) {
    (void)state;
    struct fake_host *host = convnet_host(network);
    assert_int_equal(fake_host_open(host, NULL), 0);
    struct fake_item *item = convnet_item(red, 16);
    assert_int_equal(fake_host_process(host, item), 0);
    const json_t *embedding = json_object_get(document_of(item), "embedding");
    const char *data = json_string_value(json_object_get(embedding, "data"));
    unsigned char bytes[6];
    size_t size;
    double means[3];
    assert_int_equal(json_integer_value(json_object_get(embedding, "dims")), 3);
    assert_int_equal(sodium_base642bin(bytes, sizeof bytes, data, strlen(data), NULL, &size, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(size, 6);
    means_of(red, means);
    for (int c = 0; c < 3; c++)
        assert_near(half_to_double(bytes + 2 * c), means[c]);
    fake_item_free(item);
    fake_host_free(host);
}

static void the_document_fits_its_schema(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct linnet_schemas *schemas = linnet_schemas_new();
    if (linnet_schemas_add_folder(schemas, SCHEMAS_PATH, &err)) fail_msg("%s", err.detail);
    struct fake_host *host = convnet_host(network);
    assert_int_equal(fake_host_open(host, NULL), 0);
    struct fake_item *item = convnet_item(grey, 16);
    assert_int_equal(fake_host_process(host, item), 0);
    json_t *document = document_of(item);
    char id[256], digest[65];
    snprintf(id, sizeof id, "%s:prediction:%s", CONVNET_OBSERVATION, item->outputs[0].qualifier);
    memset(digest, 'a', 64);
    digest[64] = 0;
    json_object_set_new(document, "_id", json_string(id));
    json_object_set_new(document, "kind", json_string("prediction"));
    json_object_set_new(document, "digest", json_string(digest));
    json_object_set_new(document, "inputs",
                        json_pack("[{s:s, s:s}]", "id", item->item.docs[0].id, "digest", digest));
    json_object_set_new(document, "stage",
                        json_pack("{s:s, s:s, s:s, s:s}", "name", "convnet", "version", "0.1.0",
                                  "fingerprint", digest, "device", item->outputs[0].device));
    if (linnet_schemas_check(schemas, "prediction", document, &err)) fail_msg("%s", err.detail);
    fake_item_free(item);
    fake_host_free(host);
    linnet_schemas_free(schemas);
}

static void pictures_of_a_batch_do_not_mix(void **state) {
    (void)state;
    static const char truncated[] = "\xff\xd8\xff\xe0 no picture";
    struct fake_host *host = convnet_host(network);
    assert_int_equal(fake_host_open(host, json_pack("{s:i}", "batch", 4)), 0);
    struct fake_item *items[11];
    for (int i = 0; i < 11; i++) {
        double colour[3] = {20.0 * i + 10, 128, 250 - 20.0 * i};
        items[i] = i == 5 ? convnet_item_of(truncated, sizeof truncated) : convnet_item(colour, 12 + i);
    }
    assert_int_equal(fake_host_process_batch(host, items, 11), 0);
    for (int i = 0; i < 11; i++) {
        if (i == 5) {
            assert_int_equal(items[i]->verdict, LINNET_REJECT);
            assert_non_null(strstr(items[i]->reason, "can't be decoded"));
        } else {
            double colour[3] = {20.0 * i + 10, 128, 250 - 20.0 * i}, means[3];
            means_of(colour, means);
            assert_near(json_number_value(json_object_get(document_of(items[i]), "plant")),
                        1 / (1 + exp(-dot(convnet_plant_weights[0], means))));
        }
        fake_item_free(items[i]);
    }
    assert_true(fake_host_counted(host, "pictures") == 10);
    assert_true(fake_host_counted(host, "batches") == 3);
    fake_host_free(host);
}

static void a_region_of_the_view_is_what_is_looked_at(void **state) {
    (void)state;
    struct fake_host *host = convnet_host(network);
    assert_int_equal(fake_host_open(host, NULL), 0);
    struct file file = picture_save(picture_quarters(64, 64), ".jpg[Q=100,no_subsample]");
    struct fake_item *item = convnet_item_of(file.data, file.size);
    g_free(file.data);
    fake_item_doc(item, json_pack("{s:s, s:s, s:[{s:s, s:[f,f,f,f]}, {s:s, s:[f,f,f,f]}]}", "_id",
                                  CONVNET_OBSERVATION ":observation", "kind", "observation", "views", "image",
                                  "0000", "region", 0.5, 0.5, 0.5, 0.5, "image", item->docs[0].qualifier,
                                  "region", 0.0, 0.5, 0.5, 0.5));
    assert_int_equal(fake_host_process(host, item), 0);
    double blue[3] = {0, 0, 255}, means[3];
    means_of(blue, means);
    assert_near(json_number_value(json_object_get(document_of(item), "plant")),
                1 / (1 + exp(-dot(convnet_plant_weights[0], means))));
    fake_item_free(item);
    fake_host_free(host);
}

static void without_a_model_it_says_what_to_run(void **state) {
    (void)state;
    struct fake_host *host = convnet_host(NULL);
    assert_int_not_equal(fake_host_open(host, NULL), 0);
    assert_non_null(strstr(fake_host_why(host), "linnet model publish"));
    assert_int_not_equal(fake_host_open(host, json_pack("{s:s}", "model", "other@2")), 0);
    assert_non_null(strstr(fake_host_why(host), "other@2"));
    assert_non_null(strstr(fake_host_why(host), "linnet model publish"));
    fake_host_free(host);
}

static void opens_with(struct fake_host *host, const char *model) {
    if (fake_host_open(host, NULL)) fail_msg("%s", fake_host_why(host));
    char *text = fake_host_fingerprint(host), expected[64];
    snprintf(expected, sizeof expected, "model %s ", model);
    assert_memory_equal(text, expected, strlen(expected));
    free(text);
    fake_host_close(host);
}

static void active_is_the_wanted_model_or_the_newest(void **state) {
    (void)state;
    struct fake_host *host = convnet_host(network);
    opens_with(host, "tiny@1");
    fake_host_reference(host, convnet_document("tiny@2", "2026-02-01T00:00:00Z"));
    fake_host_reference_file(host, "model:tiny@2", "model.onnx", network);
    opens_with(host, "tiny@2");
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind",
                                        "wanted", "stage", "convnet", "policy", "new", "model", "tiny@1"));
    opens_with(host, "tiny@1");
    fake_host_free(host);
}

static char *fingerprint_with(json_t *config, json_t *temperature) {
    struct fake_host *host = convnet_host(NULL);
    json_t *document = convnet_document("tiny@1", "2026-01-01T00:00:00Z");
    if (temperature)
        json_object_set_new(json_object_get(document, "calibration"), "temperature", temperature);
    fake_host_reference(host, document);
    fake_host_reference_file(host, "model:tiny@1", "model.onnx", network);
    if (fake_host_open(host, config)) fail_msg("%s", fake_host_why(host));
    char *text = fake_host_fingerprint(host);
    fake_host_free(host);
    return text;
}

static void the_fingerprint_is_of_what_shapes_the_scores(void **state) {
    (void)state;
    char *plain = fingerprint_with(NULL, NULL);
    char *batch = fingerprint_with(json_pack("{s:i, s:s}", "batch", 2, "model", "tiny@1"), NULL);
    bool native = linnet_nn_precision_native("cpu", LINNET_NN_PRECISION_BF16);
    char *half = fingerprint_with(json_pack("{s:s}", "precision", native ? "bf16" : "f32"), NULL);
    char *calibrated = fingerprint_with(NULL, json_real(1.5));
    assert_string_equal(plain, batch);
    assert_int_equal(!strcmp(plain, half), !native);
    assert_string_not_equal(plain, calibrated);
    free(plain);
    free(batch);
    free(half);
    free(calibrated);
}

static void refuses(json_t *document, const char *words) {
    struct fake_host *host = convnet_host(NULL);
    fake_host_reference(host, document);
    fake_host_reference_file(host, "model:tiny@1", "model.onnx", network);
    assert_int_not_equal(fake_host_open(host, NULL), 0);
    print_message("%s\n", fake_host_why(host));
    assert_non_null(strstr(fake_host_why(host), words));
    fake_host_free(host);
}

static void a_document_that_does_not_fit_the_network_is_refused(void **state) {
    (void)state;
    const char *date = "2026-01-01T00:00:00Z";
    json_t *document = convnet_document("tiny@1", date);
    json_array_append_new(json_object_get(document, "labels"), json_string("taxon:one-more"));
    refuses(document, "has 4 values for each picture, the model document says 5");
    document = convnet_document("tiny@1", date);
    json_object_set_new(json_object_get(document, "outputs"), "organ", json_string("organs"));
    refuses(document, "no output \"organs\"");
    document = convnet_document("tiny@1", date);
    json_object_set_new(json_object_get(document, "input"), "width", json_integer(9));
    refuses(document, "does not take one picture of 9 x 8");
    document = convnet_document("tiny@1", date);
    json_object_set_new(json_object_get(document, "input"), "resize_to", json_integer(7));
    refuses(document, "input.resize_to");
}

static int make_network(void **state) {
    (void)state;
    network = convnet_network();
    return 0;
}

static int remove_network(void **state) {
    (void)state;
    unlink(network);
    free(network);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_scored_at_three_levels),
        cmocka_unit_test(the_embedding_is_half_precision_in_base64),
        cmocka_unit_test(the_document_fits_its_schema),
        cmocka_unit_test(pictures_of_a_batch_do_not_mix),
        cmocka_unit_test(a_region_of_the_view_is_what_is_looked_at),
        cmocka_unit_test(without_a_model_it_says_what_to_run),
        cmocka_unit_test(active_is_the_wanted_model_or_the_newest),
        cmocka_unit_test(the_fingerprint_is_of_what_shapes_the_scores),
        cmocka_unit_test(a_document_that_does_not_fit_the_network_is_refused),
    };
    return cmocka_run_group_tests(tests, make_network, remove_network);
}
