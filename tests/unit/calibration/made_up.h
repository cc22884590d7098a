/* Answers of a network that does not exist: classes by Zipf's law, logits that are right more or less. */
#ifndef LINNET_TEST_CALIBRATION_MADE_UP_H
#define LINNET_TEST_CALIBRATION_MADE_UP_H

#include <math.h>
#include <stdint.h>

/* splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014). */
static inline double made_up_uniform(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static inline double made_up_normal(uint64_t *state) {
    double radius = sqrt(-2 * log(made_up_uniform(state)));
    return radius * cos(2 * 3.14159265358979323846 * made_up_uniform(state));
}

/* One of n classes, the kth as often as 1 / (k + 1). */
static inline uint32_t made_up_class(uint64_t *state, uint32_t n) {
    double sum = 0, at;
    for (uint32_t k = 0; k < n; k++)
        sum += 1.0 / (k + 1);
    at = made_up_uniform(state) * sum;
    for (uint32_t k = 0; k < n; k++)
        if ((at -= 1.0 / (k + 1)) < 0) return k;
    return n - 1;
}

#endif
