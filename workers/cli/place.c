#include "workers/cli/place.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half the diagonal of a cell of LINNET_PLACE_STEP degrees at this latitude, on a sphere of 6,371,009 m. */
static double uncertainty(double latitude) {
    double degree = 6371009.0 * M_PI / 180;
    return ceil(hypot(degree, degree * cos(latitude * M_PI / 180)) * LINNET_PLACE_STEP / 2);
}

static double rounded(double degrees) {
    return round(round(degrees / LINNET_PLACE_STEP) * LINNET_PLACE_STEP * 10) / 10;
}

static int seal(const char *public_key, double latitude, double longitude, char *out, size_t size,
                struct linnet_error *err) {
    unsigned char key[crypto_box_PUBLICKEYBYTES], box[256];
    char text[160];
    size_t length;
    if (sodium_base642bin(key, sizeof key, public_key, strlen(public_key), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length != sizeof key)
        return linnet_error_set(err, LINNET_E_INVALID, "the site's public key is no base64 of %zu bytes",
                                sizeof key);
    int n =
        snprintf(text, sizeof text,
                 "{\"decimalLatitude\":%.7f,\"decimalLongitude\":%.7f,\"coordinateUncertaintyInMeters\":30}",
                 latitude, longitude);
    crypto_box_seal(box, (const unsigned char *)text, (unsigned long long)n, key);
    sodium_bin2base64(out, size, box, (size_t)n + crypto_box_SEALBYTES, sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

int linnet_place_seal(double latitude, double longitude, const char *public_key, json_t **out,
                      struct linnet_error *err) {
    char sealed[512] = "";
    if (!(fabs(latitude) <= 90) || !(fabs(longitude) <= 180))
        return linnet_error_set(err, LINNET_E_INVALID, "no place has latitude %g and longitude %g", latitude,
                                longitude);
    int error = public_key ? seal(public_key, latitude, longitude, sealed, sizeof sealed, err) : 0;
    if (error) return error;
    json_t *place = json_pack("{s:f, s:f, s:f}", "decimalLatitude", rounded(latitude), "decimalLongitude",
                              rounded(longitude), "coordinateUncertaintyInMeters", uncertainty(latitude));
    if (!place) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (*sealed) json_object_set_new(place, "sealed", json_string(sealed));
    *out = place;
    return 0;
}

static int degrees(const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    while (*end == ' ')
        end++;
    if (end == text || *end != '\0') return LINNET_E_INVALID;
    *out = value;
    return 0;
}

int linnet_place_read(const char *latitude, const char *longitude, const char *public_key, json_t **out,
                      struct linnet_error *err) {
    double north, east;
    if (degrees(latitude, &north) != 0 || degrees(longitude, &east) != 0)
        return linnet_error_set(err, LINNET_E_INVALID, "\"%s\", \"%s\": decimal degrees are wanted", latitude,
                                longitude);
    return linnet_place_seal(north, east, public_key, out, err);
}
