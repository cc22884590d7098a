/* The site's key: exact places are sealed to its public half by apps (libsodium sealed boxes: X25519,
 * XSalsa20-Poly1305) and opened with its secret half by workers. The secret half is one line of base64 in a
 * file that only its owner may read. */
#ifndef LINNET_BASE_SEAL_H
#define LINNET_BASE_SEAL_H

#include <jansson.h>
#include <sodium.h>

#include "common/base/error.h"

#define LINNET_PUBLIC_KEY_SIZE 45 /* base64 of 32 bytes and a NUL */

struct linnet_site_key {
    unsigned char secret[crypto_box_SECRETKEYBYTES];
    unsigned char public_[crypto_box_PUBLICKEYBYTES];
};

/* Read a secret key's file. LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_PARSE. Wipe with sodium_memzero when
 * done. */
int linnet_site_key_load(const char *path, struct linnet_site_key *out, struct linnet_error *err);
/* Make a key and its file (mode 0600). LINNET_E_EXISTS if there is one; LINNET_E_IO. */
int linnet_site_key_make(const char *path, struct linnet_site_key *out, struct linnet_error *err);
/* The public half in base64. */
void linnet_site_key_public(const struct linnet_site_key *key, char out[LINNET_PUBLIC_KEY_SIZE]);
/* Open a sealed JSON text (base64): a new reference, NULL if it does not open or is no JSON. Any thread. */
json_t *linnet_unseal(const struct linnet_site_key *key, const char *sealed);

#endif
