#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "workers/flora/meta.h"
#include "workers/flora/readers.h"
#include "workers/flora/rows.h"

enum { TELL_EVERY = 16384 }; /* rows between two words of progress */

struct table {
    const struct linnet_meta_file *file;
    struct linnet_stream *stream;
    struct linnet_rows rows;
    const struct linnet_reader_options *options;
};

static int open_table(struct table *table, struct linnet_archive *archive,
                      const struct linnet_meta_file *file, const struct linnet_reader_options *options,
                      struct linnet_error *err) {
    *table = (struct table){.file = file, .options = options};
    int error = linnet_archive_stream(archive, file->location, &table->stream, err);
    if (error) return error;
    error = linnet_rows_open(file->delimiter, file->quote, linnet_stream_read, table->stream, &table->rows);
    if (error) {
        linnet_stream_close(table->stream);
        return linnet_error_set(err, error, "out of memory");
    }
    return 0;
}

static void close_table(struct table *table) {
    linnet_rows_close(&table->rows);
    linnet_stream_close(table->stream);
}

/* The next row behind the header. */
static int next(struct table *table, struct linnet_error *err) {
    int more;
    do
        more = linnet_rows_next(&table->rows, err);
    while (more == 1 && table->rows.number <= table->file->header);
    if (more < 0) linnet_error_prefix(err, "%s", table->file->location);
    if (table->options->progress && table->rows.number % TELL_EVERY == 0)
        table->options->progress(table->options->arg, table->file->location, table->rows.consumed,
                                 linnet_stream_size(table->stream));
    return more;
}

static const char *get(struct table *table, enum linnet_term term) {
    return linnet_rows_field(&table->rows, table->file->column[term]);
}

static const char *id_of(struct table *table) {
    int column = table->file->column[LINNET_TERM_taxonID];
    return linnet_rows_field(&table->rows, column >= 0 ? column : table->file->id);
}

/* GBIF writes the authors behind the name: there they are cut off. */
static void cut_authors(char *name, const char *authors) {
    size_t size = strlen(name), tail = strlen(authors);
    if (tail == 0 || size <= tail + 1 || strcmp(name + size - tail, authors) != 0) return;
    size -= tail;
    while (size > 0 && name[size - 1] == ' ')
        size--;
    name[size] = '\0';
}

static int read_taxa(struct linnet_checklist *list, struct table *table, struct linnet_error *err) {
    const char *kingdom = table->options->kingdom;
    int more, error;
    while ((more = next(table, err)) == 1) {
        const char *authors = get(table, LINNET_TERM_scientificNameAuthorship);
        const char *name = get(table, LINNET_TERM_canonicalName), *theirs = get(table, LINNET_TERM_kingdom);
        if (kingdom && *theirs && strcasecmp(theirs, kingdom) != 0) {
            list->report.rows++;
            list->report.other_kingdoms++;
            continue;
        }
        if (!*name) {
            char *full =
                (char *)get(table, LINNET_TERM_scientificName); /* in the window: it may be changed */
            if (*full) cut_authors(full, authors);
            name = full;
        }
        struct linnet_checklist_row row = {
            .id = id_of(table),
            .name = name,
            .authors = authors,
            .rank = get(table, LINNET_TERM_taxonRank),
            .status = get(table, LINNET_TERM_taxonomicStatus),
            .family = get(table, LINNET_TERM_family),
            .parent = get(table, LINNET_TERM_parentNameUsageID),
            .accepted = get(table, LINNET_TERM_acceptedNameUsageID),
        };
        if ((error = linnet_checklist_add(list, &row, err))) return error;
    }
    return more;
}

static bool is_yes(const char *text) {
    return !strcmp(text, "1") || !strcasecmp(text, "true") || !strcasecmp(text, "t");
}

static int read_vernacular(struct linnet_checklist *list, struct table *table, struct linnet_error *err) {
    int more, error;
    while ((more = next(table, err)) == 1) {
        error = linnet_checklist_add_vernacular(
            list, linnet_rows_field(&table->rows, table->file->id), get(table, LINNET_TERM_language),
            get(table, LINNET_TERM_vernacularName), is_yes(get(table, LINNET_TERM_isPreferredName)), err);
        if (error) return error;
    }
    return more;
}

static bool is_absent(const char *status) {
    static const char *const words[] = {"absent", "extinct", "doubtful", "excluded", "locally extinct"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(status, words[i])) return true;
    return false;
}

/* "TDWG:BEL" is BEL. */
static const char *code_of(const char *location) {
    const char *colon = strrchr(location, ':');
    return colon ? colon + 1 : location;
}

static int read_distribution(struct linnet_checklist *list, struct table *table, struct linnet_error *err) {
    int more, error;
    while ((more = next(table, err)) == 1) {
        const char *means = get(table, LINNET_TERM_establishmentMeans);
        const char *code = code_of(get(table, LINNET_TERM_locationID));
        if (is_absent(get(table, LINNET_TERM_occurrenceStatus))) {
            list->report.absent++;
            continue;
        }
        if (!*code) continue; /* a place in words only */
        error = linnet_checklist_add_presence(list, linnet_rows_field(&table->rows, table->file->id), code,
                                              get(table, LINNET_TERM_locality),
                                              *means && strncasecmp(means, "native", 6) != 0, err);
        if (error) return error;
    }
    return more;
}

static int read_one(struct linnet_checklist *list, struct linnet_archive *archive,
                    const struct linnet_meta_file *file, const struct linnet_reader_options *options,
                    int (*reader)(struct linnet_checklist *, struct table *, struct linnet_error *),
                    struct linnet_error *err) {
    struct table table;
    if (!file) return 0;
    int error = open_table(&table, archive, file, options, err);
    if (error) return error;
    error = reader(list, &table, err);
    close_table(&table);
    return error;
}

int linnet_read_dwca(struct linnet_checklist *list, struct linnet_archive *archive,
                     const struct linnet_reader_options *options, struct linnet_error *err) {
    struct linnet_stream *stream;
    struct linnet_meta meta;
    if (!linnet_archive_has(archive, "meta.xml"))
        return linnet_error_set(err, LINNET_E_NOT_FOUND,
                                "there is no meta.xml: this is no Darwin Core Archive");
    int error = linnet_archive_stream(archive, "meta.xml", &stream, err);
    if (error) return error;
    error = linnet_meta_read(stream, &meta, err);
    linnet_stream_close(stream);
    if (error) return error;
    const struct linnet_meta_file *core = linnet_meta_find(&meta, "Taxon");
    if (!core ||
        (core->column[LINNET_TERM_scientificName] < 0 && core->column[LINNET_TERM_canonicalName] < 0))
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "the archive has no table of taxa with names");
    error = read_one(list, archive, core, options, read_taxa, err);
    if (!error)
        error =
            read_one(list, archive, linnet_meta_find(&meta, "VernacularName"), options, read_vernacular, err);
    if (!error)
        error =
            read_one(list, archive, linnet_meta_find(&meta, "Distribution"), options, read_distribution, err);
    return error;
}
