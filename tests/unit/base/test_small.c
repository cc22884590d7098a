/* Errors, buffers, digests, ULIDs, ids, times, the log and the metrics. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/time.h"
#include "common/base/ulid.h"
#include "common/base/utf8.h"

static const char OBS[] = "01HXYZABCDEFGHJKMNPQRSTVWX";

static void error_names_are_the_codes_in_lower_case(void **state) {
    (void)state;
#define X(name, value, class_, message)                                                                      \
    {                                                                                                        \
        char lower[64];                                                                                      \
        size_t i = 0;                                                                                        \
        for (const char *s = &#name[sizeof "LINNET_E_" - 1]; *s; s++)                                        \
            lower[i++] = (char)tolower(*s);                                                                  \
        lower[i] = '\0';                                                                                     \
        assert_string_equal(linnet_error_name(name), lower);                                                 \
        assert_string_equal(linnet_error_message(name), message);                                            \
        assert_int_equal(linnet_error_class(name), class_);                                                  \
    }
    LINNET_ERRORS(X)
#undef X
    assert_string_equal(linnet_error_name(-99), "unknown");
    assert_string_equal(linnet_error_name(1), "unknown");
    assert_string_equal(linnet_error_message(-99), "unknown error");
    assert_int_equal(linnet_error_class(-99), LINNET_FATAL_CLASS);
}

static void error_prefix_keeps_what_was_there(void **state) {
    (void)state;
    struct linnet_error err;
    assert_int_equal(linnet_error_set(&err, LINNET_E_PARSE, "line %d", 3), LINNET_E_PARSE);
    assert_int_equal(linnet_error_prefix(&err, "%s", "flora.json"), LINNET_E_PARSE);
    assert_string_equal(err.detail, "flora.json: line 3");
    char big[2000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    linnet_error_prefix(&err, "%s", big);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
    assert_int_equal(linnet_error_set(NULL, LINNET_E_IO, "x"), LINNET_E_IO);
    assert_int_equal(linnet_error_prefix(NULL, "x"), 0);
}

static void buf_refuses_what_is_over_its_limit_and_stays_as_it_was(void **state) {
    (void)state;
    struct linnet_buf buf;
    linnet_buf_init(&buf, 10);
    assert_int_equal(linnet_buf_append(&buf, "12345", 5), 0);
    assert_int_equal(linnet_buf_append(&buf, "67890", 5), 0);
    assert_int_equal(linnet_buf_append(&buf, "1", 1), LINNET_E_LIMIT);
    assert_int_equal(linnet_buf_printf(&buf, "%d", 1), LINNET_E_LIMIT);
    assert_string_equal(buf.data, "1234567890");
    linnet_buf_consume(&buf, 4);
    assert_string_equal(buf.data, "567890");
    assert_int_equal(linnet_buf_printf(&buf, "%s", "abcd"), 0);
    assert_string_equal(buf.data, "567890abcd");
    assert_int_equal(linnet_buf_reserve(&buf, SIZE_MAX - 3), LINNET_E_LIMIT);
    linnet_buf_consume(&buf, 100);
    assert_int_equal(buf.size, 0);
    size_t size = 7;
    char *data = linnet_buf_take(&buf, &size);
    assert_int_equal(size, 0);
    assert_null(buf.data);
    free(data);
    assert_null(linnet_buf_take(&buf, NULL));
    linnet_buf_done(&buf);
}

static void buf_grows_without_a_limit(void **state) {
    (void)state;
    struct linnet_buf buf = {0};
    for (int i = 0; i < 100000; i++)
        assert_int_equal(linnet_buf_append(&buf, "abc", 3), 0);
    assert_int_equal(buf.size, 300000);
    assert_int_equal(strlen(buf.data), 300000);
    linnet_buf_done(&buf);
}

static void utf8_follows_the_table_of_well_formed_sequences(void **state) {
    (void)state;
    assert_int_equal(linnet_utf8_next("a", 1), 1);
    assert_int_equal(linnet_utf8_next("\xc3\xa9", 2), 2);
    assert_int_equal(linnet_utf8_next("\xe2\x82\xac", 3), 3);
    assert_int_equal(linnet_utf8_next("\xf0\x9f\x8c\xbf", 4), 4);
    assert_int_equal(linnet_utf8_next("\xe2\x82", 2), 0);         /* cut */
    assert_int_equal(linnet_utf8_next("\xc0\x80", 2), 0);         /* overlong */
    assert_int_equal(linnet_utf8_next("\xed\xa0\x80", 3), 0);     /* surrogate */
    assert_int_equal(linnet_utf8_next("\xf4\x90\x80\x80", 4), 0); /* above U+10FFFF */
    assert_int_equal(linnet_utf8_next("\xf0\x9f\x8c\x00", 4), 0);
    assert_int_equal(linnet_utf8_next("", 0), 0);
    assert_int_equal(linnet_utf8_count("Bl\xc3\xbcte\xff"), 6);
}

static void digest_is_sha256_and_tells_parts_apart(void **state) {
    (void)state;
    char a[LINNET_DIGEST_SIZE], b[LINNET_DIGEST_SIZE];
    linnet_digest_bytes("abc", 3, a); /* FIPS 180-2, appendix B.1 */
    assert_string_equal(a, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(linnet_digest_valid(a));
    assert_false(linnet_digest_valid("ba78"));
    assert_false(linnet_digest_valid("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    const char *first[] = {"ab", "c"}, *second[] = {"a", "bc"};
    struct linnet_digest x, y, z;
    linnet_digest_init(&x);
    linnet_digest_init(&y);
    linnet_digest_init(&z);
    for (int i = 0; i < 2; i++) {
        linnet_digest_update_string(&x, first[i]);
        linnet_digest_update_string(&y, second[i]);
        linnet_digest_update_string(&z, NULL);
    }
    linnet_digest_final(&x, a);
    linnet_digest_final(&y, b);
    assert_string_not_equal(a, b);
    linnet_digest_final(&z, b);
    linnet_digest_bytes("\xff\xff", 2, a);
    assert_string_equal(a, b);
    assert_true(linnet_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c)); /* the published FNV-1a test vector */
}

static void ulid_has_its_time_in_front_and_sorts_by_it(void **state) {
    (void)state;
    const uint8_t zero[10] = {0}, ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    char a[LINNET_ULID_SIZE], b[LINNET_ULID_SIZE];
    linnet_ulid_make(1469918176385, zero,
                     a); /* the example of the specification's reference implementation */
    assert_string_equal(a, "01ARYZ6S410000000000000000");
    linnet_ulid_make(1469918176385, ones, b);
    assert_string_equal(b, "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
    linnet_ulid_make((UINT64_C(1) << 48) - 1, ones, b);
    assert_string_equal(b, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    linnet_ulid_new(a);
    linnet_ulid_new(b);
    assert_true(linnet_ulid_valid(a, strlen(a)));
    assert_string_not_equal(a, b);
    assert_memory_equal(a, b, 6);
    assert_false(linnet_ulid_valid("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", 26));
    assert_false(linnet_ulid_valid("01aryz6s410000000000000000", 26));
    assert_false(linnet_ulid_valid("01ARYZ6S41000000000000000I", 26));
    assert_false(linnet_ulid_valid("01ARYZ6S4100000000000000", 24));
}

static void ids_come_apart_and_together_again(void **state) {
    (void)state;
    static const struct {
        const char *text, *kind, *qualifier;
        enum linnet_database database;
    } good[] = {
        {"01HXYZABCDEFGHJKMNPQRSTVWX:observation", "observation", "", LINNET_DB_MAIN},
        {"01HXYZABCDEFGHJKMNPQRSTVWX:prediction:d1:m@1", "prediction", "d1:m@1", LINNET_DB_MAIN},
        {"01HXYZABCDEFGHJKMNPQRSTVWX:leaf-area:x", "leaf-area", "x", LINNET_DB_MAIN},
        {"01HXYZABCDEFGHJKMNPQRSTVWX:mine", "mine", "", LINNET_DB_MAIN},
        {"taxon:123", "taxon", "123", LINNET_DB_REFERENCE},
        {"deadletter:convnet:01HXYZABCDEFGHJKMNPQRSTVWX:image:x", "deadletter",
         "convnet:01HXYZABCDEFGHJKMNPQRSTVWX:image:x", LINNET_DB_OPS},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct linnet_id id;
        char again[LINNET_ID_MAX];
        assert_int_equal(linnet_id_parse(good[i].text, &id), 0);
        assert_string_equal(id.kind, good[i].kind);
        assert_string_equal(id.qualifier, good[i].qualifier);
        assert_int_equal(id.database, good[i].database);
        assert_string_equal(id.observation, id.database == LINNET_DB_MAIN ? OBS : "");
        assert_int_equal(linnet_id_format(id.observation, id.kind, id.qualifier, again), 0);
        assert_string_equal(again, good[i].text);
    }
}

static void ids_that_are_none_of_ours_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      ":",
                                      "_design/linnet",
                                      "_design:x",
                                      "hello",
                                      "taxon",
                                      "taxon:",
                                      "observation:x",
                                      "unknown:x",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:observation:x",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:image",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:image:",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:taxon:1",
                                      "01hxyzabcdefghjkmnpqrstvwx:observation",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:Obs",
                                      "01HXYZABCDEFGHJKMNPQRSTVWX:abcdefghijklmnopqrstuvwxyzabcdefgh"};
    struct linnet_id id = {.database = LINNET_DB_OPS};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(linnet_id_parse(bad[i], &id), LINNET_E_INVALID);
    assert_int_equal(id.database, LINNET_DB_OPS); /* untouched */
    char big[LINNET_ID_MAX + 9], out[LINNET_ID_MAX] = "as it was";
    memset(big, 'q', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(linnet_id_format(NULL, "taxon", big, out), LINNET_E_LIMIT);
    assert_string_equal(out, "as it was");
    memcpy(big, "taxon:", 6);
    assert_int_equal(linnet_id_parse(big, &id), LINNET_E_INVALID);
}

static void databases_and_shares_are_fixed(void **state) {
    (void)state;
    assert_int_equal(linnet_kind_database("skill"), LINNET_DB_REFERENCE);
    assert_int_equal(linnet_kind_database("consensus"), LINNET_DB_MAIN);
    assert_int_equal(linnet_kind_database("x"), LINNET_DB_NONE);
    assert_string_equal(linnet_database_suffix(LINNET_DB_MAIN), "");
    assert_string_equal(linnet_database_suffix(LINNET_DB_OPS), "-ops");
    assert_int_equal(linnet_share_of(OBS, 0), 0);
    /* A share's number is in the store: it must not change with a release or a platform. */
    assert_int_equal(linnet_share_of(OBS, 64), linnet_hash(OBS, 26) % 64);
    unsigned counts[64] = {0};
    for (int i = 0; i < 6400; i++) {
        char ulid[LINNET_ULID_SIZE];
        linnet_ulid_new(ulid);
        counts[linnet_share_of(ulid, 64)]++;
    }
    for (int i = 0; i < 64; i++)
        assert_in_range(counts[i], 40, 180);
}

static void times_are_read_in_every_form_of_rfc_3339(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-05-03T10:21:00.123Z", 1777803660123},
        {"2026-05-03T12:21:00.1234567+02:00", 1777803660123},
        {"2026-05-03t05:51:00.1-04:30", 1777803660100},
        {"2026-05-03 10:21:00z", 1777803660000},
        {"2026-05-03", 1777766400000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"0000-01-01T00:00:00Z", -62167219200000},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = 0;
        assert_int_equal(linnet_time_parse(good[i].text, &ms), 0);
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2026-02-29",
                                      "2026-05-03T",
                                      "2026-05-03T10:21Z",
                                      "2026-05-03T10:21:00",
                                      "2026-05-03T10:21:00.Z",
                                      "2026-05-03T24:00:00Z",
                                      "2026-05-03T10:21:00+2",
                                      "2026-05-03T10:21:00Zx",
                                      "2026-00-10",
                                      "x026-05-03",
                                      "2026-05-03T10:21:00+24:00",
                                      "2026-5-3"};
    int64_t ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(linnet_time_parse(bad[i], &ms), LINNET_E_PARSE);
    assert_true(ms == 42);
}

static void times_survive_writing_and_reading(void **state) {
    (void)state;
    char text[LINNET_TIME_SIZE];
    linnet_time_format(1777803660123, text);
    assert_string_equal(text, "2026-05-03T10:21:00.123Z");
    for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86400000LL * 13 + 12345678) {
        int64_t again = 0;
        linnet_time_format(ms, text);
        assert_int_equal(linnet_time_parse(text, &again), 0);
        assert_true(again == ms);
    }
    linnet_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    linnet_time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    assert_true(linnet_time_now() > 1700000000000);
    assert_true(linnet_time_monotonic() <= linnet_time_monotonic());
}

/* What one call of linnet_log writes; the caller frees it. */
#define LOGGED(plain, ...)                                                                                   \
    __extension__({                                                                                          \
        int ends_[2];                                                                                        \
        assert_int_equal(pipe(ends_), 0);                                                                    \
        linnet_log_setup(LINNET_INFO, plain, ends_[1]);                                                      \
        linnet_log(__VA_ARGS__);                                                                             \
        close(ends_[1]);                                                                                     \
        char *logged_ = calloc(1, 65536);                                                                    \
        ssize_t got_ = read(ends_[0], logged_, 65535);                                                       \
        assert_true(got_ >= 0);                                                                              \
        close(ends_[0]);                                                                                     \
        linnet_log_setup(LINNET_INFO, 0, STDERR_FILENO);                                                     \
        logged_;                                                                                             \
    })

static void log_lines_are_json_without_passwords(void **state) {
    (void)state;
    char *line =
        LOGGED(0, LINNET_WARN, "feed", "re\"sumed\n", "url", "s",
               "at https://ann:p:w@d@host:5984/x?y=a@b and http://u:z@h", "n", "i", 3LL, "f", "f", 0.5, "b",
               "b", 1, "none", "s", NULL, "bad", "s", "a\xff\x01", "nan", "f", 0.0 / 0.0, NULL);
    json_error_t error;
    json_t *json = json_loads(line, 0, &error);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(json, "message")), "re\"sumed\n");
    assert_string_equal(json_string_value(json_object_get(json, "url")),
                        "at https://ann:***@host:5984/x?y=a@b and http://u:***@h");
    assert_int_equal(json_integer_value(json_object_get(json, "n")), 3);
    assert_true(json_is_true(json_object_get(json, "b")));
    assert_true(json_is_null(json_object_get(json, "none")));
    assert_true(json_is_null(json_object_get(json, "nan")));
    assert_string_equal(json_string_value(json_object_get(json, "bad")), "a\xef\xbf\xbd\x01");
    json_decref(json);
    free(line);
}

static void log_cuts_long_texts_between_characters(void **state) {
    (void)state;
    char big[9001];
    for (int i = 0; i < 9000; i += 3)
        memcpy(big + i, "\xe2\x82\xac", 3);
    big[9000] = '\0';
    char *line = LOGGED(0, LINNET_ERROR, "x", "y", "big", "s", big, "after", "i", 1LL, NULL);
    json_error_t error;
    json_t *json = json_loads(line, 0, &error);
    assert_non_null(json);
    assert_true(json_string_length(json_object_get(json, "big")) < 3000);
    assert_null(strstr(json_string_value(json_object_get(json, "big")), "\xef\xbf\xbd"));
    assert_int_equal(json_integer_value(json_object_get(json, "after")), 1);
    json_decref(json);
    free(line);
}

static void log_in_plain_text_has_no_control_characters(void **state) {
    (void)state;
    char *line = LOGGED(1, LINNET_INFO, "feed", "hello\x1b[31m", "n", "i", 3LL, NULL);
    assert_non_null(strstr(line, " info  feed: hello\\u001b[31m n=3\n"));
    free(line);
    line = LOGGED(0, LINNET_DEBUG, "feed", "dropped", NULL);
    assert_string_equal(line, "");
    free(line);
    assert_int_equal(linnet_log_level("warn"), LINNET_WARN);
    assert_int_equal(linnet_log_level("loud"), -1);
}

static void metrics_are_written_as_prometheus_reads_them(void **state) {
    (void)state;
    struct linnet_metrics *metrics = linnet_metrics_new();
    struct linnet_metric *a = linnet_metrics_counter(metrics, "docs_total", "stage=\"a\"", "Documents.");
    struct linnet_metric *lag = linnet_metrics_gauge(metrics, "lag", NULL, "Lag.");
    struct linnet_metric *b = linnet_metrics_counter(metrics, "docs_total", "stage=\"b\"", "Documents.");
    struct linnet_metric *time = linnet_metrics_histogram(metrics, "took_seconds", "stage=\"a\"", "Time.");
    assert_ptr_equal(a, linnet_metrics_counter(metrics, "docs_total", "stage=\"a\"", "Documents."));
    assert_null(linnet_metrics_gauge(metrics, "docs_total", "stage=\"a\"", "Documents."));
    assert_null(linnet_metrics_gauge(metrics, "docs_total", NULL, "Documents."));
    linnet_metric_add(a, 2);
    linnet_metric_add(b, 1);
    linnet_metric_add(NULL, 1);
    linnet_metric_set(lag, -0.25);
    linnet_metric_observe(time, 0.0005);
    linnet_metric_observe(time, 0.3);
    linnet_metric_observe(time, 1000);
    assert_true(linnet_metric_value(time) == 3);
    assert_true(linnet_metric_value(a) == 2);
    struct linnet_buf out = {0};
    assert_int_equal(linnet_metrics_write(metrics, &out), 0);
    assert_non_null(strstr(out.data, "# HELP docs_total Documents.\n# TYPE docs_total counter\n"
                                     "docs_total{stage=\"a\"} 2\ndocs_total{stage=\"b\"} 1\n# HELP lag"));
    assert_non_null(strstr(out.data, "\nlag -0.25\n"));
    assert_non_null(strstr(out.data, "took_seconds_bucket{stage=\"a\",le=\"0.001\"} 1\n"));
    assert_non_null(strstr(out.data, "took_seconds_bucket{stage=\"a\",le=\"0.5\"} 2\n"));
    assert_non_null(strstr(out.data, "took_seconds_bucket{stage=\"a\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(out.data, "took_seconds_sum{stage=\"a\"} 1000.3005\n"));
    assert_non_null(strstr(out.data, "took_seconds_count{stage=\"a\"} 3\n"));
    linnet_buf_done(&out);
    linnet_buf_init(&out, 20);
    assert_int_equal(linnet_buf_append_string(&out, "before"), 0);
    assert_int_equal(linnet_metrics_write(metrics, &out), LINNET_E_LIMIT);
    assert_string_equal(out.data, "before");
    linnet_buf_done(&out);
    linnet_metrics_free(metrics);
    linnet_metrics_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_names_are_the_codes_in_lower_case),
        cmocka_unit_test(error_prefix_keeps_what_was_there),
        cmocka_unit_test(buf_refuses_what_is_over_its_limit_and_stays_as_it_was),
        cmocka_unit_test(buf_grows_without_a_limit),
        cmocka_unit_test(utf8_follows_the_table_of_well_formed_sequences),
        cmocka_unit_test(digest_is_sha256_and_tells_parts_apart),
        cmocka_unit_test(ulid_has_its_time_in_front_and_sorts_by_it),
        cmocka_unit_test(ids_come_apart_and_together_again),
        cmocka_unit_test(ids_that_are_none_of_ours_are_refused),
        cmocka_unit_test(databases_and_shares_are_fixed),
        cmocka_unit_test(times_are_read_in_every_form_of_rfc_3339),
        cmocka_unit_test(times_survive_writing_and_reading),
        cmocka_unit_test(log_lines_are_json_without_passwords),
        cmocka_unit_test(log_cuts_long_texts_between_characters),
        cmocka_unit_test(log_in_plain_text_has_no_control_characters),
        cmocka_unit_test(metrics_are_written_as_prometheus_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
