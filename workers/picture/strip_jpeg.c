/* JPEG: ITU-T T.81, annex B (markers and segments); EXIF 2.32, section 4.5 (the orientation in a TIFF
 * directory). */
#include <string.h>

#include "workers/picture/strip.h"

enum {
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP2 = 0xe2,
    APP14 = 0xee,
    APP15 = 0xef,
    COM = 0xfe
};

static unsigned read16(const unsigned char *at, int little) {
    return little ? (unsigned)(at[1] << 8 | at[0]) : (unsigned)(at[0] << 8 | at[1]);
}

static size_t read32(const unsigned char *at, int little) {
    return little ? (size_t)read16(at + 2, 1) << 16 | read16(at, 1)
                  : (size_t)read16(at, 0) << 16 | read16(at + 2, 0);
}

/* The orientation (1 to 8) of an APP1 segment's payload, 0 if it tells none. */
static unsigned orientation_of(const unsigned char *payload, size_t size) {
    if (size < 14 || memcmp(payload, "Exif\0\0", 6) != 0) return 0;
    const unsigned char *tiff = payload + 6;
    size -= 6;
    int little = tiff[0] == 'I';
    size_t directory = read32(tiff + 4, little);
    if (directory > size || size - directory < 2) return 0;
    unsigned entries = read16(tiff + directory, little);
    for (unsigned i = 0; i < entries; i++) {
        size_t at = directory + 2 + 12 * (size_t)i;
        if (at + 12 > size) return 0;
        if (read16(tiff + at, little) != 0x0112) continue;
        unsigned value = read16(tiff + at + 8, little);
        return value >= 1 && value <= 8 ? value : 0;
    }
    return 0;
}

/* An APP1 segment that says the orientation and nothing else. */
static size_t write_orientation(unsigned char *out, unsigned orientation) {
    static const unsigned char segment[] = {0xff, APP1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
                                            0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
                                            0,    0,    0, 1,  0,   0,   0,   0,   0, 0,    0,   0};
    memcpy(out, segment, sizeof segment);
    out[29] = (unsigned char)orientation;
    return sizeof segment;
}

/* Application segments that change how the picture looks: JFIF, colour profile, Adobe's colour transform. */
static int is_kept(unsigned marker, const unsigned char *payload, size_t size) {
    if (marker == APP0) return size >= 5 && memcmp(payload, "JFIF", 5) == 0;
    if (marker == APP2) return size >= 12 && memcmp(payload, "ICC_PROFILE", 12) == 0;
    if (marker == APP14) return size >= 5 && memcmp(payload, "Adobe", 5) == 0;
    return (marker < APP0 || marker > APP15) && marker != COM;
}

/* Where the entropy-coded bytes that start at `at` end: at the next marker that is no restart and no stuffed
 * zero. */
static size_t end_of_scan(const unsigned char *data, size_t size, size_t at) {
    while (at < size) {
        const unsigned char *found = memchr(data + at, 0xff, size - at);
        if (!found || (size_t)(found - data) + 1 >= size) return size;
        at = (size_t)(found - data);
        unsigned next = data[at + 1];
        if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) return at;
        at += next == 0xff ? 1 : 2;
    }
    return size;
}

int linnet_strip_jpeg(const unsigned char *data, size_t size, unsigned char *out, size_t *used,
                      struct linnet_error *err) {
    size_t at = 2, to = 2;
    int oriented = 0;
    memcpy(out, data, 2);
    for (;;) {
        while (at + 1 < size && data[at] == 0xff && data[at + 1] == 0xff)
            at++; /* fill bytes */
        if (at + 2 > size || data[at] != 0xff)
            return linnet_error_set(err, LINNET_E_PARSE,
                                    "the JPEG ends early or is broken at byte %zu of %zu", at, size);
        unsigned marker = data[at + 1];
        if (marker == EOI) break;
        if (at + 4 > size)
            return linnet_error_set(err, LINNET_E_PARSE, "the JPEG ends early, at byte %zu", size);
        size_t length = read16(data + at + 2, 0);
        if (length < 2 || at + 2 + length > size)
            return linnet_error_set(err, LINNET_E_PARSE,
                                    "a segment of the JPEG at byte %zu goes beyond its end", at);
        const unsigned char *payload = data + at + 4;
        unsigned orientation = marker == APP1 && !oriented ? orientation_of(payload, length - 2) : 0;
        if (orientation > 1) {
            to += write_orientation(out + to, orientation);
            oriented = 1;
        }
        size_t end = at + 2 + length;
        if (marker == SOS) end = end_of_scan(data, size, end);
        if (is_kept(marker, payload, length - 2)) {
            memcpy(out + to, data + at, end - at);
            to += end - at;
        }
        at = end;
    }
    out[to++] = 0xff;
    out[to++] = EOI;
    *used = to;
    return 0;
}
