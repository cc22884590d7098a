#include "workers/flora/tables.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"

int linnet_tables_keep(struct linnet_checklist_tables *tables, const char *text, uint32_t *out) {
    size_t size = strlen(text) + 1;
    if (size == 1) {
        *out = 0;
        return 0;
    }
    if (tables->used + size > UINT32_MAX) return LINNET_E_LIMIT;
    if (tables->used + size > tables->size) {
        size_t wanted = tables->size ? tables->size + tables->size / 2 : (size_t)1 << 16;
        if (wanted < tables->used + size) wanted = tables->used + size;
        char *wider = realloc(tables->text, wanted);
        if (!wider) return LINNET_E_NOMEM;
        tables->text = wider;
        tables->size = wanted;
    }
    memcpy(tables->text + tables->used, text, size);
    *out = (uint32_t)tables->used;
    tables->used += size;
    return 0;
}

static size_t slot_of(const struct linnet_checklist_tables *tables, const struct linnet_intern *intern,
                      const char *text) {
    size_t slot = linnet_hash(text, strlen(text)) & intern->mask;
    while (intern->slots[slot] != LINNET_NO_NAME &&
           strcmp(tables->text + intern->texts[intern->slots[slot]], text) != 0)
        slot = (slot + 1) & intern->mask;
    return slot;
}

uint32_t linnet_tables_find(const struct linnet_checklist_tables *tables, const struct linnet_intern *intern,
                            const char *text) {
    return intern->slots ? intern->slots[slot_of(tables, intern, text)] : LINNET_NO_NAME;
}

/* Room for one more, at least half the slots free. */
static int make_room(const struct linnet_checklist_tables *tables, struct linnet_intern *intern) {
    if (intern->count < intern->capacity) return 0;
    uint32_t capacity = intern->capacity ? intern->capacity * 2 : 1024;
    uint32_t *texts = realloc(intern->texts, capacity * sizeof *texts);
    if (!texts) return LINNET_E_NOMEM;
    intern->texts = texts;
    uint32_t *names = realloc(intern->names, capacity * sizeof *names);
    if (!names) return LINNET_E_NOMEM;
    intern->names = names;
    uint32_t *slots = malloc((size_t)capacity * 2 * sizeof *slots);
    if (!slots) return LINNET_E_NOMEM;
    memset(slots, 0xff, (size_t)capacity * 2 * sizeof *slots);
    free(intern->slots);
    intern->slots = slots;
    intern->mask = (size_t)capacity * 2 - 1;
    intern->capacity = capacity;
    for (uint32_t i = 0; i < intern->count; i++)
        slots[slot_of(tables, intern, tables->text + intern->texts[i])] = i;
    return 0;
}

int linnet_tables_intern(struct linnet_checklist_tables *tables, struct linnet_intern *intern,
                         const char *text, uint32_t *out) {
    int error = make_room(tables, intern);
    if (error) return error;
    size_t slot = slot_of(tables, intern, text);
    if (intern->slots[slot] == LINNET_NO_NAME) {
        error = linnet_tables_keep(tables, text, &intern->texts[intern->count]);
        if (error) return error;
        intern->names[intern->count] = LINNET_NO_NAME;
        intern->slots[slot] = intern->count++;
    }
    *out = intern->slots[slot];
    return 0;
}

void linnet_intern_done(struct linnet_intern *intern) {
    free(intern->texts);
    free(intern->names);
    free(intern->slots);
    *intern = (struct linnet_intern){0};
}
