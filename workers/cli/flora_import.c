#include "workers/cli/flora_import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "common/taxonomy/lookup.h"
#include "workers/cli/flora_find.h"
#include "workers/cli/reference_writer.h"
#include "workers/cli/say.h"
#include "workers/flora/documents.h"
#include "workers/flora/readers.h"

enum { AREAS = 512 };

/* One import under way. */
struct importing {
    const struct linnet_flora_import *import;
    struct linnet_checklist *list;
    struct linnet_checklist_output output;
    struct linnet_checklist_written written;
    struct linnet_store *store;
    struct linnet_reference_writer *writer;
    struct linnet_reference_written count;
    FILE *out;
    json_t *shapes;
    char *areas;
    const char *codes[AREAS + 1];
    const char *source;
    uint64_t emitted, expected;
    double read_s, resolve_s, write_s, index_s;
};

static double seconds(void) {
    return (double)linnet_time_monotonic() / 1000;
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total) {
    linnet_say_bar(((struct importing *)arg)->import->store, what, done, total);
}

/* ---- reading ---- */

static int read_wcvp(struct importing *i, struct linnet_stream *names,
                     const struct linnet_reader_options *options, struct linnet_error *err) {
    static const char beside[] = "wcvp_distribution.csv";
    const char *path = i->import->distribution;
    struct linnet_stream *distribution = NULL;
    char *found = NULL;
    struct stat what;
    const char *slash = strrchr(i->import->path, '/');
    int folder = slash ? (int)(slash - i->import->path) + 1 : 0;
    if (!path && asprintf(&found, "%.*s%s", folder, i->import->path, beside) > 0 && stat(found, &what) == 0)
        path = found;
    int error = path ? linnet_stream_open(path, &distribution, err) : 0;
    free(found);
    if (!error) error = linnet_read_wcvp(i->list, names, distribution, options, err);
    linnet_stream_close(distribution);
    i->source = "wcvp";
    i->output.prefix = "wcvp-";
    i->output.external = "powo";
    return error;
}

/* World Flora Online's ids say whose they are; GBIF's are numbers. */
static void name_source(struct importing *i) {
    const char *id = i->list->nnames ? linnet_checklist_key(i->list, i->list->names[0].key) : "";
    bool wfo = !strncmp(id, "wfo-", 4), number = *id && strspn(id, "0123456789") == strlen(id);
    i->source = "dwca";
    i->output.prefix = number ? "gbif-" : "";
    i->output.identifier = wfo ? "wfo" : number ? "gbif" : NULL;
}

static int read_archive(struct importing *i, const struct linnet_reader_options *options,
                        struct linnet_error *err) {
    struct linnet_archive *archive;
    int error = linnet_archive_open(i->import->path, &archive, err);
    if (error) return error;
    error = linnet_read_dwca(i->list, archive, options, err);
    linnet_archive_close(archive);
    name_source(i);
    return error;
}

/* What a file is, by its first bytes: a zip archive, a table of WCVP's, a list. */
static int read_file(struct importing *i, const struct linnet_reader_options *options,
                     struct linnet_error *err) {
    struct linnet_stream *stream;
    char start[64] = "";
    int error = linnet_stream_open(i->import->path, &stream, err);
    if (error) return error;
    ssize_t n = linnet_stream_read(stream, start, sizeof start - 1, err);
    linnet_stream_close(stream);
    if (n < 0) return (int)n;
    if (!strncmp(start, "PK\x03\x04", 4) || !strncmp(start, "PK\x05\x06", 4))
        return read_archive(i, options, err);
    if ((error = linnet_stream_open(i->import->path, &stream, err))) return error;
    const char *text = strncmp(start, "\xef\xbb\xbf", 3) == 0 ? start + 3 : start;
    if (!strncmp(text, "plant_name_id|", 14)) {
        error = read_wcvp(i, stream, options, err);
    } else {
        i->source = "list";
        i->output.slugs = true;
        error = linnet_read_list(i->list, stream, options, err);
    }
    linnet_stream_close(stream);
    return error;
}

static int read_source(struct importing *i, struct linnet_error *err) {
    const char *kingdom = i->import->kingdom;
    struct linnet_reader_options options = {kingdom && strcmp(kingdom, "any") != 0 ? kingdom : NULL,
                                            on_progress, i};
    struct stat what;
    double start = seconds();
    i->output.prefix = "";
    if (stat(i->import->path, &what) != 0)
        return linnet_error_set(err, LINNET_E_NOT_FOUND, "%s: %s", i->import->path, strerror(errno));
    int error = S_ISDIR(what.st_mode) ? read_archive(i, &options, err) : read_file(i, &options, err);
    if (error && !strstr(err->detail, i->import->path)) linnet_error_prefix(err, "%s", i->import->path);
    i->read_s = seconds() - start;
    if (error) return error;
    if (i->import->prefix) i->output.prefix = i->import->prefix;
    start = seconds();
    error = linnet_checklist_resolve(i->list, err);
    i->resolve_s = seconds() - start;
    return error;
}

/* ---- writing ---- */

static int emit(void *arg, const char *id, const char *text, size_t size, struct linnet_error *err) {
    struct importing *i = arg;
    if (++i->emitted % 4096 == 0) on_progress(i, "writing", i->emitted, i->expected);
    if (i->writer) return linnet_reference_writer_add(i->writer, id, text, size, err);
    i->count.written++;
    if (!i->out) return 0;
    if (fwrite(text, 1, size, i->out) == size && fputc('\n', i->out) != EOF) return 0;
    return linnet_error_set(err, LINNET_E_IO, "%s: %s", i->import->out, strerror(errno));
}

static int open_sink(struct importing *i, struct linnet_error *err) {
    static const char *const kinds[] = {"taxon:", "flora:", NULL};
    if (i->import->out) {
        i->out = fopen(i->import->out, "we");
        return i->out ? 0 : linnet_error_set(err, LINNET_E_IO, "%s: %s", i->import->out, strerror(errno));
    }
    int error = linnet_store_open(i->import->store, &i->store, err);
    return error ? error : linnet_reference_writer_open(i->store, kinds, i->import->dry_run, &i->writer, err);
}

static int close_sink(struct importing *i, int error, struct linnet_error *err) {
    if (i->writer) i->count = linnet_reference_writer_count(i->writer);
    linnet_reference_writer_close(i->writer);
    linnet_store_close(i->store);
    if (i->out && fclose(i->out) != 0 && !error)
        error = linnet_error_set(err, LINNET_E_IO, "%s: %s", i->import->out, strerror(errno));
    return error;
}

static int split_areas(struct importing *i, struct linnet_error *err) {
    size_t n = 0;
    char *save = NULL;
    if (!i->import->areas) return 0;
    i->areas = strdup(i->import->areas);
    if (!i->areas) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (char *code = strtok_r(i->areas, ", ", &save); code && n < AREAS; code = strtok_r(NULL, ", ", &save))
        i->codes[n++] = code;
    i->output.codes = i->codes;
    return 0;
}

static int write_all(struct importing *i, struct linnet_error *err) {
    double start = seconds();
    i->output.emit = emit;
    i->output.arg = i;
    i->output.native_only = i->import->native_only;
    i->expected = i->list->report.families + i->list->report.genera + i->list->report.species;
    int error = split_areas(i, err);
    if (!error && i->import->shapes) error = linnet_checklist_shapes(i->import->shapes, &i->shapes, err);
    i->output.shapes = i->shapes;
    if (!error) error = linnet_checklist_write_taxa(i->list, &i->output, &i->written, err);
    if (!error && i->import->floras)
        error = linnet_checklist_write_floras(i->list, &i->output, &i->written, err);
    if (!error && i->writer) error = linnet_reference_writer_finish(i->writer, err);
    i->write_s = seconds() - start;
    return error;
}

/* ---- the index ---- */

static int index_document(void *arg, const char *id, const char *text, size_t size,
                          struct linnet_error *err) {
    json_t *document = NULL;
    int error = linnet_json_parse(text, size, 0, &document, err);
    if (error) return error;
    error = linnet_lookup_add_document(arg, id, document);
    json_decref(document);
    return error ? linnet_error_set(err, error, "%s", linnet_error_message(error)) : 0;
}

static int write_index(struct importing *i, struct linnet_error *err) {
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    struct linnet_checklist_written unused = {0};
    double start = seconds();
    if (!builder) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    i->output.emit = index_document;
    i->output.arg = builder;
    linnet_say_progress(i->import->store, "making the index of names");
    int error = linnet_checklist_write_taxa(i->list, &i->output, &unused, err);
    if (!error) error = linnet_flora_save_index(builder, i->import->index, err);
    linnet_lookup_builder_free(builder);
    i->index_s = seconds() - start;
    return error;
}

/* ---- the report ---- */

static void print_json(const struct importing *i) {
    json_t *counts = json_object();
#define X(name, words) json_object_set_new(counts, #name, json_integer((json_int_t)i->list->report.name));
    LINNET_CHECKLIST_COUNTS(X)
#undef X
    json_t *report = json_pack(
        "{s:s, s:o, s:{s:I, s:I, s:I}, s:I, s:I, s:b, s:{s:f, s:f, s:f, s:f}}", "source", i->source, "read",
        counts, "documents", "taxa", (json_int_t)i->written.taxa, "synonyms", (json_int_t)i->written.synonyms,
        "floras", (json_int_t)i->written.floras, "written", (json_int_t)i->count.written, "unchanged",
        (json_int_t)i->count.unchanged, "dry_run", i->import->dry_run, "seconds", "read", i->read_s,
        "resolve", i->resolve_s, "write", i->write_s, "index", i->index_s);
    json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(report);
}

static void print_table(const struct importing *i) {
#define X(name, words)                                                                                       \
    if (i->list->report.name) printf("%12" PRIu64 "  %s\n", i->list->report.name, words);
    LINNET_CHECKLIST_COUNTS(X)
#undef X
    printf("%" PRIu64 " taxa with %" PRIu64 " other names, %" PRIu64 " floras: %" PRIu64
           " documents %s, %" PRIu64 " unchanged\n",
           i->written.taxa, i->written.synonyms, i->written.floras, i->count.written,
           i->import->dry_run ? "would be written" : "written", i->count.unchanged);
    printf("read in %.1f s, resolved in %.1f s, written in %.1f s", i->read_s, i->resolve_s, i->write_s);
    if (i->import->index) printf(", indexed in %.1f s", i->index_s);
    putchar('\n');
}

int linnet_flora_import(const struct linnet_flora_import *import, struct linnet_error *err) {
    struct importing i = {.import = import, .list = linnet_checklist_new()};
    if (!i.list) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int error = open_sink(&i, err); /* first: who has no store should not wait to be told */
    if (!error) error = read_source(&i, err);
    if (!error && i.list->report.families + i.list->report.genera + i.list->report.species == 0)
        error =
            linnet_error_set(err, LINNET_E_INVALID,
                             "%s: no accepted family, genus or species among its %" PRIu64 " rows (%" PRIu64
                             " malformed, %" PRIu64 " synonyms of nothing, %" PRIu64 " unplaced, %" PRIu64
                             " of other kingdoms)",
                             import->path, i.list->report.rows, i.list->report.malformed,
                             i.list->report.dangling, i.list->report.unplaced, i.list->report.other_kingdoms);
    if (!error) error = write_all(&i, err);
    error = close_sink(&i, error, err);
    if (!error && import->index && !import->dry_run) error = write_index(&i, err);
    linnet_say_done(import->store);
    if (!error && import->store->json) print_json(&i);
    if (!error && !import->store->json) print_table(&i);
    linnet_checklist_free(i.list);
    json_decref(i.shapes);
    free(i.areas);
    return error;
}
