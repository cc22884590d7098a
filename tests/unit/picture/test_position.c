/* Does a picture tell where it was taken? Pictures as telephones store them, and files that only look so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/data/jpeg.h"
#include "tests/data/png.h"
#include "workers/picture/position.h"
#include "workers/picture/strip.h"

static struct image drawn(void) {
    struct image image;
    assert_int_equal(linnet_flora_image_new(&image, 32, 24), 0);
    for (int i = 0; i < 32 * 24 * 3; i++)
        image.rgb[i] = (uint8_t)(i * 7);
    return image;
}

static struct bytes photograph(const struct exif *exif) {
    struct image image = drawn();
    struct bytes bytes = {NULL, 0};
    assert_int_equal(linnet_flora_jpeg_encode(&image, 85, false, exif, &bytes), 0);
    linnet_flora_image_free(&image);
    return bytes;
}

static const struct exif located = {.orientation = 6, .located = true, .latitude = 43.61, .longitude = 3.87};
static const struct exif unlocated = {.orientation = 6, .taken = "2026:05:03 10:21:00", .camera = "Herbier X"};

static void of_a_jpeg_only_the_one_with_a_position_tells(void **state) {
    (void)state;
    struct bytes with = photograph(&located), without = photograph(&unlocated), plain = photograph(NULL);
    assert_true(linnet_picture_has_position(with.data, with.size));
    assert_false(linnet_picture_has_position(without.data, without.size));
    assert_false(linnet_picture_has_position(plain.data, plain.size));
    linnet_flora_bytes_free(&with);
    linnet_flora_bytes_free(&without);
    linnet_flora_bytes_free(&plain);
}

static void what_was_stripped_tells_nothing(void **state) {
    (void)state;
    struct bytes with = photograph(&located);
    void *out;
    size_t size;
    assert_int_equal(linnet_strip(with.data, with.size, &out, &size, NULL), 0);
    assert_false(linnet_picture_has_position(out, size));
    free(out);
    linnet_flora_bytes_free(&with);
}

/* A JPEG with one APP1 segment that holds this text. */
static size_t with_xmp(unsigned char *out, const char *text) {
    size_t length = strlen(text) + 2;
    memcpy(out, "\xff\xd8\xff\xe1", 4);
    out[4] = (unsigned char)(length >> 8);
    out[5] = (unsigned char)length;
    memcpy(out + 6, text, length - 2);
    memcpy(out + 4 + length, "\xff\xd9", 2);
    return 6 + length;
}

static void xmp_tells_by_gps_and_by_the_film_of_a_motion_photo(void **state) {
    (void)state;
    unsigned char file[256];
    size_t size = with_xmp(file, "http://ns.adobe.com/xap/1.0/ <exif:GPSLatitude>43,36.6N");
    assert_true(linnet_picture_has_position(file, size));
    size = with_xmp(file, "http://ns.adobe.com/xap/1.0/ GCamera:MotionPhoto=\"1\"");
    assert_true(linnet_picture_has_position(file, size));
    size = with_xmp(file, "http://ns.adobe.com/xap/1.0/ <dc:creator>somebody");
    assert_false(linnet_picture_has_position(file, size));
}

static void png_and_webp_tell_by_their_chunks(void **state) {
    (void)state;
    struct png header = {.width = 8, .height = 8, .depth = 8, .colour = 2};
    struct bytes png = {NULL, 0};
    uint8_t block[512];
    size_t exif = linnet_flora_exif_block(&located, block);
    assert_int_equal(linnet_flora_png_begin(&header, &png), 0);
    assert_false(linnet_picture_has_position(png.data, png.size));
    assert_int_equal(linnet_flora_png_chunk(&png, "eXIf", block + 6, exif - 6, false), 0);
    assert_true(linnet_picture_has_position(png.data, png.size));
    linnet_flora_bytes_free(&png);

    unsigned char webp[600] = "RIFF....WEBPEXIF";
    webp[16] = (unsigned char)exif;
    webp[17] = (unsigned char)(exif >> 8);
    memcpy(webp + 20, block, exif);
    assert_true(linnet_picture_has_position(webp, 20 + exif + (exif & 1)));
    exif = linnet_flora_exif_block(&unlocated, block);
    webp[16] = (unsigned char)exif;
    webp[17] = (unsigned char)(exif >> 8);
    memcpy(webp + 20, block, exif);
    assert_false(linnet_picture_has_position(webp, 20 + exif + (exif & 1)));
}

/* Exact sizes on the heap, so that a sanitizer sees a byte too far. */
static void files_cut_anywhere_are_read_as_far_as_they_go(void **state) {
    (void)state;
    struct bytes with = photograph(&located);
    for (size_t size = 0; size < with.size && size < 700; size++) {
        unsigned char *cut = malloc(size ? size : 1);
        assert_non_null(cut);
        memcpy(cut, with.data, size);
        linnet_picture_has_position(cut, size);
        free(cut);
    }
    assert_false(linnet_picture_has_position("GPSLatitude", 11));
    linnet_flora_bytes_free(&with);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_jpeg_only_the_one_with_a_position_tells),
        cmocka_unit_test(what_was_stripped_tells_nothing),
        cmocka_unit_test(xmp_tells_by_gps_and_by_the_film_of_a_motion_photo),
        cmocka_unit_test(png_and_webp_tell_by_their_chunks),
        cmocka_unit_test(files_cut_anywhere_are_read_as_far_as_they_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
