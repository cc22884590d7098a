/* Rows of a big text table (pipes, tabs, commas), read in one pass through a window of bounded size: what a
 * row's fields point to is overwritten by the next. Owned by one thread. */
#ifndef LINNET_FLORA_ROWS_H
#define LINNET_FLORA_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

#define LINNET_ROWS_FIELDS  256
#define LINNET_ROWS_LONGEST ((size_t)1 << 20) /* bytes of a row */

/* Put up to `size` bytes at `data`. How many, 0 at the end, or a negative code with `err` filled. */
typedef ssize_t linnet_rows_read(void *arg, void *data, size_t size, struct linnet_error *err);

struct linnet_rows {
    char *fields[LINNET_ROWS_FIELDS]; /* of the row, each terminated; further ones of a longer row are lost */
    size_t nfields;
    uint64_t number;   /* of the row, from 1 */
    uint64_t consumed; /* bytes read so far */
    /* private */
    linnet_rows_read *read;
    void *arg;
    char delimiter, quote; /* quote 0: none */
    char *window;
    size_t begin, end, capacity;
    bool ended;
};

/* Start: a field that begins with `quote` (0: quotes mean nothing) goes to the next lone one, "" within it is
 * one. LINNET_E_NOMEM. */
int linnet_rows_open(char delimiter, char quote, linnet_rows_read *read, void *arg, struct linnet_rows *out);
void linnet_rows_close(struct linnet_rows *rows);
/* The next row that is not empty. 1; 0 at the end; LINNET_E_LIMIT for a row that is too long, LINNET_E_PARSE
 * for a quote that never ends, and what `read` says. Lines end with LF or CRLF; a mark of byte order before
 * the first is skipped; NUL bytes end a field early. */
int linnet_rows_next(struct linnet_rows *rows, struct linnet_error *err);
/* The place of a column in the current row, taken for the header, in any case; -1 if there is none. */
int linnet_rows_column(const struct linnet_rows *rows, const char *name);
/* A field without the spaces around it, "" if the row is short or the column -1. */
const char *linnet_rows_field(struct linnet_rows *rows, int column);

#endif
