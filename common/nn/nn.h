/* The ConvNet engine: ONNX graphs on interchangeable backends.
 *
 * A model is read once (immutable, any thread). A backend is a shared object opened at run time ("cpu":
 * oneDNN, "cuda": cuDNN). An engine is a model compiled for a backend, a precision and batch buckets; it is
 * immutable and shared by threads. A session holds the memory of one run and belongs to one thread. */
#ifndef LINNET_NN_NN_H
#define LINNET_NN_NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define LINNET_NN_RANK_MAX 8

struct linnet_nn_model;
struct linnet_nn_engine;
struct linnet_nn_session;

enum linnet_nn_type {
    LINNET_NN_F32,
    LINNET_NN_U8,
    LINNET_NN_I64,
    LINNET_NN_BF16,
    LINNET_NN_F16,
    LINNET_NN_S8
};

/* A named input or output. dims[0] is the batch, -1 where it is free. Ownership with the model. */
struct linnet_nn_port {
    const char *name;
    enum linnet_nn_type type;
    int rank;
    int64_t dims[LINNET_NN_RANK_MAX];
};

/* Read an ONNX file (external data beside it) or bytes in memory. Foreign input: LINNET_E_PARSE for a broken
 * file, LINNET_E_UNSUPPORTED with the node's name and operator, LINNET_E_INVALID where shapes do not fit,
 * LINNET_E_LIMIT. */
int linnet_nn_model_load(const char *path, struct linnet_nn_model **out, struct linnet_error *err);
int linnet_nn_model_parse(const void *data, size_t size, struct linnet_nn_model **out,
                          struct linnet_error *err);
void linnet_nn_model_free(struct linnet_nn_model *model);
size_t linnet_nn_model_inputs(const struct linnet_nn_model *model, const struct linnet_nn_port **ports);
size_t linnet_nn_model_outputs(const struct linnet_nn_model *model, const struct linnet_nn_port **ports);
/* Parameters, and floating-point operations of one sample (a multiply-add counts two). */
uint64_t linnet_nn_model_parameters(const struct linnet_nn_model *model);
uint64_t linnet_nn_model_flops(const struct linnet_nn_model *model);
/* Print layers, shapes, FLOPs, bytes, parameters to `out` (FILE *). */
void linnet_nn_model_print(const struct linnet_nn_model *model, void *out);
/* Draw the graph as SVG to `out` (FILE *). LINNET_E_NOMEM, LINNET_E_IO. */
int linnet_nn_model_draw(const struct linnet_nn_model *model, void *out);

enum linnet_nn_precision {
    LINNET_NN_PRECISION_F32,
    LINNET_NN_PRECISION_BF16,
    LINNET_NN_PRECISION_F16,
    LINNET_NN_PRECISION_INT8 /* of a calibrated model: convolutions and products by integers of 8 bits */
};
/* "f32", "bf16", "f16", "int8"; and back: false for another word. */
const char *linnet_nn_precision_name(enum linnet_nn_precision precision);
bool linnet_nn_precision_parse(const char *name, enum linnet_nn_precision *out);

struct linnet_nn_options {
    const char *backend; /* "cpu", "cuda", "auto" (cuda where there is one that does it, else cpu) */
    enum linnet_nn_precision precision;
    unsigned batch_max; /* compiled for the buckets 1, 2, 4, ... up to it */
    unsigned threads;   /* of one session on the CPU; 0: 1 */
    unsigned device;    /* which of several GPUs, from 0; an engine has one */
};

/* Compile. The engine keeps its own reference to the model's weights; the model may be freed after.
 * LINNET_E_UNSUPPORTED: no such backend here, or it lacks an operator or the precision. */
int linnet_nn_engine_open(const struct linnet_nn_model *model, const struct linnet_nn_options *options,
                          struct linnet_nn_engine **out, struct linnet_error *err);
/* The same, but the weights are the engine's from then on: each is given back as soon as it lies in the order
 * that the device wants, so that a network is in memory once. The model keeps its ports; no other engine can
 * be opened of it (LINNET_E_INVALID). On failure too it is fit for little but being freed. */
int linnet_nn_engine_take(struct linnet_nn_model *model, const struct linnet_nn_options *options,
                          struct linnet_nn_engine **out, struct linnet_error *err);
/* The batch above which a backend gains nothing, at most `most`: devices that idle otherwise take any, a
 * processor as many as its cache holds of the widest layer. */
unsigned linnet_nn_batch_useful(const struct linnet_nn_model *model, const char *backend, unsigned most);
void linnet_nn_engine_close(struct linnet_nn_engine *engine);
/* "cpu (oneDNN 2.6.3, avx512_core_bf16)" and the like. */
const char *linnet_nn_engine_device(const struct linnet_nn_engine *engine);
/* Why "auto" took the CPU, in words: there is no usable GPU, or it does not do this network or the precision.
 * NULL: it did not. The engine's. */
const char *linnet_nn_engine_fallback(const struct linnet_nn_engine *engine);
/* What the engine's device can do at most: floating-point operations and bytes of its memory a second. 0
 * where that is not known. */
void linnet_nn_engine_limits(const struct linnet_nn_engine *engine, double *flops, double *bytes);
/* Does the device of a backend ("auto" as above) compute in this precision itself? False where there is no
 * such backend. */
bool linnet_nn_precision_native(const char *backend, enum linnet_nn_precision precision);

/* Calibration: what int8 needs to know of a network, the range of each of its values, gathered by running it
 * on pictures and kept in the ONNX file itself (its metadata, which other programs pass over).
 * A calibration runs on the thread that calls, one call at a time. The model must outlive it, and have its
 * weights (LINNET_E_INVALID: an engine has taken them). */
enum linnet_nn_range_method {
    LINNET_NN_RANGE_ERROR,      /* the range that loses least: the least mean squared error of the values */
    LINNET_NN_RANGE_PERCENTILE, /* of 99.99% of the values */
    LINNET_NN_RANGE_MOST        /* of all */
};
struct linnet_nn_calibration;
int linnet_nn_calibration_open(const struct linnet_nn_model *model, struct linnet_nn_calibration **out,
                               struct linnet_error *err);
void linnet_nn_calibration_close(struct linnet_nn_calibration *calibration);
/* Run `n` samples, inputs as in linnet_nn_session_run, and take notice of all values. */
int linnet_nn_calibration_add(struct linnet_nn_calibration *calibration, unsigned n,
                              const float *const *inputs, struct linnet_error *err);
/* How many samples it has seen. */
uint64_t linnet_nn_calibration_samples(const struct linnet_nn_calibration *calibration);
/* The ONNX file `from`, the one that the model was read from, with the ranges in it, as `to`: written beside
 * it first and renamed. External data is looked for in the folder of `to` then. LINNET_E_INVALID: no sample
 * was added; LINNET_E_IO. */
int linnet_nn_calibration_write(const struct linnet_nn_calibration *calibration,
                                enum linnet_nn_range_method method, const char *from, const char *to,
                                struct linnet_error *err);
/* How many values of a model have a known range; 0: it is not calibrated. */
size_t linnet_nn_model_ranges(const struct linnet_nn_model *model);

int linnet_nn_session_open(struct linnet_nn_engine *engine, struct linnet_nn_session **out,
                           struct linnet_error *err);
void linnet_nn_session_close(struct linnet_nn_session *session);
/* Run a batch of `n` (1..batch_max). inputs[i] is dense f32 in the shape of input i with dims[0] = n (images
 * NCHW), outputs[i] likewise f32, the caller's memory; NULL where an output is not wanted. */
int linnet_nn_session_run(struct linnet_nn_session *session, unsigned n, const float *const *inputs,
                          float *const *outputs, struct linnet_error *err);

/* Pictures as decoders leave them: interleaved 8-bit channels, [n, H, W, C]; the network's number for a
 * channel is data * scale[c] + shift[c]. */
#define LINNET_NN_CHANNELS_MAX 4
struct linnet_nn_pixels {
    const uint8_t *data; /* the caller's */
    float scale[LINNET_NN_CHANNELS_MAX], shift[LINNET_NN_CHANNELS_MAX];
};
/* Like linnet_nn_session_run for a network of one input [N, C, H, W] with at most LINNET_NN_CHANNELS_MAX
 * channels. A device with memory of its own is sent the bytes, a quarter of what f32 takes, and makes the
 * numbers itself. LINNET_E_INVALID: the network has another input. */
int linnet_nn_session_run_pixels(struct linnet_nn_session *session, unsigned n,
                                 const struct linnet_nn_pixels *pixels, float *const *outputs,
                                 struct linnet_error *err);

/* One step of a compiled network: what it costs at least for the whole batch, and how long it took. */
struct linnet_nn_layer {
    char name[96]; /* the node's */
    char how[64];  /* what computes it */
    double flops, bytes;
    double seconds; /* the median of some runs */
};
/* Run the bucket of `n` samples step by step and time each. *layers is malloc'ed, the caller's.
 * LINNET_E_INVALID: n is no bucket; LINNET_E_UNSUPPORTED: this backend does not time its steps. */
int linnet_nn_session_layers(struct linnet_nn_session *session, unsigned n, const float *const *inputs,
                             float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                             struct linnet_error *err);

#endif
