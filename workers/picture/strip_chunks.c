/* PNG (W3C, Portable Network Graphics, 3rd edition, section 5) and WebP (Google, WebP Container
 * Specification): files of chunks. */
#include <string.h>

#include "workers/picture/strip.h"

static size_t big32(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

static size_t little32(const unsigned char *at) {
    return (size_t)at[3] << 24 | (size_t)at[2] << 16 | (size_t)at[1] << 8 | at[0];
}

static int is_one_of(const unsigned char *name, const char *const *names) {
    for (; *names; names++)
        if (memcmp(name, *names, 4) == 0) return 1;
    return 0;
}

int linnet_strip_png(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                     struct linnet_error *err) {
    static const char *const kept[] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB",
                                       "iCCP", "cICP", "sBIT", "bKGD", "acTL", "fcTL", "fdAT", NULL};
    size_t at = 8, to = 8;
    memcpy(out, data, 8);
    for (;;) {
        if (size - at < 12)
            return linnet_error_set(err, LINNET_E_PARSE, "the PNG ends early, at byte %zu", size);
        size_t length = big32(data + at);
        if (length > size - at - 12)
            return linnet_error_set(err, LINNET_E_PARSE, "a chunk of the PNG at byte %zu goes beyond its end",
                                    at);
        if (is_one_of(data + at + 4, kept)) {
            memcpy(out + to, data + at, length + 12);
            to += length + 12;
        }
        if (memcmp(data + at + 4, "IEND", 4) == 0) break;
        at += length + 12;
    }
    *used = to;
    return 0;
}

int linnet_strip_webp(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                      struct linnet_error *err) {
    static const char *const kept[] = {"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP", NULL};
    enum { EXIF_FLAG = 0x08, XMP_FLAG = 0x04 };
    size_t end = little32(data + 4), at = 12, to = 12;
    if (end < 4 || end > size - 8)
        return linnet_error_set(err, LINNET_E_PARSE, "the WebP ends early: %zu of %zu bytes", size, end + 8);
    end += 8;
    memcpy(out, data, 12);
    while (end - at >= 8) {
        size_t length = little32(data + at + 4);
        if (length > end - at - 8)
            return linnet_error_set(err, LINNET_E_PARSE,
                                    "a chunk of the WebP at byte %zu goes beyond its end", at);
        size_t whole = 8 + length + (length & 1);
        if (whole > end - at) whole = end - at; /* the last chunk's padding may be missing */
        if (is_one_of(data + at, kept)) {
            memcpy(out + to, data + at, whole);
            if (memcmp(data + at, "VP8X", 4) == 0 && length > 0)
                out[to + 8] &= (unsigned char)~(EXIF_FLAG | XMP_FLAG);
            to += whole;
        }
        at += whole;
    }
    size_t payload = to - 8;
    for (int i = 0; i < 4; i++)
        out[4 + i] = (unsigned char)(payload >> 8 * i);
    *used = to;
    return 0;
}
