/* The other direction of local.c: documents and attachments into a folder that can be loaded again. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "workers/cli/local.h"

static int write_file(const char *path, const void *data, size_t size, struct linnet_error *err) {
    FILE *file = fopen(path, "we");
    bool written = file && fwrite(data, 1, size, file) == size;
    if (file && fclose(file)) written = false;
    return written ? 0 : linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
}

int linnet_local_save(const char *folder, const char *id, const json_t *document, struct linnet_error *err) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s.json", folder, id) >= (int)sizeof(path))
        return linnet_error_set(err, LINNET_E_LIMIT, "%s: the path is too long", id);
    char *text = json_dumps(document, JSON_INDENT(2));
    int rc = text ? write_file(path, text, strlen(text), err)
                  : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    free(text);
    return rc;
}

int linnet_local_save_blob(const char *folder, const char *id, const char *name,
                           const struct linnet_bytes *bytes, struct linnet_error *err) {
    char path[PATH_MAX];
    if (strchr(name, '/') || !strcmp(name, "..") || !strcmp(name, "."))
        return linnet_error_set(err, LINNET_E_INVALID, "%s: an attachment cannot be named \"%s\" here", id,
                                name);
    if (snprintf(path, sizeof(path), "%s/%s/%s", folder, id, name) >= (int)sizeof(path))
        return linnet_error_set(err, LINNET_E_LIMIT, "%s: the path is too long", id);
    snprintf(path, sizeof(path), "%s/%s", folder, id);
    if (mkdir(path, 0777) && errno != EEXIST)
        return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    snprintf(path, sizeof(path), "%s/%s/%s", folder, id, name);
    return write_file(path, bytes->data, bytes->size, err);
}

int linnet_local_save_all(const char *folder, const struct linnet_observation *observation,
                          struct linnet_error *err) {
    int rc = 0;
    for (size_t i = 0; !rc && i < observation->ndocs; i++) {
        const struct linnet_held_doc *doc = &observation->docs[i];
        rc = linnet_local_save(folder, doc->id, doc->json, err);
        for (size_t b = 0; !rc && b < doc->nblobs; b++)
            rc = linnet_local_save_blob(folder, doc->id, doc->blobs[b].name, doc->blobs[b].bytes, err);
    }
    return rc;
}
