/* Untrusted bytes to a small sRGB picture in memory: decoded once, at the scale that is needed, within
 * limits. */
#ifndef LINNET_NORMALIZE_DECODE_H
#define LINNET_NORMALIZE_DECODE_H

#include <linnet/plugin.h>
#include <vips/vips.h>

#include "plugins/normalize/header.h"
#include "plugins/normalize/limits.h"
#include "plugins/normalize/sizes.h"

struct normalize_decoded {
    VipsImage
        *image; /* sRGB, 8 bits, three bands, oriented, without metadata, in memory; the caller unrefs it */
    struct normalize_extent original; /* of the whole picture, oriented */
};

/* Set libvips up for untrusted pictures, once a process: one thread per call, no cache, every loader blocked
 * but JPEG, PNG and WebP, and HEIF if it is asked for. 0, or -1 with a sentence in why. Any thread. */
int normalize_decode_setup(bool heif, char *why, size_t why_size);
/* Decode `size` bytes whose header was read and found within limits, to the largest of `sizes`. LINNET_OK, or
 * how the item ends, with a sentence in why; *out is untouched then. Any thread, several at once. */
enum linnet_verdict normalize_decode(const void *data, size_t size, const struct normalize_header *header,
                                     const struct normalize_limits *limits,
                                     const struct normalize_size sizes[NORMALIZE_SIZES],
                                     struct normalize_decoded *out, char *why, size_t why_size);

#endif
