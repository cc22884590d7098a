/* Stages: batches, verdicts, faults of plugins, draining and closing. */
#include "tests/unit/host/actor.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"

static int setup(void **state) {
    *state = actor_new();
    return 0;
}

static int teardown(void **state) {
    actor_free(*state);
    return 0;
}

static void opened(struct actor *actor) {
    if (actor_open(actor)) fail_msg("%s", actor->err.detail);
}

static void submit(struct actor *actor, const char *todo, const char *qualifier) {
    assert_int_equal(actor_submit(actor, actor_work(todo, qualifier)), 0);
}

static void came_back(struct actor *actor, const char *qualifier, enum linnet_verdict verdict,
                      size_t nresults) {
    const struct linnet_work *work = actor_find(actor, qualifier);
    if (work->verdict != verdict || work->nresults != nresults)
        fail_msg("%s: verdict %d (%s), %zu results", qualifier, work->verdict,
                 work->reason ? work->reason : "-", work->nresults);
}

static void stop_loop(void *loop) {
    uv_stop(loop);
}

static double metric(struct actor *actor, const char *name, const char *labels) {
    return linnet_metric_value(linnet_metrics_counter(actor->metrics, name, labels, ""));
}

static void items_come_back_with_verdict_reason_and_completed_results(void **state) {
    struct actor *actor = *state;
    opened(actor);
    submit(actor, "ok", "aa");
    submit(actor, "skip", "bb");
    submit(actor, "retry", "cc");
    submit(actor, "reject", "dd");
    actor_wait(actor, 4);
    came_back(actor, "aa", LINNET_OK, 1);
    came_back(actor, "bb", LINNET_SKIP, 0);
    came_back(actor, "cc", LINNET_RETRY, 0);
    came_back(actor, "dd", LINNET_REJECT, 0);
    assert_string_equal(actor_find(actor, "dd")->reason, "reject");

    const struct linnet_work *work = actor_find(actor, "aa");
    const struct linnet_result *result = &work->results[0];
    assert_string_equal(result->id, ULID ":normalized:aa");
    assert_int_equal(result->database, LINNET_DB_MAIN);
    assert_int_equal(result->nblobs, 1);
    assert_memory_equal(result->blobs[0].bytes->data, "a note", 6);
    assert_string_equal(linnet_json_string(result->document, "_id", ""), ULID ":normalized:aa");
    assert_string_equal(linnet_json_string(result->document, "kind", ""), "normalized");
    assert_string_equal(linnet_json_string(result->document, "stage/name", ""), "actor");
    assert_string_equal(linnet_json_string(result->document, "stage/device", ""), "test");
    assert_string_equal(linnet_json_string(result->document, "stage/fingerprint", ""),
                        linnet_stage_fingerprint(actor->stage));
    assert_string_equal(linnet_json_string(result->document, "inputs/0/id", ""), ULID ":image:aa");
    assert_int_equal(json_array_size(json_object_get(result->document, "inputs")), 1);
    assert_int_equal(strlen(linnet_json_string(result->document, "digest", "")), 64);
    assert_int_equal(metric(actor, "linnet_plugin_acts", "stage=\"actor\""), 3);
    assert_int_equal(metric(actor, "linnet_stage_items_total", "stage=\"actor\",verdict=\"reject\""), 1);
    assert_int_equal(linnet_stage_queued(actor->stage), 0);
}

static void a_full_batch_goes_without_waiting(void **state) {
    struct actor *actor = *state;
    size_t sizes[ACTOR_BATCHES];
    actor->plugin.batch_max = 4;
    actor->plugin.batch_delay_ms = 3600000;
    opened(actor);
    for (int i = 0; i < 8; i++)
        submit(actor, "ok", "aa");
    actor_wait(actor, 8);
    assert_int_equal(actor_batches(sizes), 2);
    assert_int_equal(sizes[0], 4);
    assert_int_equal(sizes[1], 4);
}

static uint32_t two_at_once(void *instance) {
    (void)instance;
    return 2;
}

static void a_batch_is_what_the_instance_wants_at_once(void **state) {
    struct actor *actor = *state;
    size_t sizes[ACTOR_BATCHES];
    actor->plugin.batch_max = 4;
    actor->plugin.batch = two_at_once;
    actor->plugin.batch_delay_ms = 3600000;
    opened(actor);
    for (int i = 0; i < 4; i++)
        submit(actor, "ok", "aa");
    actor_wait(actor, 4);
    assert_int_equal(actor_batches(sizes), 2);
    assert_int_equal(sizes[0], 2);
    assert_int_equal(sizes[1], 2);
}

static void a_small_batch_goes_when_its_first_has_waited(void **state) {
    struct actor *actor = *state;
    actor->plugin.batch_max = 100;
    actor->plugin.batch_delay_ms = 3;
    opened(actor);
    submit(actor, "ok", "aa");
    actor_wait(actor, 1);
    came_back(actor, "aa", LINNET_OK, 1);
    assert_true(actor->works[0]->queued_s >= 0.003);
}

static void a_suspect_is_a_batch_of_one(void **state) {
    struct actor *actor = *state;
    size_t sizes[ACTOR_BATCHES];
    opened(actor);
    submit(actor, "wait", "gate");
    actor_await_gate();
    submit(actor, "ok", "aa");
    struct linnet_work *suspect = actor_work("ok", "suspect");
    suspect->alone = true;
    assert_int_equal(actor_submit(actor, suspect), 0);
    submit(actor, "ok", "bb");
    submit(actor, "ok", "cc");
    actor_gate_open(1);
    actor_wait(actor, 5);
    assert_int_equal(actor_batches(sizes), 4);
    assert_int_equal(sizes[1], 1);
    assert_int_equal(sizes[2], 1);
    assert_int_equal(sizes[3], 2);
}

static void a_full_queue_leaves_the_work_with_the_caller(void **state) {
    struct actor *actor = *state;
    actor->options.queue_limit = 2;
    opened(actor);
    submit(actor, "wait", "gate");
    actor_await_gate();
    submit(actor, "ok", "aa");
    submit(actor, "ok", "bb");
    struct linnet_work *work = actor_work("ok", "cc");
    assert_int_equal(actor_submit(actor, work), LINNET_E_FULL);
    actor_gate_open(1);
    actor_wait(actor, 3);
    assert_int_equal(actor_submit(actor, work), 0);
    actor_wait(actor, 4);
    came_back(actor, "cc", LINNET_OK, 1);
}

static void a_failing_batch_is_tried_item_by_item(void **state) {
    struct actor *actor = *state;
    actor->plugin.batch_max = 4;
    actor->plugin.batch_delay_ms = 3600000;
    opened(actor);
    submit(actor, "ok", "aa");
    submit(actor, "fail", "culprit");
    submit(actor, "reject", "bb");
    submit(actor, "ok", "cc");
    actor_wait(actor, 4);
    came_back(actor, "aa", LINNET_OK, 1);
    came_back(actor, "bb", LINNET_REJECT, 0);
    came_back(actor, "cc", LINNET_OK, 1);
    came_back(actor, "culprit", LINNET_RETRY, 0);
    assert_non_null(strstr(actor_find(actor, "culprit")->reason, "5"));
    assert_int_equal(metric(actor, "linnet_stage_processed_total", "stage=\"actor\""), 8);
}

static void a_broken_instance_is_replaced_and_the_item_tried_again(void **state) {
    struct actor *actor = *state;
    opened(actor);
    void *before = linnet_stage_instance(actor->stage);
    submit(actor, "break-once", "aa");
    actor_wait(actor, 1);
    came_back(actor, "aa", LINNET_OK, 1);
    assert_int_equal(actor_opened(), 2);
    assert_int_equal(actor_closed(), 1);
    assert_ptr_not_equal(linnet_stage_instance(actor->stage), before);
    assert_int_equal(metric(actor, "linnet_stage_reopened_total", "stage=\"actor\""), 1);
}

static void an_item_that_breaks_every_instance_goes_back(void **state) {
    struct actor *actor = *state;
    actor->plugin.batch_max = 2;
    actor->plugin.batch_delay_ms = 3600000;
    opened(actor);
    submit(actor, "break", "aa");
    submit(actor, "ok", "bb");
    actor_wait(actor, 2);
    came_back(actor, "aa", LINNET_RETRY, 0);
    assert_non_null(strstr(actor_find(actor, "aa")->reason, "broke on it: break"));
    came_back(actor, "bb", LINNET_OK, 1);
    assert_int_equal(actor_opened(), 3);
    submit(actor, "ok", "cc");
    submit(actor, "ok", "dd");
    actor_wait(actor, 4);
    came_back(actor, "dd", LINNET_OK, 1);
}

static void without_a_new_instance_the_stage_fails_and_everything_comes_back(void **state) {
    struct actor *actor = *state;
    opened(actor);
    actor_refuse_open(1, "no device is left");
    void *front = linnet_stage_instance(actor->stage);
    submit(actor, "break", "aa");
    submit(actor, "ok", "bb");
    actor_wait(actor, 2);
    came_back(actor, "aa", LINNET_RETRY, 0);
    while (!*actor->failure)
        uv_run(&actor->loop, UV_RUN_ONCE);
    assert_string_equal(actor->failure, "no device is left");
    assert_ptr_equal(linnet_stage_instance(actor->stage), front); /* still good for pure calls */
    submit(actor, "ok", "cc");
    actor_wait(actor, 3);
    came_back(actor, "cc", LINNET_RETRY, 0);
}

static void items_not_finished_exactly_once_come_back_to_be_tried_again(void **state) {
    struct actor *actor = *state;
    actor->plugin.batch_max = 3;
    actor->plugin.batch_delay_ms = 3600000;
    opened(actor);
    submit(actor, "twice", "aa");
    submit(actor, "never", "bb");
    submit(actor, "ok", "cc");
    actor_wait(actor, 3);
    came_back(actor, "aa", LINNET_RETRY, 0);
    came_back(actor, "bb", LINNET_RETRY, 0);
    came_back(actor, "cc", LINNET_OK, 1);
    assert_int_equal(actor_bad_rc, LINNET_E_EXISTS);
    assert_non_null(strstr(actor_find(actor, "bb")->reason, "0 times"));
    assert_true(metric(actor, "linnet_stage_faults_total", "stage=\"actor\"") >= 2);
}

static void bad_emits_are_refused(void **state) {
    struct actor *actor = *state;
    opened(actor);
    static const struct {
        const char *todo;
        int answer;
        size_t nresults;
    } cases[] = {{"undeclared", LINNET_E_INVALID, 0}, {"elsewhere", LINNET_E_INVALID, 0},
                 {"reserved", LINNET_E_INVALID, 0},   {"late", LINNET_E_INVALID, 0},
                 {"no-id", LINNET_E_INVALID, 0},      {"again", LINNET_E_EXISTS, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        actor_bad_rc = 0;
        submit(actor, cases[i].todo, cases[i].todo);
        actor_wait(actor, i + 1);
        if (actor_bad_rc != cases[i].answer) fail_msg("%s: %d", cases[i].todo, actor_bad_rc);
        came_back(actor, cases[i].todo, LINNET_OK, cases[i].nresults);
    }
}

static void draining_finishes_what_is_queued(void **state) {
    struct actor *actor = *state;
    actor->plugin.batch_max = 64;
    actor->plugin.batch_delay_ms = 3600000;
    actor->options.threads = 2;
    opened(actor);
    submit(actor, "ok", "aa");
    submit(actor, "ok", "bb");
    linnet_stage_drain(actor->stage, stop_loop, &actor->loop);
    struct linnet_work *refused = actor_work("ok", "cc");
    assert_int_equal(actor_submit(actor, refused), LINNET_E_CANCELLED);
    linnet_work_free(refused);
    actor->expected = SIZE_MAX;
    uv_run(&actor->loop, UV_RUN_DEFAULT);
    assert_int_equal(actor->nworks, 2);
    came_back(actor, "bb", LINNET_OK, 1);
    assert_int_equal(actor_drains, 2);
}

static void closing_gives_back_what_waits(void **state) {
    struct actor *actor = *state;
    opened(actor);
    submit(actor, "wait", "gate");
    actor_await_gate();
    submit(actor, "ok", "aa");
    linnet_stage_close(actor->stage, stop_loop, &actor->loop);
    actor->stage = NULL;
    actor->expected = SIZE_MAX;
    actor_gate_open(1);
    uv_run(&actor->loop, UV_RUN_DEFAULT);
    came_back(actor, "gate", LINNET_OK, 1);
    came_back(actor, "aa", LINNET_RETRY, 0);
    assert_int_equal(actor_closed(), 1);
}

static void an_instance_that_does_not_open_fails_the_opening_with_its_words(void **state) {
    struct actor *actor = *state;
    actor->options.threads = 3;
    actor_refuse_open(2, "no room on the device");
    assert_int_equal(actor_open(actor), LINNET_E_PLUGIN);
    assert_non_null(strstr(actor->err.detail, "no room on the device"));
    assert_int_equal(actor_closed(), 2);
}

static void instances_must_be_alike(void **state) {
    struct actor *actor = *state;
    actor->options.threads = 2;
    actor_fingerprints_differ = 1;
    assert_int_equal(actor_open(actor), LINNET_E_PLUGIN);
    assert_non_null(strstr(actor->err.detail, "different fingerprints"));
}

static int refuse_here(const struct linnet_host *host, const json_t *config, char *why, size_t size) {
    (void)host;
    assert_int_equal(json_object_size(config), 0);
    snprintf(why, size, "the library is too old");
    return -1;
}

static void check_is_asked_before_opening(void **state) {
    struct actor *actor = *state;
    actor->plugin.check = refuse_here;
    assert_int_equal(actor_open(actor), LINNET_E_PLUGIN);
    assert_string_equal(actor->err.detail, "stage actor: the library is too old");
    assert_int_equal(actor_opened(), 0);
}

static void an_unknown_configuration_key_fails_the_opening(void **state) {
    struct actor *actor = *state;
    json_t *config = json_pack("{s:i}", "qualty", 3);
    actor->options.config = config;
    assert_int_equal(actor_open(actor), LINNET_E_INVALID);
    assert_non_null(strstr(actor->err.detail, "qualty"));
    json_decref(config);
}

struct site_answers {
    int snapshot, restore;
    char position[64];
};

static void on_snapshot(void *arg, int error) {
    ((struct site_answers *)arg)->snapshot = error;
}

static void on_restore(void *arg, int error, const char *position) {
    struct site_answers *answers = arg;
    snprintf(answers->position, sizeof(answers->position), "%s", position);
    answers->restore = error;
}

static void site_stages_tick_snapshot_and_restore(void **state) {
    struct actor *actor = *state;
    actor->plugin.scope = LINNET_SCOPE_SITE;
    actor->options.threads = 5; /* one all the same */
    opened(actor);
    assert_int_equal(linnet_stage_threads(actor->stage), 1);
    struct site_answers answers = {1, 1, ""};
    linnet_stage_snapshot(actor->stage, "12-abc", on_snapshot, &answers);
    linnet_stage_restore(actor->stage, on_restore, &answers);
    linnet_stage_tick(actor->stage, NULL, NULL);
    actor_wait(actor, 1);
    while (answers.restore)
        uv_run(&actor->loop, UV_RUN_ONCE);
    assert_int_equal(answers.snapshot, 0);
    assert_string_equal(answers.position, "12-abc");
    const struct linnet_work *work = actor->works[0];
    assert_int_equal(work->item.ndocs, 0);
    assert_int_equal(work->verdict, LINNET_OK);
    assert_int_equal(work->nresults, 2);
    assert_string_equal(work->results[0].id, OTHER ":normalized:tick");
    assert_int_equal(linnet_json_integer(work->results[0].document, "n", 0), 2);
    assert_string_equal(linnet_json_string(work->results[0].document, "inputs/0/digest", ""), "d");
    assert_string_equal(work->results[1].id, OTHER ":normalized:gone");
    assert_null(work->results[1].document);

    actor_tick_rc = 9;
    linnet_stage_tick(actor->stage, NULL, NULL);
    actor_wait(actor, 2);
    assert_int_equal(actor->works[1]->verdict, LINNET_RETRY);
    assert_int_equal(actor->works[1]->nresults, 0);
}

static void a_site_stage_that_breaks_has_lost_its_state(void **state) {
    struct actor *actor = *state;
    actor->plugin.scope = LINNET_SCOPE_SITE;
    opened(actor);
    submit(actor, "break", "aa");
    actor_wait(actor, 1);
    came_back(actor, "aa", LINNET_RETRY, 0);
    while (!*actor->failure)
        uv_run(&actor->loop, UV_RUN_ONCE);
    assert_string_equal(actor->failure, "break");
    assert_int_equal(actor_opened(), 1);
    struct site_answers answers = {1, 1, ""};
    linnet_stage_snapshot(actor->stage, "13-x", on_snapshot, &answers);
    while (answers.snapshot == 1)
        uv_run(&actor->loop, UV_RUN_ONCE);
    assert_int_equal(answers.snapshot, LINNET_E_BROKEN); /* a checkpoint must not move on a lost state */
}

static void calls_are_answered_when_the_stage_closes(void **state) {
    struct actor *actor = *state;
    actor->plugin.scope = LINNET_SCOPE_SITE;
    opened(actor);
    submit(actor, "wait", "gate");
    actor_await_gate();
    struct site_answers answers = {1, 1, ""};
    linnet_stage_snapshot(actor->stage, "13-x", on_snapshot, &answers);
    actor_gate_open(1);
    actor_close(actor);
    assert_true(answers.snapshot == LINNET_E_CANCELLED || answers.snapshot == 0);
}

struct watch {
    unsigned begun, ended;
    uint32_t deadline;
};

static void on_begin(void *arg, unsigned executor, const char *stage, const struct linnet_item *const *items,
                     size_t n, uint32_t deadline_ms) {
    struct watch *watch = arg;
    assert_int_equal(executor, 0);
    assert_string_equal(stage, "renamed");
    assert_int_equal(n, 1);
    assert_string_equal(items[0]->docs[0].id, ULID ":image:aa");
    watch->deadline = deadline_ms;
    watch->begun++;
}

static void on_end(void *arg, unsigned executor) {
    (void)executor;
    ((struct watch *)arg)->ended++;
}

static void the_supervisor_is_told_of_each_batch(void **state) {
    struct actor *actor = *state;
    struct watch watch = {0};
    actor->options.name = "renamed";
    actor->options.batch_begin = on_begin;
    actor->options.batch_end = on_end;
    actor->options.batch_arg = &watch;
    opened(actor);
    submit(actor, "ok", "aa");
    actor_wait(actor, 1);
    assert_int_equal(watch.begun, 1);
    assert_int_equal(watch.ended, 1);
    assert_int_equal(watch.deadline, 60000);
    assert_string_equal(linnet_json_string(actor->works[0]->results[0].document, "stage/name", ""),
                        "renamed");
}

/* Many threads, every kind of behaviour: each work comes back exactly once. What the thread sanitizer looks
 * at. */
static void under_load_every_item_comes_back_once(void **state) {
    static const char *const todo[] = {"ok",    "skip", "ok", "reject", "twice", "ok",
                                       "never", "fail", "ok", "break",  "retry"};
    struct actor *actor = *state;
    actor->options.threads = 4;
    actor->options.queue_limit = 64;
    actor->plugin.batch_max = 5;
    actor->plugin.batch_delay_ms = 1;
    opened(actor);
    enum { N = 1500 };
    static char seen[N];
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < N; i++) {
        char qualifier[16];
        snprintf(qualifier, sizeof(qualifier), "%zu", i);
        struct linnet_work *work = actor_work(todo[i % (sizeof(todo) / sizeof(todo[0]))], qualifier);
        work->priority = (enum linnet_priority)(i % LINNET_PRIORITIES);
        work->alone = i % 17 == 0;
        work->owner = &seen[i];
        while (actor_submit(actor, work))
            actor_wait(actor, actor->nworks + 1);
        assert_non_null(linnet_stage_instance(actor->stage));
    }
    actor_wait(actor, N);
    for (size_t i = 0; i < N; i++)
        ++*(char *)actor->works[i]->owner;
    for (size_t i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(linnet_stage_queued(actor->stage), 0);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGE_TEST(items_come_back_with_verdict_reason_and_completed_results),
        STAGE_TEST(a_full_batch_goes_without_waiting),
        STAGE_TEST(a_batch_is_what_the_instance_wants_at_once),
        STAGE_TEST(a_small_batch_goes_when_its_first_has_waited),
        STAGE_TEST(a_suspect_is_a_batch_of_one),
        STAGE_TEST(a_full_queue_leaves_the_work_with_the_caller),
        STAGE_TEST(a_failing_batch_is_tried_item_by_item),
        STAGE_TEST(a_broken_instance_is_replaced_and_the_item_tried_again),
        STAGE_TEST(an_item_that_breaks_every_instance_goes_back),
        STAGE_TEST(without_a_new_instance_the_stage_fails_and_everything_comes_back),
        STAGE_TEST(items_not_finished_exactly_once_come_back_to_be_tried_again),
        STAGE_TEST(bad_emits_are_refused),
        STAGE_TEST(draining_finishes_what_is_queued),
        STAGE_TEST(closing_gives_back_what_waits),
        STAGE_TEST(an_instance_that_does_not_open_fails_the_opening_with_its_words),
        STAGE_TEST(instances_must_be_alike),
        STAGE_TEST(check_is_asked_before_opening),
        STAGE_TEST(an_unknown_configuration_key_fails_the_opening),
        STAGE_TEST(site_stages_tick_snapshot_and_restore),
        STAGE_TEST(a_site_stage_that_breaks_has_lost_its_state),
        STAGE_TEST(calls_are_answered_when_the_stage_closes),
        STAGE_TEST(the_supervisor_is_told_of_each_batch),
        STAGE_TEST(under_load_every_item_comes_back_once),
    };
    linnet_log_setup(LINNET_ERROR + 1, 0, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
