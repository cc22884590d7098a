/* Vectors of unit length in fixed point, as the index keeps them: a component is a whole number of 1/32767.
 * Two bytes, like a half, and about as precise for what embeddings hold; but products are sums of whole
 * numbers, of which a processor does sixteen at once without converting any. Uses AVX2 where it is, else
 * plain C, with the same result. Any thread. */
#ifndef LINNET_SIMILAR_FIXED_H
#define LINNET_SIMILAR_FIXED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A component from -1 to 1 (beyond: the nearest of these), rounded to the nearest. */
int16_t linnet_fixed(float value);
/* The sum of a[i] * b[i], n of them. Of vectors of unit length no partial sum leaves 32 bits; of others the
 * result is a number without a meaning. */
float linnet_fixed_dot(const int16_t *a, const int16_t *b, size_t n);

#ifdef __cplusplus
}
#endif

#endif
