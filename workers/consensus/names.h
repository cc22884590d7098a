/* Names as dense numbers, in the order in which they were first met. Millions of them: the texts lie in one
 * block, one after another. As long as each new name is longer than the one before, or as long and behind it
 * in the order of bytes, nothing has to be looked up: files are often in the order of their observations.
 * Owned by one thread at a time. */
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
    struct linnet_name_slot
        *slots; /* open addressing; NULL as long as names come in order, and once frozen */
    uint32_t mask;
};

/* Up to 8 bytes as a number, different for different bytes of one size. */
static inline uint64_t linnet_name_bytes(const char *text, size_t size) {
    uint64_t low = 0, high = 0;
    if (size >= 4) {
        __builtin_memcpy(&low, text, 4);
        __builtin_memcpy(&high, text + size - 4, 4);
        return low | high << 32;
    }
    for (size_t i = 0; i < size; i++)
        low = low << 8 | (unsigned char)text[i];
    return low;
}

/* The hash that put and find want. */
static inline uint32_t linnet_name_hash(const char *text, size_t size) {
    uint64_t hash = size * UINT64_C(0x9e3779b97f4a7c15);
    for (; size > 8; text += 8, size -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, text, 8);
        hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
        hash ^= hash >> 32;
    }
    hash = (hash ^ linnet_name_bytes(text, size)) * UINT64_C(0x9fb21c651e98df25);
    hash = (hash ^ hash >> 32) *
           UINT64_C(0x9fb21c651e98df25); /* or the last letters bore on the top bits alone */
    return (uint32_t)(hash >> 32);
}

/* A name as it is found in a file, with its hash. Borrowed. */
struct linnet_name {
    const char *text;
    uint32_t size, hash;
};

/* Room for about `expected` names; more can come. -1: out of memory. */
int linnet_names_init(struct linnet_names *names, uint32_t expected);
void linnet_names_done(struct linnet_names *names);
/* The number of a name, a new one if it was never met. LINNET_NO_NAME: out of memory. */
uint32_t linnet_names_put(struct linnet_names *names, const char *text, size_t size, uint32_t hash);
/* LINNET_NO_NAME if it was never met. */
uint32_t linnet_names_find(const struct linnet_names *names, const char *text, size_t size);
/* The numbers of n names that lie `stride` bytes apart, as put tells them one after another, but faster: what
 * is wanted of memory is fetched some names ahead, and a name like the one before is not looked up. -1: out
 * of memory. */
int linnet_names_put_all(struct linnet_names *names, const struct linnet_name *first, size_t stride, size_t n,
                         uint32_t *numbers);
/* Give back what only put and find need. */
void linnet_names_freeze(struct linnet_names *names);
/* A name and its length; not terminated. */
const char *linnet_names_text(const struct linnet_names *names, uint32_t number, size_t *size);
/* Order by bytes, as strcmp has it. */
int linnet_names_compare(const struct linnet_names *names, uint32_t a, uint32_t b);

#endif
