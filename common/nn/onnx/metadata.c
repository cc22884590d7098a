#include "common/nn/onnx/metadata.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nn/fail.h"

const char *linnet_onnx_metadata(const Onnx__ModelProto *model, const char *key) {
    const char *found = NULL;
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key && entry->value && !strcmp(entry->key, key)) found = entry->value;
    }
    return found;
}

/* A model of one text alone. Appended to a file it adds the text to it: a message's encoding goes on where
 * another ends, and what is repeated adds up (Protocol Buffers, "Encoding", last one wins). */
static uint8_t *pack_entry(const char *key, const char *text, size_t *size) {
    Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT, *entries = &entry;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    entry.key = (char *)key;
    entry.value = (char *)text;
    model.metadata_props = &entries;
    model.n_metadata_props = 1;
    *size = onnx__model_proto__get_packed_size(&model);
    uint8_t *bytes = malloc(*size);
    if (bytes) onnx__model_proto__pack(&model, bytes);
    return bytes;
}

static int write_both(FILE *out, const void *file, size_t size, const uint8_t *entry, size_t entry_size) {
    if (fwrite(file, 1, size, out) != size || fwrite(entry, 1, entry_size, out) != entry_size || fflush(out))
        return LINNET_E_IO;
    return fsync(fileno(out)) ? LINNET_E_IO : 0;
}

int linnet_onnx_metadata_write(const void *file, size_t size, const char *key, const char *text,
                               const char *path, struct linnet_error *err) {
    char part[PATH_MAX];
    size_t entry_size;
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return linnet_nn_fail(err, LINNET_E_IO, "%s: the path is too long", path);
    uint8_t *entry = pack_entry(key, text, &entry_size);
    if (!entry) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    FILE *out = fopen(part, "wb");
    int rc = out ? write_both(out, file, size, entry, entry_size) : LINNET_E_IO;
    int error = errno;
    if (out && fclose(out) && !rc) rc = LINNET_E_IO, error = errno;
    if (!rc && rename(part, path)) rc = LINNET_E_IO, error = errno;
    if (rc && out) unlink(part);
    free(entry);
    return rc ? linnet_nn_fail(err, rc, "%s: %s", path, strerror(error)) : 0;
}
