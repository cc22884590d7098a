/* ULIDs (https://github.com/ulid/spec): 26 characters of Crockford's base 32, 48 bits of Unix milliseconds first. */
#ifndef LINNET_BASE_ULID_H
#define LINNET_BASE_ULID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINNET_ULID_SIZE 27 /* 26 characters and a NUL */

/* A new one, now, 80 random bits from libsodium. Any thread. */
void linnet_ulid_new(char out[LINNET_ULID_SIZE]);
/* One from a given time and given random bits (tests, seeded generators). */
void linnet_ulid_make(uint64_t unix_ms, const uint8_t random[10], char out[LINNET_ULID_SIZE]);
/* True if the first `size` bytes are a ULID in canonical (upper) case. */
bool linnet_ulid_valid(const char *text, size_t size);

#endif
