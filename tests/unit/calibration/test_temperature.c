/* Temperature scaling on answers whose temperature is known. */
#include <stdlib.h>

#include "common/calibration/temperature.h"
#include "tests/unit/calibration/made_up.h"
#include "tests/unit/test.h"

enum { CLASSES = 60, ANSWERS = 6000 };

static double listed[ANSWERS][CLASSES];
static struct linnet_answer answers[ANSWERS];

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Truths are drawn by a distribution; what is told of it is its power `sharpness`, so that a temperature of
 * `sharpness` makes it true again. Of the classes `keep` are listed. */
static void make(double sharpness, size_t keep) {
    uint64_t state = 7;
    for (size_t i = 0; i < ANSWERS; i++) {
        double sum = 0, told = 0, *p = listed[i];
        for (size_t k = 0; k < CLASSES; k++)
            sum += p[k] = exp(2.5 * made_up_normal(&state));
        qsort(p, CLASSES, sizeof *p, descending);
        double at = made_up_uniform(&state) * sum;
        size_t truth = 0;
        while (truth + 1 < CLASSES && (at -= p[truth]) >= 0)
            truth++;
        for (size_t k = 0; k < CLASSES; k++)
            told += p[k] = pow(p[k] / sum, sharpness);
        for (size_t k = 0; k < CLASSES; k++)
            p[k] /= told;
        answers[i] =
            (struct linnet_answer){p, keep, (uint32_t)(CLASSES - keep), truth < keep ? (long)truth : -1};
    }
}

static void a_known_temperature_is_found_again(void **state) {
    (void)state;
    static const double sharpness[] = {0.5, 1, 2, 4};
    for (size_t i = 0; i < sizeof sharpness / sizeof *sharpness; i++) {
        make(sharpness[i], CLASSES);
        double found = linnet_temperature_fit(answers, ANSWERS);
        assert_true(fabs(found / sharpness[i] - 1) < 0.04);
        double before = linnet_calibration_error(answers, ANSWERS, 1, 15),
               after = linnet_calibration_error(answers, ANSWERS, found, 15);
        print_message("sharpness %.1f: temperature %.3f, error %.4f, then %.4f\n", sharpness[i], found,
                      before, after);
        assert_true(after < 0.02);
        if (sharpness[i] > 1) assert_true(before > 0.1);
    }
}

static void a_list_of_the_best_is_nearly_as_good_as_all(void **state) {
    (void)state;
    make(2, CLASSES);
    double all = linnet_temperature_fit(answers, ANSWERS);
    make(2, 20);
    double some = linnet_temperature_fit(answers, ANSWERS);
    assert_true(fabs(some / all - 1) < 0.05);
}

static void a_temperature_of_one_changes_nothing(void **state) {
    (void)state;
    make(2, CLASSES);
    for (size_t i = 0; i < 100; i++) {
        struct linnet_tempered one = linnet_temper(&answers[i], 1);
        assert_true(fabs(one.first - answers[i].listed[0]) < 1e-9);
        assert_true(fabs(one.truth - answers[i].listed[answers[i].truth]) < 1e-9);
    }
}

static void nothing_and_impossible_answers_do_no_harm(void **state) {
    (void)state;
    static const double sure[] = {1, 0};
    struct linnet_answer wrong[] = {{sure, 2, 0, 1}, {sure, 2, 5, -1}, {sure, 0, 3, -1}};
    assert_true(linnet_temperature_fit(NULL, 0) == 1);
    assert_true(linnet_calibration_error(NULL, 0, 1, 15) == 0);
    double found = linnet_temperature_fit(wrong, 3);
    assert_true(found > 10 && found <= LINNET_TEMPERATURE_MOST);
    assert_true(isfinite(linnet_calibration_error(wrong, 3, found, 15)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_temperature_is_found_again),
        cmocka_unit_test(a_list_of_the_best_is_nearly_as_good_as_all),
        cmocka_unit_test(a_temperature_of_one_changes_nothing),
        cmocka_unit_test(nothing_and_impossible_answers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
