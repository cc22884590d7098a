/* A stage's configuration against its schema. */
#include "tests/unit/host/sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/host/config.h"

static const char schema[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"quality\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":85},"
    "\"format\":{\"enum\":[\"jpeg\",\"webp\"]},"
    "\"sizes\":{\"type\":\"object\",\"properties\":{"
    "  \"page\":{\"type\":\"integer\",\"default\":1024},\"thumb\":{\"type\":\"integer\",\"default\":256}}},"
    "\"rules\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/rule\"}},"
    "\"proxy\":{\"type\":\"object\",\"required\":[\"url\"],\"properties\":{"
    "  \"url\":{\"type\":\"string\"},\"timeout\":{\"type\":\"integer\",\"default\":5}}},"
    "\"tree\":{\"$ref\":\"#/$defs/node\"}},"
    "\"$defs\":{\"rule\":{\"type\":\"object\",\"properties\":{\"at\":{\"type\":\"integer\"},\"on\":{\"type\":"
    "\"boolean\",\"default\":true}}},"
    "\"node\":{\"type\":\"object\",\"properties\":{\"child\":{\"$ref\":\"#/$defs/node\"}}}}}";

static struct linnet_plugin_file *open_sample(void) {
    struct linnet_plugin plugin = sample_normalize;
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    plugin.config_schema = schema;
    if (linnet_plugin_file_wrap(&plugin, &file, &err)) fail_msg("%s", err.detail);
    return file;
}

static void completes_to(const char *given, const char *expected) {
    struct linnet_plugin_file *file = open_sample();
    struct linnet_error err = {0};
    json_t *config = NULL, *value = given ? json_loads(given, 0, NULL) : NULL;
    char *before = given ? linnet_json_canonical(value) : NULL;
    if (linnet_config_complete(file, value, &config, &err)) fail_msg("%s", err.detail);
    char *text = linnet_json_canonical(config);
    assert_string_equal(text, expected);
    if (given) {
        char *after = linnet_json_canonical(value);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
    free(text);
    json_decref(config);
    json_decref(value);
    linnet_plugin_file_free(file);
}

static void refuses(const char *given, const char *place) {
    struct linnet_plugin_file *file = open_sample();
    struct linnet_error err = {0};
    json_t *config = NULL, *value = json_loads(given, JSON_DECODE_ANY, NULL);
    assert_int_equal(linnet_config_complete(file, value, &config, &err), LINNET_E_INVALID);
    assert_null(config);
    if (!strstr(err.detail, place)) fail_msg("\"%s\" does not say \"%s\"", err.detail, place);
    json_decref(value);
    linnet_plugin_file_free(file);
}

static void defaults_are_filled_in_at_every_depth(void **state) {
    (void)state;
    completes_to(NULL, "{\"quality\":85,\"sizes\":{\"page\":1024,\"thumb\":256}}");
    completes_to("{\"sizes\":{\"thumb\":128},\"format\":\"webp\"}",
                 "{\"format\":\"webp\",\"quality\":85,\"sizes\":{\"page\":1024,\"thumb\":128}}");
    completes_to("{\"rules\":[{\"at\":3},{\"on\":false}]}",
                 "{\"quality\":85,\"rules\":[{\"at\":3,\"on\":true},{\"on\":false}],\"sizes\":{\"page\":1024,"
                 "\"thumb\":256}}");
}

static void an_object_that_needs_more_than_defaults_is_not_made(void **state) {
    (void)state;
    completes_to("{\"proxy\":{\"url\":\"http://x\"}}",
                 "{\"proxy\":{\"timeout\":5,\"url\":\"http://"
                 "x\"},\"quality\":85,\"sizes\":{\"page\":1024,\"thumb\":256}}");
}

static void unknown_keys_are_refused_at_every_depth(void **state) {
    (void)state;
    refuses("{\"qualty\":85}", "qualty");
    refuses("{\"sizes\":{\"pgae\":1}}", "pgae");
    refuses("{\"rules\":[{\"att\":1}]}", "att");
}

static void wrong_values_are_refused_with_their_place(void **state) {
    (void)state;
    refuses("{\"quality\":101}", "/quality");
    refuses("{\"quality\":\"high\"}", "/quality");
    refuses("{\"sizes\":{\"page\":true}}", "/sizes/page");
    refuses("[]", "object");
}

static void a_schema_that_holds_itself_ends(void **state) {
    (void)state;
    completes_to("{\"tree\":{\"child\":{}}}",
                 "{\"quality\":85,\"sizes\":{\"page\":1024,\"thumb\":256},\"tree\":{\"child\":{}}}");
}

static void branches_stay_open(void **state) {
    (void)state;
    json_t *open =
        json_loads("{\"allOf\":[{\"properties\":{\"a\":{}}}],\"properties\":{\"b\":{\"properties\":{}}},"
                   "\"default\":{\"properties\":{}}}",
                   0, NULL);
    assert_int_equal(linnet_config_schema_close(open), 0);
    assert_true(json_is_false(json_object_get(open, "additionalProperties")));
    assert_true(json_is_false(linnet_json_at(open, "properties/b/additionalProperties")));
    assert_null(linnet_json_at(open, "allOf/0/additionalProperties"));
    assert_null(linnet_json_at(open, "default/additionalProperties"));
    json_decref(open);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in_at_every_depth),
        cmocka_unit_test(an_object_that_needs_more_than_defaults_is_not_made),
        cmocka_unit_test(unknown_keys_are_refused_at_every_depth),
        cmocka_unit_test(wrong_values_are_refused_with_their_place),
        cmocka_unit_test(a_schema_that_holds_itself_ends),
        cmocka_unit_test(branches_stay_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
