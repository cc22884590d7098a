/* Conformal sets on 10,000 + 10,000 made-up observations: they hold the truth as often as they say. */
#include <stdlib.h>

#include "common/calibration/conformal.h"
#include "tests/unit/calibration/made_up.h"
#include "tests/unit/test.h"

enum { CLASSES = 200, OBSERVATIONS = 10000 };

struct made_up {
    float p[OBSERVATIONS][CLASSES];
    uint32_t truth[OBSERVATIONS];
};
static struct made_up old, new;
static double weights[CLASSES];

/* A network that knows common species better, and leans towards them. `blur`: how bad the pictures are. */
static void observe(struct made_up *out, uint64_t seed, double blur) {
    uint64_t state = seed;
    for (size_t i = 0; i < OBSERVATIONS; i++) {
        double logits[CLASSES], sum = 0, difficulty = blur * (0.5 + made_up_uniform(&state));
        out->truth[i] = made_up_class(&state, CLASSES);
        for (uint32_t k = 0; k < CLASSES; k++) {
            logits[k] = difficulty * made_up_normal(&state) - 0.5 * log(k + 1.0);
            if (k == out->truth[i]) logits[k] += 4;
            sum += exp(logits[k]);
        }
        for (uint32_t k = 0; k < CLASSES; k++)
            out->p[i][k] = (float)(exp(logits[k]) / sum);
    }
}

static int setup(void **state) {
    (void)state;
    uint32_t counts[CLASSES] = {0};
    uint64_t random = 99;
    for (size_t i = 0; i < OBSERVATIONS; i++)
        counts[made_up_class(&random, CLASSES)]++;
    linnet_prevalence(counts, CLASSES, weights);
    observe(&old, 1, 1);
    observe(&new, 2, 1);
    return 0;
}

static double threshold(enum linnet_conformal kind, double coverage) {
    static double conformities[OBSERVATIONS];
    for (size_t i = 0; i < OBSERVATIONS; i++)
        conformities[i] = linnet_conformity(kind, (double)old.p[i][old.truth[i]], weights[old.truth[i]]);
    return linnet_conformal_threshold(conformities, OBSERVATIONS, coverage);
}

static struct linnet_coverage_figures measure(const struct made_up *on, enum linnet_conformal kind,
                                              double least) {
    struct linnet_coverage_class by_class[CLASSES] = {{0}};
    struct linnet_coverage coverage = {.classes = CLASSES, .by_class = by_class};
    struct linnet_coverage_figures figures;
    for (size_t i = 0; i < OBSERVATIONS; i++) {
        size_t size = 0;
        bool held = false;
        for (uint32_t k = 0; k < CLASSES; k++) {
            if (linnet_conformity(kind, (double)on->p[i][k], weights[k]) < least) continue;
            size++;
            held |= k == on->truth[i];
        }
        linnet_coverage_add(&coverage, on->truth[i], held, size);
    }
    assert_int_equal(linnet_coverage_figures(&coverage, weights, &figures), 0);
    return figures;
}

static void sets_hold_the_truth_as_often_as_they_say(void **state) {
    (void)state;
    static const double asked[] = {0.5, 0.8, 0.9, 0.95, 0.99};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        for (int kind = 0; kind < LINNET_CONFORMALS; kind++) {
            struct linnet_coverage_figures got =
                measure(&new, (enum linnet_conformal)kind, threshold((enum linnet_conformal)kind, asked[i]));
            print_message("%-8s asked %.2f: held %.4f, %.2f species, macro %.4f, rare %.4f\n",
                          linnet_conformal_name((enum linnet_conformal)kind), asked[i], got.held,
                          got.mean_size, got.macro, got.rare);
            assert_true(fabs(got.held - asked[i]) < 0.01);
            assert_int_equal(got.n, OBSERVATIONS);
        }
    }
}

static void balanced_sets_hold_rare_species_more_often(void **state) {
    (void)state;
    struct linnet_coverage_figures plain = measure(&new, LINNET_CONFORMAL_PLAIN,
                                                   threshold(LINNET_CONFORMAL_PLAIN, 0.9)),
                                   balanced = measure(&new, LINNET_CONFORMAL_BALANCED,
                                                      threshold(LINNET_CONFORMAL_BALANCED, 0.9));
    assert_true(balanced.macro > plain.macro + 0.02);
    assert_true(balanced.rare > plain.rare + 0.02);
    assert_true(plain.mean_size < balanced.mean_size);
}

/* Not promised, and not so: it is here so that nobody thinks that it is. */
static void under_shift_nothing_is_promised(void **state) {
    (void)state;
    static struct made_up shifted;
    observe(&shifted, 3, 2);
    struct linnet_coverage_figures got =
        measure(&shifted, LINNET_CONFORMAL_PLAIN, threshold(LINNET_CONFORMAL_PLAIN, 0.9));
    print_message("blurred: asked 0.90, held %.4f\n", got.held);
    assert_true(got.held < 0.88);
}

static void the_threshold_is_the_right_one_of_few(void **state) {
    (void)state;
    double nine[] = {9, 1, 8, 2, 7, 3, 6, 4, 5};
    assert_true(linnet_conformal_threshold(nine, 9, 0.9) == 1); /* (9 + 1) 0.1: the least of them */
    assert_true(linnet_conformal_threshold(nine, 9, 0.5) == 5);
    assert_true(linnet_conformal_threshold(nine, 8, 0.9) == 0); /* too few: everything belongs */
    assert_true(linnet_conformal_threshold(NULL, 0, 0.9) == 0);
    double all[LINNET_CONFORMAL_LEVELS];
    linnet_conformal_thresholds(nine, 9, all);
    assert_true(all[0] == 5 && all[40] == 1 && all[41] == 0);
}

static void levels_never_promise_less_than_was_asked(void **state) {
    (void)state;
    size_t level;
    assert_true(linnet_conformal_level(0.9, &level) && level == 40);
    assert_true(linnet_conformal_level(0.901, &level) && level == 41);
    assert_true(linnet_conformal_level(0.5, &level) && level == 0);
    assert_true(linnet_conformal_level(0.99, &level) && level == 49);
    assert_false(linnet_conformal_level(0.995, &level));
    assert_false(linnet_conformal_level(0.4, &level));
    assert_false(linnet_conformal_level(NAN, &level));
}

static void no_weight_is_nothing(void **state) {
    (void)state;
    uint32_t counts[] = {0, 3, 0};
    double out[3];
    linnet_prevalence(counts, 3, out);
    assert_true(fabs(out[0] - 1.0 / 6) < 1e-12 && fabs(out[1] - 4.0 / 6) < 1e-12);
    assert_true(linnet_conformity(LINNET_CONFORMAL_BALANCED, 0.5, 0.1) == 5);
    assert_true(linnet_conformity(LINNET_CONFORMAL_PLAIN, 0.5, 0.1) == 0.5);
    assert_true(linnet_conformity(LINNET_CONFORMAL_BALANCED, NAN, 0.1) == 0);
    assert_int_equal(linnet_conformal_parse("balanced"), LINNET_CONFORMAL_BALANCED);
    assert_int_equal(linnet_conformal_parse("other"), LINNET_CONFORMALS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_hold_the_truth_as_often_as_they_say),
        cmocka_unit_test(balanced_sets_hold_rare_species_more_often),
        cmocka_unit_test(under_shift_nothing_is_promised),
        cmocka_unit_test(the_threshold_is_the_right_one_of_few),
        cmocka_unit_test(levels_never_promise_less_than_was_asked),
        cmocka_unit_test(no_weight_is_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
