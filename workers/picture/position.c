/* Where metadata lies: JPEG, ITU-T T.81, annex B; PNG, W3C 3rd edition, sections 5 and 11.3; WebP, Google's
 * container specification. What says a position in it: EXIF 2.32, section 4.6.3 (GPS IFD pointer, tag 0x8825);
 * XMP, exif:GPSLatitude and the like. */
#include "workers/picture/position.h"

#include <stdint.h>
#include <string.h>

enum { GPS_IFD_POINTER = 0x8825 };

static bool holds(const unsigned char *data, size_t size, const char *text) {
    return memmem(data, size, text, strlen(text)) != NULL;
}

static unsigned read16(const unsigned char *at, bool little) {
    return little ? (unsigned)(at[1] << 8 | at[0]) : (unsigned)(at[0] << 8 | at[1]);
}

static size_t read32(const unsigned char *at, bool little) {
    size_t low = read16(at + (little ? 0 : 2), little), high = read16(at + (little ? 2 : 0), little);
    return high << 16 | low;
}

/* A TIFF file as EXIF has it: is there a GPS directory beside the first one's entries? */
static bool tiff_has_position(const unsigned char *tiff, size_t size) {
    if (size < 8) return false;
    bool little = tiff[0] == 'I';
    size_t directory = read32(tiff + 4, little);
    if (directory > size || size - directory < 2) return false;
    unsigned entries = read16(tiff + directory, little);
    for (unsigned i = 0; i < entries; i++) {
        size_t at = directory + 2 + 12 * (size_t)i;
        if (at + 12 > size) return false;
        if (read16(tiff + at, little) == GPS_IFD_POINTER) return true;
    }
    return false;
}

static bool exif_has_position(const unsigned char *data, size_t size) {
    if (size >= 6 && memcmp(data, "Exif\0", 5) == 0) return tiff_has_position(data + 6, size - 6);
    return tiff_has_position(data, size);
}

/* A motion photo says in its XMP that a film follows the picture; that film has a place of its own. */
static bool text_has_position(const unsigned char *data, size_t size) {
    return holds(data, size, "GPS") || holds(data, size, "MotionPhoto") || holds(data, size, "MicroVideo") ||
           holds(data, size, "Raw profile type");
}

/* Segments up to the first scan: EXIF and XMP may come nowhere else. */
static bool jpeg_has_position(const unsigned char *data, size_t size) {
    enum { APP1 = 0xe1, SOS = 0xda, EOI = 0xd9 };
    size_t at = 2;
    while (at + 4 <= size && data[at] == 0xff) {
        unsigned marker = data[at + 1];
        if (marker == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        size_t length = read16(data + at + 2, false);
        if (marker == SOS || marker == EOI || length < 2 || length > size - at - 2) return false;
        const unsigned char *payload = data + at + 4;
        bool exif = length >= 8 && memcmp(payload, "Exif\0", 5) == 0;
        if (marker == APP1 && (exif ? exif_has_position(payload, length - 2) : text_has_position(payload, length - 2)))
            return true;
        at += 2 + length;
    }
    return false;
}

static bool png_has_position(const unsigned char *data, size_t size) {
    size_t at = 8;
    while (size - at >= 12) {
        size_t length = read32(data + at, false);
        const unsigned char *name = data + at + 4, *body = name + 4;
        if (length > size - at - 12) return false;
        if (memcmp(name, "eXIf", 4) == 0 && exif_has_position(body, length)) return true;
        bool text = memcmp(name, "tEXt", 4) == 0 || memcmp(name, "zTXt", 4) == 0 || memcmp(name, "iTXt", 4) == 0;
        if (text && text_has_position(body, length)) return true;
        at += length + 12;
    }
    return false;
}

static bool webp_has_position(const unsigned char *data, size_t size) {
    size_t at = 12;
    while (size - at >= 8) {
        size_t length = read32(data + at + 4, true);
        const unsigned char *body = data + at + 8;
        if (length > size - at - 8) return false;
        if (memcmp(data + at, "EXIF", 4) == 0 && exif_has_position(body, length)) return true;
        if (memcmp(data + at, "XMP ", 4) == 0 && text_has_position(body, length)) return true;
        size_t whole = 8 + length + (length & 1);
        if (whole > size - at) return false;
        at += whole;
    }
    return false;
}

bool linnet_picture_has_position(const void *bytes, size_t size) {
    const unsigned char *data = bytes;
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0) return jpeg_has_position(data, size);
    if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) return png_has_position(data, size);
    if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return webp_has_position(data, size);
    return false;
}
