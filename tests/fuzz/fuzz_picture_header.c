/* Pictures' headers and colour profiles, as normalize reads them before any library does. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/normalize/header.h"
#include "plugins/normalize/profile.h"
#include "plugins/normalize/sniff.h"

/* As assert(), but also in builds without it. */
static void must(bool condition) {
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct normalize_header header;
    const char *what = NULL;
    char why[256] = "";
    enum normalize_format format = normalize_sniff(data, size, &what);
    must(what != NULL && *what != 0);
    normalize_profile_is_srgb(data, size);
    if (format == NORMALIZE_FOREIGN) return 0;
    if (normalize_header_read(format, data, size, &header, why, sizeof why)) {
        must(*why != 0 && strlen(why) < sizeof why);
        return 0;
    }
    must(header.format == format && header.pages > 0);
    must(format == NORMALIZE_HEIF || (header.width > 0 && header.height > 0));
    must(format != NORMALIZE_JPEG || (header.width < 65536 && header.height < 65536 && header.scans > 0));
    return 0;
}
