/* What a file is by its first bytes, whatever it calls itself. */
#ifndef LINNET_NORMALIZE_SNIFF_H
#define LINNET_NORMALIZE_SNIFF_H

#include <stddef.h>

enum normalize_format {
    NORMALIZE_FOREIGN, /* none of ours */
    NORMALIZE_JPEG,
    NORMALIZE_PNG,
    NORMALIZE_WEBP,
    NORMALIZE_HEIF
};

/* The format of `size` bytes. In *what its name for people, with an article ("a JPEG", "an SVG drawing", "a
 * PDF document", "an unknown kind of file"; "empty"): a static string. Reads at most the first KiB. Any
 * thread. */
enum normalize_format normalize_sniff(const void *data, size_t size, const char **what);
/* "jpeg", "png", "webp", "heif" as documents have it. Static string. */
const char *normalize_format_name(enum normalize_format format);
/* "JPEG", "PNG", "WebP", "HEIF" as people have it. Static string. */
const char *normalize_format_title(enum normalize_format format);

#endif
