/* Strings as dense indexes: users, taxa and observations are numbers everywhere inside this plugin.
 * Owned by one thread. Indexes are given in order of first sight and never change. */
#ifndef CONSENSUS_INTERN_H
#define CONSENSUS_INTERN_H

#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern_entry;

struct intern {
    struct intern_entry *table; /* uthash by string */
    struct intern_entry **entries;
    uint32_t size, capacity;
};

void intern_init(struct intern *intern);
void intern_done(struct intern *intern);
/* The index of `text`, given one if it is new; INTERN_NONE when out of memory. */
uint32_t intern_put(struct intern *intern, const char *text);
/* The index of `text`, INTERN_NONE if it was never put. */
uint32_t intern_find(const struct intern *intern, const char *text);
/* The string of an index. Lives as long as the table. */
const char *intern_text(const struct intern *intern, uint32_t index);

#endif
