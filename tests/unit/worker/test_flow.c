/* The flow from end to end, on a store. */
#include "tests/unit/worker/fixture.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"

static struct store *fresh_store(void **state) {
    struct store *store = store_new();
    *state = store;
    return store;
}

static const char *get_string(struct store *store, const char *id, const char *path) {
    static char text[256];
    json_t *document = store_get(store, LINNET_DB_MAIN, id);
    snprintf(text, sizeof(text), "%s", linnet_json_string(document, path, "(none)"));
    json_decref(document);
    return text;
}

static long long get_integer(struct store *store, const char *id, const char *path) {
    json_t *document = store_get(store, LINNET_DB_MAIN, id);
    long long value = linnet_json_integer(document, path, -1);
    json_decref(document);
    return value;
}

/* ---- */

static void each_document_gets_its_result_once(void **state) {
    struct store *store = fresh_store(state);
    for (unsigned i = 0; i < 50; i++)
        store_put(store, sample_observation(i, i % 4));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    for (unsigned i = 50; i < 60; i++)
        store_put(store, sample_observation(i, i % 4));
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 60);
    assert_int_equal(stages_processed(), 60);
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(get_integer(store, sample_id(i, "identification"), "views"), i % 4);
        assert_int_equal(get_string(store, sample_id(i, "identification"), "_rev")[0], '1');
    }
    fixture_free(f);
    store_free(store);
}

static void a_result_leads_to_the_next_stage(void **state) {
    struct store *store = fresh_store(state);
    for (unsigned i = 0; i < 10; i++) {
        store_put(store, sample_observation(i, 2));
        store_put(store, sample_image(i, "d0", "abc", NULL));
        store_put(store, sample_image(i, "d1", "defgh", NULL));
    }
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":normalized:"), 20);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(get_integer(store, sample_id(i, "identification"), "bytes"), 8);
    /* Both pictures were there, so one tally of both. */
    assert_int_equal(stages_processed(), 30);
    fixture_free(f);
    store_free(store);
}

static void nothing_is_computed_again_without_checkpoints(void **state) {
    struct store *store = fresh_store(state);
    for (unsigned i = 0; i < 20; i++) {
        store_put(store, sample_observation(i, 1));
        store_put(store, sample_image(i, "d0", "abc", NULL));
    }
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 40);
    json_t *before = store_all(store, LINNET_DB_MAIN);
    fixture_close(f);
    stages_reset();
    fixture_open(f, &stage_copy, &stage_tally, NULL); /* no checkpoint was kept */
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);
    json_t *after = store_all(store, LINNET_DB_MAIN);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    fixture_free(f);
    store_free(store);
}

static void nothing_is_computed_again_the_sparse_way(void **state) {
    struct store *store = fresh_store(state);
    for (unsigned i = 0; i < 20; i++)
        store_put(store, sample_observation(i, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_close(f);
    stages_reset();
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);
    fixture_free(f);
    store_free(store);
}

static void a_restart_goes_on_from_its_checkpoints(void **state) {
    struct store *store = fresh_store(state);
    for (unsigned i = 0; i < 20; i++)
        store_put(store, sample_observation(i, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_drain(f);
    fixture_keep_checkpoints(f);
    fixture_close(f);
    double changes = fixture_metric(f, "linnet_changes_total", NULL);
    store_put(store, sample_observation(20, 3));
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 21);
    /* The new one and its result; nothing older was told again. */
    assert_int_equal((int)(fixture_metric(f, "linnet_changes_total", NULL) - changes), 2);
    fixture_free(f);
    store_free(store);
}

static void a_changed_input_makes_the_result_anew(void **state) {
    struct store *store = fresh_store(state);
    store_put(store, sample_observation(1, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    json_t *document = store_get(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    json_array_append_new(json_object_get(document, "views"), json_pack("{s:s}", "image", "d9"));
    store_put(store, document);
    fixture_settle(f);
    assert_int_equal(get_integer(store, sample_id(1, "identification"), "views"), 2);
    assert_int_equal(get_string(store, sample_id(1, "identification"), "_rev")[0], '2');
    fixture_free(f);
    store_free(store);
}

static void a_result_by_another_hand_is_settled_by_its_digest(void **state) {
    struct store *store = fresh_store(state);
    store_put(store, sample_observation(1, 1));
    json_t *other = sample_observation(2, 1);
    json_object_set_new(other, "do", json_string("hold"));
    store_put(store, other);
    struct fixture *f = fixture_new(store);
    stages_release(false);
    fixture_open(f, &stage_note, NULL);
    bool held = false;
    (void)held;
    /* While the stage holds the second, somebody else writes its result: first another one, which is
     * replaced. */
    fixture_linger(f, 300);
    store_put(store, json_pack("{s:s, s:s, s:s}", "_id", sample_id(2, "identification"), "kind",
                               "identification", "digest", "made of something else"));
    stages_release(true);
    fixture_settle(f);
    assert_int_equal(get_integer(store, sample_id(2, "identification"), "views"), 1);
    assert_int_equal(get_string(store, sample_id(2, "identification"), "_rev")[0], '2');
    fixture_free(f);
    store_free(store);
}

int main(int argc, char **argv) {
    linnet_log_setup(LINNET_WARN, 1, 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_document_gets_its_result_once),
        cmocka_unit_test(a_result_leads_to_the_next_stage),
        cmocka_unit_test(nothing_is_computed_again_without_checkpoints),
        cmocka_unit_test(nothing_is_computed_again_the_sparse_way),
        cmocka_unit_test(a_restart_goes_on_from_its_checkpoints),
        cmocka_unit_test(a_changed_input_makes_the_result_anew),
        cmocka_unit_test(a_result_by_another_hand_is_settled_by_its_digest),
    };
    return cmocka_run_group_tests(tests, store_start, store_stop);
}
