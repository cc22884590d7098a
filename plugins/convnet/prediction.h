/* The document of a prediction. */
#ifndef LINNET_CONVNET_PREDICTION_H
#define LINNET_CONVNET_PREDICTION_H

#include "plugins/convnet/model.h"

#define CONVNET_TOP_SPECIES 20
#define CONVNET_TOP_ABOVE   10

/* The network's outputs for one picture; NULL where the model has none. */
struct convnet_outputs {
    const float *species, *organ, *plant, *embedding;
    size_t dims; /* of the embedding */
};

/* Room for the scores of one picture, reused. */
struct convnet_scratch {
    double *scores, *sums; /* model->classes each */
    uint32_t *places;
    char *text; /* base64 of the embedding */
    size_t text_size;
};

int convnet_scratch_init(struct convnet_scratch *scratch, const struct convnet_model *model, size_t dims);
void convnet_scratch_done(struct convnet_scratch *scratch);
/* A new document of kind prediction for the picture with `digest`. NULL: out of memory, or the outputs are no
 * numbers (*numbers is false then). */
json_t *convnet_prediction(const struct convnet_model *model, const char *digest,
                           const struct convnet_outputs *outputs, struct convnet_scratch *scratch,
                           bool *numbers);

#endif
