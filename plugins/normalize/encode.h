/* A decoded picture to the JPEGs that are kept of it. */
#ifndef LINNET_NORMALIZE_ENCODE_H
#define LINNET_NORMALIZE_ENCODE_H

#include "plugins/normalize/decode.h"

struct normalize_encoded {
    struct normalize_extent extent;
    void *data; /* a baseline JPEG without metadata; normalize_encoded_done frees it */
    size_t size;
};

/* Make all sizes of a picture, the larger first and each from the one before, which is the cheapest: out[i]
 * is of sizes[i], empty where that is left out. LINNET_OK, or how the item ends with a sentence in why; `out`
 * is untouched then. Any thread. */
enum linnet_verdict normalize_encode(const struct normalize_decoded *picture,
                                     const struct normalize_size sizes[NORMALIZE_SIZES],
                                     struct normalize_encoded out[NORMALIZE_SIZES], char *why,
                                     size_t why_size);
/* Free the bytes of all. Zero-filled memory is safe. */
void normalize_encoded_done(struct normalize_encoded encoded[NORMALIZE_SIZES]);

#endif
