/* What is public of a place is rounded; the exact place is for the holder of the site's secret key alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/seal.h"
#include "tests/unit/test.h"
#include "workers/cli/place.h"

static void close_to(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%.15g, not %.15g", got, expected);
}

static void new_key(struct linnet_site_key *key, char public_key[LINNET_PUBLIC_KEY_SIZE]) {
    assert_true(sodium_init() >= 0);
    crypto_box_keypair(key->public_, key->secret);
    linnet_site_key_public(key, public_key);
}

/* Rounded to a fifth of a degree, and said with one decimal: 43.6, never 43.600000000000001. */
static void the_public_place_is_rounded(void **state) {
    (void)state;
    static const struct {
        double latitude, longitude;
        const char *text;
    } places[] = {
        {43.61234, 3.87654, "\"decimalLatitude\":43.6,\"decimalLongitude\":3.8"},
        {43.71, -3.91, "\"decimalLatitude\":43.8,\"decimalLongitude\":-4.0"},
        {-33.95, 151.29, "\"decimalLatitude\":-34.0,\"decimalLongitude\":151.2"},
        {90, 180, "\"decimalLatitude\":90.0,\"decimalLongitude\":180.0"},
        {-90, -180, "\"decimalLatitude\":-90.0,\"decimalLongitude\":-180.0"},
        {89.95, 179.95, "\"decimalLatitude\":90.0,\"decimalLongitude\":180.0"},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        json_t *place;
        assert_int_equal(linnet_place_seal(places[i].latitude, places[i].longitude, NULL, &place, NULL), 0);
        char *text = json_dumps(place, JSON_COMPACT | JSON_REAL_PRECISION(15));
        if (!strstr(text, places[i].text)) fail_msg("%s, not %s", text, places[i].text);
        assert_null(json_object_get(place, "sealed"));
        free(text);
        json_decref(place);
    }
}

/* The circle around the public place that holds the whole cell, so the exact place too, anywhere on earth. */
static void the_uncertainty_covers_the_cell(void **state) {
    (void)state;
    const double degree = 6371009.0 * M_PI / 180;
    for (double latitude = -89.93; latitude < 90; latitude += 0.37) {
        json_t *place;
        double longitude = 2 * latitude;
        assert_int_equal(linnet_place_seal(latitude, longitude, NULL, &place, NULL), 0);
        double north = (latitude - linnet_json_number(place, "decimalLatitude", 0)) * degree;
        double east = (longitude - linnet_json_number(place, "decimalLongitude", 0)) * degree *
                      cos(latitude * M_PI / 180);
        double uncertainty = linnet_json_number(place, "coordinateUncertaintyInMeters", 0);
        assert_true(hypot(north, east) <= uncertainty);
        json_decref(place);
    }
    json_t *place;
    assert_int_equal(linnet_place_seal(0, 0, NULL, &place, NULL), 0);
    close_to(linnet_json_number(place, "coordinateUncertaintyInMeters", 0), 15726, 1);
    json_decref(place);
}

static void the_exact_place_opens_with_the_sites_key_alone(void **state) {
    (void)state;
    struct linnet_site_key key, other;
    char public_key[LINNET_PUBLIC_KEY_SIZE], another[LINNET_PUBLIC_KEY_SIZE];
    json_t *place;
    new_key(&key, public_key);
    new_key(&other, another);
    assert_int_equal(linnet_place_seal(-43.6123456, 3.8765432, public_key, &place, NULL), 0);
    const char *sealed = linnet_json_string(place, "sealed", NULL);
    assert_non_null(sealed);
    assert_null(linnet_unseal(&other, sealed));
    json_t *exact = linnet_unseal(&key, sealed);
    assert_non_null(exact);
    close_to(linnet_json_number(exact, "decimalLatitude", 0), -43.6123456, 1e-9);
    close_to(linnet_json_number(exact, "decimalLongitude", 0), 3.8765432, 1e-9);
    close_to(linnet_json_number(exact, "coordinateUncertaintyInMeters", 0), 30, 0);
    json_decref(exact);
    json_decref(place);
}

static void bad_keys_and_places_are_refused(void **state) {
    (void)state;
    static const char *const keys[] = {
        "", "not base64!", "c2hvcnQ=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="};
    static const double places[][2] = {{90.001, 0}, {0, -180.5}, {NAN, 0},
                                       {0, NAN},    {1e300, 0},  {0, INFINITY}};
    struct linnet_error err;
    json_t *place = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(linnet_place_seal(1, 2, keys[i], &place, &err), LINNET_E_INVALID);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        assert_int_equal(linnet_place_seal(places[i][0], places[i][1], NULL, &place, &err), LINNET_E_INVALID);
    assert_null(place);
}

static void degrees_are_read_as_written_or_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {{"", "3"},         {"north", "3"}, {"43,6", "3,8"}, {"43.6", "3.8E"},
                                         {"43.6 N", "3.8"}, {"91", "0"},    {"nan", "0"}};
    struct linnet_error err;
    json_t *place = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(linnet_place_read(bad[i][0], bad[i][1], NULL, &place, &err), LINNET_E_INVALID);
    assert_null(place);
    assert_int_equal(linnet_place_read(" 43.61 ", "-3.88", NULL, &place, &err), 0);
    close_to(linnet_json_number(place, "decimalLatitude", 0), 43.6, 1e-9);
    close_to(linnet_json_number(place, "decimalLongitude", 0), -3.8, 1e-9);
    json_decref(place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_public_place_is_rounded),
        cmocka_unit_test(the_uncertainty_covers_the_cell),
        cmocka_unit_test(the_exact_place_opens_with_the_sites_key_alone),
        cmocka_unit_test(bad_keys_and_places_are_refused),
        cmocka_unit_test(degrees_are_read_as_written_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
