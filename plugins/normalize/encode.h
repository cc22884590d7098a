/* A decoded picture to the JPEGs that are kept of it. */
#ifndef LINNET_NORMALIZE_ENCODE_H
#define LINNET_NORMALIZE_ENCODE_H

#include "plugins/normalize/decode.h"

struct normalize_encoded {
    struct normalize_extent extent;
    void *data; /* a baseline JPEG without metadata; normalize_encoded_done frees it */
    size_t size;
};

/* Make one size of a picture. LINNET_OK, or how the item ends with a sentence in why; *out is untouched then.
 * Any thread. */
enum linnet_verdict normalize_encode(const struct normalize_decoded *picture,
                                     const struct normalize_size *size, struct normalize_encoded *out,
                                     char *why, size_t why_size);
/* Free the bytes. Zero-filled memory is safe. */
void normalize_encoded_done(struct normalize_encoded *encoded);

#endif
