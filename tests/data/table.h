/* Reading the tables that this program writes: a header, then lines of plain fields without quotes. */
#ifndef LINNET_FLORA_TABLE_H
#define LINNET_FLORA_TABLE_H

#include <stdio.h>

#define TABLE_COLUMNS 32

struct table {
    FILE *file;
    char header[2048], line[8192];
    char *names[TABLE_COLUMNS], *fields[TABLE_COLUMNS];
    size_t columns, number; /* of the line, 1 the header */
};

/* Open and read the header. 0, or -1 with errno (EINVAL: there is none). */
int linnet_flora_table_open(struct table *table, const char *path);
/* The next line into fields; short lines are filled up with "". 1, 0 at the end, -1 if it is too long. */
int linnet_flora_table_next(struct table *table);
/* The column of a name, -1 if there is none. */
int linnet_flora_table_column(const struct table *table, const char *name);
void linnet_flora_table_close(struct table *table);

#endif
