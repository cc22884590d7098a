/* Areas: boxes and polygons, holes, borders, the date line, the poles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plugins/fusion/area.h"

static struct fusion_area read_area(const char *text) {
    struct fusion_area area;
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_int_equal(fusion_area_read(json, &area), 0);
    json_decref(json);
    return area;
}

static void assert_place(struct fusion_area *area, double latitude, double longitude, double metres,
                         bool touches, bool covers) {
    struct fusion_box box = fusion_box_around(latitude, longitude, metres);
    if (fusion_area_touches(area, box) != touches || fusion_area_covers(area, box) != covers)
        fail_msg("%g %g within %g m", latitude, longitude, metres);
}

static void a_box_is_touched_at_its_border(void **state) {
    (void)state;
    struct fusion_area area = read_area("{\"bbox\":[0,40,5,50]}");
    assert_place(&area, 45, 2, 0, true, true);
    assert_place(&area, 45, 2, 10000, true, true);
    assert_place(&area, 45, 5.1, 0, false, false);
    assert_place(&area, 45, 5.1, 7000, false, false); /* 0.1 degrees of longitude are 7.87 km there */
    assert_place(&area, 45, 5.1, 8000, true, false);
    assert_place(&area, 39.9, 2, 11000, false, false); /* 0.1 degrees of latitude are 11.13 km */
    assert_place(&area, 39.9, 2, 11200, true, false);
    fusion_area_done(&area);
}

static void a_polygon_has_holes_and_corners(void **state) {
    (void)state;
    /* A square with a square hole, and an island in the hole. */
    struct fusion_area area =
        read_area("{\"polygons\":["
                  "[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[3,3],[7,3],[7,7],[3,7],[3,3]]],"
                  "[[[4.5,4.5],[5.5,4.5],[5.5,5.5],[4.5,5.5]]]]}");
    assert_place(&area, 1, 1, 0, true, true);
    assert_place(&area, 4, 4, 0, false, false);
    assert_place(&area, 5, 5, 0, true, true);
    assert_place(&area, 4, 4, 30000, false, false);
    assert_place(&area, 4, 4, 60000, true, false); /* 0.54 degrees: reaches the island */
    assert_place(&area, 5, 5, 300000, true, false);
    assert_place(&area, 1, 1, 100000, true, true);
    assert_place(&area, 1, 1, 200000, true, false);
    assert_place(&area, 20, 20, 100000, false, false);
    assert_true(area.extent > (100 - 16 + 1) * 0.99 && area.extent < 85);
    fusion_area_done(&area);
}

/* The circle is far larger than the area: no corner of the one lies in the other's edges. */
static void an_area_within_the_circle_is_touched(void **state) {
    (void)state;
    struct fusion_area area = read_area("{\"polygons\":[[[[1,1],[1.1,1],[1.1,1.1],[1,1.1],[1,1]]]]}");
    assert_place(&area, 0.5, 0.5, 500000, true, false);
    fusion_area_done(&area);
}

static void the_date_line_is_no_border(void **state) {
    (void)state;
    struct fusion_area fiji = read_area("{\"bbox\":[177,-21,-178,-12]}");
    assert_place(&fiji, -17, 179, 0, true, true);
    assert_place(&fiji, -17, -179, 0, true, true);
    assert_place(&fiji, -17, 180, 15700, true, true);
    assert_place(&fiji, -17, -180, 15700, true, true);
    assert_place(&fiji, -17, 170, 15700, false, false);
    assert_place(&fiji, -17, -170, 15700, false, false);
    fusion_area_done(&fiji);
    struct fusion_area east = read_area("{\"bbox\":[170,-21,180,-12]}");
    assert_place(&east, -17, -179.95, 15700, true, false);
    fusion_area_done(&east);
}

static void a_pole_is_near_to_all_longitudes(void **state) {
    (void)state;
    struct fusion_area area = read_area("{\"bbox\":[100,89,110,90]}");
    assert_place(&area, 89.95, -80, 15700, true, false);
    assert_place(&area, 85, -80, 15700, false, false);
    fusion_area_done(&area);
}

static void nonsense_is_no_area(void **state) {
    (void)state;
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "{\"bbox\":[1,2,3]}",
                                        "{\"bbox\":[1,5,3,4]}",
                                        "{\"bbox\":[1,\"2\",3,4]}",
                                        "{\"polygons\":[]}",
                                        "{\"polygons\":[[[[1,1],[2,2]]]]}",
                                        "{\"polygons\":[[[1,1],[2,2],[3,3]]]}",
                                        "{\"polygons\":{\"a\":1}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fusion_area area;
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_int_equal(fusion_area_read(json, &area), -1);
        assert_int_equal(area.nrings, 0);
        json_decref(json);
    }
}

static void assert_far(struct fusion_area *area, double latitude, double longitude, double degrees) {
    double metres = fusion_area_distance(area, latitude, longitude);
    if (metres < degrees * 111320 - 1 || metres > degrees * 111320 + 1)
        fail_msg("%g %g is %g m away, not %g degrees", latitude, longitude, metres, degrees);
}

static void a_distance_is_to_the_nearest_border(void **state) {
    (void)state;
    struct fusion_area box = read_area("{\"bbox\":[0,-5,5,5]}");
    assert_far(&box, 0, 2, 0);
    assert_far(&box, 0, 8, 3);
    assert_far(&box, 9, 2, 4);
    assert_far(&box, 0, -359, 0); /* a turn of the world away */
    fusion_area_done(&box);
    struct fusion_area ring = read_area("{\"polygons\":[[[[0,0],[10,0],[10,10],[0,10],[0,0]],"
                                        "[[3,3],[7,3],[7,7],[3,7],[3,3]]]]}");
    assert_far(&ring, 0.5, 5, 0);
    assert_far(&ring, -2, 5, 2);
    assert_far(&ring, 6, 5, 1); /* in the hole, a degree below its border */
    fusion_area_done(&ring);
    struct fusion_area north = read_area("{\"bbox\":[0,50,10,70]}");
    assert_far(&north, 60, 20, 5); /* ten degrees of longitude, half as long there */
    fusion_area_done(&north);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_is_touched_at_its_border),
        cmocka_unit_test(a_polygon_has_holes_and_corners),
        cmocka_unit_test(an_area_within_the_circle_is_touched),
        cmocka_unit_test(the_date_line_is_no_border),
        cmocka_unit_test(a_pole_is_near_to_all_longitudes),
        cmocka_unit_test(a_distance_is_to_the_nearest_border),
        cmocka_unit_test(nonsense_is_no_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
