#include "workers/consensus/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/utf8.h"

/* A piece as it is read. */
struct reading {
    const struct linnet_table *table;
    const char *at, *end;
    linnet_table_row *row;
    void *arg;
    const char *what;
    char *mended; /* room for the line with doubled quotes that is under way */
    size_t mended_size;
};

static bool is_text(const char *text, size_t size) {
    for (size_t i = 0; i < size;) {
        if (text[i] > 0) {
            i++;
            continue;
        }
        size_t step = linnet_utf8_next(text + i, size - i);
        if (step == 0 || text[i] == '\0') return false;
        i += step;
    }
    return true;
}

/* A quoted cell that begins at *at, after its quote; *at goes to what follows the closing quote. NULL and a
 * reason for one that does not close. `to` moves on over what is mended. */
static const char *read_quoted(const char **at, const char *end, char **to, struct linnet_cell *cell) {
    const char *from = *at, *quote = memchr(from, '"', (size_t)(end - from));
    if (!quote) return "a quote is not closed on its line";
    if (quote + 1 == end || quote[1] != '"') {
        *cell = (struct linnet_cell){from, (uint32_t)(quote - from)};
        *at = quote + 1;
        return NULL;
    }
    char *begin = *to;
    for (;;) {
        memcpy(*to, from, (size_t)(quote - from));
        *to += quote - from;
        if (quote + 1 == end || quote[1] != '"') break;
        *(*to)++ = '"';
        from = quote + 2;
        quote = memchr(from, '"', (size_t)(end - from));
        if (!quote) return "a quote is not closed on its line";
    }
    *cell = (struct linnet_cell){begin, (uint32_t)(*to - begin)};
    *at = quote + 1;
    return NULL;
}

/* The cells of one line [at, end). A reason if it is malformed, else NULL; *n is how many there are. */
static const char *split(const char *at, const char *end, char *mended, struct linnet_cell *cells,
                         unsigned *n) {
    for (*n = 0;; at++) {
        if (*n == LINNET_TABLE_COLUMNS) return "it has too many cells";
        struct linnet_cell *cell = &cells[(*n)++];
        if (at < end && *at == '"') {
            at++;
            const char *what = read_quoted(&at, end, &mended, cell);
            if (what) return what;
            if (at < end && *at != ',') return "something follows a closing quote";
        } else {
            const char *comma = memchr(at, ',', (size_t)(end - at));
            const char *stop = comma ? comma : end;
            *cell = (struct linnet_cell){at, (uint32_t)(stop - at)};
            at = stop;
        }
        if (!is_text(cell->text, cell->size)) return "a cell is no text in UTF-8";
        if (at >= end) return NULL;
    }
}

static int read_line(struct reading *reading, const char *at, const char *end) {
    struct linnet_cell cells[LINNET_TABLE_COLUMNS];
    unsigned n = 0;
    size_t size = (size_t)(end - at);
    if (size > reading->mended_size && memchr(at, '"', size)) {
        char *larger = realloc(reading->mended, size);
        if (!larger) return LINNET_E_NOMEM;
        reading->mended = larger;
        reading->mended_size = size;
    }
    reading->what = split(at, end, reading->mended, cells, &n);
    if (reading->what) return LINNET_E_PARSE;
    if (n != reading->table->columns) {
        reading->what = n < reading->table->columns ? "it has fewer cells than the header"
                                                    : "it has more cells than the header";
        return LINNET_E_PARSE;
    }
    return reading->row(reading->arg, cells, &reading->what);
}

/* Bytes that end a plain cell; and those that make a line one for read_line: quotes, the line ends of others,
 * NUL, all that is not ASCII. */
static bool is_special(unsigned char byte) {
    static const bool special[128] = {[0] = true, ['\n'] = true, ['\r'] = true, ['"'] = true, [','] = true};
    return byte >= 128 || special[byte];
}

/* Nearly every line: plain cells, as many as there are columns. It is taken apart in one go, and *next is set
 * to the line behind. False: it is another, and nothing was done. */
static bool split_plain(const struct reading *reading, struct linnet_cell *cells, const char **next) {
    const char *at = reading->at, *begin = at;
    unsigned n = 0, columns = reading->table->columns;
    for (;;) {
        while (at < reading->end && !is_special((unsigned char)*at))
            at++;
        if (at == reading->end || n == columns || (*at != ',' && *at != '\n')) return false;
        cells[n++] = (struct linnet_cell){begin, (uint32_t)(at - begin)};
        if (*at == '\n') break;
        begin = ++at;
    }
    *next = at + 1;
    return n == columns && at > reading->at;
}

/* One line, empty or not. */
static int read_next(struct reading *reading) {
    struct linnet_cell cells[LINNET_TABLE_COLUMNS];
    const char *next;
    int code;
    if (split_plain(reading, cells, &next)) {
        code = reading->row(reading->arg, cells, &reading->what);
    } else {
        const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
        const char *end = newline ? newline : reading->end;
        next = newline ? newline + 1 : reading->end;
        if (end > reading->at && end[-1] == '\r') end--;
        code = end > reading->at ? read_line(reading, reading->at, end) : 0;
    }
    if (!code) reading->at = next;
    return code;
}

/* The end of the line that holds byte `at`. */
static size_t line_end(const struct linnet_table *table, size_t at) {
    if (at >= table->size || !table->bytes) return table->size;
    const char *newline = memchr(table->bytes + at, '\n', table->size - at);
    return newline ? (size_t)(newline - table->bytes) + 1 : table->size;
}

bool linnet_table_cut(struct linnet_table *table, size_t size, struct linnet_table_piece *piece) {
    if (table->at >= table->size) return false;
    size_t end = line_end(table, table->at + size);
    *piece = (struct linnet_table_piece){.begin = table->at, .end = end};
    table->at = end;
    return true;
}

void linnet_table_walk(const struct linnet_table *table, struct linnet_table_piece *piece,
                       linnet_table_row *row, void *arg) {
    struct reading reading = {.table = table,
                              .at = table->bytes + piece->begin,
                              .end = table->bytes + piece->end,
                              .row = row,
                              .arg = arg};
    while (reading.at < reading.end && (piece->code = read_next(&reading)) == 0)
        piece->lines++;
    piece->what = reading.what;
    free(reading.mended);
}

int linnet_table_leave(struct linnet_table *table, const struct linnet_table_piece *piece,
                       struct linnet_error *err) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), from = piece->begin / page * page,
           to = piece->end / page * page;
    if (to > from) (void)madvise(table->bytes + from, to - from, MADV_DONTNEED);
    table->line += piece->lines;
    if (!piece->code) return 0;
    return linnet_error_set(err, piece->code, "%s: line %llu: %s", table->path,
                            (unsigned long long)table->line,
                            piece->what ? piece->what : linnet_error_message(piece->code));
}

int linnet_table_read(struct linnet_table *table, linnet_table_row *row, void *arg,
                      struct linnet_error *err) {
    struct linnet_table_piece piece;
    int code = 0;
    while (!code && linnet_table_cut(table, (size_t)1 << 22, &piece)) {
        linnet_table_walk(table, &piece, row, arg);
        code = linnet_table_leave(table, &piece, err);
    }
    return code;
}

static int read_header(struct linnet_table *table, struct linnet_error *err) {
    static const char mark[] = "\xef\xbb\xbf"; /* spreadsheets put it first */
    if (table->size >= 3 && memcmp(table->bytes, mark, 3) == 0) table->at = 3;
    size_t next = line_end(table, table->at), end = next;
    if (end > table->at && table->bytes[end - 1] == '\n') end--;
    if (end > table->at && table->bytes[end - 1] == '\r') end--;
    if (end == table->at)
        return linnet_error_set(err, LINNET_E_PARSE, "%s is empty; a header line is wanted", table->path);
    table->header = malloc(end - table->at);
    if (!table->header) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    const char *what =
        split(table->bytes + table->at, table->bytes + end, table->header, table->names, &table->columns);
    if (what) return linnet_error_set(err, LINNET_E_PARSE, "%s: line 1: %s", table->path, what);
    table->at = next;
    table->line = 2;
    return 0;
}

static int map(struct linnet_table *table, int file, struct linnet_error *err) {
    struct stat status;
    if (fstat(file, &status) != 0)
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", table->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return linnet_error_set(err, LINNET_E_IO, "%s is not a regular file", table->path);
    if (status.st_size == 0)
        return linnet_error_set(err, LINNET_E_PARSE, "%s is empty; a header line is wanted", table->path);
    table->size = (size_t)status.st_size;
    table->bytes = mmap(NULL, table->size, PROT_READ, MAP_PRIVATE, file, 0);
    if (table->bytes == MAP_FAILED) {
        table->bytes = NULL;
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", table->path, strerror(errno));
    }
    (void)madvise(table->bytes, table->size, MADV_SEQUENTIAL);
    return 0;
}

int linnet_table_open(struct linnet_table *table, const char *path, struct linnet_error *err) {
    *table = (struct linnet_table){.path = path};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    int code = map(table, file, err);
    close(file);
    if (!code && table->bytes) code = read_header(table, err);
    if (code) linnet_table_close(table);
    return code;
}

void linnet_table_close(struct linnet_table *table) {
    free(table->header);
    if (table->bytes) munmap(table->bytes, table->size);
    *table = (struct linnet_table){0};
}

int linnet_table_column(const struct linnet_table *table, const char *name) {
    for (unsigned i = 0; i < table->columns; i++)
        if (table->names[i].size == strlen(name) && memcmp(table->names[i].text, name, strlen(name)) == 0)
            return (int)i;
    return -1;
}
