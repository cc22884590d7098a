/* Running labelled pictures through the stages of a worker and counting what comes out. */
#ifndef LINNET_CLI_EVALUATION_H
#define LINNET_CLI_EVALUATION_H

#include <stdio.h>

#include "workers/cli/pictures.h"
#include "workers/cli/score.h"

enum { LINNET_ORGANS = 5 };
extern const char *const linnet_organs[LINNET_ORGANS];

struct linnet_evaluation_options {
    const char *onnx, *labels;
    const char *description; /* NULL: read from the graph */
    const char *backbone; /* folder of reference documents; NULL: the labels are species, their first word the
                             genus */
    const char *precision;      /* of the network; NULL: f32 */
    const char *calibrate, *by; /* the stage's options of that name (plugins/convnet); NULL: none */
    size_t limit;               /* most pictures; 0: all */
    FILE *predictions;          /* a table of what each picture was taken for; NULL: none */
    void (*progress)(void *arg, size_t done, size_t all);
    void *progress_arg;
};

struct linnet_evaluation {
    struct linnet_score pictures, organs[LINNET_ORGANS]; /* each picture alone */
    struct linnet_score observations;                    /* fused */
    size_t read, failed, unknown;
    double seconds;
};

/* Evaluate. LINNET_E_* with words for a model, labels or a backbone that cannot be used; pictures that cannot
 * be read are counted, not errors. Blocks; runs stages on threads of their own. */
int linnet_evaluate(const struct linnet_evaluation_options *options, const struct linnet_pictures *pictures,
                    struct linnet_evaluation *out, struct linnet_error *err);
void linnet_evaluation_done(struct linnet_evaluation *evaluation);

#endif
