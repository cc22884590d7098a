/* Cutting the metadata out of a picture without touching a pixel: positions, names, thumbnails, comments, and
 * whatever follows the picture's end (the film of a motion photo). What a picture needs to look right stays:
 * colour profile, orientation. */
#ifndef LINNET_PICTURE_STRIP_H
#define LINNET_PICTURE_STRIP_H

#include <stddef.h>

#include "common/base/error.h"

/* Strip a JPEG, PNG or WebP file held in memory. *out is the caller's, freed with free().
 * LINNET_E_UNSUPPORTED: another format; LINNET_E_PARSE, with words: a broken or truncated file;
 * LINNET_E_NOMEM. Outputs untouched on failure. Any thread. */
int linnet_strip(const void *data, size_t size, void **out, size_t *out_size, struct linnet_error *err);

/* The formats, one by one: `out` has room for `size` + 64 bytes; *used is what was written. */
int linnet_strip_jpeg(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                      struct linnet_error *err);
int linnet_strip_png(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                     struct linnet_error *err);
int linnet_strip_webp(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                      struct linnet_error *err);

#endif
