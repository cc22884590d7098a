/* Running labelled pictures through the stages of a worker and counting what comes out. */
#ifndef LINNET_CLI_EVALUATION_H
#define LINNET_CLI_EVALUATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "workers/cli/pictures.h"
#include "workers/cli/score.h"

struct linnet_references;

enum { LINNET_ORGANS = 5 };
extern const char *const linnet_organs[LINNET_ORGANS];

enum { LINNET_EVALUATION_VIEWS = 10 }; /* most of one observation */

/* What came of one observation. All is borrowed until the function returns. */
struct linnet_evaluation_answer {
    const struct linnet_picture *pictures; /* n of them */
    size_t n;
    const char *truth;            /* the taxon's id; NULL: the model has no such class */
    const json_t *identification; /* NULL: nothing came of it */
    const json_t *predictions[LINNET_EVALUATION_VIEWS]; /* by picture; NULL: it could not be read */
};

struct linnet_evaluation_options {
    const char *onnx, *labels;
    const json_t *description; /* NULL: read from the graph */
    const char *backbone; /* folder of reference documents; NULL: the labels are species, their first word the
                             genus */
    const char *precision;          /* of the network; NULL: f32 */
    const char *calibrate, *by;     /* the stage's options of that name (plugins/convnet); NULL: none */
    FILE *predictions;              /* a table of what each picture was taken for; NULL: none */
    struct linnet_references *taxa; /* loaded already, finished: go before `backbone`; borrowed */
    const json_t *fusion;           /* configuration of that stage; NULL: defaults */
    bool flora;                     /* within the flora that a picture's row names */
    bool organs;                    /* as the rows name them; else the model tells */
    bool unknown; /* pictures of what the model has no class for are run (and not scored) too */
    size_t limit; /* most pictures; 0: all */
    void (*answered)(void *arg, const struct linnet_evaluation_answer *answer);
    void *answered_arg;
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
