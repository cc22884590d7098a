#include "common/base/json_reader.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

/* jansson's own limit. */
#define MOST_DEPTH 2048

void linnet_json_reader_init(struct linnet_json_reader *reader, const char *text, size_t size) {
    *reader = (struct linnet_json_reader){.s = text, .end = text + size};
}

void linnet_json_reader_done(struct linnet_json_reader *reader) {
    linnet_buf_done(&reader->scratch);
}

char linnet_json_peek(struct linnet_json_reader *reader) {
    const char *s = reader->s;
    while (s < reader->end && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t'))
        s++;
    reader->s = s;
    return s < reader->end ? *s : '\0';
}

bool linnet_json_take(struct linnet_json_reader *reader, char wanted) {
    if (linnet_json_peek(reader) != wanted || reader->s == reader->end) return false;
    reader->s++;
    return true;
}

/* ---- strings ---- */

/* Eight at a time: a byte is zero where it was the one that is looked for, and the subtraction then
 * borrows into its top bit (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord). A false alarm
 * costs a look at single bytes only. */
const char *linnet_json_skip_plain(const char *s, const char *end) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    while (end - s >= 8) {
        uint64_t word;
        memcpy(&word, s, 8);
        uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
        uint64_t found =
            ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | (word - ones * 0x20) | word;
        if (found & tops) break;
        s += 8;
    }
    while (s < end && (unsigned char)*s >= 0x20 && (unsigned char)*s < 0x80 && *s != '"' && *s != '\\')
        s++;
    return s;
}

/* The four digits of \uXXXX at `s`; -1 if they are none. */
static long read_unit(const char *s, const char *end) {
    if (end - s < 4) return -1;
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static int append_code_point(struct linnet_buf *out, long point) {
    char bytes[4];
    size_t size;
    if (point < 0x80) {
        bytes[0] = (char)point;
        size = 1;
    } else if (point < 0x800) {
        bytes[0] = (char)(0xc0 | point >> 6);
        bytes[1] = (char)(0x80 | (point & 63));
        size = 2;
    } else if (point < 0x10000) {
        bytes[0] = (char)(0xe0 | point >> 12);
        bytes[1] = (char)(0x80 | (point >> 6 & 63));
        bytes[2] = (char)(0x80 | (point & 63));
        size = 3;
    } else {
        bytes[0] = (char)(0xf0 | point >> 18);
        bytes[1] = (char)(0x80 | (point >> 12 & 63));
        bytes[2] = (char)(0x80 | (point >> 6 & 63));
        bytes[3] = (char)(0x80 | (point & 63));
        size = 4;
    }
    return linnet_buf_append(out, bytes, size);
}

/* One escape, `s` standing behind its backslash, into the scratch. Returns what is behind it, NULL if it is
 * none. */
static const char *read_escape(struct linnet_json_reader *reader, const char *s) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (s == reader->end) return NULL;
    const char *found = *s ? strchr(plain, *s) : NULL;
    int rc;
    if (found) {
        rc = linnet_buf_append(&reader->scratch, &meant[found - plain], 1);
        s++;
    } else {
        long point = *s == 'u' ? read_unit(s + 1, reader->end) : -1;
        if (point <= 0 || (point >= 0xdc00 && point <= 0xdfff)) return NULL; /* no NUL, no lone surrogate */
        s += 5;
        if (point >= 0xd800 && point <= 0xdbff) {
            long low =
                reader->end - s >= 6 && s[0] == '\\' && s[1] == 'u' ? read_unit(s + 2, reader->end) : -1;
            if (low < 0xdc00 || low > 0xdfff) return NULL;
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            s += 6;
        }
        rc = append_code_point(&reader->scratch, point);
    }
    if (rc) reader->no_memory = true;
    return rc ? NULL : s;
}

/* The rest of a string that has escapes; `start` is where it began, `s` the first of them. */
static bool read_escaped(struct linnet_json_reader *reader, const char *start, const char *s,
                         const char **text, size_t *size) {
    linnet_buf_clear(&reader->scratch);
    for (;;) {
        if (linnet_buf_append(&reader->scratch, start, (size_t)(s - start))) {
            reader->no_memory = true;
            return false;
        }
        if (*s == '"') break;
        if (*s == '\\') {
            if (!(s = read_escape(reader, s + 1))) return false;
            start = s;
        } else {
            size_t step = linnet_utf8_next(s, (size_t)(reader->end - s));
            if (!step || (unsigned char)*s < 0x20) return false;
            start = s;
            s += step;
        }
        s = linnet_json_skip_plain(s, reader->end);
        if (s == reader->end) return false;
    }
    reader->s = s + 1;
    *text = reader->scratch.data;
    *size = reader->scratch.size;
    return true;
}

bool linnet_json_read_slice(struct linnet_json_reader *reader, const char **text, size_t *size) {
    if (!linnet_json_take(reader, '"')) return false;
    const char *start = reader->s, *s = linnet_json_skip_plain(start, reader->end);
    while (s < reader->end && (unsigned char)*s >= 0x80) {
        size_t step = linnet_utf8_next(s, (size_t)(reader->end - s));
        if (!step) return false;
        s = linnet_json_skip_plain(s + step, reader->end);
    }
    if (s == reader->end || (unsigned char)*s < 0x20) return false;
    if (*s == '\\') return read_escaped(reader, start, s, text, size);
    *text = start;
    *size = (size_t)(s - start);
    reader->s = s + 1;
    return true;
}

bool linnet_json_read_plain(struct linnet_json_reader *reader, const char **text, size_t *size) {
    return linnet_json_read_slice(reader, text, size) && *text != reader->scratch.data;
}

bool linnet_json_slice_is(const char *text, size_t size, const char *wanted) {
    return size == strlen(wanted) && !memcmp(text, wanted, size);
}

/* ---- numbers ---- */

/* A number that is no short integer, by strtod: a copy, because the text is not terminated. */
static json_t *read_long_real(const char *start, size_t size) {
    char copy[64], *end;
    if (size >= sizeof copy || localeconv()->decimal_point[0] != '.') return NULL;
    memcpy(copy, start, size);
    copy[size] = '\0';
    double value = strtod(copy, &end);
    return *end || isinf(value) ? NULL : json_real(value);
}

/* Up to 15 digits and a small power of ten are exact in a double, and so is their product or quotient rounded
 * once (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990). */
static json_t *make_real(const char *start, size_t size, uint64_t mantissa, int digits, long exponent,
                         bool negative) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (digits > 15 || exponent < -22 || exponent > 22) return read_long_real(start, size);
    double value = (double)mantissa;
    value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    return json_real(negative ? -value : value);
}

static json_t *read_number(struct linnet_json_reader *reader) {
    const char *start = reader->s, *s = start, *end = reader->end;
    bool negative = *s == '-', real = false;
    s += negative;
    if (s == end || *s < '0' || *s > '9') return NULL;
    if (*s == '0' && s + 1 < end && s[1] >= '0' && s[1] <= '9') return NULL;
    uint64_t mantissa = 0;
    int digits = 0;
    long exponent = 0;
    for (; s < end && *s >= '0' && *s <= '9'; s++, digits++)
        if (digits < 18) mantissa = mantissa * 10 + (uint64_t)(*s - '0');
    if (s < end && *s == '.') {
        real = true;
        const char *point = s++;
        for (; s < end && *s >= '0' && *s <= '9'; s++, digits++)
            if (digits < 18) mantissa = mantissa * 10 + (uint64_t)(*s - '0');
        exponent = -(long)(s - point - 1);
        if (!exponent) return NULL;
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        real = true;
        s++;
        bool down = s < end && *s == '-';
        if (s < end && (*s == '-' || *s == '+')) s++;
        long power = 0;
        const char *first = s;
        for (; s < end && *s >= '0' && *s <= '9'; s++)
            if (power < 10000) power = power * 10 + (*s - '0');
        if (s == first) return NULL;
        exponent += down ? -power : power;
    }
    if (!real && digits > 18) return NULL;
    json_t *value = real ? make_real(start, (size_t)(s - start), mantissa, digits, exponent, negative)
                         : json_integer(negative ? -(json_int_t)mantissa : (json_int_t)mantissa);
    reader->s = s;
    return value;
}

/* ---- values ---- */

static json_t *read_word(struct linnet_json_reader *reader, const char *word, size_t size, json_t *value) {
    if ((size_t)(reader->end - reader->s) < size || memcmp(reader->s, word, size) != 0) return NULL;
    reader->s += size;
    return value;
}

static json_t *read_string(struct linnet_json_reader *reader) {
    const char *text;
    size_t size;
    if (!linnet_json_read_slice(reader, &text, &size)) return NULL;
    json_t *value = json_stringn_nocheck(text, size);
    reader->no_memory = !value;
    return value;
}

static bool read_items(struct linnet_json_reader *reader, json_t *array) {
    if (linnet_json_take(reader, ']')) return true;
    do {
        json_t *item = linnet_json_read_value(reader);
        if (!item) return false;
        if (json_array_append_new(array, item)) {
            reader->no_memory = true;
            return false;
        }
    } while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, ']');
}

static bool read_members(struct linnet_json_reader *reader, json_t *object) {
    if (linnet_json_take(reader, '}')) return true;
    do {
        const char *text;
        char copy[128];
        size_t size, before = json_object_size(object);
        if (linnet_json_peek(reader) != '"' || !linnet_json_read_slice(reader, &text, &size)) return false;
        if (text == reader->scratch.data) { /* reading the value will overwrite it */
            if (size > sizeof copy) return false;
            text = memcpy(copy, text, size);
        }
        json_t *value = linnet_json_take(reader, ':') ? linnet_json_read_value(reader) : NULL;
        if (!value) return false;
        if (json_object_setn_new_nocheck(object, text, size, value)) {
            reader->no_memory = true;
            return false;
        }
        if (reader->reject_duplicates && json_object_size(object) == before) return false;
    } while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, '}');
}

static json_t *read_nested(struct linnet_json_reader *reader, bool array) {
    if (reader->depth >= MOST_DEPTH) return NULL;
    json_t *value = array ? json_array() : json_object();
    reader->depth++;
    reader->s++;
    bool whole = value && (array ? read_items(reader, value) : read_members(reader, value));
    reader->depth--;
    if (whole) return value;
    if (!value) reader->no_memory = true;
    json_decref(value);
    return NULL;
}

json_t *linnet_json_read_value(struct linnet_json_reader *reader) {
    switch (linnet_json_peek(reader)) {
    case '{':
        return read_nested(reader, false);
    case '[':
        return read_nested(reader, true);
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, "true", 4, json_true());
    case 'f':
        return read_word(reader, "false", 5, json_false());
    case 'n':
        return read_word(reader, "null", 4, json_null());
    case '\0':
        return NULL;
    default:
        return read_number(reader);
    }
}

/* `reader->s` stands at the opening quote. */
static bool skip_string(struct linnet_json_reader *reader) {
    const char *s = reader->s + 1, *end = reader->end;
    while ((s = linnet_json_skip_plain(s, end)) < end) {
        if (*s == '"') {
            reader->s = s + 1;
            return true;
        }
        if (*s == '\\' && ++s == end) break;
        s++;
    }
    return false;
}

bool linnet_json_skip_value(struct linnet_json_reader *reader) {
    size_t depth = 0;
    linnet_json_peek(reader);
    const char *start = reader->s;
    while (reader->s < reader->end) {
        char c = *reader->s;
        if (c == '"') {
            if (!skip_string(reader)) return false;
            if (!depth) return true;
            continue;
        }
        if (!depth && (c == ',' || c == '}' || c == ']')) break; /* behind a number or a word */
        reader->s++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return !depth && reader->s > start;
}
