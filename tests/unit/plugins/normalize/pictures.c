#include "tests/unit/plugins/normalize/pictures.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        if (call) fail_msg("%s: %s", #call, vips_error_buffer());                                            \
    } while (0)

static void started(void) {
    MUST(vips_init("tests"));
    vips_concurrency_set(1);
}

/* Evaluate now, so that a picture does not hang on to what made it. */
static VipsImage *settled(VipsObject *scope, VipsImage *image) {
    VipsImage *memory = vips_image_copy_memory(image);
    assert_non_null(memory);
    g_object_unref(scope);
    return memory;
}

VipsImage *picture_new(int width, int height) {
    started();
    VipsObject *scope = VIPS_OBJECT(vips_image_new());
    VipsImage **t = (VipsImage **)vips_object_local_array(scope, 6);
    for (int i = 0; i < 3; i++)
        MUST(vips_perlin(&t[i], width, height, "cell_size", 24, "seed", i + 1, "uchar", TRUE, NULL));
    MUST(vips_bandjoin(t, &t[3], 3, NULL));
    MUST(vips_copy(t[3], &t[4], "interpretation", VIPS_INTERPRETATION_sRGB, NULL));
    return settled(scope, t[4]);
}

VipsImage *picture_plain(int width, int height, const double *colour, int bands, VipsBandFormat format,
                         VipsInterpretation interpretation) {
    started();
    VipsObject *scope = VIPS_OBJECT(vips_image_new());
    VipsImage **t = (VipsImage **)vips_object_local_array(scope, 4);
    double ones[5] = {1, 1, 1, 1, 1};
    MUST(vips_black(&t[0], width, height, "bands", bands, NULL));
    MUST(vips_linear(t[0], &t[1], ones, colour, bands, NULL));
    MUST(vips_cast(t[1], &t[2], format, NULL));
    MUST(vips_copy(t[2], &t[3], "interpretation", interpretation, NULL));
    return settled(scope, t[3]);
}

VipsImage *picture_quarters(int width, int height) {
    static const double colours[4][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
    started();
    VipsImage *image =
        picture_plain(width, height, colours[0], 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB);
    for (int i = 1; i < 4; i++)
        MUST(vips_draw_rect(image, (double *)colours[i], 3, i & 1 ? width / 2 : 0, i & 2 ? height / 2 : 0,
                            width / 2, height / 2, "fill", TRUE, NULL));
    return image;
}

void picture_tag(VipsImage *image, const char *profile) {
    VipsBlob *blob = NULL;
    size_t size;
    MUST(vips_profile_load(profile, &blob, NULL));
    const void *data = vips_blob_get(blob, &size);
    vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, data, size);
    vips_area_unref(VIPS_AREA(blob));
}

struct file picture_save_copy(VipsImage *image, const char *format) {
    void *data;
    size_t size;
    MUST(vips_image_write_to_buffer(image, format, &data, &size, NULL));
    return (struct file){data, size};
}

struct file picture_save(VipsImage *image, const char *format) {
    struct file file = picture_save_copy(image, format);
    g_object_unref(image);
    return file;
}

VipsImage *picture_load(const void *data, size_t size) {
    VipsImage *lazy, *image;
    started();
    MUST(vips_jpegload_buffer((void *)data, size, &lazy, "fail_on", VIPS_FAIL_ON_WARNING, NULL));
    image = vips_image_copy_memory(lazy);
    assert_non_null(image);
    g_object_unref(lazy);
    return image;
}

void picture_pixel(VipsImage *image, int x, int y, double out[4]) {
    double *values;
    int n;
    MUST(vips_getpoint(image, &values, &n, x, y, NULL));
    assert_in_range(n, 1, 4);
    memcpy(out, values, (size_t)n * sizeof *values);
    g_free(values);
}

void picture_digest(const void *data, size_t size, char out[65]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}
