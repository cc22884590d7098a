#include "workers/cli/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
    struct linnet_csv *csv;
    struct linnet_csv_row row; /* the one under way */
    int failed;
};

static void on_cell(void *data, size_t size, void *arg) {
    struct reading *reading = arg;
    char *text = malloc(size + 1);
    char **cells = realloc(reading->row.cells, (reading->row.ncells + 1) * sizeof *cells);
    if (cells) reading->row.cells = cells;
    if (!text || !cells) {
        free(text);
        reading->failed = 1;
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
    if (csv->nrows == csv->capacity) {
        size_t capacity = csv->capacity ? csv->capacity * 2 : 64;
        struct linnet_csv_row *rows = realloc(csv->rows, capacity * sizeof *rows);
        if (!rows) {
            reading->failed = 1;
            return;
        }
        csv->rows = rows;
        csv->capacity = capacity;
    }
    csv->rows[csv->nrows++] = reading->row;
    reading->row = (struct linnet_csv_row){0};
}

static int read_all(FILE *file, struct csv_parser *parser, struct reading *reading, size_t limit) {
    char chunk[65536];
    size_t n, total = 0;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        total += n;
        if (total > limit) return LINNET_E_LIMIT;
        if (csv_parse(parser, chunk, n, on_cell, on_row, reading) != n) return LINNET_E_PARSE;
        if (reading->failed) return LINNET_E_NOMEM;
    }
    if (ferror(file)) return LINNET_E_IO;
    if (csv_fini(parser, on_cell, on_row, reading) != 0) return LINNET_E_PARSE;
    return reading->failed ? LINNET_E_NOMEM : 0;
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
    int error = read_all(file, &parser, &reading, limit ? limit : (size_t)1 << 30);
    if (error)
        linnet_error_set(err, error, "%s: row %zu: %s", path, csv.nrows + 1,
                         csv_strerror(csv_error(&parser)));
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
