/* Immutable bytes shared between the loop and the executors: a picture stays in memory from its download to
 * the last stage that wants it, without a copy. The count is atomic; everything else is written once, at
 * making. */
#ifndef LINNET_HOST_BYTES_H
#define LINNET_HOST_BYTES_H

#include <stdatomic.h>
#include <stddef.h>

struct linnet_bytes {
    atomic_int references;
    size_t size;
    void *data;
    void (*release)(void *data); /* how `data` is freed */
};

/* Take `data` (freed by `release`, NULL: free). NULL when out of memory: `data` is then released too. */
struct linnet_bytes *linnet_bytes_new(void *data, size_t size, void (*release)(void *data));
struct linnet_bytes *linnet_bytes_copy(const void *data, size_t size);
struct linnet_bytes *linnet_bytes_ref(struct linnet_bytes *bytes);
void linnet_bytes_unref(struct linnet_bytes *bytes); /* NULL is safe; any thread */

#endif
