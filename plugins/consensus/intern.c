#include "plugins/consensus/intern.h"

#include <stdlib.h>
#include <string.h>

void intern_init(struct intern *intern, uint32_t width) {
    *intern = (struct intern){.width = width};
}

void intern_done(struct intern *intern) {
    free(intern->text);
    free(intern->offsets);
    free(intern->table);
    *intern = (struct intern){0};
}

const char *intern_text(const struct intern *intern, uint32_t index) {
    return intern->text + (intern->width ? (size_t)index * intern->width : intern->offsets[index]);
}

static size_t length_of(const struct intern *intern, const char *text) {
    return intern->width ? intern->width : strlen(text);
}

/* FNV-1a, its upper half folded in: the table takes the lowest bits. */
static uint32_t hash_of(const char *text, size_t length) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32);
}

static int is_same(const struct intern *intern, uint32_t index, const char *text, size_t length) {
    const char *known = intern_text(intern, index);
    return intern->width ? memcmp(known, text, length) == 0 : strcmp(known, text) == 0;
}

/* Where the text is in the table, or the free bucket where it belongs. */
static uint32_t bucket_of(const struct intern *intern, const char *text, size_t length) {
    uint32_t at = hash_of(text, length) & (intern->buckets - 1);
    while (intern->table[at] && !is_same(intern, intern->table[at] - 1, text, length))
        at = (at + 1) & (intern->buckets - 1);
    return at;
}

static int grow_table(struct intern *intern) {
    if (intern->buckets && intern->size < intern->buckets / 4 * 3) return 0;
    uint32_t *old = intern->table, buckets = intern->buckets ? intern->buckets * 2 : 64;
    uint32_t *table = calloc(buckets, sizeof *table);
    if (!table) return -1;
    intern->table = table;
    intern->buckets = buckets;
    for (uint32_t i = 0; i < intern->size; i++) {
        const char *text = intern_text(intern, i);
        intern->table[bucket_of(intern, text, length_of(intern, text))] = i + 1;
    }
    free(old);
    return 0;
}

static int grow_text(struct intern *intern, size_t more) {
    if (intern->used + more <= intern->room) return 0;
    size_t room = (intern->room ? intern->room * 2 : 1024) + more;
    char *text = realloc(intern->text, room);
    if (!text) return -1;
    intern->text = text;
    intern->room = room;
    return 0;
}

static int grow_offsets(struct intern *intern) {
    if (intern->width || intern->size < intern->offset_capacity) return 0;
    uint32_t capacity = intern->offset_capacity ? intern->offset_capacity * 2 : 64;
    size_t *offsets = realloc(intern->offsets, capacity * sizeof *offsets);
    if (!offsets) return -1;
    intern->offsets = offsets;
    intern->offset_capacity = capacity;
    return 0;
}

uint32_t intern_put(struct intern *intern, const char *text) {
    size_t length = length_of(intern, text), more = length + !intern->width;
    if (grow_table(intern) != 0) return INTERN_NONE;
    uint32_t at = bucket_of(intern, text, length);
    if (intern->table[at]) return intern->table[at] - 1;
    if (grow_text(intern, more) != 0 || grow_offsets(intern) != 0) return INTERN_NONE;
    memcpy(intern->text + intern->used, text, more);
    if (!intern->width) intern->offsets[intern->size] = intern->used;
    intern->used += more;
    intern->table[at] = ++intern->size;
    return intern->size - 1;
}

uint32_t intern_find(const struct intern *intern, const char *text) {
    if (!intern->buckets) return INTERN_NONE;
    uint32_t at = bucket_of(intern, text, length_of(intern, text));
    return intern->table[at] ? intern->table[at] - 1 : INTERN_NONE;
}
