/* A large CSV file, read in pieces by several threads at once: the file is mapped, never copied, and its
 * pages are let go as soon as they were read.
 *
 * RFC 4180 with one limit: a quoted cell must end on its own line, so that a piece can begin at any line.
 * Cells are UTF-8 without NUL. The first line names the columns. */
#ifndef LINNET_CONSENSUS_TABLE_H
#define LINNET_CONSENSUS_TABLE_H

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
    size_t size, at; /* `at`: what was read so far */
    char *header;    /* room for its cells with doubled quotes */
    unsigned columns;
    struct linnet_cell names[LINNET_TABLE_COLUMNS];
    uint64_t line; /* of the byte at `at`, from 1 */
};

/* Map a file and read its header. LINNET_E_IO, LINNET_E_PARSE. `path` must outlive the table. */
int linnet_table_open(struct linnet_table *table, const char *path, struct linnet_error *err);
void linnet_table_close(struct linnet_table *table);
/* The place of a column, -1 if there is none of that name. */
int linnet_table_column(const struct linnet_table *table, const char *name);

/* One line of cells for a reader of a piece. `line` is counted from the piece's first, which is 0. `mended`
 * has room for the line. The reader copies what it keeps. A negative code ends the piece with `what` as the
 * reason (static text). */
typedef int linnet_table_row(void *arg, const struct linnet_cell *cells, const char **what);

/* Read the next bytes, about `size`, cut in as many pieces as there are readers, one thread each: piece i
 * goes to readers[i]. Returns 1 if there was something, 0 at the end, or LINNET_E_PARSE (or a reader's own
 * code) with path and line in words. */
int linnet_table_read(struct linnet_table *table, size_t size, unsigned readers, linnet_table_row *row,
                      void *const *args, struct linnet_error *err);

#endif
