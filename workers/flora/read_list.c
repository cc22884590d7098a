#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/taxonomy/name.h"
#include "workers/flora/readers.h"
#include "workers/flora/rows.h"

enum { LANGUAGES = 64 };

/* The stream with its beginning kept, by which the delimiter is told. */
struct begun {
    struct linnet_stream *stream;
    char start[4096];
    size_t size, given;
};

struct columns {
    int name, authors, rank, family, accepted;
    int vernacular[LANGUAGES];
    char language[LANGUAGES][16];
    int nlanguages;
};

static ssize_t read_begun(void *arg, void *data, size_t size, struct linnet_error *err) {
    struct begun *begun = arg;
    size_t left = begun->size - begun->given;
    if (left == 0) return linnet_stream_read(begun->stream, data, size, err);
    if (left > size) left = size;
    memcpy(data, begun->start + begun->given, left);
    begun->given += left;
    return (ssize_t)left;
}

static int begin(struct begun *begun, struct linnet_error *err) {
    ssize_t n = 1;
    while (n > 0 && begun->size < sizeof begun->start - 1) {
        n = linnet_stream_read(begun->stream, begun->start + begun->size,
                               sizeof begun->start - 1 - begun->size, err);
        if (n < 0) return (int)n;
        begun->size += (size_t)n;
    }
    begun->start[begun->size] = '\0';
    return 0;
}

/* Of the usual dividers the one that the first line has most of; none in a list of names. */
static char delimiter_of(const char *start) {
    static const char dividers[] = "\t|;,";
    size_t line = strcspn(start, "\r\n"), most = 0;
    char best = '\0';
    for (const char *d = dividers; *d; d++) {
        size_t n = 0;
        for (size_t i = 0; i < line; i++)
            n += start[i] == *d;
        if (n > most) most = n, best = *d;
    }
    return best;
}

static int first_column(const struct linnet_rows *rows, const char *const *names) {
    for (; *names; names++) {
        int column = linnet_rows_column(rows, *names);
        if (column >= 0) return column;
    }
    return -1;
}

/* "fr", "name_fr", "vernacular_fr": the language; NULL for other columns. */
static const char *language_in(const char *header) {
    static const char *const before[] = {"name_", "vernacular_", "vernacularName_", "common_"};
    const char *tag = header;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (!strncasecmp(header, before[i], strlen(before[i]))) tag = header + strlen(before[i]);
    size_t size = strlen(tag);
    if (size < 2 || size > 12 || (tag == header && size > 3)) return NULL;
    if (size > 3 && tag[2] != '-' && tag[3] != '-') return NULL;
    return isalpha((unsigned char)tag[0]) && isalpha((unsigned char)tag[1]) ? tag : NULL;
}

static void find_languages(const struct linnet_rows *rows, struct columns *out) {
    for (size_t i = 0; i < rows->nfields && out->nlanguages < LANGUAGES; i++) {
        const char *tag = language_in(rows->fields[i]);
        if (!tag || !strcasecmp(rows->fields[i], "id")) continue; /* a number far oftener than Indonesian */
        out->vernacular[out->nlanguages] = (int)i;
        snprintf(out->language[out->nlanguages++], sizeof out->language[0], "%s", tag);
    }
}

/* Is the first row a header? Then *out says what stands where; else names stand in the first column. */
static bool read_header(const struct linnet_rows *rows, struct columns *out) {
    static const char *const names[] = {"scientificName", "scientific_name", "species", "taxon_name",
                                        "name",           "taxon",           NULL};
    static const char *const authors[] = {"scientificNameAuthorship", "authorship", "authors", "author",
                                          NULL};
    static const char *const ranks[] = {"taxonRank", "taxon_rank", "rank", NULL};
    static const char *const families[] = {"family", NULL};
    static const char *const accepted[] = {"synonymOf",     "synonym_of",        "acceptedName",
                                           "accepted_name", "acceptedNameUsage", NULL};
    *out = (struct columns){.name = first_column(rows, names)};
    bool header = out->name >= 0;
    out->authors = header ? first_column(rows, authors) : -1;
    out->rank = header ? first_column(rows, ranks) : -1;
    out->family = header ? first_column(rows, families) : -1;
    out->accepted = header ? first_column(rows, accepted) : -1;
    if (header)
        find_languages(rows, out);
    else
        out->name = 0;
    return header;
}

/* Cut a line where its authors begin: at the first word behind the genus that begins with a capital or a
 * bracket. Authors in the midst ("Abies alba Mill. var. alba") go with what is behind them. Returns them. */
static const char *split_authors(char *name) {
    char *s = name;
    for (unsigned words = 0; *s; words++) {
        size_t size = strcspn(s, " ");
        bool sign = size == 2 && !strncmp(s, "\xc3\x97", 2);
        bool capital = isupper((unsigned char)*s) || *s == '(' ||
                       ((unsigned char)s[0] == 0xc3 && (unsigned char)s[1] >= 0x80 &&
                        (unsigned char)s[1] <= 0x9e && (unsigned char)s[1] != 0x97);
        if (words > 0 && capital && !sign && s > name && !(s - name == 3 && !strncmp(name, "\xc3\x97 ", 3))) {
            s[-1] = '\0';
            return s;
        }
        s += size;
        while (*s == ' ')
            s++;
    }
    return "";
}

/* Ids are names as they are searched, so that spellings of one name are one. */
static int simplify(struct linnet_rows *rows, int column, struct linnet_buf *out) {
    char name[LINNET_CHECKLIST_TEXT + 2];
    snprintf(name, sizeof name, "%s", linnet_rows_field(rows, column));
    split_authors(name);
    linnet_buf_clear(out);
    return linnet_name_simplify(name, out);
}

static int add_row(struct linnet_checklist *list, struct linnet_rows *rows, const struct columns *at,
                   struct linnet_error *err) {
    char name[LINNET_CHECKLIST_TEXT + 2];
    struct linnet_buf id = {0}, accepted = {0};
    snprintf(name, sizeof name, "%s", linnet_rows_field(rows, at->name));
    if (*name == '#') return 0;
    int error = simplify(rows, at->name, &id);
    if (!error) error = simplify(rows, at->accepted, &accepted);
    if (error) linnet_error_set(err, error, "out of memory");
    const char *authors = split_authors(name);
    struct linnet_checklist_row row = {
        .id = id.data,
        .name = name,
        .authors = at->authors >= 0 ? linnet_rows_field(rows, at->authors) : authors,
        .rank = linnet_rows_field(rows, at->rank),
        .family = linnet_rows_field(rows, at->family),
        .accepted = accepted.data,
    };
    if (!error) error = linnet_checklist_add(list, &row, err);
    for (int i = 0; !error && i < at->nlanguages; i++) {
        const char *common = linnet_rows_field(rows, at->vernacular[i]);
        if (*common)
            error = linnet_checklist_add_vernacular(list, row.id, at->language[i], common, false, err);
    }
    linnet_buf_done(&id);
    linnet_buf_done(&accepted);
    return error;
}

int linnet_read_list(struct linnet_checklist *list, struct linnet_stream *stream,
                     const struct linnet_reader_options *options, struct linnet_error *err) {
    struct begun begun = {.stream = stream};
    struct linnet_rows rows;
    struct columns at;
    int error = begin(&begun, err);
    if (error) return error;
    char delimiter = delimiter_of(begun.start);
    error = linnet_rows_open(delimiter ? delimiter : '\t', delimiter ? '"' : '\0', read_begun, &begun, &rows);
    if (error) return linnet_error_set(err, error, "out of memory");
    int more = linnet_rows_next(&rows, err);
    if (more == 1 && !read_header(&rows, &at)) error = add_row(list, &rows, &at, err);
    while (!error && more == 1 && (more = linnet_rows_next(&rows, err)) == 1) {
        error = add_row(list, &rows, &at, err);
        if (options->progress && rows.number % 16384 == 0)
            options->progress(options->arg, "list", rows.consumed, linnet_stream_size(stream));
    }
    linnet_rows_close(&rows);
    return error ? error : more < 0 ? more : 0;
}
