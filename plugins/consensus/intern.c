#include "plugins/consensus/intern.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct intern_entry {
    UT_hash_handle hh;
    uint32_t index;
    char text[];
};

void intern_init(struct intern *intern) {
    *intern = (struct intern){0};
}

void intern_done(struct intern *intern) {
    HASH_CLEAR(hh, intern->table);
    for (uint32_t i = 0; i < intern->size; i++)
        free(intern->entries[i]);
    free(intern->entries);
    *intern = (struct intern){0};
}

static int grow(struct intern *intern) {
    if (intern->size < intern->capacity) return 0;
    uint32_t capacity = intern->capacity ? intern->capacity * 2 : 64;
    struct intern_entry **entries = realloc(intern->entries, capacity * sizeof *entries);
    if (!entries) return -1;
    intern->entries = entries;
    intern->capacity = capacity;
    return 0;
}

uint32_t intern_put(struct intern *intern, const char *text) {
    uint32_t found = intern_find(intern, text);
    if (found != INTERN_NONE) return found;
    size_t length = strlen(text);
    struct intern_entry *entry = malloc(sizeof *entry + length + 1);
    if (!entry || grow(intern) != 0) {
        free(entry);
        return INTERN_NONE;
    }
    memset(&entry->hh, 0, sizeof entry->hh);
    memcpy(entry->text, text, length + 1);
    entry->index = intern->size;
    HASH_ADD_KEYPTR(hh, intern->table, entry->text, length, entry);
    if (!entry->hh.tbl) { /* HASH_NONFATAL_OOM leaves it out */
        free(entry);
        return INTERN_NONE;
    }
    intern->entries[intern->size] = entry;
    return intern->size++;
}

uint32_t intern_find(const struct intern *intern, const char *text) {
    struct intern_entry *entry = NULL;
    HASH_FIND(hh, intern->table, text, strlen(text), entry);
    return entry ? entry->index : INTERN_NONE;
}

const char *intern_text(const struct intern *intern, uint32_t index) {
    return intern->entries[index]->text;
}
