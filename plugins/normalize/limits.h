/* How much a picture may ask of us. */
#ifndef LINNET_NORMALIZE_LIMITS_H
#define LINNET_NORMALIZE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "plugins/normalize/header.h"

struct normalize_limits {
    uint64_t bytes;  /* of the file */
    uint64_t pixels; /* width x height */
    uint64_t memory; /* bytes that the decoder may have to hold at once */
    uint32_t pages;  /* pictures in one file */
    uint32_t scans;  /* passes of a progressive JPEG */
    uint32_t ms; /* of decoding; both by the clock and in CPU time, so that a machine that was asleep does no
                    harm */
};

/* Is a file too large to be looked at? 0, or -1 with a sentence in why. Any thread. */
int normalize_limits_check_bytes(const struct normalize_limits *limits, size_t bytes, char *why,
                                 size_t why_size);
/* Does a header ask for too much? 0, or -1 with a sentence in why. Any thread. */
int normalize_limits_check_header(const struct normalize_limits *limits,
                                  const struct normalize_header *header, char *why, size_t why_size);

#endif
