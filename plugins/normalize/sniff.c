#include "plugins/normalize/sniff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* How far text is searched for what kind of text it is. */
#define TEXT_WINDOW 1024

struct magic {
    const char *bytes;
    size_t size;
    size_t offset;
    enum normalize_format format;
    const char *what;
};

#define MAGIC(offset, bytes, format, what)                                                                   \
    { bytes, sizeof(bytes) - 1, offset, format, what }

/* The first that fits counts, so the longer ones of a family come first. */
static const struct magic magics[] = {
    MAGIC(0, "\xff\xd8\xff", NORMALIZE_JPEG, "a JPEG"),
    MAGIC(0, "\x89PNG\r\n\x1a\n", NORMALIZE_PNG, "a PNG"),
    MAGIC(4, "ftypheic", NORMALIZE_HEIF, "a HEIF picture"),
    MAGIC(4, "ftypheix", NORMALIZE_HEIF, "a HEIF picture"),
    MAGIC(4, "ftypheim", NORMALIZE_HEIF, "a HEIF picture"),
    MAGIC(4, "ftypheis", NORMALIZE_HEIF, "a HEIF picture"),
    MAGIC(4, "ftypmif1", NORMALIZE_HEIF, "a HEIF picture"),
    MAGIC(4, "ftyphevc", NORMALIZE_FOREIGN, "a HEIF sequence"),
    MAGIC(4, "ftyphevx", NORMALIZE_FOREIGN, "a HEIF sequence"),
    MAGIC(4, "ftypmsf1", NORMALIZE_FOREIGN, "a HEIF sequence"),
    MAGIC(4, "ftypavif", NORMALIZE_FOREIGN, "an AVIF picture"),
    MAGIC(4, "ftypavis", NORMALIZE_FOREIGN, "an AVIF sequence"),
    MAGIC(4, "ftypqt  ", NORMALIZE_FOREIGN, "a QuickTime film"),
    MAGIC(4, "ftyp", NORMALIZE_FOREIGN, "an MP4 film"),
    MAGIC(0, "GIF8", NORMALIZE_FOREIGN, "a GIF"),
    MAGIC(0, "II*\0", NORMALIZE_FOREIGN, "a TIFF or a camera's raw file"),
    MAGIC(0, "MM\0*", NORMALIZE_FOREIGN, "a TIFF or a camera's raw file"),
    MAGIC(0, "II+\0", NORMALIZE_FOREIGN, "a BigTIFF"),
    MAGIC(0, "MM\0+", NORMALIZE_FOREIGN, "a BigTIFF"),
    MAGIC(0, "\0\0\0\x0cjP  \r\n\x87\n", NORMALIZE_FOREIGN, "a JPEG 2000"),
    MAGIC(0, "\xff\x4f\xff\x51", NORMALIZE_FOREIGN, "a JPEG 2000"),
    MAGIC(0, "\0\0\0\x0cJXL \r\n\x87\n", NORMALIZE_FOREIGN, "a JPEG XL"),
    MAGIC(0, "\xff\x0a", NORMALIZE_FOREIGN, "a JPEG XL"),
    MAGIC(0, "BM", NORMALIZE_FOREIGN, "a BMP"),
    MAGIC(0, "\0\0\1\0", NORMALIZE_FOREIGN, "an icon"),
    MAGIC(0, "8BPS", NORMALIZE_FOREIGN, "a Photoshop document"),
    MAGIC(0, "\x76\x2f\x31\x01", NORMALIZE_FOREIGN, "an OpenEXR picture"),
    MAGIC(0, "SIMPLE  =", NORMALIZE_FOREIGN, "a FITS file"),
    MAGIC(0, "%PDF", NORMALIZE_FOREIGN, "a PDF document"),
    MAGIC(0, "%!PS", NORMALIZE_FOREIGN, "a PostScript document"),
    MAGIC(0, "PK\x03\x04", NORMALIZE_FOREIGN, "a ZIP archive or an office document"),
    MAGIC(0, "\x1f\x8b", NORMALIZE_FOREIGN, "a gzip file"),
    MAGIC(0,
          "\x7f"
          "ELF",
          NORMALIZE_FOREIGN, "a program"),
    MAGIC(0, "MZ", NORMALIZE_FOREIGN, "a program"),
    MAGIC(0, "\x1a\x45\xdf\xa3", NORMALIZE_FOREIGN, "a Matroska film"),
};

/* Is the word somewhere in the text's beginning, in any case? */
static bool mentions(const char *text, size_t size, const char *word) {
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= size; i++)
        if (!strncasecmp(text + i, word, length)) return true;
    return false;
}

/* Markup starts with '<', after a byte order mark and white space perhaps. */
static const char *sniff_text(const char *text, size_t size) {
    size_t start = size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (start < size && isspace((unsigned char)text[start]))
        start++;
    if (start == size || text[start] != '<') return NULL;
    if (mentions(text + start, size - start, "<svg")) return "an SVG drawing";
    if (mentions(text + start, size - start, "<html") ||
        mentions(text + start, size - start, "<!doctype html"))
        return "a web page";
    return "a text with markup";
}

enum normalize_format normalize_sniff(const void *data, size_t size, const char **what) {
    const char *bytes = data;
    if (size == 0) {
        *what = "empty";
        return NORMALIZE_FOREIGN;
    }
    if (size >= 12 && !memcmp(bytes, "RIFF", 4)) {
        bool webp = !memcmp(bytes + 8, "WEBP", 4);
        *what = webp ? "a WebP" : "a film or a sound (RIFF)";
        return webp ? NORMALIZE_WEBP : NORMALIZE_FOREIGN;
    }
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const struct magic *magic = &magics[i];
        if (size < magic->offset + magic->size ||
            memcmp(bytes + magic->offset, magic->bytes, magic->size) != 0)
            continue;
        *what = magic->what;
        return magic->format;
    }
    const char *text = sniff_text(bytes, size < TEXT_WINDOW ? size : TEXT_WINDOW);
    *what = text ? text : "an unknown kind of file";
    return NORMALIZE_FOREIGN;
}

const char *normalize_format_name(enum normalize_format format) {
    static const char *const names[] = {"foreign", "jpeg", "png", "webp", "heif"};
    return names[format];
}

const char *normalize_format_title(enum normalize_format format) {
    static const char *const titles[] = {"file", "JPEG", "PNG", "WebP", "HEIF"};
    return titles[format];
}
