#include "plugins/fusion/pool.h"

#include <math.h>
#include <stdbool.h>

static bool is_given(const double *own, size_t views, size_t n, size_t i) {
    for (size_t v = 0; v < views; v++)
        if (own[v * n + i] > 0) return true;
    return false;
}

static double logarithmic(const struct fusion_config *config, const double *own, const double *weights,
                          size_t views, size_t n, size_t i) {
    double total = 0, sum = 0;
    for (size_t v = 0; v < views; v++)
        total += weights[v];
    double scale = pow((double)views, config->independence) / total;
    for (size_t v = 0; v < views; v++)
        sum += weights[v] * scale * log(fmax(own[v * n + i], config->floor));
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

/* Logarithms to numbers, the largest of them 1, so that none is lost. */
static void exponentiate(const double *own, size_t views, size_t n, double *out) {
    double largest = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (is_given(own, views, n, i)) largest = fmax(largest, out[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = is_given(own, views, n, i) ? exp(out[i] - largest) : 0;
}

void fusion_pool(const struct fusion_config *config, const double *own, const double *weights, size_t views,
                 size_t n, double *out) {
    double sum = 0;
    if (views == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = own[i];
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = config->method == FUSION_ORGAN ? logarithmic(config, own, weights, views, n, i)
                                                : plain(config->method, own, views, n, i);
    if (config->method == FUSION_ORGAN) exponentiate(own, views, n, out);
    for (size_t i = 0; i < n; i++)
        sum += out[i];
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}
