/* The taxa file, small beside the votes: read by one thread. */
#include <stdlib.h>
#include <string.h>

#include "workers/consensus/crowd_file.h"
#include "workers/consensus/table.h"

struct reading {
    struct linnet_crowd_file *file;
    int taxon, parent, rank, accepted; /* columns */
    uint32_t capacity;
    uint32_t *parents, *accepteds;
    uint8_t *ranks, *has_row;
};

static int make_room(struct reading *reading) {
    uint32_t n = reading->file->taxa.n, had = reading->capacity;
    if (n <= had) return 0;
    uint32_t capacity = n > had * 2 ? n + 64 : had * 2;
    void *grown;
    if (!(grown = realloc(reading->parents, capacity * sizeof *reading->parents))) return LINNET_E_NOMEM;
    reading->parents = grown;
    if (!(grown = realloc(reading->accepteds, capacity * sizeof *reading->accepteds))) return LINNET_E_NOMEM;
    reading->accepteds = grown;
    if (!(grown = realloc(reading->ranks, capacity))) return LINNET_E_NOMEM;
    reading->ranks = grown;
    if (!(grown = realloc(reading->has_row, capacity))) return LINNET_E_NOMEM;
    reading->has_row = grown;
    for (uint32_t i = had; i < capacity; i++) {
        reading->parents[i] = reading->accepteds[i] = LINNET_NO_LABEL;
        reading->ranks[i] = LINNET_RANK_OTHER;
        reading->has_row[i] = 0;
    }
    reading->capacity = capacity;
    return 0;
}

static uint32_t number(struct reading *reading, const struct linnet_cell *cells, int column) {
    if (column < 0 || cells[column].size == 0) return LINNET_NO_LABEL;
    const struct linnet_cell *cell = &cells[column];
    return linnet_names_put(&reading->file->taxa, cell->text, cell->size,
                            linnet_name_hash(cell->text, cell->size));
}

static enum linnet_rank rank_of(const struct linnet_cell *cells, int column) {
    char name[24];
    if (column < 0 || cells[column].size >= sizeof name) return LINNET_RANK_OTHER;
    memcpy(name, cells[column].text, cells[column].size);
    name[cells[column].size] = '\0';
    return linnet_rank_parse(name);
}

static int on_row(void *arg, const struct linnet_cell *cells, const char **what) {
    struct reading *reading = arg;
    uint32_t taxon = number(reading, cells, reading->taxon);
    if (taxon == LINNET_NO_LABEL) {
        *what = "the taxon is empty";
        return LINNET_E_PARSE;
    }
    uint32_t parent = number(reading, cells, reading->parent),
             accepted = number(reading, cells, reading->accepted);
    if (make_room(reading) != 0) return LINNET_E_NOMEM;
    if (reading->has_row[taxon]) {
        *what = "the taxon is there already";
        return LINNET_E_PARSE;
    }
    reading->has_row[taxon] = 1;
    reading->parents[taxon] = parent;
    reading->accepteds[taxon] = accepted;
    reading->ranks[taxon] = (uint8_t)rank_of(cells, reading->rank);
    return 0;
}

/* The tree; an error is told by names, not numbers. */
static int build(struct reading *reading, const char *path, struct linnet_error *err) {
    struct linnet_crowd_file *file = reading->file;
    uint32_t n = file->taxa.n, culprit;
    for (uint32_t i = 0; i < n; i++)
        file->orphans += !reading->has_row[i];
    int rc =
        linnet_consensus_taxa_init(&file->tree, n, reading->parents, reading->ranks, reading->accepteds, err);
    char *rest = NULL;
    if (rc != LINNET_E_INVALID || strncmp(err->detail, "taxon ", 6) != 0) return rc;
    culprit = (uint32_t)strtoul(err->detail + 6, &rest, 10);
    size_t size;
    const char *name = linnet_names_text(&file->taxa, culprit, &size);
    char why[128];
    strncpy(why, rest, sizeof why - 1);
    why[sizeof why - 1] = '\0';
    return linnet_error_set(err, rc, "%s: taxon %.*s%s", path, (int)(size < 128 ? size : 128), name, why);
}

int linnet_taxa_file_read(struct linnet_crowd_file *file, const char *path, struct linnet_error *err) {
    struct linnet_table table;
    struct reading reading = {.file = file};
    int rc = linnet_table_open(&table, path, err);
    if (rc) return rc;
    reading.taxon = linnet_table_column(&table, "taxon");
    reading.parent = linnet_table_column(&table, "parent");
    reading.rank = linnet_table_column(&table, "rank");
    reading.accepted = linnet_table_column(&table, "accepted");
    if (reading.taxon < 0)
        rc = linnet_error_set(err, LINNET_E_PARSE, "%s: line 1: there is no column 'taxon'", path);
    if (!rc) rc = linnet_table_read(&table, on_row, &reading, err);
    if (!rc) rc = build(&reading, path, err);
    linnet_table_close(&table);
    free(reading.parents);
    free(reading.accepteds);
    free(reading.ranks);
    free(reading.has_row);
    return rc;
}
