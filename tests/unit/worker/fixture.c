#include "tests/unit/worker/fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/time.h"

#define PATIENCE_MS 30000

struct fixture *fixture_new(struct store *store) {
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->store = store;
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_timer_init(&f->loop, &f->timer);
    snprintf(f->state_dir, sizeof(f->state_dir), "/tmp/linnet-state-XXXXXX");
    assert_non_null(mkdtemp(f->state_dir));
    f->metrics = linnet_metrics_new();
    f->policy = LINNET_POLICY_NEW;
    f->options = (struct linnet_flow_options){
        .group = "images", .worker = "test", .bulk_delay_ms = 2, .poll_ms = 200, .snapshot_ms = 200};
    stages_reset();
    return f;
}

/* ---- events ---- */

static bool may_write(void *arg, int share) {
    (void)share;
    return !((struct fixture *)arg)->forbidden;
}

static void late(void *arg, int share) {
    struct fixture *f = arg;
    if (share >= 0) f->late_told[share] = true;
}

static void fatal(void *arg, int error, const char *detail) {
    struct fixture *f = arg;
    f->fatal = error;
    snprintf(f->words, sizeof(f->words), "%s", detail);
}

/* ---- opening ---- */

static void open_stage(struct fixture *f, const struct linnet_plugin *plugin) {
    struct linnet_error err;
    size_t i = f->nstages++;
    if (linnet_plugin_file_wrap(plugin, &f->files[i], &err)) fail_msg("%s", err.detail);
    json_t *config =
        f->by && plugin->scope != LINNET_SCOPE_SITE ? json_pack("{s:s}", "by", f->by) : json_object();
    struct linnet_stage_options options = {.config = config,
                                           .threads = 1,
                                           .state_dir =
                                               plugin->scope == LINNET_SCOPE_SITE ? f->state_dir : NULL,
                                           .metrics = f->metrics,
                                           .done = linnet_flow_work_done,
                                           .done_arg = f->flow};
    if (linnet_stage_open(&f->loop, f->files[i], &options, &f->stages[i].stage, &err))
        fail_msg("%s", err.detail);
    f->stages[i].policy = f->policy;
    json_decref(config);
}

void fixture_open_without_shares(struct fixture *f, const struct linnet_plugin *const *plugins, size_t n) {
    struct linnet_error err;
    struct linnet_couch_options couch = {.url = f->store->url, .prefix = f->store->prefix};
    if (linnet_couch_open(&f->loop, &couch, &f->couch, &err)) fail_msg("%s", err.detail);
    struct linnet_couch_server server;
    if (linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, &err)) fail_msg("%s", err.detail);
    f->options.loop = &f->loop;
    f->options.couch = f->couch;
    f->options.metrics = f->metrics;
    f->options.events = (struct linnet_flow_events){.may_write = may_write, .late = late, .fatal = fatal};
    f->options.arg = f;
    if (linnet_flow_open(&f->options, &f->flow, &err)) fail_msg("%s", err.detail);
    f->nstages = 0;
    f->drained = f->closed = false;
    for (size_t i = 0; i < n; i++)
        open_stage(f, plugins[i]);
    if (linnet_flow_set_stages(f->flow, f->stages, f->nstages, &err)) fail_msg("%s", err.detail);
}

void fixture_gain(struct fixture *f, unsigned first, unsigned last) {
    struct linnet_flow_gain gains[LINNET_SHARES];
    struct linnet_error err;
    size_t n = 0;
    for (unsigned i = first; i <= last; i++)
        gains[n++] = (struct linnet_flow_gain){.share = i, .checkpoint = f->checkpoints[i]};
    if (linnet_flow_shares_gained(f->flow, gains, n, &err)) fail_msg("%s", err.detail);
}

void fixture_open(struct fixture *f, const struct linnet_plugin *first, ...) {
    const struct linnet_plugin *plugins[FIXTURE_STAGES];
    size_t n = 0;
    va_list list;
    va_start(list, first);
    for (const struct linnet_plugin *p = first; p; p = va_arg(list, const struct linnet_plugin *))
        plugins[n++] = p;
    va_end(list);
    fixture_open_without_shares(f, plugins, n);
    struct linnet_error err;
    if (linnet_flow_needs_shares(f->flow)) fixture_gain(f, 0, LINNET_SHARES - 1);
    if (linnet_flow_needs_site(f->flow) && linnet_flow_site_gained(f->flow, 1, &err))
        fail_msg("%s", err.detail);
}

/* ---- running ---- */

static void nothing(uv_timer_t *timer) {
    (void)timer;
}

void fixture_run_until(struct fixture *f, bool (*holds)(void *arg), void *arg, const char *what) {
    int64_t until = linnet_time_monotonic() + PATIENCE_MS;
    uv_timer_start(&f->timer, nothing, 10, 10);
    while (!holds(arg)) {
        uv_run(&f->loop, UV_RUN_ONCE);
        if (linnet_time_monotonic() < until) continue;
        json_t *status = f->flow ? linnet_flow_status(f->flow) : json_null();
        fail_msg("waited in vain until %s; %s", what, json_dumps(status, 0));
    }
    uv_timer_stop(&f->timer);
}

static bool has_passed(void *arg) {
    return linnet_time_monotonic() >= *(int64_t *)arg;
}

void fixture_linger(struct fixture *f, unsigned ms) {
    int64_t until = linnet_time_monotonic() + ms;
    fixture_until(f, has_passed, &until);
}

static bool answered_all(void *arg) {
    struct fixture *f = arg;
    json_t *status = linnet_flow_status(f->flow);
    bool idle =
        linnet_json_integer(status, "tasks", 1) == 0 && linnet_json_integer(status, "catching_up", 1) == 0;
    json_decref(status);
    if (!idle) return false;
    long long last = store_last_seq(f->store);
    if (linnet_flow_needs_shares(f->flow)) {
        for (unsigned i = 0; i < LINNET_SHARES; i++) {
            const char *low = linnet_flow_checkpoint(f->flow, i);
            if (!low || atoll(low) < last) return false;
        }
    }
    if (linnet_flow_needs_site(f->flow)) {
        const char *low = linnet_flow_site_checkpoint(f->flow);
        if (!low || atoll(low) < last) return false;
    }
    return true;
}

void fixture_settle(struct fixture *f) {
    fixture_until(f, answered_all, f);
}

void fixture_keep_checkpoints(struct fixture *f) {
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        const char *low = linnet_flow_checkpoint(f->flow, i);
        free(f->checkpoints[i]);
        f->checkpoints[i] = low ? strdup(low) : NULL;
    }
}

static void set(void *arg) {
    *(bool *)arg = true;
}

static bool is_set(void *arg) {
    return *(bool *)arg;
}

void fixture_drain(struct fixture *f) {
    linnet_flow_drain(f->flow, set, &f->drained);
    fixture_until(f, is_set, &f->drained);
}

void fixture_close(struct fixture *f) {
    bool closed[FIXTURE_STAGES] = {false}, couch_closed = false;
    linnet_flow_close(f->flow, set, &f->closed);
    for (size_t i = 0; i < f->nstages; i++)
        linnet_stage_close(f->stages[i].stage, set, &closed[i]);
    for (size_t i = 0; i < f->nstages; i++)
        fixture_until(f, is_set, &closed[i]);
    fixture_until(f, is_set, &f->closed);
    linnet_couch_close(f->couch, set, &couch_closed);
    fixture_until(f, is_set, &couch_closed);
    for (size_t i = 0; i < f->nstages; i++)
        linnet_plugin_file_free(f->files[i]);
    f->flow = NULL;
    f->couch = NULL;
    f->nstages = 0;
}

void fixture_free(struct fixture *f) {
    char command[128];
    if (f->flow) fixture_close(f);
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        free(f->checkpoints[i]);
    linnet_metrics_free(f->metrics);
    snprintf(command, sizeof(command), "rm -rf %s", f->state_dir);
    assert_int_equal(system(command), 0);
    free(f);
}

double fixture_metric(struct fixture *f, const char *name, const char *labels) {
    return linnet_metric_value(linnet_metrics_counter(f->metrics, name, labels, ""));
}

/* ---- documents ---- */

const char *sample_ulid(unsigned n) {
    static char ulids[8][LINNET_ULID_SIZE];
    static unsigned next;
    char *ulid = ulids[next++ % 8];
    uint8_t random[10] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    linnet_ulid_make(1750000000000u + n, random, ulid);
    return ulid;
}

const char *sample_id(unsigned n, const char *rest) {
    static char ids[8][LINNET_ID_MAX];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, LINNET_ID_MAX, "%s:%s", sample_ulid(n), rest);
    return id;
}

json_t *sample_observation(unsigned n, unsigned views) {
    json_t *list = json_array();
    for (unsigned i = 0; i < views; i++)
        json_array_append_new(list, json_pack("{s:o}", "image", json_sprintf("d%u", i)));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "_id", sample_id(n, "observation"), "kind", "observation",
                     "observer", "u1", "created_at", "2026-05-03T10:21:00Z", "views", list);
}

static char *base64(const char *bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(bytes);
    char *out = calloc(1, size * 2 + 8), *to = out;
    for (size_t i = 0; i < size; i += 3) {
        unsigned a = (unsigned char)bytes[i], b = i + 1 < size ? (unsigned char)bytes[i + 1] : 0;
        unsigned c = i + 2 < size ? (unsigned char)bytes[i + 2] : 0;
        *to++ = digits[a >> 2];
        *to++ = digits[(a & 3) << 4 | b >> 4];
        *to++ = i + 1 < size ? digits[(b & 15) << 2 | c >> 6] : '=';
        *to++ = i + 2 < size ? digits[c & 63] : '=';
    }
    return out;
}

json_t *sample_image(unsigned n, const char *digest, const char *bytes, const char *todo) {
    char rest[128], *data = base64(bytes);
    snprintf(rest, sizeof(rest), "image:%s", digest);
    json_t *image =
        json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "_id", sample_id(n, rest), "kind", "image", "observer",
                  "u1", "_attachments", "original", "content_type", "image/jpeg", "data", data);
    if (todo) json_object_set_new(image, "do", json_string(todo));
    free(data);
    return image;
}

json_t *sample_validation(unsigned n, const char *user, const char *taxon, const char *created_at) {
    char rest[128];
    snprintf(rest, sizeof(rest), "validation:%s", user);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "_id", sample_id(n, rest), "kind", "validation",
                     "user", user, "created_at", created_at, "vote", "taxon", "taxon", taxon);
}
