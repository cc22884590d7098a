/* The references that an evaluation's stages see: taxa, the model, and which taxon each label of a picture
 * is. */
#ifndef LINNET_CLI_EVALUATION_MODEL_H
#define LINNET_CLI_EVALUATION_MODEL_H

#include "workers/cli/evaluation.h"
#include "workers/host/references.h"

struct linnet_evaluation_model {
    struct linnet_references *references;
    json_t
        *folders;  /* {folder: taxon id}, from the labels' column `folder` (or class_id); empty without one */
    json_t *known; /* {taxon id: true} of the model's classes */
};

int linnet_evaluation_model_load(const struct linnet_evaluation_options *options,
                                 struct linnet_evaluation_model *out, struct linnet_error *err);
void linnet_evaluation_model_done(struct linnet_evaluation_model *model);
/* The taxon that a picture's label names, as an index into the references' taxonomy; LINNET_NO_TAXON if the
 * model has no such class. */
uint32_t linnet_evaluation_truth(const struct linnet_evaluation_model *model, const char *label);

#endif
