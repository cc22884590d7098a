#include "common/similar/half.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FAST __attribute__((target("avx2,fma,f16c")))
#endif

static float plain_dot(const uint16_t *a, const uint16_t *b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += linnet_half_to_float(a[i]) * linnet_half_to_float(b[i]);
    return sum;
}

static float plain_dot_float(const float *a, const uint16_t *b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * linnet_half_to_float(b[i]);
    return sum;
}

#if defined(__x86_64__)
FAST static inline __m256 load(const uint16_t *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
}

FAST static float total(__m256 sums) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Four sums, so that a product does not wait for the one before. */
FAST static float fast_dot(const uint16_t *a, const uint16_t *b, size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(load(a + i), load(b + i), s0);
        s1 = _mm256_fmadd_ps(load(a + i + 8), load(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(load(a + i + 16), load(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(load(a + i + 24), load(b + i + 24), s3);
    }
    float sum = total(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
    return i < n ? sum + plain_dot(a + i, b + i, n - i) : sum;
}

FAST static float fast_dot_float(const float *a, const uint16_t *b, size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), load(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), load(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), load(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), load(b + i + 24), s3);
    }
    float sum = total(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
    return i < n ? sum + plain_dot_float(a + i, b + i, n - i) : sum;
}

static int is_fast(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define fast_dot       plain_dot
#define fast_dot_float plain_dot_float

static int is_fast(void) {
    return 0;
}
#endif

float linnet_half_dot(const uint16_t *a, const uint16_t *b, size_t n) {
    return is_fast() ? fast_dot(a, b, n) : plain_dot(a, b, n);
}

float linnet_half_dot_float(const float *a, const uint16_t *b, size_t n) {
    return is_fast() ? fast_dot_float(a, b, n) : plain_dot_float(a, b, n);
}
