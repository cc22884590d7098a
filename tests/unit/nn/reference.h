/* The operators once more, naively and in double precision, written from the ONNX specification alone: what
 * the engine is held to. Shares no code with it. Functions abort when memory runs out. */
#ifndef LINNET_TESTS_NN_REFERENCE_H
#define LINNET_TESTS_NN_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFERENCE_RANK 6

struct array {
    int rank;
    int64_t dims[REFERENCE_RANK];
    double *values; /* row-major, owned */
};

struct array *array_new(int rank, const int64_t *dims);
void array_free(struct array *array);
size_t array_count(const struct array *array);
/* As floats, and rounded to floats in place (so that both sides start from the same numbers). The caller
 * frees. */
float *array_floats(const struct array *array);
/* Uniform in -1..1, rounded to floats, from a generator of its own. */
struct array *array_random(uint64_t *seed, int rank, const int64_t *dims);
double reference_random(uint64_t *seed);

/* A window over two spatial dimensions. */
struct reference_window {
    int64_t kernel[2], strides[2], dilations[2], before[2], after[2];
};

struct array *reference_conv(const struct array *x, const struct array *w, const struct array *b,
                             int64_t groups, const struct reference_window *window);
/* `extra` rows and columns at the end that windows may reach but that count as nothing (ceil_mode). */
struct array *reference_pool(const struct array *x, const struct reference_window *window,
                             const int64_t extra[2], bool average, bool include_padding);
/* Product over the last two dimensions, leading ones broadcast. */
struct array *reference_matmul(const struct array *a, const struct array *b);
struct array *reference_binary(const struct array *a, const struct array *b, double (*f)(double, double));
struct array *reference_unary(const struct array *x, double (*f)(double, double, double), double alpha,
                              double beta);
struct array *reference_norm(const struct array *x, const struct array *const parameters[4], double epsilon);
/* Over the last dimension; scale and shift are one value for each place of it. */
struct array *reference_layer_norm(const struct array *x, const struct array *scale,
                                   const struct array *shift, double epsilon);
struct array *reference_softmax(const struct array *x, int axis);
/* kind: 's'um, 'm'ean, ma'x', mi'n'; reduced dimensions stay as 1. */
struct array *reference_reduce(const struct array *x, const bool *axes, char kind);
struct array *reference_concat(const struct array *const *parts, int n, int axis);
struct array *reference_transpose(const struct array *x, const int *perm);
struct array *reference_pad(const struct array *x, const int64_t *before, const int64_t *after, double value);
struct array *reference_slice(const struct array *x, const int64_t *starts, const int64_t *dims);

#endif
