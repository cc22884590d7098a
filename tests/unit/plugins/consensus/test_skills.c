/* Skill documents: species that count, weight, precision by family; and no trace of what was taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/plugins/consensus/fixture.h"

static void three_say(struct fake_host *host, int i, const char *taxon) {
    char obs[27];
    obs_id(i, obs);
    json_decref(give(host, obs, observation(obs, "ann", taxon)));
    json_decref(give(host, obs, vote(obs, "bob", taxon, 1)));
    json_decref(give(host, obs, vote(obs, "cat", taxon, 2)));
}

static const json_t *family(const json_t *skill, const char *name) {
    return json_object_get(json_object_get(skill, "families"), name);
}

/* Rosa alba, Rubus caesius (Rosaceae) and Juncus durus (Juncaceae), all valid by ann's, bob's and cat's
 * votes. dan says Rosa bella, Rubus caesius and Juncus durus: of two votes in Rosaceae one is right, of one
 * in Juncaceae one. ann has three species as author, n = 3; dan two as voter, n = Round(.2) = 0. */
static void a_skill_says_species_weight_and_precision_by_family(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    static const char *const species[] = {"taxon:a", "taxon:c", "taxon:d"}, *const dans[] = {"taxon:b",
                                                                                             "taxon:c",
                                                                                             "taxon:d"};
    for (int i = 0; i < 3; i++) {
        char obs[27];
        obs_id(i, obs);
        three_say(host, i, species[i]);
        json_decref(give(host, obs, vote(obs, "dan", dans[i], 3)));
    }
    come_to_rest(host);
    const json_t *ann = told(host, "skill", "ann", NULL), *dan = told(host, "skill", "dan", NULL);
    assert_int_equal(figure(ann, "n_author"), 3);
    assert_int_equal(figure(ann, "n"), 3);
    assert_float_equal(figure(ann, "weight"), 1.2283, 1e-4);
    assert_int_equal(json_array_size(json_object_get(ann, "species")), 3);
    assert_int_equal(figure(dan, "n_author"), 0);
    assert_int_equal(figure(dan, "n_vote"), 2);
    assert_int_equal(figure(dan, "n"), 0);
    assert_float_equal(figure(dan, "weight"), 0.7419, 1e-4);
    assert_int_equal(json_array_size(json_object_get(dan, "species")), 2);
    assert_int_equal(figure(family(dan, "taxon:f"), "right"), 1);
    assert_int_equal(figure(family(dan, "taxon:f"), "wrong"), 1);
    assert_float_equal(figure(family(dan, "taxon:f"), "precision"), 0.5, 1e-9);
    assert_float_equal(figure(family(dan, "taxon:j"), "precision"), 1, 1e-9);
    fake_host_free(host);
}

/* With two votes nothing is valid: it says nothing of who was right in a family, but a right vote on others'
 * observations counts as a species. */
static void what_is_not_valid_says_nothing_of_precision(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_decref(give(host, OBS, observation(OBS, "ann", "taxon:a")));
    json_decref(give(host, OBS, vote(OBS, "bob", "taxon:a", 1)));
    come_to_rest(host);
    const json_t *bob = told(host, "skill", "bob", NULL);
    assert_int_equal(figure(bob, "n_vote"), 1);
    assert_int_equal(json_object_size(json_object_get(bob, "families")), 0);
    assert_null(told(host, "skill", "ann", NULL));
    fake_host_free(host);
}

static void a_withdrawn_vote_leaves_no_trace(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    char obs[27], id[96];
    bool deleted;
    obs_id(1, obs);
    three_say(host, 1, "taxon:a");
    json_decref(give(host, obs, vote(obs, "dan", "taxon:a", 3)));
    come_to_rest(host);
    assert_int_equal(figure(told(host, "skill", "dan", NULL), "n_vote"), 1);
    snprintf(id, sizeof id, "%s:validation:dan", obs);
    json_decref(give_tombstone(host, obs, id));
    come_to_rest(host);
    told(host, "skill", "dan", &deleted);
    assert_true(deleted);
    fake_host_free(host);
}

static void a_deleted_observation_takes_its_weights_along(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    char obs[27], id[96];
    bool deleted;
    obs_id(1, obs);
    three_say(host, 1, "taxon:a");
    come_to_rest(host);
    assert_int_equal(figure(told(host, "skill", "ann", NULL), "n_author"), 1);
    snprintf(id, sizeof id, "%s:observation", obs);
    json_decref(give_tombstone(host, obs, id));
    come_to_rest(host);
    told(host, "skill", "ann", &deleted);
    assert_true(deleted);
    fake_host_free(host);
}

static void a_blocked_user_has_no_skill(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    char obs[27];
    obs_id(1, obs);
    three_say(host, 1, "taxon:a");
    json_decref(give(host, obs, vote(obs, "troll", "taxon:a", 3)));
    settle(host);
    assert_null(told(host, "skill", "troll", NULL));
    assert_int_equal(figure(told(host, "epoch", "consensus", NULL), "counted"), 3);
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_skill_says_species_weight_and_precision_by_family),
        cmocka_unit_test(what_is_not_valid_says_nothing_of_precision),
        cmocka_unit_test(a_withdrawn_vote_leaves_no_trace),
        cmocka_unit_test(a_deleted_observation_takes_its_weights_along),
        cmocka_unit_test(a_blocked_user_has_no_skill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
