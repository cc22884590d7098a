#include "plugins/normalize/digest.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

int normalize_digest_check(const char *name, const void *data, size_t size, char *why, size_t why_size) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[2 * sizeof hash + 1];
    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    if (!strcmp(name, text)) return 0;
    snprintf(why, why_size, "the picture is not the one that its id names: its SHA-256 is %s", text);
    return -1;
}
