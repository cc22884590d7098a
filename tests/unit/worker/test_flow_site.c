/* Stages of scope site: one owner, documents in order, a state that is saved. */
#include "tests/unit/worker/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

static void vote(struct store *store, unsigned n, const char *user, const char *taxon) {
    store_put(store, sample_validation(n, user, taxon, "2026-05-03T10:00:00Z"));
}

static size_t votes_for(struct store *store, unsigned n) {
    json_t *consensus = store_get(store, LINNET_DB_MAIN, sample_id(n, "consensus"));
    size_t count = json_object_size(json_object_get(consensus, "votes"));
    json_decref(consensus);
    return count;
}

static void votes_and_their_withdrawals_come_in_order(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned n = 0; n < 20; n++) {
        vote(store, n, "u1", "taxon:a");
        vote(store, n, "u2", "taxon:b");
    }
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(votes_for(store, n), 2);
    store_delete(store, LINNET_DB_MAIN, sample_id(3, "validation:u1"));
    store_delete(store, LINNET_DB_MAIN, sample_id(4, "validation:u1"));
    store_delete(store, LINNET_DB_MAIN, sample_id(4, "validation:u2"));
    fixture_settle(f);
    assert_int_equal(votes_for(store, 3), 1);
    assert_null(store_get(store, LINNET_DB_MAIN, sample_id(4, "consensus"))); /* emitted as NULL: deleted */
    json_t *consensus = store_get(store, LINNET_DB_MAIN, sample_id(5, "consensus"));
    assert_int_equal(linnet_json_integer(consensus, "generation", 0), 1);
    json_decref(consensus);
    fixture_free(f);
    store_free(store);
}

static void a_restart_goes_on_from_the_state_that_was_saved(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned n = 0; n < 10; n++)
        vote(store, n, "u1", "taxon:a");
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    fixture_drain(f);
    fixture_close(f);
    stages_reset();
    vote(store, 3, "u2", "taxon:b");
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 1);
    assert_int_equal(votes_for(store, 3), 2); /* it knew the first one */
    fixture_free(f);
    store_free(store);
}

static void a_replay_writes_nothing(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned n = 0; n < 10; n++)
        vote(store, n, "u1", "taxon:a");
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    json_t *before = store_all(store, LINNET_DB_MAIN);
    fixture_close(f);
    char path[128];
    snprintf(path, sizeof(path), "%s/census.json", f->state_dir);
    assert_int_equal(unlink(path), 0);
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 20);
    json_t *after = store_all(store, LINNET_DB_MAIN);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    fixture_free(f);
    store_free(store);
}

static void a_lower_generation_never_overwrites_a_higher(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    store_put(store, json_pack("{s:s, s:s, s:i, s:s}", "_id", sample_id(1, "consensus"), "kind", "consensus",
                               "generation", 7, "by", "a later owner"));
    vote(store, 1, "u1", "taxon:a");
    vote(store, 2, "u1", "taxon:a");
    fixture_open(f, &stage_census, NULL); /* generation 1 */
    fixture_settle(f);
    json_t *consensus = store_get(store, LINNET_DB_MAIN, sample_id(1, "consensus"));
    assert_string_equal(linnet_json_string(consensus, "by", ""), "a later owner");
    json_decref(consensus);
    assert_int_equal(votes_for(store, 2), 1);
    fixture_free(f);
    store_free(store);
}

static bool is_parked(void *arg) {
    return store_count(arg, LINNET_DB_OPS, "retry:census:") == 1;
}

static bool is_not_parked(void *arg) {
    return store_count(arg, LINNET_DB_OPS, "retry:census:") == 0;
}

static void what_fails_is_parked_and_taken_up_again(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    json_t *stubborn = sample_validation(1, "u1", "taxon:a", "2026-05-03T10:00:00Z");
    json_object_set_new(stubborn, "do", json_string("retry"));
    store_put(store, stubborn);
    vote(store, 2, "u1", "taxon:a");
    f->options.park_ms = 300;
    fixture_open(f, &stage_census, NULL);
    fixture_until(f, is_parked, store);
    fixture_settle(f);
    assert_int_equal(votes_for(store, 2), 1);
    assert_int_equal(votes_for(store, 1), 0);
    stages_heal(true);
    json_t *all = store_all(store, LINNET_DB_OPS);
    json_t *letter = json_object_iter_value(json_object_iter(all));
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    json_object_set_new(letter, "at", json_string(now));
    store_put_all(store, LINNET_DB_OPS, json_pack("[O]", letter), true);
    json_decref(all);
    fixture_until(f, is_not_parked, store);
    fixture_settle(f);
    assert_int_equal(votes_for(store, 1), 1);
    fixture_free(f);
    store_free(store);
}

static void a_refused_vote_is_a_dead_letter_until_it_changes(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    json_t *bad = sample_validation(1, "u1", "taxon:a", "2026-05-03T10:00:00Z");
    json_object_set_new(bad, "do", json_string("reject"));
    store_put(store, bad);
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, "deadletter:census:"), 1);
    bad = store_get(store, LINNET_DB_MAIN, sample_id(1, "validation:u1"));
    json_object_del(bad, "do");
    store_put(store, bad);
    fixture_settle(f);
    fixture_drain(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, "deadletter:"), 0);
    assert_int_equal(votes_for(store, 1), 1);
    fixture_free(f);
    store_free(store);
}

static void nothing_is_written_after_the_site_is_lost(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    json_t *held = sample_validation(1, "u1", "taxon:a", "2026-05-03T10:00:00Z");
    json_object_set_new(held, "do", json_string("hold"));
    store_put(store, held);
    stages_release(false);
    fixture_open(f, &stage_census, NULL);
    fixture_linger(f, 300);
    linnet_flow_site_lost(f->flow);
    assert_null(linnet_flow_site_checkpoint(f->flow));
    stages_release(true);
    fixture_linger(f, 300);
    assert_int_equal(votes_for(store, 1), 0);
    struct linnet_error err;
    assert_int_equal(linnet_flow_site_gained(f->flow, 2, &err), 0);
    assert_int_equal(linnet_flow_site_gained(f->flow, 3, &err), LINNET_E_EXISTS);
    fixture_settle(f);
    assert_int_equal(votes_for(store, 1), 1);
    fixture_free(f);
    store_free(store);
}

/* A second stage whose state is of another position (here: none). */
static void a_stage_whose_state_is_older_is_caught_up_beside_the_others(void **state) {
    (void)state;
    static struct linnet_plugin second;
    static const char *const produces[] = {"poll", NULL};
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned n = 0; n < 30; n++)
        vote(store, n, "u1", "taxon:a");
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    fixture_drain(f);
    fixture_close(f);
    stages_reset();
    second = stage_census;
    second.name = "poll";
    second.produces = produces;
    second.restore = NULL; /* it begins with nothing */
    second.snapshot = NULL;
    vote(store, 3, "u2", "taxon:b");
    fixture_open(f, &stage_census, &second, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":poll"), 30);
    json_t *polled = store_get(store, LINNET_DB_MAIN, sample_id(3, "poll"));
    assert_int_equal(json_object_size(json_object_get(polled, "votes")), 2);
    json_decref(polled);
    assert_int_equal(votes_for(store, 3), 2);
    fixture_free(f);
    store_free(store);
}

static void site_and_observation_stages_work_side_by_side(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned n = 0; n < 20; n++) {
        store_put(store, sample_observation(n, 1));
        vote(store, n, "u1", "taxon:a");
    }
    fixture_open(f, &stage_note, &stage_census, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 20);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":consensus"), 20);
    /* The site's results belong to the observation: they go with it. */
    store_delete(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    fixture_settle(f);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, sample_ulid(1)), 0);
    fixture_free(f);
    store_free(store);
}

int main(int argc, char **argv) {
    linnet_log_setup(LINNET_ERROR, 1, 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_and_their_withdrawals_come_in_order),
        cmocka_unit_test(a_restart_goes_on_from_the_state_that_was_saved),
        cmocka_unit_test(a_replay_writes_nothing),
        cmocka_unit_test(a_lower_generation_never_overwrites_a_higher),
        cmocka_unit_test(what_fails_is_parked_and_taken_up_again),
        cmocka_unit_test(a_refused_vote_is_a_dead_letter_until_it_changes),
        cmocka_unit_test(nothing_is_written_after_the_site_is_lost),
        cmocka_unit_test(a_stage_whose_state_is_older_is_caught_up_beside_the_others),
        cmocka_unit_test(site_and_observation_stages_work_side_by_side),
    };
    return cmocka_run_group_tests(tests, store_start, store_stop);
}
