/* Grades: three newcomers agree, so the taxon is valid; what else an observation must have is configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/plugins/consensus/fixture.h"

#define IMAGE "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* The consensus of three newcomers for `taxon`, of an observation that was changed by `without`. */
static json_t *graded(struct fake_host *host, const char *taxon, void (*without)(json_t *observation)) {
    json_t *made = observation(OBS, "ann", NULL);
    if (without) without(made);
    json_t *documents[] = {made, vote(OBS, "bob", taxon, 1), vote(OBS, "cat", taxon, 2),
                           vote(OBS, "dan", taxon, 3)};
    return after(host, documents, 4);
}

static void assert_grade(const char *grade, const char *words, json_t *config, const char *taxon,
                         void (*without)(json_t *observation)) {
    struct fake_host *host = host_with(config, NULL);
    json_t *consensus = graded(host, taxon, without);
    assert_string_equal(text(consensus, "grade"), grade);
    if (words) assert_true(says(consensus, words));
    json_decref(consensus);
    fake_host_free(host);
}

static void without_date(json_t *made) {
    json_object_del(made, "observed_at");
}

static void without_place(json_t *made) {
    json_object_del(made, "location");
}

static void planted(json_t *made) {
    json_object_set_new(made, "wild", json_false());
}

static void of_any_organ(json_t *made) {
    json_object_set_new(json_array_get(json_object_get(made, "views"), 0), "organ", json_string("auto"));
}

static void an_observation_that_lacks_something_is_casual(void **state) {
    (void)state;
    assert_grade("research", NULL, NULL, "taxon:a", NULL);
    assert_grade("casual", "it has no date", NULL, "taxon:a", without_date);
    assert_grade("casual", "it has no place", NULL, "taxon:a", without_place);
    assert_grade("casual", "it was planted", NULL, "taxon:a", planted);
    assert_grade("casual", "nobody says what part of the plant", NULL, "taxon:a", of_any_organ);
    assert_grade("casual", "it is not a plant", NULL, "not-a-plant", NULL);
}

static void what_it_must_have_is_configuration(void **state) {
    (void)state;
    assert_grade("research", NULL, json_pack("{s:[s, s]}", "casual_without", "wild", "place"), "taxon:a",
                 without_date);
    assert_grade("casual", "planted", json_pack("{s:[s, s]}", "casual_without", "wild", "place"), "taxon:a",
                 planted);
    assert_grade("research", NULL, json_pack("{s:[]}", "casual_without"), "taxon:a", planted);
}

static void the_rank_of_research_is_configuration(void **state) {
    (void)state;
    assert_grade("needs_review", "is no species", NULL, "taxon:g", NULL);
    assert_grade("research", NULL, json_pack("{s:s}", "research_rank", "genus"), "taxon:g", NULL);
    assert_grade("needs_review", "is no genus", json_pack("{s:s}", "research_rank", "genus"), "taxon:f",
                 NULL);
}

static json_t *judging(const char *user, const char *quality, const char *organ, int second) {
    json_t *json = vote(OBS, user, "taxon:a", second);
    json_object_set_new(json, "views",
                        json_pack("{s:{s:s, s:s*}}", IMAGE, "quality", quality, "organ", organ));
    return json;
}

/* One of two says bad: half, which is not more than half. Two of three are. */
static void pictures_that_most_find_bad_make_it_casual(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_decref(graded(host, "taxon:a", NULL));
    json_decref(give(host, OBS, judging("bob", "good", NULL, 1)));
    json_t *consensus = give(host, OBS, judging("cat", "bad", NULL, 2));
    assert_string_equal(text(consensus, "grade"), "research");
    json_decref(consensus);
    json_decref(give(host, OBS, judging("troll", "bad", NULL, 2))); /* who is blocked says nothing */
    consensus = give(host, OBS, judging("dan", "bad", NULL, 3));
    assert_string_equal(text(consensus, "grade"), "casual");
    json_decref(consensus);
    fake_host_free(host);
}

static void a_reviewer_or_the_model_can_tell_the_organ(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_decref(graded(host, "taxon:a", of_any_organ));
    json_t *consensus = give(host, OBS, judging("bob", "good", "flower", 1));
    assert_string_equal(text(consensus, "grade"), "research");
    json_decref(consensus);
    consensus = give(host, OBS, vote(OBS, "bob", "taxon:a", 1));
    assert_string_equal(text(consensus, "grade"), "casual");
    json_decref(consensus);
    json_t *said = identification(OBS, "taxon:a", 0.5);
    json_object_set_new(said, "organs", json_pack("{s:s}", IMAGE, "leaf"));
    consensus = give(host, OBS, said);
    assert_string_equal(text(consensus, "grade"), "research");
    json_decref(consensus);
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_observation_that_lacks_something_is_casual),
        cmocka_unit_test(what_it_must_have_is_configuration),
        cmocka_unit_test(the_rank_of_research_is_configuration),
        cmocka_unit_test(pictures_that_most_find_bad_make_it_casual),
        cmocka_unit_test(a_reviewer_or_the_model_can_tell_the_organ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
