/* Opening, the turn that works everything off, pausing, draining, closing. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/time.h"

enum {
    TICK_MS = 100,
    KNOWN = 131072,       /* revisions; 3 MiB */
    AWAITED = 1024 * 1024 /* own writes that the feed has not told yet; 16 MiB if there are so many */
};

/* ---- small things ---- */

void linnet_flow_fail(struct linnet_flow *flow, int error, const char *detail) {
    if (flow->failed || flow->closing) return;
    flow->failed = true;
    linnet_log(LINNET_ERROR, "flow", "cannot go on", "error", "s", linnet_error_name(error), "detail", "s",
               detail, NULL);
    flow->fatal_error = error;
    snprintf(flow->fatal_detail, sizeof(flow->fatal_detail), "%s", detail ? detail : "");
}

void linnet_flow_account(struct linnet_flow *flow, size_t *counted, size_t now) {
    flow->bytes += now - *counted;
    *counted = now;
}

unsigned linnet_flow_backoff(unsigned attempts, unsigned least, unsigned most) {
    unsigned wait = least;
    for (unsigned i = 1; i < attempts && wait < most; i++)
        wait *= 2;
    if (wait > most) wait = most;
    return wait / 2 + (unsigned)rand() % (wait / 2 + 1);
}

/* ---- pausing ---- */

static size_t span_of(const struct linnet_flow *flow) {
    size_t span = flow->feed ? flow->feed->ledger.span : 0;
    const struct linnet_source *source;
    TAILQ_FOREACH(source, &flow->passes, link) {
        if (source->ledger.span > span) span = source->ledger.span;
    }
    return span;
}

static bool above(const struct linnet_flow *flow, size_t quarters) {
    const struct linnet_flow_options *o = &flow->options;
    return flow->ntasks >= o->tasks_limit / 4 * quarters || flow->bytes >= o->bytes_limit / 4 * quarters ||
           span_of(flow) >= o->span_limit / 4 * quarters ||
           linnet_writer_load(flow->writers[LINNET_DB_MAIN]) >= o->writer_bytes / 4 * quarters;
}

void linnet_flow_pace(struct linnet_flow *flow) {
    bool pause = flow->loading || flow->draining || flow->failed || above(flow, flow->paused ? 3 : 4);
    if (pause != flow->paused) {
        flow->paused = pause;
        linnet_metric_set(flow->m_paused, pause);
    }
    linnet_source_pause(flow->feed, pause);
    struct linnet_source *source;
    TAILQ_FOREACH(source, &flow->passes, link) {
        if (source->kind == LINNET_SOURCE_PASS) linnet_source_pause(source, pause);
    }
}

/* ---- turns ---- */

static bool nothing_left(const struct linnet_flow *flow) {
    for (int d = 0; d < LINNET_DB_NONE; d++)
        if (linnet_writer_pending(flow->writers[d])) return false;
    return !flow->ntasks && linnet_site_idle(flow);
}

static void finalize(struct linnet_flow *flow);

static void tell(struct linnet_flow *flow) {
    if (flow->failed && !flow->told) {
        flow->told = true;
        if (flow->options.events.fatal)
            flow->options.events.fatal(flow->options.arg, flow->fatal_error, flow->fatal_detail);
    }
    if (flow->draining && flow->drained && nothing_left(flow)) {
        void (*drained)(void *) = flow->drained;
        flow->drained = NULL;
        drained(flow->drained_arg);
    }
}

static void plan_tasks(struct linnet_flow *flow) {
    struct linnet_task *task;
    for (size_t i = 0; i < flow->nplanned; i++) /* a stage whose instance broke has another one now */
        flow->planned[i].instance = linnet_stage_instance(flow->planned_slots[i]->stage);
    while ((task = TAILQ_FIRST(&flow->to_plan)) && !flow->failed) {
        TAILQ_REMOVE(&flow->to_plan, task, plan_link);
        task->to_plan = false;
        linnet_task_plan(task);
    }
}

static void turn(uv_prepare_t *prepare) {
    struct linnet_flow *flow = prepare->data;
    if (flow->closing) { /* the writers may be gone */
        finalize(flow);
        return;
    }
    if (!flow->failed) {
        if (!flow->loading) {
            plan_tasks(flow);
            linnet_gather_turn(flow);
            linnet_blob_turn(flow);
            plan_tasks(flow);
            linnet_item_turn(flow);
        }
        linnet_source_turn(flow);
        linnet_site_turn(flow);
        linnet_backfill_turn(flow);
        if (flow->nold) linnet_flow_sweep_slots(flow);
    }
    linnet_flow_pace(flow);
    tell(flow);
}

static void measure(struct linnet_flow *flow, int64_t now) {
    int64_t oldest = flow->feed ? linnet_ledger_oldest(&flow->feed->ledger) : -1;
    flow->lag_ms = oldest < 0 ? 0 : now - oldest;
    linnet_metric_set(flow->m_lag, (double)flow->lag_ms / 1000.0);
    linnet_metric_set(flow->m_tasks, (double)flow->ntasks);
    linnet_metric_set(flow->m_bytes, (double)flow->bytes);
    linnet_metric_set(flow->m_span, (double)span_of(flow));
}

static void tick(uv_timer_t *timer) {
    struct linnet_flow *flow = timer->data;
    int64_t now = linnet_time_monotonic();
    if (flow->closing) return;
    linnet_item_tick(flow, now);
    linnet_letters_tick(flow, now);
    linnet_site_tick(flow, now);
    linnet_backfill_tick(flow, now);
    measure(flow, now);
}

/* ---- opening ---- */

static void or_default(size_t *value, size_t fallback) {
    if (!*value) *value = fallback;
}

static void or_default_u(unsigned *value, unsigned fallback) {
    if (!*value) *value = fallback;
}

static void fill_in(struct linnet_flow_options *o) {
    or_default(&o->tasks_limit, 2048);
    or_default(&o->bytes_limit, (size_t)256 << 20);
    or_default(&o->span_limit, 32768);
    or_default(&o->writer_bytes, (size_t)64 << 20);
    or_default(&o->blob_limit, (size_t)64 << 20);
    or_default(&o->bulk_bytes, (size_t)8 << 20);
    or_default_u(&o->gathers, 16);
    or_default_u(&o->downloads, 8);
    or_default_u(&o->bulk_documents, 500);
    or_default_u(&o->bulk_delay_ms, 20);
    or_default_u(&o->park_ms, 30000);
    or_default_u(&o->poll_ms, 15000);
    or_default_u(&o->snapshot_ms, 5000);
}

static void open_metrics(struct linnet_flow *flow) {
    struct linnet_metrics *m = flow->options.metrics;
    if (!m) return;
    flow->m_changes =
        linnet_metrics_counter(m, "linnet_changes_total", NULL, "Changes that the feeds have told");
    flow->m_answered =
        linnet_metrics_counter(m, "linnet_changes_answered_total", NULL, "Changes that are answered");
    flow->m_known =
        linnet_metrics_counter(m, "linnet_changes_known_total", NULL,
                               "Changes that told nothing new: own writes, and what was seen settled");
    flow->m_reads = linnet_metrics_counter(m, "linnet_reads_total", NULL, "Requests that read observations");
    flow->m_tasks = linnet_metrics_gauge(m, "linnet_tasks", NULL, "Observations in work");
    flow->m_bytes =
        linnet_metrics_gauge(m, "linnet_task_bytes", NULL, "Bytes of documents and blobs in work");
    flow->m_span = linnet_metrics_gauge(m, "linnet_feed_span", NULL, "Changes above the low-water mark");
    flow->m_paused = linnet_metrics_gauge(m, "linnet_feed_paused", NULL, "1 while the feed is paused");
    flow->m_lag =
        linnet_metrics_gauge(m, "linnet_lag_seconds", NULL, "Age of the oldest change without an answer");
}

static void late(void *arg, int share) {
    linnet_source_late(arg, share);
}

static void writer_fatal(void *arg, int error, const char *detail) {
    linnet_flow_fail(arg, error, detail);
}

static bool may_write(void *arg, int share) {
    struct linnet_flow *flow = arg;
    return flow->options.events.may_write(flow->options.arg, share);
}

static int open_writers(struct linnet_flow *flow) {
    for (int d = 0; d < LINNET_DB_NONE; d++) {
        struct linnet_writer_options options = {.loop = flow->options.loop,
                                                .couch = flow->options.couch,
                                                .database = (enum linnet_database)d,
                                                .bulk_documents = flow->options.bulk_documents,
                                                .bulk_bytes = flow->options.bulk_bytes,
                                                .delay_ms = flow->options.bulk_delay_ms,
                                                .may_write =
                                                    flow->options.events.may_write ? may_write : NULL,
                                                .late = late,
                                                .fatal = writer_fatal,
                                                .arg = flow,
                                                .metrics = flow->options.metrics};
        int rc = linnet_writer_open(&options, &flow->writers[d]);
        if (rc) return rc;
        flow->handles++;
    }
    return 0;
}

static const char *ulid_of(const void *task) {
    return ((const struct linnet_task *)task)->observation.ulid;
}

static void init_lists(struct linnet_flow *flow) {
    TAILQ_INIT(&flow->passes);
    TAILQ_INIT(&flow->to_plan);
    TAILQ_INIT(&flow->waiting);
    for (int p = 0; p < LINNET_PRIORITIES; p++) {
        TAILQ_INIT(&flow->to_read[p]);
        TAILQ_INIT(&flow->to_read_sparse[p]);
    }
    linnet_table_init(&flow->tasks, ulid_of);
}

static int open_parts(struct linnet_flow *flow) {
    const struct linnet_flow_options *o = &flow->options;
    flow->group = strdup(o->group ? o->group : "");
    flow->worker = strdup(o->worker ? o->worker : "");
    int rc = flow->group && flow->worker ? 0 : LINNET_E_NOMEM;
    if (!rc) rc = linnet_known_init(&flow->known, KNOWN, AWAITED);
    if (!rc) rc = linnet_blob_open(flow);
    if (!rc) rc = linnet_letters_open(flow);
    if (!rc) rc = open_writers(flow);
    return rc;
}

static void free_flow(struct linnet_flow *flow) {
    linnet_source_close_all(flow);
    linnet_backfill_close(flow);
    linnet_site_close(flow);
    linnet_letters_close(flow);
    linnet_blob_close(flow);
    linnet_flow_free_stages(flow);
    linnet_table_done(&flow->tasks);
    linnet_known_done(&flow->known);
    free(flow->group);
    free(flow->worker);
    free(flow);
}

static void writer_closed(void *arg) {
    ((struct linnet_flow *)arg)->handles--;
}

int linnet_flow_open(const struct linnet_flow_options *options, struct linnet_flow **out,
                     struct linnet_error *err) {
    if (!options->loop || !options->couch)
        return linnet_error_set(err, LINNET_E_INVALID, "a flow needs a loop and a client");
    struct linnet_flow *flow = calloc(1, sizeof(*flow));
    if (!flow) return linnet_error_set(err, LINNET_E_NOMEM, "no memory for a flow");
    flow->options = *options;
    fill_in(&flow->options);
    init_lists(flow);
    uv_prepare_init(options->loop, &flow->prepare);
    uv_timer_init(options->loop, &flow->timer);
    flow->prepare.data = flow->timer.data = flow;
    uv_prepare_start(&flow->prepare, turn);
    uv_timer_start(&flow->timer, tick, TICK_MS, TICK_MS);
    int rc = open_parts(flow);
    if (rc) {
        linnet_flow_close(flow, NULL, NULL);
        return linnet_error_set(err, rc, "no memory for a flow");
    }
    open_metrics(flow);
    *out = flow;
    return 0;
}

/* ---- draining, closing ---- */

void linnet_flow_drain(struct linnet_flow *flow, void (*done)(void *arg), void *arg) {
    flow->draining = true;
    flow->drained = done;
    flow->drained_arg = arg;
    for (int d = 0; d < LINNET_DB_NONE; d++)
        linnet_writer_flush(flow->writers[d]);
}

static void handle_closed(uv_handle_t *handle) {
    struct linnet_flow *flow = handle->data;
    if (--flow->handles) return;
    void (*closed)(void *) = flow->closed;
    void *arg = flow->closed_arg;
    free_flow(flow);
    if (closed) closed(arg);
}

/* Closing: wait until nothing can call back any more, then let the handles go. */
static void finalize(struct linnet_flow *flow) {
    struct linnet_task *task;
    while ((task = TAILQ_FIRST(&flow->to_plan))) {
        TAILQ_REMOVE(&flow->to_plan, task, plan_link);
        task->to_plan = false;
        linnet_task_plan(task);
    }
    if (flow->ntasks || flow->requests || !linnet_site_idle(flow)) return;
    if (!flow->writers_closed) {
        flow->writers_closed = true;
        for (int d = 0; d < LINNET_DB_NONE; d++)
            if (flow->writers[d]) linnet_writer_close(flow->writers[d], writer_closed, flow);
    }
    if (flow->handles) return;
    uv_prepare_stop(&flow->prepare);
    uv_timer_stop(&flow->timer);
    flow->handles = 2;
    uv_close((uv_handle_t *)&flow->prepare, handle_closed);
    uv_close((uv_handle_t *)&flow->timer, handle_closed);
}

void linnet_flow_close(struct linnet_flow *flow, void (*closed)(void *arg), void *arg) {
    flow->closing = true;
    flow->closed = closed;
    flow->closed_arg = arg;
    struct linnet_task *task;
    for (size_t at = 0; (task = linnet_table_next(&flow->tasks, &at)); at = 0)
        linnet_task_drop(task);
    linnet_site_late(flow);
    linnet_backfill_close(flow);
    linnet_source_close_all(flow);
    for (int d = 0; d < LINNET_DB_NONE; d++)
        if (flow->writers[d]) linnet_writer_stop(flow->writers[d]);
}
