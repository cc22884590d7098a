/* Cutting metadata out of foreign pictures: never a crash, never more bytes than came in, stripping twice changes
 * nothing, and what is left tells no position. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "workers/picture/position.h"
#include "workers/picture/strip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void *once = NULL, *twice = NULL;
    size_t first, second;
    linnet_picture_has_position(data, size);
    if (linnet_strip(data, size, &once, &first, NULL) != 0) return 0;
    if (first > size + 4) abort(); /* an orientation of our own may be 4 bytes longer than a minimal EXIF */
    if (linnet_strip(once, first, &twice, &second, NULL) != 0 || first != second ||
        memcmp(once, twice, first) != 0)
        abort();
    if (linnet_picture_has_position(once, first)) abort();
    free(once);
    free(twice);
    return 0;
}
