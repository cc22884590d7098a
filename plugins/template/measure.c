#include "measure.h"

#include <math.h>

/* Mean and variance as the values come (Welford's algorithm): one pass, and no cancellation. */
struct moments {
    double n, mean, sum;
};

static void add(struct moments *moments, double value) {
    double delta = value - moments->mean;
    moments->n += 1;
    moments->mean += delta / moments->n;
    moments->sum += delta * (value - moments->mean);
}

static double variance(const struct moments *moments) {
    return moments->n > 0 ? moments->sum / moments->n : 0;
}

struct measure measure_grey(const unsigned char *pixels, size_t width, size_t height) {
    struct moments grey = {0}, laplacian = {0};
    for (size_t i = 0; i < width * height; i++)
        add(&grey, pixels[i]);
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++) {
            const unsigned char *at = pixels + y * width + x;
            add(&laplacian, 4.0 * at[0] - at[-1] - at[1] - at[-(ptrdiff_t)width] - at[width]);
        }
    return (struct measure){
        .sharpness = variance(&laplacian),
        .brightness = grey.mean / 255,
        .contrast = sqrt(variance(&grey)) / 255,
    };
}
