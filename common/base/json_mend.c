/* What stores accept and jansson does not, made readable in place. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

/* Well below jansson's 2,048, so that what surrounds a document has room. */
enum { MOST_DEPTH = 1024, LONGEST_NUMBER = 400 };

/* The code unit of the escape \uXXXX at `s`, -1 if there is none. */
static long escaped_unit(const char *s, const char *end) {
    if (end - s < 6 || s[0] != '\\' || s[1] != 'u') return -1;
    long unit = 0;
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF", *found = s[i] ? strchr(digits, s[i]) : NULL;
        if (!found) return -1;
        unit = unit << 4 | ((found - digits) & 15);
    }
    return unit;
}

/* `s` stands behind the opening quote; returns what is behind the closing one. */
static char *mend_string(char *s, const char *end) {
    while (s < end && *s != '"') {
        if (*s != '\\') {
            s++;
            continue;
        }
        long unit = escaped_unit(s, end);
        if (unit < 0) {
            s += end - s > 1 ? 2 : 1;
            continue;
        }
        long next = unit >= 0xd800 && unit <= 0xdbff ? escaped_unit(s + 6, end) : -1;
        bool pair = next >= 0xdc00 && next <= 0xdfff;
        if (!pair && (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff)))
            memcpy(s + 2, "fffd", 4); /* NOLINT(bugprone-not-null-terminated-result): inside a text */
        s += pair ? 12 : 6;
    }
    return s < end ? s + 1 : s;
}

static void blank(char *s, const char *text, size_t size) {
    size_t length = strlen(text);
    memset(s, ' ', size);
    memcpy(s, text, length < size ? length : size);
}

/* An integer of `size` (at least 19) digits as a real of just as many characters: 123…456 becomes 1.23…e27.
 */
static void mend_digits(char *s, size_t size) {
    char exponent[24];
    int length = snprintf(exponent, sizeof exponent, "e%zu", size - 1);
    memmove(s + 2, s + 1, size - 2 - (size_t)length);
    s[1] = '.';
    memcpy(s + size - length, exponent, (size_t)length);
}

static char *mend_number(char *s, const char *end) {
    char *start = s, copy[LONGEST_NUMBER + 1];
    bool integer = true;
    for (; s < end && *s && strchr("+-.eE0123456789", *s); s++)
        if (strchr(".eE", *s)) integer = false;
    size_t size = (size_t)(s - start), sign = *start == '-';
    if (size > LONGEST_NUMBER) {
        blank(start, "null", size);
        return s;
    }
    memcpy(copy, start, size);
    copy[size] = '\0';
    errno = 0;
    if (integer && size - sign >= 19) {
        strtoll(copy, NULL, 10);
        if (errno == ERANGE && size - sign <= 308)
            mend_digits(start + sign, size - sign);
        else if (errno == ERANGE)
            blank(start, "null", size);
    } else if (!integer && isinf(strtod(copy, NULL))) {
        blank(start, "null", size);
    }
    return s;
}

/* `s` stands at a bracket; returns what is behind the one that closes it. */
static char *skip_nested(char *s, const char *end) {
    size_t depth = 0;
    while (s < end) {
        char c = *s++;
        if (c == '"') {
            for (; s < end && *s != '"'; s++)
                if (*s == '\\') s++;
            s += s < end;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    return s < end ? s : (char *)end;
}

void linnet_json_mend(char *text, size_t size) {
    char *s = text;
    const char *end = text + size;
    int depth = 0;
    while (s < end) {
        if (*s == '"') {
            s = mend_string(s + 1, end);
        } else if (*s == '-' || (*s >= '0' && *s <= '9')) {
            s = mend_number(s, end);
        } else if ((*s == '{' || *s == '[') && depth == MOST_DEPTH) {
            char *behind = skip_nested(s, end);
            blank(s, "0", (size_t)(behind - s));
            s = behind;
        } else {
            depth += *s == '{' || *s == '[';
            depth -= *s == '}' || *s == ']';
            s++;
        }
    }
}
