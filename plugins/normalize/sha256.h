/* SHA-256 of a whole picture, by the processor's own instructions where it has them: of a photograph of 4 MB
 * in 2 ms and not in 12, which would be the largest part of what the stage does itself. */
#ifndef LINNET_NORMALIZE_SHA256_H
#define LINNET_NORMALIZE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NORMALIZE_SHA256_SIZE 32

/* The digest of `size` bytes. Any thread. */
void normalize_sha256(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]);

/* The two ways, apart for tests: libsodium's, and the processor's (false: it has none, *out is untouched). */
void normalize_sha256_portable(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]);
bool normalize_sha256_native(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]);

/* 0 if `name` is the digest of the bytes in lower-case hexadecimal, else -1 with a sentence in why. Any
 * thread. */
int normalize_sha256_check(const char *name, const void *data, size_t size, char *why, size_t why_size);

#endif
