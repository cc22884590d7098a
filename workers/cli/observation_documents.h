/* The documents that an app writes for one observation: observation, images, validations. */
#ifndef LINNET_CLI_OBSERVATION_DOCUMENTS_H
#define LINNET_CLI_OBSERVATION_DOCUMENTS_H

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/ulid.h"
#include "workers/cli/photo.h"

enum { LINNET_VIEWS_MAX = 10 };

/* What is known of an observation before it is one. Strings are borrowed; NULL or "" where nothing is known.
 */
struct linnet_draft {
    char ulid[LINNET_ULID_SIZE];
    const char *observer;
    const char *observed_at; /* RFC 3339; else the first picture's EXIF, else now */
    const char *created_at;  /* RFC 3339, else now */
    const char *flora;
    const char *proposed; /* taxon id */
    const char *licence;  /* else CC-BY-4.0 */
    json_t *location;     /* borrowed, NULL if none */
    const char *organs[LINNET_VIEWS_MAX];
    const struct linnet_photo *photos;
    size_t nphotos;
};

/* A new array: the image documents with their bytes inline, then the observation. LINNET_E_INVALID,
 * LINNET_E_NOMEM. */
int linnet_draft_documents(const struct linnet_draft *draft, json_t **out, struct linnet_error *err);

#endif
