/* Names as dense numbers, in the order in which they were first met. Millions of them: the texts lie in one
 * block, one after another. Owned by one thread at a time. */
#ifndef LINNET_CONSENSUS_NAMES_H
#define LINNET_CONSENSUS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define LINNET_NO_NAME UINT32_MAX

struct linnet_names {
    uint32_t n, capacity;
    size_t *end; /* of each text in the block */
    char *block;
    size_t block_capacity;
    struct linnet_name_slot *slots; /* open addressing; NULL once frozen */
    uint32_t mask;
};

/* The hash that put and find want. */
static inline uint32_t linnet_name_hash(const char *text, size_t size) {
    uint64_t hash = size * UINT64_C(0x9e3779b97f4a7c15);
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, text, 8);
        hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
        hash ^= hash >> 32;
    }
    uint64_t word = 0;
    __builtin_memcpy(&word, text, size);
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return (uint32_t)(hash >> 32);
}

/* Room for about `expected` names; more can come. -1: out of memory. */
int linnet_names_init(struct linnet_names *names, uint32_t expected);
void linnet_names_done(struct linnet_names *names);
/* The number of a name, a new one if it was never met. LINNET_NO_NAME: out of memory. */
uint32_t linnet_names_put(struct linnet_names *names, const char *text, size_t size, uint32_t hash);
/* LINNET_NO_NAME if it was never met. */
uint32_t linnet_names_find(const struct linnet_names *names, const char *text, size_t size);
/* Have the slot of a hash at hand when it is put soon. */
void linnet_names_prefetch(const struct linnet_names *names, uint32_t hash);
/* Give back what only put and find need. */
void linnet_names_freeze(struct linnet_names *names);
/* A name and its length; not terminated. */
const char *linnet_names_text(const struct linnet_names *names, uint32_t number, size_t *size);
/* Order by bytes, as strcmp has it. */
int linnet_names_compare(const struct linnet_names *names, uint32_t a, uint32_t b);

#endif
