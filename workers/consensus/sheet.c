#include "workers/consensus/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, NUMBER = 32 };

static void temporary(const struct linnet_sheet *sheet, char path[520]) {
    snprintf(path, 520, "%s.part", sheet->path);
}

static void flush(struct linnet_sheet *sheet) {
    size_t done = 0;
    while (done < sheet->used && !sheet->failed) {
        ssize_t n = write(sheet->file, sheet->buffer + done, sheet->used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            sheet->failed = n == 0 ? EIO : errno;
    }
    sheet->used = 0;
}

/* Room for so many more bytes, at most BUFFER. */
static char *room(struct linnet_sheet *sheet, size_t size) {
    if (sheet->used + size > BUFFER) flush(sheet);
    return sheet->buffer + sheet->used;
}

static void put(struct linnet_sheet *sheet, const char *bytes, size_t size) {
    while (size > 0) {
        size_t some = size < BUFFER ? size : BUFFER;
        memcpy(room(sheet, some), bytes, some);
        sheet->used += some;
        bytes += some;
        size -= some;
    }
}

static void begin_cell(struct linnet_sheet *sheet) {
    if (sheet->row_began) put(sheet, ",", 1);
    sheet->row_began = true;
}

int linnet_sheet_open(struct linnet_sheet *sheet, const char *dir, const char *name, const char *header,
                      struct linnet_error *err) {
    char path[520];
    *sheet = (struct linnet_sheet){.file = -1};
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", dir, strerror(errno));
    if ((size_t)snprintf(sheet->path, sizeof sheet->path, "%s/%s", dir, name) >= sizeof sheet->path)
        return linnet_error_set(err, LINNET_E_INVALID, "%s: the name is too long", dir);
    temporary(sheet, path);
    sheet->buffer = malloc(BUFFER);
    if (!sheet->buffer) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    sheet->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (sheet->file < 0) {
        free(sheet->buffer);
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    }
    put(sheet, header, strlen(header));
    put(sheet, "\n", 1);
    return 0;
}

static bool wants_quotes(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r') return true;
    return false;
}

void linnet_sheet_text(struct linnet_sheet *sheet, const char *text, size_t size) {
    begin_cell(sheet);
    if (!wants_quotes(text, size)) {
        put(sheet, text, size);
        return;
    }
    put(sheet, "\"", 1);
    for (size_t i = 0; i < size; i++)
        put(sheet, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
    put(sheet, "\"", 1);
}

/* Digits of a number, at least `least`, that end at `end`. Returns where they begin. */
static char *digits(char *end, uint64_t value, int least) {
    for (; value > 0 || least > 0; value /= 10, least--)
        *--end = (char)('0' + value % 10);
    return end;
}

void linnet_sheet_integer(struct linnet_sheet *sheet, uint64_t value) {
    char text[NUMBER], *end = text + NUMBER, *begin = digits(end, value, 1);
    begin_cell(sheet);
    put(sheet, begin, (size_t)(end - begin));
}

void linnet_sheet_number(struct linnet_sheet *sheet, double value) {
    char text[NUMBER], *end = text + NUMBER;
    uint64_t millionths = (uint64_t)(value * 1e6 + 0.5), fraction = millionths % 1000000;
    char *begin = end;
    begin_cell(sheet);
    if (fraction > 0) {
        begin = digits(end, fraction, 6);
        while (end[-1] == '0')
            end--;
        *--begin = '.';
    }
    begin = digits(begin, millionths / 1000000, 1);
    put(sheet, begin, (size_t)(end - begin));
}

void linnet_sheet_end_row(struct linnet_sheet *sheet) {
    put(sheet, "\n", 1);
    sheet->row_began = false;
}

int linnet_sheet_close(struct linnet_sheet *sheet, struct linnet_error *err) {
    char path[520];
    temporary(sheet, path);
    flush(sheet);
    if (close(sheet->file) != 0 && !sheet->failed) sheet->failed = errno;
    if (!sheet->failed && rename(path, sheet->path) != 0) sheet->failed = errno;
    free(sheet->buffer);
    sheet->buffer = NULL;
    if (!sheet->failed) return 0;
    (void)unlink(path);
    return linnet_error_set(err, LINNET_E_IO, "%s: %s", sheet->path, strerror(sheet->failed));
}
