/* A CSV file as it is written, by several threads at once: beside, then renamed, so that a file of that name
 * is whole. */
#ifndef LINNET_CONSENSUS_SHEET_H
#define LINNET_CONSENSUS_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Rows in memory, of one thread. */
struct linnet_page {
    char *bytes;
    size_t used, room;
    bool row_began, failed; /* failed: out of memory, which the sheet tells */
};

/* Cells of the row under way. A text that holds a comma, a quote or a line's end is put in quotes; numbers
 * have up to six decimals and are not negative. */
void linnet_page_text(struct linnet_page *page, const char *text, size_t size);
void linnet_page_integer(struct linnet_page *page, uint64_t value);
void linnet_page_number(struct linnet_page *page, double value);
void linnet_page_end_row(struct linnet_page *page);

/* Put row i, whole. Called by many threads, each with a page of its own. */
typedef void linnet_sheet_row(void *arg, struct linnet_page *page, uint32_t i);

/* Write DIR/NAME (DIR is made if there is none): the header, then n rows. threads 0: one for each processor.
 * LINNET_E_IO, LINNET_E_NOMEM: there is no file then, or the one that was. */
int linnet_sheet_write(const char *dir, const char *name, const char *header, uint32_t n, unsigned threads,
                       linnet_sheet_row *row, void *arg, struct linnet_error *err);

#endif
