#include "tests/unit/host/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

struct instance {
    const struct linnet_host *host;
    int number;
};

static struct {
    uv_mutex_t lock;
    uv_sem_t gate, at_gate;
    size_t sizes[ACTOR_BATCHES], nsizes;
    int opened, closed, refuse_after;
    const char *why;
} memory;

int actor_fingerprints_differ, actor_tick_rc, actor_drains;
atomic_int actor_bad_rc;
char actor_position[64];

static int instance_open(const struct linnet_host *host, const json_t *config, void **out, char *why,
                         size_t size) {
    struct instance *instance = NULL;
    (void)config;
    uv_mutex_lock(&memory.lock);
    if (memory.refuse_after < 0 || memory.opened < memory.refuse_after) {
        instance = calloc(1, sizeof(*instance));
        instance->host = host;
        instance->number = memory.opened++;
    } else {
        snprintf(why, size, "%s", memory.why);
    }
    uv_mutex_unlock(&memory.lock);
    *out = instance;
    return instance ? 0 : -3;
}

static void instance_close(void *arg) {
    uv_mutex_lock(&memory.lock);
    memory.closed++;
    uv_mutex_unlock(&memory.lock);
    free(arg);
}

static int instance_fingerprint(void *arg, char *text, size_t size) {
    snprintf(text, size, "actor %d", actor_fingerprints_differ ? ((struct instance *)arg)->number : 0);
    return 0;
}

static struct linnet_output output_of(const struct linnet_item *item) {
    json_t *document = json_pack("{s:s}", "saw", item->docs[0].qualifier);
    return (struct linnet_output){.document = document, .device = "test"};
}

/* Breaches of the contract; actor_bad_rc is what the host said. */
static bool misbehave(const struct linnet_host *host, const struct linnet_item *item, const char *todo) {
    struct linnet_output output = output_of(item);
    if (!strcmp(todo, "undeclared"))
        output.kind = "consensus";
    else if (!strcmp(todo, "elsewhere"))
        output.observation = OTHER;
    else if (!strcmp(todo, "reserved"))
        json_object_set_new(output.document, "_rev", json_string("1-x"));
    else if (!strcmp(todo, "no-id"))
        output.qualifier = "";
    else if (!strcmp(todo, "late"))
        host->finish(host->ctx, item, LINNET_OK, NULL);
    else if (!strcmp(todo, "again")) {
        struct linnet_output first = output_of(item);
        host->emit(host->ctx, item, &first);
    } else {
        json_decref(output.document);
        return false;
    }
    actor_bad_rc = host->emit(host->ctx, item, &output);
    if (strcmp(todo, "late")) host->finish(host->ctx, item, LINNET_OK, NULL);
    return true;
}

static void act(const struct instance *instance, const struct linnet_item *item) {
    const struct linnet_host *host = instance->host;
    const char *todo = linnet_json_string(item->docs[0].json, "do", "ok");
    if (misbehave(host, item, todo) || !strcmp(todo, "never")) return;
    if (!strcmp(todo, "skip")) {
        host->finish(host->ctx, item, LINNET_SKIP, NULL);
        return;
    }
    struct linnet_output output = output_of(item);
    struct linnet_blob blob = {"note.txt", "text/plain", "a note", 6};
    output.blobs = &blob;
    output.nblobs = 1;
    host->emit(host->ctx, item, &output);
    enum linnet_verdict verdict = LINNET_OK;
    if (!strcmp(todo, "retry")) verdict = LINNET_RETRY;
    if (!strcmp(todo, "reject")) verdict = LINNET_REJECT;
    if (!strcmp(todo, "break") || (!strcmp(todo, "break-once") && instance->number == 0))
        verdict = LINNET_BROKEN;
    if (!strcmp(todo, "wait")) {
        uv_sem_post(&memory.at_gate);
        uv_sem_wait(&memory.gate);
    }
    host->count(host->ctx, "acts", 1);
    host->finish(host->ctx, item, verdict, verdict ? todo : NULL);
    if (!strcmp(todo, "twice")) actor_bad_rc = host->finish(host->ctx, item, LINNET_REJECT, "again");
}

static int instance_process(void *arg, const struct linnet_item *const *items, size_t n) {
    uv_mutex_lock(&memory.lock);
    memory.sizes[memory.nsizes++ % ACTOR_BATCHES] = n;
    uv_mutex_unlock(&memory.lock);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(linnet_json_string(items[i]->docs[0].json, "do", ""), "fail")) return 5;
    for (size_t i = 0; i < n; i++)
        act(arg, items[i]);
    return 0;
}

static int instance_snapshot(void *arg, const char *position) {
    (void)arg;
    snprintf(actor_position, sizeof(actor_position), "%s", position);
    return 0;
}

static int instance_restore(void *arg, char *position, size_t size) {
    (void)arg;
    snprintf(position, size, "%s", actor_position);
    return 0;
}

static int instance_tick(void *arg) {
    const struct linnet_host *host = ((struct instance *)arg)->host;
    struct linnet_output output = {.kind = "normalized",
                                   .observation = OTHER,
                                   .qualifier = "tick",
                                   .document = json_object(),
                                   .inputs = json_array()};
    host->emit(host->ctx, NULL, &output);
    /* The later of two with one id replaces the earlier: the state is what counts. */
    output = (struct linnet_output){
        .observation = OTHER, .qualifier = "tick", .document = json_pack("{s:i}", "n", 2)};
    output.inputs = json_pack("[{s:s,s:s}]", "id", OTHER ":image:aa", "digest", "d");
    host->emit(host->ctx, NULL, &output);
    output = (struct linnet_output){.observation = OTHER, .qualifier = "gone", .document = NULL};
    host->emit(host->ctx, NULL, &output);
    return actor_tick_rc;
}

static int instance_drain(void *arg) {
    (void)arg;
    uv_mutex_lock(&memory.lock);
    actor_drains++;
    uv_mutex_unlock(&memory.lock);
    return 0;
}

/* ---- the loop's side ---- */

static void on_done(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    struct actor *actor = arg;
    (void)stage;
    actor->works = realloc(actor->works, (actor->nworks + 1) * sizeof(*actor->works));
    actor->works[actor->nworks++] = work;
    if (actor->nworks >= actor->expected) uv_stop(&actor->loop);
}

static void on_failed(void *arg, struct linnet_stage *stage, const char *reason) {
    struct actor *actor = arg;
    (void)stage;
    snprintf(actor->failure, sizeof(actor->failure), "%s", reason);
}

struct actor *actor_new(void) {
    struct actor *actor = calloc(1, sizeof(*actor));
    memset(&memory, 0, sizeof(memory));
    memory.refuse_after = -1;
    actor_fingerprints_differ = actor_tick_rc = actor_drains = 0;
    actor_bad_rc = 0;
    actor_position[0] = '\0';
    uv_mutex_init(&memory.lock);
    uv_sem_init(&memory.gate, 0);
    uv_sem_init(&memory.at_gate, 0);
    uv_loop_init(&actor->loop);
    actor->plugin = sample_normalize;
    actor->plugin.name = "actor";
    actor->plugin.open = instance_open;
    actor->plugin.close = instance_close;
    actor->plugin.process = instance_process;
    actor->plugin.fingerprint = instance_fingerprint;
    actor->plugin.drain = instance_drain;
    actor->metrics = linnet_metrics_new();
    actor->options = (struct linnet_stage_options){
        .threads = 1, .metrics = actor->metrics, .done = on_done, .failed = on_failed, .done_arg = actor};
    return actor;
}

int actor_open(struct actor *actor) {
    if (actor->plugin.scope == LINNET_SCOPE_SITE) {
        actor->plugin.snapshot = instance_snapshot;
        actor->plugin.restore = instance_restore;
        actor->plugin.tick = instance_tick;
    }
    if (linnet_plugin_file_wrap(&actor->plugin, &actor->file, &actor->err)) fail_msg("%s", actor->err.detail);
    return linnet_stage_open(&actor->loop, actor->file, &actor->options, &actor->stage, &actor->err);
}

static void on_flag(void *arg) {
    *(bool *)arg = true;
}

void actor_wait(struct actor *actor, size_t n) {
    actor->expected = n;
    while (actor->nworks < n)
        uv_run(&actor->loop, UV_RUN_DEFAULT);
}

void actor_wait_for(struct actor *actor, const bool *flag) {
    while (!*flag)
        uv_run(&actor->loop, UV_RUN_ONCE);
}

void actor_close(struct actor *actor) {
    if (!actor->stage) return;
    linnet_stage_close(actor->stage, on_flag, &actor->closed);
    actor_wait_for(actor, &actor->closed);
    actor->stage = NULL;
}

void actor_free(struct actor *actor) {
    actor_close(actor);
    for (size_t i = 0; i < actor->nworks; i++)
        linnet_work_free(actor->works[i]);
    free(actor->works);
    linnet_plugin_file_free(actor->file);
    linnet_metrics_free(actor->metrics);
    assert_int_equal(uv_loop_close(&actor->loop), 0);
    assert_int_equal(memory.opened, memory.closed);
    uv_mutex_destroy(&memory.lock);
    uv_sem_destroy(&memory.gate);
    uv_sem_destroy(&memory.at_gate);
    free(actor);
}

struct linnet_work *actor_work(const char *todo, const char *qualifier) {
    struct linnet_observation observation;
    char rest[64];
    linnet_observation_init(&observation, ULID);
    snprintf(rest, sizeof(rest), "image:%s", qualifier);
    sample_put(&observation, sample_doc("observation", "{}"));
    sample_put(&observation, sample_doc(rest, "{s:s}", "do", todo));
    struct linnet_planned_stage stage = {"actor", &sample_normalize, "f", NULL, LINNET_POLICY_NEW};
    struct linnet_plan plan;
    assert_int_equal(linnet_plan_make(&observation, &stage, 1, false, &plan), 0);
    assert_int_equal(plan.ndue, 1);
    struct linnet_work *work = linnet_plan_work(&observation, &stage, &plan.due[0]);
    linnet_plan_done(&plan);
    linnet_observation_done(&observation);
    return work;
}

int actor_submit(struct actor *actor, struct linnet_work *work) {
    return linnet_stage_submit(actor->stage, work);
}

struct linnet_work *actor_find(struct actor *actor, const char *qualifier) {
    for (size_t i = 0; i < actor->nworks; i++)
        if (actor->works[i]->item.ndocs && !strcmp(actor->works[i]->item.docs[0].qualifier, qualifier))
            return actor->works[i];
    fail_msg("nothing came back for %s", qualifier);
    return NULL;
}

size_t actor_batches(size_t sizes[ACTOR_BATCHES]) {
    uv_mutex_lock(&memory.lock);
    size_t n = memory.nsizes;
    memcpy(sizes, memory.sizes, sizeof(memory.sizes));
    uv_mutex_unlock(&memory.lock);
    return n;
}

int actor_opened(void) {
    uv_mutex_lock(&memory.lock);
    int n = memory.opened;
    uv_mutex_unlock(&memory.lock);
    return n;
}

int actor_closed(void) {
    uv_mutex_lock(&memory.lock);
    int n = memory.closed;
    uv_mutex_unlock(&memory.lock);
    return n;
}

void actor_gate_open(int n) {
    while (n-- > 0)
        uv_sem_post(&memory.gate);
}

void actor_await_gate(void) {
    uv_sem_wait(&memory.at_gate);
}

void actor_refuse_open(int after, const char *why) {
    uv_mutex_lock(&memory.lock);
    memory.refuse_after = after;
    memory.why = why;
    uv_mutex_unlock(&memory.lock);
}
