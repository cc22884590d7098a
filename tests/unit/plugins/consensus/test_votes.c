/* What votes make of one observation, at once, with the weights at hand: worked by hand. f(0) = ln 2.1 =
 * 0.7419; two newcomers weigh 1.4839, three 2.2258. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/consensus/fixture.h"

static json_t *method(const json_t *consensus, const char *name) {
    return json_object_get(json_object_get(consensus, "methods"), name);
}

static const json_t *vote_of(const json_t *consensus, const char *user) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(consensus, "votes"), i,
                       entry) if (strcmp(text(entry, "user"), user) == 0) return entry;
    return NULL;
}

/* With two, 1.4839 < 2: not valid though all agree. With three and one who disagrees 2.2258 >= 2 and 3/4 >
 * 2/3. */
static void three_newcomers_validate_and_two_do_not(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *two[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                     vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, two, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 1.4839, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 1, 1e-9);
    assert_false(truth(consensus, "valid"));
    assert_string_equal(text(consensus, "grade"), "needs_review");
    assert_float_equal(figure(consensus, "missing"), 2 - 1.4839, 1e-4);
    assert_true(says(consensus, "0.52 more weight for it would make it valid: the vote of 1 newcomer"));
    json_decref(consensus);
    json_t *more[] = {vote(OBS, "dan", "taxon:b", 3), vote(OBS, "eve", "taxon:a", 4)};
    consensus = after(host, more, 2);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 2.2258, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 0.75, 1e-4);
    assert_true(truth(consensus, "valid"));
    assert_string_equal(text(consensus, "grade"), "research");
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 4);
    assert_string_equal(text(vote_of(consensus, "dan"), "role"), "against");
    assert_string_equal(text(vote_of(consensus, "eve"), "role"), "for");
    assert_string_equal(text(vote_of(consensus, "eve"), "created_at"), "2026-05-02T10:00:04.000Z");
    assert_null(json_object_get(consensus, "missing"));
    json_decref(consensus);
    fake_host_free(host);
}

static void a_synonym_counts_for_its_accepted_name_and_is_told(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:old", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 1.4839, 1e-4);
    assert_string_equal(text(vote_of(consensus, "bob"), "given"), "taxon:old");
    json_decref(consensus);
    fake_host_free(host);
}

/* One for the genus, two and two for its species: the genus has 5 x 0.7419 = 3.7097 of 3.7097, each species
 * 2/5 = .4 of what bears on it (the genus vote is neutral: 1/2) < 2/3. Pl@ntNet's species is a tie, the
 * first. */
static void people_who_disagree_on_the_species_agree_on_the_genus(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL),  vote(OBS, "bob", "taxon:g", 1),
                           vote(OBS, "cat", "taxon:b", 2), vote(OBS, "dan", "taxon:b", 3),
                           vote(OBS, "eve", "taxon:a", 4), vote(OBS, "fay", "taxon:a", 5)};
    json_t *consensus = after(host, documents, 6);
    assert_string_equal(text(consensus, "taxon"), "taxon:g");
    assert_string_equal(text(consensus, "rank"), "genus");
    assert_true(truth(consensus, "valid"));
    assert_float_equal(figure(consensus, "confidence"), 3.7097, 1e-4);
    assert_string_equal(text(consensus, "grade"), "needs_review"); /* a genus is no research grade */
    assert_true(says(consensus, "Rosa is no species"));
    assert_string_equal(text(method(consensus, "plantnet"), "taxon"), "taxon:b");
    assert_float_equal(figure(method(consensus, "plantnet"), "accuracy"), 0.5, 1e-9);
    assert_string_equal(text(method(consensus, "community"), "taxon"), "taxon:g");
    assert_float_equal(figure(method(consensus, "community"), "confidence"), 5, 1e-9);
    json_decref(consensus);
    fake_host_free(host);
}

static void a_genus_vote_is_neutral_to_its_species(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:g", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 0.7419, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 1, 1e-9);
    assert_string_equal(text(vote_of(consensus, "bob"), "role"), "neutral");
    json_decref(consensus);
    fake_host_free(host);
}

/* "It is not a, I know only that it is g": a has 3 of 4, more than 2/3, and stays; with another it has 3 of 5
 * and the genus is what is left. */
static void explicit_disagreement_takes_the_species_away(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *first[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                       vote(OBS, "cat", "taxon:a", 2), vote(OBS, "dan", "taxon:a", 3),
                       disagreement(OBS, "eve", "taxon:g", "taxon:a", 4)};
    json_t *consensus = after(host, first, 5);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "accuracy"), 0.75, 1e-9);
    assert_string_equal(text(vote_of(consensus, "eve"), "role"), "rejects");
    assert_string_equal(text(vote_of(consensus, "eve"), "disagrees_with"), "taxon:a");
    json_decref(consensus);
    json_t *second[] = {disagreement(OBS, "fay", "taxon:g", "taxon:a", 5)};
    consensus = after(host, second, 1);
    assert_string_equal(text(consensus, "taxon"), "taxon:g");
    json_decref(consensus);
    fake_host_free(host);
}

static void pl_ntnets_own_method_can_be_had(void **state) {
    (void)state;
    struct fake_host *host = host_with(json_pack("{s:s}", "method", "plantnet"), NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:b", 9),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:b"); /* the present label is among the tied */
    json_decref(consensus);
    come_to_rest(host); /* solved from the start: first by time */
    assert_string_equal(text(told(host, "consensus", OBS, NULL), "taxon"), "taxon:a");
    fake_host_free(host);
}

static void the_authors_proposal_is_a_vote_until_the_author_validates(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *consensus = give(host, OBS, observation(OBS, "ann", "taxon:b"));
    assert_string_equal(text(consensus, "taxon"), "taxon:b");
    assert_true(truth(vote_of(consensus, "ann"), "proposed"));
    json_decref(consensus);
    consensus = give(host, OBS, vote(OBS, "ann", "taxon:a", 1));
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 1);
    json_decref(consensus);
    consensus = give_tombstone(host, OBS, OBS ":validation:ann");
    assert_string_equal(text(consensus, "taxon"), "taxon:b");
    json_decref(consensus);
    fake_host_free(host);
}

static void a_blocked_user_counts_for_nothing_and_is_shown(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "troll", "taxon:b", 1),
                           vote(OBS, "bob", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "accuracy"), 1, 1e-9);
    assert_true(truth(vote_of(consensus, "troll"), "blocked"));
    assert_float_equal(figure(vote_of(consensus, "troll"), "weight"), 0, 0);
    json_decref(consensus);
    fake_host_free(host);
}

/* ---- the machine ---- */

static json_t *three_for_a(struct fake_host *host) {
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                           vote(OBS, "cat", "taxon:a", 2), vote(OBS, "dan", "taxon:a", 3)};
    return after(host, documents, 4);
}

static const char *effect(const json_t *consensus) {
    return text(json_object_get(consensus, "machine"), "effect");
}

static void a_sure_machine_takes_validity_away_and_never_gives_it(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_decref(three_for_a(host));
    json_t *consensus = give(host, OBS, identification(OBS, "taxon:b", 0.9));
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_false(truth(consensus, "valid"));
    assert_string_equal(effect(consensus), "invalidated");
    assert_string_equal(text(json_object_get(consensus, "machine"), "model"), "flora@1.0.0");
    assert_true(says(consensus, "the machine (flora@1.0.0) is 90% sure of Rosa bella"));
    json_decref(consensus);
    consensus = give(host, OBS, identification(OBS, "taxon:b", 0.69));
    assert_true(truth(consensus, "valid"));
    json_decref(consensus);
    json_decref(give_tombstone(host, OBS, OBS ":validation:bob"));
    consensus = give(host, OBS, identification(OBS, "taxon:a", 1));
    assert_false(truth(consensus, "valid"));
    assert_string_equal(effect(consensus), "none");
    json_decref(consensus);
    fake_host_free(host);
}

/* Two newcomers and the machine: 1.4839 + 1.7 >= 2. */
static void a_machine_that_votes_can_give_validity_and_it_is_told(void **state) {
    (void)state;
    struct fake_host *host = host_with(json_pack("{s:s}", "machine", "confident"), NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                           vote(OBS, "cat", "taxon:a", 2), identification(OBS, "taxon:a", 0.8)};
    json_t *consensus = after(host, documents, 4);
    assert_true(truth(consensus, "valid"));
    assert_float_equal(figure(consensus, "confidence"), 1.4839 + 1.7, 1e-4);
    assert_string_equal(effect(consensus), "granted");
    assert_false(truth(method(consensus, "plantnet"), "valid")); /* of people alone */
    json_decref(consensus);
    come_to_rest(host);
    const json_t *machine = json_object_get(told(host, "epoch", "consensus", NULL), "machine");
    assert_int_equal(figure(machine, "granted"), 1);
    assert_float_equal(figure(machine, "share"), 1, 1e-9);
    assert_float_equal(fake_host_counted(host, "machine_granted"), 1, 0);
    fake_host_free(host);
}

static void a_machine_that_is_off_does_nothing(void **state) {
    (void)state;
    struct fake_host *host = host_with(json_pack("{s:s}", "machine", "off"), NULL);
    json_decref(three_for_a(host));
    json_t *consensus = give(host, OBS, identification(OBS, "taxon:b", 1));
    assert_true(truth(consensus, "valid"));
    json_decref(consensus);
    fake_host_free(host);
}

/* ---- documents that go, or say nothing ---- */

static void a_deleted_observation_takes_its_consensus_along(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_decref(give(host, OBS, observation(OBS, "ann", "taxon:a")));
    struct fake_item *item = fake_item_new(OBS);
    fake_item_tombstone(item, OBS ":observation");
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->noutputs, 1);
    assert_null(item->outputs[0].document);
    assert_string_equal(item->outputs[0].kind, "consensus");
    fake_item_free(item);
    fake_host_free(host);
}

static void a_vote_that_says_nothing_is_rejected_with_words(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    struct fake_item *item = fake_item_new(OBS);
    fake_item_doc(item, json_pack("{s:s, s:s, s:s}", "_id", OBS ":validation:bob", "kind", "validation",
                                  "vote", "perhaps"));
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->verdict, LINNET_REJECT);
    assert_non_null(strstr(item->reason, "not-a-plant"));
    fake_item_free(item);
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_newcomers_validate_and_two_do_not),
        cmocka_unit_test(a_synonym_counts_for_its_accepted_name_and_is_told),
        cmocka_unit_test(people_who_disagree_on_the_species_agree_on_the_genus),
        cmocka_unit_test(a_genus_vote_is_neutral_to_its_species),
        cmocka_unit_test(explicit_disagreement_takes_the_species_away),
        cmocka_unit_test(pl_ntnets_own_method_can_be_had),
        cmocka_unit_test(the_authors_proposal_is_a_vote_until_the_author_validates),
        cmocka_unit_test(a_blocked_user_counts_for_nothing_and_is_shown),
        cmocka_unit_test(a_sure_machine_takes_validity_away_and_never_gives_it),
        cmocka_unit_test(a_machine_that_votes_can_give_validity_and_it_is_told),
        cmocka_unit_test(a_machine_that_is_off_does_nothing),
        cmocka_unit_test(a_deleted_observation_takes_its_consensus_along),
        cmocka_unit_test(a_vote_that_says_nothing_is_rejected_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
