/* The document of a model: what an ONNX file, its labels and a description say together. */
#ifndef LINNET_CLI_MODEL_DOCUMENT_H
#define LINNET_CLI_MODEL_DOCUMENT_H

#include <jansson.h>

#include "common/nn/nn.h"
#include "workers/cli/labels.h"

/* Make the model document: `description` (may be NULL) gives input, outputs, organs, calibration, accuracy,
 * trained_on; what it does not say is read from the graph (the one picture input, the output as wide as the
 * labels) and set to the usual (shortest side, centre crop, ImageNet's mean and deviation). What was taken
 * for granted is put into `assumed` (an array of sentences). LINNET_E_INVALID, with words, where graph,
 * labels and description do not fit each other. *out is a new reference. */
int linnet_model_document(const char *name, const char *version, const struct linnet_nn_model *model,
                          const struct linnet_labels *labels, const json_t *description, json_t *assumed,
                          json_t **out, struct linnet_error *err);

#endif
