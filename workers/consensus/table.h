/* A large CSV file, read in pieces by several threads at once: the file is mapped, never copied, and its
 * pages are let go as soon as they were read.
 *
 * RFC 4180 with one limit: a quoted cell must end on its own line, so that a piece can begin at any line.
 * Cells are UTF-8 without NUL. The first line names the columns. */
#ifndef LINNET_CONSENSUS_TABLE_H
#define LINNET_CONSENSUS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { LINNET_TABLE_COLUMNS = 16 }; /* the most that a table may have */

/* A cell: bytes within the file. One that holds doubled quotes is mended into `mended`. */
struct linnet_cell {
    const char *text;
    uint32_t size;
};

struct linnet_table {
    const char *path;
    char *bytes;     /* the mapped file */
    size_t size, at; /* `at`: what was cut off so far */
    char *header;    /* room for its cells with doubled quotes */
    unsigned columns;
    struct linnet_cell names[LINNET_TABLE_COLUMNS];
    uint64_t line; /* the first that was not left yet, from 1 */
};

/* Map a file and read its header. LINNET_E_IO, LINNET_E_PARSE. `path` must outlive the table. */
int linnet_table_open(struct linnet_table *table, const char *path, struct linnet_error *err);
void linnet_table_close(struct linnet_table *table);
/* The place of a column, -1 if there is none of that name. */
int linnet_table_column(const struct linnet_table *table, const char *name);

/* One line of cells. A negative code ends the reading with *what as the reason (static text). The cells last
 * as long as the file is mapped, one with doubled quotes until the return only. */
typedef int linnet_table_row(void *arg, const struct linnet_cell *cells, const char **what);

/* Whole lines of the file. */
struct linnet_table_piece {
    size_t begin, end;
    uint64_t lines; /* that were read without an error */
    int code;       /* negative: what ended the reading, and why */
    const char *what;
};

/* Cut off the next lines, about `size` bytes of them. False at the end. One thread at a time. */
bool linnet_table_cut(struct linnet_table *table, size_t size, struct linnet_table_piece *piece);
/* Read a piece, and fill in what became of it. Any thread, pieces in any order. */
void linnet_table_walk(const struct linnet_table *table, struct linnet_table_piece *piece,
                       linnet_table_row *row, void *arg);
/* Done with a piece, in the order of the file: its pages are let go. 0, or its code with path and line in
 * words. */
int linnet_table_leave(struct linnet_table *table, const struct linnet_table_piece *piece,
                       struct linnet_error *err);
/* All that is left, on the calling thread. 0, or LINNET_E_PARSE (or the reader's own code) as above. */
int linnet_table_read(struct linnet_table *table, linnet_table_row *row, void *arg, struct linnet_error *err);

#endif
