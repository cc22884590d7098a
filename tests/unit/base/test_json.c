/* Bounded parsing, reads by path, canonical text and digests. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/json.h"

static json_t *parse(const char *text) {
    json_t *value = NULL;
    struct linnet_error err = {0};
    int rc = linnet_json_parse(text, strlen(text), 0, &value, &err);
    if (rc) fail_msg("%s: %s", text, err.detail);
    return value;
}

static void parsing_refuses_what_is_no_json(void **state) {
    (void)state;
    static const char *const bad[] = {"",      "{",           "{\"a\":1,\"a\":2}",   "\"\xff\"",
                                      "[1,]",  "\"\\u0000\"", "\"\\ud800\"",         "nul",
                                      "1e999", "[1] x",       "99999999999999999999"};
    json_t *untouched = (json_t *)&bad;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct linnet_error err = {0};
        assert_int_equal(linnet_json_parse(bad[i], strlen(bad[i]), 0, &untouched, &err), LINNET_E_PARSE);
        assert_non_null(strstr(err.detail, "line "));
        assert_ptr_equal(untouched, &bad);
    }
}

static void parsing_is_bounded_in_depth(void **state) {
    (void)state;
    char deep[200001];
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    json_t *value = NULL;
    struct linnet_error err;
    assert_int_equal(linnet_json_parse(deep, 200000, 0, &value, &err), LINNET_E_LIMIT);
    assert_int_equal(linnet_json_parse("[[\"[[[[{{{{\\\"[[[\"]]", 19, 2, &value, &err), 0);
    json_decref(value);
    assert_int_equal(linnet_json_parse("[[[]]]", 6, 2, &value, &err), LINNET_E_LIMIT);
}

static void files_are_bounded_and_named_in_errors(void **state) {
    (void)state;
    char path[] = "/tmp/linnet-json-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\": 1}\n", 9), 9);
    close(fd);
    json_t *value = NULL;
    struct linnet_error err;
    assert_int_equal(linnet_json_load_file(path, 9, &value, &err), 0);
    assert_int_equal(linnet_json_integer(value, "a", 0), 1);
    json_decref(value);
    assert_int_equal(linnet_json_load_file(path, 8, &value, &err), LINNET_E_LIMIT);
    assert_non_null(strstr(err.detail, path));
    unlink(path);
    assert_int_equal(linnet_json_load_file(path, 8, &value, &err), LINNET_E_NOT_FOUND);
    assert_int_equal(linnet_json_load_file("/", 8, &value, &err), LINNET_E_IO);
}

static void paths_read_with_defaults(void **state) {
    (void)state;
    json_t *v = parse("{\"a\":{\"b\":[{\"c\":\"d\"},2.0,2.5,true]},\"\":{\"x\":1}}");
    assert_string_equal(linnet_json_string(v, "a/b/0/c", "no"), "d");
    assert_string_equal(linnet_json_string(v, "a/b/1", "no"), "no");
    assert_int_equal(linnet_json_integer(v, "a/b/1", 7), 2);
    assert_int_equal(linnet_json_integer(v, "a/b/2", 7), 7);
    assert_true(linnet_json_number(v, "a/b/2", 0) == 2.5);
    assert_true(linnet_json_bool(v, "a/b/3", false));
    assert_true(linnet_json_bool(v, "a/b/9", true));
    assert_null(linnet_json_at(v, "a/b/x"));
    assert_null(linnet_json_at(v, "a/b/0/c/d"));
    assert_null(linnet_json_at(NULL, "a"));
    assert_ptr_equal(linnet_json_at(v, ""), v);
    json_decref(v);
}

static void canonical_text_does_not_depend_on_order_form_or_locale(void **state) {
    (void)state;
    static const char wanted[] = "{\"a\":[1,0.10000000000000001,1.0000000000000001e+300,0,-7],\"b\":{},"
                                 "\"\xc3\xa9\":\"\\n\\u0001\\\"\\\\/\"}";
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed: a comma for a point */
    json_t *v =
        parse("{\"\\u00e9\" : \"\\n\\u0001\\\"\\\\\\/\", \"b\":{ }, \"a\": [1.0, 0.1, 1E300, -0.0, -7]}");
    char *text = linnet_json_canonical(v);
    assert_string_equal(text, wanted);
    json_t *again = parse(text);
    char *second = linnet_json_canonical(again);
    assert_string_equal(second, wanted);
    setlocale(LC_ALL, "C");
    free(text);
    free(second);
    json_decref(v);
    json_decref(again);
    assert_null(linnet_json_canonical(NULL));
}

static void digest_ignores_revisions_and_sees_attachments(void **state) {
    (void)state;
    json_t *a = parse("{\"_id\":\"1\",\"_rev\":\"1-a\",\"kind\":\"x\",\"_attachments\":{\"l\":{\"digest\":"
                      "\"md5-1\",\"stub\":true}}}");
    json_t *b = parse("{\"kind\":\"x\",\"_rev\":\"2-b\",\"_attachments\":{\"l\":{\"digest\":\"md5-1\","
                      "\"revpos\":3}},\"_id\":\"2\"}");
    json_t *c = parse("{\"kind\":\"x\",\"_attachments\":{\"l\":{\"digest\":\"md5-2\"}}}");
    json_t *d = parse("{\"kind\":\"x\"}");
    char da[65], db[65], dc[65], dd[65];
    assert_int_equal(linnet_json_digest(a, da), 0);
    assert_int_equal(linnet_json_digest(b, db), 0);
    assert_int_equal(linnet_json_digest(c, dc), 0);
    assert_int_equal(linnet_json_digest(d, dd), 0);
    assert_string_equal(da, db);
    assert_string_not_equal(da, dc);
    assert_string_not_equal(da, dd);
    /* Written down, so that no release and no platform changes it unseen: sha256 of {"kind":"x"}. */
    assert_string_equal(dd, "d8954039f5400e6446be22f214ca42837da7f194dc6262234c659c7cdd6ff891");
    json_decref(a);
    json_decref(b);
    json_decref(c);
    json_decref(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_refuses_what_is_no_json),
        cmocka_unit_test(parsing_is_bounded_in_depth),
        cmocka_unit_test(files_are_bounded_and_named_in_errors),
        cmocka_unit_test(paths_read_with_defaults),
        cmocka_unit_test(canonical_text_does_not_depend_on_order_form_or_locale),
        cmocka_unit_test(digest_ignores_revisions_and_sees_attachments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
