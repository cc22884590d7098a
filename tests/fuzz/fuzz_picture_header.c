/* Pictures' headers and colour profiles, as normalize reads them before any library does. */
#include <string.h>

#include "plugins/normalize/header.h"
#include "plugins/normalize/profile.h"
#include "plugins/normalize/sniff.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct normalize_header header;
    const char *what = NULL;
    char why[256] = "";
    enum normalize_format format = normalize_sniff(data, size, &what);
    HOLD(what != NULL && *what != 0);
    normalize_profile_is_srgb(data, size);
    if (format == NORMALIZE_FOREIGN) return 0;
    if (normalize_header_read(format, data, size, &header, why, sizeof why)) {
        HOLD(*why != 0 && strlen(why) < sizeof why);
        return 0;
    }
    HOLD(header.format == format && header.pages > 0);
    HOLD(format == NORMALIZE_HEIF || (header.width > 0 && header.height > 0));
    HOLD(format != NORMALIZE_JPEG || (header.width < 65536 && header.height < 65536 && header.scans > 0));
    return 0;
}
