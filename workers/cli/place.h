/* The place of an observation as it may be public: rounded, with the exact one sealed to the site's key. */
#ifndef LINNET_CLI_PLACE_H
#define LINNET_CLI_PLACE_H

#include <jansson.h>

#include "common/base/error.h"

/* Degrees that a public place is rounded to. */
#define LINNET_PLACE_STEP 0.2

/* {decimalLatitude, decimalLongitude, coordinateUncertaintyInMeters, sealed}: `public_key` is base64 of a
 * libsodium box key, NULL: nothing is sealed and the exact place is not kept. New reference. LINNET_E_INVALID
 * for a bad key or degrees that are no place, LINNET_E_NOMEM. */
int linnet_place_seal(double latitude, double longitude, const char *public_key, json_t **out,
                      struct linnet_error *err);
/* The same of degrees as people write them, with a decimal point. */
int linnet_place_read(const char *latitude, const char *longitude, const char *public_key, json_t **out,
                      struct linnet_error *err);

#endif
