/* Names looked up from the command line, in an index on disk or in one made of the store. */
#ifndef LINNET_CLI_FLORA_FIND_H
#define LINNET_CLI_FLORA_FIND_H

#include "common/taxonomy/lookup.h"
#include "workers/cli/store.h"

struct linnet_flora_find {
    const struct linnet_store_options *store; /* also: json */
    char **words;                             /* of one name */
    size_t nwords;
    size_t limit;
    const char *index, *language; /* NULL: none */
    bool prefix_only;
};

/* Find and print. LINNET_E_NOT_FOUND if nothing is like it. */
int linnet_flora_find(const struct linnet_flora_find *find, struct linnet_error *err);
/* Write an index of all names in the store. */
int linnet_flora_index(const struct linnet_store_options *options, const char *path,
                       struct linnet_error *err);
/* Build and save; the builder is empty after. */
int linnet_flora_save_index(struct linnet_lookup_builder *builder, const char *path,
                            struct linnet_error *err);

#endif
