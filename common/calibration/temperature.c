#include "common/calibration/temperature.h"

#include <math.h>
#include <string.h>

#define BINS_MAX 100
/* What is not listed is not impossible: no logarithm of nothing. */
#define LEAST 1e-12
#define STEPS 60 /* of the search: far below what any set of pictures tells */

/* Logarithm of the probability of each of the classes that are not listed. */
static double log_of_others(const struct linnet_answer *answer) {
    double sum = 0;
    for (size_t i = 0; i < answer->nlisted; i++)
        sum += answer->listed[i];
    return log(fmax((1 - sum) / fmax(answer->others, 1), LEAST));
}

struct linnet_tempered linnet_temper(const struct linnet_answer *answer, double temperature) {
    double others = log_of_others(answer),
           top = answer->nlisted > 0 ? log(fmax(answer->listed[0], LEAST)) : others;
    double sum = answer->others > 0 ? answer->others * exp((others - top) / temperature) : 0;
    for (size_t i = 0; i < answer->nlisted; i++)
        sum += exp((log(fmax(answer->listed[i], LEAST)) - top) / temperature);
    double truth = answer->truth >= 0 ? log(fmax(answer->listed[answer->truth], LEAST)) : others;
    return (struct linnet_tempered){1 / sum, exp((truth - top) / temperature) / sum};
}

static double loss(const struct linnet_answer *answers, size_t n, double temperature) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum -= log(fmax(linnet_temper(&answers[i], temperature).truth, LEAST));
    return sum;
}

/* Golden section over 1 / temperature: the logarithm of a sum of exponentials is convex. */
double linnet_temperature_fit(const struct linnet_answer *answers, size_t n) {
    static const double golden = 0.6180339887498949;
    double low = 1 / LINNET_TEMPERATURE_MOST, high = 1 / LINNET_TEMPERATURE_LEAST;
    if (n == 0) return 1;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = loss(answers, n, 1 / a), at_b = loss(answers, n, 1 / b);
    for (int step = 0; step < STEPS; step++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = loss(answers, n, 1 / a);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = loss(answers, n, 1 / b);
        }
    }
    return 2 / (low + high);
}

double linnet_calibration_error(const struct linnet_answer *answers, size_t n, double temperature,
                                unsigned bins) {
    double right[BINS_MAX] = {0}, sure[BINS_MAX] = {0}, error = 0;
    if (bins < 1 || bins > BINS_MAX || n == 0) return 0;
    for (size_t i = 0; i < n; i++) {
        double first = linnet_temper(&answers[i], temperature).first;
        unsigned bin = (unsigned)fmin(first * bins, bins - 1);
        sure[bin] += first;
        right[bin] += answers[i].truth == 0;
    }
    for (unsigned bin = 0; bin < bins; bin++)
        error += fabs(right[bin] - sure[bin]) / (double)n;
    return error;
}
