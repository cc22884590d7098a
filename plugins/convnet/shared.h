/* Engines that instances share: one for each network, backend, precision and batch, counted. */
#ifndef LINNET_CONVNET_SHARED_H
#define LINNET_CONVNET_SHARED_H

#include "common/nn/nn.h"

struct convnet_engine {
    struct linnet_nn_engine *engine;
    /* Ports of the model that it was made of; kept for the engine's life. */
    struct linnet_nn_model *model;
    unsigned batch; /* pictures to run at once: what was asked for, or fewer where more gain nothing */
};

/* What an engine is known by. `digest` is of the file's and the document's content. */
struct convnet_engine_key {
    const char *path, *digest;
    const char *backend; /* "cpu", "cuda", "auto" */
    enum linnet_nn_precision precision;
    unsigned batch; /* at most */
};

/* Get the engine of a key, made if there is none yet (others wait meanwhile). Give it back by
 * convnet_engine_unref. Any thread. Errors are those of the ConvNet engine, in words. */
int convnet_engine_ref(const struct convnet_engine_key *key, const struct convnet_engine **out,
                       struct linnet_error *err);
void convnet_engine_unref(const struct convnet_engine *engine);

#endif
