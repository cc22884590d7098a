/* A model's classes as taxa of the backbone. */
#ifndef LINNET_CLI_LABELS_H
#define LINNET_CLI_LABELS_H

#include <jansson.h>

#include "common/taxonomy/taxonomy.h"

struct linnet_labels {
    json_t *taxa;     /* a taxon id or null for each class, in order */
    json_t *unmapped; /* the names that the backbone lacks */
    json_t *synonyms; /* {name: accepted name} of the names that were synonyms */
};

/* Read the classes from a CSV file with a header, a class a row, in the order of the model's output: the
 * column `taxon` (ids), else `scientificName`, `name`, `label`, `species`, else the last column. Underscores
 * count as spaces; synonyms go to their accepted name. LINNET_E_IO, LINNET_E_PARSE, LINNET_E_NOMEM. */
int linnet_labels_load(const char *path, const struct linnet_taxonomy *backbone, struct linnet_labels *out,
                       struct linnet_error *err);
void linnet_labels_done(struct linnet_labels *labels);

#endif
