/* What must hold for every crowd, tried on crowds drawn from seeds. */
#include <stdlib.h>
#include <string.h>

#include "common/consensus/skill.h"
#include "tests/unit/consensus/naive.h"
#include "tests/unit/consensus/random_crowd.h"
#include "tests/unit/test.h"

static struct linnet_consensus_rules rules_of(enum linnet_consensus_method method) {
    struct linnet_consensus_rules rules;
    linnet_consensus_rules_init(&rules);
    rules.method = method;
    rules.threads = 1;
    return rules;
}

static void same_verdict(const struct linnet_verdict *a, const struct linnet_verdict *b) {
    assert_int_equal(a->label, b->label);
    assert_int_equal(a->valid, b->valid);
    assert_int_equal(a->withdrawn, b->withdrawn);
    assert_int_equal(a->granted, b->granted);
    assert_true(a->confidence == b->confidence && a->accuracy == b->accuracy);
}

static void equal_to_naive(const struct linnet_consensus_result *result, const struct naive *naive) {
    assert_int_equal(result->report.rounds, naive->rounds);
    assert_int_equal(result->report.converged, naive->converged);
    for (uint32_t i = 0; i < result->observations; i++) {
        assert_int_equal(result->verdicts[i].label, naive->label[i]);
        assert_int_equal(result->verdicts[i].valid, naive->valid[i]);
        assert_true(result->verdicts[i].confidence == naive->confidence[i]);
        assert_true(result->verdicts[i].accuracy == naive->accuracy[i]);
    }
    for (uint32_t u = 0; u < result->users; u++) {
        assert_int_equal(result->skills[u].n_author, naive->n_author[u]);
        assert_int_equal(result->skills[u].n_vote, naive->n_vote[u]);
        assert_int_equal(result->skills[u].n, naive->n[u]);
        assert_true(result->weight[u] == naive->weight[u]);
    }
}

static void ten_thousand_crowds_are_solved_as_a_naive_program_does(void **state) {
    uint64_t seed = 20260503;
    struct linnet_consensus_taxa taxa;
    struct naive *naive = malloc(sizeof *naive);
    (void)state;
    species_only(&taxa, NAIVE_MOST);
    for (int round = 0; round < 10000; round++) {
        struct small_crowd small;
        uint32_t species;
        struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
        rules.credit_valid_only = round % 3 == 0;
        random_crowd(&small, &seed, round % 10 == 0 ? 24 : 10, &species);
        struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
        naive_solve(&small.crowd, species, rules.credit_valid_only, rules.rounds_max, naive);
        equal_to_naive(&result, naive);
        linnet_consensus_result_done(&result);
        small_crowd_done(&small);
    }
    free(naive);
    linnet_consensus_taxa_done(&taxa);
}

/* A crowd, found by search, that has two states and goes from one to the other for ever. */
static void a_crowd_that_does_not_settle_is_reported(void **state) {
    uint64_t seed = UINT64_C(1871489565996722181);
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    uint32_t species;
    (void)state;
    species_only(&taxa, NAIVE_MOST);
    random_crowd(&small, &seed, 24, &species);
    struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
    assert_false(result.report.converged);
    assert_int_equal(result.report.rounds, 100);
    assert_true(result.report.labels_changed + result.report.weights_changed > 0);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

/* The same crowd with its observations in another order and its users under other numbers. */
static void renumber(const struct small_crowd *small, uint64_t *seed, struct small_crowd *other,
                     uint32_t *observation, uint32_t *user) {
    const struct linnet_crowd *crowd = &small->crowd;
    uint32_t n = crowd->observations, at = 0;
    struct cast *casts = malloc(((size_t)crowd->start[n] + 1) * sizeof *casts);
    for (uint32_t i = 0; i < n; i++)
        observation[i] = i;
    for (uint32_t u = 0; u < crowd->users; u++)
        user[u] = (u * 7 + 3) % crowd->users;
    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t with = i + draw_below(seed, n - i), kept = observation[i];
        observation[i] = observation[with];
        observation[with] = kept;
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t v = crowd->start[observation[i]]; v < crowd->start[observation[i] + 1]; v++)
            casts[at++] = (struct cast){i, user[crowd->votes[v].user], crowd->votes[v].label,
                                        crowd->votes[v].author, 0};
    crowd_of(other, casts, at, n, crowd->users);
    free(casts);
}

static void the_order_of_observations_and_users_bears_on_nothing(void **state) {
    uint64_t seed = 7;
    struct linnet_consensus_taxa taxa;
    (void)state;
    species_only(&taxa, NAIVE_MOST);
    for (int round = 0; round < 500; round++) {
        struct linnet_consensus_rules rules =
            rules_of(round % 2 ? LINNET_METHOD_PLANTNET : LINNET_METHOD_WAWA);
        struct small_crowd small, other;
        uint32_t species, observation[NAIVE_MOST], user[NAIVE_MOST];
        do {
            random_crowd(&small, &seed, 24, &species);
            if (small.crowd.users % 7 != 0)
                break; /* 7 and the number of users share no divisor: a permutation */
            small_crowd_done(&small);
        } while (true);
        renumber(&small, &seed, &other, observation, user);
        struct linnet_consensus_result one = solved(&taxa, &rules, &small.crowd),
                                       two = solved(&taxa, &rules, &other.crowd);
        for (uint32_t i = 0; i < one.observations; i++)
            same_verdict(&two.verdicts[i], &one.verdicts[observation[i]]);
        for (uint32_t u = 0; u < one.users; u++)
            assert_true(one.weight[u] == two.weight[user[u]]);
        linnet_consensus_result_done(&one);
        linnet_consensus_result_done(&two);
        small_crowd_done(&small);
        small_crowd_done(&other);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* 60,000 observations, so that there are pieces for every thread. */
static void the_number_of_threads_bears_on_nothing(void **state) {
    enum { OBSERVATIONS = 60000, USERS = 20000, SPECIES = 300 };
    uint64_t seed = 11;
    struct cast *casts = malloc(3 * OBSERVATIONS * sizeof *casts);
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    for (uint32_t i = 0; i < 3 * OBSERVATIONS; i++) {
        uint32_t user = draw_below(&seed, draw_below(&seed, USERS) + 1), truth = i / 3 % SPECIES;
        casts[i] = (struct cast){i / 3, user, draw_below(&seed, 3) ? truth : draw_below(&seed, SPECIES),
                                 i % 3 == 0, 0};
    }
    species_only(&taxa, SPECIES);
    crowd_of(&small, casts, 3 * OBSERVATIONS, OBSERVATIONS, USERS);
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_LINNET);
    struct linnet_consensus_result one = solved(&taxa, &rules, &small.crowd);
    for (rules.threads = 2; rules.threads <= 8; rules.threads += 3) {
        struct linnet_consensus_result more = solved(&taxa, &rules, &small.crowd);
        assert_int_equal(more.report.rounds, one.report.rounds);
        for (uint32_t i = 0; i < OBSERVATIONS; i++)
            same_verdict(&more.verdicts[i], &one.verdicts[i]);
        assert_memory_equal(more.weight, one.weight, USERS * sizeof *one.weight);
        linnet_consensus_result_done(&more);
    }
    assert_true(one.report.rounds > 2 && one.report.valid > OBSERVATIONS / 3);
    linnet_consensus_result_done(&one);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
    free(casts);
}

/* Votes over the flora of the fixture, explicit disagreements among them; weights drawn too. */
static uint32_t random_ballot(uint64_t *seed, struct linnet_vote votes[8], double weight[8]) {
    static const uint32_t labels[] = {ROBUR, ROBUR,  ROBUR,       PETRAEA,    SYLVATICA,
                                      GENUS, FAMILY, OTHER_GENUS, PEDUNCULATA};
    uint32_t n = 1 + draw_below(seed, 7);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t label = labels[draw_below(seed, sizeof labels / sizeof *labels)];
        bool disagrees = label == GENUS && draw_below(seed, 3) == 0;
        votes[i] = (struct linnet_vote){i, label, disagrees ? ROBUR : LINNET_NO_LABEL, false};
        weight[i] = linnet_consensus_exact(0.7419 + draw_below(seed, 4) * 0.5);
    }
    weight[n] = linnet_consensus_exact(0.7419);
    return n;
}

/* Through weights it need not be so: the added vote may raise an opponent's weight elsewhere. */
static void an_agreeing_vote_never_harms_while_weights_are_fixed(void **state) {
    static const enum linnet_consensus_method methods[] = {LINNET_METHOD_PLANTNET, LINNET_METHOD_COMMUNITY,
                                                           LINNET_METHOD_LINNET};
    struct linnet_consensus_taxa taxa;
    uint64_t seed = 3;
    uint32_t labelled = 0;
    (void)state;
    flora_init(&taxa);
    for (int round = 0; round < 30000; round++) {
        struct linnet_consensus_rules rules = rules_of(methods[round % 3]);
        struct linnet_vote votes[9];
        double weight[9];
        if (round % 2) rules.classes = LINNET_CLASSES_SPECIES;
        uint32_t n = random_ballot(&seed, votes, weight);
        struct linnet_ballot ballot = {votes, n, weight, NULL};
        struct linnet_verdict before = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
        if (before.label == LINNET_NO_LABEL) continue;
        labelled++;
        votes[n] = (struct linnet_vote){n, before.label, LINNET_NO_LABEL, false};
        ballot.nvotes++;
        struct linnet_verdict after = linnet_verdict_of(&taxa, &rules, &ballot, before.label);
        /* With weights a label that was not valid may give way to one above it that has become so. */
        bool risen = rules.method == LINNET_METHOD_LINNET && !before.valid && after.valid &&
                     linnet_consensus_is_within(&taxa, before.label, after.label);
        assert_true(after.label == before.label || risen);
        assert_true(after.confidence > before.confidence);
        assert_true(after.accuracy >= before.accuracy || risen);
        assert_true(after.valid || !before.valid);
    }
    assert_true(labelled > 20000);
    linnet_consensus_taxa_done(&taxa);
}

/* What the plugin does one observation and one user at a time is what the solver says of them. */
static void parts_agree_with_the_whole(void **state) {
    struct linnet_consensus_taxa taxa;
    uint64_t seed = 5;
    (void)state;
    species_only(&taxa, NAIVE_MOST);
    for (int round = 0; round < 1000; round++) {
        struct linnet_consensus_rules rules =
            rules_of(round % 2 ? LINNET_METHOD_PLANTNET : LINNET_METHOD_LINNET);
        struct linnet_consensus_rules by_votes = rules;
        struct linnet_earned earned[NAIVE_MOST][NAIVE_MOST];
        uint32_t species, count[NAIVE_MOST] = {0};
        struct small_crowd small;
        by_votes.method = LINNET_METHOD_PLANTNET;
        by_votes.classes = linnet_consensus_classes(&rules);
        random_crowd(&small, &seed, 24, &species);
        struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
        for (uint32_t i = 0; i < result.observations; i++) {
            uint32_t from = small.start[i], to = small.start[i + 1];
            struct linnet_ballot ballot = {small.votes + from, to - from, result.weight, NULL};
            struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, result.species[i]);
            same_verdict(&verdict, &result.verdicts[i]);
            verdict = linnet_verdict_plantnet(&taxa, &by_votes, &ballot, result.species[i]);
            assert_int_equal(verdict.label, result.species[i]);
            for (uint32_t v = from; v < to; v++) {
                uint32_t user = small.votes[v].user;
                enum linnet_credit credit = linnet_vote_credit(&taxa, &by_votes, &small.votes[v], &verdict);
                earned[user][count[user]++] = (struct linnet_earned){small.votes[v].label, credit};
            }
        }
        for (uint32_t u = 0; result.report.converged && u < result.users; u++) {
            struct linnet_skill skill = linnet_skill_of(&rules, earned[u], count[u]);
            assert_int_equal(skill.n_author, result.skills[u].n_author);
            assert_int_equal(skill.n_vote, result.skills[u].n_vote);
            assert_int_equal(skill.n, result.skills[u].n);
            assert_true(skill.weight == result.weight[u]);
        }
        linnet_consensus_result_done(&result);
        small_crowd_done(&small);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* More labels than are summed in one pass: 40 of them, the 37th twice. */
static void an_observation_may_have_any_number_of_labels(void **state) {
    struct linnet_vote votes[41];
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    (void)state;
    for (uint32_t i = 0; i < 41; i++)
        votes[i] = (struct linnet_vote){i, i == 40 ? 36 : i, LINNET_NO_LABEL, false};
    struct linnet_ballot ballot = {votes, 41, NULL, NULL};
    species_only(&taxa, 40);
    struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
    assert_int_equal(verdict.label, 36);
    assert_true(verdict.confidence == 2 && verdict.accuracy == 2.0 / 41);
    ballot.nvotes = 40; /* all tied: the first, unless one is present */
    assert_int_equal(linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL).label, 0);
    assert_int_equal(linnet_verdict_of(&taxa, &rules, &ballot, 38).label, 38);
    linnet_consensus_taxa_done(&taxa);
}

static void a_vote_by_nobody_is_refused(void **state) {
    static const struct cast casts[] = {{0, 2, 0, true, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct linnet_consensus_result result;
    struct small_crowd small;
    struct linnet_error err = {0};
    (void)state;
    species_only(&taxa, 1);
    CROWD(&small, casts, 1, 2);
    assert_int_equal(linnet_consensus_solve(&taxa, &rules, &small.crowd, NULL, NULL, &result, &err),
                     LINNET_E_INVALID);
    assert_non_null(strstr(err.detail, "no user 2"));
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_crowds_are_solved_as_a_naive_program_does),
        cmocka_unit_test(a_crowd_that_does_not_settle_is_reported),
        cmocka_unit_test(the_order_of_observations_and_users_bears_on_nothing),
        cmocka_unit_test(the_number_of_threads_bears_on_nothing),
        cmocka_unit_test(an_agreeing_vote_never_harms_while_weights_are_fixed),
        cmocka_unit_test(parts_agree_with_the_whole),
        cmocka_unit_test(an_observation_may_have_any_number_of_labels),
        cmocka_unit_test(a_vote_by_nobody_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
