/* normalize on what nobody's camera made: every file ends as a result or as a sentence, none as a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/normalize/fixture.h"

/* In every way in which these formats come. */
static const char *const formats[] = {".jpg",  ".jpg[interlace]", ".jpg[subsample_mode=off,Q=97]",
                                      ".png",  ".png[interlace]", ".png[palette]",
                                      ".webp", ".webp[lossless]"};
#define FORMATS (sizeof formats / sizeof formats[0])

/* Exactly so many bytes on the heap, so that reading past them is seen. */
static struct fake_item *run_part(struct fake_host *host, const struct file *file, size_t size) {
    return normalize_run(host, file->data, size);
}

static void a_file_that_is_cut_anywhere_is_refused(void **state) {
    (void)state;
    struct fake_host *host = normalize_host(NULL);
    for (size_t f = 0; f < FORMATS; f++) {
        VipsImage *picture = picture_new(96, 64);
        picture_tag(picture, "srgb");
        struct file file = picture_save(picture, formats[f]);
        for (size_t cut = 1; cut < file.size - 2; cut += 1 + file.size / 40) {
            struct fake_item *item = run_part(host, &file, cut);
            if (item->verdict != LINNET_REJECT) fail_msg("%s cut at %zu of %zu", formats[f], cut, file.size);
            assert_true(strstr(item->reason, "ends early") || strstr(item->reason, "damaged") ||
                        strstr(item->reason, "unknown kind"));
            fake_item_free(item);
        }
        g_free(file.data);
    }
    fake_host_free(host);
}

/* xorshift32: the same damage in every run. */
static uint32_t next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

static void damage_ends_in_a_result_or_a_sentence(void **state) {
    (void)state;
    uint32_t seed = 20260503;
    size_t ok = 0, refused = 0;
    struct fake_host *host = normalize_host(json_pack("{s:i}", "max_ms", 5000));
    for (size_t run = 0; run < FORMATS * 40; run++) {
        VipsImage *picture = picture_new(80, 60);
        picture_tag(picture, "p3");
        vips_image_set_int(picture, VIPS_META_ORIENTATION, 6);
        struct file file = picture_save(picture, formats[run % FORMATS]);
        for (uint32_t hits = 1 + next(&seed) % 8; hits > 0; hits--)
            file.data[next(&seed) % (hits & 1          ? file.size
                                     : file.size < 900 ? file.size
                                                       : 900)] = (uint8_t)next(&seed);
        struct fake_item *item = run_part(host, &file, file.size);
        if (item->verdict == LINNET_OK)
            ok++;
        else if (item->verdict == LINNET_REJECT && strlen(item->reason) > 10)
            refused++;
        else
            fail_msg("%s: verdict %d, %s", formats[run % FORMATS], item->verdict, item->reason);
        fake_item_free(item);
        g_free(file.data);
    }
    assert_true(ok > 20 && refused > 20); /* the damage was neither nothing nor too much */
    fake_host_free(host);
}

static void bytes_after_the_end_do_no_harm(void **state) {
    (void)state;
    struct fake_host *host = normalize_host(NULL);
    for (size_t f = 0; f < FORMATS; f++) {
        struct file file = picture_save(picture_new(96, 64), formats[f]);
        struct file longer = {g_malloc(file.size + 5000), file.size + 5000};
        memcpy(longer.data, file.data, file.size);
        memset(longer.data + file.size, 0xff, 5000);
        struct fake_item *plain = run_part(host, &file, file.size),
                         *item = run_part(host, &longer, longer.size);
        const struct linnet_blob *a = normalized_blob(plain, "page.jpg"),
                                 *b = normalized_blob(item, "page.jpg");
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->data, b->data, a->size);
        fake_item_free(plain);
        fake_item_free(item);
        g_free(file.data);
        g_free(longer.data);
    }
    fake_host_free(host);
}

static void limits_hold(void **state) {
    (void)state;
    struct file file = picture_save(picture_new(200, 100), ".jpg"),
                copy = {g_memdup2(file.data, file.size), file.size};
    assert_rejected(normalize_file(file, json_pack("{s:i}", "max_bytes", 500)), "too large");
    assert_rejected(normalize_file(copy, json_pack("{s:i}", "max_pixels", 19999)),
                    "200 x 100 is 0.0 megapixels");
    assert_rejected(normalize_file(picture_save(picture_new(200, 100), ".jpg[interlace]"),
                                   json_pack("{s:i}", "max_scans", 3)),
                    "passes");
    assert_rejected(normalize_file(picture_save(picture_new(1200, 1000), ".png[interlace]"),
                                   json_pack("{s:i}", "max_memory", 3000000)),
                    "neither progressive nor interlaced");
    VipsImage *film = picture_new(64, 64 * 5);
    vips_image_set_int(film, "page-height", 64);
    struct file frames = picture_save(film, ".webp"),
                same = {g_memdup2(frames.data, frames.size), frames.size};
    assert_rejected(normalize_file(frames, json_pack("{s:i}", "max_pages", 4)), "holds 5 pictures");
    struct fake_item *item = normalize_file(same, json_pack("{s:i}", "max_pages", 5));
    VipsImage *page = normalized_image(item, "page.jpg"); /* the first of them */
    assert_int_equal(page->Ysize, 64);
    g_object_unref(page);
    fake_item_free(item);
}

static void decoding_that_takes_too_long_is_given_up(void **state) {
    (void)state;
    assert_rejected(normalize_file(picture_save(picture_new(2400, 1800), ".png[compression=1]"),
                                   json_pack("{s:i}", "max_ms", 8)),
                    "took longer than 0.0 s");
}

static void the_id_must_name_the_bytes(void **state) {
    (void)state;
    static const char other[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    struct file file = picture_save(picture_new(64, 64), ".jpg");
    struct fake_host *host = normalize_host(NULL);
    struct fake_item *item = fake_item_new(NORMALIZE_OBSERVATION);
    char id[128];
    snprintf(id, sizeof id, NORMALIZE_OBSERVATION ":image:%s", other);
    size_t doc = fake_item_doc(item, json_pack("{s:s}", "_id", id));
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->verdict, LINNET_REJECT);
    assert_non_null(strstr(item->reason, "no attachment named original"));
    fake_item_blob(item, doc, "original", "image/jpeg", file.data, file.size);
    assert_int_equal(fake_host_process(host, item), 0);
    assert_rejected(item, "not the one that its id names");
    fake_host_free(host);
    g_free(file.data);
}

/* What other loaders of libvips would gladly read is never shown to them. */
static void drawings_and_documents_are_refused_by_name(void **state) {
    (void)state;
    static const char *const files[][2] = {
        {"<svg width='9' height='9'/>", "SVG"},
        {"<?xml version='1.0'?>\n<svg width='9' height='9'/>", "SVG"},
        {"%PDF-1.7\n", "PDF"},
        {"P6\n1 1\n255\nabc", "unknown kind of file"},
        {"push graphic-context\nimage over 0,0 0,0 'ephemeral:/etc/passwd'\n", "unknown"},
        {"", "empty"}};
    struct fake_host *host = normalize_host(NULL);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_rejected(normalize_run(host, files[i][0], strlen(files[i][0])), files[i][1]);
    fake_host_free(host);
    VipsImage *image = vips_image_new_from_buffer("P6\n1 1\n255\nabc", 14, "", NULL);
    assert_null(image);
    vips_error_clear();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(damage_ends_in_a_result_or_a_sentence),
        cmocka_unit_test(bytes_after_the_end_do_no_harm),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(decoding_that_takes_too_long_is_given_up),
        cmocka_unit_test(the_id_must_name_the_bytes),
        cmocka_unit_test(drawings_and_documents_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
