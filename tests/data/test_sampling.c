/* Who saw what, and what the crowd says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/data/crowd.h"

#define MANY 3000
#define PART 80

static struct {
    struct flora *flora;
    size_t part[PART];
    struct sampled_observation seen[MANY];
} at;

static int make(void **state) {
    (void)state;
    at.flora = linnet_flora_new(FLORA_SEED, FLORA_SPECIES);
    return at.flora && linnet_flora_part(at.flora, PART, at.part) == PART ? 0 : -1;
}

static int unmake(void **state) {
    (void)state;
    linnet_flora_free(at.flora);
    return 0;
}

static struct sampling sampling_of(enum split split) {
    return (struct sampling){
        .flora = at.flora, .species = at.part, .nspecies = PART, .seed = 11, .split = split};
}

/* Draw MANY into at.seen. */
static void sample(struct sampling *s) {
    assert_int_equal(linnet_flora_sampling_prepare(s), 0);
    for (size_t i = 0; i < MANY; i++)
        linnet_flora_sample(s, i, &at.seen[i]);
    linnet_flora_sampling_done(s);
}

static void splits_share_no_observation_observer_or_site(void **state) {
    static struct sampled_observation train[200];
    (void)state;
    struct sampling s = sampling_of(SPLIT_TRAIN);
    sample(&s);
    memcpy(train, at.seen, sizeof train);
    for (int split = SPLIT_VALIDATION; split < SPLITS; split++) {
        s = sampling_of((enum split)split);
        sample(&s);
        for (size_t i = 0; i < 200; i++) {
            for (size_t j = 0; j < 200; j++) {
                assert_string_not_equal(train[i].id, at.seen[j].id);
                assert_string_not_equal(train[i].observer, at.seen[j].observer);
                assert_string_not_equal(train[i].site, at.seen[j].site);
            }
        }
    }
}

static void places_lie_in_their_region_and_grow_what_was_seen(void **state) {
    (void)state;
    struct sampling s = sampling_of(SPLIT_TRAIN);
    s.sites = 2; /* fewer than regions */
    sample(&s);
    for (size_t i = 0; i < MANY; i++) {
        const struct flora_checklist *area = &linnet_flora_checklists[at.seen[i].checklist];
        assert_true(at.seen[i].latitude > area->south && at.seen[i].latitude < area->north);
        assert_true(at.seen[i].longitude > area->west && at.seen[i].longitude < area->east);
        assert_true(at.flora->species[at.seen[i].species].checklists >> at.seen[i].checklist & 1);
    }
}

static void frequencies_follow_zipfs_law_unless_asked_otherwise(void **state) {
    size_t common = 0, count[PART] = {0}, least = MANY;
    (void)state;
    struct sampling s = sampling_of(SPLIT_TRAIN);
    for (size_t i = 1; i < PART; i++)
        if (at.flora->species[at.part[i]].abundance > at.flora->species[at.part[common]].abundance)
            common = i;
    sample(&s);
    for (size_t i = 0; i < MANY; i++)
        count[0] += at.seen[i].species == at.part[common];
    assert_in_range(count[0], MANY * 16 / 100, MANY * 24 / 100); /* 1 of the harmonic number of 80, 4.97 */
    s = sampling_of(SPLIT_TEST);
    s.even = true;
    sample(&s);
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < PART; k++)
            count[k] += at.seen[i].species == at.part[k];
    for (size_t k = 0; k < PART; k++)
        if (count[k] < least) least = count[k];
    assert_true(least > MANY / PART / 3);
}

static void wrong_names_and_no_plants_come_as_often_as_asked(void **state) {
    size_t wrong = 0, none = 0, near = 0;
    (void)state;
    struct sampling s = sampling_of(SPLIT_TRAIN);
    s.label_noise = 0.2;
    s.non_plants = 0.1;
    sample(&s);
    for (size_t i = 0; i < MANY; i++) {
        const struct sampled_observation *o = &at.seen[i];
        none += o->species == FLORA_NONE;
        if (o->species == FLORA_NONE || o->species == o->labelled) continue;
        wrong++;
        near += at.flora->species[o->species].genus == at.flora->species[o->labelled].genus;
    }
    assert_in_range(none, MANY * 8 / 100, MANY * 12 / 100);
    assert_in_range(wrong, MANY * 15 / 100, MANY * 20 / 100);
    assert_true(near * 2 > wrong);
}

static void views_are_one_to_four_organs_that_the_plant_has(void **state) {
    size_t several = 0;
    (void)state;
    struct sampling s = sampling_of(SPLIT_TEST);
    sample(&s);
    for (size_t i = 0; i < MANY; i++) {
        assert_in_range(at.seen[i].nviews, 1, FLORA_VIEWS_MAX);
        several += at.seen[i].nviews > 1;
        for (size_t v = 0; v < at.seen[i].nviews; v++)
            assert_true(linnet_flora_has_organ(&at.flora->species[at.seen[i].species].traits,
                                               at.seen[i].views[v].organ));
    }
    assert_in_range(several, MANY / 2, MANY * 2 / 3);
}

static void ids_are_ulids_of_their_time(void **state) {
    (void)state;
    struct sampling s = sampling_of(SPLIT_TEST);
    sample(&s);
    for (size_t i = 0; i < 100; i++) {
        int64_t ms = 0;
        assert_int_equal(strlen(at.seen[i].id), 26);
        assert_int_equal(strspn(at.seen[i].id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
        for (int k = 0; k < 10; k++)
            ms = ms * 32 + (strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", at.seen[i].id[k]) -
                            "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
        assert_int_equal(ms, at.seen[i].observed_ms + 600000);
    }
}

static void times_are_written_as_rfc_3339(void **state) {
    char text[FLORA_TIME_SIZE];
    (void)state;
    linnet_flora_time_format(1709164799000, text);
    assert_string_equal(text, "2024-02-28T23:59:59Z");
    linnet_flora_time_format(1709164800000, text);
    assert_string_equal(text, "2024-02-29T00:00:00Z");
    linnet_flora_time_format(1735689600000, text);
    assert_string_equal(text, "2025-01-01T00:00:00Z");
}

static void experts_are_right_more_often_than_novices(void **state) {
    double right[PERSON_KINDS] = {0}, votes[PERSON_KINDS] = {0};
    (void)state;
    for (size_t who = 0; who < 200; who++) {
        struct person person;
        linnet_flora_person(5, who, &person);
        for (size_t i = 0; i < 30; i++) {
            struct rng rng = rng_make(who, RNG_VOTE, i);
            struct vote vote;
            size_t truth = at.part[(who + i) % PART], label = at.part[(who + 2 * i) % PART];
            linnet_flora_cast(at.flora, &person, truth, label, 1000, &rng, &vote);
            assert_true(vote.ms > 1000);
            assert_true(vote.kind != VOTE_TAXON || vote.species < at.flora->nspecies);
            right[person.kind] += vote.kind == VOTE_TAXON && vote.species == truth;
            votes[person.kind]++;
        }
    }
    for (int kind = 0; kind < PERSON_KINDS; kind++)
        assert_true(votes[kind] > 0);
    assert_true(right[PERSON_EXPERT] / votes[PERSON_EXPERT] > 0.85);
    assert_true(right[PERSON_EXPERT] / votes[PERSON_EXPERT] >
                right[PERSON_AMATEUR] / votes[PERSON_AMATEUR] + 0.05);
    assert_true(right[PERSON_AMATEUR] / votes[PERSON_AMATEUR] >
                right[PERSON_NOVICE] / votes[PERSON_NOVICE] + 0.05);
    assert_true(right[PERSON_CARELESS] / votes[PERSON_CARELESS] < 0.4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_share_no_observation_observer_or_site),
        cmocka_unit_test(places_lie_in_their_region_and_grow_what_was_seen),
        cmocka_unit_test(frequencies_follow_zipfs_law_unless_asked_otherwise),
        cmocka_unit_test(wrong_names_and_no_plants_come_as_often_as_asked),
        cmocka_unit_test(views_are_one_to_four_organs_that_the_plant_has),
        cmocka_unit_test(ids_are_ulids_of_their_time),
        cmocka_unit_test(times_are_written_as_rfc_3339),
        cmocka_unit_test(experts_are_right_more_often_than_novices),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
