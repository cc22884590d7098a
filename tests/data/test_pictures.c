/* Pictures: the same everywhere, and what look-alikes show. Files: metadata and orientation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "tests/data/jpeg.h"
#include "tests/data/picture.h"

static int make(void **state) {
    *state = linnet_flora_new(FLORA_SEED, FLORA_SPECIES);
    return *state && sodium_init() >= 0 ? 0 : -1;
}

static int unmake(void **state) {
    linnet_flora_free(*state);
    return 0;
}

static struct image draw(const struct flora *flora, size_t species, enum organ organ, uint64_t seed,
                         int width, int height) {
    struct picture picture = {flora, species, organ, 5, seed, NULL, width, height};
    struct image image;
    assert_int_equal(linnet_flora_picture_draw(&picture, &image), 0);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    return image;
}

static bool same(const struct image *a, const struct image *b) {
    return !memcmp(a->rgb, b->rgb, (size_t)a->width * (size_t)a->height * 3);
}

/* Digest of pictures of every organ of some species, and of things that are no plants. */
static void digest_of_many(const struct flora *flora, int size, char out[LINNET_DIGEST_SIZE]) {
    struct linnet_digest digest;
    linnet_digest_init(&digest);
    for (size_t i = 0; i < 100; i++) {
        size_t species = i % 10 ? (i * 37) % flora->nspecies : FLORA_NONE;
        enum organ organ = (enum organ)(i % ORGAN_COUNT);
        if (species != FLORA_NONE && !linnet_flora_has_organ(&flora->species[species].traits, organ))
            continue;
        struct image image = draw(flora, species, organ, i, size, size * 3 / 4);
        linnet_digest_update(&digest, image.rgb, (size_t)image.width * (size_t)image.height * 3);
        linnet_flora_image_free(&image);
    }
    linnet_digest_final(&digest, out);
}

/* Known answers. They change when drawing changes (the shipped model is to be trained again then), or with
 * another cairo than that of Debian 12; never with the processor or the compiler. */
static void a_seed_gives_the_same_bytes_on_every_machine(void **state) {
    char digest[LINNET_DIGEST_SIZE];
    digest_of_many(*state, 96, digest);
    assert_string_equal(digest, "dbb0bcf4c1e023e051f96136c7eeb18490d9fb8228084adfd5997903f0ad279d");
    digest_of_many(*state, 200, digest);
    assert_string_equal(digest, "9ed55d1f4572745c3867a7e06f3202ba5c29d4c1040521db06e94d4418d50db6");
}

static void another_seed_gives_another_picture(void **state) {
    struct image a = draw(*state, 3, ORGAN_LEAF, 1, 64, 64), b = draw(*state, 3, ORGAN_LEAF, 1, 64, 64),
                 c = draw(*state, 3, ORGAN_LEAF, 2, 64, 64);
    assert_true(same(&a, &b));
    assert_false(same(&a, &c));
    linnet_flora_image_free(&a);
    linnet_flora_image_free(&b);
    linnet_flora_image_free(&c);
}

/* The same plant under the same light, as either of two look-alikes. */
static bool looks_alike(const struct flora *flora, size_t a, size_t b, enum organ organ) {
    bool alike = true;
    for (uint64_t seed = 0; seed < 6 && alike; seed++) {
        struct image x = draw(flora, a, organ, seed, 48, 48), y = draw(flora, b, organ, seed, 48, 48);
        alike = same(&x, &y);
        linnet_flora_image_free(&x);
        linnet_flora_image_free(&y);
    }
    return alike;
}

static void look_alikes_can_be_told_by_one_organ_alone(void **state) {
    const struct flora *flora = *state;
    size_t checked = 0;
    for (size_t s = 0; s < flora->nspecies && checked < 30; s++) {
        const struct flora_species *species = &flora->species[s];
        if (species->lookalike == FLORA_NONE || species->lookalike < s) continue;
        for (int organ = 0; organ < ORGAN_HABIT; organ++) {
            if (!linnet_flora_has_organ(&species->traits, (enum organ)organ)) continue;
            assert_int_equal(looks_alike(flora, s, species->lookalike, (enum organ)organ),
                             organ != (int)species->told_by);
        }
        checked++;
    }
    assert_int_equal(checked, 30);
}

static void a_large_picture_shows_what_a_small_one_shows(void **state) {
    /* shapes are in units, so a large picture averaged is close to a small one; noise and thin lines are not
     * equal */
    struct image large = draw(*state, 3, ORGAN_FLOWER, 9, 512, 512),
                 small = draw(*state, 3, ORGAN_FLOWER, 9, 128, 128), shrunk;
    double difference = 0;
    assert_int_equal(linnet_flora_image_shrink(&large, 4, &shrunk), 0);
    for (size_t i = 0; i < 128 * 128 * 3; i++)
        difference += abs(shrunk.rgb[i] - small.rgb[i]);
    assert_true(difference / (128 * 128 * 3) < 12);
    linnet_flora_image_free(&large);
    linnet_flora_image_free(&small);
    linnet_flora_image_free(&shrunk);
}

static void what_cannot_be_drawn_is_refused(void **state) {
    const struct flora *flora = *state;
    struct image image;
    size_t herb = 0;
    while (linnet_flora_has_organ(&flora->species[herb].traits, ORGAN_BARK))
        herb++;
    struct picture picture = {flora, herb, ORGAN_BARK, 1, 1, NULL, 64, 64};
    assert_int_equal(linnet_flora_picture_draw(&picture, &image), -1);
    picture.organ = ORGAN_LEAF;
    picture.width = 15;
    assert_int_equal(linnet_flora_picture_draw(&picture, &image), -1);
    picture.width = 64;
    picture.species = flora->nspecies;
    assert_int_equal(linnet_flora_picture_draw(&picture, &image), -1);
}

/* Where the pixel of the upright picture at (x, y) lies in what an orientation stores (EXIF 2.32, 4.6.4). */
static void stored_at(int orientation, int w, int h, int x, int y, int *sx, int *sy) {
    static const struct {
        bool swap, flip_x, flip_y;
    } list[9] = {{0, 0, 0}, {0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1},
                 {1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}};
    int u = list[orientation].flip_x ? w - 1 - x : x, v = list[orientation].flip_y ? h - 1 - y : y;
    *sx = list[orientation].swap ? v : u;
    *sy = list[orientation].swap ? u : v;
}

static void orientations_store_what_they_say(void **state) {
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        struct image image;
        assert_int_equal(linnet_flora_image_new(&image, 5, 3), 0);
        for (int i = 0; i < 15; i++)
            memset(image.rgb + 3 * i, i, 3);
        assert_int_equal(linnet_flora_orient(&image, orientation), 0);
        assert_int_equal(image.width, orientation >= 5 ? 3 : 5);
        for (int i = 0; i < 15; i++) {
            int sx, sy, w = 5, h = 3;
            stored_at(orientation, w, h, i % 5, i / 5, &sx, &sy);
            assert_int_equal(image.rgb[(sy * image.width + sx) * 3], i);
        }
        linnet_flora_image_free(&image);
    }
}

static const uint8_t *find(const uint8_t *data, size_t size, const char *what, size_t length) {
    for (size_t i = 0; i + length <= size; i++)
        if (!memcmp(data + i, what, length)) return data + i;
    return NULL;
}

static void exif_says_where_when_and_with_what(void **state) {
    struct exif exif = {6, true, -33.5, 151.25, "2026:05:03 10:21:00", "Plume 4"};
    uint8_t block[512];
    (void)state;
    size_t size = linnet_flora_exif_block(&exif, block);
    assert_in_range(size, 100, 512);
    assert_memory_equal(block, "Exif\0\0II*\0\x08\0\0\0\4\0", 16);
    assert_non_null(find(block, size, "\x12\1\3\0\1\0\0\0\6\0\0\0", 12)); /* orientation */
    assert_non_null(find(block, size, "2026:05:03 10:21:00", 20));
    assert_non_null(find(block, size, "Plume 4", 8));
    assert_non_null(find(block, size, "\1\0\2\0\2\0\0\0S\0\0\0", 12));
    assert_non_null(
        find(block, size, "\x97\0\0\0\1\0\0\0\x0f\0\0\0\1\0\0\0", 16)); /* 151 degrees 15 minutes */
    struct exif nothing = {0, false, 0, 0, "", NULL};
    assert_int_equal(linnet_flora_exif_block(&nothing, block), 6 + 8 + 2 + 4);
}

static void a_jpeg_starts_and_ends_as_it_should(void **state) {
    struct image image = draw(*state, 1, ORGAN_FLOWER, 1, 64, 48);
    struct bytes plain, told;
    struct exif exif = {6, false, 0, 0, "", NULL};
    assert_int_equal(linnet_flora_jpeg_encode(&image, 85, false, NULL, &plain), 0);
    assert_int_equal(linnet_flora_jpeg_encode(&image, 85, false, &exif, &told), 0);
    assert_memory_equal(plain.data, "\xff\xd8\xff", 3);
    assert_memory_equal(plain.data + plain.size - 2, "\xff\xd9", 2);
    assert_null(find(plain.data, plain.size, "Exif", 4));
    assert_non_null(find(told.data, 64, "Exif", 4));
    linnet_flora_bytes_free(&plain);
    linnet_flora_bytes_free(&told);
    linnet_flora_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_bytes_on_every_machine),
        cmocka_unit_test(another_seed_gives_another_picture),
        cmocka_unit_test(look_alikes_can_be_told_by_one_organ_alone),
        cmocka_unit_test(a_large_picture_shows_what_a_small_one_shows),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(orientations_store_what_they_say),
        cmocka_unit_test(exif_says_where_when_and_with_what),
        cmocka_unit_test(a_jpeg_starts_and_ends_as_it_should),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
