/* Fingerprints, input digests, result digests, and what the host adds to an emitted document. */
#include "tests/unit/host/sample.h"

#include <string.h>

#include "workers/host/provenance.h"

static void fingerprint_of(const struct linnet_plugin *plugin, const char *config, const char *text,
                           char out[65]) {
    json_t *value = json_loads(config, 0, NULL);
    assert_int_equal(linnet_fingerprint(plugin, value, text, out), 0);
    json_decref(value);
}

static void fingerprint_covers_what_shapes_the_output(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    char base[65], other[65];
    fingerprint_of(&plugin, "{\"a\":1,\"b\":2}", "vips", base);
    assert_int_equal(strlen(base), 64);
    fingerprint_of(&plugin, "{\"b\":2,\"a\":1}", "vips", other);
    assert_string_equal(base, other);
    fingerprint_of(&plugin, "{\"a\":1,\"b\":3}", "vips", other);
    assert_string_not_equal(base, other);
    fingerprint_of(&plugin, "{\"a\":1,\"b\":2}", "vips2", other);
    assert_string_not_equal(base, other);
    fingerprint_of(&plugin, "{\"a\":1,\"b\":2}", NULL, other);
    assert_string_not_equal(base, other);
    plugin.version = "9.9.9"; /* a release that changes no output */
    fingerprint_of(&plugin, "{\"a\":1,\"b\":2}", "vips", other);
    assert_string_equal(base, other);
    plugin.output_version++;
    fingerprint_of(&plugin, "{\"a\":1,\"b\":2}", "vips", other);
    assert_string_not_equal(base, other);
}

static void fingerprint_leaves_operational_keys_out(void **state) {
    (void)state;
    const char *const keys[] = {"threads", NULL};
    struct linnet_plugin plugin = sample_normalize;
    char one[65], other[65];
    plugin.operational = keys;
    fingerprint_of(&plugin, "{\"a\":1,\"threads\":1}", "", one);
    fingerprint_of(&plugin, "{\"a\":1,\"threads\":8}", "", other);
    assert_string_equal(one, other);
    fingerprint_of(&plugin, "{\"a\":2,\"threads\":8}", "", other);
    assert_string_not_equal(one, other);
}

static void digest_of(const char *document, const char *const *fields, const char *trigger, char out[65]) {
    struct linnet_input input = {"observation", 0, NULL, fields};
    json_t *value = json_loads(document, 0, NULL);
    assert_non_null(value);
    assert_int_equal(linnet_input_digest(value, "whole", &input, trigger, out), 0);
    json_decref(value);
}

static void input_digest_of_the_whole_document_is_its_own(void **state) {
    (void)state;
    char whole[65] = "0123", out[65];
    struct linnet_input input = {"observation", 0, NULL, NULL};
    assert_int_equal(linnet_input_digest(NULL, whole, &input, "", out), 0);
    assert_string_equal(out, "0123");
}

static void input_digest_takes_the_named_fields_alone(void **state) {
    (void)state;
    const char *const fields[] = {"flora", "views.*.organ", "location.decimalLatitude", "views.0.image",
                                  NULL};
    const char base[] = "{\"flora\":\"f\",\"views\":[{\"image\":\"a\",\"organ\":\"leaf\"},{\"image\":\"b\"}],"
                        "\"location\":{\"decimalLatitude\":1.5,\"decimalLongitude\":2}}";
    const char *const same[] = {
        "{\"views\":[{\"organ\":\"leaf\",\"image\":\"a\"},{\"image\":\"z\"}],\"flora\":\"f\",\"wild\":true,"
        "\"location\":{\"decimalLatitude\":1.5,\"decimalLongitude\":9}}",
    };
    const char *const different[] = {
        "{\"flora\":\"g\",\"views\":[{\"image\":\"a\",\"organ\":\"leaf\"},{\"image\":\"b\"}],\"location\":{"
        "\"decimalLatitude\":1.5}}",
        "{\"views\":[{\"image\":\"a\",\"organ\":\"leaf\"},{\"image\":\"b\"}],\"location\":{"
        "\"decimalLatitude\":1.5}}",
        "{\"flora\":\"f\",\"views\":[{\"image\":\"a\",\"organ\":\"leaf\"},{\"organ\":\"leaf\"}],\"location\":"
        "{\"decimalLatitude\":1.5}}",
        "{\"flora\":\"f\",\"views\":[{\"image\":\"c\",\"organ\":\"leaf\"},{\"image\":\"b\"}],\"location\":{"
        "\"decimalLatitude\":1.5}}",
        "{\"flora\":null,\"views\":[{\"image\":\"a\",\"organ\":\"leaf\"},{\"image\":\"b\"}],\"location\":{"
        "\"decimalLatitude\":1.5}}",
        "{}",
    };
    char one[65], other[65];
    digest_of(base, fields, "", one);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        digest_of(same[i], fields, "", other);
        assert_string_equal(one, other);
    }
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        digest_of(different[i], fields, "", other);
        assert_string_not_equal(one, other);
    }
}

static void input_digest_follows_the_view_of_the_trigger(void **state) {
    (void)state;
    const char *const fields[] = {"views.image=@.region", NULL};
    char one[65], other[65];
    digest_of("{\"views\":[{\"image\":\"a\",\"region\":[0,0,1,1]},{\"image\":\"b\"}]}", fields, "a", one);
    /* another view more, in another order, another region of the other view: nothing to this one */
    digest_of("{\"views\":[{\"image\":\"c\"},{\"image\":\"b\",\"region\":[0]},{\"image\":\"a\",\"region\":[0,"
              "0,1,1]}]}",
              fields, "a", other);
    assert_string_equal(one, other);
    digest_of("{\"views\":[{\"image\":\"a\",\"region\":[0,0,1,0.5]},{\"image\":\"b\"}]}", fields, "a", other);
    assert_string_not_equal(one, other);
    digest_of("{\"views\":[{\"image\":\"a\",\"region\":[0,0,1,1]},{\"image\":\"b\"}]}", fields, "b", other);
    assert_string_not_equal(one, other);
}

static void odd_documents_have_a_digest_too(void **state) {
    (void)state;
    const char *const fields[] = {"views.image=@.region", "views.*.*.*", "a.b.c",
                                  "views.99999999999999999999", NULL};
    const char *const documents[] = {"{}", "{\"views\":{}}", "{\"views\":[1,[2,[3]],null,{\"image\":7}]}",
                                     "{\"a\":{\"b\":\"c\"}}"};
    char out[65];
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        digest_of(documents[i], fields, "a", out);
}

static void field_paths_are_checked(void **state) {
    (void)state;
    const char *const good[] = {"a", "a.b", "views.*.region", "views.image=@.region", "views.0"};
    const char *const bad[] = {"", ".", "a.", ".a", "a..b", "=@", "image=", "image=b", "views.=@.x"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(linnet_field_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(linnet_field_valid(bad[i]));
}

static void result_digest_depends_on_fingerprint_ids_and_digests(void **state) {
    (void)state;
    struct linnet_input_ref inputs[] = {{"b", "2"}, {"a", "1"}};
    char one[65], other[65];
    linnet_inputs_sort(inputs, 2);
    assert_string_equal(inputs[0].id, "a");
    linnet_result_digest("f", inputs, 2, one);
    linnet_result_digest("g", inputs, 2, other);
    assert_string_not_equal(one, other);
    linnet_result_digest("f", inputs, 1, other);
    assert_string_not_equal(one, other);
    inputs[1].digest[0] = '3';
    linnet_result_digest("f", inputs, 2, other);
    assert_string_not_equal(one, other);

    json_t *stored = json_loads("[{\"id\":\"b\",\"digest\":\"2\"},{\"id\":\"a\",\"digest\":\"1\"}]", 0, NULL);
    assert_int_equal(linnet_result_digest_json("f", stored, other), 0);
    assert_string_equal(one, other);
    inputs[1].digest[0] = '2';
    assert_true(linnet_inputs_equal(stored, inputs, 2));
    assert_false(linnet_inputs_equal(stored, inputs, 1));
    json_array_append_new(stored, json_integer(3));
    assert_int_equal(linnet_result_digest_json("f", stored, other), LINNET_E_INVALID);
    assert_int_equal(linnet_result_digest_json("f", json_array_get(stored, 0), other), LINNET_E_INVALID);
    json_decref(stored);
}

static void a_result_is_completed(void **state) {
    (void)state;
    json_t *document = json_pack("{s:i}", "width", 3),
           *inputs = json_pack("[{s:s,s:s}]", "id", "a", "digest", "1");
    struct linnet_provenance from = {"normalize", "1.0.0", "ff", "cpu"};
    json_t *stage = linnet_provenance_json(&from);
    assert_int_equal(
        linnet_result_complete(document, ULID ":normalized:x", "normalized", stage, inputs, "dd", NULL), 0);
    json_decref(stage);
    json_t *expected =
        json_pack("{s:i,s:s,s:s,s:{s:s,s:s,s:s,s:s},s:O,s:s}", "width", 3, "_id", ULID ":normalized:x",
                  "kind", "normalized", "stage", "name", "normalize", "version", "1.0.0", "fingerprint", "ff",
                  "device", "cpu", "inputs", inputs, "digest", "dd");
    assert_true(json_equal(document, expected));
    json_decref(expected);
    json_decref(document);
    json_decref(inputs);
}

static void a_result_may_not_set_what_is_the_hosts(void **state) {
    (void)state;
    const char *const documents[] = {"{\"_id\":\"x\"}",      "{\"_rev\":\"1-x\"}", "{\"_attachments\":{}}",
                                     "{\"stage\":{}}",       "{\"inputs\":[]}",    "{\"digest\":\"x\"}",
                                     "{\"kind\":\"image\"}", "{\"kind\":3}",       "[]"};
    struct linnet_provenance from = {"normalize", "1.0.0", "ff", NULL};
    json_t *inputs = json_array(), *stage = linnet_provenance_json(&from);
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        json_t *document = json_loads(documents[i], 0, NULL);
        struct linnet_error err = {0};
        assert_int_equal(linnet_result_complete(document, "id", "normalized", stage, inputs, "d", &err),
                         LINNET_E_INVALID);
        assert_true(strlen(err.detail) > 10);
        json_decref(document);
    }
    json_t *document = json_pack("{s:s}", "kind", "normalized");
    assert_int_equal(linnet_result_complete(document, "id", "normalized", stage, inputs, "d", NULL), 0);
    json_decref(document);
    json_decref(stage);
    json_decref(inputs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprint_covers_what_shapes_the_output),
        cmocka_unit_test(fingerprint_leaves_operational_keys_out),
        cmocka_unit_test(input_digest_of_the_whole_document_is_its_own),
        cmocka_unit_test(input_digest_takes_the_named_fields_alone),
        cmocka_unit_test(input_digest_follows_the_view_of_the_trigger),
        cmocka_unit_test(odd_documents_have_a_digest_too),
        cmocka_unit_test(field_paths_are_checked),
        cmocka_unit_test(result_digest_depends_on_fingerprint_ids_and_digests),
        cmocka_unit_test(a_result_is_completed),
        cmocka_unit_test(a_result_may_not_set_what_is_the_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
