#include "workers/worker/table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"

void linnet_table_init(struct linnet_table *table, const char *(*key)(const void *value)) {
    *table = (struct linnet_table){.key = key};
}

void linnet_table_done(struct linnet_table *table) {
    free(table->slots);
    table->slots = NULL;
    table->count = table->mask = 0;
}

static uint64_t hash_of(const char *key) {
    uint64_t h = linnet_hash(key, strlen(key));
    return h ^ (h >> 29);
}

/* Where `key` stands, or the empty slot where it would. */
static size_t find(const struct linnet_table *table, const char *key, uint64_t hash) {
    size_t i = hash & table->mask;
    for (; table->slots[i].value; i = (i + 1) & table->mask)
        if (table->slots[i].hash == hash && strcmp(table->key(table->slots[i].value), key) == 0) break;
    return i;
}

void *linnet_table_get(const struct linnet_table *table, const char *key) {
    return table->count ? table->slots[find(table, key, hash_of(key))].value : NULL;
}

static int grow(struct linnet_table *table) {
    size_t size = table->slots ? 2 * (table->mask + 1) : 64;
    struct linnet_table_slot *slots = calloc(size, sizeof(*slots));
    if (!slots) return LINNET_E_NOMEM;
    for (size_t i = 0; table->slots && i <= table->mask; i++) {
        if (!table->slots[i].value) continue;
        size_t at = table->slots[i].hash & (size - 1);
        while (slots[at].value)
            at = (at + 1) & (size - 1);
        slots[at] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->mask = size - 1;
    return 0;
}

int linnet_table_put(struct linnet_table *table, void *value) {
    if (!table->slots || 4 * (table->count + 1) > 3 * (table->mask + 1)) {
        int rc = grow(table);
        if (rc) return rc;
    }
    const char *key = table->key(value);
    uint64_t hash = hash_of(key);
    table->slots[find(table, key, hash)] = (struct linnet_table_slot){hash, value};
    table->count++;
    return 0;
}

void *linnet_table_take(struct linnet_table *table, const char *key) {
    if (!table->count) return NULL;
    size_t hole = find(table, key, hash_of(key));
    void *value = table->slots[hole].value;
    if (!value) return NULL;
    /* Shift back what probed past the hole. */
    for (size_t i = (hole + 1) & table->mask; table->slots[i].value; i = (i + 1) & table->mask) {
        size_t home = table->slots[i].hash & table->mask;
        if (((i - home) & table->mask) < ((i - hole) & table->mask)) continue;
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].value = NULL;
    table->count--;
    return value;
}

void *linnet_table_next(const struct linnet_table *table, size_t *at) {
    while (table->slots && *at <= table->mask) {
        void *value = table->slots[(*at)++].value;
        if (value) return value;
    }
    return NULL;
}
