/* Top-1, top-5, their means over species and the calibration error, against figures worked out by hand. */
#include <math.h>

#include "tests/unit/test.h"
#include "workers/cli/score.h"

static void close_to(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-12)) fail_msg("%.15g, not %.15g", got, expected);
}

static void nothing_counted_is_all_zero(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 0), 0);
    struct linnet_score_figures figures = linnet_score_figures(&score);
    assert_int_equal(figures.n, 0);
    close_to(figures.macro_top1, 0);
    close_to(figures.calibration_error, 0);
    linnet_score_done(&score);
}

/* A species with four pictures (three first, one third), one with a single picture (sixth), one with none. */
static void means_over_species_count_each_species_once(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 3), 0);
    for (int i = 0; i < 3; i++)
        linnet_score_add(&score, 0, 1, 0.5);
    linnet_score_add(&score, 0, 3, 0.5);
    linnet_score_add(&score, 2, 6, 0.5);
    struct linnet_score_figures figures = linnet_score_figures(&score);
    assert_int_equal(figures.n, 5);
    assert_int_equal(figures.classes, 2);
    close_to(figures.top1, 3.0 / 5);
    close_to(figures.top5, 4.0 / 5);
    close_to(figures.macro_top1, (3.0 / 4 + 0) / 2);
    close_to(figures.macro_top5, (1.0 + 0) / 2);
    close_to(figures.macro_top1_error, /* Agresti and Coull: two hits and two misses more */
             1.96 * sqrt(5.0 / 8 * 3 / 8 / 8 + 2.0 / 5 * 3 / 5 / 5) / 2);
    linnet_score_done(&score);
}

static void an_answer_that_is_not_among_them_is_never_right(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 1), 0);
    linnet_score_add(&score, 0, 0, 1);
    struct linnet_score_figures figures = linnet_score_figures(&score);
    close_to(figures.top1, 0);
    close_to(figures.top5, 0);
    close_to(figures.calibration_error, 1); /* sure of itself and wrong */
    linnet_score_done(&score);
}

/* Ten answers with 0.9, eight of them right; ten with 0.3, three of them right: errors of 0.1 and 0, halved.
 */
static void calibration_is_the_gap_between_confidence_and_hits(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 1), 0);
    for (int i = 0; i < 10; i++) {
        linnet_score_add(&score, 0, i < 8 ? 1 : 2, 0.9);
        linnet_score_add(&score, 0, i < 3 ? 1 : 2, 0.3);
    }
    close_to(linnet_score_figures(&score).calibration_error, 0.05);
    linnet_score_done(&score);
}

static void confidences_at_and_past_the_ends_have_a_bin(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 1), 0);
    linnet_score_add(&score, 0, 1, 0);
    linnet_score_add(&score, 0, 1, 1);
    linnet_score_add(&score, 0, 1, 1.0000001);
    linnet_score_add(&score, 0, 1, -1e-9);
    assert_int_equal(score.bins[0].n, 2);
    assert_int_equal(score.bins[LINNET_SCORE_BINS - 1].n, 2);
    linnet_score_done(&score);
}

static void the_json_says_the_same(void **state) {
    (void)state;
    struct linnet_score score;
    assert_int_equal(linnet_score_init(&score, 2), 0);
    linnet_score_add(&score, 0, 1, 0.75);
    linnet_score_add(&score, 1, 2, 0.75);
    json_t *json = linnet_score_json(&score);
    assert_int_equal(json_object_size(json), 8);
    assert_int_equal(json_integer_value(json_object_get(json, "n")), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "classes")), 2);
    close_to(json_real_value(json_object_get(json, "top1")), 0.5);
    close_to(json_real_value(json_object_get(json, "macro_top5")), 1);
    close_to(json_real_value(json_object_get(json, "calibration_error")), 0.25);
    json_decref(json);
    linnet_score_done(&score);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_counted_is_all_zero),
        cmocka_unit_test(means_over_species_count_each_species_once),
        cmocka_unit_test(an_answer_that_is_not_among_them_is_never_right),
        cmocka_unit_test(calibration_is_the_gap_between_confidence_and_hits),
        cmocka_unit_test(confidences_at_and_past_the_ends_have_a_bin),
        cmocka_unit_test(the_json_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
