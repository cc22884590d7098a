/* Half precision (IEEE 754 binary16), in which embeddings and some ONNX tensors are stored. Any thread. */
#ifndef LINNET_BASE_HALF_H
#define LINNET_BASE_HALF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

float linnet_half_to_float(uint16_t half);
/* Rounded to the nearest, ties to even; what is too large becomes infinite. */
uint16_t linnet_half_from_float(float value);

#ifdef __cplusplus
}
#endif

#endif
