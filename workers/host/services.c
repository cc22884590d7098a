/* The services of the host that a plugin calls: all on the executor's thread, but for those that say
 * thread-safe. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/host/provenance.h"
#include "workers/host/stage_private.h"

void linnet_stage_fault(struct linnet_stage *stage, const char *what) {
    linnet_log(LINNET_ERROR, stage->name, "the plugin breaks its contract", "what", "s", what, NULL);
    linnet_metric_add(stage->metrics.faults, 1);
    if (stage->options.fault) stage->options.fault(stage->options.done_arg, what);
}

/* The answer to a call that breaks the contract. */
static int fault(const struct linnet_executor *executor, int code, const char *what) {
    linnet_stage_fault(executor->stage, what);
    return code;
}

static bool on_own_thread(const struct linnet_executor *executor) {
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&self, &executor->self) != 0;
}

/* The work of an item of the batch under way; NULL if it is none. */
static struct linnet_work *work_of(const struct linnet_executor *executor, const struct linnet_item *item) {
    for (size_t i = 0; i < executor->nbatch; i++)
        if (&executor->batch[i]->item == item) return executor->batch[i];
    return NULL;
}

/* ---- emit ---- */

/* The id of an output, LINNET_E_* if its parts make none. */
static int output_id(const struct linnet_executor *executor, const struct linnet_work *work,
                     const struct linnet_output *output, const char *kind, char out[LINNET_ID_MAX]) {
    const struct linnet_plugin *plugin = executor->stage->plugin;
    bool main = linnet_plugin_kind_database(kind) == LINNET_DB_MAIN;
    const char *observation = output->observation ? output->observation : main ? work->item.observation : "";
    char by_call[LINNET_ID_MAX] = "";
    const char *qualifier = output->qualifier ? output->qualifier : work->qualifier;
    if (!qualifier && work->item.ndocs && plugin->qualifier) {
        if (plugin->qualifier(executor->instance, &work->item, by_call, sizeof(by_call)))
            return LINNET_E_INVALID;
        qualifier = by_call;
    }
    if (plugin->scope == LINNET_SCOPE_OBSERVATION && strcmp(observation, work->item.observation) != 0)
        return LINNET_E_INVALID;
    int rc = linnet_id_format(observation, kind, qualifier, out);
    struct linnet_id parsed;
    return rc ? rc : linnet_id_parse(out, &parsed);
}

static int copy_blobs(struct linnet_result *result, const struct linnet_output *output) {
    if (!output->nblobs) return 0;
    result->blobs = calloc(output->nblobs, sizeof(*result->blobs));
    if (!result->blobs) return LINNET_E_NOMEM;
    for (size_t i = 0; i < output->nblobs; i++) {
        const struct linnet_blob *blob = &output->blobs[i];
        struct linnet_result_blob *copy = &result->blobs[result->nblobs++];
        if (!blob->name || !*blob->name || *blob->name == '_') return LINNET_E_INVALID;
        copy->name = strdup(blob->name);
        copy->content_type = strdup(blob->content_type ? blob->content_type : "application/octet-stream");
        copy->bytes = linnet_bytes_copy(blob->data, blob->size);
        if (!copy->name || !copy->content_type || !copy->bytes) return LINNET_E_NOMEM;
    }
    return 0;
}

/* Where a new result of this id goes: a new place, or (scope `site`) that of the one it replaces. */
static int reserve_result(struct linnet_work *work, const char *id, bool replace,
                          struct linnet_result **out) {
    for (size_t i = 0; i < work->nresults; i++)
        if (!strcmp(work->results[i].id, id)) {
            *out = &work->results[i];
            return replace ? 0 : LINNET_E_EXISTS;
        }
    struct linnet_result *more = realloc(work->results, (work->nresults + 1) * sizeof(*more));
    if (!more) return LINNET_E_NOMEM;
    work->results = more;
    memset(&more[work->nresults], 0, sizeof(*more));
    *out = &more[work->nresults];
    return 0;
}

static void result_done(struct linnet_result *result) {
    for (size_t i = 0; i < result->nblobs; i++) {
        free(result->blobs[i].name);
        free(result->blobs[i].content_type);
        linnet_bytes_unref(result->blobs[i].bytes);
    }
    free(result->blobs);
    free(result->id);
    json_decref(result->document);
}

/* Results differ in their device at most, and hardly in that: one value is shared by all that come in a row.
 */
static json_t *maker(struct linnet_executor *executor, const char *device) {
    const char *before = json_string_value(json_object_get(executor->maker, "device"));
    bool same = executor->maker && (device && before ? !strcmp(device, before) : device == before);
    if (same) return executor->maker;
    const struct linnet_stage *stage = executor->stage;
    struct linnet_provenance from = {stage->name, stage->plugin->version, stage->fingerprint, device};
    json_decref(executor->maker);
    return executor->maker = linnet_provenance_json(&from);
}

/* Turn what was emitted into a finished document. The output's references stay the caller's. */
static int complete(struct linnet_executor *executor, const struct linnet_work *work, const char *kind,
                    const struct linnet_output *output, struct linnet_result *result,
                    struct linnet_error *err) {
    const struct linnet_stage *stage = executor->stage;
    char id[LINNET_ID_MAX], digest[LINNET_DIGEST_SIZE];
    int rc = output_id(executor, work, output, kind, id);
    if (rc)
        return linnet_error_set(err, rc,
                                "an emitted %s has no valid id: its observation or qualifier is wrong", kind);
    *result = (struct linnet_result){.database = linnet_plugin_kind_database(kind),
                                     .create_only = output->create_only};
    result->id = strdup(id);
    if (!result->id) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (output->document) {
        json_t *inputs =
            output->inputs && stage->plugin->scope == LINNET_SCOPE_SITE ? output->inputs : work->inputs;
        rc = linnet_result_digest_json(stage->fingerprint, inputs, digest);
        if (rc) linnet_error_set(err, rc, "the inputs of an emitted %s are not [{id, digest}]", kind);
        if (!rc)
            rc = linnet_result_complete(output->document, id, kind, maker(executor, output->device), inputs,
                                        digest, err);
        if (!rc) result->document = json_incref(output->document);
    }
    if (!rc) {
        rc = copy_blobs(result, output);
        if (rc) linnet_error_set(err, rc, "the attachments of an emitted %s cannot be kept", kind);
    }
    if (rc) result_done(result);
    return rc;
}

static int keep_result(struct linnet_executor *executor, struct linnet_work *work,
                       struct linnet_result *result, struct linnet_error *err) {
    bool site = executor->stage->plugin->scope == LINNET_SCOPE_SITE;
    struct linnet_result *place;
    int rc = reserve_result(work, result->id, site, &place);
    if (rc) {
        linnet_error_set(err, rc,
                         rc == LINNET_E_EXISTS ? "%s was emitted twice for one item" : "out of memory",
                         result->id);
        result_done(result);
        return rc;
    }
    if (place == &work->results[work->nresults])
        work->nresults++;
    else
        result_done(place);
    *place = *result;
    return 0;
}

static int service_emit(void *ctx, const struct linnet_item *item, struct linnet_output *output) {
    struct linnet_executor *executor = ctx;
    const struct linnet_plugin *plugin = executor->stage->plugin;
    const char *kind = output->kind ? output->kind : plugin->produces[0];
    struct linnet_error err = {0};
    struct linnet_result result;
    int rc = LINNET_E_INVALID;
    struct linnet_work *work = NULL;
    if (!on_own_thread(executor) || !executor->working)
        linnet_error_set(&err, rc, "emit outside process, tick or drain, or on another thread");
    else if (!(work = item ? work_of(executor, item) : executor->loose))
        linnet_error_set(&err, rc, "emit for an item that is not in this batch");
    else if (work->finishes)
        linnet_error_set(&err, rc, "emit for an item that is finished");
    else if (!linnet_plugin_produces(plugin, kind))
        linnet_error_set(&err, rc, "it emits a %s, which it does not declare", kind);
    else
        rc = complete(executor, work, kind, output, &result, &err);
    if (!rc) rc = keep_result(executor, work, &result, &err);
    json_decref(output->document);
    json_decref(output->inputs);
    if (rc == LINNET_E_NOMEM) executor->out_of_memory = true;
    return rc ? fault(executor, rc, err.detail) : 0;
}

/* ---- finish ---- */

static int service_finish(void *ctx, const struct linnet_item *item, enum linnet_verdict verdict,
                          const char *reason) {
    struct linnet_executor *executor = ctx;
    if (!on_own_thread(executor) || !executor->working)
        return fault(executor, LINNET_E_INVALID, "finish outside process, or on another thread");
    struct linnet_work *work = item ? work_of(executor, item) : NULL;
    if (!work) return fault(executor, LINNET_E_INVALID, "finish for an item that is not in this batch");
    if ((int)verdict < LINNET_OK || verdict > LINNET_BROKEN)
        return fault(executor, LINNET_E_INVALID, "finish with a verdict that there is not");
    if (work->finishes++) return fault(executor, LINNET_E_EXISTS, "an item is finished twice");
    work->verdict = verdict;
    if (reason && !(work->reason = strdup(reason))) executor->out_of_memory = true;
    return 0;
}

/* ---- the rest ---- */

__attribute__((format(printf, 3, 4))) static void service_log(void *ctx, int level, const char *format, ...) {
    const struct linnet_executor *executor = ctx;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    enum linnet_level known = level <= 0   ? LINNET_DEBUG
                              : level == 1 ? LINNET_INFO
                              : level == 2 ? LINNET_WARN
                                           : LINNET_ERROR;
    linnet_log(known, executor->stage->name, text, NULL);
}

static void service_count(void *ctx, const char *name, double value) {
    const struct linnet_stage *stage = ((struct linnet_executor *)ctx)->stage;
    char metric[128], labels[64];
    if (!stage->options.metrics || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return;
    snprintf(metric, sizeof(metric), "linnet_plugin_%s", name);
    snprintf(labels, sizeof(labels), "stage=\"%s\"", stage->name);
    linnet_metric_add(
        linnet_metrics_counter(stage->options.metrics, metric, labels, "Counted by the stage's plugin"),
        value);
}

static void service_gauge(void *ctx, const char *name, double value) {
    const struct linnet_stage *stage = ((struct linnet_executor *)ctx)->stage;
    char metric[128], labels[64];
    if (!stage->options.metrics || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
        return;
    snprintf(metric, sizeof(metric), "linnet_plugin_%s", name);
    snprintf(labels, sizeof(labels), "stage=\"%s\"", stage->name);
    linnet_metric_set(
        linnet_metrics_gauge(stage->options.metrics, metric, labels, "Told by the stage's plugin"), value);
}

static json_t *service_reference(void *ctx, const char *id) {
    return linnet_references_get(((struct linnet_executor *)ctx)->stage->options.references, id);
}

static int service_references(void *ctx, const char *prefix,
                              int (*each)(void *arg, const char *id, json_t *document), void *arg) {
    return linnet_references_each(((struct linnet_executor *)ctx)->stage->options.references, prefix, each,
                                  arg);
}

static const char *service_reference_file(void *ctx, const char *id, const char *name) {
    return linnet_references_file(((struct linnet_executor *)ctx)->stage->options.references, id, name);
}

static const struct linnet_taxonomy *service_taxonomy(void *ctx) {
    return linnet_references_taxonomy(((struct linnet_executor *)ctx)->stage->options.references);
}

static json_t *service_unseal(void *ctx, const char *sealed) {
    const struct linnet_stage_options *options = &((struct linnet_executor *)ctx)->stage->options;
    return options->unseal ? options->unseal(options->unseal_arg, sealed) : NULL;
}

static int64_t service_now(void *ctx) {
    (void)ctx;
    return linnet_time_now();
}

void linnet_services_fill(struct linnet_executor *executor) {
    executor->host = (struct linnet_host){
        .struct_size = sizeof(executor->host),
        .ctx = executor,
        .emit = service_emit,
        .finish = service_finish,
        .log = service_log,
        .count = service_count,
        .reference = service_reference,
        .references = service_references,
        .reference_file = service_reference_file,
        .taxonomy = service_taxonomy,
        .unseal = service_unseal,
        .state_dir = executor->stage->state_dir,
        .now = service_now,
        .gauge = service_gauge,
    };
}
