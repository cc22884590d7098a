/* The methods for comparison, on crowds of which the answer is plain. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/consensus/random_crowd.h"
#include "tests/unit/test.h"

static struct linnet_consensus_result solve_by(const struct linnet_consensus_taxa *taxa,
                                               const struct small_crowd *small,
                                               enum linnet_consensus_method method) {
    struct linnet_consensus_rules rules;
    linnet_consensus_rules_init(&rules);
    rules.method = method;
    rules.threads = 1;
    return solved(taxa, &rules, &small->crowd);
}

/* 0: a a b -> a has two thirds of three. 1: a b -> tied, first voted b. 2: a alone. 3: a a b b c -> a, 2 / 5.
 * 4: nobody. */
static const struct cast few[] = {{0, 0, 0, true, 0},  {0, 1, 0, false, 0}, {0, 2, 1, false, 0},
                                  {1, 2, 1, true, 0},  {1, 0, 0, false, 0}, {2, 0, 0, true, 0},
                                  {3, 0, 0, true, 0},  {3, 1, 0, false, 0}, {3, 2, 1, false, 0},
                                  {3, 3, 1, false, 0}, {3, 4, 2, false, 0}};

static void majority_takes_the_most_and_the_first_of_tied(void **state) {
    static const uint32_t labels[] = {0, 1, 0, 0, LINNET_NO_LABEL};
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 3);
    CROWD(&small, few, 5, 5);
    struct linnet_consensus_result result = solve_by(&taxa, &small, LINNET_METHOD_MAJORITY);
    for (int i = 0; i < 5; i++)
        assert_int_equal(result.verdicts[i].label, labels[i]);
    assert_true(result.verdicts[3].confidence == 2 && result.verdicts[3].accuracy == 0.4);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

static void two_thirds_of_two_votes_are_wanted(void **state) {
    static const uint32_t labels[] = {0, LINNET_NO_LABEL, LINNET_NO_LABEL, LINNET_NO_LABEL, LINNET_NO_LABEL};
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 3);
    CROWD(&small, few, 5, 5);
    struct linnet_consensus_result result = solve_by(&taxa, &small, LINNET_METHOD_TWOTHIRD);
    for (int i = 0; i < 5; i++)
        assert_int_equal(result.verdicts[i].label, labels[i]);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

/* Majority: 0 a, 1 b, 2 a, 3 a. Agreement: user 0 (a, a, a, a): 3 of 4; 1 (a, a): 2 of 2; 2 (b, b, b): 1 of
 * 3; 3 (b): 0 of 1; 4 (c): 0. Then 1 is b 1/3 against a 3/4: a. */
static void wawa_weighs_by_agreement_with_the_majority(void **state) {
    static const double weight[] = {0.75, 1, 1.0 / 3, 0, 0};
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 3);
    CROWD(&small, few, 5, 5);
    struct linnet_consensus_result result = solve_by(&taxa, &small, LINNET_METHOD_WAWA);
    for (int u = 0; u < 5; u++)
        assert_true(result.weight[u] > weight[u] - 1e-9 && result.weight[u] < weight[u] + 1e-9);
    assert_int_equal(result.verdicts[1].label, 0);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

enum { PLANTS = 600, GOOD = 3, POOR = 4, CLASSES = 4 };

/* Three users who are right 19 times in 20, and four who mostly guess. */
static void draw_outvoted(struct small_crowd *small, uint32_t truth[PLANTS]) {
    static struct cast casts[PLANTS * (GOOD + POOR)];
    uint64_t seed = 1;
    uint32_t n = 0;
    for (uint32_t i = 0; i < PLANTS; i++) {
        truth[i] = draw_below(&seed, CLASSES);
        for (uint32_t u = 0; u < GOOD + POOR; u++) {
            bool good = u < GOOD;
            uint32_t said = good ? (draw_below(&seed, 20) ? truth[i] : draw_below(&seed, CLASSES))
                                 : (draw_below(&seed, 100) < 85 ? draw_below(&seed, CLASSES) : truth[i]);
            casts[n++] = (struct cast){i, u, said, u == 0, 0};
        }
    }
    crowd_of(small, casts, n, PLANTS, GOOD + POOR);
}

static uint32_t right(const struct linnet_consensus_result *result, const uint32_t truth[PLANTS]) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < PLANTS; i++)
        n += result->verdicts[i].label == truth[i];
    return n;
}

static void learners_find_out_who_is_good(void **state) {
    static const enum linnet_consensus_method learners[] = {LINNET_METHOD_DAWID_SKENE, LINNET_METHOD_GLAD};
    uint32_t truth[PLANTS];
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, CLASSES);
    draw_outvoted(&small, truth);
    struct linnet_consensus_result result = solve_by(&taxa, &small, LINNET_METHOD_MAJORITY);
    uint32_t by_majority = right(&result, truth);
    linnet_consensus_result_done(&result);
    for (size_t m = 0; m < 2; m++) {
        result = solve_by(&taxa, &small, learners[m]);
        assert_true(result.report.converged);
        if (right(&result, truth) <= by_majority)
            fail_msg("%u right, %u by majority", right(&result, truth), by_majority);
        for (uint32_t good = 0; good < GOOD; good++)
            for (uint32_t poor = GOOD; poor < GOOD + POOR; poor++)
                assert_true(result.weight[good] > result.weight[poor]);
        for (uint32_t i = 0; i < PLANTS; i++)
            assert_true(result.verdicts[i].accuracy >= 0 && result.verdicts[i].accuracy <= 1 + 1e-12);
        linnet_consensus_result_done(&result);
    }
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

/* Two users who mix up two classes for each other, always: their confusion is as good as an answer. Majority
 * takes them at their word; Dawid and Skene do not, since a third user, who is right, tells the two apart. */
static void dawid_and_skene_read_a_confusion_backwards(void **state) {
    enum { N = 200 };
    static struct cast casts[N * 5];
    uint32_t n = 0, won = 0;
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        uint32_t truth = i % 2;
        for (uint32_t u = 0; u < (i % 4 == 3 ? 4 : 5);
             u++) /* on every fourth one of the three good ones is missing */
            casts[n++] = (struct cast){i, u, u < 2 ? 1 - truth : truth, u == 0, 0};
    }
    species_only(&taxa, 2);
    crowd_of(&small, casts, n, N, 5);
    struct linnet_consensus_result result = solve_by(&taxa, &small, LINNET_METHOD_DAWID_SKENE);
    for (uint32_t i = 0; i < N; i++)
        won += result.verdicts[i].label == i % 2;
    assert_int_equal(won, N);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(majority_takes_the_most_and_the_first_of_tied),
        cmocka_unit_test(two_thirds_of_two_votes_are_wanted),
        cmocka_unit_test(wawa_weighs_by_agreement_with_the_majority),
        cmocka_unit_test(learners_find_out_who_is_good),
        cmocka_unit_test(dawid_and_skene_read_a_confusion_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
