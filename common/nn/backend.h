/* What a backend is: the interface that oneDNN ("cpu") and cuDNN ("cuda") share.
 *
 * A backend is a shared object, liblinnet-nn-<name>.so, opened once and never closed, that exports one
 * function, `linnet_nn_backend`. It gets a graph that the passes have worked on (common/nn/passes/passes.h),
 * compiles it for a list of batch sizes, and runs it. Kernels, layouts, weights in the device's order and
 * memory are its own affair.
 *
 * Threads: `compile` and `session_open` are called on any thread, one at a time for each program; a program
 * is immutable and shared; a session belongs to one thread at a time, several sessions run at once. No
 * function may leave threads behind that spin. */
#ifndef LINNET_NN_BACKEND_H
#define LINNET_NN_BACKEND_H

#include "common/nn/graph.h"

#define LINNET_NN_BACKEND_ABI    2
#define LINNET_NN_BACKEND_SYMBOL "linnet_nn_backend"
#define LINNET_NN_BUCKETS_MAX    16

struct linnet_nn_program; /* the backend's: a compiled graph */
struct linnet_nn_run;     /* the backend's: memory of one session */

/* What to compile for. */
struct linnet_nn_target {
    enum linnet_nn_precision precision;
    unsigned threads; /* at least 1 */
    unsigned device;  /* less than what `devices` says */
    /* Batch sizes, ascending. A graph whose batch is fixed has that one alone. */
    unsigned buckets[LINNET_NN_BUCKETS_MAX];
    size_t nbuckets;
};

struct linnet_nn_backend {
    size_t struct_size; /* sizeof(struct linnet_nn_backend) */
    uint32_t abi;       /* LINNET_NN_BACKEND_ABI */
    const char *name;
    /* A batch that is no bucket: padded up to the next one (devices that idle otherwise) or cut into smaller
     * ones. */
    bool pad_up;
    /* Can it run here at all? LINNET_E_UNSUPPORTED with words (no device, no driver). */
    int (*probe)(struct linnet_error *err);
    /* How many devices there are, once `probe` has succeeded. NULL: one. */
    unsigned (*devices)(void);
    /* Does the device compute in this precision itself? */
    bool (*native)(enum linnet_nn_precision precision);
    /* May `post` be done by `node` itself, after the posts that it has? Asked by the fusing passes. */
    bool (*takes)(const struct linnet_nn_node *node, const struct linnet_nn_post *post);
    /* Compile. The graph is borrowed for the call; constants that are kept are referenced, those that have
     * been brought into an order of the backend's own may be given back on the way (`data` NULL then).
     * LINNET_E_UNSUPPORTED names the node, LINNET_E_LIMIT: larger than the device's memory. */
    int (*compile)(struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err);
    void (*release)(struct linnet_nn_program *program);
    /* "cpu (oneDNN 2.6.3, avx512_core_bf16)". The program's. */
    const char *(*device)(const struct linnet_nn_program *program);
    int (*session_open)(struct linnet_nn_program *program, struct linnet_nn_run **out,
                        struct linnet_error *err);
    void (*session_close)(struct linnet_nn_run *run);
    /* Run the bucket of `n` samples. Inputs and outputs as in linnet_nn_session_run. LINNET_E_DEVICE: the
     * device is gone, and no program on it will run again in this process. */
    int (*session_run)(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                       float *const *outputs, struct linnet_error *err);
    /* The same from pictures, linnet_nn_session_run_pixels. NULL, or LINNET_E_UNSUPPORTED before anything was
     * done: the engine makes the numbers. */
    int (*session_run_pixels)(struct linnet_nn_run *run, unsigned n, const struct linnet_nn_pixels *pixels,
                              float *const *outputs, struct linnet_error *err);
    /* linnet_nn_session_layers; n is a bucket. NULL: it does not time its steps. */
    int (*session_layers)(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                          float *const *outputs, struct linnet_nn_layer **layers, size_t *count,
                          struct linnet_error *err);
    /* linnet_nn_engine_limits. NULL: not known. */
    void (*limits)(const struct linnet_nn_program *program, double *flops, double *bytes);
};

/* What the shared object exports; the struct is static. */
typedef const struct linnet_nn_backend *(*linnet_nn_backend_function)(void);

/* Find, open and check a backend by name. Borrowed, for the life of the process. Looked for in LINNET_NN_PATH
 * (a folder), then beside the code that asks (its folder, ../lib, ../lib/linnet), then where Linnet was
 * installed. LINNET_E_UNSUPPORTED with what was tried. Any thread. */
int linnet_nn_backend_find(const char *name, const struct linnet_nn_backend **out, struct linnet_error *err);

#endif
