/* Half-precision vectors. */
#include <math.h>

#include "common/similar/half.h"
#include "tests/unit/test.h"

static void every_half_comes_back(void **state) {
    (void)state;
    for (uint32_t half = 0; half < 65536; half++) {
        float value = linnet_half_to_float((uint16_t)half);
        if (isnan(value))
            assert_true(isnan(linnet_half_to_float(linnet_half_from_float(value))));
        else
            assert_int_equal(linnet_half_from_float(value), half);
    }
}

static void halves_are_what_the_standard_says(void **state) {
    (void)state;
    assert_true(linnet_half_to_float(0x3c00) == 1.0F && linnet_half_to_float(0xc000) == -2.0F);
    assert_true(linnet_half_to_float(0x7bff) == 65504.0F && linnet_half_to_float(1) == 0x1p-24F);
    assert_int_equal(linnet_half_from_float(0.1F), 0x2e66);
    assert_int_equal(linnet_half_from_float(1e6F), 0x7c00);
    assert_int_equal(linnet_half_from_float(1 + 0x1p-11F), 0x3c00); /* ties go to even */
    assert_int_equal(linnet_half_from_float(1 + 3 * 0x1p-11F), 0x3c02);
    assert_int_equal(linnet_half_from_float(65520.0F), 0x7c00);
}

static void products_of_any_length_are_sums(void **state) {
    uint16_t a[100], b[100];
    float single[100];
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        single[i] = (float)(i % 7) - 3;
        a[i] = linnet_half_from_float(single[i]);
        b[i] = linnet_half_from_float((float)(i % 11) / 8);
    }
    for (size_t n = 0; n <= 100; n++) {
        float sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += linnet_half_to_float(a[i]) * linnet_half_to_float(b[i]);
        assert_true(fabsf(linnet_half_dot(a, b, n) - sum) < 1e-4F);
        assert_true(fabsf(linnet_half_dot_float(single, b, n) - sum) < 1e-4F);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(halves_are_what_the_standard_says),
        cmocka_unit_test(products_of_any_length_are_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
