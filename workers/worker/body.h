/* The body of a _bulk_docs request, built as text: attachments go in as base64 straight from their bytes,
 * never through a JSON value (which would copy each picture twice and scan it for characters to escape). */
#ifndef LINNET_WORKER_BODY_H
#define LINNET_WORKER_BODY_H

#include <jansson.h>

#include "common/base/buf.h"
#include "workers/host/stage.h"

/* Append one document as it is, _id and _rev among its members, with the blobs put in as its _attachments (it
 * has none of its own then). A NULL document is the tombstone of `id` at `revision` (NULL: none). On failure
 * `out` is as it was. */
int linnet_body_document(struct linnet_buf *out, const char *id, const char *revision, const json_t *document,
                         const struct linnet_result_blob *blobs, size_t nblobs);
/* Append base64 (RFC 4648, padded). */
int linnet_body_base64(struct linnet_buf *out, const void *data, size_t size);
/* What a document and its blobs will take in a body, without looking at it closely. */
size_t linnet_body_estimate(const struct linnet_result_blob *blobs, size_t nblobs);

#endif
