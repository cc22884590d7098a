#include "plugins/convnet/resample.h"

#include <math.h>
#include <stdlib.h>

/* For each wanted pixel of one direction: the source pixels that it is made of and their weights. */
struct taps {
    int *first, *count;
    float *weights; /* `most` for each pixel */
    int most;
};

static double cubic(double x) {
    x = fabs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static void taps_done(struct taps *taps) {
    free(taps->first);
    free(taps->weights);
}

/* Weights of one pixel whose centre is at `centre` of the source; `low` and `high` bound what it may read. */
static void weigh(struct taps *taps, int pixel, double centre, double shrink, int low, int high) {
    float *weights = taps->weights + (size_t)pixel * (size_t)taps->most;
    int first = (int)ceil(centre - 2 * shrink - 0.5), last = (int)floor(centre + 2 * shrink - 0.5);
    double sum = 0;
    if (first < low) first = low;
    if (last > high) last = high;
    taps->first[pixel] = first;
    taps->count[pixel] = last - first + 1;
    for (int i = first; i <= last; i++)
        sum += cubic((i + 0.5 - centre) / shrink);
    for (int i = first; i <= last; i++)
        weights[i - first] = (float)(cubic((i + 0.5 - centre) / shrink) / sum);
}

static int taps_init(struct taps *taps, const struct convnet_axis *axis, int size) {
    double step = axis->length / axis->to, shrink = step > 1 ? step : 1;
    int low = (int)floor(axis->from), high = (int)ceil(axis->from + axis->length) - 1;
    if (low < 0) low = 0;
    if (low > size - 1) low = size - 1;
    if (high > size - 1) high = size - 1;
    if (high < low) high = low;
    taps->most = (int)ceil(4 * shrink) + 2;
    taps->first = calloc(2 * (size_t)axis->count, sizeof *taps->first);
    taps->weights = calloc((size_t)axis->count * (size_t)taps->most, sizeof *taps->weights);
    if (!taps->first || !taps->weights) {
        taps_done(taps);
        return -1;
    }
    taps->count = taps->first + axis->count;
    for (int i = 0; i < axis->count; i++) {
        double centre = axis->from + (i + axis->first + 0.5) * step;
        weigh(taps, i, fmin(fmax(centre, low + 0.5), high + 0.5), shrink, low, high);
    }
    return 0;
}

static void resample_row(const struct taps *taps, int count, const unsigned char *in, float *out) {
    for (int x = 0; x < count; x++) {
        const unsigned char *pixel = in + 3 * (size_t)taps->first[x];
        const float *weights = taps->weights + (size_t)x * (size_t)taps->most;
        float red = 0, green = 0, blue = 0;
        for (int i = 0; i < taps->count[x]; i++, pixel += 3) {
            red += weights[i] * pixel[0];
            green += weights[i] * pixel[1];
            blue += weights[i] * pixel[2];
        }
        out[3 * x] = red;
        out[3 * x + 1] = green;
        out[3 * x + 2] = blue;
    }
}

static void resample_columns(const struct taps *taps, int row, const float *rows, int low, size_t width,
                             float *out) {
    const float *weights = taps->weights + (size_t)row * (size_t)taps->most;
    for (size_t x = 0; x < width; x++)
        out[x] = 0;
    for (int i = 0; i < taps->count[row]; i++) {
        const float *in = rows + (size_t)(taps->first[row] + i - low) * width;
        for (size_t x = 0; x < width; x++)
            out[x] += weights[i] * in[x];
    }
    for (size_t x = 0; x < width; x++)
        out[x] = fminf(fmaxf(out[x], 0), 255);
}

int convnet_resample(const unsigned char *pixels, int width, int height, const struct convnet_axis *across,
                     const struct convnet_axis *down, float *out) {
    struct taps horizontal, vertical;
    if (taps_init(&horizontal, across, width)) return -1;
    if (taps_init(&vertical, down, height)) {
        taps_done(&horizontal);
        return -1;
    }
    int low = vertical.first[0], last = down->count - 1, high = vertical.first[last] + vertical.count[last];
    size_t line = 3 * (size_t)across->count;
    float *rows = calloc((size_t)(high - low), line * sizeof *rows);
    for (int y = low; rows && y < high; y++)
        resample_row(&horizontal, across->count, pixels + 3 * (size_t)y * (size_t)width,
                     rows + (size_t)(y - low) * line);
    for (int y = 0; rows && y < down->count; y++)
        resample_columns(&vertical, y, rows, low, line, out + (size_t)y * line);
    taps_done(&horizontal);
    taps_done(&vertical);
    free(rows);
    return rows ? 0 : -1;
}
