/* All stages on one observation in memory. */
#include "tests/unit/host/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/host/pipeline.h"

enum { MAX = 4 };

/* Stages that emit {"from": [ids]} for each item; an input with "trouble" in it makes the verdict of that
 * number. */
struct instance {
    const struct linnet_host *host;
};

static int instance_open(const struct linnet_host *host, const json_t *config, void **out, char *why,
                         size_t size) {
    struct instance *instance = calloc(1, sizeof(*instance));
    (void)config;
    (void)why;
    (void)size;
    instance->host = host;
    *out = instance;
    return 0;
}

static int instance_process(void *arg, const struct linnet_item *const *items, size_t n) {
    const struct linnet_host *host = ((struct instance *)arg)->host;
    for (size_t i = 0; i < n; i++) {
        json_t *from = json_array();
        enum linnet_verdict verdict = LINNET_OK;
        for (size_t d = 0; d < items[i]->ndocs; d++) {
            json_array_append_new(from, json_string(items[i]->docs[d].id + sizeof(ULID)));
            long long trouble = linnet_json_integer(items[i]->docs[d].json, "trouble", 0);
            if (trouble) verdict = (enum linnet_verdict)trouble;
        }
        struct linnet_blob blob = {"model.jpg", "image/jpeg", "jpeg", 4};
        struct linnet_output output = {
            .document = json_pack("{s:o}", "from", from), .blobs = &blob, .nblobs = 1};
        host->emit(host->ctx, items[i], &output);
        host->finish(host->ctx, items[i], verdict, verdict ? "trouble" : NULL);
    }
    return 0;
}

static const char *const consensus[] = {"consensus", NULL};
static const struct linnet_input site_inputs[] = {{"identification", LINNET_TRIGGER, NULL, NULL},
                                                  {"validation", LINNET_TRIGGER, NULL, NULL},
                                                  {NULL, 0, NULL, NULL}};

static int no_qualifier(void *instance, const struct linnet_item *item, char *out, size_t size) {
    (void)instance;
    (void)item;
    return snprintf(out, size, "%s", "") < 0;
}

static int model_qualifier(void *instance, const struct linnet_item *item, char *out, size_t size) {
    (void)instance;
    return snprintf(out, size, "%s:m@1", item->docs[0].qualifier) < 0;
}

struct fixture {
    uv_loop_t loop;
    struct linnet_plugin_file *files[MAX];
    struct linnet_pipeline_stage stages[MAX];
    struct linnet_pipeline *pipeline;
    struct linnet_pipeline_options options;
    struct linnet_observation observation;
    size_t over;
    size_t nresults, nnotes, nfailed;
    char note[256];
    bool closed;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct linnet_plugin plugins[MAX] = {sample_fusion, sample_convnet, sample_normalize, sample_normalize};
    plugins[0].select = NULL;
    plugins[1].qualifier = model_qualifier;
    plugins[3].name = "site";
    plugins[3].scope = LINNET_SCOPE_SITE;
    plugins[3].inputs = site_inputs;
    plugins[3].produces = consensus;
    plugins[3].qualifier = no_qualifier;
    uv_loop_init(&fixture->loop);
    for (size_t i = 0; i < MAX; i++) {
        plugins[i].open = instance_open;
        plugins[i].close = free;
        plugins[i].process = instance_process;
        assert_int_equal(linnet_plugin_file_wrap(&plugins[i], &fixture->files[i], NULL), 0);
        fixture->stages[i].file = fixture->files[i];
    }
    linnet_observation_init(&fixture->observation, ULID);
    fixture->options.threads = 2;
    *state = fixture;
    return 0;
}

static void on_closed(void *arg) {
    *(bool *)arg = true;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    if (fixture->pipeline) linnet_pipeline_close(fixture->pipeline, on_closed, &fixture->closed);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    if (fixture->pipeline) assert_true(fixture->closed);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    linnet_observation_done(&fixture->observation);
    for (size_t i = 0; i < MAX; i++)
        linnet_plugin_file_free(fixture->files[i]);
    free(fixture);
    return 0;
}

static void opened(struct fixture *fixture, size_t n) {
    struct linnet_error err = {0};
    if (linnet_pipeline_open(&fixture->loop, fixture->stages, n, &fixture->options, &fixture->pipeline, &err))
        fail_msg("%s", err.detail);
}

static void on_over(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct fixture *fixture = arg;
    fixture->over++;
    fixture->nresults = outcome->nresults;
    fixture->nnotes = outcome->nnotes;
    fixture->nfailed = outcome->nfailed;
    if (outcome->nnotes)
        snprintf(fixture->note, sizeof(fixture->note), "%s %s %d %s", outcome->notes[0].stage,
                 outcome->notes[0].document + sizeof(ULID), outcome->notes[0].verdict,
                 outcome->notes[0].reason);
}

static void run(struct fixture *fixture, struct linnet_observation *observation) {
    size_t over = fixture->over + 1;
    assert_int_equal(
        linnet_pipeline_run(fixture->pipeline, observation, LINNET_PRIORITY_HTTP, on_over, fixture), 0);
    assert_int_equal(fixture->over, over - 1);
    while (fixture->over < over)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static void put_views(struct linnet_observation *observation, int trouble) {
    sample_put(observation,
               sample_doc("observation", "{s:[{s:s},{s:s}]}", "views", "image", "aa", "image", "bb"));
    sample_put(observation, sample_doc("image:aa", "{s:i}", "trouble", 0));
    sample_put(observation, sample_doc("image:bb", "{s:i}", "trouble", trouble));
}

static bool has(struct fixture *fixture, const char *rest) {
    char id[128];
    snprintf(id, sizeof(id), "%s:%s", ULID, rest);
    return linnet_observation_find(&fixture->observation, id) != NULL;
}

static void everything_that_is_due_is_made_in_one_run(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 4);
    put_views(&fixture->observation, 0);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 0);
    assert_true(has(fixture, "normalized:bb") && has(fixture, "prediction:bb:m@1") &&
                has(fixture, "identification"));
    assert_true(has(fixture, "consensus"));
    /* Two normalized, two predictions, one identification with both, one consensus: nothing twice. */
    assert_int_equal(fixture->nresults, 6);
    assert_int_equal(linnet_pipeline_processed(fixture->pipeline), 6);
    const struct linnet_held_doc *fused =
        linnet_observation_find(&fixture->observation, ULID ":identification");
    assert_int_equal(json_array_size(json_object_get(fused->json, "inputs")), 3);
    const struct linnet_held_doc *normalized =
        linnet_observation_find(&fixture->observation, ULID ":normalized:aa");
    assert_non_null(linnet_held_doc_blob(normalized, "model.jpg"));
    assert_string_equal(linnet_stage_name(linnet_pipeline_stage(fixture->pipeline, 0)), "normalize");
}

static void a_second_run_makes_nothing(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 3);
    put_views(&fixture->observation, 0);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nresults, 5);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nresults, 0);
    assert_int_equal(linnet_pipeline_processed(fixture->pipeline), 5);
}

static void what_one_view_lacks_does_not_hold_up_the_others(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 3);
    put_views(&fixture->observation, LINNET_REJECT);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 1);
    assert_string_equal(fixture->note, "normalize image:bb 3 trouble");
    assert_true(has(fixture, "identification"));
    assert_false(has(fixture, "normalized:bb"));
    assert_int_equal(fixture->nresults, 3);
}

static void what_fails_for_now_is_tried_again_but_not_for_ever(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 3);
    put_views(&fixture->observation, LINNET_RETRY);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 1);
    assert_int_equal(linnet_pipeline_processed(fixture->pipeline), 3 + 3);
}

static void skipped_items_are_no_failures(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 3);
    put_views(&fixture->observation, LINNET_SKIP);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 0);
    assert_int_equal(fixture->nnotes, 1);
}

static void outputs_are_checked_by_their_schema(void **state) {
    struct fixture *fixture = *state;
    struct linnet_schemas *schemas = linnet_schemas_new();
    json_t *schema = json_pack("{s:{s:{s:s}}}", "properties", "from", "type", "string");
    assert_int_equal(linnet_schemas_add(schemas, "normalized", schema, NULL), 0);
    json_decref(schema);
    fixture->options.schemas = schemas;
    opened(fixture, 3);
    put_views(&fixture->observation, 0);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 2);
    assert_non_null(strstr(fixture->note, "/from"));
    linnet_schemas_free(schemas);
}

static void many_observations_run_at_once(void **state) {
    struct fixture *fixture = *state;
    enum { MANY = 150 };
    static struct linnet_observation observations[MANY];
    opened(fixture, 4);
    for (size_t i = 0; i < MANY; i++) {
        linnet_observation_init(&observations[i], ULID);
        put_views(&observations[i], 0);
        assert_int_equal(
            linnet_pipeline_run(fixture->pipeline, &observations[i], LINNET_PRIORITY_FRESH, on_over, fixture),
            0);
    }
    while (fixture->over < MANY)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(linnet_pipeline_processed(fixture->pipeline), 6 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(observations[i].ndocs, 3 + 6);
        linnet_observation_done(&observations[i]);
    }
}

static void closing_ends_the_runs_under_way(void **state) {
    struct fixture *fixture = *state;
    opened(fixture, 4);
    put_views(&fixture->observation, 0);
    assert_int_equal(linnet_pipeline_run(fixture->pipeline, &fixture->observation, LINNET_PRIORITY_FRESH,
                                         on_over, fixture),
                     0);
    linnet_pipeline_close(fixture->pipeline, on_closed, &fixture->closed);
    assert_int_equal(linnet_pipeline_run(fixture->pipeline, &fixture->observation, LINNET_PRIORITY_FRESH,
                                         on_over, fixture),
                     LINNET_E_CANCELLED);
    while (!fixture->closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(fixture->over, 1);
    fixture->pipeline = NULL;
}

static void a_stage_that_does_not_open_fails_the_opening(void **state) {
    struct fixture *fixture = *state;
    struct linnet_error err = {0};
    json_t *config = json_pack("{s:i}", "no", 1);
    fixture->stages[0].config = config; /* fusion, the last of the graph: the others are open by then */
    assert_int_equal(
        linnet_pipeline_open(&fixture->loop, fixture->stages, 3, &fixture->options, &fixture->pipeline, &err),
        LINNET_E_INVALID);
    assert_null(fixture->pipeline);
    assert_int_equal(
        linnet_pipeline_open(&fixture->loop, fixture->stages, 0, &fixture->options, &fixture->pipeline, &err),
        LINNET_E_INVALID);
    json_decref(config);
}

/* ---- a stage that somebody else has opened ---- */

struct owner {
    struct linnet_stage *stage;
    size_t own; /* items of the owner's that came back */
    bool closed;
};

static void on_own(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    struct owner *owner = arg;
    assert_ptr_equal(stage, owner->stage);
    owner->own++;
    linnet_work_free(work);
}

static void on_owner_closed(void *arg) {
    ((struct owner *)arg)->closed = true;
}

/* A queue of one, taken by the owner: who borrows the stage is not bound by it. */
static void open_owner(struct fixture *fixture, struct owner *owner) {
    struct linnet_stage_options options = {.threads = 1, .queue_limit = 1, .done = on_own, .done_arg = owner};
    struct linnet_error err = {0};
    if (linnet_stage_open(&fixture->loop, fixture->files[1], &options, &owner->stage, &err))
        fail_msg("%s", err.detail);
    fixture->stages[1].lent = owner->stage;
}

static void submit_own(struct owner *owner) {
    struct linnet_work *work = linnet_work_new(ULID, 1);
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    sample_put(&observation, sample_doc("normalized:cc", "{s:i}", "trouble", LINNET_SKIP));
    assert_int_equal(linnet_work_add(work, &observation.docs[0], &sample_convnet.inputs[0], ""), 0);
    linnet_observation_done(&observation);
    assert_int_equal(linnet_stage_submit(owner->stage, work), 0);
}

static void a_lent_stage_works_for_both_and_stays_open(void **state) {
    struct fixture *fixture = *state;
    struct owner owner = {0};
    open_owner(fixture, &owner);
    opened(fixture, 3);
    put_views(&fixture->observation, 0);
    submit_own(&owner);
    run(fixture, &fixture->observation);
    assert_int_equal(fixture->nfailed, 0);
    assert_true(has(fixture, "prediction:aa:m@1") && has(fixture, "prediction:bb:m@1") &&
                has(fixture, "identification"));
    linnet_pipeline_close(fixture->pipeline, on_closed, &fixture->closed);
    while (!fixture->closed || owner.own == 0)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    fixture->pipeline = NULL;
    submit_own(&owner);
    while (owner.own < 2)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    linnet_stage_close(owner.stage, on_owner_closed, &owner);
    while (!owner.closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static void closing_waits_for_what_is_in_a_lent_stage(void **state) {
    struct fixture *fixture = *state;
    struct owner owner = {0};
    open_owner(fixture, &owner);
    opened(fixture, 3);
    put_views(&fixture->observation, 0);
    assert_int_equal(
        linnet_pipeline_run(fixture->pipeline, &fixture->observation, LINNET_PRIORITY_HTTP, on_over, fixture),
        0);
    while (linnet_stage_queued(owner.stage) == 0)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    linnet_pipeline_close(fixture->pipeline, on_closed, &fixture->closed);
    assert_int_equal(fixture->over, 0);
    while (!fixture->closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(fixture->over, 1);
    assert_int_equal(linnet_stage_queued(owner.stage), 0);
    fixture->pipeline = NULL;
    linnet_stage_close(owner.stage, on_owner_closed, &owner);
    while (!owner.closed)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

#define PIPELINE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PIPELINE_TEST(everything_that_is_due_is_made_in_one_run),
        PIPELINE_TEST(a_second_run_makes_nothing),
        PIPELINE_TEST(what_one_view_lacks_does_not_hold_up_the_others),
        PIPELINE_TEST(what_fails_for_now_is_tried_again_but_not_for_ever),
        PIPELINE_TEST(skipped_items_are_no_failures),
        PIPELINE_TEST(outputs_are_checked_by_their_schema),
        PIPELINE_TEST(many_observations_run_at_once),
        PIPELINE_TEST(closing_ends_the_runs_under_way),
        PIPELINE_TEST(a_stage_that_does_not_open_fails_the_opening),
        PIPELINE_TEST(a_lent_stage_works_for_both_and_stays_open),
        PIPELINE_TEST(closing_waits_for_what_is_in_a_lent_stage),
    };
    linnet_log_setup(LINNET_ERROR + 1, 0, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
