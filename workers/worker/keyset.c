/* Open addressing with linear probing, at most half full. What goes is taken out by shifting its followers
 * back (Knuth, TAOCP 3, 6.4, algorithm R), so the table never fills with gravestones. */
#include "workers/worker/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

/* Where the key is, or the empty slot in which it would be. */
static size_t find(const struct linnet_keyset *set, uint64_t key) {
    size_t i = key & set->mask;
    while (set->slots[i] && set->slots[i] != key)
        i = (i + 1) & set->mask;
    return i;
}

int linnet_keyset_reserve(struct linnet_keyset *set, size_t count) {
    size_t size = 1024;
    while (size < 2 * count)
        size *= 2;
    if (set->slots && size <= set->mask + 1) return 0;
    struct linnet_keyset grown = {.slots = calloc(size, sizeof(*grown.slots)), .mask = size - 1};
    if (!grown.slots) return LINNET_E_NOMEM;
    for (size_t i = 0; set->slots && i <= set->mask; i++)
        if (set->slots[i]) grown.slots[find(&grown, set->slots[i])] = set->slots[i];
    grown.count = set->count;
    free(set->slots);
    *set = grown;
    return 0;
}

void linnet_keyset_done(struct linnet_keyset *set) {
    free(set->slots);
    memset(set, 0, sizeof(*set));
}

bool linnet_keyset_has(const struct linnet_keyset *set, uint64_t key) {
    return set->count && set->slots[find(set, key)];
}

int linnet_keyset_add(struct linnet_keyset *set, uint64_t key) {
    int rc = linnet_keyset_reserve(set, set->count + 1);
    if (rc) return rc;
    size_t i = find(set, key);
    if (set->slots[i]) return 0;
    set->slots[i] = key;
    set->count++;
    return 0;
}

bool linnet_keyset_take(struct linnet_keyset *set, uint64_t key) {
    if (!set->count) return false;
    size_t hole = find(set, key);
    if (!set->slots[hole]) return false;
    for (size_t i = (hole + 1) & set->mask; set->slots[i]; i = (i + 1) & set->mask) {
        size_t home = set->slots[i] & set->mask;
        /* May the one at i move to the hole? Only if its home does not lie between them. */
        if (((i - home) & set->mask) < ((i - hole) & set->mask)) continue;
        set->slots[hole] = set->slots[i];
        hole = i;
    }
    set->slots[hole] = 0;
    set->count--;
    return true;
}

void linnet_keyset_clear(struct linnet_keyset *set) {
    if (set->count) memset(set->slots, 0, (set->mask + 1) * sizeof(*set->slots));
    set->count = 0;
}
