#include "workers/host/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "workers/host/graph.h"
#include "workers/host/plan.h"

/* An item that fails for now is tried so often before it counts as failed: there is nobody to park it for. */
#define ATTEMPTS_MAX 3

struct run;

/* An item that has been submitted: which, and how it ended. */
struct task {
    struct run *run;
    size_t stage;
    char key[LINNET_DIGEST_SIZE]; /* of its inputs: the same item again is the same task */
    unsigned attempts;
    enum { TASK_READY, TASK_FLYING, TASK_ANSWERED } state;
    struct task *next;
};

/* Until when (uv_hrtime) a stage's waiting and working have been counted: what happens to several items at
 * once counts once. */
struct spans {
    uint64_t queued, process;
};

struct run {
    struct linnet_pipeline *pipeline;
    struct linnet_pipeline_outcome outcome;
    struct task *tasks;
    struct spans *spans; /* of each stage */
    size_t flying;
    bool ready;   /* something came back, or it is new */
    bool starved; /* a stage had no room */
    enum linnet_priority priority;
    linnet_pipeline_callback *done;
    void *arg;
    struct run *next;
};

struct linnet_pipeline {
    uv_loop_t *loop;
    struct linnet_pipeline_options options;
    struct linnet_stage **stages; /* in the order of the graph */
    struct linnet_planned_stage *planned;
    bool *lent; /* is it somebody else's? */
    size_t nstages;
    struct run *runs;
    size_t processed;
    uv_async_t wake;          /* runs go on from here: never from inside a call */
    bool closing, told;       /* ... and the loop has turned since */
    size_t open_stages, away; /* of its own, and one until `told`; items in lent ones */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- notes and results ---- */

static void note(struct run *run, size_t stage, const char *document, enum linnet_verdict verdict,
                 const char *reason) {
    struct linnet_pipeline_outcome *outcome = &run->outcome;
    struct linnet_pipeline_note *more = realloc(outcome->notes, (outcome->nnotes + 1) * sizeof(*more));
    if (verdict != LINNET_SKIP) outcome->nfailed++;
    if (!more) return; /* it still counts */
    outcome->notes = more;
    more[outcome->nnotes++] =
        (struct linnet_pipeline_note){linnet_stage_name(run->pipeline->stages[stage]), strdup(document),
                                      verdict, reason ? strdup(reason) : NULL};
}

/* Put a result into the observation, if it is one of its documents. */
static int put_result(struct run *run, const struct linnet_result *result) {
    struct linnet_observation *observation = run->outcome.observation;
    if (result->database != LINNET_DB_MAIN ||
        strncmp(result->id, observation->ulid, LINNET_ULID_SIZE - 1) != 0)
        return 0;
    if (!result->document) {
        linnet_observation_remove(observation, result->id);
        return 0;
    }
    int rc = linnet_observation_put(observation, json_incref(result->document));
    if (rc) json_decref(result->document);
    for (size_t i = 0; !rc && i < result->nblobs; i++)
        rc = linnet_observation_put_blob(observation, result->id, result->blobs[i].name,
                                         result->blobs[i].content_type, result->blobs[i].bytes);
    return rc;
}

static int take_results(struct run *run, size_t stage, struct linnet_work *work) {
    struct linnet_pipeline_outcome *outcome = &run->outcome;
    const struct linnet_schemas *schemas = run->pipeline->options.schemas;
    if (!work->nresults) return 0;
    struct linnet_result *more =
        realloc(outcome->results, (outcome->nresults + work->nresults) * sizeof(*more));
    if (!more) return LINNET_E_NOMEM;
    outcome->results = more;
    int rc = 0;
    for (size_t i = 0; i < work->nresults; i++) {
        struct linnet_result *result = &work->results[i];
        struct linnet_error err = {0};
        const char *kind = linnet_json_string(result->document, "kind", "");
        if (schemas && result->document &&
            linnet_schemas_check(schemas, kind, result->document, &err) == LINNET_E_INVALID)
            note(run, stage, result->id, LINNET_OK, err.detail);
        if (!rc) rc = put_result(run, result);
        more[outcome->nresults++] = *result;
    }
    work->nresults = 0; /* they are the run's now */
    return rc;
}

static void add_span(uint64_t from, uint64_t to, uint64_t *counted, double *seconds) {
    if (from < *counted) from = *counted;
    if (to <= from) return;
    *seconds += (double)(to - from) / 1e9;
    *counted = to;
}

/* Items come back in the order in which they ended, so what is counted only grows. */
static void add_times(struct run *run, size_t stage, const struct linnet_work *work) {
    struct linnet_pipeline_time *times = &run->outcome.times[stage];
    if (work->ended_ns == 0) return; /* it was never tried */
    add_span(work->since_ns, work->began_ns, &run->spans[stage].queued, &times->queued_s);
    add_span(work->began_ns, work->ended_ns, &run->spans[stage].process, &times->process_s);
}

static void take_back(struct linnet_work *work) {
    struct task *task = work->owner;
    struct run *run = task->run;
    struct linnet_pipeline *pipeline = run->pipeline;
    pipeline->processed++;
    run->flying--;
    add_times(run, task->stage, work);
    run->ready = true;
    uv_async_send(&pipeline->wake);
    task->state = TASK_ANSWERED;
    const char *document = work->item.docs[0].id;
    int rc = work->verdict == LINNET_OK ? take_results(run, task->stage, work) : 0;
    if (rc)
        note(run, task->stage, document, LINNET_RETRY, linnet_error_message(rc));
    else if (work->verdict == LINNET_RETRY && ++task->attempts < ATTEMPTS_MAX && !pipeline->closing)
        task->state = TASK_READY;
    else if (work->verdict != LINNET_OK)
        note(run, task->stage, document, work->verdict, work->reason);
    linnet_work_free(work);
}

static void on_done(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    (void)arg;
    (void)stage;
    if (work->owner)
        take_back(work);
    else
        linnet_work_free(work); /* what a site stage emits on its own: nobody asked */
}

static void end_if_last(struct linnet_pipeline *pipeline);
static void on_stage_closed(void *arg);

/* From a lent stage. */
static void on_back(struct linnet_work *work) {
    struct linnet_pipeline *pipeline = ((struct task *)work->owner)->run->pipeline;
    take_back(work);
    pipeline->away--;
    if (pipeline->closing) end_if_last(pipeline);
}

/* ---- one run ---- */

static void run_free(struct run *run) {
    struct linnet_work results = {.results = run->outcome.results, .nresults = run->outcome.nresults};
    linnet_work_clear_results(&results);
    for (size_t i = 0; i < run->outcome.nnotes; i++) {
        free(run->outcome.notes[i].document);
        free(run->outcome.notes[i].reason);
    }
    free(run->outcome.notes);
    free(run->outcome.times);
    free(run->spans);
    for (struct task *task = run->tasks, *next; task; task = next) {
        next = task->next;
        free(task);
    }
    free(run);
}

static struct task *task_of(struct run *run, size_t stage, const char *key) {
    for (struct task *task = run->tasks; task; task = task->next)
        if (task->stage == stage && !strcmp(task->key, key)) return task;
    struct task *task = calloc(1, sizeof(*task));
    if (!task) return NULL;
    task->run = run;
    task->stage = stage;
    memcpy(task->key, key, sizeof(task->key));
    task->next = run->tasks;
    run->tasks = task;
    return task;
}

/* Submit the work of a task; it stays ready if there is no room now. */
static void submit(struct run *run, struct task *task, struct linnet_work *work) {
    if (!work) {
        task->state = TASK_ANSWERED;
        note(run, task->stage, run->outcome.observation->ulid, LINNET_RETRY, "out of memory");
        return;
    }
    work->owner = task;
    work->priority = run->priority;
    work->alone = task->attempts > 0;
    bool lent = run->pipeline->lent[task->stage];
    work->back = lent ? on_back : NULL;
    if (linnet_stage_submit(run->pipeline->stages[task->stage], work)) {
        linnet_work_free(work);
        run->starved = true;
        return;
    }
    run->pipeline->away += lent;
    task->state = TASK_FLYING;
    run->flying++;
}

/* Submit what is due; of items that wait for others, only when nothing else is left. Returns whether anything
 * is left to do or under way. */
static bool step_due(struct run *run, const struct linnet_plan *plan, bool waiting) {
    bool any = false;
    for (size_t i = 0; i < plan->ndue; i++) {
        const struct linnet_due *due = &plan->due[i];
        if (due->waits && !waiting) continue;
        struct task *task = task_of(run, due->stage, due->inputs_digest);
        if (!task || task->state == TASK_ANSWERED) continue;
        any = true;
        if (task->state == TASK_READY)
            submit(run, task,
                   linnet_plan_work(run->outcome.observation, &run->pipeline->planned[due->stage], due));
    }
    return any;
}

/* Give a site stage the documents that it has not seen in this state. */
static bool step_site(struct run *run, size_t stage) {
    struct linnet_observation *observation = run->outcome.observation;
    const struct linnet_plugin *plugin = run->pipeline->planned[stage].plugin;
    bool any = false;
    for (size_t i = 0; i < observation->ndocs; i++) {
        const struct linnet_held_doc *doc = &observation->docs[i];
        const struct linnet_input *input = linnet_plugin_input(plugin, doc->kind);
        if (!input || !(input->flags & LINNET_TRIGGER)) continue;
        struct linnet_digest digest;
        char key[LINNET_DIGEST_SIZE];
        linnet_digest_init(&digest);
        linnet_digest_update_string(&digest, doc->id);
        linnet_digest_update_string(&digest, doc->digest);
        linnet_digest_final(&digest, key);
        struct task *task = task_of(run, stage, key);
        if (!task || task->state == TASK_ANSWERED) continue;
        any = true;
        struct linnet_work *work = NULL;
        if (task->state == TASK_READY && !linnet_work_document(plugin, doc->id, doc->json, &work))
            submit(run, task, work);
    }
    return any;
}

/* Do what can be done now. False: the run is over. */
static bool step(struct run *run) {
    struct linnet_pipeline *pipeline = run->pipeline;
    struct linnet_plan plan;
    if (pipeline->closing) return run->flying > 0;
    for (size_t i = 0; i < pipeline->nstages; i++)
        pipeline->planned[i].instance = linnet_stage_instance(pipeline->stages[i]);
    if (linnet_plan_make(run->outcome.observation, pipeline->planned, pipeline->nstages, false, &plan)) {
        if (!run->flying) note(run, 0, run->outcome.observation->ulid, LINNET_RETRY, "out of memory");
        return run->flying > 0;
    }
    bool busy = step_due(run, &plan, false) || run->flying;
    if (!busy) busy = step_due(run, &plan, true);
    linnet_plan_done(&plan);
    for (size_t i = 0; !busy && i < pipeline->nstages; i++)
        if (pipeline->planned[i].plugin->scope == LINNET_SCOPE_SITE) busy = step_site(run, i);
    return busy || run->flying;
}

/* ---- all runs ---- */

static void on_wake(uv_async_t *wake) {
    struct linnet_pipeline *pipeline = wake->data;
    for (struct run **at = &pipeline->runs; *at;) {
        struct run *run = *at;
        bool look = run->ready || run->starved || pipeline->closing;
        run->ready = run->starved = false;
        if (!look || step(run)) {
            at = &run->next;
            continue;
        }
        *at = run->next;
        run->done(run->arg, &run->outcome); /* may start others: they come first in the list */
        run_free(run);
    }
    if (!pipeline->closing || pipeline->told) return;
    pipeline->told = true;
    on_stage_closed(pipeline);
}

int linnet_pipeline_run(struct linnet_pipeline *pipeline, struct linnet_observation *observation,
                        enum linnet_priority priority, linnet_pipeline_callback *done, void *arg) {
    if (pipeline->closing) return LINNET_E_CANCELLED;
    struct run *run = calloc(1, sizeof(*run));
    if (!run) return LINNET_E_NOMEM;
    *run = (struct run){.pipeline = pipeline, .priority = priority, .done = done, .arg = arg, .ready = true};
    run->outcome.observation = observation;
    run->outcome.times = calloc(pipeline->nstages, sizeof(*run->outcome.times));
    run->spans = calloc(pipeline->nstages, sizeof(*run->spans));
    if (!run->outcome.times || !run->spans) {
        free(run->outcome.times);
        free(run->spans);
        free(run);
        return LINNET_E_NOMEM;
    }
    run->outcome.ntimes = pipeline->nstages;
    for (size_t i = 0; i < pipeline->nstages; i++)
        run->outcome.times[i].stage = linnet_stage_name(pipeline->stages[i]);
    run->next = pipeline->runs;
    pipeline->runs = run;
    uv_async_send(&pipeline->wake);
    return 0;
}

size_t linnet_pipeline_processed(const struct linnet_pipeline *pipeline) {
    return pipeline->processed;
}

size_t linnet_pipeline_stages(const struct linnet_pipeline *pipeline) {
    return pipeline->nstages;
}

struct linnet_stage *linnet_pipeline_stage(struct linnet_pipeline *pipeline, size_t index) {
    return pipeline->stages[index];
}

/* ---- opening and closing ---- */

static void pipeline_free(struct linnet_pipeline *pipeline) {
    linnet_references_unref(pipeline->options.references);
    free(pipeline->stages);
    free(pipeline->planned);
    free(pipeline->lent);
    free(pipeline);
}

static void on_wake_closed(uv_handle_t *handle) {
    struct linnet_pipeline *pipeline = handle->data;
    void (*closed)(void *arg) = pipeline->closed;
    void *arg = pipeline->closed_arg;
    pipeline_free(pipeline);
    if (closed) closed(arg);
}

static void end_if_last(struct linnet_pipeline *pipeline) {
    if (pipeline->open_stages > 0 || pipeline->away > 0) return;
    on_wake(&pipeline->wake); /* what was under way has come back: every run ends */
    uv_close((uv_handle_t *)&pipeline->wake, on_wake_closed);
}

static void on_stage_closed(void *arg) {
    struct linnet_pipeline *pipeline = arg;
    pipeline->open_stages--;
    end_if_last(pipeline);
}

void linnet_pipeline_close(struct linnet_pipeline *pipeline, void (*closed)(void *arg), void *arg) {
    pipeline->closing = true;
    pipeline->closed = closed;
    pipeline->closed_arg = arg;
    pipeline->open_stages = 1;
    for (size_t i = 0; i < pipeline->nstages; i++) {
        if (pipeline->lent[i]) continue;
        pipeline->open_stages++;
        linnet_stage_close(pipeline->stages[i], on_stage_closed, pipeline);
    }
    uv_async_send(&pipeline->wake);
}

static int open_stage(struct linnet_pipeline *pipeline, const struct linnet_pipeline_stage *stage,
                      struct linnet_error *err) {
    struct linnet_stage_options options = {
        .name = stage->name,
        .config = stage->config,
        .references = pipeline->options.references,
        .threads = stage->threads ? stage->threads : pipeline->options.threads,
        .state_dir = stage->state_dir,
        .eager = pipeline->options.eager,
        .metrics = pipeline->options.metrics,
        .unseal = pipeline->options.unseal,
        .unseal_arg = pipeline->options.unseal_arg,
        .done = on_done,
        .done_arg = pipeline,
    };
    struct linnet_stage *opened = stage->lent;
    int rc = opened ? 0 : linnet_stage_open(pipeline->loop, stage->file, &options, &opened, err);
    if (rc) return rc;
    pipeline->lent[pipeline->nstages] = stage->lent != NULL;
    pipeline->planned[pipeline->nstages] = (struct linnet_planned_stage){
        .name = linnet_stage_name(opened),
        .plugin = linnet_stage_plugin(opened),
        .fingerprint = linnet_stage_fingerprint(opened),
        .policy = LINNET_POLICY_BACKFILL, /* who asks here wants these stages' answer */
    };
    pipeline->stages[pipeline->nstages++] = opened;
    return 0;
}

static int sort_stages(const struct linnet_pipeline_stage *stages, size_t n, struct linnet_graph *graph,
                       struct linnet_error *err) {
    static const char *const anywhere[] = {"*", NULL};
    struct linnet_graph_stage *nodes = calloc(n ? n : 1, sizeof(*nodes));
    if (!nodes) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const struct linnet_plugin *plugin = &stages[i].file->plugin;
        nodes[i] = (struct linnet_graph_stage){stages[i].name ? stages[i].name : plugin->name, plugin};
    }
    int rc = linnet_graph_make(nodes, n, anywhere, graph, err);
    free(nodes);
    return rc;
}

int linnet_pipeline_open(uv_loop_t *loop, const struct linnet_pipeline_stage *stages, size_t n,
                         const struct linnet_pipeline_options *options, struct linnet_pipeline **out,
                         struct linnet_error *err) {
    struct linnet_error local;
    if (!err) err = &local;
    if (n == 0) return linnet_error_set(err, LINNET_E_INVALID, "a pipeline without a stage");
    struct linnet_graph graph;
    int rc = sort_stages(stages, n, &graph, err);
    if (rc) return rc;
    struct linnet_pipeline *pipeline = calloc(1, sizeof(*pipeline));
    struct linnet_stage **opened = calloc(n, sizeof(struct linnet_stage *));
    struct linnet_planned_stage *planned = calloc(n, sizeof(*planned));
    bool *lent = calloc(n, sizeof(*lent));
    if (!pipeline || !opened || !planned || !lent || uv_async_init(loop, &pipeline->wake, on_wake)) {
        free(pipeline);
        free(opened);
        free(planned);
        free(lent);
        linnet_graph_done(&graph);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    pipeline->wake.data = pipeline;
    pipeline->loop = loop;
    pipeline->options = *options;
    if (options->references) linnet_references_ref(options->references);
    pipeline->stages = opened;
    pipeline->planned = planned;
    pipeline->lent = lent;
    for (size_t i = 0; !rc && i < n; i++) {
        const struct linnet_pipeline_stage *stage = &stages[graph.order[i]];
        rc = open_stage(pipeline, stage, err);
        if (rc != LINNET_E_PLUGIN || !options->left_out) continue;
        options->left_out(options->left_out_arg, &stage->file->plugin, err->detail);
        rc = i + 1 < n || pipeline->nstages ? 0 : rc;
    }
    if (!rc && !pipeline->nstages) rc = LINNET_E_PLUGIN; /* err has the words of the last */
    linnet_graph_done(&graph);
    if (!rc) {
        *out = pipeline;
        return 0;
    }
    /* Closed on the loop, on its own. */
    if (pipeline->nstages)
        linnet_pipeline_close(pipeline, NULL, NULL);
    else
        uv_close((uv_handle_t *)&pipeline->wake, on_wake_closed);
    return rc;
}
