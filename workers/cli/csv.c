#include "workers/cli/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"

struct reading {
    struct linnet_csv *csv;
    struct linnet_csv_row row; /* the one under way */
    int failed;                /* the first failure of a callback */
};

/* Cells become ids, names and paths: text, which ends nowhere but at its end. */
static bool is_text(const char *data, size_t size) {
    for (size_t at = 0, step; at < size; at += step) {
        step = linnet_utf8_next(data + at, size - at);
        if (step == 0 || data[at] == '\0') return false;
    }
    return true;
}

static void on_cell(void *data, size_t size, void *arg) {
    struct reading *reading = arg;
    if (reading->failed) return;
    if (!is_text(data, size)) {
        reading->failed = LINNET_E_PARSE;
        return;
    }
    char *text = malloc(size + 1);
    char **cells = realloc(reading->row.cells, (reading->row.ncells + 1) * sizeof *cells);
    if (cells) reading->row.cells = cells;
    if (!text || !cells) {
        free(text);
        reading->failed = LINNET_E_NOMEM;
        return;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    cells[reading->row.ncells++] = text;
}

static void on_row(int terminator, void *arg) {
    struct reading *reading = arg;
    struct linnet_csv *csv = reading->csv;
    (void)terminator;
    if (reading->failed) return;
    if (csv->nrows == csv->capacity) {
        size_t capacity = csv->capacity ? csv->capacity * 2 : 64;
        struct linnet_csv_row *rows = realloc(csv->rows, capacity * sizeof *rows);
        if (!rows) {
            reading->failed = LINNET_E_NOMEM;
            return;
        }
        csv->rows = rows;
        csv->capacity = capacity;
    }
    csv->rows[csv->nrows++] = reading->row;
    reading->row = (struct linnet_csv_row){0};
}

/* Why the parser stopped. */
static int parser_failed(struct csv_parser *parser, struct linnet_error *err) {
    int code = csv_error(parser);
    return linnet_error_set(err, code == CSV_ENOMEM ? LINNET_E_NOMEM : LINNET_E_PARSE, "%s",
                            csv_strerror(code));
}

static int callback_failed(const struct reading *reading, struct linnet_error *err) {
    return linnet_error_set(err, reading->failed, "%s",
                            reading->failed == LINNET_E_PARSE ? "a cell is no text in UTF-8"
                                                              : linnet_error_message(reading->failed));
}

static int read_all(FILE *file, struct csv_parser *parser, struct reading *reading, size_t limit,
                    struct linnet_error *err) {
    static const char mark[] = "\xef\xbb\xbf"; /* spreadsheets put it before the header */
    char chunk[65536];
    size_t n, total = 0;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        size_t skip = total == 0 && n >= 3 && memcmp(chunk, mark, 3) == 0 ? 3 : 0;
        total += n;
        if (total > limit)
            return linnet_error_set(err, LINNET_E_LIMIT, "the file is larger than %zu bytes", limit);
        if (csv_parse(parser, chunk + skip, n - skip, on_cell, on_row, reading) != n - skip)
            return parser_failed(parser, err);
        if (reading->failed) return callback_failed(reading, err);
    }
    if (ferror(file)) return linnet_error_set(err, LINNET_E_IO, "%s", strerror(errno));
    if (csv_fini(parser, on_cell, on_row, reading) != 0) return parser_failed(parser, err);
    return reading->failed ? callback_failed(reading, err) : 0;
}

static void free_row(struct linnet_csv_row *row) {
    for (size_t i = 0; i < row->ncells; i++)
        free(row->cells[i]);
    free(row->cells);
}

int linnet_csv_load(const char *path, size_t limit, struct linnet_csv *out, struct linnet_error *err) {
    struct linnet_csv csv = {0};
    struct reading reading = {.csv = &csv};
    struct csv_parser parser;
    FILE *file = fopen(path, "re");
    if (!file) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
        fclose(file);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    struct linnet_error why;
    int error = read_all(file, &parser, &reading, limit ? limit : (size_t)1 << 30, &why);
    if (error)
        linnet_error_set(err, error, "%s: row %zu: %s", path, csv.nrows + 1, why.detail);
    else if (csv.nrows == 0)
        error = linnet_error_set(err, LINNET_E_PARSE, "%s is empty; a header line is wanted", path);
    csv_free(&parser);
    fclose(file);
    free_row(&reading.row);
    if (error)
        linnet_csv_done(&csv);
    else
        *out = csv;
    return error;
}

void linnet_csv_done(struct linnet_csv *csv) {
    for (size_t i = 0; i < csv->nrows; i++)
        free_row(&csv->rows[i]);
    free(csv->rows);
    *csv = (struct linnet_csv){0};
}

int linnet_csv_column(const struct linnet_csv *csv, const char *name) {
    for (size_t i = 0; csv->nrows && i < csv->rows[0].ncells; i++)
        if (strcasecmp(csv->rows[0].cells[i], name) == 0) return (int)i;
    return -1;
}

const char *linnet_csv_cell(const struct linnet_csv *csv, size_t row, int column) {
    if (column < 0 || row >= csv->nrows || (size_t)column >= csv->rows[row].ncells) return "";
    return csv->rows[row].cells[column];
}
