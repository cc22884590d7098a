/* Products of half-precision vectors, as embeddings are stored. Uses the processor's own conversion where it
 * has one (x86 with AVX2, FMA and F16C), else plain C. Any thread. */
#ifndef LINNET_SIMILAR_HALF_H
#define LINNET_SIMILAR_HALF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/half.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The sum of a[i] * b[i], n of them; of two stored vectors, and of one in single precision and a stored one.
 */
float linnet_half_dot(const uint16_t *a, const uint16_t *b, size_t n);
float linnet_half_dot_float(const float *a, const uint16_t *b, size_t n);

#ifdef __cplusplus
}
#endif

#endif
