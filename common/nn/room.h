/* Memory for large arrays. Weights come to 100 MB and more, and most of what reading and compiling a network
 * takes is the kernel's: a fault for every 4 KiB that is touched first. Internal to common/nn and backends.
 */
#ifndef LINNET_NN_ROOM_H
#define LINNET_NN_ROOM_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LINNET_NN_HUGE ((size_t)2 << 20) /* a huge page of x86-64 and of arm64 */

/* `size` bytes, from 64 on aligned to a line of the cache; where there are a megabyte and more, in huge pages
 * if the system has them (madvise(2), MADV_HUGEPAGE). Freed by free(). NULL: out of memory. */
static inline void *linnet_nn_room(size_t size) {
    bool large = size >= LINNET_NN_HUGE / 2;
    void *memory = NULL;
    if (posix_memalign(&memory, large ? LINNET_NN_HUGE : 64, size ? size : 1)) return NULL;
    if (large) madvise(memory, size, MADV_HUGEPAGE); /* refused: pages as ever */
    return memory;
}

#endif
