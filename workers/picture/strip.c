#include "workers/picture/strip.h"

#include <stdlib.h>
#include <string.h>

int linnet_strip(const void *data, size_t size, void **out, size_t *out_size, struct linnet_error *err) {
    int (*strip)(const unsigned char *, size_t, unsigned char *, size_t *, struct linnet_error *) = NULL;
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        strip = linnet_strip_jpeg;
    else if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        strip = linnet_strip_png;
    else if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp((const char *)data + 8, "WEBP", 4) == 0)
        strip = linnet_strip_webp;
    if (!strip) return linnet_error_set(err, LINNET_E_UNSUPPORTED, "no JPEG, PNG or WebP picture");
    unsigned char *stripped = malloc(size + 64);
    size_t used = 0;
    if (!stripped) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int error = strip(data, size, stripped, &used, err);
    if (error) {
        free(stripped);
        return error;
    }
    *out = stripped;
    *out_size = used;
    return 0;
}
