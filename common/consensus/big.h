/* Arrays of a whole crowd, of which there are few and large ones. */
#ifndef LINNET_CONSENSUS_BIG_H
#define LINNET_CONSENSUS_BIG_H

#include <stddef.h>

/* Room for n elements, not set to anything; free() it. Large ones lie in large pages where the system has
 * them: they are walked at random, and a miss in the translation of addresses costs as much as one in the
 * cache. NULL: out of memory. Any thread. */
void *linnet_big_new(size_t n, size_t element);
/* The same, of zeros. */
void *linnet_big_zeros(size_t n, size_t element);

/* Make room in an array of *capacity elements, of which `used` hold something, for `wanted`: `array` points
 * to the pointer, which may move. 0, or -1: out of memory, and nothing has changed. */
int linnet_big_reserve(void *array, size_t *capacity, size_t used, size_t wanted, size_t element);

#endif
