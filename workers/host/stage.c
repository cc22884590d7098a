/* The loop's side of a stage: opening, submitting, taking back, draining, closing. */
#include "workers/host/stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "workers/host/config.h"
#include "workers/host/provenance.h"
#include "workers/host/stage_private.h"

/* ---- lists ---- */

void linnet_call_push(struct linnet_call_list *list, struct linnet_call *call) {
    call->next = NULL;
    if (list->last)
        list->last->next = call;
    else
        list->first = call;
    list->last = call;
}

struct linnet_call *linnet_call_take(struct linnet_call_list *list, unsigned executor) {
    struct linnet_call *before = NULL, *call = list->first;
    while (call && executor != LINNET_ANY_EXECUTOR && call->executor != executor) {
        before = call;
        call = call->next;
    }
    if (!call) return NULL;
    if (before)
        before->next = call->next;
    else
        list->first = call->next;
    if (list->last == call) list->last = before;
    call->next = NULL;
    return call;
}

void linnet_work_settle(struct linnet_work *work, enum linnet_verdict verdict, const char *format, ...) {
    char *reason = NULL;
    if (format) {
        va_list args;
        va_start(args, format);
        if (vasprintf(&reason, format, args) < 0) reason = NULL;
        va_end(args);
    }
    linnet_work_clear_results(work);
    free(work->reason);
    work->reason = reason;
    work->verdict = verdict;
}

void linnet_stage_give_back(struct linnet_stage *stage, struct linnet_work *chain) {
    if (!chain) return;
    if (stage->finished_last)
        stage->finished_last->next = chain;
    else
        stage->finished = chain;
    while (chain->next)
        chain = chain->next;
    stage->finished_last = chain;
    uv_async_send(&stage->async);
}

/* What waits comes back undone. Under the lock. */
static void return_queued(struct linnet_stage *stage, const char *reason) {
    struct linnet_work *chain = linnet_queue_take_all(&stage->queue);
    for (struct linnet_work *work = chain; work; work = work->next)
        linnet_work_settle(work, LINNET_RETRY, "%s", reason);
    linnet_stage_give_back(stage, chain);
}

void linnet_stage_fail(struct linnet_stage *stage, const char *reason) {
    if (stage->failed) return;
    stage->failed = true;
    snprintf(stage->failure, sizeof(stage->failure), "%s", reason);
    return_queued(stage, stage->failure);
    uv_async_send(&stage->async);
}

/* ---- what comes back ---- */

static void stage_free(struct linnet_stage *stage) {
    for (unsigned i = 0; stage->executors && i < stage->nexecutors; i++) {
        free(stage->executors[i].room);
        free(stage->executors[i].items);
        json_decref(stage->executors[i].maker);
    }
    free(stage->executors);
    linnet_references_unref(stage->options.references);
    json_decref(stage->config);
    free(stage->name);
    free(stage->state_dir);
    free(stage);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct linnet_stage *stage = handle->data;
    void (*closed)(void *arg) = stage->closed_callback;
    void *arg = stage->closed_arg;
    uv_cond_destroy(&stage->wake);
    uv_cond_destroy(&stage->changed);
    uv_mutex_destroy(&stage->lock);
    stage_free(stage);
    if (closed) closed(arg);
}

static void deliver_answer(struct linnet_stage *stage, struct linnet_call *call) {
    switch (call->kind) {
    case LINNET_CALL_SNAPSHOT:
        call->done.snapshot(call->arg, call->error);
        break;
    case LINNET_CALL_RESTORE:
        call->done.restore(call->arg, call->error, call->position);
        break;
    case LINNET_CALL_DRAIN:
        stage->drain_calls--;
        break;
    case LINNET_CALL_TICK:
        if (call->done.tick) call->done.tick(call->arg);
        break;
    }
    free(call);
}

/* Executors without an instance wait on `changed`, so that a submit never wakes one of those alone. */
static void wake_all(struct linnet_stage *stage) {
    uv_cond_broadcast(&stage->wake);
    uv_cond_broadcast(&stage->changed);
}

static int push_call(struct linnet_stage *stage, struct linnet_call call) {
    struct linnet_call *copy = malloc(sizeof(*copy));
    if (!copy) return LINNET_E_NOMEM;
    *copy = call;
    uv_mutex_lock(&stage->lock);
    /* Once the executors are going nobody would answer: then the loop does. */
    bool gone = stage->closing;
    copy->error = gone ? LINNET_E_CANCELLED : 0;
    linnet_call_push(gone ? &stage->answers : &stage->calls, copy);
    if (gone)
        uv_async_send(&stage->async);
    else
        wake_all(stage);
    uv_mutex_unlock(&stage->lock);
    return 0;
}

/* All work is back: let the plugin finish what it holds back, then say so. */
static void go_on_draining(struct linnet_stage *stage) {
    if (!stage->drain_called) {
        stage->drain_called = true;
        for (unsigned i = 0; i < stage->nexecutors; i++)
            if (!push_call(stage, (struct linnet_call){.kind = LINNET_CALL_DRAIN, .executor = i}))
                stage->drain_calls++;
    }
    if (stage->drain_calls) return;
    stage->draining = false;
    stage->drained_callback(stage->drained_arg);
}

static void on_async(uv_async_t *async) {
    struct linnet_stage *stage = async->data;
    uv_mutex_lock(&stage->lock);
    struct linnet_work *finished = stage->finished;
    stage->finished = stage->finished_last = NULL;
    struct linnet_call_list answers = stage->answers;
    stage->answers = (struct linnet_call_list){0};
    bool failed = stage->failed, exited = stage->exited == stage->nexecutors;
    if (stage->replacement) {
        stage->front = stage->replacement;
        stage->replacement = NULL;
        uv_cond_broadcast(&stage->changed);
    }
    uv_mutex_unlock(&stage->lock);

    while (finished) {
        struct linnet_work *work = finished;
        finished = work->next;
        work->next = NULL;
        if (work->item.ndocs) stage->held--;
        if (work->back)
            work->back(work);
        else
            stage->options.done(stage->options.done_arg, stage, work);
    }
    linnet_metric_set(stage->metrics.queued, (double)stage->held);
    for (struct linnet_call *call; (call = linnet_call_take(&answers, LINNET_ANY_EXECUTOR));)
        deliver_answer(stage, call);
    if (failed && !stage->failed_told) {
        stage->failed_told = true;
        if (stage->options.failed) stage->options.failed(stage->options.done_arg, stage, stage->failure);
    }
    if (stage->draining && !stage->held) go_on_draining(stage);
    if (!exited || uv_is_closing((uv_handle_t *)async)) return;
    for (unsigned i = 0; i < stage->nexecutors; i++)
        uv_thread_join(&stage->executors[i].thread);
    uv_close((uv_handle_t *)async, on_handle_closed);
}

/* ---- opening ---- */

static unsigned threads_of(const struct linnet_plugin *plugin, unsigned asked) {
    if (plugin->scope == LINNET_SCOPE_SITE) return 1;
    if (asked) return asked;
    if (plugin->instances) return plugin->instances;
    return plugin->threading == LINNET_PINNED_THREAD ? 1 : uv_available_parallelism();
}

static void make_metrics(struct linnet_stage *stage) {
    static const char *const names[] = {"ok", "skip", "retry", "reject", "broken"};
    struct linnet_metrics *metrics = stage->options.metrics;
    if (!metrics) return;
    char labels[96];
    for (size_t i = 0; i <= LINNET_BROKEN; i++) {
        snprintf(labels, sizeof(labels), "stage=\"%s\",verdict=\"%s\"", stage->name, names[i]);
        stage->metrics.verdicts[i] = linnet_metrics_counter(metrics, "linnet_stage_items_total", labels,
                                                            "Items that came back from a stage, by verdict");
    }
    snprintf(labels, sizeof(labels), "stage=\"%s\"", stage->name);
    stage->metrics.processed =
        linnet_metrics_counter(metrics, "linnet_stage_processed_total", labels,
                               "Items given to a stage's process(), again and again where it failed");
    stage->metrics.batches =
        linnet_metrics_counter(metrics, "linnet_stage_batches_total", labels, "Calls of process()");
    stage->metrics.faults = linnet_metrics_counter(metrics, "linnet_stage_faults_total", labels,
                                                   "Breaches of the contract by a stage's plugin");
    stage->metrics.reopened = linnet_metrics_counter(metrics, "linnet_stage_reopened_total", labels,
                                                     "Broken instances that were replaced");
    stage->metrics.queued =
        linnet_metrics_gauge(metrics, "linnet_stage_queued", labels, "Items waiting or running in a stage");
    /* The flow tells queue and process seconds by item. */
    stage->metrics.batch_seconds =
        linnet_metrics_histogram(metrics, "linnet_stage_batch_seconds", labels, "One call of process()");
}

/* All that is memory: what stage_free gives back if anything of it is missing. */
static int allocate(struct linnet_stage *stage, const struct linnet_stage_options *options) {
    const struct linnet_plugin *plugin = stage->plugin;
    stage->options = *options;
    stage->options.config = NULL;
    stage->options.name = stage->options.state_dir = NULL;
    stage->options.references =
        options->references ? linnet_references_ref(options->references) : linnet_references_new();
    if (!stage->options.references) return LINNET_E_NOMEM;
    if (!options->references && linnet_references_finish(stage->options.references, NULL))
        return LINNET_E_NOMEM;
    stage->name = strdup(options->name ? options->name : plugin->name);
    stage->state_dir = options->state_dir ? strdup(options->state_dir) : NULL;
    stage->executors = calloc(stage->nexecutors, sizeof(*stage->executors));
    if (!stage->name || (options->state_dir && !stage->state_dir) || !stage->executors) return LINNET_E_NOMEM;
    for (unsigned i = 0; i < stage->nexecutors; i++) {
        struct linnet_executor *executor = &stage->executors[i];
        executor->stage = stage;
        executor->index = i;
        executor->room = calloc(plugin->batch_max, sizeof(struct linnet_work *));
        executor->items = calloc(plugin->batch_max, sizeof(struct linnet_item *));
        if (!executor->room || !executor->items) return LINNET_E_NOMEM;
        linnet_services_fill(executor);
    }
    return 0;
}

/* Stop the threads of an opening that failed. */
static void join_all(struct linnet_stage *stage) {
    uv_mutex_lock(&stage->lock);
    stage->closing = true;
    wake_all(stage);
    uv_mutex_unlock(&stage->lock);
    for (unsigned i = 0; i < stage->nexecutors; i++)
        if (stage->executors[i].started) uv_thread_join(&stage->executors[i].thread);
    uv_cond_destroy(&stage->wake);
    uv_cond_destroy(&stage->changed);
    uv_mutex_destroy(&stage->lock);
}

/* All threads are up: did each open an instance, and are these alike? */
static int judge_opening(struct linnet_stage *stage, struct linnet_error *err) {
    for (unsigned i = 0; i < stage->nexecutors; i++) {
        const struct linnet_executor *executor = &stage->executors[i];
        if (executor->open_error)
            return linnet_error_set(err, executor->open_error, "stage %s: %s", stage->name, executor->why);
        if (strcmp(executor->fingerprint, stage->executors[0].fingerprint) != 0)
            return linnet_error_set(err, LINNET_E_PLUGIN,
                                    "stage %s: its instances have different fingerprints (\"%s\", \"%s\")",
                                    stage->name, stage->executors[0].fingerprint, executor->fingerprint);
    }
    return linnet_fingerprint(stage->plugin, stage->config, stage->executors[0].fingerprint,
                              stage->fingerprint);
}

static int start_threads(struct linnet_stage *stage, struct linnet_error *err) {
    if (uv_mutex_init(&stage->lock)) return LINNET_E_NOMEM;
    uv_cond_init(&stage->wake);
    uv_cond_init(&stage->changed);
    int rc = 0;
    unsigned started = 0;
    for (unsigned i = 0; !rc && i < stage->nexecutors; i++) {
        struct linnet_executor *executor = &stage->executors[i];
        rc = uv_thread_create(&executor->thread, linnet_executor_run, executor) ? LINNET_E_NOMEM : 0;
        if (!rc) executor->started = true;
        if (!rc) started++;
    }
    uv_mutex_lock(&stage->lock);
    while (stage->opened < started)
        uv_cond_wait(&stage->changed, &stage->lock);
    uv_mutex_unlock(&stage->lock);
    if (rc) linnet_error_set(err, rc, "stage %s: no thread can be started", stage->name);
    if (!rc) rc = judge_opening(stage, err);
    if (!rc && uv_async_init(stage->loop, &stage->async, on_async)) rc = LINNET_E_NOMEM;
    if (rc) join_all(stage);
    return rc;
}

int linnet_stage_open(uv_loop_t *loop, struct linnet_plugin_file *file,
                      const struct linnet_stage_options *options, struct linnet_stage **out,
                      struct linnet_error *err) {
    struct linnet_stage *stage = calloc(1, sizeof(*stage));
    if (!stage) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    stage->loop = loop;
    stage->file = file;
    stage->plugin = &file->plugin;
    stage->able = stage->nexecutors = threads_of(stage->plugin, options->threads);
    size_t batches = (size_t)4 * stage->plugin->batch_max * stage->nexecutors;
    stage->queue_limit = options->queue_limit ? options->queue_limit : batches > 64 ? batches : 64;
    int rc = allocate(stage, options);
    if (rc) linnet_error_set(err, rc, "out of memory");
    if (!rc) rc = linnet_config_complete(file, options->config, &stage->config, err);
    if (!rc) {
        make_metrics(stage);
        rc = start_threads(stage, err);
    }
    if (rc) {
        stage_free(stage);
        return rc;
    }
    stage->async.data = stage;
    stage->front = stage->executors[0].instance;
    uv_mutex_lock(&stage->lock);
    stage->live = true;
    uv_mutex_unlock(&stage->lock);
    *out = stage;
    return 0;
}

/* ---- the rest of the loop's side ---- */

int linnet_stage_submit(struct linnet_stage *stage, struct linnet_work *work) {
    int rc = 0;
    work->since_ns = uv_hrtime();
    work->next = NULL;
    work->queued_s = work->process_s = 0;
    work->began_ns = work->ended_ns = 0;
    work->breakages = 0;
    uv_mutex_lock(&stage->lock);
    if (stage->hurry || stage->closing) {
        rc = LINNET_E_CANCELLED;
    } else if (stage->failed) {
        linnet_work_settle(work, LINNET_RETRY, "%s", stage->failure);
        linnet_stage_give_back(stage, work);
    } else if (stage->queue.size >= stage->queue_limit && !work->back) {
        rc = LINNET_E_FULL;
    } else {
        linnet_queue_push(&stage->queue, work);
        uv_cond_signal(&stage->wake);
    }
    uv_mutex_unlock(&stage->lock);
    if (rc) return rc;
    stage->held++;
    linnet_metric_set(stage->metrics.queued, (double)stage->held);
    return 0;
}

void linnet_stage_drain(struct linnet_stage *stage, void (*drained)(void *arg), void *arg) {
    stage->draining = true;
    stage->drained_callback = drained;
    stage->drained_arg = arg;
    uv_mutex_lock(&stage->lock);
    stage->hurry = true;
    wake_all(stage);
    uv_async_send(&stage->async); /* there may be nothing to wait for */
    uv_mutex_unlock(&stage->lock);
}

void linnet_stage_close(struct linnet_stage *stage, void (*closed)(void *arg), void *arg) {
    stage->closed_callback = closed;
    stage->closed_arg = arg;
    uv_mutex_lock(&stage->lock);
    stage->closing = true;
    return_queued(stage, "the stage is closing");
    for (struct linnet_call *call; (call = linnet_call_take(&stage->calls, LINNET_ANY_EXECUTOR));) {
        call->error = LINNET_E_CANCELLED;
        linnet_call_push(&stage->answers, call);
    }
    wake_all(stage);
    uv_async_send(&stage->async);
    uv_mutex_unlock(&stage->lock);
}

int linnet_stage_snapshot(struct linnet_stage *stage, const char *position,
                          void (*done)(void *arg, int error), void *arg) {
    struct linnet_call call = {.kind = LINNET_CALL_SNAPSHOT, .done.snapshot = done, .arg = arg};
    if (strlen(position) >= sizeof(call.position)) return LINNET_E_LIMIT;
    memcpy(call.position, position, strlen(position) + 1);
    return push_call(stage, call);
}

int linnet_stage_restore(struct linnet_stage *stage, void (*done)(void *arg, int error, const char *position),
                         void *arg) {
    return push_call(stage,
                     (struct linnet_call){.kind = LINNET_CALL_RESTORE, .done.restore = done, .arg = arg});
}

int linnet_stage_tick(struct linnet_stage *stage, void (*done)(void *arg), void *arg) {
    return push_call(stage, (struct linnet_call){.kind = LINNET_CALL_TICK, .done.tick = done, .arg = arg});
}

const char *linnet_stage_name(const struct linnet_stage *stage) {
    return stage->name;
}

const struct linnet_plugin *linnet_stage_plugin(const struct linnet_stage *stage) {
    return stage->plugin;
}

const char *linnet_stage_fingerprint(const struct linnet_stage *stage) {
    return stage->fingerprint;
}

const json_t *linnet_stage_config(const struct linnet_stage *stage) {
    return stage->config;
}

size_t linnet_stage_queued(const struct linnet_stage *stage) {
    return stage->held;
}

size_t linnet_stage_queue_limit(const struct linnet_stage *stage) {
    return stage->queue_limit;
}

unsigned linnet_stage_threads(const struct linnet_stage *stage) {
    return stage->nexecutors;
}

void *linnet_stage_instance(const struct linnet_stage *stage) {
    return stage->front;
}
