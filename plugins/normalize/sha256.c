#include "plugins/normalize/sha256.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void normalize_sha256_portable(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]) {
    crypto_hash_sha256(out, data, size);
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define BLOCK  64
#define NATIVE __attribute__((target("sha,sse4.1,ssse3")))

/* FIPS 180-4, 4.2.2 and 5.3.3. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const uint32_t beginning[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static bool is_native(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* Whole blocks. The instructions keep the eight words of the state as abef and cdgh, and take four rounds a
 * turn; the message schedule turns in four registers. */
NATIVE static void compress(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks > 0; blocks--, data += BLOCK) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
        for (int i = 0; i < 16; i++) {
            __m128i *now = &w[i & 3], *after = &w[(i + 3) & 3];
            __m128i words = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
            if (i >= 12) continue;
            __m128i next = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) & 3]),
                                         _mm_alignr_epi8(*after, w[(i + 2) & 3], 4));
            *now = _mm_sha256msg2_epu32(next, *after);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

bool normalize_sha256_native(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]) {
    const uint8_t *bytes = data;
    uint32_t state[8];
    uint8_t last[2 * BLOCK] = {0};
    size_t whole = size / BLOCK, rest = size % BLOCK, padded = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    uint64_t bits = (uint64_t)size * 8;
    if (!is_native()) return false;
    memcpy(state, beginning, sizeof state);
    compress(state, bytes, whole);
    if (rest) memcpy(last, bytes + whole * BLOCK, rest);
    last[rest] = 0x80;
    for (int i = 0; i < 8; i++)
        last[padded - 1 - i] = (uint8_t)(bits >> (8 * i));
    compress(state, last, padded / BLOCK);
    for (int i = 0; i < NORMALIZE_SHA256_SIZE; i++)
        out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    return true;
}
#else
bool normalize_sha256_native(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]) {
    (void)data, (void)size, (void)out;
    return false;
}
#endif

void normalize_sha256(const void *data, size_t size, uint8_t out[NORMALIZE_SHA256_SIZE]) {
    if (!normalize_sha256_native(data, size, out)) normalize_sha256_portable(data, size, out);
}

int normalize_sha256_check(const char *name, const void *data, size_t size, char *why, size_t why_size) {
    uint8_t hash[NORMALIZE_SHA256_SIZE];
    char text[2 * sizeof hash + 1];
    normalize_sha256(data, size, hash);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    if (!strcmp(name, text)) return 0;
    snprintf(why, why_size, "the picture is not the one that its id names: its SHA-256 is %s", text);
    return -1;
}
