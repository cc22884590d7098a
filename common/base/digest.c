#include "common/base/digest.h"

#include <string.h>

void linnet_digest_init(struct linnet_digest *digest) {
    sha256_init(&digest->state);
}

void linnet_digest_update(struct linnet_digest *digest, const void *data, size_t size) {
    sha256_update(&digest->state, size, data);
}

void linnet_digest_update_string(struct linnet_digest *digest, const char *text) {
    /* 0xff starts no UTF-8 text, so a missing string is told from every string. */
    if (text)
        linnet_digest_update(digest, text, strlen(text) + 1);
    else
        linnet_digest_update(digest, "\xff", 1);
}

void linnet_digest_final(struct linnet_digest *digest, char out[LINNET_DIGEST_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[SHA256_DIGEST_SIZE];
    sha256_digest(&digest->state, sizeof raw, raw);
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[LINNET_DIGEST_SIZE - 1] = '\0';
}

void linnet_digest_bytes(const void *data, size_t size, char out[LINNET_DIGEST_SIZE]) {
    struct linnet_digest digest;
    linnet_digest_init(&digest);
    linnet_digest_update(&digest, data, size);
    linnet_digest_final(&digest, out);
}

bool linnet_digest_valid(const char *text) {
    return strspn(text, "0123456789abcdef") == LINNET_DIGEST_SIZE - 1 && text[LINNET_DIGEST_SIZE - 1] == '\0';
}

uint64_t linnet_hash(const void *data, size_t size) {
    const unsigned char *bytes = data;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}
