#include "plugins/normalize/limits.h"

#include <stdio.h>

#define MEGA 1e6
#define MEBI 1048576.0

int normalize_limits_check_bytes(const struct normalize_limits *limits, size_t bytes, char *why,
                                 size_t why_size) {
    if (bytes <= limits->bytes) return 0;
    snprintf(why, why_size, "the file is too large: %.1f MiB, at most %.1f MiB are accepted",
             (double)bytes / MEBI, (double)limits->bytes / MEBI);
    return -1;
}

int normalize_limits_check_header(const struct normalize_limits *limits,
                                  const struct normalize_header *header, char *why, size_t why_size) {
    const char *title = normalize_format_title(header->format);
    uint64_t pixels = (uint64_t)header->width * header->height;
    if (pixels > limits->pixels) {
        snprintf(why, why_size, "the %s is too large: %u x %u is %.1f megapixels, at most %.1f are accepted",
                 title, header->width, header->height, (double)pixels / MEGA, (double)limits->pixels / MEGA);
        return -1;
    }
    if (header->pages > limits->pages) {
        snprintf(why, why_size, "the %s holds %u pictures, at most %u are accepted", title, header->pages,
                 limits->pages);
        return -1;
    }
    if (header->scans > limits->scans) {
        snprintf(why, why_size, "the %s comes in %u passes, at most %u are accepted", title, header->scans,
                 limits->scans);
        return -1;
    }
    if (header->memory > limits->memory) {
        snprintf(why, why_size,
                 "the %s would take %.0f MiB of memory to decode, at most %.0f are given: of that size only "
                 "those are "
                 "accepted that are neither progressive nor interlaced",
                 title, (double)header->memory / MEBI, (double)limits->memory / MEBI);
        return -1;
    }
    return 0;
}
