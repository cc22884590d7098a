/* The few steps that oneDNN has no operation for. They are rare in networks, so they are plain. */
#include <math.h>
#include <string.h>

#include "common/nn/cpu/program.h"

/* Rounded to the nearest, ties to even; NaN stays NaN. */
static uint16_t to_bfloat(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_bfloat(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float load(const void *memory, enum linnet_nn_type type, int64_t i) {
    return type == LINNET_NN_BF16 ? from_bfloat(((const uint16_t *)memory)[i]) : ((const float *)memory)[i];
}

static void store(void *memory, enum linnet_nn_type type, int64_t i, float value) {
    if (type == LINNET_NN_BF16)
        ((uint16_t *)memory)[i] = to_bfloat(value);
    else
        ((float *)memory)[i] = value;
}

void cpu_fill(void *memory, enum linnet_nn_type type, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        store(memory, type, (int64_t)i, value);
}

void cpu_apply(const struct linnet_nn_unary *unary, enum linnet_nn_type type, size_t count, const void *from,
               void *to) {
    for (size_t i = 0; i < count; i++)
        store(to, type, (int64_t)i,
              (float)linnet_nn_function_apply(unary, (double)load(from, type, (int64_t)i)));
}

static float arithmetic(enum linnet_nn_arithmetic kind, float a, float b) {
    switch (kind) {
    case LINNET_NN_ADD:
        return a + b;
    case LINNET_NN_SUB:
        return a - b;
    case LINNET_NN_MUL:
        return a * b;
    case LINNET_NN_DIV:
        return a / b;
    case LINNET_NN_MIN:
        return fminf(a, b);
    case LINNET_NN_MAX:
        return fmaxf(a, b);
    }
    return NAN;
}

/* How far one step along each dimension goes in a plain tensor; 0 along those of length 1. */
static void strides_of(int rank, const int64_t *dims, int64_t *strides) {
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = dims[i] == 1 ? 0 : step;
        step *= dims[i];
    }
}

void cpu_broadcast(enum linnet_nn_arithmetic kind, int rank, const void *a, const int64_t *a_dims,
                   enum linnet_nn_type a_type, const void *b, const int64_t *b_dims,
                   enum linnet_nn_type b_type, void *out, const int64_t *out_dims,
                   enum linnet_nn_type out_type) {
    int64_t a_strides[LINNET_NN_RANK_MAX], b_strides[LINNET_NN_RANK_MAX], at[LINNET_NN_RANK_MAX] = {0};
    int64_t ia = 0, ib = 0, count = 1;
    strides_of(rank, a_dims, a_strides);
    strides_of(rank, b_dims, b_strides);
    for (int i = 0; i < rank; i++)
        count *= out_dims[i];
    for (int64_t i = 0; i < count; i++) {
        store(out, out_type, i, arithmetic(kind, load(a, a_type, ia), load(b, b_type, ib)));
        for (int k = rank - 1; k >= 0; k--) {
            ia += a_strides[k];
            ib += b_strides[k];
            if (++at[k] < out_dims[k]) break;
            ia -= a_strides[k] * out_dims[k];
            ib -= b_strides[k] * out_dims[k];
            at[k] = 0;
        }
    }
}
