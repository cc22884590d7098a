/* A table read from a CSV file (RFC 4180, by libcsv): a header line, then rows. Owned by the caller. */
#ifndef LINNET_CLI_CSV_H
#define LINNET_CLI_CSV_H

#include <stddef.h>

#include "common/base/error.h"

struct linnet_csv_row {
    char **cells;
    size_t ncells;
};

struct linnet_csv {
    struct linnet_csv_row *rows; /* rows[0] is the header */
    size_t nrows, capacity;
};

/* Read a whole file, at most `limit` bytes (0: 1 GiB): cells of UTF-8, empty lines skipped, a spreadsheet's
 * byte order mark too. Failures name the row. LINNET_E_IO, LINNET_E_PARSE, LINNET_E_LIMIT,
 * LINNET_E_NOMEM. */
int linnet_csv_load(const char *path, size_t limit, struct linnet_csv *out, struct linnet_error *err);
void linnet_csv_done(struct linnet_csv *csv);
/* The place of a column by its name in the header (case-insensitive), -1 if there is none. */
int linnet_csv_column(const struct linnet_csv *csv, const char *name);
/* The cell, "" if the row is short or the column is -1. */
const char *linnet_csv_cell(const struct linnet_csv *csv, size_t row, int column);

#endif
