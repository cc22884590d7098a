/* Texts and ids of a checklist: one arena, and a table that gives each id a number. Used by checklist.c and
 * resolve.c only. */
#ifndef LINNET_FLORA_TABLES_H
#define LINNET_FLORA_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "workers/flora/checklist.h"

/* Interned texts by number; open addressing. */
struct linnet_intern {
    uint32_t *texts; /* offset of each in the arena */
    uint32_t *names; /* what the owner keeps with each: the name that has this id; LINNET_NO_NAME at first */
    uint32_t count, capacity;
    uint32_t *slots;
    size_t mask;
};

struct linnet_checklist_tables {
    char *text; /* offset 0 is "" */
    size_t used, size;
    struct linnet_intern ids, words; /* words: families, languages: few and often */
    struct linnet_intern areas;
    uint32_t names_capacity;
    size_t vernacular_capacity, presences_capacity;
};

/* Keep a text; its offset in *out. LINNET_E_LIMIT beyond 4 GiB of text, LINNET_E_NOMEM. */
int linnet_tables_keep(struct linnet_checklist_tables *tables, const char *text, uint32_t *out);
/* The number of a text, given one if it has none. As linnet_tables_keep. */
int linnet_tables_intern(struct linnet_checklist_tables *tables, struct linnet_intern *intern,
                         const char *text, uint32_t *out);
/* The number of a text; LINNET_NO_NAME if it has none. */
uint32_t linnet_tables_find(const struct linnet_checklist_tables *tables, const struct linnet_intern *intern,
                            const char *text);
void linnet_intern_done(struct linnet_intern *intern);

#endif
