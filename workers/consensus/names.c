#include "workers/consensus/names.h"

#include <stdlib.h>
#include <string.h>

#include "common/consensus/big.h"

struct linnet_name_slot {
    uint64_t word;         /* of a name its first 7 bytes and its size: all there is of a short one */
    uint32_t hash, number; /* LINNET_NO_NAME where free */
};

enum { SHORT = 7 };

/* See struct linnet_name_slot. Of names of more than SHORT bytes the text is to be compared too. */
static uint64_t word_of(const char *text, size_t size) {
    size_t most = size < SHORT ? size : SHORT;
    uint64_t bytes = linnet_name_bytes(text, most), tag = size <= SHORT ? size : SHORT + 1;
    return most < 4 ? bytes | tag << 56 : (bytes & 0xffffffff) | bytes >> 40 << 32 | tag << 56;
}

static struct linnet_name_slot *slots_new(size_t n) {
    struct linnet_name_slot *slots = linnet_big_new(n, sizeof *slots);
    return slots ? memset(slots, 0xff, n * sizeof *slots) : NULL;
}

int linnet_names_init(struct linnet_names *names, uint32_t expected) {
    size_t slots = 64;
    while (slots < (size_t)expected + expected / 2 && slots < (size_t)1 << 31)
        slots *= 2;
    *names = (struct linnet_names){.capacity = expected < 64 ? 64 : expected,
                                   .block_capacity = expected < 64 ? 1024 : (size_t)expected * 12,
                                   .mask = (uint32_t)(slots - 1)};
    names->end = linnet_big_new(names->capacity, sizeof *names->end);
    names->block = linnet_big_new(names->block_capacity, 1);
    if (names->end && names->block) return 0;
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

/* The slot that has the name, or the free one where it belongs. */
static uint32_t probe(const struct linnet_names *names, const char *text, size_t size, uint32_t hash) {
    uint32_t at = hash & names->mask;
    uint64_t word = word_of(text, size);
    for (; names->slots[at].number != LINNET_NO_NAME; at = (at + 1) & names->mask) {
        uint32_t number = names->slots[at].number;
        if (names->slots[at].hash != hash || names->slots[at].word != word) continue;
        if (size <= SHORT) break;
        size_t length;
        const char *other = linnet_names_text(names, number, &length);
        if (length == size && memcmp(other, text, size) == 0) break;
    }
    return at;
}

static void put_slot(const struct linnet_names *names, struct linnet_name_slot *slots, size_t mask,
                     uint32_t number) {
    size_t size;
    const char *text = linnet_names_text(names, number, &size);
    uint32_t hash = linnet_name_hash(text, size);
    size_t at = hash & mask;
    while (slots[at].number != LINNET_NO_NAME)
        at = (at + 1) & mask;
    slots[at] = (struct linnet_name_slot){word_of(text, size), hash, number};
}

/* Slots for the names that there are, and as many more. */
static int make_slots(struct linnet_names *names) {
    size_t n = (size_t)names->mask + 1;
    while ((size_t)names->n * 5 >= n * 4)
        n *= 2;
    struct linnet_name_slot *slots = slots_new(n);
    if (!slots) return -1;
    for (uint32_t number = 0; number < names->n; number++)
        put_slot(names, slots, n - 1, number);
    free(names->slots);
    names->slots = slots;
    names->mask = (uint32_t)(n - 1);
    return 0;
}

static int add(struct linnet_names *names, const char *text, size_t size) {
    size_t used = names->n ? names->end[names->n - 1] : 0, capacity = names->capacity;
    if (linnet_big_reserve(&names->end, &capacity, names->n, (size_t)names->n + 1, sizeof *names->end) != 0 ||
        linnet_big_reserve(&names->block, &names->block_capacity, used, used + size, 1) != 0)
        return -1;
    names->capacity = (uint32_t)capacity;
    memcpy(names->block + used, text, size);
    names->end[names->n++] = used + size;
    return 0;
}

/* The order in which names may come without being looked up: of a name and the one of a number. */
static int order(const struct linnet_names *names, const char *text, size_t size, uint32_t number) {
    size_t length;
    const char *other = linnet_names_text(names, number, &length);
    if (size != length) return size < length ? -1 : 1;
    return memcmp(text, other, size);
}

static uint32_t put_new(struct linnet_names *names, const char *text, size_t size) {
    if (names->n >= INT32_MAX || add(names, text, size) != 0) return LINNET_NO_NAME;
    return names->n - 1;
}

uint32_t linnet_names_put(struct linnet_names *names, const char *text, size_t size, uint32_t hash) {
    if (!names->slots) {
        int after = names->n ? order(names, text, size, names->n - 1) : 1;
        if (after > 0) return put_new(names, text, size);
        if (after == 0) return names->n - 1;
        if (make_slots(names) != 0) return LINNET_NO_NAME;
    }
    uint32_t at = probe(names, text, size, hash);
    if (names->slots[at].number != LINNET_NO_NAME) return names->slots[at].number;
    if ((size_t)names->n * 5 >= ((size_t)names->mask + 1) * 4) {
        if (make_slots(names) != 0) return LINNET_NO_NAME;
        at = probe(names, text, size, hash);
    }
    uint32_t number = put_new(names, text, size);
    if (number != LINNET_NO_NAME)
        names->slots[at] = (struct linnet_name_slot){word_of(text, size), hash, number};
    return number;
}

enum {
    AHEAD = 8
}; /* names between the steps of fetching one: its slot, where the text of the name there ends, that text */

static const struct linnet_name *name_at(const struct linnet_name *first, size_t stride, size_t i) {
    return (const struct linnet_name *)((const char *)first + i * stride);
}

/* Fetch what a look for the name will read, as far as it is known at this step. */
static void fetch(const struct linnet_names *names, const struct linnet_name *name, int step) {
    if (!names->slots) return;
    const struct linnet_name_slot *slot = &names->slots[name->hash & names->mask];
    if (step == 0) {
        __builtin_prefetch(slot);
        return;
    }
    if (slot->number == LINNET_NO_NAME || slot->hash != name->hash || name->size <= SHORT) return;
    if (step == 1)
        __builtin_prefetch(&names->end[slot->number]);
    else
        __builtin_prefetch(names->block + names->end[slot->number] - name->size);
}

int linnet_names_put_all(struct linnet_names *names, const struct linnet_name *first, size_t stride, size_t n,
                         uint32_t *numbers) {
    for (size_t i = 0; i < n; i++) {
        const struct linnet_name *name = name_at(first, stride, i),
                                 *before = i ? name_at(first, stride, i - 1) : NULL;
        for (int step = 0; step < 3; step++) {
            size_t ahead = i + (size_t)(3 - step) * AHEAD;
            if (ahead < n) fetch(names, name_at(first, stride, ahead), step);
        }
        if (before && name->hash == before->hash && name->size == before->size &&
            memcmp(name->text, before->text, name->size) == 0) {
            numbers[i] = numbers[i - 1];
            continue;
        }
        numbers[i] = linnet_names_put(names, name->text, name->size, name->hash);
        if (numbers[i] == LINNET_NO_NAME) return -1;
    }
    return 0;
}

/* Among names that came in order. */
static uint32_t search(const struct linnet_names *names, const char *text, size_t size) {
    uint32_t low = 0, high = names->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int after = order(names, text, size, middle);
        if (after == 0) return middle;
        if (after > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return LINNET_NO_NAME;
}

uint32_t linnet_names_find(const struct linnet_names *names, const char *text, size_t size) {
    if (!names->slots) return search(names, text, size);
    return names->slots[probe(names, text, size, linnet_name_hash(text, size))].number;
}
