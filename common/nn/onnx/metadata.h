/* The metadata of an ONNX file: texts by name, which every program keeps or passes over. Internal to
 * common/nn. */
#ifndef LINNET_NN_ONNX_METADATA_H
#define LINNET_NN_ONNX_METADATA_H

#include "common/base/error.h"
#include "onnx.pb-c.h"

/* The last text of this name, which is the one that counts; the model's. NULL: none. */
const char *linnet_onnx_metadata(const Onnx__ModelProto *model, const char *key);
/* Write the bytes of an ONNX file with one more text to `path`: beside it first, then renamed.
 * LINNET_E_IO, LINNET_E_NOMEM. */
int linnet_onnx_metadata_write(const void *file, size_t size, const char *key, const char *text,
                               const char *path, struct linnet_error *err);

#endif
