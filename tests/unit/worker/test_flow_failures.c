/* What fails: dead letters, retries, breaks of the store. */
#include "tests/unit/worker/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

static json_t *with(json_t *document, const char *todo) {
    json_object_set_new(document, "do", json_string(todo));
    return document;
}

/* Change a document's "do". */
static void change(struct store *store, const char *id, const char *todo) {
    json_t *document = store_get(store, LINNET_DB_MAIN, id);
    assert_non_null(document);
    if (todo)
        json_object_set_new(document, "do", json_string(todo));
    else
        json_object_del(document, "do");
    store_put(store, document);
}

static char *letter_of(char *out, const char *what, const char *stage, const char *id) {
    snprintf(out, LINNET_ID_MAX, "%s:%s:%s", what, stage, id);
    return out;
}

static void a_rejected_item_leaves_a_dead_letter_that_says_why(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "reject"));
    store_put(store, sample_observation(2, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    char id[LINNET_ID_MAX];
    json_t *letter =
        store_get(store, LINNET_DB_OPS, letter_of(id, "deadletter", "note", sample_id(1, "observation")));
    assert_non_null(letter);
    assert_string_equal(linnet_json_string(letter, "reason", ""), "refused: d\xc3\xa9j\xc3\xa0 vu");
    assert_string_equal(linnet_json_string(letter, "class", ""), "permanent");
    assert_string_equal(linnet_json_string(letter, "inputs/0/id", ""), sample_id(1, "observation"));
    assert_int_equal(linnet_json_integer(letter, "attempts", 0), 1);
    json_decref(letter);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 1);

    /* It stands through a restart without checkpoints: nothing is tried again. */
    fixture_close(f);
    stages_reset();
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);

    /* Another input tries again, and a success clears it. */
    change(store, sample_id(1, "observation"), NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 2);
    fixture_drain(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, "deadletter:"), 0);
    fixture_free(f);
    store_free(store);
}

static bool has_identification(void *arg) {
    return store_count(arg, LINNET_DB_MAIN, ":identification") > 0;
}

static bool has_no_letters(void *arg) {
    return store_count(arg, LINNET_DB_OPS, ":") == 0;
}

static bool has_parked(void *arg) {
    return store_count(arg, LINNET_DB_OPS, "retry:") > 0;
}

static void a_dead_letter_is_sent_round_again_by_a_retry_document(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "retry"));
    char id[LINNET_ID_MAX];
    struct fixture *f = fixture_new(store);
    json_t *letter = linnet_deadletter_document("note", NULL, sample_id(1, "observation"), "it crashed",
                                                "crash", 2, NULL, "w");
    store_put_all(store, LINNET_DB_OPS, json_pack("[o]", letter), true);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0); /* one without inputs answers for the document */
    stages_heal(true);
    store_put_all(store, LINNET_DB_OPS,
                  json_pack("[o]", linnet_retry_document("note", sample_id(1, "observation"),
                                                         linnet_time_now(), 0, "sent")),
                  true);
    store_delete(store, LINNET_DB_OPS, letter_of(id, "deadletter", "note", sample_id(1, "observation")));
    fixture_until(f, has_identification, store);
    fixture_until(f, has_no_letters, store);
    fixture_free(f);
    store_free(store);
}

static void what_fails_for_a_while_goes_on_when_it_heals(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "retry"));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_linger(f, 700);
    const char *low = linnet_flow_checkpoint(f->flow, linnet_share_of(sample_ulid(1), LINNET_SHARES));
    assert_null(low); /* it is not answered */
    stages_heal(true);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 1);
    assert_int_equal(store_count(store, LINNET_DB_OPS, ":"), 0);
    fixture_free(f);
    store_free(store);
}

static void what_fails_for_long_is_parked_and_taken_up_when_its_time_comes(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "retry"));
    struct fixture *f = fixture_new(store);
    f->options.park_ms = 300;
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f); /* parked is answered */
    char id[LINNET_ID_MAX];
    letter_of(id, "retry", "note", sample_id(1, "observation"));
    json_t *letter = store_get(store, LINNET_DB_OPS, id);
    assert_non_null(letter);
    assert_string_equal(linnet_json_string(letter, "reason", ""), "not yet");
    int64_t at = 0;
    assert_int_equal(linnet_time_parse(linnet_json_string(letter, "at", ""), &at), 0);
    assert_true(at > linnet_time_now() + 5000);
    /* Nothing before its time, not even after a restart without checkpoints. */
    fixture_close(f);
    stages_reset();
    stages_heal(true);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);
    /* Its time comes. */
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    json_object_set_new(letter, "at", json_string(now));
    store_put_all(store, LINNET_DB_OPS, json_pack("[o]", letter), true);
    fixture_until(f, has_identification, store);
    fixture_until(f, has_no_letters, store);
    assert_int_equal(stages_processed(), 1);
    fixture_free(f);
    store_free(store);
}

static bool is_parked_again(void *arg) {
    json_t *all = store_all(arg, LINNET_DB_OPS);
    bool again = linnet_json_integer(json_object_iter_value(json_object_iter(all)), "attempts", 0) == 8;
    json_decref(all);
    return again;
}

static void a_parked_one_that_fails_again_is_parked_for_longer(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "retry"));
    struct fixture *f = fixture_new(store);
    f->options.park_ms = 1;
    store_put_all(store, LINNET_DB_OPS,
                  json_pack("[o]", linnet_retry_document("note", sample_id(1, "observation"),
                                                         linnet_time_now() - 1, 7, "x")),
                  true);
    fixture_open(f, &stage_note, NULL);
    fixture_until(f, is_parked_again, store);
    fixture_free(f);
    store_free(store);
}

static void draining_parks_what_backs_off(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "retry"));
    store_put(store, sample_observation(2, 1));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_until(f, has_identification, store);
    fixture_linger(f, 200);
    fixture_drain(f);
    assert_true(has_parked(store));
    fixture_free(f);
    store_free(store);
}

static void a_picture_that_is_not_there_is_a_dead_letter(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, sample_observation(1, 1));
    store_put(store, json_pack("{s:s, s:s}", "_id", sample_id(1, "image:d0"), "kind", "image"));
    store_put(store, sample_image(1, "d1", "much too long for the limit", NULL));
    struct fixture *f = fixture_new(store);
    f->options.blob_limit = 10;
    fixture_open(f, &stage_copy, NULL);
    fixture_settle(f);
    char id[LINNET_ID_MAX];
    json_t *missing =
        store_get(store, LINNET_DB_OPS, letter_of(id, "deadletter", "copy", sample_id(1, "image:d0")));
    json_t *big =
        store_get(store, LINNET_DB_OPS, letter_of(id, "deadletter", "copy", sample_id(1, "image:d1")));
    assert_string_equal(linnet_json_string(missing, "reason", ""), "there is no original");
    assert_string_equal(linnet_json_string(big, "reason", ""),
                        "attachment original has 27 bytes, the limit is 10");
    json_decref(missing);
    json_decref(big);
    fixture_close(f);
    stages_reset();
    fixture_open(f, &stage_copy, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 0);
    fixture_free(f);
    store_free(store);
}

static void documents_that_are_not_what_they_should_be_are_dead_letters(void **state) {
    (void)state;
    struct store *store = store_new();
    struct linnet_schemas *schemas = linnet_schemas_new();
    struct linnet_error err;
    json_t *schema = json_pack("{s:s, s:{s:{s:s, s:i}}}", "type", "object", "properties", "views", "type",
                               "array", "maxItems", 3);
    if (linnet_schemas_add(schemas, "observation", schema, &err)) fail_msg("%s", err.detail);
    json_decref(schema);
    store_put(store, sample_observation(1, 4));
    store_put(store, sample_observation(2, 3));
    struct fixture *f = fixture_new(store);
    f->options.schemas = schemas;
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 1);
    char id[LINNET_ID_MAX];
    json_t *letter =
        store_get(store, LINNET_DB_OPS, letter_of(id, "deadletter", "note", sample_id(1, "observation")));
    assert_non_null(strstr(linnet_json_string(letter, "reason", ""), "/views"));
    json_decref(letter);
    /* The same again without checkpoints, and mended. */
    fixture_close(f);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    json_t *document = store_get(store, LINNET_DB_MAIN, sample_id(1, "observation"));
    json_array_remove(json_object_get(document, "views"), 0);
    store_put(store, document);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 2);
    fixture_drain(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, ":"), 0);
    fixture_free(f);
    linnet_schemas_free(schemas);
    store_free(store);
}

static void a_skipped_item_is_answered(void **state) {
    (void)state;
    struct store *store = store_new();
    store_put(store, with(sample_observation(1, 1), "skip"));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 1);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 0);
    fixture_free(f);
    store_free(store);
}

/* ---- the store breaks ---- */

static bool some_are_done(void *arg) {
    struct fixture *f = arg;
    return fixture_metric(f, "linnet_stage_processed_total", "stage=\"copy\"") >= 20;
}

static void a_store_that_dies_in_the_middle_loses_and_doubles_nothing(void **state) {
    (void)state;
    if (!store_is_ours()) skip();
    enum { N = 60 };
    struct store *store = store_new();
    for (unsigned i = 0; i < N; i++) {
        store_put(store, sample_observation(i, 1));
        store_put(store, sample_image(i, "d0", "abc", NULL));
    }
    struct fixture *f = fixture_new(store);
    f->options.bulk_documents = 5;
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    for (int round = 0; round < 2; round++) {
        fixture_until(f, some_are_done, f);
        store_kill();
        fixture_linger(f, 500);
        store_restart();
    }
    fixture_settle(f);
    json_t *all = store_all(store, LINNET_DB_MAIN), *document;
    const char *id;
    assert_int_equal(json_object_size(all), 4 * N);
    json_object_foreach(all, id, document) {
        if (strstr(id, ":identification")) assert_int_equal(linnet_json_integer(document, "bytes", 0), 3);
        /* Once: whatever happened to the acknowledgement, no result was written over itself. */
        if (strstr(id, ":normalized:")) assert_int_equal(atoi(linnet_json_string(document, "_rev", "")), 1);
    }
    json_decref(all);
    fixture_free(f);
    store_free(store);
}

static void without_its_database_it_cannot_go_on(void **state) {
    (void)state;
    struct store *store = store_new();
    char path[128];
    snprintf(path, sizeof(path), "/%s", store_database(store, LINNET_DB_OPS));
    json_decref(store_request(store, "DELETE", path, NULL, 0));
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_linger(f, 300);
    assert_int_equal(f->fatal, LINNET_E_NOT_FOUND);
    fixture_free(f);
    store_free(store);
}

int main(int argc, char **argv) {
    linnet_log_setup(LINNET_ERROR, 1, 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rejected_item_leaves_a_dead_letter_that_says_why),
        cmocka_unit_test(a_dead_letter_is_sent_round_again_by_a_retry_document),
        cmocka_unit_test(what_fails_for_a_while_goes_on_when_it_heals),
        cmocka_unit_test(what_fails_for_long_is_parked_and_taken_up_when_its_time_comes),
        cmocka_unit_test(a_parked_one_that_fails_again_is_parked_for_longer),
        cmocka_unit_test(draining_parks_what_backs_off),
        cmocka_unit_test(a_picture_that_is_not_there_is_a_dead_letter),
        cmocka_unit_test(documents_that_are_not_what_they_should_be_are_dead_letters),
        cmocka_unit_test(a_skipped_item_is_answered),
        cmocka_unit_test(a_store_that_dies_in_the_middle_loses_and_doubles_nothing),
        cmocka_unit_test(without_its_database_it_cannot_go_on),
    };
    return cmocka_run_group_tests(tests, store_start, store_stop);
}
