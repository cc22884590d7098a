/* Strings as dense indexes: users, observations, models are numbers everywhere inside this plugin.
 *
 * Owned by one thread. Indexes are given in order of first sight and never change. Costs the text, 8 bytes
 * and at most 16 bytes of table each; with a fixed width the text and the table alone. */
#ifndef CONSENSUS_INTERN_H
#define CONSENSUS_INTERN_H

#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern {
    uint32_t width; /* every text is so long; 0: of any length, ended by NUL */
    char *text;
    size_t used, room; /* of text */
    size_t *offsets;   /* NULL with a fixed width */
    uint32_t *table;   /* open addressing, index + 1; 0: free */
    uint32_t size, offset_capacity, buckets;
};

void intern_init(struct intern *intern, uint32_t width);
void intern_done(struct intern *intern);
/* The index of `text`, given one if it is new; INTERN_NONE when out of memory. */
uint32_t intern_put(struct intern *intern, const char *text);
/* The index of `text`, INTERN_NONE if it was never put. */
uint32_t intern_find(const struct intern *intern, const char *text);
/* The string of an index, not ended by NUL with a fixed width. Until the next put. */
const char *intern_text(const struct intern *intern, uint32_t index);

#endif
