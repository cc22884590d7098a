/* From a network's outputs to scores: calibrated probabilities, summed up the taxonomy, ranked. */
#ifndef LINNET_CONVNET_SCORES_H
#define LINNET_CONVNET_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "plugins/convnet/model.h"

/* softmax(logits / temperature) in double precision, into `scores` (may not be `logits`). */
void convnet_softmax(const float *logits, size_t count, float temperature, double *scores);
double convnet_sigmoid(double logit);
/* Sum the probabilities of classes into their taxa (taxa->count of them). */
void convnet_sum(const struct convnet_taxa *taxa, const double *scores, size_t classes, double *sums);
/* The places of the `most` largest of `sums` that are `least` or more, best first, equal ones in order of
 * place; returns how many. */
size_t convnet_rank(const double *sums, size_t count, double least, size_t most, uint32_t *places);
/* IEEE 754 binary16, rounded to the nearest, ties to even; too large ones become infinite. */
uint16_t convnet_half(float value);

#endif
