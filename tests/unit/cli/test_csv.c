/* Tables as people and spreadsheets write them: what is read, and with what words the rest is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/scratch.h"
#include "workers/cli/csv.h"

/* Load `size` bytes as a table; the code. */
static int load(const char *folder, const void *data, size_t size, size_t limit, struct linnet_csv *csv,
                struct linnet_error *err) {
    char *path = scratch_file(folder, "table.csv", data, size);
    int code = linnet_csv_load(path, limit, csv, err);
    free(path);
    return code;
}

static void read_text(const char *folder, const char *text, struct linnet_csv *csv) {
    struct linnet_error err = {0};
    int code = load(folder, text, strlen(text), 0, csv, &err);
    if (code != 0) fail_msg("%s", err.detail);
}

/* The text is refused with this code and these words, and *csv is left alone. */
static void refused(const char *folder, const void *data, size_t size, size_t limit, int code,
                    const char *words) {
    struct linnet_csv csv = {.nrows = 77};
    struct linnet_error err = {0};
    assert_int_equal(load(folder, data, size, limit, &csv, &err), code);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
    assert_int_equal(csv.nrows, 77);
}

static void rows_and_columns_are_found_by_name(void **state) {
    struct linnet_csv csv;
    read_text(*state, "Image,organ\na.jpg,leaf\nb.jpg\n", &csv);
    assert_int_equal(csv.nrows, 3);
    assert_int_equal(linnet_csv_column(&csv, "image"), 0);
    assert_int_equal(linnet_csv_column(&csv, "ORGAN"), 1);
    assert_int_equal(linnet_csv_column(&csv, "taxon"), -1);
    assert_string_equal(linnet_csv_cell(&csv, 1, 1), "leaf");
    assert_string_equal(linnet_csv_cell(&csv, 2, 1), ""); /* the row is short */
    assert_string_equal(linnet_csv_cell(&csv, 1, -1), "");
    assert_string_equal(linnet_csv_cell(&csv, 3, 0), "");
    linnet_csv_done(&csv);
    assert_int_equal(csv.nrows, 0);
}

static void quotes_commas_and_line_ends_belong_to_cells(void **state) {
    struct linnet_csv csv;
    read_text(*state, "a,b\r\n\"one, two\",\"say \"\"three\"\"\"\r\n\"four\nlines\",\r\n", &csv);
    assert_int_equal(csv.nrows, 3);
    assert_string_equal(linnet_csv_cell(&csv, 1, 0), "one, two");
    assert_string_equal(linnet_csv_cell(&csv, 1, 1), "say \"three\"");
    assert_string_equal(linnet_csv_cell(&csv, 2, 0), "four\nlines");
    assert_string_equal(linnet_csv_cell(&csv, 2, 1), "");
    linnet_csv_done(&csv);
}

static void the_last_line_needs_no_end_and_empty_lines_are_none(void **state) {
    struct linnet_csv csv;
    read_text(*state, "a\n\n\none\n\nlast", &csv);
    assert_int_equal(csv.nrows, 3);
    assert_string_equal(linnet_csv_cell(&csv, 2, 0), "last");
    linnet_csv_done(&csv);
}

static void a_spreadsheets_mark_is_no_part_of_the_first_name(void **state) {
    struct linnet_csv csv;
    read_text(*state, "\xef\xbb\xbfimage,organ\nh\xc3\xaatre.jpg,leaf\n", &csv);
    assert_int_equal(linnet_csv_column(&csv, "image"), 0);
    assert_string_equal(linnet_csv_cell(&csv, 1, 0), "h\xc3\xaatre.jpg");
    linnet_csv_done(&csv);
}

/* More rows than the first allocation and than one read holds. */
static void long_tables_are_read_whole(void **state) {
    enum { ROWS = 20000 };
    char *text = malloc(ROWS * 16), *end = text;
    end += sprintf(end, "n,twice\n");
    for (int i = 1; i < ROWS; i++)
        end += sprintf(end, "%d,%d\n", i, 2 * i);
    struct linnet_csv csv;
    read_text(*state, text, &csv);
    assert_int_equal(csv.nrows, ROWS);
    for (int i = 1; i < ROWS; i++)
        assert_int_equal(atoi(linnet_csv_cell(&csv, (size_t)i, 1)), 2 * i);
    linnet_csv_done(&csv);
    free(text);
}

static void what_is_no_table_is_refused_in_words(void **state) {
    struct linnet_csv csv;
    struct linnet_error err = {0};
    refused(*state, "", 0, 0, LINNET_E_PARSE, "a header line is wanted");
    refused(*state, "\n\n", 2, 0, LINNET_E_PARSE, "a header line is wanted");
    refused(*state, "a\n\"open", 7, 0, LINNET_E_PARSE, "row 2: ");
    refused(*state, "a\n\"x\"y\n", 8, 0, LINNET_E_PARSE, "row 2: ");
    refused(*state, "a\nb\nc\xe9sar\n", 11, 0, LINNET_E_PARSE, "row 3: a cell is no text in UTF-8");
    refused(*state, "a\nb\0c\n", 6, 0, LINNET_E_PARSE, "row 2: a cell is no text in UTF-8");
    refused(*state, "a\nb\nc\nd\n", 8, 7, LINNET_E_LIMIT, "larger than 7 bytes");
    assert_int_equal(linnet_csv_load("/nowhere/at/all.csv", 0, &csv, &err), LINNET_E_IO);
    assert_non_null(strstr(err.detail, "/nowhere/at/all.csv"));
    assert_int_equal(linnet_csv_load(*state, 0, &csv, &err), LINNET_E_IO); /* a folder */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_columns_are_found_by_name),
        cmocka_unit_test(quotes_commas_and_line_ends_belong_to_cells),
        cmocka_unit_test(the_last_line_needs_no_end_and_empty_lines_are_none),
        cmocka_unit_test(a_spreadsheets_mark_is_no_part_of_the_first_name),
        cmocka_unit_test(long_tables_are_read_whole),
        cmocka_unit_test(what_is_no_table_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
