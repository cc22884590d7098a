/* The thread of one instance: opens it, takes batches and calls in turn, keeps the rest safe from what the
 * plugin does. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "workers/host/stage_private.h"

/* How often, and from how soon doubling, a broken instance is opened again before its executor gives up. */
#define REOPEN_ATTEMPTS 5
#define REOPEN_FIRST_NS UINT64_C(100000000)
/* An item that broke so many instances goes back. */
#define BREAKAGES_MAX 2

/* ---- instances ---- */

static int open_instance(struct linnet_executor *executor, void **out) {
    const struct linnet_plugin *plugin = executor->stage->plugin;
    executor->why[0] = '\0';
    *out = NULL;
    int rc =
        plugin->open(&executor->host, executor->stage->config, out, executor->why, sizeof(executor->why));
    executor->why[sizeof(executor->why) - 1] = '\0';
    if (rc && !executor->why[0])
        snprintf(executor->why, sizeof(executor->why), "open() answered %d and said nothing", rc);
    if (!rc && !*out) {
        rc = LINNET_E_PLUGIN;
        snprintf(executor->why, sizeof(executor->why), "open() left no instance");
    }
    if (!rc) {
        uint32_t wanted = plugin->batch ? plugin->batch(*out) : plugin->batch_max;
        executor->batch_max = wanted >= 1 && wanted < plugin->batch_max ? wanted : plugin->batch_max;
    }
    return rc ? LINNET_E_PLUGIN : 0;
}

static int first_opening(struct linnet_executor *executor) {
    const struct linnet_stage *stage = executor->stage;
    const struct linnet_plugin *plugin = stage->plugin;
    if (executor->index == 0 && plugin->check) {
        int rc = plugin->check(&executor->host, stage->config, executor->why, sizeof(executor->why));
        executor->why[sizeof(executor->why) - 1] = '\0';
        if (rc && !executor->why[0])
            snprintf(executor->why, sizeof(executor->why), "check() answered %d and said nothing", rc);
        if (rc) return LINNET_E_PLUGIN;
    }
    int rc = open_instance(executor, &executor->instance);
    if (rc || !plugin->fingerprint) return rc;
    rc = plugin->fingerprint(executor->instance, executor->fingerprint, sizeof(executor->fingerprint));
    executor->fingerprint[sizeof(executor->fingerprint) - 1] = '\0';
    if (!rc) return 0;
    snprintf(executor->why, sizeof(executor->why), "fingerprint() answered %d", rc);
    plugin->close(executor->instance);
    executor->instance = NULL;
    return LINNET_E_PLUGIN;
}

/* Executor 0's instance also answers the loop's pure calls: the loop must take the new one before the old one
 * may go. */
static void swap_front(struct linnet_executor *executor) {
    struct linnet_stage *stage = executor->stage;
    uv_mutex_lock(&stage->lock);
    stage->replacement = executor->instance;
    uv_async_send(&stage->async);
    while (stage->replacement && !stage->closing)
        uv_cond_wait(&stage->changed, &stage->lock);
    uv_mutex_unlock(&stage->lock);
    stage->plugin->close(executor->retired);
    executor->retired = NULL;
}

static void give_up(struct linnet_executor *executor, const char *reason) {
    struct linnet_stage *stage = executor->stage;
    linnet_log(LINNET_ERROR, stage->name, "an executor gives up", "executor", "i",
               (json_int_t)executor->index, "reason", "s", reason, NULL);
    uv_mutex_lock(&stage->lock);
    executor->retry_ns = UINT64_MAX;
    if (--stage->able == 0) linnet_stage_fail(stage, reason);
    uv_mutex_unlock(&stage->lock);
}

static void reopen(struct linnet_executor *executor) {
    struct linnet_stage *stage = executor->stage;
    if (open_instance(executor, &executor->instance)) {
        executor->instance = NULL;
        linnet_log(LINNET_WARN, stage->name, "a new instance cannot be opened", "reason", "s", executor->why,
                   NULL);
        if (++executor->attempts == REOPEN_ATTEMPTS) {
            give_up(executor, executor->why);
        } else {
            executor->retry_ns = uv_hrtime() + (REOPEN_FIRST_NS << (executor->attempts - 1));
        }
        return;
    }
    executor->attempts = 0;
    linnet_metric_add(stage->metrics.reopened, 1);
    linnet_log(LINNET_INFO, stage->name, "a broken instance was replaced", "executor", "i",
               (json_int_t)executor->index, NULL);
    if (executor->retired) swap_front(executor);
}

/* The instance is broken: have another one, or none. */
static void replace_instance(struct linnet_executor *executor, const char *reason) {
    const struct linnet_plugin *plugin = executor->stage->plugin;
    if (executor->index == 0)
        executor->retired = executor->instance;
    else
        plugin->close(executor->instance);
    executor->instance = NULL;
    if (plugin->scope == LINNET_SCOPE_SITE) {
        give_up(executor, reason); /* its state went with it, and only its owner can feed it again */
    } else {
        reopen(executor);
    }
}

/* ---- batches ---- */

static int call_process(struct linnet_executor *executor, struct linnet_work **works, size_t n) {
    const struct linnet_stage *stage = executor->stage;
    const struct linnet_stage_options *options = &stage->options;
    uint32_t deadline = stage->plugin->deadline_ms ? stage->plugin->deadline_ms : 60000;
    for (size_t i = 0; i < n; i++) {
        linnet_work_settle(works[i], LINNET_RETRY, NULL);
        works[i]->finishes = 0;
        executor->items[i] = &works[i]->item;
    }
    executor->batch = works;
    executor->nbatch = n;
    executor->out_of_memory = false;
    if (options->batch_begin)
        options->batch_begin(options->batch_arg, executor->index, stage->name, executor->items, n, deadline);
    executor->working = true;
    uint64_t start = uv_hrtime();
    int rc = stage->plugin->process(executor->instance, executor->items, n);
    uint64_t end = uv_hrtime();
    double seconds = (double)(end - start) / 1e9;
    executor->working = false;
    if (options->batch_end) options->batch_end(options->batch_arg, executor->index);
    executor->nbatch = 0;
    for (size_t i = 0; i < n; i++) {
        works[i]->process_s += seconds / (double)n;
        works[i]->began_ns = start;
        works[i]->ended_ns = end;
    }
    linnet_metric_add(stage->metrics.processed, (double)n);
    linnet_metric_add(stage->metrics.batches, 1);
    linnet_metric_observe(stage->metrics.batch_seconds, seconds);
    return rc;
}

static void process(struct linnet_executor *executor, struct linnet_work **works, size_t n);

/* `process` answered non-zero: nothing was touched. Try the items one by one to find whose fault it is. */
static void process_singly(struct linnet_executor *executor, struct linnet_work **works, size_t n,
                           int answer) {
    for (size_t i = 0; i < n; i++)
        if (works[i]->finishes || works[i]->nresults) {
            linnet_stage_fault(executor->stage, "process answered non-zero after it had touched items");
            break;
        }
    if (n > 1)
        linnet_log(LINNET_WARN, executor->stage->name, "a batch failed and is tried item by item", "items",
                   "i", (json_int_t)n, "answer", "i", (json_int_t)answer, NULL);
    for (size_t i = 0; i < n; i++) {
        if (n > 1 && executor->instance)
            process(executor, &works[i], 1);
        else
            linnet_work_settle(works[i], LINNET_RETRY, "the stage failed on it (process() answered %d)",
                               answer);
    }
}

/* Some items ended with LINNET_BROKEN: their instance goes, they are tried once more on another. */
static void process_again(struct linnet_executor *executor, struct linnet_work **works, size_t n,
                          const char *reason) {
    replace_instance(executor, reason);
    for (size_t i = 0; i < n; i++) {
        if (works[i]->finishes != 1 || works[i]->verdict != LINNET_BROKEN) continue;
        if (executor->instance && works[i]->breakages < BREAKAGES_MAX) {
            process(executor, &works[i], 1);
        } else {
            char words[LINNET_WHY_SIZE];
            snprintf(words, sizeof(words), "%s", works[i]->reason ? works[i]->reason : "it gave no reason");
            linnet_work_settle(works[i], LINNET_RETRY, "the stage's instance broke on it: %s", words);
        }
    }
}

static void process(struct linnet_executor *executor, struct linnet_work **works, size_t n) {
    int rc = call_process(executor, works, n);
    if (executor->out_of_memory) {
        for (size_t i = 0; i < n; i++)
            linnet_work_settle(works[i], LINNET_RETRY, "out of memory");
        return;
    }
    if (rc) {
        process_singly(executor, works, n, rc);
        return;
    }
    char reason[LINNET_WHY_SIZE] = "";
    bool broken = false;
    for (size_t i = 0; i < n; i++) {
        struct linnet_work *work = works[i];
        if (work->finishes != 1) {
            linnet_stage_fault(executor->stage, work->finishes ? "an item was finished more than once"
                                                               : "an item was never finished");
            linnet_work_settle(work, LINNET_RETRY, "the plugin is faulty: it finished this item %u times",
                               work->finishes);
        } else if (work->verdict == LINNET_BROKEN) {
            broken = true;
            work->breakages++;
            snprintf(reason, sizeof(reason), "%s", work->reason ? work->reason : "it gave no reason");
        } else if (work->verdict != LINNET_OK) {
            linnet_work_clear_results(work);
        }
    }
    if (broken) process_again(executor, works, n, reason);
}

static void run_batch(struct linnet_executor *executor, struct linnet_work *chain) {
    struct linnet_stage *stage = executor->stage;
    size_t n = 0;
    uint64_t now = uv_hrtime();
    for (struct linnet_work *work = chain; work; work = work->next) {
        work->queued_s = (double)(now - work->since_ns) / 1e9;
        executor->room[n++] = work;
    }
    process(executor, executor->room, n);
    for (size_t i = 0; i < n; i++) {
        executor->room[i]->next = i + 1 < n ? executor->room[i + 1] : NULL;
        linnet_metric_add(stage->metrics.verdicts[executor->room[i]->verdict], 1);
    }
    uv_mutex_lock(&stage->lock);
    linnet_stage_give_back(stage, executor->room[0]);
    uv_mutex_unlock(&stage->lock);
}

/* ---- calls ---- */

/* `tick` or `drain`, which may emit without an item. */
static int call_emitting(struct linnet_executor *executor, int (*function)(void *instance)) {
    struct linnet_stage *stage = executor->stage;
    if (!function) return 0;
    struct linnet_work *loose = linnet_work_new("", 0);
    if (!loose) return LINNET_E_NOMEM;
    executor->loose = loose;
    executor->out_of_memory = false;
    executor->working = true;
    int rc = function(executor->instance);
    executor->working = false;
    executor->loose = NULL;
    loose->verdict = LINNET_OK;
    if (rc || executor->out_of_memory)
        linnet_work_settle(loose, LINNET_RETRY, "the stage's own call failed (it answered %d)", rc);
    if (!rc && !loose->nresults) {
        linnet_work_free(loose);
        return 0;
    }
    uv_mutex_lock(&stage->lock);
    linnet_stage_give_back(stage, loose);
    uv_mutex_unlock(&stage->lock);
    return rc ? LINNET_E_PLUGIN : 0;
}

static int answer(struct linnet_executor *executor, struct linnet_call *call) {
    const struct linnet_plugin *plugin = executor->stage->plugin;
    if (!executor->instance) return LINNET_E_BROKEN;
    switch (call->kind) {
    case LINNET_CALL_SNAPSHOT:
        return plugin->snapshot && plugin->snapshot(executor->instance, call->position) ? LINNET_E_PLUGIN : 0;
    case LINNET_CALL_RESTORE:
        call->position[0] = '\0';
        return plugin->restore && plugin->restore(executor->instance, call->position, sizeof(call->position))
                   ? LINNET_E_PLUGIN
                   : 0;
    case LINNET_CALL_TICK:
        return call_emitting(executor, plugin->tick);
    case LINNET_CALL_DRAIN:
        return call_emitting(executor, plugin->drain);
    }
    return LINNET_E_INTERNAL;
}

static void run_call(struct linnet_executor *executor, struct linnet_call *call) {
    struct linnet_stage *stage = executor->stage;
    call->error = answer(executor, call);
    uv_mutex_lock(&stage->lock);
    linnet_call_push(&stage->answers, call);
    uv_async_send(&stage->async);
    uv_mutex_unlock(&stage->lock);
}

/* ---- turns ---- */

struct turn {
    struct linnet_call *call;
    struct linnet_work *batch;
    bool reopen, close;
};

/* Wait for the next thing to do. */
static struct turn next_turn(struct linnet_executor *executor) {
    struct linnet_stage *stage = executor->stage;
    uint64_t delay = stage->options.eager ? 0 : (uint64_t)stage->plugin->batch_delay_ms * 1000000;
    struct turn turn = {0};
    uv_mutex_lock(&stage->lock);
    for (;;) {
        uint64_t now = uv_hrtime(), wait;
        if ((turn.close = stage->closing)) break;
        if ((turn.call = linnet_call_take(&stage->calls, executor->index))) break;
        if (executor->instance) {
            wait = linnet_queue_due_in(&stage->queue, executor->batch_max, stage->hurry ? 0 : delay, now);
            if (wait == 0) turn.batch = linnet_queue_take(&stage->queue, executor->batch_max);
            if (turn.batch) break;
        } else {
            wait = executor->retry_ns > now ? executor->retry_ns - now : 0;
            if ((turn.reopen = wait == 0)) break;
        }
        uv_cond_t *condition = executor->instance ? &stage->wake : &stage->changed;
        if (wait > UINT64_C(3600000000000))
            uv_cond_wait(condition, &stage->lock);
        else
            uv_cond_timedwait(condition, &stage->lock, wait);
    }
    if (turn.batch && stage->queue.size) uv_cond_signal(&stage->wake); /* what is left is somebody else's */
    uv_mutex_unlock(&stage->lock);
    return turn;
}

/* The thread is called as its stage in top, perf and gdb: 15 characters are shown. */
static void name_thread(const char *stage) {
    char name[16];
    snprintf(name, sizeof(name), "%s", stage);
    pthread_setname_np(pthread_self(), name);
}

void linnet_executor_run(void *arg) {
    struct linnet_executor *executor = arg;
    struct linnet_stage *stage = executor->stage;
    executor->self = uv_thread_self();
    name_thread(stage->name);
    executor->open_error = first_opening(executor);
    bool open = executor->open_error == 0;
    uv_mutex_lock(&stage->lock);
    stage->opened++;
    uv_cond_broadcast(&stage->changed);
    uv_mutex_unlock(&stage->lock);

    while (open) {
        struct turn turn = next_turn(executor);
        if (turn.close) break;
        if (turn.call) run_call(executor, turn.call);
        if (turn.batch) run_batch(executor, turn.batch);
        if (turn.reopen) reopen(executor);
    }
    if (executor->instance) stage->plugin->close(executor->instance);
    if (executor->retired) stage->plugin->close(executor->retired);

    uv_mutex_lock(&stage->lock);
    stage->exited++;
    if (stage->live) uv_async_send(&stage->async);
    uv_mutex_unlock(&stage->lock);
}
