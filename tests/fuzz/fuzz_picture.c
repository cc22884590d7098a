/* Whole pictures through all that normalize does with them, libvips and its decoders included: slow, but it
 * finds what they abort on. Limits are narrow, so that the time goes into strange files and not into large
 * ones. */
#include "plugins/normalize/decode.h"
#include "plugins/normalize/encode.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct normalize_limits limits = {1 << 20, 1 << 20, 1 << 24, 4, 32, 3000};
    static const struct normalize_size sizes[NORMALIZE_SIZES] = {
        {.name = "page", .longest = 48, .quality = 85},
        {.name = "model", .shortest = 16, .longest = 64, .quality = 95, .full_colour = true},
        {.name = "thumb", .longest = 5, .quality = 80}};
    struct normalize_header header;
    struct normalize_decoded picture;
    const char *what;
    char why[768] = "";
    HOLD(normalize_decode_setup(false, why, sizeof why) == 0);
    enum normalize_format format = normalize_sniff(data, size, &what);
    if (format == NORMALIZE_FOREIGN || format == NORMALIZE_HEIF) return 0;
    if (normalize_header_read(format, data, size, &header, why, sizeof why)) return 0;
    if (normalize_limits_check_header(&limits, &header, why, sizeof why)) return 0;
    enum linnet_verdict verdict =
        normalize_decode(data, size, &header, &limits, sizes, &picture, why, sizeof why);
    HOLD(verdict == LINNET_OK || *why != 0);
    if (verdict != LINNET_OK) return 0;
    struct normalize_encoded encoded[NORMALIZE_SIZES];
    HOLD(normalize_encode(&picture, sizes, encoded, why, sizeof why) == LINNET_OK);
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        struct normalize_extent extent = normalize_size_extent(&sizes[i], picture.original);
        HOLD(encoded[i].extent.width == extent.width && encoded[i].extent.height == extent.height);
    }
    normalize_encoded_done(encoded);
    g_object_unref(picture.image);
    return 0;
}
