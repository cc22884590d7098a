#include "workers/consensus/names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct linnet_name_slot {
    uint32_t hash, number; /* LINNET_NO_NAME where free */
};

/* Slots are hit at random: large pages spare the misses in the translation of addresses. */
static struct linnet_name_slot *slots_new(size_t n) {
    size_t bytes = n * sizeof(struct linnet_name_slot), page = (size_t)1 << 21;
    struct linnet_name_slot *slots = aligned_alloc(bytes >= page ? page : 64, bytes < 64 ? 64 : bytes);
    if (!slots) return NULL;
    if (bytes >= page) (void)madvise(slots, bytes, MADV_HUGEPAGE);
    memset(slots, 0xff, bytes);
    return slots;
}

int linnet_names_init(struct linnet_names *names, uint32_t expected) {
    size_t slots = 64;
    while (slots < (size_t)expected + expected / 2 && slots < (size_t)1 << 31)
        slots *= 2;
    *names = (struct linnet_names){.capacity = 64, .block_capacity = 1024, .mask = (uint32_t)(slots - 1)};
    names->end = malloc(names->capacity * sizeof *names->end);
    names->block = malloc(names->block_capacity);
    names->slots = slots_new(slots);
    if (names->end && names->block && names->slots) return 0;
    linnet_names_done(names);
    return -1;
}

void linnet_names_done(struct linnet_names *names) {
    free(names->end);
    free(names->block);
    free(names->slots);
    *names = (struct linnet_names){0};
}

void linnet_names_freeze(struct linnet_names *names) {
    free(names->slots);
    names->slots = NULL;
}

const char *linnet_names_text(const struct linnet_names *names, uint32_t number, size_t *size) {
    size_t from = number ? names->end[number - 1] : 0;
    *size = names->end[number] - from;
    return names->block + from;
}

int linnet_names_compare(const struct linnet_names *names, uint32_t a, uint32_t b) {
    size_t m, n;
    const char *x = linnet_names_text(names, a, &m), *y = linnet_names_text(names, b, &n);
    int order = memcmp(x, y, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

void linnet_names_prefetch(const struct linnet_names *names, uint32_t hash) {
    __builtin_prefetch(&names->slots[hash & names->mask]);
}

/* The slot that has the name, or the free one where it belongs. */
static uint32_t probe(const struct linnet_names *names, const char *text, size_t size, uint32_t hash) {
    uint32_t at = hash & names->mask;
    for (; names->slots[at].number != LINNET_NO_NAME; at = (at + 1) & names->mask) {
        if (names->slots[at].hash != hash) continue;
        size_t length;
        const char *other = linnet_names_text(names, names->slots[at].number, &length);
        if (length == size && memcmp(other, text, size) == 0) break;
    }
    return at;
}

static int grow_slots(struct linnet_names *names) {
    size_t wanted = ((size_t)names->mask + 1) * 2;
    struct linnet_name_slot *old = names->slots, *slots = slots_new(wanted);
    if (!slots) return -1;
    for (size_t i = 0; i <= names->mask; i++) {
        if (old[i].number == LINNET_NO_NAME) continue;
        size_t at = old[i].hash & (wanted - 1);
        while (slots[at].number != LINNET_NO_NAME)
            at = (at + 1) & (wanted - 1);
        slots[at] = old[i];
    }
    names->slots = slots;
    names->mask = (uint32_t)(wanted - 1);
    free(old);
    return 0;
}

/* Make room in an array of *capacity elements for `wanted`. */
static int reserve(void *array, size_t *capacity, size_t wanted, size_t element) {
    if (wanted <= *capacity) return 0;
    size_t larger = wanted > *capacity * 2 ? wanted : *capacity * 2;
    void *memory = realloc(*(void **)array, larger * element);
    if (!memory) return -1;
    *(void **)array = memory;
    *capacity = larger;
    return 0;
}

static int add(struct linnet_names *names, const char *text, size_t size) {
    size_t used = names->n ? names->end[names->n - 1] : 0, capacity = names->capacity;
    if (reserve(&names->end, &capacity, (size_t)names->n + 1, sizeof *names->end) != 0 ||
        reserve(&names->block, &names->block_capacity, used + size, 1) != 0)
        return -1;
    names->capacity = (uint32_t)capacity;
    memcpy(names->block + used, text, size);
    names->end[names->n++] = used + size;
    return 0;
}

uint32_t linnet_names_put(struct linnet_names *names, const char *text, size_t size, uint32_t hash) {
    uint32_t at = probe(names, text, size, hash);
    if (names->slots[at].number != LINNET_NO_NAME) return names->slots[at].number;
    if (names->n >= INT32_MAX) return LINNET_NO_NAME;
    if ((size_t)names->n * 5 >= ((size_t)names->mask + 1) * 4) {
        if (grow_slots(names) != 0) return LINNET_NO_NAME;
        at = probe(names, text, size, hash);
    }
    if (add(names, text, size) != 0) return LINNET_NO_NAME;
    names->slots[at] = (struct linnet_name_slot){hash, names->n - 1};
    return names->n - 1;
}

uint32_t linnet_names_find(const struct linnet_names *names, const char *text, size_t size) {
    return names->slots[probe(names, text, size, linnet_name_hash(text, size))].number;
}
