#include "tests/data/hostile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/digest.h"
#include "tests/data/options.h"

/* Write a file and describe it; `entry` is taken. */
static void add(struct corpus *corpus, json_t *entry, const char *file, const char *expected,
                const char *also, const char *what, const struct bytes *bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", corpus->folder, file);
    if (corpus->failed || !entry || linnet_flora_bytes_save(bytes, path)) {
        if (!corpus->failed) linnet_flora_complain("hostile", "%s: %s", path, strerror(errno));
        corpus->failed = true;
        json_decref(entry);
        return;
    }
    json_object_set_new(entry, "file", json_string(file));
    json_object_set_new(entry, "what", json_string(what));
    json_object_set_new(entry, "bytes", json_integer((json_int_t)bytes->size));
    json_object_set_new(entry, "expected", json_string(expected));
    if (also) json_object_set_new(entry, "also", json_string(also));
    json_array_append_new(corpus->manifest, entry);
}

void linnet_flora_hostile_picture(struct corpus *corpus, const char *name, const char *type,
                                  const char *expected, const char *also, const char *what,
                                  struct bytes *bytes, const char *digest) {
    char file[256], own[LINNET_DIGEST_SIZE];
    snprintf(file, sizeof file, "pictures/%s", name);
    linnet_digest_bytes(bytes->data, bytes->size, own);
    add(corpus,
        json_pack("{s:s, s:s, s:s}", "kind", "picture", "content_type", type, "digest",
                  digest ? digest : own),
        file, expected, also, what, bytes);
    linnet_flora_bytes_free(bytes);
}

void linnet_flora_hostile_document(struct corpus *corpus, const char *name, const char *id,
                                   const char *expected, const char *also, const char *what, const void *body,
                                   size_t size) {
    char file[256];
    struct bytes bytes = {NULL, 0};
    snprintf(file, sizeof file, "documents/%s.json", name);
    if (linnet_flora_bytes_add(&bytes, body, size)) corpus->failed = true;
    add(corpus, json_pack("{s:s, s:s}", "kind", "document", "id", id), file, expected, also, what, &bytes);
    linnet_flora_bytes_free(&bytes);
}
