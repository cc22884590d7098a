/* Conflicts and deletions, as the flow settles them on a store. */
#include "tests/unit/worker/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"

/* A leaf as replication brings it: with its own revision. */
static void replicate(struct store *store, json_t *document, int generation, const char *hash) {
    char rest[33];
    memset(rest, '0', 32);
    memcpy(rest, hash, strlen(hash));
    rest[32] = '\0';
    json_object_set_new(document, "_rev", json_sprintf("%d-%s", generation, rest));
    json_object_set_new(document, "_revisions", json_pack("{s:i, s:[s]}", "start", generation, "ids", rest));
    store_put_all(store, LINNET_DB_MAIN, json_pack("[o]", document), false);
}

static json_t *edited(json_t *observation, const char *at, const char *flora) {
    json_object_set_new(observation, "created_at", json_string(at));
    json_object_set_new(observation, "flora", json_string(flora));
    return observation;
}

static json_t *view(const char *image) {
    return json_pack("{s:s}", "image", image);
}

static void two_offline_edits_of_an_observation_become_one(void **state) {
    (void)state;
    struct store *store = store_new();
    json_t *a = edited(sample_observation(1, 0), "2026-05-03T10:00:00Z", "flora:a");
    json_t *b = edited(sample_observation(1, 0), "2026-05-03T11:00:00Z", "flora:b");
    json_array_append_new(json_object_get(a, "views"), view("x"));
    json_array_append_new(json_object_get(b, "views"), view("y"));
    replicate(store, a, 1, "ff");
    replicate(store, b, 1, "aa");
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    json_t *settled = store_get(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    assert_null(json_object_get(settled, "_conflicts"));
    assert_string_equal(linnet_json_string(settled, "flora", ""), "flora:b");
    assert_string_equal(linnet_json_string(settled, "views/0/image", ""), "y");
    assert_string_equal(linnet_json_string(settled, "views/1/image", ""), "x");
    json_t *result = store_get(store, LINNET_DB_MAIN, sample_id(1, "identification"));
    assert_int_equal(linnet_json_integer(result, "views", 0), 2);
    json_decref(result);
    json_decref(settled);
    fixture_free(f);
    store_free(store);
}

static void a_conflict_that_comes_later_under_an_unchanged_winner_is_settled(void **state) {
    (void)state;
    struct store *store = store_new();
    replicate(store, edited(sample_observation(1, 1), "2026-05-03T11:00:00Z", "flora:b"), 1, "ff");
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    replicate(store, edited(sample_observation(1, 1), "2026-05-03T10:00:00Z", "flora:a"), 1, "aa");
    fixture_settle(f);
    json_t *settled = store_get(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    assert_null(json_object_get(settled, "_conflicts"));
    assert_string_equal(linnet_json_string(settled, "flora", ""), "flora:b");
    assert_int_equal(atoi(linnet_json_string(settled, "_rev", "")), 1); /* that leaf was right as it was */
    json_decref(settled);
    fixture_free(f);
    store_free(store);
}

static void of_two_votes_of_a_user_the_later_one_stays(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 1));
    replicate(store, sample_validation(1, "u1", "taxon:old", "2026-05-03T10:00:00Z"), 1, "ff");
    replicate(store, sample_validation(1, "u1", "taxon:new", "2026-05-03T11:00:00Z"), 1, "aa");
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_census, NULL);
    fixture_settle(f);
    json_t *settled = store_get(store, LINNET_DB_MAIN, sample_id(1, "validation:u1"));
    assert_null(json_object_get(settled, "_conflicts"));
    assert_string_equal(linnet_json_string(settled, "taxon", ""), "taxon:new");
    json_t *consensus = store_get(store, LINNET_DB_MAIN, sample_id(1, "consensus"));
    assert_int_equal(json_object_size(json_object_get(consensus, "votes")), 1);
    assert_non_null(json_object_get(json_object_get(consensus, "votes"), "taxon:new"));
    json_decref(consensus);
    json_decref(settled);
    fixture_free(f);
    store_free(store);
}

static bool has_no_tasks(void *arg) {
    struct fixture *f = arg;
    json_t *status = linnet_flow_status(f->flow);
    bool none =
        linnet_json_integer(status, "tasks", 1) == 0 && linnet_json_integer(status, "changes", 0) >= 3;
    json_decref(status);
    return none;
}

/* The change that settles a conflict waits for both: for the leaves to be looked at, and for the stage. */
static void a_settled_conflict_is_not_answered_before_its_vote_is_counted(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 1));
    json_t *held = sample_validation(1, "u1", "taxon:new", "2026-05-03T11:00:00Z");
    json_object_set_new(held, "do", json_string("hold"));
    replicate(store, sample_validation(1, "u1", "taxon:old", "2026-05-03T10:00:00Z"), 1, "ff");
    replicate(store, held, 1, "aa");
    struct fixture *f = fixture_new(store);
    stages_release(false);
    fixture_open(f, &stage_census, NULL);
    fixture_until(f, has_no_tasks, f); /* the conflict is settled, and the stage sits over what stayed */
    fixture_linger(f, 300);
    stages_release(true);
    fixture_settle(f);
    json_t *consensus = store_get(store, LINNET_DB_MAIN, sample_id(1, "consensus"));
    assert_non_null(json_object_get(json_object_get(consensus, "votes"), "taxon:new"));
    json_decref(consensus);
    fixture_free(f);
    store_free(store);
}

static void two_results_become_one(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 3));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    json_t *other = store_get(store, LINNET_DB_MAIN, sample_id(1, "identification"));
    json_object_set_new(other, "views", json_integer(77));
    replicate(store, other, 1, "00");
    fixture_settle(f);
    json_t *result = store_get(store, LINNET_DB_MAIN, sample_id(1, "identification"));
    assert_null(json_object_get(result, "_conflicts"));
    json_decref(result);
    fixture_free(f);
    store_free(store);
}

/* ---- deletion ---- */

static void a_deleted_observation_takes_everything_with_it(void **state) {
    (void)state;
    struct store *store = store_new();
    for (unsigned i = 1; i <= 2; i++) {
        store_put(store, sample_observation(i, 2));
        store_put(store, sample_image(i, "d0", "abc", NULL));
        store_put(store, sample_image(i, "d1", "abc", "reject"));
        store_put(store, sample_validation(i, "u1", "taxon:a", "2026-05-03T10:00:00Z"));
    }
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, "deadletter:"), 2);
    store_delete(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, sample_ulid(1)), 0);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, sample_ulid(2)), 6);
    fixture_drain(f); /* letters are deleted without anybody waiting */
    assert_int_equal(store_count(store, LINNET_DB_OPS, sample_ulid(1)), 0);
    assert_int_equal(store_count(store, LINNET_DB_OPS, sample_ulid(2)), 1);
    fixture_free(f);
    store_free(store);
}

static void a_deletion_in_the_middle_of_the_work_leaves_nothing(void **state) {
    (void)state;
    struct store *store = store_new();
    for (unsigned i = 0; i < 4; i++) {
        store_put(store, sample_observation(i, 1));
        store_put(store, sample_image(i, "d0", "abc", i % 2 ? "hold" : NULL));
    }
    struct fixture *f = fixture_new(store);
    stages_release(false);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_linger(f, 300);
    for (unsigned i = 0; i < 4; i++)
        store_delete(store, LINNET_DB_MAIN, sample_id(i, "observation"));
    fixture_linger(f, 100);
    stages_release(true);
    fixture_settle(f);
    json_t *left = store_all(store, LINNET_DB_MAIN);
    assert_int_equal(json_object_size(left), 0);
    json_decref(left);
    fixture_free(f);
    store_free(store);
}

static void a_deleted_observation_is_cleared_after_a_restart(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_close(f);
    store_delete(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    json_t *left = store_all(store, LINNET_DB_MAIN);
    assert_int_equal(json_object_size(left), 0);
    json_decref(left);
    fixture_free(f);
    store_free(store);
}

static void a_deleted_picture_takes_its_results(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 2));
    store_put(store, sample_image(1, "d0", "abc", NULL));
    store_put(store, sample_image(1, "d1", "defgh", NULL));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    store_delete(store, LINNET_DB_MAIN, sample_id(1, "image:d0"));
    fixture_settle(f);
    assert_null(store_get(store, LINNET_DB_MAIN, sample_id(1, "normalized:d0")));
    json_t *result = store_get(store, LINNET_DB_MAIN, sample_id(1, "identification"));
    assert_int_equal(linnet_json_integer(result, "bytes", 0), 5);
    json_decref(result);
    fixture_free(f);
    store_free(store);
}

static void results_before_their_observation_wait_for_it(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_image(1, "d0", "abc", NULL));
    store_put(store, json_pack("{s:s, s:s, s:{s:s}, s:[{s:s, s:s}]}", "_id", sample_id(1, "normalized:d9"),
                               "kind", "normalized", "stage", "name", "copy", "inputs", "id",
                               sample_id(1, "image:d9"), "digest", "x"));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":normalized:d9"), 1);
    store_put(store, sample_observation(1, 1));
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":normalized:"),
                     2); /* d9's image may be on its way too */
    json_t *result = store_get(store, LINNET_DB_MAIN, sample_id(1, "identification"));
    assert_int_equal(json_array_size(json_object_get(result, "names")), 2);
    json_decref(result);
    fixture_free(f);
    store_free(store);
}

int main(int argc, char **argv) {
    linnet_log_setup(LINNET_ERROR, 1, 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_offline_edits_of_an_observation_become_one),
        cmocka_unit_test(a_conflict_that_comes_later_under_an_unchanged_winner_is_settled),
        cmocka_unit_test(of_two_votes_of_a_user_the_later_one_stays),
        cmocka_unit_test(a_settled_conflict_is_not_answered_before_its_vote_is_counted),
        cmocka_unit_test(two_results_become_one),
        cmocka_unit_test(a_deleted_observation_takes_everything_with_it),
        cmocka_unit_test(a_deletion_in_the_middle_of_the_work_leaves_nothing),
        cmocka_unit_test(a_deleted_observation_is_cleared_after_a_restart),
        cmocka_unit_test(a_deleted_picture_takes_its_results),
        cmocka_unit_test(results_before_their_observation_wait_for_it),
    };
    return cmocka_run_group_tests(tests, store_start, store_stop);
}
