/* normalize on pictures that are well: sizes, orientation, colours, what is left of metadata. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/normalize/fixture.h"

#include <vips/vector.h> /* wants vips.h before it */

static void assert_size(const struct fake_item *item, const char *name, int width, int height) {
    char attachment[32];
    snprintf(attachment, sizeof attachment, "%s.jpg", name);
    VipsImage *image = normalized_image(item, attachment);
    json_t *said = json_object_get(json_object_get(item->outputs[0].document, "sizes"), name);
    assert_string_equal(normalized_blob(item, attachment)->content_type, "image/jpeg");
    assert_string_equal(json_string_value(json_object_get(said, "attachment")), attachment);
    assert_int_equal(json_integer_value(json_object_get(said, "width")), width);
    assert_int_equal(json_integer_value(json_object_get(said, "height")), height);
    assert_int_equal(image->Xsize, width);
    assert_int_equal(image->Ysize, height);
    g_object_unref(image);
}

static void assert_original(const struct fake_item *item, const char *format, int width, int height) {
    const json_t *document = item->outputs[0].document;
    assert_string_equal(json_string_value(json_object_get(document, "format")), format);
    assert_int_equal(json_integer_value(json_object_get(document, "width")), width);
    assert_int_equal(json_integer_value(json_object_get(document, "height")), height);
}

static void a_picture_is_kept_in_three_sizes(void **state) {
    (void)state;
    static const char *const formats[][2] = {{".jpg", "jpeg"},
                                             {".jpg[interlace,Q=95,subsample_mode=off]", "jpeg"},
                                             {".png", "png"},
                                             {".webp", "webp"},
                                             {".png[interlace]", "png"},
                                             {".webp[lossless,effort=0]", "webp"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct fake_item *item = normalize_file(picture_save(picture_new(1100, 825), formats[i][0]), NULL);
        assert_size(item, "page", 1024, 768);
        assert_size(item, "model", 427, 320);
        assert_size(item, "thumb", 256, 192);
        assert_original(item, formats[i][1], 1100, 825);
        assert_string_equal(item->outputs[0].kind, "normalized");
        assert_int_equal(item->outputs[0].nblobs, 3);
        fake_item_free(item);
    }
}

static void every_shrink_of_a_jpeg_shows_the_same_picture(void **state) {
    (void)state;
    VipsImage *picture = picture_quarters(3208, 2402), *page;
    struct file file = picture_save(picture, ".jpg");
    for (int longest = 3000; longest >= 100; longest /= 2) {
        struct fake_host *host =
            normalize_host(json_pack("{s:{s:{s:i},s:{s:i,s:i},s:{s:i}}}", "sizes", "page", "longest", longest,
                                     "model", "shortest", 30, "longest", 0, "thumb", "longest", 20));
        struct fake_item *item = normalize_run(host, file.data, file.size);
        assert_size(item, "page", longest, (int)lround(2402.0 * longest / 3208));
        page = normalized_image(item, "page.jpg");
        double red[4], white[4];
        picture_pixel(page, page->Xsize / 4, page->Ysize / 4, red);
        picture_pixel(page, page->Xsize * 3 / 4, page->Ysize * 3 / 4, white);
        assert_true(red[0] > 240 && red[1] < 15 && red[2] < 15);
        assert_true(white[0] > 250 && white[1] > 250 && white[2] > 250);
        g_object_unref(page);
        fake_item_free(item);
        fake_host_free(host);
    }
    g_free(file.data);
}

static void nothing_is_enlarged(void **state) {
    (void)state;
    struct fake_item *item = normalize_file(picture_save(picture_new(200, 90), ".jpg"), NULL);
    assert_size(item, "page", 200, 90);
    assert_size(item, "model", 200, 90);
    assert_size(item, "thumb", 200, 90);
    fake_item_free(item);
}

static void strips_of_one_pixel_stay_pictures(void **state) {
    (void)state;
    struct fake_item *item = normalize_file(picture_save(picture_new(20000, 1), ".jpg"), NULL);
    assert_size(item, "page", 1024, 1);
    assert_size(item, "model", 1280, 1);
    assert_size(item, "thumb", 256, 1);
    fake_item_free(item);
    item = normalize_file(picture_save(picture_new(1, 20000), ".png"), NULL);
    assert_size(item, "model", 1, 1280);
    fake_item_free(item);
    item = normalize_file(picture_save(picture_new(1, 1), ".webp"), NULL);
    assert_size(item, "page", 1, 1);
    fake_item_free(item);
}

/* libvips 8.14 aborts on a JPEG that is shrunk to less than a line. */
static void every_small_extent_is_decoded(void **state) {
    (void)state;
    static const char *const formats[] = {".jpg", ".png", ".webp"};
    static const int sides[] = {1, 2, 3, 4, 5, 7, 8, 9};
    struct fake_host *host =
        normalize_host(json_pack("{s:{s:{s:i},s:{s:i},s:{s:i}}}", "sizes", "page", "longest", 5, "model",
                                 "shortest", 2, "thumb", "longest", 1));
    for (int run = 0; run < 3 * 8 * 8; run++) {
        int width = sides[run % 8], height = sides[run / 8 % 8];
        struct file file = picture_save(picture_new(width, height), formats[run / 64]);
        struct fake_item *item = normalize_run(host, file.data, file.size);
        assert_int_equal(item->verdict, LINNET_OK);
        assert_size(item, "thumb", 1, 1);
        fake_item_free(item);
        g_free(file.data);
    }
    fake_host_free(host);
}

/* What is to be seen in the four corners for each EXIF orientation of the picture of quarters: r, g, b, w. */
static void every_orientation_becomes_upright(void **state) {
    (void)state;
    static const char *const corners[] = {"rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"};
    static const char *const formats[] = {".jpg", ".webp"};
    for (int run = 0; run < 16; run++) {
        int orientation = run % 8 + 1;
        VipsImage *picture = picture_quarters(480, 240);
        vips_image_set_int(picture, VIPS_META_ORIENTATION, orientation);
        struct fake_item *item = normalize_file(picture_save(picture, formats[run / 8]), NULL);
        bool turned = orientation >= 5;
        assert_size(item, "page", turned ? 240 : 480, turned ? 480 : 240);
        assert_size(item, "thumb", turned ? 128 : 256, turned ? 256 : 128);
        assert_original(item, run / 8 ? "webp" : "jpeg", turned ? 240 : 480, turned ? 480 : 240);
        VipsImage *page = normalized_image(item, "page.jpg");
        char seen[5] = "";
        for (int i = 0; i < 4; i++) {
            double p[4];
            picture_pixel(page, page->Xsize * (i & 1 ? 3 : 1) / 4, page->Ysize * (i & 2 ? 3 : 1) / 4, p);
            seen[i] = p[0] > 128 ? (p[1] > 128 ? 'w' : 'r') : p[1] > 128 ? 'g' : 'b';
        }
        assert_string_equal(seen, corners[orientation - 1]);
        g_object_unref(page);
        fake_item_free(item);
    }
}

static double linear(double v) {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double encoded(double v) {
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return 255 * (v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055);
}

/* Display P3 to sRGB: both have D65 and the same tone curve, so one matrix is all (CSS Color 4, section 18).
 */
static void a_wide_gamut_is_converted_by_its_profile(void **state) {
    (void)state;
    static const double p3[3] = {190, 120, 90};
    double r = linear(p3[0]), g = linear(p3[1]), b = linear(p3[2]);
    const double expected[3] = {encoded(1.2249402 * r - 0.2249402 * g),
                                encoded(-0.0420570 * r + 1.0420570 * g),
                                encoded(-0.0196376 * r - 0.0786360 * g + 1.0982736 * b)};
    VipsImage *picture = picture_plain(640, 480, p3, 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB);
    picture_tag(picture, "p3");
    struct fake_item *item = normalize_file(picture_save(picture, ".jpg[Q=98]"), NULL);
    assert_page_colour(item, expected, 3);
    fake_item_free(item);
}

static void a_picture_tagged_srgb_is_left_as_it_is(void **state) {
    (void)state;
    VipsImage *picture = picture_new(640, 480);
    struct file plain = picture_save_copy(picture, ".jpg");
    picture_tag(picture, "srgb");
    struct file tagged = picture_save(picture, ".jpg");
    assert_true(tagged.size > plain.size);
    struct fake_item *a = normalize_file(plain, NULL), *b = normalize_file(tagged, NULL);
    const struct linnet_blob *x = normalized_blob(a, "page.jpg"), *y = normalized_blob(b, "page.jpg");
    assert_int_equal(x->size, y->size);
    assert_memory_equal(x->data, y->data, x->size);
    fake_item_free(a);
    fake_item_free(b);
}

static void printers_colours_are_converted(void **state) {
    (void)state;
    static const double inks[][4] = {{0, 0, 0, 0}, {0, 255, 255, 0}, {0, 0, 0, 255}};
    static const double expected[][3] = {{255, 255, 255}, {228, 28, 36}, {35, 31, 32}};
    for (int tagged = 0; tagged < 2; tagged++) {
        for (int i = 0; i < 3; i++) {
            VipsImage *picture =
                picture_plain(320, 240, inks[i], 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_CMYK);
            if (tagged) picture_tag(picture, "cmyk");
            struct fake_item *item = normalize_file(picture_save(picture, ".jpg[Q=98]"), NULL);
            assert_page_colour(item, expected[i], 24);
            fake_item_free(item);
        }
    }
}

static void grey_and_deep_pictures_become_8_bit_srgb(void **state) {
    (void)state;
    static const double grey[] = {100}, deep[] = {200 * 257.0, 100 * 257.0, 50 * 257.0},
                        deep_grey[] = {100 * 257.0};
    static const double grey_out[] = {100, 100, 100}, deep_out[] = {200, 100, 50};
    struct fake_item *item;
    item = normalize_file(
        picture_save(picture_plain(400, 300, grey, 1, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W), ".jpg"),
        NULL);
    assert_page_colour(item, grey_out, 2);
    fake_item_free(item);
    item = normalize_file(
        picture_save(picture_plain(400, 300, deep, 3, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16), ".png"),
        NULL);
    assert_page_colour(item, deep_out, 3);
    fake_item_free(item);
    item = normalize_file(
        picture_save(picture_plain(400, 300, deep_grey, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16),
                     ".png"),
        NULL);
    assert_page_colour(item, grey_out, 2);
    fake_item_free(item);
    item = normalize_file(picture_save(picture_quarters(400, 300), ".png[palette]"), NULL);
    assert_size(item, "page", 400, 300);
    fake_item_free(item);
}

static void what_is_transparent_lies_on_white(void **state) {
    (void)state;
    static const double half[] = {200, 0, 0, 128}, clear[] = {0, 0, 0, 0}, grey[] = {0, 128},
                        deep[] = {51400, 0, 0, 32896};
    static const double half_out[] = {227, 127, 127}, white[] = {255, 255, 255}, grey_out[] = {127, 127, 127};
    static const char *const formats[] = {".png", ".webp[lossless]"};
    struct fake_item *item;
    for (int i = 0; i < 2; i++) {
        item = normalize_file(
            picture_save(picture_plain(400, 300, half, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB),
                         formats[i]),
            NULL);
        assert_page_colour(item, half_out, 3);
        fake_item_free(item);
        item = normalize_file(
            picture_save(picture_plain(400, 300, clear, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB),
                         formats[i]),
            NULL);
        assert_page_colour(item, white, 1);
        fake_item_free(item);
    }
    item = normalize_file(
        picture_save(picture_plain(400, 300, grey, 2, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W), ".png"),
        NULL);
    assert_page_colour(item, grey_out, 2);
    fake_item_free(item);
    item = normalize_file(
        picture_save(picture_plain(400, 300, deep, 4, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16), ".png"),
        NULL);
    assert_page_colour(item, half_out, 3);
    fake_item_free(item);
}

static void assert_bare(const struct linnet_blob *blob) {
    static const char *const secrets[] = {"Exif", "http://ns.adobe.com", "ICC_PROFILE", "Photoshop",
                                          "secret"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_null(memmem(blob->data, blob->size, secrets[i], strlen(secrets[i])));
}

static void metadata_stays_behind(void **state) {
    (void)state;
    static const char *const formats[] = {".jpg", ".png", ".webp"};
    for (int i = 0; i < 3; i++) {
        VipsImage *picture = picture_new(500, 400);
        picture_tag(picture, "p3");
        vips_image_set_string(picture, "exif-ifd0-Artist",
                              "a secret name (a secret name, ASCII, 14 components, 14 bytes)");
        vips_image_set_blob_copy(picture, VIPS_META_XMP_NAME, "<x:xmpmeta>secret</x:xmpmeta>", 29);
        struct file file = picture_save(picture, formats[i]);
        if (i != 1) assert_non_null(memmem(file.data, file.size, "secret", 6)); /* PNG compresses it */
        struct fake_item *item = normalize_file(file, NULL);
        assert_bare(normalized_blob(item, "page.jpg"));
        assert_bare(normalized_blob(item, "model.jpg"));
        assert_bare(normalized_blob(item, "thumb.jpg"));
        fake_item_free(item);
    }
}

static void a_useless_profile_is_passed_over(void **state) {
    (void)state;
    static const double colour[] = {200, 100, 50};
    VipsImage *picture = picture_plain(300, 200, colour, 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB);
    vips_image_set_blob_copy(picture, VIPS_META_ICC_NAME, "this is not a profile", 21);
    struct fake_item *item = normalize_file(picture_save(picture, ".jpg[Q=98]"), NULL);
    assert_page_colour(item, colour, 3);
    fake_item_free(item);
    picture = picture_plain(300, 200, colour, 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB);
    picture_tag(picture, "cmyk"); /* a profile for four inks on a picture of three colours */
    item = normalize_file(picture_save(picture, ".jpg[Q=98]"), NULL);
    assert_page_colour(item, colour, 3);
    fake_item_free(item);
}

static void the_same_picture_gives_the_same_bytes(void **state) {
    (void)state;
    struct file file = picture_save(picture_new(1500, 1100), ".jpg");
    struct fake_host *one = normalize_host(NULL), *two = normalize_host(NULL);
    struct fake_item *items[3] = {normalize_run(one, file.data, file.size),
                                  normalize_run(one, file.data, file.size),
                                  normalize_run(two, file.data, file.size)};
    for (int i = 1; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            const struct linnet_blob *a = &items[0]->outputs[0].blobs[j], *b = &items[i]->outputs[0].blobs[j];
            assert_int_equal(a->size, b->size);
            assert_memory_equal(a->data, b->data, a->size);
        }
        assert_true(json_equal(items[0]->outputs[0].document, items[i]->outputs[0].document));
    }
    for (int i = 0; i < 3; i++)
        fake_item_free(items[i]);
    fake_host_free(one);
    fake_host_free(two);
    g_free(file.data);
}

/* What one of several threads does with its own instance. */
struct side {
    const struct file *file;
    struct fake_item *items[4];
};

static void *work_aside(void *arg) {
    struct side *side = arg;
    struct fake_host *host = normalize_host(NULL);
    for (int i = 0; i < 4; i++)
        side->items[i] = normalize_run(host, side->file->data, side->file->size);
    fake_host_free(host); /* and libvips's memory of this thread with it */
    return NULL;
}

static void instances_work_side_by_side(void **state) {
    (void)state;
    struct file file = picture_save(picture_new(900, 700), ".jpg");
    struct side sides[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        sides[i].file = &file;
        assert_int_equal(pthread_create(&threads[i], NULL, work_aside, &sides[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(vips_vector_isenabled()); /* it crashes such neighbours, once in ten thousand pictures */
    for (int i = 0; i < 12; i++) {
        const struct linnet_blob *a = normalized_blob(sides[0].items[0], "model.jpg");
        const struct linnet_blob *b = normalized_blob(sides[i / 4].items[i % 4], "model.jpg");
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->data, b->data, a->size);
    }
    for (int i = 0; i < 12; i++)
        fake_item_free(sides[i / 4].items[i % 4]);
    g_free(file.data);
}

static void heif_is_read_where_it_is_asked_for(void **state) {
    (void)state;
    VipsImage *picture = picture_quarters(800, 600);
    if (!vips_type_find("VipsForeignSave", "heifsave_buffer") ||
        !vips_type_find("VipsForeignLoad", "heifload_buffer")) {
        g_object_unref(picture);
        print_message("libvips has no HEIF here: nothing to try\n");
        skip();
    }
    struct file file = picture_save(picture, ".heif[compression=hevc,Q=80]");
    struct fake_host *closed = normalize_host(NULL), *open = normalize_host(json_pack("{s:b}", "heif", 1));
    assert_rejected(normalize_run(closed, file.data, file.size), "HEIF");
    struct fake_item *item = normalize_run(open, file.data, file.size);
    assert_size(item, "page", 800, 600);
    assert_original(item, "heif", 800, 600);
    fake_item_free(item);
    fake_host_free(closed);
    fake_host_free(open);
    struct fake_host *strict =
        normalize_host(json_pack("{s:b, s:i}", "heif", 1, "max_pixels", 800 * 600 - 1));
    assert_rejected(normalize_run(strict, file.data, file.size), "too large");
    for (size_t cut = 40; cut < file.size; cut += file.size / 9) {
        struct fake_item *cut_off = normalize_run(strict, file.data, cut);
        assert_int_equal(cut_off->verdict, LINNET_REJECT);
        fake_item_free(cut_off);
    }
    fake_host_free(strict);
    g_free(file.data);
}

static void the_size_of_the_models_cannot_be_left_out(void **state) {
    (void)state;
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    assert_true(fake_host_open(host, json_pack("{s:{s:{s:b}}}", "sizes", "model", "keep", 0)) < 0);
    assert_non_null(strstr(fake_host_why(host), "sizes.model"));
    fake_host_free(host);
}

static void a_size_without_bounds_is_refused(void **state) {
    (void)state;
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    assert_true(fake_host_open(host, json_pack("{s:{s:{s:i}}}", "sizes", "page", "longest", 0)) < 0);
    assert_non_null(strstr(fake_host_why(host), "sizes.page"));
    assert_int_equal(fake_host_open(host, NULL), 0);
    char *text = fake_host_fingerprint(host);
    assert_non_null(strstr(text, "libvips 8."));
    free(text);
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_kept_in_three_sizes),
        cmocka_unit_test(every_shrink_of_a_jpeg_shows_the_same_picture),
        cmocka_unit_test(nothing_is_enlarged),
        cmocka_unit_test(every_small_extent_is_decoded),
        cmocka_unit_test(strips_of_one_pixel_stay_pictures),
        cmocka_unit_test(every_orientation_becomes_upright),
        cmocka_unit_test(a_wide_gamut_is_converted_by_its_profile),
        cmocka_unit_test(a_picture_tagged_srgb_is_left_as_it_is),
        cmocka_unit_test(printers_colours_are_converted),
        cmocka_unit_test(grey_and_deep_pictures_become_8_bit_srgb),
        cmocka_unit_test(what_is_transparent_lies_on_white),
        cmocka_unit_test(metadata_stays_behind),
        cmocka_unit_test(a_useless_profile_is_passed_over),
        cmocka_unit_test(the_same_picture_gives_the_same_bytes),
        cmocka_unit_test(instances_work_side_by_side),
        cmocka_unit_test(heif_is_read_where_it_is_asked_for),
        cmocka_unit_test(the_size_of_the_models_cannot_be_left_out),
        cmocka_unit_test(a_size_without_bounds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
