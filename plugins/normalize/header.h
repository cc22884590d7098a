/* What a picture's header says of it, read by ourselves before any library sees a byte: how large it is, and
 * what decoding it would take. Nothing is decoded, nothing allocated. */
#ifndef LINNET_NORMALIZE_HEADER_H
#define LINNET_NORMALIZE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "plugins/normalize/sniff.h"

struct normalize_header {
    enum normalize_format format;
    uint32_t width,
        height; /* pixels as stored, before the orientation; 0 for HEIF, which only its library can tell */
    uint32_t pages; /* pictures in the file (frames of an animation); 1 for most */
    uint32_t scans; /* of a JPEG that comes in several passes over the picture; else 1 */
    uint64_t
        memory; /* bytes that a decoder has to hold at once because it can't go line by line; 0 if it can */
};

/* Read the header of `size` bytes of a `format`. 0, or -1 with a sentence for people in why[why_size] ("the
 * PNG ends early: …") if the file is damaged, cut off or of a kind that no camera makes. *out is untouched
 * then. Any thread. */
int normalize_header_read(enum normalize_format format, const void *data, size_t size,
                          struct normalize_header *out, char *why, size_t why_size);

#endif
