#include "workers/worker/attachment_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/md5.h"

int linnet_folder_make(const char *path, struct linnet_error *err) {
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return linnet_error_set(err, LINNET_E_IO, "the path %.64s... is too long", path);
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash != '\0') continue;
        char after = *slash;
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return linnet_error_set(err, LINNET_E_IO, "cannot make the folder %s: %s", part, strerror(errno));
        *slash = after;
        if (after == '\0') return 0;
    }
}

/* "md5-<base64>" in a form that is a file's name. False if the stub has no digest of that kind. */
static bool file_name(const json_t *stub, char out[64], uint8_t digest[16]) {
    const char *text = linnet_json_string(stub, "digest", "");
    size_t n;
    if (strncmp(text, "md5-", 4) != 0 ||
        sodium_base642bin(digest, 16, text + 4, strlen(text + 4), NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        n != 16)
        return false;
    memcpy(out, "md5-", 4); /* NOLINT(bugprone-not-null-terminated-result): the digits follow */
    sodium_bin2hex(out + 4, 60, digest, 16);
    return true;
}

bool linnet_attachment_cached(const char *folder, const json_t *stub, char path[PATH_MAX]) {
    char name[64];
    uint8_t digest[16];
    struct stat status;
    if (!file_name(stub, name, digest)) return false;
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) return false;
    return stat(path, &status) == 0 && status.st_size == linnet_json_integer(stub, "length", -1);
}

static int write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return LINNET_E_IO;
        data += n;
        size -= (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : LINNET_E_IO;
}

/* CouchDB keeps compressible types compressed and names them by the digest of that: only their length can be
 * checked. */
static bool kept_compressed(const json_t *stub) {
    const char *type = linnet_json_string(stub, "content_type", "");
    return strncmp(type, "text/", 5) == 0 || strstr(type, "json") || strstr(type, "xml") ||
           strstr(type, "javascript");
}

int linnet_attachment_cache(const char *folder, const json_t *stub, const void *data, size_t size,
                            struct linnet_error *err) {
    char path[PATH_MAX], aside[PATH_MAX + 32], name[64];
    uint8_t expected[16], actual[16];
    if (!file_name(stub, name, expected))
        return linnet_error_set(err, LINNET_E_BROKEN, "the attachment has no MD5 digest");
    linnet_md5(data, size, actual);
    if ((json_int_t)size != linnet_json_integer(stub, "length", -1) ||
        (memcmp(expected, actual, 16) != 0 && !kept_compressed(stub)))
        return linnet_error_set(err, LINNET_E_BROKEN,
                                "the attachment came with other bytes than its digest says (%zu bytes)",
                                size);
    linnet_attachment_cached(folder, stub, path);
    snprintf(aside, sizeof aside, "%s/.%s.XXXXXX", folder, name);
    int fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return linnet_error_set(err, LINNET_E_IO, "cannot write into %s: %s", folder, strerror(errno));
    int rc = write_all(fd, data, size);
    if (close(fd) != 0 || rc != 0 || rename(aside, path) != 0) {
        rc = linnet_error_set(err, LINNET_E_IO, "cannot write %s: %s", path, strerror(errno));
        unlink(aside);
    }
    return rc;
}
