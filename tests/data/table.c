#include "tests/data/table.h"

#include <errno.h>
#include <string.h>

/* Cut a line at its commas. Returns how many fields. */
static size_t cut(char *line, char **fields) {
    size_t n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && n < TABLE_COLUMNS;) {
        fields[n++] = at;
        at = strchr(at, ',');
        if (at) *at++ = 0;
    }
    return n;
}

int linnet_flora_table_open(struct table *table, const char *path) {
    memset(table, 0, sizeof *table);
    table->file = fopen(path, "r");
    if (!table->file) return -1;
    if (!fgets(table->header, sizeof table->header, table->file)) {
        linnet_flora_table_close(table);
        errno = EINVAL;
        return -1;
    }
    table->columns = cut(table->header, table->names);
    table->number = 1;
    return 0;
}

int linnet_flora_table_next(struct table *table) {
    static char empty[] = "";
    if (!fgets(table->line, sizeof table->line, table->file)) return 0;
    table->number++;
    if (!strchr(table->line, '\n') && !feof(table->file)) return -1;
    for (size_t n = cut(table->line, table->fields); n < TABLE_COLUMNS; n++)
        table->fields[n] = empty;
    return 1;
}

int linnet_flora_table_column(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->columns; i++)
        if (!strcmp(table->names[i], name)) return (int)i;
    return -1;
}

void linnet_flora_table_close(struct table *table) {
    if (table->file) fclose(table->file);
    table->file = NULL;
}
