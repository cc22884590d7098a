/* How sharp, bright and rich in contrast a grey picture is. Nothing in here knows of Linnet: keep it so, and
 * your stage's real work can be tested without a host. */
#ifndef SHARPNESS_MEASURE_H
#define SHARPNESS_MEASURE_H

#include <stddef.h>

struct measure {
    double sharpness;  /* variance of the Laplacian, in squared grey levels */
    double brightness; /* mean, 0 (black) to 1 (white) */
    double contrast;   /* standard deviation, 0 to 0.5 */
};

/* Measure `width` x `height` grey values, 0 to 255, row by row. Below 3 x 3 there is no Laplacian: sharpness
 * is 0.
 *
 * LAPV of Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR
 * 2000: the variance, over all pixels with four neighbours, of 4 I(x, y) - I(x-1, y) - I(x+1, y) - I(x, y-1)
 * - I(x, y+1). */
struct measure measure_grey(const unsigned char *pixels, size_t width, size_t height);

#endif
