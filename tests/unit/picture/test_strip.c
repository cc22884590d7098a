/* Metadata goes, pixels and orientation stay. Pictures are drawn by the synthetic flora, as a telephone would
 * store them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libexif/exif-data.h>

#include "tests/data/jpeg.h"
#include "workers/picture/strip.h"

static struct bytes photograph(int orientation) {
    struct exif exif = {.orientation = orientation,
                        .located = true,
                        .latitude = 43.61,
                        .longitude = 3.87,
                        .taken = "2026:05:03 10:21:00",
                        .camera = "Herbier X"};
    struct image image;
    struct bytes bytes = {NULL, 0};
    assert_int_equal(linnet_flora_image_new(&image, 64, 48), 0);
    for (int i = 0; i < 64 * 48 * 3; i++)
        image.rgb[i] = (uint8_t)(i * 7 + i / 191);
    assert_int_equal(linnet_flora_jpeg_encode(&image, 85, false, orientation ? &exif : NULL, &bytes), 0);
    linnet_flora_image_free(&image);
    return bytes;
}

static int holds(const void *data, size_t size, const char *text) {
    return memmem(data, size, text, strlen(text)) != NULL;
}

static void position_camera_and_what_follows_the_end_go(void **state) {
    (void)state;
    struct bytes photo = photograph(6), plain = photograph(0);
    void *out;
    size_t size;
    assert_true(holds(photo.data, photo.size, "Herbier X"));
    assert_int_equal(linnet_flora_bytes_add(&photo, "ftypmp42 a film of a motion photo", 33), 0);
    assert_int_equal(linnet_strip(photo.data, photo.size, &out, &size, NULL), 0);
    assert_false(holds(out, size, "Herbier X"));
    assert_false(holds(out, size, "motion photo"));
    assert_memory_equal((char *)out + size - 2, "\xff\xd9", 2);
    ExifData *exif = exif_data_new_from_data(out, (unsigned)size);
    assert_non_null(exif);
    assert_null(exif_content_get_entry(exif->ifd[EXIF_IFD_GPS], (ExifTag)EXIF_TAG_GPS_LATITUDE));
    ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    assert_non_null(entry);
    assert_int_equal(exif_get_short(entry->data, exif_data_get_byte_order(exif)), 6);
    exif_data_unref(exif);
    /* from the first quantisation table on, not a byte of the picture has changed */
    uint8_t *a = memmem(out, size, "\xff\xdb", 2), *b = memmem(plain.data, plain.size, "\xff\xdb", 2);
    assert_int_equal((char *)out + size - (char *)a, plain.data + plain.size - b);
    assert_memory_equal(a, b, plain.size - (size_t)(b - plain.data));
    free(out);
    linnet_flora_bytes_free(&photo);
    linnet_flora_bytes_free(&plain);
}

static void a_picture_without_metadata_stays_as_it_is(void **state) {
    (void)state;
    struct bytes photo = photograph(0);
    void *out;
    size_t size;
    assert_int_equal(linnet_strip(photo.data, photo.size, &out, &size, NULL), 0);
    assert_int_equal(size, photo.size);
    assert_memory_equal(out, photo.data, size);
    free(out);
    linnet_flora_bytes_free(&photo);
}

/* Cut anywhere, it is refused with words, never read beyond its end (the sanitizers watch an exact copy). */
static void every_truncated_photograph_is_refused(void **state) {
    (void)state;
    struct bytes photo = photograph(6);
    for (size_t size = 3; size < photo.size - 1; size++) {
        void *out = NULL;
        size_t used;
        struct linnet_error err = {0};
        uint8_t *cut = malloc(size);
        memcpy(cut, photo.data, size);
        assert_int_equal(linnet_strip(cut, size, &out, &used, &err), LINNET_E_PARSE);
        assert_null(out);
        assert_true(err.detail[0] != '\0');
        free(cut);
    }
    linnet_flora_bytes_free(&photo);
}

static void png_loses_its_text_and_webp_its_exif(void **state) {
    (void)state;
    static const unsigned char png[] = "\x89PNG\r\n\x1a\n"
                                       "\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55"
                                       "\0\0\0\5tEXtmine!0000"
                                       "\0\0\0\0IEND\xae\x42\x60\x82"
                                       "after the end";
    static const unsigned char webp[] = "RIFF\x24\0\0\0WEBP"
                                        "VP8X\x0a\0\0\0\x0c\0\0\0\0\0\0\0\0\0"
                                        "EXIF\5\0\0\0where\0"
                                        "trailing";
    void *out;
    size_t size;
    assert_int_equal(linnet_strip(png, sizeof png - 1, &out, &size, NULL), 0);
    assert_int_equal(size, sizeof png - 1 - 17 - 13);
    assert_false(holds(out, size, "mine!"));
    free(out);
    assert_int_equal(linnet_strip(webp, sizeof webp - 1, &out, &size, NULL), 0);
    assert_int_equal(size, 12 + 18);
    assert_int_equal(((unsigned char *)out)[4], 22);
    assert_int_equal(((unsigned char *)out)[20], 0); /* no flag says EXIF or XMP any more */
    free(out);
}

static void another_format_is_not_taken(void **state) {
    (void)state;
    void *out;
    size_t size;
    assert_int_equal(linnet_strip("<svg xmlns=...>", 15, &out, &size, NULL), LINNET_E_UNSUPPORTED);
    assert_int_equal(linnet_strip("", 0, &out, &size, NULL), LINNET_E_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_camera_and_what_follows_the_end_go),
        cmocka_unit_test(a_picture_without_metadata_stays_as_it_is),
        cmocka_unit_test(every_truncated_photograph_is_refused),
        cmocka_unit_test(png_loses_its_text_and_webp_its_exif),
        cmocka_unit_test(another_format_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
