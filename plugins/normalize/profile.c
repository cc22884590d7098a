#include "plugins/normalize/profile.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HEADER_SIZE 128
/* Less than this in a primary, or in a tone, moves no 8-bit value by one. */
#define PRIMARY_TOLERANCE 0.0015
#define TONE_TOLERANCE    0.0015
/* Tones compared from black to white. */
#define TONES 33

struct tag {
    const uint8_t *data;
    size_t size;
};

static uint32_t be16(const uint8_t *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p) {
    return be16(p) << 16 | be16(p + 2);
}

/* s15Fixed16Number */
static double fixed(const uint8_t *p) {
    return (int32_t)be32(p) / 65536.0;
}

/* Find a tag of the profile's table; its data lie inside the profile. */
static bool find_tag(const uint8_t *profile, size_t size, const char *name, struct tag *out) {
    if (size < HEADER_SIZE + 4) return false;
    size_t count = be32(profile + HEADER_SIZE);
    if (count > (size - HEADER_SIZE - 4) / 12) return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = profile + HEADER_SIZE + 4 + 12 * i;
        size_t offset = be32(entry + 4), length = be32(entry + 8);
        if (memcmp(entry, name, 4) != 0) continue;
        if (offset > size || length > size - offset) return false;
        *out = (struct tag){profile + offset, length};
        return true;
    }
    return false;
}

static bool is_primary(const uint8_t *profile, size_t size, const char *name, const double expected[3]) {
    struct tag tag;
    if (!find_tag(profile, size, name, &tag) || tag.size < 20 || memcmp(tag.data, "XYZ ", 4) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (fabs(fixed(tag.data + 8 + 4 * i) - expected[i]) > PRIMARY_TOLERANCE) return false;
    return true;
}

static double srgb_tone(double x) {
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

/* A sampled curve ('curv' with more than one entry), linear between its samples. */
static double sampled_tone(const uint8_t *samples, size_t count, double x) {
    double place = x * (double)(count - 1);
    size_t low = (size_t)place;
    if (low >= count - 1) return be16(samples + 2 * (count - 1)) / 65535.0;
    double a = be16(samples + 2 * low) / 65535.0, b = be16(samples + 2 * low + 2) / 65535.0;
    return a + (b - a) * (place - (double)low);
}

/* A parametric curve of type 3, the one that fits sRGB: (ax + b)^g from d on, cx below. */
static double parametric_tone(const uint8_t *parameters, double x) {
    double g = fixed(parameters), a = fixed(parameters + 4), b = fixed(parameters + 8),
           c = fixed(parameters + 12);
    return x >= fixed(parameters + 16) ? pow(a * x + b, g) : c * x;
}

static bool is_curve(const uint8_t *profile, size_t size, const char *name) {
    struct tag tag;
    if (!find_tag(profile, size, name, &tag) || tag.size < 12) return false;
    bool sampled = !memcmp(tag.data, "curv", 4);
    size_t count = sampled ? be32(tag.data + 8) : 0;
    if (sampled && (count < 2 || count > (tag.size - 12) / 2)) return false;
    if (!sampled && (memcmp(tag.data, "para", 4) != 0 || be16(tag.data + 8) != 3 || tag.size < 32))
        return false;
    for (int i = 0; i < TONES; i++) {
        double x = i / (double)(TONES - 1);
        double tone = sampled ? sampled_tone(tag.data + 12, count, x) : parametric_tone(tag.data + 12, x);
        if (!(fabs(tone - srgb_tone(x)) <= TONE_TOLERANCE)) return false;
    }
    return true;
}

bool normalize_profile_is_srgb(const void *profile, size_t size) {
    static const double red[3] = {0.4361, 0.2225, 0.0139}, green[3] = {0.3851, 0.7169, 0.0971},
                        blue[3] = {0.1431, 0.0606, 0.7139};
    const uint8_t *bytes = profile;
    struct tag table;
    if (size < HEADER_SIZE || memcmp(bytes + 16, "RGB XYZ ", 8) != 0) return false;
    if (find_tag(bytes, size, "A2B0", &table)) return false; /* a table overrules primaries and curves */
    return is_primary(bytes, size, "rXYZ", red) && is_primary(bytes, size, "gXYZ", green) &&
           is_primary(bytes, size, "bXYZ", blue) && is_curve(bytes, size, "rTRC") &&
           is_curve(bytes, size, "gTRC") && is_curve(bytes, size, "bTRC");
}
