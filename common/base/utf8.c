#include "common/base/utf8.h"

#include <string.h>

size_t linnet_utf8_next(const char *text, size_t size) {
    const unsigned char *s = (const unsigned char *)text;
    if (!size) return 0;
    if (s[0] < 0x80) return 1;
    /* The first byte bounds the second (Unicode, table 3-7); the others are plain continuations. */
    unsigned low = 0x80, high = 0xbf;
    size_t length;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        if (s[0] == 0xe0) low = 0xa0;
        if (s[0] == 0xed) high = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        if (s[0] == 0xf0) low = 0x90;
        if (s[0] == 0xf4) high = 0x8f;
    } else {
        return 0;
    }
    if (size < length || s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return length;
}

size_t linnet_utf8_count(const char *text) {
    size_t count = 0, left = strlen(text);
    while (left) {
        size_t step = linnet_utf8_next(text, left);
        if (!step) step = 1;
        text += step;
        left -= step;
        count++;
    }
    return count;
}
