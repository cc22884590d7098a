/* Engines and sessions as their own files see them. Internal to common/nn. */
#ifndef LINNET_NN_ENGINE_H
#define LINNET_NN_ENGINE_H

#include "common/nn/backend.h"

struct linnet_nn_engine {
    const struct linnet_nn_backend *backend;
    struct linnet_nn_program *program;
    struct linnet_nn_target target;
    struct linnet_error fallback; /* why "auto" did not take the GPU; code 0: it did, or was not asked */
    size_t ninputs, noutputs;
    size_t *input_elements, *output_elements; /* of one sample */
    size_t channels, height, width;           /* of the one input if it is a picture; channels 0: it is not */
};

struct linnet_nn_session {
    struct linnet_nn_engine *engine; /* borrowed */
    struct linnet_nn_run *run;
    const float **inputs; /* of the bucket that runs */
    float **outputs;
    float **padded_inputs, **padded_outputs; /* owned; where a batch was padded up to a bucket */
    uint8_t *padded_pixels;
};

/* Room for `samples` of each of `count` ports; NULL without memory. Freed by linnet_nn_session_close. */
float **linnet_nn_session_room(const size_t *elements, size_t count, unsigned samples);

#endif
