#include "common/base/ulid.h"

#include <sodium.h>
#include <string.h>

#include "common/base/time.h"

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void linnet_ulid_new(char out[LINNET_ULID_SIZE]) {
    uint8_t random[10];
    randombytes_buf(random, sizeof random);
    linnet_ulid_make((uint64_t)linnet_time_now(), random, out);
}

void linnet_ulid_make(uint64_t unix_ms, const uint8_t random[10], char out[LINNET_ULID_SIZE]) {
    unix_ms &= (UINT64_C(1) << 48) - 1; /* 48 bits are all that the format has */
    for (int i = 9; i >= 0; i--) {
        out[i] = ALPHABET[unix_ms & 31];
        unix_ms >>= 5;
    }
    for (int half = 0; half < 2; half++) { /* 40 bits make 8 characters */
        uint64_t bits = 0;
        for (int i = 0; i < 5; i++)
            bits = bits << 8 | random[half * 5 + i];
        for (int i = 7; i >= 0; i--) {
            out[10 + half * 8 + i] = ALPHABET[bits & 31];
            bits >>= 5;
        }
    }
    out[LINNET_ULID_SIZE - 1] = '\0';
}

bool linnet_ulid_valid(const char *text, size_t size) {
    if (size != LINNET_ULID_SIZE - 1) return false;
    /* 26 characters hold 130 bits, a ULID 128: the first is at most 7. */
    if (text[0] < '0' || text[0] > '7') return false;
    /* The digits, and the letters but I, L, O and U, a bit each: every id that passes is looked at. */
    static const uint32_t letters =
        0x3ffffff & ~(1u << ('I' - 'A') | 1u << ('L' - 'A') | 1u << ('O' - 'A') | 1u << ('U' - 'A'));
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0',
                 letter = (unsigned char)text[i] - (unsigned)'A';
        if (digit > 9 && (letter > 25 || !(letters >> letter & 1))) return false;
    }
    return true;
}
