/* Writing JPEG files, with the metadata that a telephone puts in. Bytes are the same on every machine:
 * libjpeg-turbo's "islow" transform is exact. */
#ifndef LINNET_FLORA_JPEG_H
#define LINNET_FLORA_JPEG_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/data/canvas.h"

struct bytes {
    uint8_t *data; /* owned, by malloc */
    size_t size;
};

void linnet_flora_bytes_free(struct bytes *bytes);
/* Append; 0 or -1 (no memory). */
int linnet_flora_bytes_add(struct bytes *bytes, const void *data, size_t size);
/* Write a file, whole or not at all (by a temporary name). 0, or -1 with errno. */
int linnet_flora_bytes_save(const struct bytes *bytes, const char *path);

struct exif {
    int orientation; /* 1 .. 8 as in the EXIF standard; 0: no such tag */
    bool located;
    double latitude, longitude;
    char taken[20];     /* "2026:05:03 10:21:00"; "" for none */
    const char *camera; /* NULL for none */
};

/* Encode with 4:2:0 (or, `full`, 4:4:4) chroma. `exif` may be NULL. 0, or -1 (no memory). */
int linnet_flora_jpeg_encode(const struct image *image, int quality, bool full, const struct exif *exif,
                             struct bytes *out);
/* An EXIF block ("Exif\0\0" and a TIFF) of at most 512 bytes. Returns its size. */
size_t linnet_flora_exif_block(const struct exif *exif, uint8_t out[512]);
/* Turn upright pixels so that `orientation` turns them back: what the camera's sensor saw. 0 or -1. */
int linnet_flora_orient(struct image *image, int orientation);

#endif
