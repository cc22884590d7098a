/* The retrain stage: says when a new model is worth training, why, and on what.
 *
 * It keeps sums over all observations (tally.h) and asks its rules (rules.h) after every change; a rule that
 * holds raises one `retraining:` document with the manifest of what to train on. The id names rule and model,
 * so it is raised once. */
#include <errno.h>
#include <linnet/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/retrain/manifest.h"
#include "plugins/retrain/rules.h"
#include "plugins/retrain/state.h"
#include "plugins/retrain/tally.h"

struct retrain {
    const struct linnet_host *host;
    struct rules rules;
    struct tally tally;
    struct baseline baseline;
    json_t *raised; /* qualifiers that were raised, as keys */
    bool changed;
};

/* The active model's id without its prefix: what `wanted:convnet` names. */
static const char *active_model(const struct linnet_host *host) {
    const char *model =
        json_string_value(json_object_get(host->reference(host->ctx, "wanted:convnet"), "model"));
    return model ? model : "";
}

static void retrain_close(void *instance) {
    struct retrain *self = instance;
    if (!self) return;
    tally_done(&self->tally);
    baseline_done(&self->baseline);
    json_decref(self->raised);
    free(self);
}

static int retrain_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                        size_t size) {
    struct retrain *self = calloc(1, sizeof *self);
    if (!self || !(self->raised = json_object()) ||
        tally_init(&self->tally, host->taxonomy(host->ctx), active_model(host)) != 0) {
        retrain_close(self);
        snprintf(why, size, "out of memory");
        return -1;
    }
    self->host = host;
    rules_read(&self->rules, config);
    *instance = self;
    return 0;
}

static int start_again(struct retrain *self) {
    tally_done(&self->tally);
    baseline_done(&self->baseline);
    json_object_clear(self->raised);
    return tally_init(&self->tally, self->host->taxonomy(self->host->ctx), active_model(self->host));
}

static int retrain_restore(void *instance, char *position, size_t size) {
    struct retrain *self = instance;
    position[0] = '\0';
    if (!self->host->state_dir) return 0;
    if (state_load(&self->tally, &self->baseline, self->raised, self->host->state_dir, position, size) != 0) {
        self->host->log(self->host->ctx, 2,
                        "the state in %s cannot be used; it is built again from the store",
                        self->host->state_dir);
        if (start_again(self) != 0) return -1;
    }
    self->changed = true;
    return 0;
}

static int retrain_snapshot(void *instance, const char *position) {
    struct retrain *self = instance;
    if (!self->host->state_dir) return 0;
    if (state_save(&self->tally, &self->baseline, self->raised, self->host->state_dir, position) == 0)
        return 0;
    self->host->log(self->host->ctx, 3, "the state cannot be saved in %s: %s", self->host->state_dir,
                    strerror(errno));
    return -1;
}

static int apply(struct tally *tally, const struct linnet_item *item) {
    const struct linnet_doc *doc = &item->docs[0];
    const json_t *json = doc->deleted ? NULL : doc->json;
    if (strcmp(doc->kind, "observation") == 0) return tally_observation(tally, item->observation, json);
    if (strcmp(doc->kind, "consensus") == 0) return tally_consensus(tally, item->observation, json);
    if (strcmp(doc->kind, "identification") == 0) return tally_identification(tally, item->observation, json);
    if (strcmp(doc->kind, "validation") == 0)
        return tally_validation(tally, item->observation, doc->qualifier, json);
    return 0;
}

/* What "new" is measured from is taken before anything is counted under a model, never after. */
static int ensure_baseline(struct retrain *self) {
    char id[160];
    if (!self->tally.model[0] || strcmp(self->baseline.model, self->tally.model) == 0) return 0;
    snprintf(id, sizeof id, "model:%s", self->tally.model);
    return baseline_take(&self->baseline, &self->tally, &self->rules, self->host->reference(self->host->ctx, id),
                         self->host->now(self->host->ctx));
}

static int retrain_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct retrain *self = instance;
    if (ensure_baseline(self) != 0) return -1;
    for (size_t i = 0; i < n; i++) {
        bool failed = apply(&self->tally, items[i]) != 0;
        self->host->finish(self->host->ctx, items[i], failed ? LINNET_RETRY : LINNET_OK,
                           failed ? "out of memory" : NULL);
    }
    self->changed = true;
    return 0;
}

static json_t *time_text(int64_t ms) {
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

static int emit(struct retrain *self, struct raised *raised) {
    size_t size, rows;
    char *manifest = manifest_make(&self->tally, &size, &rows);
    if (!manifest) {
        json_decref(raised->counts);
        return -1;
    }
    json_object_set_new(raised->counts, "images", json_integer((json_int_t)rows));
    struct linnet_blob blob = {
        .name = "manifest.csv", .content_type = "text/csv", .data = manifest, .size = size};
    struct linnet_output output = {
        .kind = "retraining",
        .observation = "",
        .qualifier = raised->qualifier,
        .create_only = true,
        .blobs = &blob,
        .nblobs = 1,
        .inputs = json_array(),
        .document = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o}", "rule", raised->rule, "why", raised->why,
                              "raised_at", time_text(self->host->now(self->host->ctx)), "state", "requested",
                              "model", self->tally.model, "counts", raised->counts)};
    int error = self->host->emit(self->host->ctx, NULL, &output);
    free(manifest);
    if (error) return error;
    self->host->log(self->host->ctx, 1, "retraining asked for: %s", raised->why);
    return json_object_set_new(self->raised, raised->qualifier, json_true());
}

static int retrain_tick(void *instance) {
    struct retrain *self = instance;
    int64_t now = self->host->now(self->host->ctx);
    if (!self->tally.model[0]) return 0; /* nothing to train again */
    if (ensure_baseline(self) != 0) return -1;
    if (!self->changed && self->rules.every_days <= 0) return 0;
    self->changed = false;
    for (enum rule rule = 0; rule < RULES; rule++) {
        struct raised raised = {0};
        if (!rules_hold(rule, &self->rules, &self->baseline, &self->tally, now, &raised)) continue;
        if (json_object_get(self->raised, raised.qualifier))
            json_decref(raised.counts);
        else if (emit(self, &raised) != 0)
            return -1;
    }
    return 0;
}

static const struct linnet_input inputs[] = {
    {.kind = "observation", .flags = LINNET_TRIGGER},
    {.kind = "validation", .flags = LINNET_TRIGGER},
    {.kind = "identification", .flags = LINNET_TRIGGER},
    {.kind = "consensus", .flags = LINNET_TRIGGER},
    {.kind = NULL},
};

static const char *const produces[] = {"retraining", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof(struct linnet_plugin),
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1,
    .name = "retrain",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary = "asks for a new model when enough has been learnt, and lists what to train on",
    .config_schema = rules_schema,
    .inputs = inputs,
    .produces = produces,
    .scope = LINNET_SCOPE_SITE,
    .unit = LINNET_UNIT_DOCUMENT,
    .threading = LINNET_PINNED_THREAD,
    .instances = 1,
    .batch_max = 256,
    .batch_delay_ms = 5,
    .deadline_ms = 60000,
    .host_bytes = UINT64_C(4) << 30,
    .open = retrain_open,
    .process = retrain_process,
    .snapshot = retrain_snapshot,
    .restore = retrain_restore,
    .tick = retrain_tick,
    .tick_ms = 1000,
    .close = retrain_close,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
