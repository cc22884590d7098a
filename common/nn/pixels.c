/* Running a network on pictures, and timing its steps: the calls that not every backend has a way of its own
 * for. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/engine.h"
#include "common/nn/fail.h"
#include "common/nn/passes/passes.h"

/* [n, H, W, C] bytes to [n, C, H, W] numbers. */
static void to_floats(const struct linnet_nn_engine *engine, const struct linnet_nn_pixels *pixels,
                      const uint8_t *from, unsigned n, float *to) {
    size_t channels = engine->channels, area = engine->height * engine->width;
    for (unsigned i = 0; i < n; i++, from += channels * area, to += channels * area)
        for (size_t c = 0; c < channels; c++)
            for (size_t k = 0; k < area; k++)
                to[c * area + k] = (float)from[k * channels + c] * pixels->scale[c] + pixels->shift[c];
}

static int run_converted(struct linnet_nn_session *session, const struct linnet_nn_pixels *pixels,
                         const uint8_t *from, unsigned n, float *const *outputs, struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    float **room = linnet_nn_session_room(engine->input_elements, 1, n);
    if (!room) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory for a batch of %u", n);
    to_floats(engine, pixels, from, n, room[0]);
    int rc = linnet_nn_session_run(session, n, (const float *const *)room, outputs, err);
    free(room[0]);
    free(room);
    return rc;
}

/* A batch of `left` samples, as one of `bucket` with whatever there is behind them. */
static int run_padded(struct linnet_nn_session *session, struct linnet_nn_pixels pixels, unsigned bucket,
                      unsigned left, struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    unsigned largest = engine->target.buckets[engine->target.nbuckets - 1];
    if (!session->padded_pixels) session->padded_pixels = calloc(largest, engine->input_elements[0]);
    if (!session->padded_outputs)
        session->padded_outputs = linnet_nn_session_room(engine->output_elements, engine->noutputs, largest);
    if (!session->padded_pixels || !session->padded_outputs)
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory for a batch of %u", largest);
    memcpy(session->padded_pixels, pixels.data, left * engine->input_elements[0]);
    pixels.data = session->padded_pixels;
    int rc = engine->backend->session_run_pixels(session->run, bucket, &pixels, session->padded_outputs, err);
    for (size_t i = 0; i < engine->noutputs && !rc; i++)
        if (session->outputs[i])
            memcpy(session->outputs[i], session->padded_outputs[i],
                   left * engine->output_elements[i] * sizeof(float));
    return rc;
}

int linnet_nn_session_run_pixels(struct linnet_nn_session *session, unsigned n,
                                 const struct linnet_nn_pixels *pixels, float *const *outputs,
                                 struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    const struct linnet_nn_target *target = &engine->target;
    struct linnet_nn_pixels part = *pixels;
    if (!n) return linnet_nn_fail(err, LINNET_E_INVALID, "a batch of nothing");
    if (!engine->channels)
        return linnet_nn_fail(err, LINNET_E_INVALID,
                              "the network does not take one picture of at most %d channels",
                              LINNET_NN_CHANNELS_MAX);
    if (!engine->backend->session_run_pixels)
        return run_converted(session, pixels, pixels->data, n, outputs, err);
    for (unsigned done = 0; done < n;) {
        unsigned left = n - done;
        unsigned bucket =
            linnet_nn_batch_next(target->buckets, target->nbuckets, left, engine->backend->pad_up);
        if (!bucket)
            return linnet_nn_fail(err, LINNET_E_INVALID,
                                  "the network takes batches of %u only, %u samples are left",
                                  target->buckets[0], left);
        part.data = pixels->data + done * engine->input_elements[0];
        for (size_t i = 0; i < engine->noutputs; i++)
            session->outputs[i] = outputs[i] ? outputs[i] + done * engine->output_elements[i] : NULL;
        int rc = bucket > left ? run_padded(session, part, bucket, left, err)
                               : engine->backend->session_run_pixels(session->run, bucket, &part,
                                                                     session->outputs, err);
        /* The network does something else with the picture than a device of bytes can: it gets numbers. */
        if (rc == LINNET_E_UNSUPPORTED && !done)
            return run_converted(session, pixels, pixels->data, n, outputs, err);
        if (rc) return rc;
        done += bucket > left ? left : bucket;
    }
    return 0;
}

int linnet_nn_session_layers(struct linnet_nn_session *session, unsigned n, const float *const *inputs,
                             float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                             struct linnet_error *err) {
    struct linnet_nn_engine *engine = session->engine;
    bool bucket = false;
    for (size_t i = 0; i < engine->target.nbuckets; i++)
        bucket = bucket || engine->target.buckets[i] == n;
    if (!bucket) return linnet_nn_fail(err, LINNET_E_INVALID, "it was not compiled for batches of %u", n);
    if (!engine->backend->session_layers)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "the backend \"%s\" does not time its steps",
                              engine->backend->name);
    return engine->backend->session_layers(session->run, n, inputs, outputs, layers, count, err);
}
