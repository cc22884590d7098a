/* The document of a prediction. */
#ifndef LINNET_CONVNET_PREDICTION_H
#define LINNET_CONVNET_PREDICTION_H

#include "plugins/convnet/model.h"

/* What a prediction lists: enough that what is left out is nothing. A list that ends among scores that matter
 * ends elsewhere when the last bits of floating point differ (another batch, another device), and fusion
 * would see it. */
#define CONVNET_TOP_SPECIES 100
#define CONVNET_TOP_ABOVE   50
#define CONVNET_LEAST       1e-5 /* of a score; what fusion takes for nothing */

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
