/* The JSON Schema subset: what it accepts, what it refuses, and in what words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/json.h"
#include "common/base/schema.h"

static json_t *parse(const char *text) {
    json_t *value = NULL;
    struct linnet_error err = {0};
    if (linnet_json_parse(text, strlen(text), 0, &value, &err)) fail_msg("%s: %s", text, err.detail);
    return value;
}

static int add(struct linnet_schemas *set, const char *name, const char *text, struct linnet_error *err) {
    json_t *json = parse(text);
    int rc = linnet_schemas_add(set, name, json, err);
    json_decref(json);
    return rc;
}

static int check(const struct linnet_schemas *set, const char *name, const char *text,
                 struct linnet_error *err) {
    json_t *json = parse(text);
    int rc = linnet_schemas_check(set, name, json, err);
    json_decref(json);
    return rc;
}

static void each_keyword_accepts_and_refuses(void **state) {
    (void)state;
    static const struct {
        const char *schema, *good, *bad;
    } cases[] = {
        {"{\"type\":\"string\"}", "\"a\"", "1"},
        {"{\"type\":[\"null\",\"integer\"]}", "1.0", "1.5"},
        {"{\"type\":\"number\"}", "1", "true"},
        {"{\"type\":\"boolean\"}", "false", "0"},
        {"{\"enum\":[\"a\",1,{\"x\":[1]}]}", "{\"x\":[1.0]}", "{\"x\":[2]}"},
        {"{\"enum\":[null,false]}", "false", "true"},
        {"{\"const\":1}", "1.0", "\"1\""},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":null,\"b\":1}", "{\"a\":1}"},
        {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
        {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", "{\"a\":1,\"b\":1}"},
        {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"a\":1}", "{\"a\":\"x\"}"},
        {"{\"patternProperties\":{\"^x-\":{\"type\":\"string\"}},\"additionalProperties\":false}",
         "{\"x-a\":\"\"}", "{\"y\":\"\"}"},
        {"{\"patternProperties\":{\"^x-\":{\"type\":\"string\"}}}", "{\"y\":1}", "{\"x-a\":1}"},
        {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", "{\"a\":1}", "{\"A\":1}"},
        {"{\"minProperties\":1,\"maxProperties\":2}", "{\"a\":1}", "{}"},
        {"{\"minProperties\":1,\"maxProperties\":2}", "{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}"},
        {"{\"items\":{\"type\":\"integer\"}}", "[1,2]", "[1,\"a\"]"},
        {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\"]", "[\"a\",1]"},
        {"{\"prefixItems\":[{\"type\":\"string\"}]}", "[\"a\",1]", "[1]"},
        {"{\"minItems\":1,\"maxItems\":2}", "[1]", "[]"},
        {"{\"minItems\":1,\"maxItems\":2}", "[1]", "[1,2,3]"},
        {"{\"uniqueItems\":true}", "[1,2,\"1\",[1]]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]"},
        {"{\"minLength\":2,\"maxLength\":3}", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"", "\"\xc3\xa9\""},
        {"{\"minLength\":2,\"maxLength\":3}", "\"ab\"", "\"abcd\""},
        {"{\"pattern\":\"^taxon:[0-9]{1,3}$\"}", "\"taxon:12\"", "\"taxon:1234\""},
        {"{\"pattern\":\"^([]{(]{1,3}[a-z]{63}){1,9}$\"}",
         "\"]{(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "\"]\""},
        {"{\"minimum\":0,\"maximum\":1}", "1", "1.01"},
        {"{\"minimum\":0,\"maximum\":1}", "0", "-1e-9"},
        {"{\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}", "0.5", "1"},
        {"{\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}", "0.5", "0"},
        {"{\"allOf\":[{\"minimum\":0},{\"maximum\":9}]}", "5", "10"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "null", "1"},
        {"{\"oneOf\":[{\"minimum\":0},{\"minimum\":5}]}", "1", "6"},
        {"{\"oneOf\":[{\"minimum\":0},{\"minimum\":5}]}", "1", "-6"},
        {"{\"not\":{\"type\":\"string\"}}", "1", "\"a\""},
        {"{\"if\":{\"required\":[\"t\"]},\"then\":{\"required\":[\"u\"]},\"else\":{\"required\":[\"v\"]}}",
         "{\"t\":1,\"u\":1}", "{\"t\":1}"},
        {"{\"if\":{\"required\":[\"t\"]},\"then\":{\"required\":[\"u\"]},\"else\":{\"required\":[\"v\"]}}",
         "{\"v\":1}", "{}"},
        {"{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"type\":\"string\"}}}", "\"\"", "1"},
        {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
         "{\"next\":{\"next\":{}}}", "{\"next\":{\"prev\":{}}}"},
        {"{\"minLength\":3,\"minimum\":3,\"minItems\":3,\"minProperties\":3,\"pattern\":\"x\"}", "null",
         "\"ab\""},
        {"{\"not\":{}}", "null", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct linnet_schemas *set = linnet_schemas_new();
        struct linnet_error err = {0};
        if (add(set, "s", cases[i].schema, &err)) fail_msg("%s: %s", cases[i].schema, err.detail);
        bool never = !strcmp(cases[i].good, cases[i].bad);
        if (!never && check(set, "s", cases[i].good, &err)) fail_msg("%s: %s", cases[i].schema, err.detail);
        if (check(set, "s", cases[i].bad, &err) != LINNET_E_INVALID)
            fail_msg("%s accepts %s", cases[i].schema, cases[i].bad);
        assert_int_equal(check(set, "s", cases[i].bad, NULL), LINNET_E_INVALID);
        linnet_schemas_free(set);
    }
}

static void faults_name_the_place_and_what_was_expected(void **state) {
    (void)state;
    static const struct {
        const char *value, *words;
    } cases[] = {
        {"{\"views\":[{\"organ\":\"leaf\"},{\"organ\":\"root\"}]}",
         "/views/1/organ: must be one of [\"flower\",\"leaf\"]"},
        {"{\"views\":[]}", "/views: must have at least 1 items, has 0"},
        {"{}", "/: must have a member \"views\""},
        {"{\"views\":[{}],\"x\":1}", "/: has a member \"x\" that is not known"},
        {"[]", "/: must be object"},
    };
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    assert_int_equal(
        add(set, "observation",
            "{\"type\":\"object\",\"required\":[\"views\"],\"additionalProperties\":false,\"properties\":{"
            "\"views\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"properties\":{\"organ\":{\"enum\":["
            "\"flower\",\"leaf\"]}}}}}}",
            &err),
        0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(check(set, "observation", cases[i].value, &err), LINNET_E_INVALID);
        assert_string_equal(err.detail, cases[i].words);
    }
    assert_int_equal(check(set, "nothing", "1", &err), LINNET_E_NOT_FOUND);
    linnet_schemas_free(set);
}

static void loading_refuses_what_it_does_not_know(void **state) {
    (void)state;
    static const char *const bad[] = {"1",
                                      "{\"typ\":\"string\"}",
                                      "{\"type\":\"strnig\"}",
                                      "{\"type\":1}",
                                      "{\"properties\":{\"a\":{\"foo\":1}}}",
                                      "{\"pattern\":\"(\"}",
                                      "{\"pattern\":\"\\\\d\"}",
                                      "{\"pattern\":\"(a)\\\\1\"}",
                                      "{\"pattern\":\"(?:a)\"}",
                                      "{\"pattern\":1}",
                                      "{\"pattern\":\"(a{99}){2,99}\"}",
                                      "{\"pattern\":\"a{6000}\"}",
                                      "{\"pattern\":\"a**\"}",
                                      "{\"pattern\":\"(((a{20})*){20}){20}\"}",
                                      "{\"pattern\":\"(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+\"}",
                                      "{\"pattern\":\"a\\\\\"}",
                                      "{\"enum\":[]}",
                                      "{\"enum\":1}",
                                      "{\"required\":\"a\"}",
                                      "{\"required\":[1]}",
                                      "{\"allOf\":[]}",
                                      "{\"anyOf\":{}}",
                                      "{\"minLength\":-1}",
                                      "{\"minLength\":1.5}",
                                      "{\"minimum\":\"1\"}",
                                      "{\"items\":[]}",
                                      "{\"properties\":[]}",
                                      "{\"$defs\":[]}",
                                      "{\"$ref\":1}",
                                      "{\"properties\":{\"a\":{\"$id\":\"x\"}}}",
                                      "{\"uniqueItems\":1}",
                                      "{\"patternProperties\":{\"(\":true}}"};
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (add(set, "s", bad[i], &err) != LINNET_E_INVALID) fail_msg("%s is accepted", bad[i]);
    assert_int_equal(add(set, "s", "{\"properties\":{\"a/b\":{\"foo\":1}}}", &err), LINNET_E_INVALID);
    assert_string_equal(err.detail,
                        "schema \"s\": #/properties/a~1b/foo: a keyword that this validator does not know");
    assert_int_equal(add(set, "s", "true", &err), 0);
    assert_int_equal(add(set, "s", "true", &err), LINNET_E_EXISTS);
    linnet_schemas_free(set);
    linnet_schemas_free(NULL);
}

static void references_reach_other_schemas_in_any_order(void **state) {
    (void)state;
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    assert_int_equal(
        add(set, "a",
            "{\"prefixItems\":[{\"$ref\":\"common.schema.json#/$defs/taxon\"},{\"$ref\":\"https://l.example/"
            "common.schema.json#/$defs/taxon\"},{\"$ref\":\"common#/$defs/taxon\"}]}",
            &err),
        0);
    assert_int_equal(check(set, "a", "[\"taxon:1\"]", &err), LINNET_E_NOT_FOUND);
    assert_int_equal(add(set, "common",
                         "{\"$id\":\"https://l.example/"
                         "common.schema.json\",\"$defs\":{\"taxon\":{\"pattern\":\"^taxon:\"}}}",
                         &err),
                     0);
    assert_int_equal(check(set, "a", "[\"taxon:1\",\"taxon:1\",\"taxon:1\"]", &err), 0);
    assert_int_equal(check(set, "a", "[\"x\"]", &err), LINNET_E_INVALID);
    assert_int_equal(check(set, "a", "[\"taxon:1\",\"x\"]", &err), LINNET_E_INVALID);
    assert_int_equal(check(set, "a", "[\"taxon:1\",\"taxon:1\",\"x\"]", &err), LINNET_E_INVALID);
    linnet_schemas_free(set);
}

static void a_reference_to_itself_ends_at_the_limit(void **state) {
    (void)state;
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    assert_int_equal(add(set, "loop", "{\"$ref\":\"#\"}", &err), 0);
    assert_int_equal(check(set, "loop", "1", &err), LINNET_E_LIMIT);
    assert_int_equal(add(set, "quiet", "{\"anyOf\":[{\"$ref\":\"loop\"},true]}", &err), 0);
    assert_int_equal(check(set, "quiet", "1", &err), LINNET_E_LIMIT);
    linnet_schemas_free(set);
}

static void a_folder_is_loaded_whole_or_not_believed(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-schemas-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    snprintf(path, sizeof path, "%s/view.schema.json", folder);
    FILE *file = fopen(path, "w");
    fputs("{\"$ref\":\"organ.schema.json\"}", file);
    fclose(file);
    assert_int_equal(linnet_schemas_add_folder(set, folder, &err), LINNET_E_INVALID);
    assert_non_null(strstr(err.detail, "organ.schema.json"));
    linnet_schemas_free(set);
    set = linnet_schemas_new();
    char other[128];
    snprintf(other, sizeof other, "%s/organ.schema.json", folder);
    file = fopen(other, "w");
    fputs("{\"type\":\"string\"}", file);
    fclose(file);
    assert_int_equal(linnet_schemas_add_folder(set, folder, &err), 0);
    assert_int_equal(check(set, "view", "\"leaf\"", &err), 0);
    assert_int_equal(check(set, "view", "1", &err), LINNET_E_INVALID);
    linnet_schemas_free(set);
    unlink(path);
    unlink(other);
    rmdir(folder);
    set = linnet_schemas_new();
    assert_int_equal(linnet_schemas_add_folder(set, folder, &err), LINNET_E_NOT_FOUND);
    linnet_schemas_free(set);
}

static void defaults_are_filled_in_where_nothing_stands(void **state) {
    (void)state;
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    assert_int_equal(add(set, "config",
                         "{\"properties\":{\"a\":{\"default\":1},\"b\":{\"default\":{},\"properties\":{\"c\":"
                         "{\"default\":[2]}}},"
                         "\"d\":{\"items\":{\"$ref\":\"#/$defs/"
                         "e\"}}},\"$defs\":{\"e\":{\"properties\":{\"f\":{\"default\":null}}}}}",
                         &err),
                     0);
    json_t *value = parse("{\"a\":5,\"d\":[{},{\"f\":1}]}");
    assert_int_equal(linnet_schemas_fill(set, "config", value), 0);
    char *text = linnet_json_canonical(value);
    assert_string_equal(text, "{\"a\":5,\"b\":{\"c\":[2]},\"d\":[{\"f\":null},{\"f\":1}]}");
    free(text);
    json_decref(value);
    assert_int_equal(linnet_schemas_fill(set, "x", NULL), LINNET_E_NOT_FOUND);
    linnet_schemas_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keyword_accepts_and_refuses),
        cmocka_unit_test(faults_name_the_place_and_what_was_expected),
        cmocka_unit_test(loading_refuses_what_it_does_not_know),
        cmocka_unit_test(references_reach_other_schemas_in_any_order),
        cmocka_unit_test(a_reference_to_itself_ends_at_the_limit),
        cmocka_unit_test(a_folder_is_loaded_whole_or_not_believed),
        cmocka_unit_test(defaults_are_filled_in_where_nothing_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
