#include "common/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

enum { FIRST_CAPACITY = 64 };

void linnet_buf_init(struct linnet_buf *buf, size_t limit) {
    *buf = (struct linnet_buf){.limit = limit};
}

void linnet_buf_done(struct linnet_buf *buf) {
    free(buf->data);
    linnet_buf_init(buf, buf->limit);
}

void linnet_buf_clear(struct linnet_buf *buf) {
    buf->size = 0;
    if (buf->data) buf->data[0] = '\0';
}

int linnet_buf_reserve(struct linnet_buf *buf, size_t size) {
    if (size >= SIZE_MAX / 2 - buf->size) return LINNET_E_LIMIT;
    size_t needed = buf->size + size;
    if (buf->limit && needed > buf->limit) return LINNET_E_LIMIT;
    if (needed < buf->capacity) return 0; /* strictly: the NUL needs a byte too */
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    while (capacity <= needed)
        capacity *= 2;
    /* The limit is known to be enough: doubling past it would only waste. */
    if (buf->limit && capacity > buf->limit + 1) capacity = buf->limit + 1;
    char *data = realloc(buf->data, capacity);
    if (!data) return LINNET_E_NOMEM;
    if (!buf->data) data[0] = '\0';
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int linnet_buf_append_string(struct linnet_buf *buf, const char *text) {
    return linnet_buf_append(buf, text, strlen(text));
}

int linnet_buf_printf(struct linnet_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) return LINNET_E_INVALID;
    int rc = linnet_buf_reserve(buf, (size_t)length);
    if (rc) return rc;
    va_start(args, format);
    vsnprintf(buf->data + buf->size, (size_t)length + 1, format, args);
    va_end(args);
    buf->size += (size_t)length;
    return 0;
}

void linnet_buf_consume(struct linnet_buf *buf, size_t size) {
    if (!size) return;
    if (size >= buf->size) {
        linnet_buf_clear(buf);
        return;
    }
    memmove(buf->data, buf->data + size, buf->size - size + 1);
    buf->size -= size;
}

char *linnet_buf_take(struct linnet_buf *buf, size_t *size) {
    char *data = buf->data;
    if (size) *size = buf->size;
    linnet_buf_init(buf, buf->limit);
    return data;
}
