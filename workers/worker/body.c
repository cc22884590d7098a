#include "workers/worker/body.h"

#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"

/* What a document of ours takes in text, roughly: for the bounds, before it is known. */
#define DOCUMENT_ESTIMATE 2048

int linnet_body_base64(struct linnet_buf *out, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    size_t length = (size + 2) / 3 * 4;
    int rc = linnet_buf_reserve(out, length + 1);
    if (rc) return rc;
    char *to = out->data + out->size;
    size_t i = 0;
    for (; i + 2 < size; i += 3, to += 4) {
        uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        to[0] = digits[v >> 18];
        to[1] = digits[v >> 12 & 63];
        to[2] = digits[v >> 6 & 63];
        to[3] = digits[v & 63];
    }
    if (i < size) {
        uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < size ? (uint32_t)in[i + 1] << 8 : 0);
        to[0] = digits[v >> 18];
        to[1] = digits[v >> 12 & 63];
        to[2] = i + 1 < size ? digits[v >> 6 & 63] : '=';
        to[3] = '=';
    }
    out->size += length;
    out->data[out->size] = '\0';
    return 0;
}

static int text(struct linnet_buf *out, const char *value) {
    json_t *string = json_string(value);
    if (!string) return LINNET_E_INVALID; /* not UTF-8 */
    int rc = linnet_json_write(out, string);
    json_decref(string);
    return rc;
}

static int attachments(struct linnet_buf *out, const struct linnet_result_blob *blobs, size_t n) {
    int rc = linnet_buf_append_string(out, ",\"_attachments\":{");
    for (size_t i = 0; !rc && i < n; i++) {
        if (i) rc = linnet_buf_append(out, ",", 1);
        if (!rc) rc = text(out, blobs[i].name);
        if (!rc) rc = linnet_buf_append_string(out, ":{\"content_type\":");
        if (!rc) rc = text(out, blobs[i].content_type ? blobs[i].content_type : "application/octet-stream");
        if (!rc) rc = linnet_buf_append_string(out, ",\"data\":\"");
        if (!rc) rc = linnet_body_base64(out, blobs[i].bytes->data, blobs[i].bytes->size);
        if (!rc) rc = linnet_buf_append_string(out, "\"}");
    }
    return rc ? rc : linnet_buf_append(out, "}", 1);
}

static int tombstone(struct linnet_buf *out, const char *id, const char *revision) {
    int rc = linnet_buf_append_string(out, "{\"_id\":");
    if (!rc) rc = text(out, id);
    if (!rc && revision) rc = linnet_buf_append_string(out, ",\"_rev\":");
    if (!rc && revision) rc = text(out, revision);
    return rc ? rc : linnet_buf_append_string(out, ",\"_deleted\":true}");
}

static int whole(struct linnet_buf *out, const json_t *document, const struct linnet_result_blob *blobs,
                 size_t nblobs) {
    int rc = linnet_json_write(out, document);
    if (rc || !nblobs) return rc;
    out->size--; /* open the object again */
    rc = attachments(out, blobs, nblobs);
    return rc ? rc : linnet_buf_append(out, "}", 1);
}

int linnet_body_document(struct linnet_buf *out, const char *id, const char *revision, const json_t *document,
                         const struct linnet_result_blob *blobs, size_t nblobs) {
    size_t before = out->size;
    int rc = document ? whole(out, document, blobs, nblobs) : tombstone(out, id, revision);
    if (rc && out->data) {
        out->size = before;
        out->data[before] = '\0';
    }
    return rc;
}

size_t linnet_body_estimate(const struct linnet_result_blob *blobs, size_t nblobs) {
    size_t bytes = DOCUMENT_ESTIMATE;
    for (size_t i = 0; i < nblobs; i++)
        bytes += (blobs[i].bytes->size + 2) / 3 * 4 + 128;
    return bytes;
}
