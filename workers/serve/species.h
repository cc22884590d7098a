/* Taxa as the API shows them. Pure functions of a snapshot of the reference documents; loop thread. */
#ifndef LINNET_SERVE_SPECIES_H
#define LINNET_SERVE_SPECIES_H

#include <jansson.h>

#include "workers/host/references.h"

/* {scientificNameWithoutAuthor, scientificNameAuthorship, scientificName} of a taxon; with the id as name if
 * the backbone lacks it. NULL: out of memory. */
json_t *serve_taxon_json(const struct linnet_references *references, const char *id);
/* The same with genus, family and commonNames in the language. */
json_t *serve_species_json(const struct linnet_references *references, const char *id, const char *lang);
/* Put gbif {id} and powo {id} into a result; their ids are null where they are not known. */
void serve_species_identifiers(const struct linnet_references *references, const char *id, json_t *result);
/* The vernacular names in a language (of "pt-BR" those of "pt" if there are none), an empty array if there
 * are none. New reference. */
json_t *serve_common_names(const struct linnet_references *references, const char *id, const char *lang);

#endif
