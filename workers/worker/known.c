/* Open addressing with linear probing over twice as many slots as the ring holds; what the ring overwrites is
 * taken out of the slots by shifting its followers back (Knuth, TAOCP 3, 6.4, algorithm R), so the table
 * never fills with gravestones. */
#include "workers/worker/known.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"

int linnet_known_init(struct linnet_known *known, size_t capacity) {
    size_t size = 16;
    while (size < capacity)
        size *= 2;
    uint64_t *ring = calloc(size, sizeof(*ring));
    uint64_t *slots = calloc(2 * size, sizeof(*slots));
    if (!ring || !slots) {
        free(ring);
        free(slots);
        return LINNET_E_NOMEM;
    }
    *known = (struct linnet_known){.ring = ring, .slots = slots, .capacity = size, .mask = 2 * size - 1};
    return 0;
}

void linnet_known_done(struct linnet_known *known) {
    free(known->ring);
    free(known->slots);
    memset(known, 0, sizeof(*known));
}

/* FNV-1a's low bits are weak for short differences at the end; the finisher of splitmix64 spreads them. 0 is
 * the empty slot. */
static uint64_t mix(uint64_t h) {
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebu;
    h ^= h >> 31;
    return h ? h : 1;
}

uint64_t linnet_known_key_one(const char *id, const char *revision) {
    uint64_t a = linnet_hash(id, strlen(id)), b = linnet_hash(revision, strlen(revision));
    return mix(mix(a) + b);
}

uint64_t linnet_known_key(const char *id, const char *const *revisions, size_t n) {
    if (n == 1) return linnet_known_key_one(id, revisions[0]);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += linnet_known_key_one(id, revisions[i]);
    /* Which one wins is part of what was seen. */
    return mix(sum + n + (n ? linnet_known_key_one(id, revisions[0]) : 0));
}

static size_t find(const struct linnet_known *known, uint64_t key) {
    size_t i = key & known->mask;
    while (known->slots[i] && known->slots[i] != key)
        i = (i + 1) & known->mask;
    return i;
}

static void take_out(struct linnet_known *known, uint64_t key) {
    size_t hole = find(known, key);
    if (!known->slots[hole]) return;
    for (size_t i = (hole + 1) & known->mask; known->slots[i]; i = (i + 1) & known->mask) {
        size_t home = known->slots[i] & known->mask;
        /* May the one at i move to the hole? Only if its home does not lie between them. */
        if (((i - home) & known->mask) < ((i - hole) & known->mask)) continue;
        known->slots[hole] = known->slots[i];
        hole = i;
    }
    known->slots[hole] = 0;
}

void linnet_known_add(struct linnet_known *known, uint64_t key) {
    size_t at = find(known, key);
    if (known->slots[at]) return;
    if (known->count == known->capacity) {
        take_out(known, known->ring[known->next]);
        at = find(known, key);
    } else {
        known->count++;
    }
    known->slots[at] = key;
    known->ring[known->next] = key;
    known->next = (known->next + 1) & (known->capacity - 1);
}

bool linnet_known_has(const struct linnet_known *known, uint64_t key) {
    return known->slots[find(known, key)] != 0;
}

void linnet_known_clear(struct linnet_known *known) {
    memset(known->slots, 0, (known->mask + 1) * sizeof(*known->slots));
    known->next = known->count = 0;
}
