/* The list of what to train on: CSV (RFC 4180), a picture a line, in order of observation. */
#ifndef RETRAIN_MANIFEST_H
#define RETRAIN_MANIFEST_H

#include <stddef.h>

#include "plugins/retrain/tally.h"

/* observation,image,organ,taxon,scientificName,observer. The observer's random id is there so that splits can
 * hold observers out. Returns text that the caller frees, NULL when out of memory; *rows the pictures. */
char *manifest_make(const struct tally *tally, size_t *size, size_t *rows);

#endif
