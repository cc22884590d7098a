#include "workers/consensus/table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/utf8.h"

enum { READERS = 64 };

struct piece {
    const struct linnet_table *table;
    const char *at, *end;
    linnet_table_row *row;
    void *arg;
    uint64_t lines;
    int code;
    const char *what;
    char *mended; /* room for the line with doubled quotes that is under way */
    size_t mended_size;
    pthread_t thread;
    bool threaded;
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

static int read_line(struct piece *piece, const char *at, const char *end) {
    struct linnet_cell cells[LINNET_TABLE_COLUMNS];
    unsigned n = 0;
    size_t size = (size_t)(end - at);
    if (size > piece->mended_size && memchr(at, '"', size)) {
        char *larger = realloc(piece->mended, size);
        if (!larger) return LINNET_E_NOMEM;
        piece->mended = larger;
        piece->mended_size = size;
    }
    piece->what = split(at, end, piece->mended, cells, &n);
    if (piece->what) return LINNET_E_PARSE;
    if (n != piece->table->columns) {
        piece->what = n < piece->table->columns ? "it has fewer cells than the header"
                                                : "it has more cells than the header";
        return LINNET_E_PARSE;
    }
    return piece->row(piece->arg, cells, &piece->what);
}

static void *read_piece(void *arg) {
    struct piece *piece = arg;
    while (piece->at < piece->end && !piece->code) {
        const char *newline = memchr(piece->at, '\n', (size_t)(piece->end - piece->at));
        const char *next = newline ? newline + 1 : piece->end, *end = newline ? newline : piece->end;
        if (end > piece->at && end[-1] == '\r') end--;
        if (end > piece->at) piece->code = read_line(piece, piece->at, end);
        if (piece->code) break;
        piece->lines++;
        piece->at = next;
    }
    free(piece->mended);
    return NULL;
}

/* The end of the line that holds byte `at`. */
static size_t line_end(const struct linnet_table *table, size_t at) {
    if (at >= table->size || !table->bytes) return table->size;
    const char *newline = memchr(table->bytes + at, '\n', table->size - at);
    return newline ? (size_t)(newline - table->bytes) + 1 : table->size;
}

static void let_go(const struct linnet_table *table, size_t from, size_t to) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    from = from / page * page;
    to = to / page * page;
    if (to > from) (void)madvise(table->bytes + from, to - from, MADV_DONTNEED);
}

int linnet_table_read(struct linnet_table *table, size_t size, unsigned readers, linnet_table_row *row,
                      void *const *args, struct linnet_error *err) {
    struct piece pieces[READERS];
    if (table->at >= table->size) return 0;
    if (readers > READERS) readers = READERS;
    size_t begin = table->at, at = begin;
    for (unsigned i = 0; i < readers; i++) {
        size_t end = line_end(table, begin + (i + 1) * (size / readers));
        if (end < at) end = at;
        pieces[i] = (struct piece){
            .table = table, .at = table->bytes + at, .end = table->bytes + end, .row = row, .arg = args[i]};
        at = end;
    }
    for (unsigned i = 1; i < readers; i++)
        pieces[i].threaded = pthread_create(&pieces[i].thread, NULL, read_piece, &pieces[i]) == 0;
    read_piece(&pieces[0]);
    int code = 0;
    for (unsigned i = 0; i < readers; i++) {
        if (i > 0 && pieces[i].threaded)
            pthread_join(pieces[i].thread, NULL);
        else if (i > 0)
            read_piece(&pieces[i]);
        if (!code) table->line += pieces[i].lines;
        if (pieces[i].code && !code)
            code = linnet_error_set(err, pieces[i].code, "%s: line %llu: %s", table->path,
                                    (unsigned long long)table->line,
                                    pieces[i].what ? pieces[i].what : linnet_error_message(pieces[i].code));
    }
    let_go(table, begin, at);
    table->at = at;
    return code ? code : 1;
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
