/* A photograph from disk as the app would send it: what its EXIF says is read, then all metadata is cut off
 * without touching a pixel. */
#ifndef LINNET_CLI_PHOTO_H
#define LINNET_CLI_PHOTO_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct linnet_photo {
    void *data; /* owned, stripped */
    size_t size;
    char digest[65];          /* SHA-256 of `data`: the image's id */
    const char *content_type; /* static: image/jpeg, image/png, image/webp */
    bool located;
    double latitude, longitude; /* degrees, WGS 84, of the EXIF */
    char taken_at[25];          /* RFC 3339, "" if the EXIF does not tell */
};

/* Read it. LINNET_E_IO, LINNET_E_LIMIT (64 MiB), LINNET_E_UNSUPPORTED (no JPEG, PNG or WebP), LINNET_E_PARSE,
 * LINNET_E_NOMEM. */
int linnet_photo_load(const char *path, struct linnet_photo *out, struct linnet_error *err);
void linnet_photo_done(struct linnet_photo *photo);

#endif
