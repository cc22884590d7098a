/* How sure a network may be: one number that its logits are divided by, chosen on pictures that it was not
 * trained on. Pure functions of arrays; any thread.
 *
 * C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017: of the
 * methods that they compare it is the simplest and hardly ever beaten, and it never changes which class comes
 * first. */
#ifndef LINNET_CALIBRATION_TEMPERATURE_H
#define LINNET_CALIBRATION_TEMPERATURE_H

#include <stddef.h>
#include <stdint.h>

#define LINNET_TEMPERATURE_LEAST 0.05
#define LINNET_TEMPERATURE_MOST  20.0

/* What a network says of one picture, as far as it lists it: the rest of the probability is taken to lie
 * evenly on the classes that it does not list. With all classes listed that is exact; a list of the best
 * hundred holds all but a sliver of what a trained network says. */
struct linnet_answer {
    const double *listed; /* probabilities, the largest first */
    size_t nlisted;
    uint32_t others; /* classes that are not listed */
    long truth;      /* its place in `listed`; -1: it is among the others */
};

/* The probabilities' power 1 / temperature, made to sum to 1 (so 1 leaves them as they are): those of the
 * first and of the truth. */
struct linnet_tempered {
    double first, truth;
};
struct linnet_tempered linnet_temper(const struct linnet_answer *answer, double temperature);

/* The temperature, relative to the one that the answers were made with, under which the truths are likeliest:
 * the least mean of -log p(truth), which is convex in 1 / temperature. Between the bounds above; 1 without
 * answers. */
double linnet_temperature_fit(const struct linnet_answer *answers, size_t n);

/* Expected calibration error of the first answers at a temperature: |how often right - how sure| by `bins`
 * bins of equal width, weighted by how many lie in each (Guo et al. 2017, section 2). 0..1. */
double linnet_calibration_error(const struct linnet_answer *answers, size_t n, double temperature,
                                unsigned bins);

#endif
