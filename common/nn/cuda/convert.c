/* IEEE 754 binary16 and bfloat16, bit by bit: no compiler extension needed. */
#include <string.h>

#include "common/nn/cuda/view.h"

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Drop `shift` bits, to nearest, ties to even. */
static uint32_t round_off(uint32_t bits, unsigned shift) {
    uint32_t half = 1u << (shift - 1), rest = bits & ((1u << shift) - 1), kept = bits >> shift;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

static uint16_t to_bf16(float value) {
    uint32_t bits = bits_of(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40); /* NaN stays one */
    return (uint16_t)round_off(bits, 16);
}

static uint16_t to_f16(float value) {
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (size >= 0x47800000) return (uint16_t)(sign | 0x7c00); /* 65536 and more */
    if (size >= 0x38800000) return (uint16_t)(sign | round_off(size - 0x38000000, 13));
    if (size < 0x33000000) return (uint16_t)sign; /* less than half of the least */
    uint32_t exponent = size >> 23, mantissa = (size & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | round_off(mantissa, 126 - exponent));
}

static float from_f16(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
    if (exponent == 31) return float_of(sign | 0x7f800000 | mantissa << 13);
    if (exponent) return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
    float value = (float)mantissa * 0x1p-24f;
    return sign ? -value : value;
}

void cuda_convert_from_f32(enum linnet_nn_type type, const float *from, void *to, size_t count) {
    uint16_t *narrow = to;
    if (type == LINNET_NN_F32) memcpy(to, from, count * sizeof *from);
    for (size_t i = 0; i < count && type != LINNET_NN_F32; i++)
        narrow[i] = type == LINNET_NN_F16 ? to_f16(from[i]) : to_bf16(from[i]);
}

void cuda_convert_to_f32(enum linnet_nn_type type, const void *from, float *to, size_t count) {
    const uint16_t *narrow = from;
    if (type == LINNET_NN_F32) memcpy(to, from, count * sizeof *to);
    for (size_t i = 0; i < count && type != LINNET_NN_F32; i++)
        to[i] = type == LINNET_NN_F16 ? from_f16(narrow[i]) : float_of((uint32_t)narrow[i] << 16);
}
