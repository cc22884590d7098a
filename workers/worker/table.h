/* A table of things by a text that they hold themselves. Belongs to one thread. */
#ifndef LINNET_WORKER_TABLE_H
#define LINNET_WORKER_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct linnet_table {
    struct linnet_table_slot {
        uint64_t hash;
        void *value; /* NULL: empty */
    } * slots;
    size_t count, mask;
    const char *(*key)(const void *value);
};

/* `key` says under which text a value stands. No allocation yet. */
void linnet_table_init(struct linnet_table *table, const char *(*key)(const void *value));
/* The values stay the caller's. */
void linnet_table_done(struct linnet_table *table);
void *linnet_table_get(const struct linnet_table *table, const char *key);
/* Put a value whose key is not there yet. LINNET_E_NOMEM. */
int linnet_table_put(struct linnet_table *table, void *value);
/* Take one out; NULL if it is not there. */
void *linnet_table_take(struct linnet_table *table, const char *key);
/* Walk: the next value at or after *at, NULL at the end. The table must not change meanwhile. */
void *linnet_table_next(const struct linnet_table *table, size_t *at);

#endif
