/* A growing byte buffer with a hard limit. Owned by one thread. Zero-filled memory is an empty one
 * with no limit. The bytes are always followed by a NUL that `size` does not count. */
#ifndef LINNET_BASE_BUF_H
#define LINNET_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct linnet_buf {
    char *data;      /* owned; NULL while empty and never used */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* most bytes that it may hold; 0: no limit */
};

/* Start an empty buffer. No allocation. */
void linnet_buf_init(struct linnet_buf *buf, size_t limit);
/* Free the bytes and make it empty again, the limit kept. */
void linnet_buf_done(struct linnet_buf *buf);
/* Forget the bytes, keep the memory. */
void linnet_buf_clear(struct linnet_buf *buf);
/* Make room for `size` more bytes. LINNET_E_NOMEM or LINNET_E_LIMIT, the buffer untouched. */
int linnet_buf_reserve(struct linnet_buf *buf, size_t size);
/* Append; errors as above. Here, because JSON is written by it a few bytes at a time. */
static inline int linnet_buf_append(struct linnet_buf *buf, const void *data, size_t size) {
    if (!buf->data || size >= buf->capacity - buf->size) {
        int rc = linnet_buf_reserve(buf, size);
        if (rc) return rc;
    }
    if (size) memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return 0;
}
int linnet_buf_append_string(struct linnet_buf *buf, const char *text);
int linnet_buf_printf(struct linnet_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drop `size` bytes from the front. */
void linnet_buf_consume(struct linnet_buf *buf, size_t size);
/* Hand the bytes to the caller, who frees them with free(); the buffer is empty after. NULL if nothing was
 * allocated. */
char *linnet_buf_take(struct linnet_buf *buf, size_t *size);

#endif
