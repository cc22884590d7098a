/* The consensus stage: the community's answer (common/consensus).
 *
 * A changed vote changes its own observation at once, with the weights as they stand. An epoch (so many
 * changes, so much time, or quiet) solves the whole crowd again beside the hot path and tells again where
 * taxon, validity or grade are others, or a figure moved by more than the tolerance. A request to settle
 * (`<ulid>:settle`) makes everything exact and is answered by the document `epoch:consensus`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/consensus/apply.h"
#include "plugins/consensus/judge.h"
#include "plugins/consensus/stage.h"

static int note_blocked(void *arg, const char *id, json_t *reviewer) {
    struct crowd *crowd = arg;
    if (!json_is_true(json_object_get(reviewer, "blocked"))) return 0;
    return intern_put(&crowd->blocked, id + strlen("reviewer:")) == INTERN_NONE;
}

static int begin_crowd(struct consensus *self, char *why, size_t size) {
    const struct linnet_host *host = self->host;
    struct linnet_error err = {0};
    int error = crowd_init(&self->crowd, host->taxonomy(host->ctx), judge_newcomer(&self->config), &err);
    if (!error) error = host->references(host->ctx, "reviewer:", note_blocked, &self->crowd);
    if (error) snprintf(why, size, "%s", err.detail[0] ? err.detail : "out of memory");
    return error ? -1 : 0;
}

static void consensus_close(void *instance) {
    struct consensus *self = instance;
    if (!self) return;
    epoch_free(self->epoch);
    state_close(self->state);
    crowd_done(&self->crowd);
    free(self);
}

static int consensus_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                          size_t size) {
    struct consensus *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(why, size, "out of memory");
        return -1;
    }
    self->host = host;
    consensus_config_read(&self->config, config);
    self->epoch = epoch_new(&self->config, &self->crowd.labels);
    int error = begin_crowd(self, why, size);
    if (!error && !self->epoch) {
        snprintf(why, size, "out of memory");
        error = -1;
    }
    if (error)
        consensus_close(self);
    else
        *instance = self;
    return error;
}

/* As it was when it was opened. */
static int forget_everything(struct consensus *self, char *why, size_t size) {
    epoch_free(self->epoch);
    state_close(self->state);
    crowd_done(&self->crowd);
    *self = (struct consensus){.host = self->host, .config = self->config};
    int error = begin_crowd(self, why, size);
    self->epoch = epoch_new(&self->config, &self->crowd.labels);
    return error || !self->epoch ? -1 : 0;
}

/* Called again on the same instance when the site is owned anew: what was emitted last may not have been written
 * then, so that nothing but the state on disk says what was told. */
static int consensus_restore(void *instance, char *position, size_t size) {
    struct consensus *self = instance;
    char why[512] = "";
    position[0] = '\0';
    if (forget_everything(self, why, sizeof why) != 0) return -1;
    if (self->host->state_dir) {
        for (int attempt = 0; attempt < 2 && !self->state; attempt++) {
            self->state = state_open(self->host->state_dir, &self->crowd, &self->config, position, size,
                                     self->settle, why, sizeof why);
            if (self->state) break;
            self->host->log(self->host->ctx, 2, "%s", why);
            state_discard(self->host->state_dir);
            crowd_done(&self->crowd);
            if (begin_crowd(self, why, sizeof why) != 0) return -1;
        }
        if (!self->state) return -1;
    }
    self->rebuilding = position[0] == '\0';
    self->unsettled =
        true; /* blocked users, synonyms or the configuration may be others than when it was saved */
    return 0;
}

static int consensus_snapshot(void *instance, const char *position) {
    struct consensus *self = instance;
    if (!self->host->state_dir) return 0;
    if (!self->state) self->state = state_new(self->host->state_dir, &self->config); /* never restored */
    if (self->state && state_save(self->state, &self->crowd, position, self->settle) == 0) return 0;
    self->host->log(self->host->ctx, 3, "the state cannot be saved in %s: %s", self->host->state_dir,
                    self->state ? strerror(errno) : "out of memory");
    return -1;
}

/* Put one document into the crowd. Returns its observation's index, INTERN_NONE with *verdict and *why set
 * otherwise. */
static uint32_t apply(struct consensus *self, const struct linnet_item *item, enum linnet_verdict *verdict,
                      const char **why) {
    const struct linnet_doc *doc = &item->docs[0];
    const json_t *json = doc->deleted ? NULL : doc->json;
    uint32_t index = crowd_observation(&self->crowd, item->observation);
    int error = index == INTERN_NONE ? -2 : 0;
    if (!error && strcmp(doc->kind, "observation") == 0)
        error = apply_observation(&self->crowd, index, json, doc->digest, why);
    else if (!error && strcmp(doc->kind, "validation") == 0)
        error = apply_validation(&self->crowd, index, doc->qualifier, json, doc->digest, why);
    else if (!error && strcmp(doc->kind, "identification") == 0)
        error = apply_identification(&self->crowd, index, json, doc->digest, why);
    if (index != INTERN_NONE) crowd_touch(&self->crowd, index);
    if (error == 0) return index;
    *verdict = error == -1 ? LINNET_REJECT : LINNET_RETRY;
    if (error == -2) *why = "out of memory";
    return INTERN_NONE;
}

/* A ULID begins with its time: of several requests the last one answers them all. */
static void ask_to_settle(struct consensus *self, const struct linnet_item *item) {
    if (!item->docs[0].deleted && strcmp(item->observation, self->settle) > 0)
        snprintf(self->settle, sizeof self->settle, "%s", item->observation);
    self->host->finish(self->host->ctx, item, LINNET_OK, NULL);
}

/* Take a document in. Returns its observation, INTERN_NONE if the item is finished already. */
static uint32_t take_in(struct consensus *self, const struct linnet_item *item) {
    enum linnet_verdict verdict = LINNET_OK;
    const char *why = NULL;
    if (strcmp(item->docs[0].kind, "settle") == 0) {
        ask_to_settle(self, item);
        return INTERN_NONE;
    }
    uint32_t index = apply(self, item, &verdict, &why);
    if (index == INTERN_NONE) {
        self->host->finish(self->host->ctx, item, verdict, why);
        return index;
    }
    self->crowd.observed[index].flags |= OBSERVED_PENDING;
    if (self->changed++ == 0) self->changed_since = self->host->now(self->host->ctx);
    return index;
}

/* An observation with several documents in the batch is told once, with the first of them. */
static void give_out(struct consensus *self, const struct linnet_item *item, uint32_t index) {
    struct observed *observed = &self->crowd.observed[index];
    bool first = observed->flags & OBSERVED_PENDING;
    observed->flags &= (uint16_t)~OBSERVED_PENDING;
    if (first && !self->rebuilding && tell_consensus(self, item, index) != 0)
        self->host->finish(self->host->ctx, item, LINNET_RETRY, "out of memory");
    else
        self->host->finish(self->host->ctx, item, LINNET_OK, NULL);
}

static int consensus_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct consensus *self = instance;
    uint32_t *touched = malloc(n * sizeof *touched);
    if (!touched) return -1;
    for (size_t i = 0; i < n; i++)
        touched[i] = take_in(self, items[i]);
    for (size_t i = 0; i < n; i++)
        if (touched[i] != INTERN_NONE) give_out(self, items[i], touched[i]);
    free(touched);
    self->changed_at = self->host->now(self->host->ctx);
    self->host->count(self->host->ctx, "documents", (double)n);
    return 0;
}

static int consensus_tick(void *instance) {
    return turn(instance);
}

static const struct linnet_input inputs[] = {
    {.kind = "observation", .flags = LINNET_TRIGGER},
    {.kind = "validation", .flags = LINNET_TRIGGER},
    {.kind = "identification", .flags = LINNET_TRIGGER},
    {.kind = "settle", .flags = LINNET_TRIGGER},
    {.kind = NULL},
};

static const char *const produces[] = {"consensus", "skill", "epoch", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof(struct linnet_plugin),
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 2,
    .name = "consensus",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary = "community taxon by votes weighted by what their voters have shown to know",
    .config_schema = consensus_config_schema,
    .operational = consensus_config_operational,
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
    .open = consensus_open,
    .process = consensus_process,
    .snapshot = consensus_snapshot,
    .restore = consensus_restore,
    .tick = consensus_tick,
    .tick_ms = 200,
    .close = consensus_close,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
