/* Names as they are searched. */
#include <stdint.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/taxonomy/name.h"

/* Letters by their code points in Unicode, and what they are without accents; an empty text: nothing. */
static const struct {
    uint32_t from, to;
    const char *plain;
} letters[] = {
    {0x00C0, 0x00C5, "a"},  {0x00C6, 0x00C6, "ae"}, {0x00C7, 0x00C7, "c"},  {0x00C8, 0x00CB, "e"},
    {0x00CC, 0x00CF, "i"},  {0x00D0, 0x00D0, "d"},  {0x00D1, 0x00D1, "n"},  {0x00D2, 0x00D6, "o"},
    {0x00D8, 0x00D8, "o"},  {0x00D9, 0x00DC, "u"},  {0x00DD, 0x00DD, "y"},  {0x00DE, 0x00DE, "th"},
    {0x00DF, 0x00DF, "ss"}, {0x00E0, 0x00E5, "a"},  {0x00E6, 0x00E6, "ae"}, {0x00E7, 0x00E7, "c"},
    {0x00E8, 0x00EB, "e"},  {0x00EC, 0x00EF, "i"},  {0x00F0, 0x00F0, "d"},  {0x00F1, 0x00F1, "n"},
    {0x00F2, 0x00F6, "o"},  {0x00F8, 0x00F8, "o"},  {0x00F9, 0x00FC, "u"},  {0x00FD, 0x00FD, "y"},
    {0x00FE, 0x00FE, "th"}, {0x00FF, 0x00FF, "y"},  {0x0100, 0x0105, "a"},  {0x0106, 0x010D, "c"},
    {0x010E, 0x0111, "d"},  {0x0112, 0x011B, "e"},  {0x011C, 0x0123, "g"},  {0x0124, 0x0127, "h"},
    {0x0128, 0x0131, "i"},  {0x0132, 0x0133, "ij"}, {0x0134, 0x0135, "j"},  {0x0136, 0x0138, "k"},
    {0x0139, 0x0142, "l"},  {0x0143, 0x014B, "n"},  {0x014C, 0x0151, "o"},  {0x0152, 0x0153, "oe"},
    {0x0154, 0x0159, "r"},  {0x015A, 0x0161, "s"},  {0x0162, 0x0167, "t"},  {0x0168, 0x0173, "u"},
    {0x0174, 0x0175, "w"},  {0x0176, 0x0178, "y"},  {0x0179, 0x017E, "z"},  {0x017F, 0x017F, "s"},
    {0x0218, 0x0219, "s"},  {0x021A, 0x021B, "t"},  {0x02B9, 0x02BF, ""},   {0x0300, 0x036F, ""},
    {0x1EA0, 0x1EB7, "a"},  {0x1EB8, 0x1EC7, "e"},  {0x1EC8, 0x1ECB, "i"},  {0x1ECC, 0x1EE3, "o"},
    {0x1EE4, 0x1EF1, "u"},  {0x1EF2, 0x1EF9, "y"},  {0x2018, 0x201B, ""},   {0x2032, 0x2032, ""},
};

static uint32_t decode(const char *text, size_t size) {
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)text[0] & masks[size];
    for (size_t i = 1; i < size; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    return point;
}

/* Small letters of Greek and Cyrillic. */
static uint32_t small(uint32_t point) {
    if ((point >= 0x0391 && point <= 0x03A9) || (point >= 0x0410 && point <= 0x042F)) return point + 0x20;
    return point >= 0x0400 && point <= 0x040F ? point + 0x50 : point;
}

/* A code point that is no ASCII as it is searched, into `out`; NULL: it divides words. */
static const char *plain(const char *text, size_t size, char out[5]) {
    uint32_t point = decode(text, size);
    if (point == 0xD7) return NULL;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (point >= letters[i].from && point <= letters[i].to) return letters[i].plain;
    if (point < 0x00C0 || (point >= 0x2000 && point <= 0x206F) || (point >= 0x3000 && point <= 0x303F))
        return NULL; /* spaces and punctuation */
    uint32_t lower = small(point);
    memcpy(out, text, size);
    out[size] = '\0';
    if (lower != point) { /* both in two bytes */
        out[0] = (char)(0xc0 | lower >> 6);
        out[1] = (char)(0x80 | (lower & 0x3f));
    }
    return out;
}

/* One character: what it becomes (NULL: it divides words) and how many bytes it was. */
static const char *next(const char *text, size_t left, size_t *size, char out[5]) {
    unsigned char c = (unsigned char)*text;
    *size = c < 0x80 ? 1 : linnet_utf8_next(text, left);
    if (*size == 0) {
        *size = 1;
        return NULL;
    }
    if (*size > 1) return plain(text, *size, out);
    if (c == '\'' || c == '.' || c == '`') return "";
    out[0] = (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    out[1] = '\0';
    return (c >= '0' && c <= '9') || (out[0] >= 'a' && out[0] <= 'z') ? out : NULL;
}

int linnet_name_simplify(const char *name, struct linnet_buf *out) {
    size_t start = out->size, left = strlen(name), size;
    bool divided = false;
    char character[5];
    int error = linnet_buf_append(out, "", 0);
    for (; !error && left; name += size, left -= size) {
        const char *letter = next(name, left, &size, character);
        bool sign = size == 2 && !strncmp(name, "\xc3\x97", 2);
        if (sign) letter = "x"; /* a word of its own */
        if (!letter || sign) divided = true;
        if (!letter || !*letter) continue;
        if (divided && out->size > start) error = linnet_buf_append(out, " ", 1);
        divided = sign;
        if (!error) error = linnet_buf_append_string(out, letter);
    }
    return error;
}
