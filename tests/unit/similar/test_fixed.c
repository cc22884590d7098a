#include "tests/unit/test.h"

#include <math.h>

#include "common/similar/fixed.h"

static void components_are_rounded_and_held_in(void **state) {
    (void)state;
    assert_int_equal(linnet_fixed(0), 0);
    assert_int_equal(linnet_fixed(1), 32767);
    assert_int_equal(linnet_fixed(-1), -32767);
    assert_int_equal(linnet_fixed(3), 32767);
    assert_int_equal(linnet_fixed(-INFINITY), -32767);
    assert_int_equal(linnet_fixed(10.4F / 32767), 10);
}

/* Of any length, with a rest or without: by the processor's own means as by hand. */
static void products_of_any_length_are_sums(void **state) {
    int16_t a[200], b[200];
    (void)state;
    for (int i = 0; i < 200; i++) {
        a[i] = (int16_t)((i * 7919) % 4001 - 2000);
        b[i] = (int16_t)((i * 104729) % 3001 - 1500);
    }
    for (size_t n = 0; n <= 200; n++) {
        int64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += a[i] * b[i];
        assert_true(linnet_fixed_dot(a, b, n) == (float)sum / (32767.0F * 32767.0F));
    }
}

static void a_vector_of_unit_length_is_near_itself(void **state) {
    int16_t all[4096], one[4096] = {32767};
    (void)state;
    for (int i = 0; i < 4096; i++)
        all[i] = linnet_fixed(1.0F / 64);
    assert_true(fabsf(1 - linnet_fixed_dot(all, all, 4096)) < 5e-4F);
    assert_true(linnet_fixed_dot(one, one, 4096) == 1);
    one[0] = -32767;
    assert_true(linnet_fixed_dot(one, one, 4096) == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_rounded_and_held_in),
        cmocka_unit_test(products_of_any_length_are_sums),
        cmocka_unit_test(a_vector_of_unit_length_is_near_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
