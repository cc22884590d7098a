/* Tiles cover the picture, overlap as they should, and their coverage adds up. */
#include <math.h>

#include "tests/unit/test.h"
#include "workers/serve/tiles.h"

static struct serve_tile tiles[SERVE_TILES_MAX];

static double coverage(size_t first, size_t end) {
    const struct serve_tile *list[SERVE_TILES_MAX];
    for (size_t i = first; i < end; i++)
        list[i - first] = &tiles[i];
    return serve_tiles_coverage(list, end - first);
}

static void tiles_of_a_size_cover_the_picture(void **state) {
    static const unsigned sides[][2] = {{600, 600}, {601, 600}, {1200, 900}, {4000, 3000}, {3001, 607}};
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        struct serve_tiling tiling = {sides[i][0], sides[i][1], 600, 300, sqrt(2), false};
        size_t n = serve_tiles_make(&tiling, tiles, SERVE_TILES_MAX);
        assert_in_range(n, 1, SERVE_TILES_MAX);
        assert_true(coverage(0, n) == 1);
        for (size_t t = 0; t < n; t++) {
            assert_true(tiles[t].x >= 0 && tiles[t].y >= 0);
            assert_true(tiles[t].x + tiles[t].width <= 1 + 1e-9 && tiles[t].y + tiles[t].height <= 1 + 1e-9);
            assert_true(fabs(tiles[t].width * sides[i][0] - 600) < 1e-6 &&
                        fabs(tiles[t].height * sides[i][1] - 600) < 1e-6);
        }
    }
}

static void scales_grow_by_the_factor_up_to_the_shortest_side(void **state) {
    struct serve_tiling tiling = {1300, 1200, 600, 300, sqrt(2), true};
    (void)state;
    size_t n = serve_tiles_make(&tiling, tiles, SERVE_TILES_MAX);
    /* 600: 4 x 3; 848.5: 3 x 2; 1200: 2 x 1 */
    assert_int_equal(n, 12 + 6 + 2);
    assert_true(fabs(tiles[n - 1].width * 1300 - 1200) < 1e-6);
    assert_true(coverage(12, 18) == 1 && coverage(18, 20) == 1);
}

static void a_small_picture_is_one_tile(void **state) {
    struct serve_tiling tiling = {300, 200, 600, 300, sqrt(2), true};
    (void)state;
    assert_int_equal(serve_tiles_make(&tiling, tiles, SERVE_TILES_MAX), 1);
    assert_true(tiles[0].x == 0 && tiles[0].width == 1 && tiles[0].height == 1);
}

static void coverage_counts_what_overlaps_once(void **state) {
    (void)state;
    tiles[0] = (struct serve_tile){0, 0, 0.5, 0.5};
    tiles[1] = (struct serve_tile){0.25, 0, 0.5, 0.5};
    assert_true(fabs(coverage(0, 1) - 0.25) < 0.01);
    assert_true(fabs(coverage(0, 2) - 0.375) < 0.01);
    assert_true(coverage(0, 0) == 0);
}

static void more_than_there_is_room_for_is_counted_only(void **state) {
    struct serve_tiling tiling = {60000, 40000, 600, 300, sqrt(2), true};
    (void)state;
    assert_true(serve_tiles_make(&tiling, tiles, SERVE_TILES_MAX) > SERVE_TILES_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_of_a_size_cover_the_picture),
        cmocka_unit_test(scales_grow_by_the_factor_up_to_the_shortest_side),
        cmocka_unit_test(a_small_picture_is_one_tile),
        cmocka_unit_test(coverage_counts_what_overlaps_once),
        cmocka_unit_test(more_than_there_is_room_for_is_counted_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
