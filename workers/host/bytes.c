#include "workers/host/bytes.h"

#include <stdlib.h>
#include <string.h>

struct linnet_bytes *linnet_bytes_new(void *data, size_t size, void (*release)(void *data)) {
    if (!release) release = free;
    struct linnet_bytes *bytes = malloc(sizeof(*bytes));
    if (!bytes) {
        release(data);
        return NULL;
    }
    atomic_init(&bytes->references, 1);
    bytes->size = size;
    bytes->data = data;
    bytes->release = release;
    return bytes;
}

struct linnet_bytes *linnet_bytes_copy(const void *data, size_t size) {
    void *copy = malloc(size ? size : 1);
    if (!copy) return NULL;
    if (size) memcpy(copy, data, size);
    return linnet_bytes_new(copy, size, free);
}

struct linnet_bytes *linnet_bytes_ref(struct linnet_bytes *bytes) {
    atomic_fetch_add_explicit(&bytes->references, 1, memory_order_relaxed);
    return bytes;
}

void linnet_bytes_unref(struct linnet_bytes *bytes) {
    /* acq_rel: whoever frees sees all that the others did with the bytes before they let go. */
    if (!bytes || atomic_fetch_sub_explicit(&bytes->references, 1, memory_order_acq_rel) != 1) return;
    bytes->release(bytes->data);
    free(bytes);
}
