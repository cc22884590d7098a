#include "common/consensus/big.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

void *linnet_big_new(size_t n, size_t element) {
    size_t size = n * element;
    if (element && n > (SIZE_MAX - LARGE_PAGE) / element) return NULL;
    if (size < LARGE_PAGE) return malloc(size ? size : 1);
    size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *memory = aligned_alloc(LARGE_PAGE, size);
    if (memory) (void)madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

void *linnet_big_zeros(size_t n, size_t element) {
    void *memory = linnet_big_new(n, element);
    return memory ? memset(memory, 0, n * element) : NULL;
}

int linnet_big_reserve(void *array, size_t *capacity, size_t used, size_t wanted, size_t element) {
    if (wanted <= *capacity) return 0;
    size_t larger = wanted > *capacity + *capacity / 2 ? wanted : *capacity + *capacity / 2;
    void *old, *memory = linnet_big_new(larger, element);
    if (!memory) return -1;
    memcpy(&old, array, sizeof old);
    if (used) memcpy(memory, old, used * element);
    free(old);
    memcpy(array, &memory, sizeof memory);
    *capacity = larger;
    return 0;
}
