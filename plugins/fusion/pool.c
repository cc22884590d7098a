#include "plugins/fusion/pool.h"

#include <math.h>

/* The logarithm of the pooled value of one thing; `own` NULL: of a thing that no view gives more than the floor. */
static double logarithmic(const struct fusion_config *config, const double *own, const double *weights,
                          size_t views, size_t n, size_t i) {
    double total = 0, sum = 0;
    for (size_t v = 0; v < views; v++)
        total += weights[v];
    double scale = pow((double)views, config->independence) / total;
    for (size_t v = 0; v < views; v++)
        sum += weights[v] * scale * log(fmax(own ? own[v * n + i] : 0, config->floor));
    return sum;
}

static double plain(enum fusion_method method, const double *own, size_t views, size_t n, size_t i) {
    double most = 0, sum = 0;
    for (size_t v = 0; v < views; v++) {
        most = fmax(most, own[v * n + i]);
        sum += own[v * n + i];
    }
    return method == FUSION_MAXIMUM ? most : sum / (double)views;
}

/* Logarithms to numbers, the largest of them about 1, so that none is lost, less what nothing comes to. */
static void exponentiate(double nothing, size_t n, double *out) {
    double largest = nothing;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, out[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = exp(out[i] - largest) - exp(nothing - largest);
}

/* Into out; returns the sum. */
static double pool(const struct fusion_config *config, enum fusion_method method, const double *own,
                   const double *weights, size_t views, size_t n, double *out) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = method == FUSION_ORGAN ? logarithmic(config, own, weights, views, n, i)
                                        : plain(method, own, views, n, i);
    if (method == FUSION_ORGAN) exponentiate(logarithmic(config, NULL, weights, views, n, 0), n, out);
    for (size_t i = 0; i < n; i++)
        sum += out[i];
    return sum;
}

void fusion_pool(const struct fusion_config *config, const double *own, const double *weights, size_t views,
                 size_t n, double *out) {
    if (views == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = own[i];
        return;
    }
    double sum = pool(config, config->method, own, weights, views, n, out);
    /* No view gives anything more than the floor: logarithms have nothing to say. */
    if (!(sum > 0)) sum = pool(config, FUSION_MEAN, own, weights, views, n, out);
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}
