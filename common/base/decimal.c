/* All of it is exact: such a double is m / 2^s with m < 2^53 and s between 3 and 62, so that 17 digits of it
 * are m * 10^k / 2^s with k <= 19, whose product fits in 128 bits. What is shifted out decides the rounding
 * (to nearest, ties to even, as IEEE 754 and glibc's printf have it). */
#include "common/base/decimal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS = 17 };

__extension__ typedef unsigned __int128 uint128;

static const uint64_t powers[] = {UINT64_C(1),
                                  UINT64_C(10),
                                  UINT64_C(100),
                                  UINT64_C(1000),
                                  UINT64_C(10000),
                                  UINT64_C(100000),
                                  UINT64_C(1000000),
                                  UINT64_C(10000000),
                                  UINT64_C(100000000),
                                  UINT64_C(1000000000),
                                  UINT64_C(10000000000),
                                  UINT64_C(100000000000),
                                  UINT64_C(1000000000000),
                                  UINT64_C(10000000000000),
                                  UINT64_C(100000000000000),
                                  UINT64_C(1000000000000000),
                                  UINT64_C(10000000000000000),
                                  UINT64_C(100000000000000000),
                                  UINT64_C(1000000000000000000),
                                  UINT64_C(10000000000000000000)};

/* value * 10^k, rounded. */
static uint64_t scaled(uint64_t mantissa, int shift, int k) {
    uint128 product = (uint128)mantissa * powers[k];
    uint64_t whole = (uint64_t)(product >> shift);
    uint128 rest = product & (((uint128)1 << shift) - 1), half = (uint128)1 << (shift - 1);
    return whole + (rest > half || (rest == half && (whole & 1)));
}

/* The digits with a point behind the first `before` of them (0 or less: zeros after the point come first),
 * zeros at the end left out. */
static int place(char digits[DIGITS], int before, char *out) {
    char *s = out;
    int size = DIGITS;
    while (size > 1 && digits[size - 1] == '0')
        size--;
    for (int i = before; i <= 0; i++) {
        *s++ = '0';
        if (i == before) *s++ = '.';
    }
    for (int i = 0; i < size || i < before; i++) {
        if (i && i == before) *s++ = '.';
        *s++ = digits[i];
    }
    *s = '\0';
    return (int)(s - out);
}

int linnet_decimal17(double value, char out[32]) {
    double size = fabs(value);
    if (!(size >= 1e-3 && size < 1e15)) return 0;
    int exponent, ten = -3; /* 10^ten <= size */
    uint64_t mantissa = (uint64_t)ldexp(frexp(size, &exponent), 53);
    while (ten < 14 && (ten < -1 ? size * (double)powers[-ten - 1] >= 1 : size >= (double)powers[ten + 1]))
        ten++;
    uint64_t whole = scaled(mantissa, 53 - exponent, DIGITS - 1 - ten);
    /* A power of ten that is no double, or a rounding up to the next one. */
    if (whole >= powers[DIGITS]) whole = scaled(mantissa, 53 - exponent, DIGITS - 1 - ++ten);
    if (whole < powers[DIGITS - 1]) whole = scaled(mantissa, 53 - exponent, DIGITS - 1 - --ten);
    char digits[DIGITS];
    for (int i = DIGITS; i--; whole /= 10)
        digits[i] = (char)('0' + whole % 10);
    int sign = value < 0;
    if (sign) *out++ = '-';
    return sign + place(digits, ten + 1, out);
}
