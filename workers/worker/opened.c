#include "workers/worker/opened.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/attachment_cache.h"
#include "workers/worker/flow.h"

/* ---- finding ---- */

int linnet_plugin_find(const json_t *plugin_path, const char *name, char *out, size_t size,
                       struct linnet_error *err) {
    if (strchr(name, '/') != NULL) {
        if (access(name, R_OK) != 0)
            return linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no plugin %s", name);
        snprintf(out, size, "%s", name);
        return 0;
    }
    struct linnet_buf looked = {0};
    size_t i;
    json_t *folder;
    json_array_foreach(plugin_path, i, folder) {
        snprintf(out, size, "%s/linnet-%s.so", json_string_value(folder), name);
        if (access(out, R_OK) == 0) {
            linnet_buf_done(&looked);
            return 0;
        }
        linnet_buf_printf(&looked, "%s%s", looked.size > 0 ? ", " : "", json_string_value(folder));
    }
    int rc = linnet_error_set(
        err, LINNET_E_NOT_FOUND,
        "no linnet-%s.so in %s; set plugin_path or LINNET_PLUGIN_PATH to where the plugins are", name,
        looked.data != NULL ? looked.data : "an empty plugin_path");
    linnet_buf_done(&looked);
    return rc;
}

/* ---- around each batch, on the executor's thread ---- */

static void batch_begin(void *arg, unsigned executor, const char *stage,
                        const struct linnet_item *const *items, size_t n, uint32_t deadline_ms) {
    struct linnet_opened *opened = arg;
    if (executor >= LINNET_INFLIGHT_SLOTS) return;
    opened->passed[executor] = linnet_suspects_enter(opened->suspects, opened->name, items, n);
    linnet_inflight_begin(&opened->inflight, executor, stage, items, n, deadline_ms);
}

static void batch_end(void *arg, unsigned executor) {
    struct linnet_opened *opened = arg;
    if (executor >= LINNET_INFLIGHT_SLOTS) return;
    linnet_inflight_end(&opened->inflight, executor);
    linnet_suspects_leave(opened->suspects, opened->passed[executor]);
}

static json_t *unseal(const void *arg, const char *sealed) {
    return linnet_unseal(arg, sealed);
}

/* ---- what comes back, on the loop ---- */

static void on_done(void *arg, struct linnet_stage *stage, struct linnet_work *work) {
    const struct linnet_opened *opened = arg;
    linnet_flow_work_done(opened->flow, stage, work);
}

static void on_failed(void *arg, struct linnet_stage *stage, const char *reason) {
    struct linnet_opened *opened = arg;
    (void)stage;
    if (opened->failed != NULL) opened->failed(opened->failed_arg, opened, reason);
}

/* ---- opening ---- */

static void opened_free(struct linnet_opened *opened) {
    linnet_plugin_file_free(opened->file);
    json_decref(opened->config);
    free(opened);
}

/* The state of a site stage stands for positions of one database: another database gets another folder. */
static int make_state_dir(struct linnet_group_context *context, const char *stage, char out[PATH_MAX],
                          struct linnet_error *err) {
    char identity[80];
    snprintf(identity, sizeof identity, "%s", context->identity);
    for (char *p = identity; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p) == NULL) *p = '-';
    snprintf(out, PATH_MAX, "%s/%s/%s-%s", linnet_json_string(context->config, "state_dir", "."),
             context->worker, stage, identity);
    return linnet_folder_make(out, err);
}

static int open_stage(struct linnet_group_context *context, struct linnet_opened *opened,
                      struct linnet_references *references, struct linnet_flow *flow,
                      struct linnet_error *err) {
    char path[PATH_MAX], state_dir[PATH_MAX];
    int rc = linnet_plugin_find(json_object_get(context->config, "plugin_path"),
                                linnet_json_string(opened->config, "plugin", opened->name), path, sizeof path,
                                err);
    if (rc == 0) rc = linnet_plugin_file_open(path, &opened->file, err);
    if (rc != 0) return rc;
    opened->site = opened->file->plugin.scope == LINNET_SCOPE_SITE;
    if (opened->site && (rc = make_state_dir(context, opened->name, state_dir, err)) != 0) return rc;
    opened->flow = flow;
    opened->suspects = context->suspects;
    opened->inflight.table = context->inflight;
    opened->inflight.plugin = &opened->file->plugin;
    snprintf(opened->inflight.stage, sizeof opened->inflight.stage, "%s", opened->name);
    struct linnet_stage_options options = {
        .name = opened->name,
        .config = json_object_get(opened->config, "config"),
        .references = references,
        .threads = (unsigned)linnet_json_integer(opened->config, "threads", 0),
        .queue_limit = (size_t)linnet_json_integer(opened->config, "queue", 0),
        .state_dir = opened->site ? state_dir : NULL,
        .metrics = context->metrics,
        .unseal = context->site_key != NULL ? unseal : NULL,
        .unseal_arg = context->site_key,
        .batch_begin = batch_begin,
        .batch_end = batch_end,
        .batch_arg = opened,
        .done = on_done,
        .failed = on_failed,
        .done_arg = opened};
    rc = linnet_stage_open(context->loop, opened->file, &options, &opened->stage, err);
    if (rc != 0) return rc;
    snprintf(opened->inflight.fingerprint, sizeof opened->inflight.fingerprint, "%s",
             linnet_stage_fingerprint(opened->stage));
    linnet_log(LINNET_INFO, "stage", "opened", "stage", "s", opened->name, "plugin", "s", path, "version",
               "s", opened->file->plugin.version, "fingerprint", "s", opened->inflight.fingerprint, NULL);
    return 0;
}

int linnet_opened_new(struct linnet_group_context *context, const char *name, const json_t *config,
                      struct linnet_references *references, struct linnet_flow *flow,
                      struct linnet_opened **out, struct linnet_error *err) {
    struct linnet_opened *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    snprintf(opened->name, sizeof opened->name, "%s", name);
    opened->config = json_deep_copy(config);
    int rc = open_stage(context, opened, references, flow, err);
    if (rc != 0) {
        opened_free(opened);
        char said[80];
        snprintf(said, sizeof said, "stage %s", name);
        return strncmp(err->detail, said, strlen(said)) == 0 ? rc : linnet_error_prefix(err, "%s", said);
    }
    *out = opened;
    return 0;
}

/* ---- closing ---- */

static void on_closed(void *arg) {
    struct linnet_opened *opened = arg;
    void (*closed)(void *) = opened->closed;
    void *closed_arg = opened->closed_arg;
    opened_free(opened);
    if (closed != NULL) closed(closed_arg);
}

static void on_drained(void *arg) {
    struct linnet_opened *opened = arg;
    linnet_stage_close(opened->stage, on_closed, opened);
}

static void begin_close(struct linnet_opened *opened) {
    if (opened->drain)
        linnet_stage_drain(opened->stage, on_drained, opened);
    else
        linnet_stage_close(opened->stage, on_closed, opened);
}

void linnet_opened_close(struct linnet_opened *opened, bool drain, void (*closed)(void *arg), void *arg) {
    opened->closed = closed;
    opened->closed_arg = arg;
    opened->closing = true;
    opened->drain = drain;
    if (opened->lent == 0) begin_close(opened);
}

void linnet_opened_return(struct linnet_opened *opened) {
    if (--opened->lent == 0 && opened->closing) begin_close(opened);
}
