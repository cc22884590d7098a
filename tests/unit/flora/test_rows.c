/* Rows of big tables: dividers, quotes, ends of lines, what is too long, and any size of reads. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#include "workers/flora/rows.h"

/* A text given out a few bytes at a time. */
struct text {
    const char *data;
    size_t size, given, step;
};

static ssize_t read_text(void *arg, void *data, size_t size, struct linnet_error *err) {
    struct text *text = arg;
    (void)err;
    size_t n = text->size - text->given;
    if (n > text->step) n = text->step;
    if (n > size) n = size;
    memcpy(data, text->data + text->given, n);
    text->given += n;
    return (ssize_t)n;
}

/* All fields, each in brackets, rows divided by '/'. */
static void assert_rows(const char *data, char delimiter, char quote, const char *expected) {
    for (size_t step = 1; step < 9; step++) {
        struct text text = {data, strlen(data), 0, step};
        struct linnet_rows rows;
        char out[512] = "";
        assert_int_equal(linnet_rows_open(delimiter, quote, read_text, &text, &rows), 0);
        int more;
        while ((more = linnet_rows_next(&rows, NULL)) == 1) {
            for (size_t i = 0; i < rows.nfields; i++) {
                strcat(out, "[");
                strcat(out, linnet_rows_field(&rows, (int)i));
                strcat(out, "]");
            }
            strcat(out, "/");
        }
        assert_int_equal(more, 0);
        assert_string_equal(out, expected);
        linnet_rows_close(&rows);
    }
}

static void fields_are_divided(void **state) {
    (void)state;
    assert_rows("a|b|c\n1||3\n", '|', 0, "[a][b][c]/[1][][3]/");
    assert_rows("a|b\r\n\r\n1|2", '|', 0, "[a][b]/[1][2]/");
    assert_rows("\xef\xbb\xbfname\tx\n q \t\n", '\t', 0, "[name][x]/[q][]/");
    assert_rows("", '|', 0, "");
    assert_rows("\n\n", '|', 0, "");
    assert_rows("one", ',', '"', "[one]/");
}

static void quotes_hold_dividers_and_ends_of_lines(void **state) {
    (void)state;
    assert_rows("\"a,b\",c\n\"x\ny\",\"\"\n", ',', '"', "[a,b][c]/[x\ny][]/");
    assert_rows("\"say \"\"oak\"\"\",2\n", ',', '"', "[say \"oak\"][2]/");
    assert_rows("5\" tall,\"a\"b,c\n", ',', '"', "[5\" tall][ab][c]/");
    assert_rows("\"a|b\"|c\n", '|', 0, "[\"a][b\"][c]/"); /* where quotes mean nothing */
    assert_rows("a,\"last\"", ',', '"', "[a][last]/");
}

static void what_has_no_end_is_refused(void **state) {
    (void)state;
    size_t size = LINNET_ROWS_LONGEST + 10;
    char *data = malloc(size + 1);
    memset(data, 'x', size);
    data[size] = '\0';
    struct text text = {data, size, 0, 65536};
    struct linnet_rows rows;
    struct linnet_error err;
    assert_int_equal(linnet_rows_open('|', 0, read_text, &text, &rows), 0);
    assert_int_equal(linnet_rows_next(&rows, &err), LINNET_E_LIMIT);
    assert_non_null(strstr(err.detail, "row 1"));
    linnet_rows_close(&rows);
    text = (struct text){"a,b\n\"open,c\nd,e\n", 16, 0, 4};
    assert_int_equal(linnet_rows_open(',', '"', read_text, &text, &rows), 0);
    assert_int_equal(linnet_rows_next(&rows, &err), 1);
    assert_int_equal(linnet_rows_next(&rows, &err), LINNET_E_PARSE);
    linnet_rows_close(&rows);
    free(data);
}

static void columns_are_found_by_name_and_more_than_are_held_are_lost(void **state) {
    (void)state;
    char data[2048] = "Id|Name";
    for (int i = 0; i < 400; i++)
        strcat(data, "|x");
    struct text text = {data, strlen(data), 0, 7};
    struct linnet_rows rows;
    assert_int_equal(linnet_rows_open('|', 0, read_text, &text, &rows), 0);
    assert_int_equal(linnet_rows_next(&rows, NULL), 1);
    assert_int_equal(linnet_rows_column(&rows, "name"), 1);
    assert_int_equal(linnet_rows_column(&rows, "other"), -1);
    assert_int_equal(rows.nfields, LINNET_ROWS_FIELDS);
    assert_string_equal(linnet_rows_field(&rows, -1), "");
    assert_string_equal(linnet_rows_field(&rows, 5000), "");
    linnet_rows_close(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_divided),
        cmocka_unit_test(quotes_hold_dividers_and_ends_of_lines),
        cmocka_unit_test(what_has_no_end_is_refused),
        cmocka_unit_test(columns_are_found_by_name_and_more_than_are_held_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
