/* The stage's real work, tested without a host. */
#include <math.h>
#include <stdio.h>

#include "measure.h"

static int failures;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (condition) break;                                                                                \
        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                        \
        failures++;                                                                                          \
    } while (0)

enum { SIDE = 32 };

static void a_flat_picture_is_not_sharp(void) {
    unsigned char pixels[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = 51;
    struct measure flat = measure_grey(pixels, SIDE, SIDE);
    CHECK(flat.sharpness == 0 && flat.contrast == 0);
    CHECK(fabs(flat.brightness - 0.2) < 1e-12);
}

static void a_slope_is_not_sharp_either(void) {
    unsigned char pixels[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (unsigned char)(i % SIDE * 4);
    struct measure slope = measure_grey(pixels, SIDE, SIDE);
    CHECK(slope.sharpness == 0); /* the second derivative of a slope */
    CHECK(slope.contrast > 0.1);
}

static void an_edge_is_sharper_than_its_blurred_self(void) {
    unsigned char sharp[SIDE * SIDE], blurred[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = i % SIDE;
        sharp[i] = x < SIDE / 2 ? 40 : 200;
        blurred[i] = (unsigned char)(x < 12 ? 40 : x >= 20 ? 200 : 40 + (x - 11) * 160 / 9);
    }
    CHECK(measure_grey(sharp, SIDE, SIDE).sharpness > 5 * measure_grey(blurred, SIDE, SIDE).sharpness);
}

static void a_known_picture_has_the_known_value(void) {
    const unsigned char dot[9] = {0, 0, 0, 0, 255, 0, 0, 0, 0};
    CHECK(measure_grey(dot, 3, 3).sharpness == 0); /* a single value has no variance */
    const unsigned char two[12] = {0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0};
    CHECK(fabs(measure_grey(two, 4, 3).sharpness - 625) < 1e-9); /* of 40 and -10 */
}

static void a_picture_too_small_is_no_fault(void) {
    const unsigned char pixel[1] = {7};
    CHECK(measure_grey(pixel, 1, 1).sharpness == 0);
    CHECK(measure_grey(pixel, 0, 0).brightness == 0);
}

int main(void) {
    a_flat_picture_is_not_sharp();
    a_slope_is_not_sharp_either();
    an_edge_is_sharper_than_its_blurred_self();
    a_known_picture_has_the_known_value();
    a_picture_too_small_is_no_fault();
    return failures != 0;
}
