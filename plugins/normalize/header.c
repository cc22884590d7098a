#include "plugins/normalize/header.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A JPEG of more components than CMYK's four is nobody's photograph. */
#define JPEG_COMPONENTS 4

/* The bytes, and where the words go when they are wrong. */
struct reader {
    const uint8_t *data;
    size_t size;
    char *why;
    size_t why_size;
};

/* Say why, and be -1. */
#define REFUSE(in, ...) (snprintf((in)->why, (in)->why_size, __VA_ARGS__), -1)

static uint32_t be16(const uint8_t *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p) {
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le24(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static uint32_t le32(const uint8_t *p) {
    return le24(p) | (uint32_t)p[3] << 24;
}

/* --- JPEG (ITU-T T.81, annex B) --- */

struct jpeg_frame {
    bool seen;
    bool progressive;
    uint32_t components;
    uint64_t coefficients; /* bytes of all coefficients, two each */
};

static bool is_frame(unsigned marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* A frame header (B.2.2): precision, height, width, then per component id, sampling factors, table. */
static int read_frame(struct reader *in, unsigned marker, const uint8_t *body, size_t size,
                      struct jpeg_frame *frame, struct normalize_header *header) {
    if (frame->seen) return REFUSE(in, "the JPEG is damaged: it has two frame headers");
    if (marker != 0xc0 && marker != 0xc1 && marker != 0xc2 && marker != 0xc9 && marker != 0xca)
        return REFUSE(in, "the JPEG is of a kind that no camera makes (SOF%u)", marker - 0xc0);
    if (size < 6 || size < 6 + 3 * (size_t)body[5])
        return REFUSE(in, "the JPEG is damaged: its frame header is short");
    if (body[0] != 8) return REFUSE(in, "the JPEG has %u bits per sample; only 8 are supported", body[0]);
    frame->components = body[5];
    if (frame->components == 0 || frame->components > JPEG_COMPONENTS)
        return REFUSE(in, "the JPEG has %u colour components", frame->components);
    header->height = be16(body + 1);
    header->width = be16(body + 3);

    uint32_t across = 1, down = 1;
    for (uint32_t i = 0; i < frame->components; i++) {
        uint32_t h = body[7 + 3 * i] >> 4, v = body[7 + 3 * i] & 15;
        if (h == 0 || h > 4 || v == 0 || v > 4)
            return REFUSE(in, "the JPEG is damaged: its sampling factors are impossible");
        if (h > across) across = h;
        if (v > down) down = v;
    }
    uint64_t mcus = (uint64_t)((header->width + 8 * across - 1) / (8 * across)) *
                    ((header->height + 8 * down - 1) / (8 * down));
    for (uint32_t i = 0; i < frame->components; i++)
        frame->coefficients += mcus * (body[7 + 3 * i] >> 4) * (body[7 + 3 * i] & 15) * 64 * 2;
    frame->progressive = marker == 0xc2 || marker == 0xca;
    frame->seen = true;
    return 0;
}

/* The end of a scan's entropy-coded data: the next marker that is neither a stuffed byte nor a restart. */
static size_t skip_scan(const struct reader *in, size_t at) {
    while (at + 1 < in->size) {
        const uint8_t *found = memchr(in->data + at, 0xff, in->size - at - 1);
        if (!found) return in->size;
        at = (size_t)(found - in->data);
        unsigned next = found[1];
        if (next != 0x00 && next != 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
        at += next == 0xff ? 1 : 2;
    }
    return in->size;
}

/* One pass over the segments. A picture whose first scan holds all components is decoded line by line,
 * whatever follows; of the others every scan is counted, because each costs the decoder a pass. */
static int read_jpeg(struct reader *in, struct normalize_header *header) {
    struct jpeg_frame frame = {0};
    size_t at = 2;
    header->scans = 0;
    while (at + 4 <= in->size) {
        unsigned marker = in->data[at + 1];
        if (in->data[at] != 0xff ||
            marker == 0xff) { /* bytes between segments, which decoders pass over as well */
            at++;
            continue;
        }
        if (marker == 0x00 || marker == 0x01 ||
            (marker >= 0xd0 && marker <= 0xd7)) { /* markers without a segment */
            at += 2;
            continue;
        }
        if (marker == 0xd9) break;
        size_t length = be16(in->data + at + 2);
        if (marker == 0xd8 || length < 2)
            return REFUSE(in, "the JPEG is damaged: a segment that cannot be, at byte %zu", at);
        if (at + 2 + length > in->size) break;
        const uint8_t *body = in->data + at + 4;
        if (is_frame(marker) && read_frame(in, marker, body, length - 2, &frame, header)) return -1;
        at += 2 + length;
        if (marker != 0xda) continue;
        if (!frame.seen) return REFUSE(in, "the JPEG is damaged: its data come before its frame header");
        header->scans++;
        if (length < 3) return REFUSE(in, "the JPEG is damaged: its scan header is short");
        if (header->scans == 1 && !frame.progressive && body[0] == frame.components) return 0;
        header->memory = frame.coefficients;
        at = skip_scan(in, at);
    }
    if (header->scans == 0)
        return REFUSE(in, "the JPEG ends early: after %zu bytes, within its header", in->size);
    return 0;
}

/* --- PNG (ISO/IEC 15948, clause 11) --- */

static int read_ihdr(struct reader *in, const uint8_t *body, size_t size, struct normalize_header *header) {
    static const uint8_t channels[] = {1, 0, 3, 1, 2, 0, 4};
    if (size != 13 || body[9] >= sizeof channels || !channels[body[9]] || body[8] > 16 || body[12] > 1)
        return REFUSE(in, "the PNG is damaged: its header makes no sense");
    header->width = be32(body);
    header->height = be32(body + 4);
    /* An interlaced picture comes in seven passes. A palette becomes red, green, blue and alpha. */
    unsigned bytes = (body[9] == 3 ? 4 : channels[body[9]]) * (body[8] > 8 ? 2 : 1);
    if (body[12]) header->memory = (uint64_t)header->width * header->height * bytes;
    return 0;
}

static int read_png(struct reader *in, struct normalize_header *header) {
    size_t at = 8;
    bool first = true;
    while (in->size - at >= 12) {
        size_t length = be32(in->data + at);
        const uint8_t *type = in->data + at + 4, *body = in->data + at + 8;
        if (length > INT32_MAX) return REFUSE(in, "the PNG is damaged: an impossible chunk at byte %zu", at);
        if (length > in->size - at - 12) break;
        bool ihdr = !memcmp(type, "IHDR", 4);
        if (ihdr != first) return REFUSE(in, "the PNG is damaged: its header is not where it should be");
        if (ihdr && read_ihdr(in, body, length, header)) return -1;
        if (!memcmp(type, "acTL", 4) && length == 8) header->pages = be32(body);
        if (!memcmp(type, "IEND", 4)) return 0;
        first = false;
        at += 12 + length;
    }
    return REFUSE(in, "the PNG ends early: after %zu bytes, without its end marker", in->size);
}

/* --- WebP (RFC 9649) --- */

/* A lossy picture: a key frame's header. */
static int read_vp8(struct reader *in, const uint8_t *body, size_t size, struct normalize_header *header) {
    if (size < 10 || (body[0] & 1) || memcmp(body + 3, "\x9d\x01\x2a", 3) != 0)
        return REFUSE(in, "the WebP is damaged: its picture has no key frame");
    header->width = (body[6] | (uint32_t)body[7] << 8) & 0x3fff;
    header->height = (body[8] | (uint32_t)body[9] << 8) & 0x3fff;
    return 0;
}

/* A lossless one. It refers back to any of its pixels, so all stay in memory. */
static int read_vp8l(struct reader *in, const uint8_t *body, size_t size, struct normalize_header *header) {
    if (size < 5 || body[0] != 0x2f) return REFUSE(in, "the WebP is damaged: its picture has no signature");
    uint32_t bits = le32(body + 1);
    header->width = (bits & 0x3fff) + 1;
    header->height = (bits >> 14 & 0x3fff) + 1;
    header->memory = (uint64_t)header->width * header->height * 4;
    return 0;
}

static int read_vp8x(struct reader *in, const uint8_t *body, size_t size, struct normalize_header *header) {
    if (size < 10) return REFUSE(in, "the WebP is damaged: its header is short");
    header->width = le24(body + 4) + 1;
    header->height = le24(body + 7) + 1;
    /* An animation is drawn on a canvas of which the last state is kept too. */
    if (body[0] & 2) header->memory = (uint64_t)header->width * header->height * 8;
    return 0;
}

static int read_webp(struct reader *in, struct normalize_header *header) {
    size_t end = (size_t)le32(in->data + 4) + 8, at = 12;
    uint32_t frames = 0;
    bool seen = false, extended = false;
    if (end > in->size) return REFUSE(in, "the WebP ends early: it has %zu of %zu bytes", in->size, end);
    while (end > at && end - at >= 8) {
        size_t length = le32(in->data + at + 4);
        const uint8_t *type = in->data + at, *body = in->data + at + 8;
        if (length > end - at - 8)
            return REFUSE(in, "the WebP is damaged: a chunk reaches past its end, at byte %zu", at);
        struct normalize_header still = *header;
        bool lossy = !memcmp(type, "VP8 ", 4), lossless = !memcmp(type, "VP8L", 4);
        if (!seen && !memcmp(type, "VP8X", 4)) {
            if (read_vp8x(in, body, length, header)) return -1;
            extended = true;
        } else if (lossy || lossless) {
            if (lossy ? read_vp8(in, body, length, &still) : read_vp8l(in, body, length, &still)) return -1;
            if (extended && (still.width != header->width || still.height != header->height))
                return REFUSE(in, "the WebP is damaged: its picture is not of the size that its header says");
            *header = still;
            return 0;
        } else if (!seen) {
            return REFUSE(in, "the WebP is damaged: it does not begin with a picture");
        }
        frames += !memcmp(type, "ANMF", 4);
        seen = true;
        at += 8 + length + (length & 1);
    }
    if (!frames) return REFUSE(in, "the WebP is damaged: there is no picture in it");
    header->pages = frames;
    return 0;
}

int normalize_header_read(enum normalize_format format, const void *data, size_t size,
                          struct normalize_header *out, char *why, size_t why_size) {
    struct reader in = {data, size, why, why_size};
    struct normalize_header header = {.format = format, .pages = 1, .scans = 1};
    const char *title = normalize_format_title(format);
    if (format == NORMALIZE_JPEG && read_jpeg(&in, &header)) return -1;
    if (format == NORMALIZE_PNG && read_png(&in, &header)) return -1;
    if (format == NORMALIZE_WEBP && read_webp(&in, &header)) return -1;
    if (format != NORMALIZE_HEIF && (header.width == 0 || header.height == 0))
        return REFUSE(&in, "the %s says that it is %u x %u pixels", title, header.width, header.height);
    *out = header;
    return 0;
}
