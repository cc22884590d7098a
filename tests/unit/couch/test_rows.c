/* Rows of an answer: the quick way and the way by a tree must say the same. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/couch/internal.h"

/* The rows of a text, in a copy that they are read from. */
struct answer {
    char *text;
    json_t *tree;
    struct couch_rows rows;
    int rc;
};

static struct answer read_text(const char *text) {
    struct answer answer = {.text = strdup(text)};
    answer.rc = couch_rows_read(answer.text, strlen(text), &answer.rows, &answer.tree);
    return answer;
}

static void done(struct answer *answer) {
    couch_rows_done(&answer->rows);
    json_decref(answer->tree);
    free(answer->text);
}

static void same_text(const char *a, const char *b) {
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_true(!a && !b);
}

/* By a tree it goes where a member is not known; so each text is read as it is and with one more. */
static void says(const char *members, const char *revision, const char *error, const char *reason,
                 bool deleted, const char *document) {
    static const char *const frames[] = {"[{%s}]", "{\"total_rows\":3,\"offset\":null,\"rows\":[{%s}]}\n",
                                         "[{%s,\"more\":{\"rev\":[1,\"]\"]}}]",
                                         " { \"rows\" : [ {%s,\"x\":1} ] } "};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        char text[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, frames[i], members);
#pragma GCC diagnostic pop
        struct answer answer = read_text(text);
        assert_int_equal(answer.rc, 0);
        assert_int_equal(answer.tree != NULL, i >= 2);
        assert_int_equal(answer.rows.n, 1);
        const struct linnet_couch_row *row = answer.rows.rows;
        same_text(row->revision, revision);
        same_text(row->error, error);
        same_text(row->reason, reason);
        assert_int_equal(row->deleted, deleted);
        char *written = row->document ? linnet_json_canonical(row->document) : NULL;
        same_text(written, document);
        free(written);
        done(&answer);
    }
}

static void a_row_says_what_stands_there(void **state) {
    (void)state;
    says("\"ok\":true,\"id\":\"a:b\",\"rev\":\"1-abc\"", "1-abc", NULL, NULL, false, NULL);
    says("\"id\":\"a\",\"error\":\"conflict\",\"reason\":\"Document update conflict.\"", NULL, "conflict",
         "Document update conflict.", false, NULL);
    says("\"key\":\"a\",\"error\":\"not_found\"", NULL, "not_found", NULL, false, NULL);
    says("\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"3-x\"},\"doc\":{\"_id\":\"a\",\"n\":[1,2]}", "3-x",
         NULL, NULL, false, "{\"_id\":\"a\",\"n\":[1,2]}");
    says("\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"4-y\",\"deleted\":true},\"doc\":null", "4-y", NULL,
         NULL, true, NULL);
    says("\"id\":\"a\",\"key\":\"a\",\"value\":null", NULL, NULL, NULL, false, NULL);
}

static void what_is_written_otherwise_is_read_by_way_of_a_tree(void **state) {
    (void)state;
    struct answer answer =
        read_text("[{\"id\":\"a\",\"error\":\"forbidden\",\"reason\":\"no \\\"x\\\"\"}, {}]");
    assert_int_equal(answer.rc, 0);
    assert_non_null(answer.tree);
    assert_int_equal(answer.rows.n, 2);
    assert_string_equal(answer.rows.rows[0].reason, "no \"x\"");
    assert_null(answer.rows.rows[1].revision);
    done(&answer);
}

static void every_row_keeps_its_own_texts(void **state) {
    (void)state;
    struct linnet_buf text = {0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(
            linnet_buf_printf(&text, "%s{\"ok\":true,\"id\":\"%d\",\"rev\":\"%d-r\"}", i ? "," : "[", i, i),
            0);
    linnet_buf_append_string(&text, "]");
    struct answer answer = read_text(text.data);
    assert_int_equal(answer.rc, 0);
    assert_null(answer.tree);
    assert_int_equal(answer.rows.n, 1000);
    for (int i = 0; i < 1000; i++) {
        char revision[32];
        snprintf(revision, sizeof revision, "%d-r", i);
        assert_string_equal(answer.rows.rows[i].revision, revision);
    }
    done(&answer);
    linnet_buf_done(&text);
}

static void no_rows_are_no_fault_and_no_answer_is_one(void **state) {
    (void)state;
    static const char *const empty[] = {"[]", "{\"rows\":[]}", "{\"total_rows\":0,\"rows\":[],\"offset\":0}"},
                             *const wrong[] = {
                                 "",      "{}",       "{\"rows\":3}", "[{\"ok\":true]",     "[{\"ok\":true}",
                                 "[1] x", "\"rows\"", "{\"rows\":[]", "[{\"rev\":\"1-a\"},"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct answer answer = read_text(empty[i]);
        assert_int_equal(answer.rc, 0);
        assert_int_equal(answer.rows.n, 0);
        done(&answer);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct answer answer = read_text(wrong[i]);
        assert_int_equal(answer.rc, LINNET_E_PARSE);
        done(&answer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_what_stands_there),
        cmocka_unit_test(what_is_written_otherwise_is_read_by_way_of_a_tree),
        cmocka_unit_test(every_row_keeps_its_own_texts),
        cmocka_unit_test(no_rows_are_no_fault_and_no_answer_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
