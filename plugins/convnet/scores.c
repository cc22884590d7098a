#include "plugins/convnet/scores.h"

#include <math.h>
#include <string.h>

void convnet_softmax(const float *logits, size_t count, float temperature, double *scores) {
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        if ((double)logits[i] > most) most = (double)logits[i];
    for (size_t i = 0; i < count; i++) {
        scores[i] = exp(((double)logits[i] - most) / (double)temperature);
        sum += scores[i];
    }
    for (size_t i = 0; i < count; i++)
        scores[i] /= sum;
}

double convnet_sigmoid(double logit) {
    return 1 / (1 + exp(-logit));
}

void convnet_sum(const struct convnet_taxa *taxa, const double *scores, size_t classes, double *sums) {
    memset(sums, 0, taxa->count * sizeof *sums);
    for (size_t i = 0; i < classes; i++)
        if (taxa->of_class[i] != CONVNET_NONE) sums[taxa->of_class[i]] += scores[i];
}

size_t convnet_rank(const double *sums, size_t count, double least, size_t most, uint32_t *places) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(sums[i] >= least) || (n == most && sums[i] <= sums[places[n - 1]])) continue;
        size_t at = n < most ? n++ : n - 1;
        for (; at && sums[places[at - 1]] < sums[i]; at--)
            places[at] = places[at - 1];
        places[at] = (uint32_t)i;
    }
    return n;
}

uint16_t convnet_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float magnitude = fabsf(value);
    if (isnan(value)) return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 65520) return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x1p-14f) return (uint16_t)(sign | (uint16_t)lrintf(magnitude * 0x1p24f)); /* subnormal */
    memcpy(&bits, &magnitude, sizeof bits);
    bits += 0xfff + (bits >> 13 & 1); /* to the nearest, ties to even; a carry raises the exponent */
    return (uint16_t)(sign | ((bits - (112u << 23)) >> 13));
}
