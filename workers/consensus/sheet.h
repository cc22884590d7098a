/* A CSV file as it is written: millions of rows through one buffer. Owned by one thread. */
#ifndef LINNET_CONSENSUS_SHEET_H
#define LINNET_CONSENSUS_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct linnet_sheet {
    int file;
    int failed; /* errno of the first failure */
    size_t used;
    bool row_began;
    char *buffer;
    char path[512];
};

/* Make DIR/NAME (DIR too, if it is missing), with a header. It is written beside and takes its name when it
 * is closed, so that a half-written file never bears it. LINNET_E_IO, LINNET_E_NOMEM. */
int linnet_sheet_open(struct linnet_sheet *sheet, const char *dir, const char *name, const char *header,
                      struct linnet_error *err);
/* Cells of a row, in order, then its end. Failures are kept for close. */
void linnet_sheet_text(struct linnet_sheet *sheet, const char *text, size_t size);
void linnet_sheet_integer(struct linnet_sheet *sheet, uint64_t value);
/* With up to six digits after the point, none that say nothing. Not negative, below 2^40. */
void linnet_sheet_number(struct linnet_sheet *sheet, double value);
void linnet_sheet_end_row(struct linnet_sheet *sheet);
/* LINNET_E_IO if anything could not be written; the file is gone then. */
int linnet_sheet_close(struct linnet_sheet *sheet, struct linnet_error *err);

#endif
