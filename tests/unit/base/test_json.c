/* Bounded parsing, reads by path, canonical text and digests. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/base/decimal.h"
#include "common/base/json.h"
#include "common/base/json_reader.h"

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

static void the_wire_keeps_numbers_as_people_write_them(void **state) {
    (void)state;
    static const char text[] =
        "{\"z\":0.1,\"a\":3.0,\"m\":[1e300,-7,9223372036854775807,-9223372036854775808,0.30000000000000004],"
        "\"s\":\"\\u0001\\\"\xc3\xa9/\"}";
    json_t *v = parse(text);
    struct linnet_buf out = {0};
    assert_int_equal(linnet_json_write(&out, v), 0);
    assert_string_equal(out.data,
                        "{\"z\":0.1,\"a\":3.0,\"m\":[1e+300,-7,9223372036854775807,-9223372036854775808,"
                        "0.30000000000000004],\"s\":\"\\u0001\\\"\xc3\xa9/\"}");
    json_decref(v);
    linnet_buf_done(&out);
    assert_int_equal(linnet_json_write(&out, NULL), LINNET_E_INVALID);
    json_t *loop = json_array();
    for (int i = 0; i < 3000; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, loop);
        loop = outer;
    }
    assert_int_equal(linnet_json_write(&out, loop), LINNET_E_LIMIT);
    json_decref(loop);
    linnet_buf_done(&out);
}

static void mending_changes_what_cannot_be_read_and_nothing_else(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"a\":\"\\u0000\"}", "{\"a\":\"\\ufffd\"}"},
        {"\"\\\\u0000\"", "\"\\\\u0000\""}, /* an escaped backslash, then text */
        {"\"\\ud83c\\udf3f\"", "\"\\ud83c\\udf3f\""},
        {"\"\\ud83c\\ud83c\\udf3f\"", "\"\\ufffd\\ud83c\\udf3f\""},
        {"\"\\udf3f\\uD800\"", "\"\\ufffd\\ufffd\""},
        {"[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]"},
        {"[9223372036854775808]", "[9.22337203685477e18]"},
        {"[-123456789012345678901234567890]", "[-1.2345678901234567890123456e29]"},
        {"[1e999,-1.5E+400]", "[null ,null     ]"},
        {"[1.5e300,0.1]", "[1.5e300,0.1]"},
        {"{\"1e999\":\"9223372036854775808\"}", "{\"1e999\":\"9223372036854775808\"}"},
        {"\"\\u00", "\"\\u00"}, /* cut texts are left to fail */
        {"\"\\", "\"\\"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = strdup(cases[i][0]);
        linnet_json_mend(text, strlen(text));
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
    char deep[6001] = "";
    memset(deep, '[', 3000);
    memset(deep + 3000, ']', 3000);
    linnet_json_mend(deep, 6000);
    json_t *v = NULL;
    assert_int_equal(linnet_json_load(deep, 6000, 0, &v, NULL), 0);
    json_decref(v);
}

static void reading_agrees_with_jansson(void **state) {
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "-",
                                        "01",
                                        "1.",
                                        ".5",
                                        "1.e3",
                                        "1e",
                                        "1e+",
                                        "1E-3",
                                        "-1.5e-3",
                                        "123456789012345678",
                                        "1234567890123456789",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "0.1",
                                        "0.30000000000000004",
                                        "1e22",
                                        "1e23",
                                        "123456789012345e22",
                                        "2.2250738585072014e-308",
                                        "5e-324",
                                        "1e-999",
                                        "1e999",
                                        "-0.0",
                                        "1.7976931348623157e308",
                                        "0.1e1",
                                        "100e-2",
                                        "\"\"",
                                        "\"abcdefgh\"",
                                        "\"abcdefghi\\n\"",
                                        "\"\x01\"",
                                        "\"1234567\x1f\"",
                                        "\"\xc3\xa9\"",
                                        "\"1234567\xc3\xa9x\"",
                                        "\"\xc3\"",
                                        "\"\xed\xa0\x80\"",
                                        "\"\\u00e9\\u20AC\\ud83c\\udf3f\"",
                                        "\"\\ud83c\"",
                                        "\"\\x\"",
                                        "\"\\",
                                        "\"\\u12\"",
                                        "\"abc",
                                        "\"\x7f\"",
                                        "[]",
                                        "[ ]",
                                        "[1,]",
                                        "[1 2]",
                                        "[,]",
                                        "[",
                                        "[1",
                                        "{}",
                                        "{ }",
                                        "{\"a\":1,}",
                                        "{\"a\" 1}",
                                        "{a:1}",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"\\u0061\":1}",
                                        "{\"a\":{\"b\":[true,false,null]}}",
                                        "tru",
                                        "truex",
                                        "nullnull",
                                        "[true false]",
                                        " \t\r\n1 ",
                                        "1 2",
                                        "",
                                        " ",
                                        "\xef\xbb\xbf[]",
                                        "[\f]"};
    static const size_t flags[] = {0, JSON_DECODE_ANY, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t j = 0; j < 3; j++) {
            json_t *ours = NULL, *theirs = json_loadb(texts[i], strlen(texts[i]), flags[j], NULL);
            struct linnet_json_reader reader;
            linnet_json_reader_init(&reader, texts[i], strlen(texts[i]));
            json_t *quick = linnet_json_read_value(&reader);
            bool whole = quick && !linnet_json_peek(&reader) && reader.s == reader.end;
            assert_int_equal(linnet_json_load(texts[i], strlen(texts[i]), flags[j], &ours, NULL),
                             theirs ? 0 : LINNET_E_PARSE);
            if (theirs && !json_equal(ours, theirs)) fail_msg("%s is read as something else", texts[i]);
            if (whole && flags[j] == JSON_DECODE_ANY && !json_equal(quick, theirs))
                fail_msg("%s is not refused", texts[i]);
            json_decref(ours);
            json_decref(theirs);
            json_decref(quick);
            linnet_json_reader_done(&reader);
        }
}

/* The text or nothing; the cases are those in which a digit may go wrong: powers of ten and their neighbours,
 * short decimals, ties, and any. */
static void is_what_printf_writes(double value) {
    char own[32] = "untouched", theirs[40];
    snprintf(theirs, sizeof theirs, "%.17g", value);
    int length = linnet_decimal17(value, own);
    assert_string_equal(own, length ? theirs : "untouched");
    assert_int_equal(length, length ? strlen(theirs) : 0);
    assert_int_equal(length > 0, fabs(value) >= 1e-3 && fabs(value) < 1e15);
}

static void decimals_are_what_printf_writes(void **state) {
    (void)state;
    srand(5);
    for (int i = 0; i < 100000; i++) {
        double power = pow(10, rand() % 22 - 5);
        is_what_printf_writes(power);
        is_what_printf_writes(nextafter(power, 0));
        is_what_printf_writes(-nextafter(power, 1e300));
        is_what_printf_writes((rand() % 1000000) / pow(10, rand() % 7));
        is_what_printf_writes(ldexp(1 + (rand() % 1024) / 1024.0, rand() % 70 - 15));
        is_what_printf_writes(ldexp((double)rand() * 2147483648.0 + rand(), -(rand() % 80)));
    }
    is_what_printf_writes(0);
    is_what_printf_writes(INFINITY);
    is_what_printf_writes(NAN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_refuses_what_is_no_json),
        cmocka_unit_test(parsing_is_bounded_in_depth),
        cmocka_unit_test(files_are_bounded_and_named_in_errors),
        cmocka_unit_test(paths_read_with_defaults),
        cmocka_unit_test(canonical_text_does_not_depend_on_order_form_or_locale),
        cmocka_unit_test(digest_ignores_revisions_and_sees_attachments),
        cmocka_unit_test(decimals_are_what_printf_writes),
        cmocka_unit_test(the_wire_keeps_numbers_as_people_write_them),
        cmocka_unit_test(mending_changes_what_cannot_be_read_and_nothing_else),
        cmocka_unit_test(reading_agrees_with_jansson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
