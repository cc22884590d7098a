/* One observation as people read it: its documents put together. */
#ifndef LINNET_CLI_STORY_H
#define LINNET_CLI_STORY_H

#include <jansson.h>
#include <stdio.h>

#include "workers/cli/store.h"

/* Names of taxa, looked up once each. */
struct linnet_names;
struct linnet_names *linnet_names_new(struct linnet_store *store);
void linnet_names_free(struct linnet_names *names);
/* The scientific name of a taxon id, else the id itself. Lives as long as `names`. */
const char *linnet_names_of(struct linnet_names *names, const char *taxon);

/* The document of `kind` (and qualifier, may be NULL) among the documents of an observation; borrowed, NULL
 * if there is none. */
json_t *linnet_story_find(const json_t *documents, const char *kind, const char *qualifier);
/* Print it all: views, predictions, identification, votes, and why the consensus is what it is. `letters`:
 * dead letters of it, an array. */
void linnet_story_print(FILE *out, const char *ulid, const json_t *documents, const json_t *letters,
                        struct linnet_names *names);
/* Dead letters of an observation: a new array. */
int linnet_story_letters(struct linnet_store *store, const json_t *documents, const char *ulid, json_t **out,
                         struct linnet_error *err);

#endif
