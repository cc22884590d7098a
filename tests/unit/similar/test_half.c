/* Half-precision vectors. */
#include <math.h>

#include "common/base/half.h"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(halves_are_what_the_standard_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
