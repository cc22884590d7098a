/* Is a picture the one that its id names? */
#ifndef LINNET_NORMALIZE_DIGEST_H
#define LINNET_NORMALIZE_DIGEST_H

#include <stddef.h>

/* 0 if `name` is the SHA-256 of the bytes in lower-case hexadecimal, else -1 with a sentence in why. Any
 * thread. */
int normalize_digest_check(const char *name, const void *data, size_t size, char *why, size_t why_size);

#endif
