#include "common/nn/histogram.h"

#include <math.h>
#include <string.h>

/* Ranges narrower than this share of the bins are not considered: there the bins themselves would be as
 * coarse as the steps. */
#define NARROWEST  (LINNET_NN_BINS / 8)
#define PERCENTILE 0.9999

/* Make room up to `size`: neighbours become one, as often as it takes. */
static void widen(struct linnet_nn_histogram *histogram, double size) {
    if (!(histogram->top > 0)) histogram->top = exp2(ceil(log2(size)));
    while (histogram->top < size) {
        for (size_t i = 0; i < LINNET_NN_BINS / 2; i++)
            histogram->bins[i] = histogram->bins[2 * i] + histogram->bins[2 * i + 1];
        memset(histogram->bins + LINNET_NN_BINS / 2, 0, sizeof histogram->bins / 2);
        histogram->top *= 2;
    }
}

void linnet_nn_histogram_add(struct linnet_nn_histogram *histogram, const float *values, size_t count) {
    float low = histogram->low, high = histogram->high;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
    }
    histogram->low = low;
    histogram->high = high;
    float size = -low > high ? -low : high;
    if (!(size > 0)) return;
    widen(histogram, (double)size);
    float scale = (float)(LINNET_NN_BINS / histogram->top);
    for (size_t i = 0; i < count; i++) {
        float at = fabsf(values[i]) * scale;
        if (!(at > 0) || !isfinite(at)) continue;
        histogram->bins[at < LINNET_NN_BINS ? (size_t)at : LINNET_NN_BINS - 1]++;
        histogram->count++;
    }
}

/* The mean squared error of rounding to `levels` steps up to `clip`: a step's square over 12 inside (Widrow
 * 1956), the distance to `clip` beyond it; each bin stands for its middle. */
static double error_of(const struct linnet_nn_histogram *histogram, size_t clip, double levels) {
    double width = histogram->top / LINNET_NN_BINS, step = (double)clip * width / levels, error = 0;
    uint64_t inside = 0;
    for (size_t i = 0; i < clip; i++)
        inside += histogram->bins[i];
    for (size_t i = clip; i < LINNET_NN_BINS; i++) {
        double beyond = ((double)i + 0.5 - (double)clip) * width;
        error += (double)histogram->bins[i] * beyond * beyond;
    }
    return error + (double)inside * step * step / 12;
}

static size_t least_error(const struct linnet_nn_histogram *histogram, double levels) {
    size_t best = LINNET_NN_BINS;
    double least = INFINITY;
    for (size_t clip = NARROWEST; clip <= LINNET_NN_BINS; clip++) {
        double error = error_of(histogram, clip, levels);
        if (error < least) {
            least = error;
            best = clip;
        }
    }
    return best;
}

static size_t percentile(const struct linnet_nn_histogram *histogram) {
    uint64_t inside = 0;
    for (size_t i = 0; i < LINNET_NN_BINS; i++) {
        inside += histogram->bins[i];
        if ((double)inside >= PERCENTILE * (double)histogram->count) return i + 1;
    }
    return LINNET_NN_BINS;
}

void linnet_nn_histogram_range(const struct linnet_nn_histogram *histogram,
                               enum linnet_nn_range_method method, float *low, float *high) {
    bool both = histogram->low < 0;
    double most = (double)(-histogram->low > histogram->high ? -histogram->low : histogram->high);
    double width = histogram->top / LINNET_NN_BINS, size = most;
    if (most > 0 && method == LINNET_NN_RANGE_ERROR)
        size = width * (double)least_error(histogram, both ? 127 : 255);
    if (most > 0 && method == LINNET_NN_RANGE_PERCENTILE) size = width * (double)percentile(histogram);
    if (size > most) size = most;
    *high = (float)size;
    *low = both ? -*high : 0;
}
