/* Sine, exponential and logarithm that give the same bits everywhere.
 *
 * glibc picks fused or plain variants of these by the processor, and they differ in the last bit now and
 * then: enough to make two machines draw two pictures. These use nothing but IEEE additions, multiplications
 * and divisions (the folder is built with -ffp-contract=off), to about 1e-11, which is far below what a pixel
 * can show. floor, sqrt, ldexp and frexp are exact and come from libm. Pure functions, any thread. */
#ifndef LINNET_FLORA_FMATH_H
#define LINNET_FLORA_FMATH_H

#include <math.h>

#define FM_PI  3.14159265358979323846
#define FM_TAU 6.28318530717958647692
#define FM_LN2 0.69314718055994530942

/* Sine of an angle in radians, |x| below 1e6. Taylor to the 15th power on a quarter turn. */
static inline double fm_sin(double x) {
    x -= floor(x / FM_TAU + 0.5) * FM_TAU;
    if (x > FM_PI / 2) x = FM_PI - x;
    if (x < -FM_PI / 2) x = -FM_PI - x;
    double y = x * x;
    double p = 1.0 / 1307674368000.0;
    p = 1.0 / 6227020800.0 - y * p;
    p = 1.0 / 39916800.0 - y * p;
    p = 1.0 / 362880.0 - y * p;
    p = 1.0 / 5040.0 - y * p;
    p = 1.0 / 120.0 - y * p;
    p = 1.0 / 6.0 - y * p;
    return x - x * y * p;
}

static inline double fm_cos(double x) {
    return fm_sin(x + FM_PI / 2);
}

/* e to the x, for |x| below 700. */
static inline double fm_exp(double x) {
    double k = floor(x / FM_LN2 + 0.5);
    double r = x - k * FM_LN2, term = 1, sum = 1;
    for (int i = 1; i <= 11; i++) {
        term *= r / i;
        sum += term;
    }
    return ldexp(sum, (int)k);
}

/* Natural logarithm of a positive number. */
static inline double fm_log(double x) {
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752440) {
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), y = s * s, p = 0;
    for (int i = 15; i >= 1; i -= 2)
        p = p * y + 1.0 / i;
    return 2 * s * p + e * FM_LN2;
}

/* x to the y for x >= 0. */
static inline double fm_pow(double x, double y) {
    return x <= 0 ? 0 : fm_exp(y * fm_log(x));
}

static inline double fm_clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static inline double fm_mix(double a, double b, double t) {
    return a + (b - a) * t;
}

/* 0 below `a`, 1 above `b`, smooth between. */
static inline double fm_step(double a, double b, double x) {
    double t = fm_clamp((x - a) / (b - a), 0, 1);
    return t * t * (3 - 2 * t);
}

#endif
