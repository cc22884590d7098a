#include "common/base/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"

enum { SEALED_MAX = 4096 };

int linnet_site_key_load(const char *path, struct linnet_site_key *out, struct linnet_error *err) {
    char text[128] = "";
    size_t length = 0;
    struct linnet_site_key key;
    FILE *file = fopen(path, "re");
    if (!file)
        return linnet_error_set(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    char *line = fgets(text, sizeof text, file);
    fclose(file);
    if (line) text[strcspn(text, "\r\n")] = '\0';
    int bad = !line || sodium_base642bin(key.secret, sizeof key.secret, text, strlen(text), NULL, &length,
                                         NULL, sodium_base64_VARIANT_ORIGINAL) != 0;
    sodium_memzero(text, sizeof text);
    if (bad || length != sizeof key.secret)
        return linnet_error_set(
            err, LINNET_E_PARSE,
            "%s is no key of a site (one line of base64, as `linnet init --site-key` makes it)", path);
    crypto_scalarmult_base(key.public_, key.secret);
    *out = key;
    return 0;
}

int linnet_site_key_make(const char *path, struct linnet_site_key *out, struct linnet_error *err) {
    struct linnet_site_key key;
    char text[64];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return linnet_error_set(err, errno == EEXIST ? LINNET_E_EXISTS : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    crypto_box_keypair(key.public_, key.secret);
    sodium_bin2base64(text, sizeof text, key.secret, sizeof key.secret, sodium_base64_VARIANT_ORIGINAL);
    size_t length = strlen(text);
    text[length++] = '\n';
    int failed = write(fd, text, length) != (ssize_t)length || fsync(fd) != 0;
    int saved = errno;
    failed |= close(fd) != 0;
    sodium_memzero(text, sizeof text);
    if (failed) {
        unlink(path);
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(saved));
    }
    *out = key;
    return 0;
}

void linnet_site_key_public(const struct linnet_site_key *key, char out[LINNET_PUBLIC_KEY_SIZE]) {
    sodium_bin2base64(out, LINNET_PUBLIC_KEY_SIZE, key->public_, sizeof key->public_,
                      sodium_base64_VARIANT_ORIGINAL);
}

json_t *linnet_unseal(const struct linnet_site_key *key, const char *sealed) {
    unsigned char box[SEALED_MAX], text[SEALED_MAX];
    size_t length;
    json_t *json = NULL;
    if (sodium_base642bin(box, sizeof box, sealed, strlen(sealed), NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    if (length < crypto_box_SEALBYTES ||
        crypto_box_seal_open(text, box, length, key->public_, key->secret) != 0)
        return NULL;
    return linnet_json_parse((const char *)text, length - crypto_box_SEALBYTES, 8, &json, NULL) == 0 ? json
                                                                                                     : NULL;
}
