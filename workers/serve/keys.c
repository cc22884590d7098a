#include "workers/serve/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/base/ulid.h"
#include "common/couch/changes.h"

#define WRITE_MS 5000
#define DAY_SIZE 11 /* "2026-05-03" and a NUL */

struct serve_keys {
    uv_timer_t timer;
    struct linnet_couch *couch;
    struct linnet_changes *changes;
    json_t *keys;   /* _id -> document */
    json_t *others; /* quota documents of other processes, today: _id -> counts */
    json_t *counts; /* ours, today: digest -> count */
    char process[LINNET_ULID_SIZE], day[DAY_SIZE], revision[96];
    bool ready, dirty, writing, closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- the day ---- */

static void today(char out[DAY_SIZE]) {
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    snprintf(out, DAY_SIZE, "%.10s", now);
}

/* A new day: all begin at nothing. */
static void turn(struct serve_keys *keys) {
    char day[DAY_SIZE];
    today(day);
    if (strcmp(day, keys->day) == 0) return;
    memcpy(keys->day, day, sizeof day);
    json_object_clear(keys->counts);
    json_object_clear(keys->others);
    keys->revision[0] = '\0';
    keys->dirty = false;
}

/* ---- keys ---- */

bool serve_keys_ready(const struct serve_keys *keys) {
    return keys->ready;
}

const json_t *serve_keys_find(const struct serve_keys *keys, const char *text) {
    char id[8 + LINNET_DIGEST_SIZE] = "apikey:";
    linnet_digest_bytes(text, strlen(text), id + strlen(id));
    const json_t *key = json_object_get(keys->keys, id);
    return key != NULL && json_object_get(key, "revoked_at") == NULL ? key : NULL;
}

static const char *digest_of(const json_t *key) {
    return linnet_json_string(key, "_id", "apikey:") + strlen("apikey:");
}

uint64_t serve_keys_used(struct serve_keys *keys, const json_t *key) {
    const char *id, *digest = digest_of(key);
    json_t *counts;
    turn(keys);
    json_int_t sum = json_integer_value(json_object_get(keys->counts, digest));
    json_object_foreach(keys->others, id, counts) sum += json_integer_value(json_object_get(counts, digest));
    return (uint64_t)sum;
}

void serve_keys_use(struct serve_keys *keys, const json_t *key, unsigned n) {
    const char *digest = digest_of(key);
    turn(keys);
    json_object_set_new(
        keys->counts, digest,
        json_integer(json_integer_value(json_object_get(keys->counts, digest)) + (json_int_t)n));
    keys->dirty = true;
}

/* ---- the feed ---- */

static void on_dropped(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    (void)request, (void)response, (void)arg; /* if it failed another server has done it, or will */
}

static void drop_old(struct serve_keys *keys, const json_t *quota) {
    char limit[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now() - 2 * INT64_C(86400000), limit);
    if (strncmp(linnet_json_string(quota, "day", limit), limit, 10) >= 0) return;
    json_t *grave = json_pack("{s:O, s:O, s:b}", "_id", json_object_get(quota, "_id"), "_rev",
                              json_object_get(quota, "_rev"), "_deleted", 1);
    if (grave != NULL) linnet_couch_put(keys->couch, LINNET_DB_OPS, grave, on_dropped, NULL);
    json_decref(grave);
}

static void take_quota(struct serve_keys *keys, const struct linnet_change *change) {
    turn(keys);
    bool ours = strlen(change->id) > 17 && strcmp(change->id + 17, keys->process) == 0;
    if (change->deleted || ours) {
        json_object_del(keys->others, change->id);
    } else if (strncmp(change->id + strlen("quota:"), keys->day, DAY_SIZE - 1) == 0) {
        json_t *counts = json_object_get(change->document, "counts");
        if (counts != NULL) json_object_set(keys->others, change->id, counts);
    } else if (change->document != NULL) {
        drop_old(keys, change->document);
    }
}

static void on_change(void *arg, const struct linnet_change *change) {
    struct serve_keys *keys = arg;
    if (strncmp(change->id, "quota:", 6) == 0)
        take_quota(keys, change);
    else if (strncmp(change->id, "apikey:", 7) != 0)
        return;
    else if (change->deleted || change->document == NULL)
        json_object_del(keys->keys, change->id);
    else
        json_object_set(keys->keys, change->id, change->document);
}

static bool wants(void *arg, const char *id) {
    (void)arg;
    return strncmp(id, "apikey:", 7) == 0 || strncmp(id, "quota:", 6) == 0;
}

static void on_caught_up(void *arg, const char *seq) {
    struct serve_keys *keys = arg;
    (void)seq;
    keys->ready = true;
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    (void)arg, (void)error;
    linnet_log(retry_ms < 0 ? LINNET_ERROR : LINNET_WARN, "keys", "the feed of keys broke", "why", "s",
               detail, "again_ms", "i", (json_int_t)retry_ms, NULL);
}

/* ---- what we have counted ---- */

static void keys_free(struct serve_keys *keys) {
    void (*closed)(void *arg) = keys->closed;
    void *arg = keys->closed_arg;
    json_decref(keys->keys);
    json_decref(keys->others);
    json_decref(keys->counts);
    free(keys);
    if (closed != NULL) closed(arg);
}

static void on_timer_closed(uv_handle_t *handle) {
    keys_free(handle->data);
}

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct serve_keys *keys = arg;
    (void)request;
    keys->writing = false;
    if (response->error == 0)
        snprintf(keys->revision, sizeof keys->revision, "%s", linnet_json_string(response->json, "rev", ""));
    else
        keys->dirty = true;
    if (keys->closing) uv_close((uv_handle_t *)&keys->timer, on_timer_closed);
}

static void write_counts(struct serve_keys *keys) {
    char id[64];
    turn(keys);
    if (!keys->dirty || keys->writing) return;
    snprintf(id, sizeof id, "quota:%s:%s", keys->day, keys->process);
    json_t *quota =
        json_pack("{s:s, s:s, s:s, s:O, s:s*}", "_id", id, "kind", "quota", "day", keys->day, "counts",
                  keys->counts, "_rev", keys->revision[0] != '\0' ? keys->revision : NULL);
    keys->writing =
        quota != NULL && linnet_couch_put(keys->couch, LINNET_DB_OPS, quota, on_written, keys) == 0;
    keys->dirty = !keys->writing;
    json_decref(quota);
}

static void on_timer(uv_timer_t *timer) {
    write_counts(timer->data);
}

/* ---- opening and closing ---- */

int serve_keys_open(uv_loop_t *loop, struct linnet_couch *couch, struct serve_keys **out) {
    static const struct linnet_changes_events events = {
        .change = on_change, .caught_up = on_caught_up, .broken = on_broken, .wants = wants};
    struct linnet_changes_options options = {
        .database = LINNET_DB_OPS, .include_docs = true, .continuous = true};
    struct serve_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) return LINNET_E_NOMEM;
    keys->couch = couch;
    keys->keys = json_object();
    keys->others = json_object();
    keys->counts = json_object();
    keys->ready = couch == NULL;
    linnet_ulid_new(keys->process);
    today(keys->day);
    int rc = couch != NULL ? linnet_changes_open(couch, &options, &events, keys, &keys->changes, NULL) : 0;
    if (rc != 0) {
        keys_free(keys);
        return rc;
    }
    uv_timer_init(loop, &keys->timer);
    keys->timer.data = keys;
    if (couch != NULL) uv_timer_start(&keys->timer, on_timer, WRITE_MS, WRITE_MS);
    *out = keys;
    return 0;
}

void serve_keys_close(struct serve_keys *keys, void (*closed)(void *arg), void *arg) {
    if (keys == NULL) {
        if (closed != NULL) closed(arg);
        return;
    }
    keys->closed = closed;
    keys->closed_arg = arg;
    if (keys->couch != NULL) write_counts(keys);
    linnet_changes_close(keys->changes);
    keys->closing = true;
    if (!keys->writing) uv_close((uv_handle_t *)&keys->timer, on_timer_closed);
}
