/* A set of 64-bit hashes, none of them 0. Belongs to one thread. */
#ifndef LINNET_WORKER_KEYSET_H
#define LINNET_WORKER_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linnet_keyset {
    uint64_t *slots; /* open addressing, 0: empty; NULL: nothing was ever in it */
    size_t mask, count;
};

/* Make room for so many at once. A set that is all zero is an empty one too, and grows as it fills.
 * LINNET_E_NOMEM: it stays as it was. */
int linnet_keyset_reserve(struct linnet_keyset *set, size_t count);
void linnet_keyset_done(struct linnet_keyset *set);
bool linnet_keyset_has(const struct linnet_keyset *set, uint64_t key);
/* No effect if it is there. LINNET_E_NOMEM, which does not happen where room was made. */
int linnet_keyset_add(struct linnet_keyset *set, uint64_t key);
/* False: it was not there. */
bool linnet_keyset_take(struct linnet_keyset *set, uint64_t key);
/* Nothing is in it any more; its room stays. */
void linnet_keyset_clear(struct linnet_keyset *set);

#endif
