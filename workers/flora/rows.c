#include "workers/flora/rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WINDOW = 1 << 18 };

int linnet_rows_open(char delimiter, char quote, linnet_rows_read *read, void *arg, struct linnet_rows *out) {
    *out = (struct linnet_rows){.read = read, .arg = arg, .delimiter = delimiter, .quote = quote};
    out->window = malloc(WINDOW);
    out->capacity = WINDOW;
    return out->window ? 0 : LINNET_E_NOMEM;
}

void linnet_rows_close(struct linnet_rows *rows) {
    free(rows->window);
    rows->window = NULL;
}

/* More bytes behind those that wait; the window grows only for a row that does not fit it. One byte stays
 * free, for the terminator of a last line. 1: there are more; 0: there are none. */
static int fill(struct linnet_rows *rows, struct linnet_error *err) {
    if (rows->ended) return 0;
    if (rows->begin > 0) {
        memmove(rows->window, rows->window + rows->begin, rows->end - rows->begin);
        rows->end -= rows->begin;
        rows->begin = 0;
    }
    if (rows->end + 1 >= rows->capacity) {
        if (rows->capacity >= LINNET_ROWS_LONGEST)
            return linnet_error_set(err, LINNET_E_LIMIT, "row %llu is longer than %zu bytes",
                                    (unsigned long long)rows->number + 1, LINNET_ROWS_LONGEST);
        char *wider = realloc(rows->window, rows->capacity * 2);
        if (!wider) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
        rows->window = wider;
        rows->capacity *= 2;
    }
    ssize_t n = rows->read(rows->arg, rows->window + rows->end, rows->capacity - rows->end - 1, err);
    if (n < 0) return (int)n;
    rows->ended = n == 0;
    rows->end += (size_t)n;
    rows->consumed += (uint64_t)n;
    return n > 0;
}

/* Where the row that begins at `begin` ends, as an offset from there; -1: not in the window. */
static ssize_t row_end(const struct linnet_rows *rows) {
    const char *from = rows->window + rows->begin, *stop = rows->window + rows->end;
    if (!rows->quote) {
        const char *found = memchr(from, '\n', (size_t)(stop - from));
        return found ? found - from : -1;
    }
    bool quoted = false, fresh = true; /* fresh: at the start of a field */
    for (const char *s = from; s < stop; s++) {
        if (*s == rows->quote && (quoted || fresh)) {
            if (!quoted)
                quoted = true;
            else if (s + 1 < stop && s[1] == rows->quote)
                s++;
            else
                quoted = false;
            fresh = false;
        } else if (!quoted && *s == '\n') {
            return s - from;
        } else {
            fresh = !quoted && *s == rows->delimiter;
        }
    }
    return -1;
}

/* Take the quotes off in place; where the field ends (at its delimiter, or at `stop`). */
static char *unquote(const struct linnet_rows *rows, char *from, char *stop) {
    char *to = from, *s = from + 1;
    for (; s < stop; s++) {
        if (*s == rows->quote) {
            if (s + 1 >= stop || s[1] != rows->quote) break;
            s++;
        }
        *to++ = *s;
    }
    for (s += s < stop; s < stop && *s != rows->delimiter; s++)
        *to++ = *s; /* what stands behind the closing quote belongs to it: people write so */
    *to = '\0';
    return s;
}

static void split(struct linnet_rows *rows, char *from, char *stop) {
    *stop = '\0';
    rows->nfields = 0;
    for (;;) {
        char *end;
        char *field = from;
        if (rows->quote && *from == rows->quote && from < stop) {
            end = unquote(rows, from, stop);
        } else {
            end = memchr(from, rows->delimiter, (size_t)(stop - from));
            if (!end) end = stop;
        }
        bool last = end >= stop;
        *end = '\0';
        if (rows->nfields < LINNET_ROWS_FIELDS) rows->fields[rows->nfields++] = field;
        if (last) return;
        from = end + 1;
    }
}

/* The next line, empty or not, split. */
static int next_line(struct linnet_rows *rows, bool *empty, struct linnet_error *err) {
    ssize_t length;
    while ((length = row_end(rows)) < 0) {
        int more = fill(rows, err);
        if (more < 0) return more;
        if (more) continue;
        if (rows->begin == rows->end) return 0;
        /* The file ends without a line's end. An open quote would have swallowed it. */
        length = (ssize_t)(rows->end - rows->begin);
        if (rows->quote && memchr(rows->window + rows->begin, '\n', (size_t)length))
            return linnet_error_set(err, LINNET_E_PARSE, "a quote that begins in row %llu never ends",
                                    (unsigned long long)rows->number + 1);
        break;
    }
    char *from = rows->window + rows->begin, *stop = from + length;
    bool at_end = stop >= rows->window + rows->end;
    rows->begin += (size_t)length + !at_end;
    if (stop > from && stop[-1] == '\r') stop--;
    if (rows->number == 0 && stop - from >= 3 && !memcmp(from, "\xef\xbb\xbf", 3)) from += 3;
    *empty = stop == from;
    rows->number++;
    split(rows, from, stop);
    return 1;
}

int linnet_rows_next(struct linnet_rows *rows, struct linnet_error *err) {
    bool empty = true;
    int more = 1;
    while (more == 1 && empty)
        more = next_line(rows, &empty, err);
    return more;
}

int linnet_rows_column(const struct linnet_rows *rows, const char *name) {
    for (size_t i = 0; i < rows->nfields; i++)
        if (!strcasecmp(rows->fields[i], name)) return (int)i;
    return -1;
}

const char *linnet_rows_field(struct linnet_rows *rows, int column) {
    if (column < 0 || (size_t)column >= rows->nfields) return "";
    char *text = rows->fields[column];
    while (*text == ' ')
        text++;
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    return text;
}
