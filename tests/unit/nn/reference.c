#include "tests/unit/nn/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct array *array_new(int rank, const int64_t *dims) {
    struct array *array = calloc(1, sizeof *array);
    if (!array) abort();
    array->rank = rank;
    for (int i = 0; i < rank; i++)
        array->dims[i] = dims[i];
    array->values = calloc(array_count(array), sizeof *array->values);
    if (!array->values) abort();
    return array;
}

void array_free(struct array *array) {
    if (!array) return;
    free(array->values);
    free(array);
}

size_t array_count(const struct array *array) {
    size_t count = 1;
    for (int i = 0; i < array->rank; i++)
        count *= (size_t)array->dims[i];
    return count;
}

float *array_floats(const struct array *array) {
    float *values = malloc(array_count(array) * sizeof *values);
    if (!values) abort();
    for (size_t i = 0; i < array_count(array); i++)
        values[i] = (float)array->values[i];
    return values;
}

/* splitmix64 (Steele, Lea and Flood 2014). */
double reference_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

struct array *array_random(uint64_t *seed, int rank, const int64_t *dims) {
    struct array *array = array_new(rank, dims);
    for (size_t i = 0; i < array_count(array); i++)
        array->values[i] = (double)(float)(2 * reference_random(seed) - 1);
    return array;
}

/* Place of an index in each dimension, and back. */
static void unravel(const struct array *array, size_t index, int64_t *at) {
    for (int i = array->rank - 1; i >= 0; i--) {
        at[i] = (int64_t)(index % (size_t)array->dims[i]);
        index /= (size_t)array->dims[i];
    }
}

static size_t ravel(const struct array *array, const int64_t *at) {
    size_t index = 0;
    for (int i = 0; i < array->rank; i++)
        index = index * (size_t)array->dims[i] + (size_t)at[i];
    return index;
}

/* The element that broadcasting reads for place `at` of a result of `rank` dimensions. */
static double spread(const struct array *array, int rank, const int64_t *at) {
    int64_t own[REFERENCE_RANK];
    for (int i = 0; i < array->rank; i++)
        own[i] = array->dims[i] == 1 ? 0 : at[rank - array->rank + i];
    return array->values[ravel(array, own)];
}

static int64_t windows(const struct reference_window *window, int i, int64_t in, int64_t extra) {
    int64_t reach = window->dilations[i] * (window->kernel[i] - 1) + 1;
    return (in + window->before[i] + window->after[i] + extra - reach) / window->strides[i] + 1;
}

struct array *reference_conv(const struct array *x, const struct array *w, const struct array *b,
                             int64_t groups, const struct reference_window *window) {
    int64_t dims[4] = {x->dims[0], w->dims[0], windows(window, 0, x->dims[2], 0),
                       windows(window, 1, x->dims[3], 0)};
    struct array *out = array_new(4, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        int64_t at[4];
        unravel(out, i, at);
        int64_t first = at[1] / (w->dims[0] / groups) * w->dims[1];
        double sum = b ? b->values[at[1]] : 0;
        for (int64_t c = 0; c < w->dims[1]; c++)
            for (int64_t kh = 0; kh < w->dims[2]; kh++)
                for (int64_t kw = 0; kw < w->dims[3]; kw++) {
                    int64_t y = at[2] * window->strides[0] + kh * window->dilations[0] - window->before[0];
                    int64_t z = at[3] * window->strides[1] + kw * window->dilations[1] - window->before[1];
                    if (y < 0 || z < 0 || y >= x->dims[2] || z >= x->dims[3]) continue;
                    sum += x->values[ravel(x, (int64_t[]){at[0], first + c, y, z})] *
                           w->values[ravel(w, (int64_t[]){at[1], c, kh, kw})];
                }
        out->values[i] = sum;
    }
    return out;
}

struct array *reference_pool(const struct array *x, const struct reference_window *window,
                             const int64_t extra[2], bool average, bool include_padding) {
    int64_t dims[4] = {x->dims[0], x->dims[1], windows(window, 0, x->dims[2], extra[0]),
                       windows(window, 1, x->dims[3], extra[1])};
    struct array *out = array_new(4, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        int64_t at[4];
        unravel(out, i, at);
        double sum = 0, most = -INFINITY;
        int inside = 0, padded = 0;
        for (int64_t kh = 0; kh < window->kernel[0]; kh++)
            for (int64_t kw = 0; kw < window->kernel[1]; kw++) {
                int64_t y = at[2] * window->strides[0] + kh * window->dilations[0] - window->before[0];
                int64_t z = at[3] * window->strides[1] + kw * window->dilations[1] - window->before[1];
                padded += y < x->dims[2] + window->after[0] && z < x->dims[3] + window->after[1];
                if (y < 0 || z < 0 || y >= x->dims[2] || z >= x->dims[3]) continue;
                double value = x->values[ravel(x, (int64_t[]){at[0], at[1], y, z})];
                sum += value;
                most = fmax(most, value);
                inside++;
            }
        out->values[i] = average ? sum / (include_padding ? padded : inside) : most;
    }
    return out;
}

static void broadcast_dims(const struct array *a, const struct array *b, int skip, int *rank, int64_t *dims) {
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank - skip; i++) {
        int ia = i - (*rank - a->rank), ib = i - (*rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        dims[i] = da > db ? da : db;
    }
}

struct array *reference_matmul(const struct array *a, const struct array *b) {
    int rank;
    int64_t dims[REFERENCE_RANK];
    broadcast_dims(a, b, 2, &rank, dims);
    dims[rank - 2] = a->dims[a->rank - 2];
    dims[rank - 1] = b->dims[b->rank - 1];
    struct array *out = array_new(rank, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        int64_t at[REFERENCE_RANK], left[REFERENCE_RANK], right[REFERENCE_RANK];
        unravel(out, i, at);
        memcpy(left, at, sizeof left);
        memcpy(right, at, sizeof right);
        double sum = 0;
        for (int64_t k = 0; k < a->dims[a->rank - 1]; k++) {
            left[rank - 1] = right[rank - 2] = k;
            sum += spread(a, rank, left) * spread(b, rank, right);
        }
        out->values[i] = sum;
    }
    return out;
}

struct array *reference_binary(const struct array *a, const struct array *b, double (*f)(double, double)) {
    int rank;
    int64_t dims[REFERENCE_RANK], at[REFERENCE_RANK];
    broadcast_dims(a, b, 0, &rank, dims);
    struct array *out = array_new(rank, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        unravel(out, i, at);
        out->values[i] = f(spread(a, rank, at), spread(b, rank, at));
    }
    return out;
}

struct array *reference_unary(const struct array *x, double (*f)(double, double, double), double alpha,
                              double beta) {
    struct array *out = array_new(x->rank, x->dims);
    for (size_t i = 0; i < array_count(out); i++)
        out->values[i] = f(x->values[i], alpha, beta);
    return out;
}

struct array *reference_norm(const struct array *x, const struct array *const parameters[4], double epsilon) {
    struct array *out = array_new(x->rank, x->dims);
    for (size_t i = 0; i < array_count(out); i++) {
        int64_t at[REFERENCE_RANK];
        unravel(out, i, at);
        int64_t c = at[1];
        out->values[i] = parameters[0]->values[c] * (x->values[i] - parameters[2]->values[c]) /
                             sqrt(parameters[3]->values[c] + epsilon) +
                         parameters[1]->values[c];
    }
    return out;
}

struct array *reference_layer_norm(const struct array *x, const struct array *scale,
                                   const struct array *shift, double epsilon) {
    struct array *out = array_new(x->rank, x->dims);
    size_t width = (size_t)x->dims[x->rank - 1];
    for (size_t row = 0; row < array_count(x); row += width) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < width; i++)
            mean += x->values[row + i] / (double)width;
        for (size_t i = 0; i < width; i++)
            variance += (x->values[row + i] - mean) * (x->values[row + i] - mean) / (double)width;
        for (size_t i = 0; i < width; i++)
            out->values[row + i] =
                scale->values[i] * (x->values[row + i] - mean) / sqrt(variance + epsilon) + shift->values[i];
    }
    return out;
}

struct array *reference_softmax(const struct array *x, int axis) {
    struct array *out = array_new(x->rank, x->dims);
    for (size_t i = 0; i < array_count(out); i++) {
        int64_t at[REFERENCE_RANK];
        double most = -INFINITY, sum = 0;
        unravel(out, i, at);
        for (at[axis] = 0; at[axis] < x->dims[axis]; at[axis]++)
            most = fmax(most, x->values[ravel(x, at)]);
        for (at[axis] = 0; at[axis] < x->dims[axis]; at[axis]++)
            sum += exp(x->values[ravel(x, at)] - most);
        out->values[i] = exp(x->values[i] - most) / sum;
    }
    return out;
}

struct array *reference_reduce(const struct array *x, const bool *axes, char kind) {
    int64_t dims[REFERENCE_RANK], at[REFERENCE_RANK];
    size_t each = 1;
    for (int i = 0; i < x->rank; i++) {
        dims[i] = axes[i] ? 1 : x->dims[i];
        each *= axes[i] ? (size_t)x->dims[i] : 1;
    }
    struct array *out = array_new(x->rank, dims);
    for (size_t i = 0; i < array_count(out); i++)
        out->values[i] = kind == 'x' ? -INFINITY : kind == 'n' ? INFINITY : 0;
    for (size_t i = 0; i < array_count(x); i++) {
        unravel(x, i, at);
        for (int k = 0; k < x->rank; k++)
            if (axes[k]) at[k] = 0;
        double *to = &out->values[ravel(out, at)];
        *to = kind == 'x'   ? fmax(*to, x->values[i])
              : kind == 'n' ? fmin(*to, x->values[i])
                            : *to + x->values[i] / (kind == 'm' ? (double)each : 1);
    }
    return out;
}

struct array *reference_concat(const struct array *const *parts, int n, int axis) {
    int64_t dims[REFERENCE_RANK], at[REFERENCE_RANK];
    memcpy(dims, parts[0]->dims, sizeof dims);
    for (int i = 1; i < n; i++)
        dims[axis] += parts[i]->dims[axis];
    struct array *out = array_new(parts[0]->rank, dims);
    int64_t before = 0;
    for (int p = 0; p < n; p++) {
        for (size_t i = 0; i < array_count(parts[p]); i++) {
            unravel(parts[p], i, at);
            at[axis] += before;
            out->values[ravel(out, at)] = parts[p]->values[i];
        }
        before += parts[p]->dims[axis];
    }
    return out;
}

struct array *reference_transpose(const struct array *x, const int *perm) {
    int64_t dims[REFERENCE_RANK], at[REFERENCE_RANK], from[REFERENCE_RANK];
    for (int i = 0; i < x->rank; i++)
        dims[i] = x->dims[perm[i]];
    struct array *out = array_new(x->rank, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        unravel(out, i, at);
        for (int k = 0; k < x->rank; k++)
            from[perm[k]] = at[k];
        out->values[i] = x->values[ravel(x, from)];
    }
    return out;
}

struct array *reference_pad(const struct array *x, const int64_t *before, const int64_t *after,
                            double value) {
    int64_t dims[REFERENCE_RANK], at[REFERENCE_RANK];
    for (int i = 0; i < x->rank; i++)
        dims[i] = before[i] + x->dims[i] + after[i];
    struct array *out = array_new(x->rank, dims);
    for (size_t i = 0; i < array_count(out); i++)
        out->values[i] = value;
    for (size_t i = 0; i < array_count(x); i++) {
        unravel(x, i, at);
        for (int k = 0; k < x->rank; k++)
            at[k] += before[k];
        out->values[ravel(out, at)] = x->values[i];
    }
    return out;
}

struct array *reference_slice(const struct array *x, const int64_t *starts, const int64_t *dims) {
    int64_t at[REFERENCE_RANK];
    struct array *out = array_new(x->rank, dims);
    for (size_t i = 0; i < array_count(out); i++) {
        unravel(out, i, at);
        for (int k = 0; k < x->rank; k++)
            at[k] += starts[k];
        out->values[i] = x->values[ravel(x, at)];
    }
    return out;
}
