/* Examples worked out on paper, step by step in the comments, from the definitions alone.
 *
 * Weights used throughout, f(n) = n^0.5 - n^0.2 + ln 2.1 with ln 2.1 = 0.7419:
 *   f(0) = f(1) = 0.7419;  f(2) = 1.4142 - 1.1487 + 0.7419 = 1.0075;  f(7) = 2.6458 - 1.4758 + 0.7419
 * = 1.9119; f(8) = 2.8284 - 1.5157 + 0.7419 = 2.0546 */
#include <math.h>
#include <stdlib.h>

#include "common/consensus/skill.h"
#include "tests/unit/consensus/fixture.h"
#include "tests/unit/test.h"

#define NEWCOMER 0.7419
#define F2       1.0075
#define F7       1.9119
#define F8       2.0546

static void near(double figure, double wanted) {
    if (fabs(figure - wanted) >= 0.0002) fail_msg("%.6f is not %.4f", figure, wanted);
}

static struct linnet_consensus_rules rules_of(enum linnet_consensus_method method) {
    struct linnet_consensus_rules rules;
    linnet_consensus_rules_init(&rules);
    rules.method = method;
    return rules;
}

/* ---- 1. Pl@ntNet ---- */

static void weights_are_those_of_the_paper(void **state) {
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    (void)state;
    near(linnet_consensus_weight(&rules, 0), NEWCOMER);
    near(linnet_consensus_weight(&rules, 1), NEWCOMER);
    near(linnet_consensus_weight(&rules, 2), F2);
    near(linnet_consensus_weight(&rules, 7), F7);
    near(linnet_consensus_weight(&rules, 8), F8);
    assert_true(linnet_consensus_weight(&rules, 7) < rules.confidence_min);
    assert_true(linnet_consensus_weight(&rules, 8) >= rules.confidence_min);
}

/* n = Round(n_author + n_vote / 10), half to even: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 3.5 -> 4, 1 + 0.5 -> 2, 2 +
 * 0.5 -> 2, 0.6 -> 1 */
static void counts_round_half_to_even(void **state) {
    static const uint32_t table[][3] = {{0, 5, 0}, {0, 15, 2}, {0, 25, 2}, {0, 35, 4},
                                        {1, 5, 2}, {2, 5, 2},  {0, 6, 1},  {0, 4, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(linnet_consensus_count(&rules, table[i][0], table[i][1]), table[i][2]);
}

/* Three users, four species a b c d (0 to 3). E makes observations 0 and 1, P makes 2.
 *
 *   0: E (author) a, P a, Q a     1: E (author) b, P b, Q b     2: P (author) d, E c
 *
 * Start: majority gives a, b, and on 2 a tie of one vote each: d, voted first. All weights 0.7419.
 * Round 1. conf_0(a) = 3 * 0.7419 = 2.2258, acc 1: valid; so is 1. conf_2(d) = 0.7419, acc 0.5: not valid.
 *   E: a and b right on own valid observations: n_author 2; c on 2 is wrong. n = 2, w = f(2) = 1.0075.
 *   P: a and b right on E's: n_vote 2; d is right, but on an own observation that is not valid: nothing. n =
 * Round(0.2) = 0, 0.7419. Q: n_vote 2, n = 0, 0.7419. Labels: on 2 c has 1.0075, d 0.7419: c. One weight and
 * one label changed. Round 2. E: c is right now on P's: n_author 2, n_vote 1, n = Round(2.1) = 2. P: d is
 * wrong. No weight changes; no label does. Settled. Figures with the last weights: conf_0 = 1.0075 + 2 *
 * 0.7419 = 2.4913, acc 1; conf_2(c) = 1.0075, acc = 1.0075 / 1.7494 = 0.5759. */
static void an_expert_turns_a_tie(void **state) {
    static const struct cast casts[] = {{0, 0, 0, true, 0}, {0, 1, 0, false, 0}, {0, 2, 0, false, 0},
                                        {1, 0, 1, true, 0}, {1, 1, 1, false, 0}, {1, 2, 1, false, 0},
                                        {2, 1, 3, true, 0}, {2, 0, 2, false, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 4);
    CROWD(&small, casts, 3, 3);
    struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
    assert_true(result.report.converged);
    assert_int_equal(result.report.rounds, 2);
    static const uint32_t labels[] = {0, 1, 2};
    static const double confidence[] = {2.4913, 2.4913, F2}, accuracy[] = {1, 1, 0.5759};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(result.verdicts[i].label, labels[i]);
        near(result.verdicts[i].confidence, confidence[i]);
        near(result.verdicts[i].accuracy, accuracy[i]);
        assert_int_equal(result.verdicts[i].valid, i < 2);
    }
    static const uint32_t skills[][3] = {{2, 1, 2}, {0, 2, 0}, {0, 2, 0}};
    for (int u = 0; u < 3; u++) {
        assert_int_equal(result.skills[u].n_author, skills[u][0]);
        assert_int_equal(result.skills[u].n_vote, skills[u][1]);
        assert_int_equal(result.skills[u].n, skills[u][2]);
    }
    near(result.weight[0], F2);
    near(result.weight[1], NEWCOMER);
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

/* A makes 0 and 1, both species a, and three agree on each; on 2, which B made, A votes a too, and B and C
 * agree. A: a is right on own valid observations twice, and on another's: once, as author: n_author 1, n_vote
 * 0. B: a is right on own valid 2: n_author 1; on A's 0 and 1 as well: not counted again. C: n_vote 1 for
 * three right votes. */
static void a_species_counts_once_as_author_first(void **state) {
    static const struct cast casts[] = {{0, 0, 0, true, 0},  {0, 1, 0, false, 0}, {0, 2, 0, false, 0},
                                        {1, 0, 0, true, 0},  {1, 1, 0, false, 0}, {1, 2, 0, false, 0},
                                        {2, 0, 0, false, 0}, {2, 1, 0, true, 0},  {2, 2, 0, false, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 1);
    CROWD(&small, casts, 3, 3);
    struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
    static const uint32_t skills[][2] = {{1, 0}, {1, 0}, {0, 1}};
    for (int u = 0; u < 3; u++) {
        assert_int_equal(result.skills[u].n_author, skills[u][0]);
        assert_int_equal(result.skills[u].n_vote, skills[u][1]);
    }
    linnet_consensus_result_done(&result);
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

/* 0: A (author) a, B a. conf = 2 * 0.7419 = 1.4839 < 2: not valid. B was right on it: one species, and with
 * vote_credit = valid none. A earns nothing either way. */
static void votes_on_what_is_not_valid_earn_by_the_rules(void **state) {
    static const struct cast casts[] = {{0, 0, 0, true, 0}, {0, 1, 0, false, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    species_only(&taxa, 1);
    CROWD(&small, casts, 1, 2);
    for (int valid_only = 0; valid_only < 2; valid_only++) {
        rules.credit_valid_only = valid_only;
        struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
        assert_false(result.verdicts[0].valid);
        near(result.verdicts[0].confidence, 1.4839);
        assert_int_equal(result.skills[0].n_author + result.skills[0].n_vote, 0);
        assert_int_equal(result.skills[1].n_vote, valid_only ? 0 : 1);
        linnet_consensus_result_done(&result);
    }
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

static void a_tie_keeps_the_present_label_else_the_first(void **state) {
    static const struct linnet_vote votes[] = {{0, 2, LINNET_NO_LABEL, false},
                                               {1, 0, LINNET_NO_LABEL, false},
                                               {2, 1, LINNET_NO_LABEL, false},
                                               {3, 1, LINNET_NO_LABEL, false}};
    /* 2 has weight 2, 0 has 1, 1 has 1 + 1: 2 and 1 are tied. */
    static const double weight[] = {2, 1, 1, 1};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    struct linnet_ballot ballot = {votes, 4, weight, NULL};
    (void)state;
    species_only(&taxa, 3);
    assert_int_equal(linnet_verdict_plantnet(&taxa, &rules, &ballot, LINNET_NO_LABEL).label, 2);
    assert_int_equal(linnet_verdict_plantnet(&taxa, &rules, &ballot, 1).label, 1);
    assert_int_equal(linnet_verdict_plantnet(&taxa, &rules, &ballot, 0).label,
                     2); /* present, but not among the tied */
    linnet_consensus_taxa_done(&taxa);
}

/* ---- 2. Community taxon ---- */

struct community_case {
    const char *what;
    uint32_t n;
    struct linnet_vote votes[5];
    uint32_t label;
    double cumulative, score;
};

#define SAYS(label)                                                                                          \
    { 0, label, LINNET_NO_LABEL, false }
#define SAYS_NOT(label, lost)                                                                                \
    { 0, label, lost, false }

static const struct community_case community_cases[] = {
    {"one identification makes none", 1, {SAYS(ROBUR)}, LINNET_NO_LABEL, 0, 0},
    {"two of a species: 2 / 2", 2, {SAYS(ROBUR), SAYS(ROBUR)}, ROBUR, 2, 1},
    {"two thirds are not enough (species 2 / (2 + 1)); the genus has 3 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS(PETRAEA)},
     GENUS,
     3,
     1},
    {"three quarters are: 3 / (3 + 1)",
     4,
     {SAYS(ROBUR), SAYS(PETRAEA), SAYS(ROBUR), SAYS(ROBUR)},
     ROBUR,
     3,
     0.75},
    {"a genus beside its species is no disagreement, but one identification of the species is too few; genus "
     "2 / 2",
     2,
     {SAYS(ROBUR), SAYS(GENUS)},
     GENUS,
     2,
     1},
    {"with two it is the species: 2 / 2", 3, {SAYS(ROBUR), SAYS(GENUS), SAYS(ROBUR)}, ROBUR, 2, 1},
    {"an explicit disagreement counts: species 2 / (2 + 0 + 1) is two thirds; genus 3 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS_NOT(GENUS, ROBUR)},
     GENUS,
     3,
     1},
    {"what lies between is lost too: species 2 / 3, genus 2 / (2 + 0 + 1), family 3 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS_NOT(FAMILY, ROBUR)},
     FAMILY,
     3,
     1},
    {"a genus lost loses its species: species 2 / 3, genus 2 / 3, family 3 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS_NOT(FAMILY, GENUS)},
     FAMILY,
     3,
     1},
    {"a lost species does not lose its sister: species 2 / 2",
     3,
     {SAYS(PETRAEA), SAYS(PETRAEA), SAYS_NOT(GENUS, ROBUR)},
     PETRAEA,
     2,
     1},
    {"another genus: species 2 / 3, genus 2 / 3, family 3 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS(SYLVATICA)},
     FAMILY,
     3,
     1},
    {"a synonym is a vote for the accepted name", 2, {SAYS(PEDUNCULATA), SAYS(ROBUR)}, ROBUR, 2, 1},
    {"not a plant is on another branch than all: family 2 / 3",
     3,
     {SAYS(ROBUR), SAYS(ROBUR), SAYS(LINNET_LABEL_NOT_A_PLANT)},
     LINNET_NO_LABEL,
     0,
     0},
    {"no answer is no identification", 2, {SAYS(ROBUR), SAYS(LINNET_NO_LABEL)}, LINNET_NO_LABEL, 0, 0},
    {"a taxon that the backbone lacks is within itself only",
     2,
     {SAYS(FLORA + 4), SAYS(FLORA + 4)},
     FLORA + 4,
     2,
     1},
};

static void the_community_taxon_is_the_lowest_above_two_thirds(void **state) {
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_COMMUNITY);
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    for (size_t i = 0; i < sizeof community_cases / sizeof *community_cases; i++) {
        const struct community_case *one = &community_cases[i];
        struct linnet_ballot ballot = {one->votes, one->n, NULL, NULL};
        struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
        if (verdict.label != one->label) fail_msg("%s: got %u", one->what, verdict.label);
        assert_int_equal(verdict.valid, one->label != LINNET_NO_LABEL);
        near(verdict.confidence, one->cumulative);
        near(verdict.accuracy, one->score);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* ---- 3. Ours ---- */

/* Weights: user 0 f(8) = 2.0546, user 1 f(7) = 1.9119, users 2 to 4 newcomers, 0.7419.
 *   a) 0 robur, 2 petraea: robur 2.0546 / 2.7966 = 0.7347 > 2/3 and 2.0546 >= 2: robur. Of heads: genus.
 *   b) 1 robur, 2 petraea: robur 1.9119 / 2.6539 = 0.7204, but 1.9119 < 2; genus 2.6539 / 2.6539: genus,
 * valid. c) 2 robur, 3 robur, 4 genus: robur 1.4839 < 2; genus 2.2258: genus, valid. d) 2 robur, 3 genus not
 * robur: robur 0.7419 / 1.4839 is no two thirds; genus 1.4839 < 2: genus, not valid; missing 0.5161. e) 2
 * robur alone: robur, 0.7419, not valid; missing 2 - 0.7419 = 1.2581. f) 2 robur, 3 a taxon of another
 * family: neither has two thirds, and nothing is above both: no label. g) 0 the synonym, 1 genus, 2
 * sylvatica: robur 2.0546 / (2.0546 + 0.7419) = 0.7347: robur. */
static void experts_count_more_and_genera_are_understood(void **state) {
    static const double weight[] = {F8, F7, NEWCOMER, NEWCOMER, NEWCOMER};
    static const struct {
        uint32_t n;
        struct linnet_vote votes[3];
        uint32_t label;
        bool valid;
        double confidence, accuracy, missing;
    } cases[] = {
        {2,
         {{0, ROBUR, LINNET_NO_LABEL, true}, {2, PETRAEA, LINNET_NO_LABEL, false}},
         ROBUR,
         true,
         F8,
         0.7347,
         0},
        {2,
         {{1, ROBUR, LINNET_NO_LABEL, true}, {2, PETRAEA, LINNET_NO_LABEL, false}},
         GENUS,
         true,
         2.6538,
         1,
         0},
        {3,
         {{2, ROBUR, LINNET_NO_LABEL, true},
          {3, ROBUR, LINNET_NO_LABEL, false},
          {4, GENUS, LINNET_NO_LABEL, false}},
         GENUS,
         true,
         2.2258,
         1,
         0},
        {2, {{2, ROBUR, LINNET_NO_LABEL, true}, {3, GENUS, ROBUR, false}}, GENUS, false, 1.4839, 1, 0.5161},
        {1, {{2, ROBUR, LINNET_NO_LABEL, true}}, ROBUR, false, NEWCOMER, 1, 1.2581},
        {2,
         {{2, ROBUR, LINNET_NO_LABEL, true}, {3, FLORA + 1, LINNET_NO_LABEL, false}},
         LINNET_NO_LABEL,
         false,
         0,
         0,
         -1},
        {3,
         {{0, PEDUNCULATA, LINNET_NO_LABEL, true},
          {1, GENUS, LINNET_NO_LABEL, false},
          {2, SYLVATICA, LINNET_NO_LABEL, false}},
         ROBUR,
         true,
         F8,
         0.7347,
         0},
    };
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_LINNET);
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct linnet_ballot ballot = {cases[i].votes, cases[i].n, weight, NULL};
        struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
        assert_int_equal(verdict.label, cases[i].label);
        assert_int_equal(verdict.valid, cases[i].valid);
        near(verdict.confidence, cases[i].confidence);
        near(verdict.accuracy, cases[i].accuracy);
        near(linnet_verdict_missing(&rules, &verdict), cases[i].missing);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* 0: A (author) robur, B the synonym, C robur, D genus. As species three votes agree and the genus names
 * none: 2.2258, acc 1, valid; A knows robur as author, B and C by vote, D nothing. As labels the genus is
 * another answer: acc 3 / 4, valid still. With D "genus, not robur" the species has acc 3 / 4 too. */
static void species_of_the_iteration_leave_genera_aside(void **state) {
    struct cast casts[] = {{0, 0, ROBUR, true, 0},
                           {0, 1, PEDUNCULATA, false, 0},
                           {0, 2, ROBUR, false, 0},
                           {0, 3, GENUS, false, 0}};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    for (int step = 0; step < 3; step++) {
        struct small_crowd small;
        rules.classes = step == 1 ? LINNET_CLASSES_LABELS : LINNET_CLASSES_SPECIES;
        if (step == 2) casts[3].rejects = ROBUR + 1;
        CROWD(&small, casts, 1, 4);
        struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
        assert_int_equal(result.verdicts[0].label, ROBUR);
        near(result.verdicts[0].accuracy, step == 0 ? 1 : 0.75);
        assert_true(result.verdicts[0].valid);
        static const uint32_t known[][2] = {{1, 0}, {0, 1}, {0, 1}, {0, 0}};
        for (int u = 0; u < 4; u++) {
            assert_int_equal(result.skills[u].n_author, known[u][0]);
            assert_int_equal(result.skills[u].n_vote, known[u][1]);
        }
        linnet_consensus_result_done(&result);
        small_crowd_done(&small);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* ---- 4. The machine's vote ---- */

/* Newcomers' votes, 0.7419 each. Three for robur: 2.2258, valid. Two: 1.4839, not valid.
 *   invalidate: petraea at 0.7 takes validity from three; at 0.69 not; robur at 0.9 neither gives it to two.
 *   confident: robur at 0.8 adds 1.7 to two: 3.1839, valid; at 0.69 nothing. petraea at 0.8 against
 * three: 2.2258 / 3.9258 = 0.567: not valid. fixed: robur at 0.1 adds 1.7 to two. off: nothing ever. */
static void the_machine_does_what_its_mode_allows(void **state) {
    static const struct {
        enum linnet_machine_mode mode;
        uint32_t people, says;
        double score;
        bool valid, withdrawn, granted;
        double confidence;
    } cases[] = {
        {LINNET_MACHINE_INVALIDATE, 3, PETRAEA, 0.7, false, true, false, 2.2258},
        {LINNET_MACHINE_INVALIDATE, 3, PETRAEA, 0.69, true, false, false, 2.2258},
        {LINNET_MACHINE_INVALIDATE, 3, PEDUNCULATA, 0.9, true, false, false, 2.2258},
        {LINNET_MACHINE_INVALIDATE, 2, ROBUR, 0.9, false, false, false, 1.4839},
        {LINNET_MACHINE_CONFIDENT, 2, ROBUR, 0.8, true, false, true, 3.1839},
        {LINNET_MACHINE_CONFIDENT, 2, ROBUR, 0.69, false, false, false, 1.4839},
        {LINNET_MACHINE_CONFIDENT, 3, PETRAEA, 0.8, false, false, false, 2.2258},
        {LINNET_MACHINE_FIXED, 2, ROBUR, 0.1, true, false, true, 3.1839},
        {LINNET_MACHINE_OFF, 3, PETRAEA, 1, true, false, false, 2.2258},
        {LINNET_MACHINE_OFF, 2, ROBUR, 1, false, false, false, 1.4839},
    };
    static const struct linnet_vote votes[] = {{0, ROBUR, LINNET_NO_LABEL, true},
                                               {1, ROBUR, LINNET_NO_LABEL, false},
                                               {2, ROBUR, LINNET_NO_LABEL, false}};
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
        rules.machine = cases[i].mode;
        double newcomer = linnet_consensus_weight(&rules, 0), weight[] = {newcomer, newcomer, newcomer};
        struct linnet_machine_vote machine = {cases[i].says, cases[i].score};
        struct linnet_ballot ballot = {votes, cases[i].people, weight, &machine};
        struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
        assert_int_equal(verdict.label, ROBUR);
        assert_int_equal(verdict.valid, cases[i].valid);
        assert_int_equal(verdict.withdrawn, cases[i].withdrawn);
        assert_int_equal(verdict.granted, cases[i].granted);
        near(verdict.confidence, cases[i].confidence);
        if (verdict.withdrawn) assert_true(linnet_verdict_missing(&rules, &verdict) < 0);
    }
    linnet_consensus_taxa_done(&taxa);
}

/* A genus as label is not contradicted by a species in it, but by one in another genus. Two newcomers petraea
 * and robur, an expert genus: robur 0.7419 / 1.4839; genus (2.0546 + 1.4839) / itself. */
static void a_prediction_within_the_label_does_not_contradict(void **state) {
    static const struct linnet_vote votes[] = {{0, ROBUR, LINNET_NO_LABEL, true},
                                               {1, PETRAEA, LINNET_NO_LABEL, false},
                                               {2, GENUS, LINNET_NO_LABEL, false}};
    static const double weight[] = {NEWCOMER, NEWCOMER, F8};
    struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_LINNET);
    struct linnet_machine_vote within = {PETRAEA, 0.95}, outside = {SYLVATICA, 0.95};
    struct linnet_ballot ballot = {votes, 3, weight, &within};
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    struct linnet_verdict verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
    assert_int_equal(verdict.label, GENUS);
    assert_true(verdict.valid);
    ballot.machine = &outside;
    verdict = linnet_verdict_of(&taxa, &rules, &ballot, LINNET_NO_LABEL);
    assert_int_equal(verdict.label, GENUS);
    assert_false(verdict.valid);
    assert_true(verdict.withdrawn);
    linnet_consensus_taxa_done(&taxa);
}

/* Ten observations of A, ten species, three votes each: with every machine mode and a machine that is sure of
 * a species of its own, A's n_author is 10 and the others' n_vote is 10. */
static void the_machine_never_bears_on_skill(void **state) {
    struct cast casts[30];
    struct linnet_machine_vote machine[10];
    struct linnet_consensus_taxa taxa;
    struct small_crowd small;
    (void)state;
    for (uint32_t i = 0; i < 30; i++)
        casts[i] = (struct cast){i / 3, i % 3, i / 3, i % 3 == 0, 0};
    for (uint32_t i = 0; i < 10; i++)
        machine[i] = (struct linnet_machine_vote){10, 0.99};
    species_only(&taxa, 11);
    CROWD(&small, casts, 10, 3);
    small.crowd.machine = machine;
    for (int mode = LINNET_MACHINE_INVALIDATE; mode <= LINNET_MACHINE_FIXED; mode++) {
        struct linnet_consensus_rules rules = rules_of(LINNET_METHOD_PLANTNET);
        rules.machine = (enum linnet_machine_mode)mode;
        struct linnet_consensus_result result = solved(&taxa, &rules, &small.crowd);
        assert_int_equal(result.skills[0].n_author, 10);
        assert_int_equal(result.skills[1].n_vote, 10);
        assert_int_equal(result.report.machine_withdrew, mode == LINNET_MACHINE_INVALIDATE ? 10 : 0);
        linnet_consensus_result_done(&result);
    }
    small_crowd_done(&small);
    linnet_consensus_taxa_done(&taxa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_those_of_the_paper),
        cmocka_unit_test(counts_round_half_to_even),
        cmocka_unit_test(an_expert_turns_a_tie),
        cmocka_unit_test(a_species_counts_once_as_author_first),
        cmocka_unit_test(votes_on_what_is_not_valid_earn_by_the_rules),
        cmocka_unit_test(a_tie_keeps_the_present_label_else_the_first),
        cmocka_unit_test(the_community_taxon_is_the_lowest_above_two_thirds),
        cmocka_unit_test(experts_count_more_and_genera_are_understood),
        cmocka_unit_test(species_of_the_iteration_leave_genera_aside),
        cmocka_unit_test(the_machine_does_what_its_mode_allows),
        cmocka_unit_test(a_prediction_within_the_label_does_not_contradict),
        cmocka_unit_test(the_machine_never_bears_on_skill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
