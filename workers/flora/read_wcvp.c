#include <string.h>

#include "workers/flora/readers.h"
#include "workers/flora/rows.h"

enum { TELL_EVERY = 16384 }; /* rows between two words of progress */

struct table {
    struct linnet_rows rows;
    struct linnet_stream *stream;
    const struct linnet_reader_options *options;
    const char *what;
};

static int open_table(struct table *table, struct linnet_stream *stream, const char *what,
                      const struct linnet_reader_options *options, struct linnet_error *err) {
    *table = (struct table){.stream = stream, .options = options, .what = what};
    int error = linnet_rows_open('|', '\0', linnet_stream_read, stream, &table->rows);
    if (error) return linnet_error_set(err, error, "out of memory");
    int more = linnet_rows_next(&table->rows, err);
    if (more == 1) return 0;
    linnet_rows_close(&table->rows);
    return more < 0 ? more : linnet_error_set(err, LINNET_E_PARSE, "%s: the file is empty", what);
}

static void tell(const struct table *table) {
    if (table->options->progress && table->rows.number % TELL_EVERY == 0)
        table->options->progress(table->options->arg, table->what, table->rows.consumed,
                                 linnet_stream_size(table->stream));
}

/* Find columns by name: `places` in the order of `names`; the first `needed` must be there. */
static int columns(const struct table *table, const char *const *names, int n, int needed, int *places,
                   struct linnet_error *err) {
    for (int i = 0; i < n; i++) {
        places[i] = linnet_rows_column(&table->rows, names[i]);
        if (places[i] < 0 && i < needed)
            return linnet_error_set(err, LINNET_E_PARSE,
                                    "%s: there is no column %s; is it a WCVP file, divided by pipes?",
                                    table->what, names[i]);
    }
    return 0;
}

static int read_names(struct linnet_checklist *list, struct table *table, struct linnet_error *err) {
    static const char *const names[] = {
        "plant_name_id", "taxon_name", "accepted_plant_name_id", "taxon_rank", "taxon_status",
        "taxon_authors", "family",     "parent_plant_name_id",   "powo_id",    "ipni_id"};
    enum { ID, NAME, ACCEPTED, RANK, STATUS, AUTHORS, FAMILY, PARENT, POWO, IPNI, COLUMNS };
    struct linnet_rows *rows = &table->rows;
    int at[COLUMNS], more;
    int error = columns(table, names, COLUMNS, AUTHORS, at, err);
    if (error) return error;
    while ((more = linnet_rows_next(rows, err)) == 1) {
        const char *powo = linnet_rows_field(rows, at[POWO]);
        struct linnet_checklist_row row = {
            .id = linnet_rows_field(rows, at[ID]),
            .name = linnet_rows_field(rows, at[NAME]),
            .authors = linnet_rows_field(rows, at[AUTHORS]),
            .rank = linnet_rows_field(rows, at[RANK]),
            .status = linnet_rows_field(rows, at[STATUS]),
            .family = linnet_rows_field(rows, at[FAMILY]),
            .parent = linnet_rows_field(rows, at[PARENT]),
            .accepted = linnet_rows_field(rows, at[ACCEPTED]),
            .external = *powo ? powo : linnet_rows_field(rows, at[IPNI]),
        };
        if ((error = linnet_checklist_add(list, &row, err))) return error;
        tell(table);
    }
    return more;
}

static bool is_one(const char *text) {
    return !strcmp(text, "1") || !strcmp(text, "TRUE") || !strcmp(text, "true");
}

static int read_distribution(struct linnet_checklist *list, struct table *table, struct linnet_error *err) {
    static const char *const names[] = {"plant_name_id", "area_code_l3", "area",
                                        "introduced",    "extinct",      "location_doubtful"};
    enum { ID, CODE, AREA, INTRODUCED, EXTINCT, DOUBTFUL, COLUMNS };
    struct linnet_rows *rows = &table->rows;
    int at[COLUMNS], more;
    int error = columns(table, names, COLUMNS, AREA, at, err);
    if (error) return error;
    while ((more = linnet_rows_next(rows, err)) == 1) {
        const char *code = linnet_rows_field(rows, at[CODE]);
        tell(table);
        if (is_one(linnet_rows_field(rows, at[EXTINCT])) || is_one(linnet_rows_field(rows, at[DOUBTFUL]))) {
            list->report.absent++;
            continue;
        }
        if (!*code) continue; /* known of a region or continent only */
        error = linnet_checklist_add_presence(list, linnet_rows_field(rows, at[ID]), code,
                                              linnet_rows_field(rows, at[AREA]),
                                              is_one(linnet_rows_field(rows, at[INTRODUCED])), err);
        if (error) return error;
    }
    return more;
}

int linnet_read_wcvp(struct linnet_checklist *list, struct linnet_stream *names,
                     struct linnet_stream *distribution, const struct linnet_reader_options *options,
                     struct linnet_error *err) {
    struct table table;
    int error = open_table(&table, names, "names", options, err);
    if (error) return error;
    error = read_names(list, &table, err);
    linnet_rows_close(&table.rows);
    if (error || !distribution) return error;
    error = open_table(&table, distribution, "distribution", options, err);
    if (error) return error;
    error = read_distribution(list, &table, err);
    linnet_rows_close(&table.rows);
    return error;
}
