#include "workers/host/conformance_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/host/plan.h"

/* ---- words ---- */

static void say(char *out, size_t size, const char *format, va_list args) {
    vsnprintf(out, size, format, args);
}

bool linnet_rig_fail(struct linnet_rig *rig, const char *format, ...) {
    va_list args;
    va_start(args, format);
    /* A breach that the host noticed says more than what came of it. */
    if (*rig->slate->fault)
        snprintf(rig->slate->words, sizeof(rig->slate->words), "%s, while %s", rig->slate->fault,
                 rig->slate->phase);
    else
        say(rig->slate->words, sizeof(rig->slate->words), format, args);
    va_end(args);
    rig->slate->status = LINNET_CHECK_FAILED;
    return false;
}

bool linnet_rig_skip(struct linnet_rig *rig, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(rig->slate->words, sizeof(rig->slate->words), format, args);
    va_end(args);
    rig->slate->status = LINNET_CHECK_SKIPPED;
    return false;
}

void linnet_rig_phase(struct linnet_rig *rig, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(rig->slate->phase, sizeof(rig->slate->phase), format, args);
    va_end(args);
}

void linnet_rig_note(struct linnet_rig *rig, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(rig->slate->words, sizeof(rig->slate->words), format, args);
    va_end(args);
}

/* ---- the stage ---- */

static void on_done(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    struct linnet_rig *rig = arg;
    (void)stage;
    if (work->item.ndocs) {
        rig->back++; /* its place is known since it was submitted */
        return;
    }
    struct linnet_work **more = realloc(rig->works, (rig->nworks + 1) * sizeof(struct linnet_work *));
    if (more) rig->works = more;
    if (more)
        more[rig->nworks++] = work;
    else
        linnet_work_free(work);
}

/* On the executor's thread; one is enough. */
static void on_fault(void *arg, const char *what) {
    struct linnet_rig *rig = arg;
    if (!atomic_flag_test_and_set(&rig->faulted))
        snprintf(rig->slate->fault, sizeof(rig->slate->fault), "%s", what);
}

static void on_batch_begin(void *arg, unsigned executor, const char *stage,
                           const struct linnet_item *const *items, size_t n, uint32_t deadline_ms) {
    struct linnet_rig *rig = arg;
    (void)stage;
    (void)items;
    (void)n;
    (void)deadline_ms;
    if (executor == 0) rig->begun_ns = uv_hrtime();
}

static void on_batch_end(void *arg, unsigned executor) {
    struct linnet_rig *rig = arg;
    double seconds = (double)(uv_hrtime() - rig->begun_ns) / 1e9;
    if (executor == 0 && seconds > rig->slowest_s) rig->slowest_s = seconds;
}

static void on_flag(void *flag) {
    *(bool *)flag = true;
}

bool linnet_rig_open(struct linnet_rig *rig, const struct linnet_rig_shape *shape) {
    const struct linnet_conformance_options *options = rig->options;
    struct linnet_error err = {0};
    struct linnet_plugin_file *file = NULL;
    linnet_rig_phase(rig, "it was being loaded");
    if (linnet_plugin_file_open(options->path, &file, &err)) return linnet_rig_fail(rig, "%s", err.detail);
    /* The check says how large batches are: they wait for company until they are just so large. */
    file->plugin.batch_max = shape->batch ? shape->batch : 1;
    file->plugin.batch_delay_ms = shape->batch > 1 ? 3600000 : 0;
    rig->file = file;
    rig->metrics = linnet_metrics_new();
    rig->drained = rig->closed = false;
    uv_loop_init(&rig->loop);
    struct linnet_stage_options stage = {
        .config = shape->config ? shape->config : options->config,
        .references = options->references,
        .threads = shape->threads ? shape->threads : 1,
        .queue_limit = 1 << 20,
        .state_dir = shape->no_state || file->plugin.scope != LINNET_SCOPE_SITE ? NULL : rig->state_dir,
        .metrics = rig->metrics,
        .batch_begin = on_batch_begin,
        .batch_end = on_batch_end,
        .batch_arg = rig,
        .fault = on_fault,
        .done = on_done,
        .done_arg = rig,
    };
    linnet_rig_phase(rig, "an instance was being opened");
    if (linnet_stage_open(&rig->loop, file, &stage, &rig->stage, &err)) {
        rig->stage = NULL;
        return linnet_rig_fail(rig, "%s", err.detail);
    }
    memcpy(rig->slate->fingerprint, linnet_stage_fingerprint(rig->stage), sizeof(rig->slate->fingerprint));
    return true;
}

bool linnet_rig_close(struct linnet_rig *rig) {
    linnet_rig_phase(rig, "it was being closed");
    linnet_stage_close(rig->stage, on_flag, &rig->closed);
    while (!rig->closed)
        uv_run(&rig->loop, UV_RUN_ONCE);
    uv_loop_close(&rig->loop);
    linnet_metrics_free(rig->metrics);
    linnet_plugin_file_free(rig->file);
    rig->stage = NULL;
    return *rig->slate->fault ? linnet_rig_fail(rig, "%s", rig->slate->fault) : true;
}

void linnet_rig_forget(struct linnet_rig *rig) {
    for (size_t i = 0; i < rig->nworks; i++)
        linnet_work_free(rig->works[i]);
    free(rig->works);
    rig->works = NULL;
    rig->nworks = rig->submitted = rig->back = 0;
}

bool linnet_rig_submit(struct linnet_rig *rig, struct linnet_work *work) {
    struct linnet_work **more = realloc(rig->works, (rig->nworks + 1) * sizeof(struct linnet_work *));
    if (more) rig->works = more;
    if (!more || !work || linnet_stage_submit(rig->stage, work)) {
        linnet_work_free(work);
        return linnet_rig_fail(rig, "out of memory");
    }
    rig->works[rig->nworks++] = work;
    rig->submitted++;
    return true;
}

/* The verdicts that a plugin may end an item with on its own account. */
static bool check_ends(struct linnet_rig *rig) {
    if (*rig->slate->fault) return linnet_rig_fail(rig, "%s", rig->slate->fault);
    for (size_t i = 0; i < rig->nworks; i++) {
        const struct linnet_work *work = rig->works[i];
        const char *id = work->item.ndocs ? work->item.docs[0].id : "tick";
        if (work->verdict == LINNET_RETRY)
            return linnet_rig_fail(rig, "%s is to be tried again, and again: %s (while %s)", id,
                                   work->reason ? work->reason : "it gives no reason", rig->slate->phase);
        if (work->verdict == LINNET_REJECT && (!work->reason || !*work->reason))
            return linnet_rig_fail(rig, "%s is refused without a reason: nobody can mend it (while %s)", id,
                                   rig->slate->phase);
    }
    return true;
}

bool linnet_rig_settle(struct linnet_rig *rig, bool drain) {
    if (drain) {
        linnet_stage_drain(rig->stage, on_flag, &rig->drained);
        while (!rig->drained)
            uv_run(&rig->loop, UV_RUN_ONCE);
    }
    while (rig->back < rig->submitted)
        uv_run(&rig->loop, UV_RUN_ONCE);
    return check_ends(rig);
}

/* ---- calls of scope site ---- */

static void on_snapshot(void *arg, int error) {
    struct linnet_rig *rig = arg;
    rig->answer = error;
    rig->drained = true;
}

static void on_restore(void *arg, int error, const char *position) {
    struct linnet_rig *rig = arg;
    snprintf(rig->position, sizeof(rig->position), "%s", position);
    on_snapshot(arg, error);
}

static bool await_answer(struct linnet_rig *rig, int pushed, const char *call) {
    rig->answer = pushed;
    if (!pushed) {
        while (!rig->drained)
            uv_run(&rig->loop, UV_RUN_ONCE);
    }
    rig->drained = false;
    return rig->answer ? linnet_rig_fail(rig, "%s failed: %s", call, linnet_error_message(rig->answer))
                       : true;
}

bool linnet_rig_snapshot(struct linnet_rig *rig, const char *position) {
    linnet_rig_phase(rig, "a snapshot was taken");
    rig->drained = false;
    return await_answer(rig, linnet_stage_snapshot(rig->stage, position, on_snapshot, rig), "snapshot");
}

bool linnet_rig_restore(struct linnet_rig *rig) {
    linnet_rig_phase(rig, "its state was restored");
    rig->drained = false;
    return await_answer(rig, linnet_stage_restore(rig->stage, on_restore, rig), "restore");
}

bool linnet_rig_tick(struct linnet_rig *rig) {
    /* Calls are answered in order: when the snapshot after it is answered the tick is over. */
    linnet_rig_phase(rig, "it was ticking");
    if (linnet_stage_tick(rig->stage, NULL, NULL)) return linnet_rig_fail(rig, "out of memory");
    rig->drained = false;
    return await_answer(rig, linnet_stage_snapshot(rig->stage, "tick", on_snapshot, rig), "snapshot") &&
           check_ends(rig);
}

/* ---- items ---- */

bool linnet_rig_copy(const struct linnet_observation *sample, struct linnet_observation *out) {
    linnet_observation_init(out, sample->ulid);
    for (size_t i = 0; i < sample->ndocs; i++) {
        const struct linnet_held_doc *doc = &sample->docs[i];
        json_t *json = json_deep_copy(doc->json);
        if (!json || linnet_observation_put(out, json)) {
            json_decref(json);
            linnet_observation_done(out);
            return false;
        }
        for (size_t b = 0; b < doc->nblobs; b++)
            if (linnet_observation_put_blob(out, doc->id, doc->blobs[b].name, doc->blobs[b].content_type,
                                            doc->blobs[b].bytes))
                return false;
    }
    return true;
}

static bool site_items(struct linnet_rig *rig, const struct linnet_observation *sample,
                       bool (*each)(void *arg, struct linnet_rig *rig, struct linnet_work *work), void *arg) {
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    for (size_t i = 0; i < sample->ndocs; i++) {
        const struct linnet_input *input = linnet_plugin_input(plugin, sample->docs[i].kind);
        struct linnet_work *work = NULL;
        if (!input || !(input->flags & LINNET_TRIGGER)) continue;
        if (linnet_work_document(plugin, sample->docs[i].id, sample->docs[i].json, &work))
            return linnet_rig_fail(rig, "out of memory");
        if (!each(arg, rig, work)) return false;
    }
    return true;
}

bool linnet_rig_items(struct linnet_rig *rig, const struct linnet_observation *sample,
                      bool (*each)(void *arg, struct linnet_rig *rig, struct linnet_work *work), void *arg) {
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    if (plugin->scope == LINNET_SCOPE_SITE) return site_items(rig, sample, each, arg);
    /* No result has this fingerprint: what the samples hold of the plugin's own is made again. */
    struct linnet_planned_stage stage = {.name = linnet_stage_name(rig->stage),
                                         .plugin = plugin,
                                         .fingerprint = "",
                                         .instance = linnet_stage_instance(rig->stage),
                                         .policy = LINNET_POLICY_BACKFILL};
    struct linnet_plan plan;
    if (linnet_plan_make(sample, &stage, 1, false, &plan)) return linnet_rig_fail(rig, "out of memory");
    bool go = true;
    for (size_t i = 0; go && i < plan.ndue; i++)
        go = each(arg, rig, linnet_plan_work(sample, &stage, &plan.due[i]));
    linnet_plan_done(&plan);
    return go;
}

static bool submit_each(void *arg, struct linnet_rig *rig, struct linnet_work *work) {
    ++*(size_t *)arg;
    return linnet_rig_submit(rig, work);
}

bool linnet_rig_submit_samples(struct linnet_rig *rig, size_t *n) {
    *n = 0;
    linnet_rig_phase(rig, "the samples were processed");
    for (size_t i = 0; i < rig->options->nsamples; i++)
        if (!linnet_rig_items(rig, &rig->options->samples[i], submit_each, n)) return false;
    return true;
}
