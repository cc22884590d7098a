/* Observations for stages to be tried on: from a folder, or made up from the examples of the schemas. */
#ifndef LINNET_CLI_SAMPLES_H
#define LINNET_CLI_SAMPLES_H

#include <stddef.h>

#include "common/base/error.h"
#include "workers/host/observation.h"

struct linnet_samples {
    struct linnet_observation *observations;
    size_t n;
};

/* Each entry of a folder is one observation: a .json file (linnet_local_load), a photograph, a folder of
 * these, or several .json files named after documents of one observation (as `linnet run --out` leaves them).
 * A path that is a file is the only one. LINNET_E_NOT_FOUND if there is none, and the errors of
 * linnet_local_load. */
int linnet_samples_load(const char *path, struct linnet_samples *out, struct linnet_error *err);
/* One observation with an example document of each kind that the schemas have, and a drawn picture for every
 * attachment (its digest in their ids). LINNET_E_NOT_FOUND: there are none.
 */
int linnet_samples_make(struct linnet_samples *out, struct linnet_error *err);
void linnet_samples_done(struct linnet_samples *samples);

/* A JPEG. */
extern const unsigned char linnet_sample_picture[];
extern const size_t linnet_sample_picture_size;

#endif
