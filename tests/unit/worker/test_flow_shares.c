/* Shares gained and lost, catching up, leases that are too old, draining, reloading, backfilling. */
#include "tests/unit/worker/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"

static unsigned share_of(unsigned n) {
    return linnet_share_of(sample_ulid(n), LINNET_SHARES);
}

static size_t count_of_shares(unsigned n, unsigned first, unsigned last) {
    size_t count = 0;
    for (unsigned i = 0; i < n; i++)
        count += share_of(i) >= first && share_of(i) <= last;
    return count;
}

static void put_observations(struct store *store, unsigned from, unsigned to) {
    json_t *documents = json_array();
    for (unsigned i = from; i < to; i++)
        json_array_append_new(documents, sample_observation(i, 1));
    store_put_all(store, LINNET_DB_MAIN, documents, true);
}

static const struct linnet_plugin *const only_note[] = {&stage_note};

struct many {
    struct fixture *f;
    size_t n;
};

static bool are_written(void *arg) {
    struct many *many = arg;
    return store_count(many->f->store, LINNET_DB_MAIN, ":identification") >= many->n;
}

static void wait_for(struct fixture *f, size_t n) {
    struct many many = {f, n};
    fixture_until(f, are_written, &many);
}

/* ---- */

static void only_its_own_shares_are_worked_on(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 200);
    struct fixture *f = fixture_new(store);
    fixture_open_without_shares(f, only_note, 1);
    fixture_gain(f, 0, 15);
    wait_for(f, count_of_shares(200, 0, 15));
    fixture_linger(f, 200);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), count_of_shares(200, 0, 15));
    assert_int_equal(stages_processed(), count_of_shares(200, 0, 15));
    fixture_free(f);
    store_free(store);
}

static void shares_gained_later_are_caught_up(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 200);
    struct fixture *f = fixture_new(store);
    fixture_open_without_shares(f, only_note, 1);
    fixture_gain(f, 0, 15);
    wait_for(f, count_of_shares(200, 0, 15));
    fixture_gain(f, 16, 39); /* from the beginning */
    put_observations(store, 200, 300);
    fixture_gain(f, 40, 63);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 300);
    assert_int_equal(stages_processed(), 300);
    assert_true(linnet_flow_ready(f->flow));
    fixture_free(f);
    store_free(store);
}

static void shares_of_unequal_checkpoints_all_come_to_the_end(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 100);
    struct fixture *f = fixture_new(store);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_drain(f);
    fixture_keep_checkpoints(f);
    fixture_close(f);
    put_observations(store, 100, 200);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_drain(f);
    /* A quarter keeps its old checkpoint, a quarter has none, the rest goes on from here. */
    char *old = strdup(f->checkpoints[0]);
    fixture_keep_checkpoints(f);
    for (unsigned i = 0; i < 32; i++) {
        free(f->checkpoints[i]);
        f->checkpoints[i] = i < 16 ? strdup(old) : NULL;
    }
    free(old);
    fixture_close(f);
    stages_reset();
    put_observations(store, 200, 300);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 300);
    assert_int_equal(stages_processed(), 100);
    fixture_free(f);
    store_free(store);
}

static void a_lost_share_is_left_alone_and_read_again_when_regained(void **state) {
    (void)state;
    struct store *store = store_new();
    unsigned n = 5;
    json_t *held = sample_observation(n, 1);
    json_object_set_new(held, "do", json_string("hold"));
    store_put(store, held);
    struct fixture *f = fixture_new(store);
    stages_release(false);
    fixture_open(f, &stage_note, NULL);
    fixture_linger(f, 300);
    linnet_flow_share_lost(f->flow, share_of(n));
    stages_release(true);
    fixture_linger(f, 300);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 0);
    assert_null(linnet_flow_checkpoint(f->flow, share_of(n)));
    fixture_gain(f, share_of(n), share_of(n));
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 1);
    fixture_free(f);
    store_free(store);
}

static bool all_are_late(void *arg) {
    struct fixture *f = arg;
    for (unsigned i = 0; i < 20; i++)
        if (!f->late_told[share_of(i)]) return false;
    return true;
}

static void nothing_is_written_under_a_lease_that_is_too_old(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 20);
    struct fixture *f = fixture_new(store);
    f->forbidden = true;
    fixture_open(f, &stage_note, NULL);
    fixture_until(f, all_are_late, f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 0);
    f->forbidden = false;
    bool regained[LINNET_SHARES] = {false};
    for (unsigned i = 0; i < 20; i++) {
        if (!regained[share_of(i)]) fixture_gain(f, share_of(i), share_of(i));
        regained[share_of(i)] = true;
    }
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 20);
    fixture_free(f);
    store_free(store);
}

static void note_release(void *arg, unsigned share) {
    (void)share;
    ++*(unsigned *)arg;
}

static bool is_one(void *arg) {
    return *(unsigned *)arg == 1;
}

static void a_released_share_ends_its_work_first(void **state) {
    (void)state;
    struct store *store = store_new();
    unsigned n = 5, released = 0;
    json_t *held = sample_observation(n, 1);
    json_object_set_new(held, "do", json_string("hold"));
    store_put(store, held);
    struct fixture *f = fixture_new(store);
    stages_release(false);
    fixture_open(f, &stage_note, NULL);
    fixture_linger(f, 300);
    assert_int_equal(linnet_flow_share_release(f->flow, share_of(n), note_release, &released), 0);
    fixture_linger(f, 200);
    assert_int_equal(released, 0);
    assert_null(linnet_flow_checkpoint(f->flow, share_of(n)));
    stages_release(true);
    fixture_until(f, is_one, &released);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 1);
    assert_non_null(linnet_flow_checkpoint(f->flow, share_of(n)));
    linnet_flow_share_lost(f->flow, share_of(n));
    assert_int_equal(linnet_flow_share_release(f->flow, share_of(n), note_release, &released),
                     LINNET_E_NOT_FOUND);
    fixture_free(f);
    store_free(store);
}

static void draining_ends_what_is_under_way_and_takes_in_no_more(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 500);
    struct fixture *f = fixture_new(store);
    f->options.tasks_limit = 64;
    fixture_open(f, &stage_note, NULL);
    wait_for(f, 1);
    fixture_drain(f);
    fixture_keep_checkpoints(f);
    size_t done = store_count(store, LINNET_DB_MAIN, ":identification");
    assert_int_equal(done, stages_processed());
    fixture_close(f);
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 500);
    assert_int_equal(stages_processed(), 500);
    fixture_free(f);
    store_free(store);
}

static void closing_in_the_middle_loses_nothing(void **state) {
    (void)state;
    struct store *store = store_new();
    struct fixture *f = fixture_new(store);
    for (unsigned i = 0; i < 40; i++) {
        store_put(store, sample_observation(i, 1));
        store_put(store, sample_image(i, "d0", "abc", NULL));
    }
    for (unsigned ms = 0; ms < 100; ms += 20) {
        fixture_open(f, &stage_copy, &stage_tally, NULL);
        fixture_linger(f, ms);
        fixture_keep_checkpoints(f);
        fixture_close(f);
    }
    fixture_open(f, &stage_copy, &stage_tally, NULL);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 40);
    fixture_free(f);
    store_free(store);
}

static void a_backlog_pauses_the_feed_and_stays_within_its_bounds(void **state) {
    (void)state;
    struct store *store = store_new();
    for (unsigned i = 0; i < 3000; i += 1000)
        put_observations(store, i, i + 1000);
    struct fixture *f = fixture_new(store);
    f->options.tasks_limit = 100;
    f->options.span_limit = 400;
    fixture_open(f, &stage_note, NULL);
    struct many many = {f, 3000};
    size_t most = 0;
    while (!are_written(&many)) {
        json_t *status = linnet_flow_status(f->flow);
        size_t tasks = (size_t)linnet_json_integer(status, "tasks", 0);
        if (tasks > most) most = tasks;
        json_decref(status);
        fixture_linger(f, 20);
    }
    /* What the socket had delivered when the feed was paused still comes. */
    assert_in_range(most, 1, 400);
    fixture_settle(f);
    assert_int_equal(stages_processed(), 3000);
    fixture_free(f);
    store_free(store);
}

/* ---- reload and backfill ---- */

static bool is_true(void *arg) {
    return *(bool *)arg;
}

static void set(void *arg) {
    *(bool *)arg = true;
}

/* Replace the stages of an open fixture by ones with this configuration. */
static void reload(struct fixture *f, const char *by) {
    struct linnet_error err;
    struct linnet_stage *old = f->stages[0].stage;
    json_t *config = json_pack("{s:s}", "by", by);
    struct linnet_stage_options options = {.config = config,
                                           .threads = 1,
                                           .metrics = f->metrics,
                                           .done = linnet_flow_work_done,
                                           .done_arg = f->flow};
    if (linnet_stage_open(&f->loop, f->files[0], &options, &f->stages[0].stage, &err))
        fail_msg("%s", err.detail);
    f->stages[0].policy = f->policy;
    if (linnet_flow_set_stages(f->flow, f->stages, 1, &err)) fail_msg("%s", err.detail);
    bool drained = false, closed = false;
    linnet_stage_drain(old, set, &drained);
    fixture_until(f, is_true, &drained);
    linnet_stage_close(old, set, &closed);
    fixture_until(f, is_true, &closed);
    json_decref(config);
}

static size_t made_by(struct store *store, const char *by) {
    json_t *all = store_all(store, LINNET_DB_MAIN), *document;
    const char *id;
    size_t n = 0;
    json_object_foreach(all, id, document) n += strcmp(linnet_json_string(document, "by", ""), by) == 0;
    json_decref(all);
    return n;
}

static void reloaded_stages_take_over_in_the_middle_of_the_work(void **state) {
    (void)state;
    struct store *store = store_new();
    put_observations(store, 0, 300);
    struct fixture *f = fixture_new(store);
    f->by = "one";
    fixture_open(f, &stage_note, NULL);
    wait_for(f, 1);
    reload(f, "two");
    put_observations(store, 300, 330);
    fixture_settle(f);
    assert_int_equal(store_count(store, LINNET_DB_MAIN, ":identification"), 330);
    assert_int_equal(made_by(store, "one") + made_by(store, "two"), 330);
    assert_true(made_by(store, "two") >= 30);
    assert_int_equal(stages_processed(), 330);
    fixture_free(f);
    store_free(store);
}

static bool backfill_is_done(void *arg) {
    json_t *status = linnet_flow_status(((struct fixture *)arg)->flow);
    bool done = linnet_json_bool(status, "backfill/note/done", false);
    json_decref(status);
    return done;
}

static void a_backfill_makes_anew_what_another_fingerprint_made(void **state) {
    (void)state;
    struct store *store = store_new();
    struct linnet_error err;
    put_observations(store, 0, 300);
    struct fixture *f = fixture_new(store);
    f->by = "one";
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_close(f);
    /* Policy new: older results stay. */
    f->by = "two";
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    assert_int_equal(made_by(store, "one"), 300);
    fixture_close(f);
    stages_reset();
    f->policy = LINNET_POLICY_BACKFILL;
    fixture_open_without_shares(f, only_note, 1);
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        free(f->checkpoints[i]);
        f->checkpoints[i] = NULL;
    }
    assert_int_equal(linnet_flow_backfill(f->flow, "note", &err), 0);
    assert_int_equal(linnet_flow_backfill(f->flow, "note", &err), 0);
    assert_int_equal(linnet_flow_backfill(f->flow, "nothing", &err), LINNET_E_NOT_FOUND);
    fixture_gain(f, 0, 63);
    fixture_until(f, backfill_is_done, f);
    fixture_settle(f);
    assert_int_equal(made_by(store, "two"), 300);
    assert_int_equal(stages_processed(), 300);
    fixture_drain(f);
    assert_int_equal(store_count(store, LINNET_DB_OPS, "backfill:note:"), 64);
    fixture_close(f);
    /* Done is done: asked for again after a restart, nothing is visited. */
    fixture_open(f, &stage_note, NULL);
    assert_int_equal(linnet_flow_backfill(f->flow, "note", &err), 0);
    fixture_until(f, backfill_is_done, f);
    json_t *status = linnet_flow_status(f->flow);
    assert_int_equal(linnet_json_integer(status, "backfill/note/visited", -1), 0);
    json_decref(status);
    fixture_free(f);
    store_free(store);
}

static void fresh_observations_overtake_a_backfill(void **state) {
    (void)state;
    struct store *store = store_new();
    struct linnet_error err;
    put_observations(store, 0, 600);
    struct fixture *f = fixture_new(store);
    f->by = "one";
    fixture_open(f, &stage_note, NULL);
    fixture_settle(f);
    fixture_drain(f);
    fixture_keep_checkpoints(f);
    fixture_close(f);
    f->by = "two";
    f->policy = LINNET_POLICY_BACKFILL;
    fixture_open(f, &stage_note, NULL);
    assert_int_equal(linnet_flow_backfill(f->flow, "note", &err), 0);
    while (made_by(store, "two") == 0)
        fixture_linger(f, 5);
    put_observations(store, 600, 620);
    wait_for(f, 620);
    assert_in_range(made_by(store, "one"), 1,
                    600); /* the backfill was not over when the fresh ones were done */
    fixture_until(f, backfill_is_done, f);
    assert_int_equal(made_by(store, "two"), 620);
    fixture_free(f);
    store_free(store);
}

int main(int argc, char **argv) {
    linnet_log_setup(LINNET_ERROR, 1, 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_shares_are_worked_on),
        cmocka_unit_test(shares_gained_later_are_caught_up),
        cmocka_unit_test(shares_of_unequal_checkpoints_all_come_to_the_end),
        cmocka_unit_test(a_lost_share_is_left_alone_and_read_again_when_regained),
        cmocka_unit_test(nothing_is_written_under_a_lease_that_is_too_old),
        cmocka_unit_test(a_released_share_ends_its_work_first),
        cmocka_unit_test(draining_ends_what_is_under_way_and_takes_in_no_more),
        cmocka_unit_test(closing_in_the_middle_loses_nothing),
        cmocka_unit_test(a_backlog_pauses_the_feed_and_stays_within_its_bounds),
        cmocka_unit_test(reloaded_stages_take_over_in_the_middle_of_the_work),
        cmocka_unit_test(a_backfill_makes_anew_what_another_fingerprint_made),
        cmocka_unit_test(fresh_observations_overtake_a_backfill),
    };
    return cmocka_run_group_tests(tests, store_start, store_stop);
}
