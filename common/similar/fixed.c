#include "common/similar/fixed.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define FAST __attribute__((target("avx2")))
#endif

#define ONE 32767

int16_t linnet_fixed(float value) {
    return (int16_t)lrintf(fminf(fmaxf(value, -1), 1) * ONE);
}

/* Sums wrap around as the processor's do. */
static uint32_t plain_sum(const int16_t *a, const int16_t *b, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(a[i] * b[i]);
    return sum;
}

#if defined(__x86_64__)
FAST static inline __m256i products(const int16_t *a, const int16_t *b) {
    return _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)a), _mm256_loadu_si256((const __m256i *)b));
}

/* Four sums, so that one does not wait for the one before. */
FAST static uint32_t fast_sum(const int16_t *a, const int16_t *b, size_t n) {
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
    uint32_t lanes[8], sum = 0;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = _mm256_add_epi32(s0, products(a + i, b + i));
        s1 = _mm256_add_epi32(s1, products(a + i + 16, b + i + 16));
        s2 = _mm256_add_epi32(s2, products(a + i + 32, b + i + 32));
        s3 = _mm256_add_epi32(s3, products(a + i + 48, b + i + 48));
    }
    _mm256_storeu_si256((__m256i *)lanes,
                        _mm256_add_epi32(_mm256_add_epi32(s0, s1), _mm256_add_epi32(s2, s3)));
    for (int lane = 0; lane < 8; lane++)
        sum += lanes[lane];
    return i < n ? sum + plain_sum(a + i, b + i, n - i) : sum;
}

static int is_fast(void) {
    return __builtin_cpu_supports("avx2");
}
#else
#define fast_sum plain_sum

static int is_fast(void) {
    return 0;
}
#endif

float linnet_fixed_dot(const int16_t *a, const int16_t *b, size_t n) {
    uint32_t sum = is_fast() ? fast_sum(a, b, n) : plain_sum(a, b, n);
    return (float)(int32_t)sum / ((float)ONE * ONE);
}
