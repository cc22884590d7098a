#include "workers/consensus/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/consensus/parallel.h"

enum { PATH = 512, THREADS = 64 };

/* ---- pages ---- */

/* Room for so many more bytes. NULL: there is none. */
static char *room(struct linnet_page *page, size_t size) {
    if (page->used + size > page->room) {
        size_t wanted = page->room * 2 > page->used + size ? page->room * 2 : page->used + size + 4096;
        char *larger = page->failed ? NULL : realloc(page->bytes, wanted);
        page->failed = !larger;
        if (!larger) return NULL;
        page->bytes = larger;
        page->room = wanted;
    }
    return page->bytes + page->used;
}

/* Room for a cell of so many bytes and the comma before it, which is put. */
static char *begin_cell(struct linnet_page *page, size_t size) {
    char *at = room(page, size + 1);
    if (at && page->row_began) {
        *at++ = ',';
        page->used++;
    }
    page->row_began = true;
    return at;
}

static bool wants_quotes(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r') return true;
    return false;
}

static void put_quoted(struct linnet_page *page, const char *text, size_t size) {
    char *at = begin_cell(page, 2 * size + 2), *begin = at;
    if (!at) return;
    *at++ = '"';
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') *at++ = '"';
        *at++ = text[i];
    }
    *at++ = '"';
    page->used += (size_t)(at - begin);
}

void linnet_page_text(struct linnet_page *page, const char *text, size_t size) {
    if (wants_quotes(text, size)) {
        put_quoted(page, text, size);
        return;
    }
    char *at = begin_cell(page, size);
    if (!at) return;
    memcpy(at, text, size);
    page->used += size;
}

/* Digits of a number, at least `least`, that end at `end`. Returns where they begin. */
static char *digits(char *end, uint64_t value, int least) {
    for (; value > 0 || least > 0; value /= 10, least--)
        *--end = (char)('0' + value % 10);
    return end;
}

static void put_digits(struct linnet_page *page, const char *begin, const char *end) {
    size_t size = (size_t)(end - begin);
    char *at = begin_cell(page, size);
    if (!at) return;
    memcpy(at, begin, size);
    page->used += size;
}

void linnet_page_integer(struct linnet_page *page, uint64_t value) {
    char text[32], *end = text + sizeof text;
    put_digits(page, digits(end, value, 1), end);
}

void linnet_page_number(struct linnet_page *page, double value) {
    char text[32], *end = text + sizeof text;
    uint64_t millionths = (uint64_t)(value * 1e6 + 0.5), fraction = millionths % 1000000;
    char *begin = end;
    if (fraction > 0) {
        begin = digits(end, fraction, 6);
        while (end[-1] == '0')
            end--;
        *--begin = '.';
    }
    put_digits(page, digits(begin, millionths / 1000000, 1), end);
}

void linnet_page_end_row(struct linnet_page *page) {
    char *at = room(page, 1);
    page->row_began = false;
    if (!at) return;
    *at = '\n';
    page->used++;
}

/* ---- sheets ---- */

struct sheet {
    int file;
    linnet_sheet_row *row;
    void *arg;
    struct linnet_page pages[THREADS];
    pthread_mutex_t lock;
    pthread_cond_t placed;
    uint32_t next; /* the row whose place in the file is told next */
    off_t size;    /* of the rows before it */
    int failed;    /* errno */
};

static int write_at(int file, const char *bytes, size_t size, off_t at) {
    while (size > 0) {
        ssize_t n = pwrite(file, bytes, size, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EIO;
        bytes += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static void fail(struct sheet *sheet, int why) {
    pthread_mutex_lock(&sheet->lock);
    if (!sheet->failed) sheet->failed = why;
    pthread_mutex_unlock(&sheet->lock);
}

/* Rows are put side by side, get their places one after another, and are written side by side again. Pieces
 * are given out in order, so somebody is at work on the one that is waited for. */
static void write_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct sheet *sheet = arg;
    struct linnet_page *page = &sheet->pages[thread];
    page->used = 0;
    for (uint32_t i = begin; i < end; i++)
        sheet->row(sheet->arg, page, i);
    pthread_mutex_lock(&sheet->lock);
    while (sheet->next != begin)
        pthread_cond_wait(&sheet->placed, &sheet->lock);
    off_t at = sheet->size;
    sheet->size += (off_t)page->used;
    sheet->next = end;
    pthread_cond_broadcast(&sheet->placed);
    pthread_mutex_unlock(&sheet->lock);
    int failed = page->failed ? ENOMEM : write_at(sheet->file, page->bytes, page->used, at);
    if (failed) fail(sheet, failed);
}

/* All rows, to a file that is open. errno, or 0. */
static int write_rows(int file, const char *header, uint32_t n, unsigned threads, linnet_sheet_row *row,
                      void *arg) {
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet) return ENOMEM;
    size_t size = strlen(header);
    *sheet = (struct sheet){.file = file,
                            .row = row,
                            .arg = arg,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .placed = PTHREAD_COND_INITIALIZER,
                            .size = (off_t)size + 1};
    int failed = write_at(file, header, size, 0);
    if (!failed) failed = write_at(file, "\n", 1, (off_t)size);
    if (!failed) {
        linnet_parallel(threads, n, write_some, sheet);
        failed = sheet->failed;
    }
    for (unsigned thread = 0; thread < THREADS; thread++)
        free(sheet->pages[thread].bytes);
    free(sheet);
    return failed;
}

int linnet_sheet_write(const char *dir, const char *name, const char *header, uint32_t n, unsigned threads,
                       linnet_sheet_row *row, void *arg, struct linnet_error *err) {
    char path[PATH], beside[PATH + 8];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", dir, strerror(errno));
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return linnet_error_set(err, LINNET_E_INVALID, "%s: the name is too long", dir);
    snprintf(beside, sizeof beside, "%s.part", path);
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return linnet_error_set(err, LINNET_E_IO, "%s: %s", beside, strerror(errno));
    int failed = write_rows(file, header, n, threads, row, arg);
    if (close(file) != 0 && !failed) failed = errno;
    if (!failed && rename(beside, path) != 0) failed = errno;
    if (!failed) return 0;
    (void)unlink(beside);
    return linnet_error_set(err, failed == ENOMEM ? LINNET_E_NOMEM : LINNET_E_IO, "%s: %s", path,
                            strerror(failed));
}
