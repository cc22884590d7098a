#include "workers/worker/known.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"

int linnet_known_init(struct linnet_known *known, size_t capacity, size_t awaited_limit) {
    size_t size = 16;
    while (size < capacity)
        size *= 2;
    memset(known, 0, sizeof(*known));
    known->ring = calloc(size, sizeof(*known->ring));
    if (!known->ring || linnet_keyset_reserve(&known->newest, size)) {
        linnet_known_done(known);
        return LINNET_E_NOMEM;
    }
    known->capacity = size;
    known->awaited_limit = awaited_limit;
    return 0;
}

void linnet_known_done(struct linnet_known *known) {
    free(known->ring);
    linnet_keyset_done(&known->newest);
    linnet_keyset_done(&known->awaited);
    linnet_keyset_done(&known->overdue);
    memset(known, 0, sizeof(*known));
}

/* FNV-1a's low bits are weak for short differences at the end; the finisher of splitmix64 spreads them. 0 is
 * no key. */
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

static bool is_awaited(const struct linnet_known *known, uint64_t key) {
    return linnet_keyset_has(&known->awaited, key) || linnet_keyset_has(&known->overdue, key);
}

void linnet_known_add(struct linnet_known *known, uint64_t key) {
    if (is_awaited(known, key) || linnet_keyset_has(&known->newest, key)) return;
    if (known->count == known->capacity)
        linnet_keyset_take(&known->newest, known->ring[known->next]);
    else
        known->count++;
    linnet_keyset_add(&known->newest, key);
    known->ring[known->next] = key;
    known->next = (known->next + 1) & (known->capacity - 1);
}

void linnet_known_await(struct linnet_known *known, uint64_t key) {
    if (known->awaited.count >= known->awaited_limit || linnet_keyset_add(&known->awaited, key))
        linnet_known_add(known, key);
}

bool linnet_known_has(const struct linnet_known *known, uint64_t key) {
    return linnet_keyset_has(&known->newest, key) || is_awaited(known, key);
}

bool linnet_known_tell(struct linnet_known *known, uint64_t key) {
    bool came = linnet_keyset_take(&known->awaited, key) || linnet_keyset_take(&known->overdue, key);
    if (came) linnet_known_add(known, key); /* another feed may tell it again */
    return came || linnet_keyset_has(&known->newest, key);
}

void linnet_known_caught_up(struct linnet_known *known) {
    linnet_keyset_done(&known->overdue);
    known->overdue = known->awaited;
    known->awaited = (struct linnet_keyset){0};
}

void linnet_known_clear(struct linnet_known *known) {
    linnet_keyset_clear(&known->newest);
    linnet_keyset_done(&known->awaited);
    linnet_keyset_done(&known->overdue);
    known->next = known->count = 0;
}
