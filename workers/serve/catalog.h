/* What can be listed of a snapshot of the reference documents: species by name, the languages of their names,
 * and all names as people type them. Made on libuv's pool, immutable after. */
#ifndef LINNET_SERVE_CATALOG_H
#define LINNET_SERVE_CATALOG_H

#include <jansson.h>
#include <uv.h>

#include "common/taxonomy/lookup.h"
#include "workers/host/references.h"

struct serve_catalog {
    struct linnet_references *references; /* own reference */
    uint32_t *species;                    /* accepted species, by name without regard to case */
    size_t n;
    json_t *languages;            /* sorted array; "en" is always among them */
    struct linnet_lookup *lookup; /* names of all taxa, synonyms and common names too */
};

/* Make one; `done` on the loop with it (the caller's), or NULL: out of memory. LINNET_E_NOMEM: `done` will
 * not be called. */
int serve_catalog_make(uv_loop_t *loop, struct linnet_references *references,
                       void (*done)(void *arg, struct serve_catalog *catalog), void *arg);
void serve_catalog_free(struct serve_catalog *catalog); /* NULL is safe */

/* The places [*first, *end) in `species` of those whose names begin with `prefix`, without regard to the case
 * of ASCII letters. */
void serve_catalog_prefix(const struct serve_catalog *catalog, const char *prefix, size_t *first,
                          size_t *end);

#endif
