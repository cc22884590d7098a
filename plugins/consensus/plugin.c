/* The consensus stage: the community's answer, by Pl@ntNet's weighted iteration (solve.h).
 *
 * A changed vote changes its own observation at once, with the weights as they stand. An epoch (so many
 * changed votes, so much time, or quiet) solves the whole crowd again and rewrites what moved; once it is
 * quiet the answer is exact, whatever the order in which the votes came. */
#include <errno.h>
#include <linnet/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"
#include "plugins/consensus/document.h"
#include "plugins/consensus/solve.h"
#include "plugins/consensus/state.h"

struct consensus {
    const struct linnet_host *host;
    struct consensus_config config;
    struct crowd crowd;
    unsigned changed;              /* votes since the last epoch */
    bool unsettled;                /* the last epoch kept back what moved less than the tolerance */
    int64_t changed_at, solved_at; /* host's milliseconds */
};

static void mark_blocked(struct consensus *self) {
    for (uint32_t i = 0; i < self->crowd.users.size; i++) {
        char id[256];
        snprintf(id, sizeof id, "reviewer:%s", intern_text(&self->crowd.users, i));
        json_t *reviewer = self->host->reference(self->host->ctx, id);
        self->crowd.voters[i].blocked = json_is_true(json_object_get(reviewer, "blocked"));
    }
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
    crowd_init(&self->crowd, host->taxonomy(host->ctx), self->config.gamma);
    *instance = self;
    return 0;
}

static void consensus_close(void *instance) {
    struct consensus *self = instance;
    if (!self) return;
    crowd_done(&self->crowd);
    free(self);
}

static void solve(struct consensus *self) {
    mark_blocked(self);
    struct solve_report report = solve_crowd(&self->crowd, &self->config);
    self->solved_at = self->host->now(self->host->ctx);
    self->changed = 0;
    self->host->count(self->host->ctx, "epochs", 1);
    if (!report.converged)
        self->host->log(self->host->ctx, 2, "the crowd has not settled in %u rounds", report.rounds);
}

static int consensus_restore(void *instance, char *position, size_t size) {
    struct consensus *self = instance;
    char why[256];
    position[0] = '\0';
    if (!self->host->state_dir) return 0;
    if (state_load(&self->crowd, self->host->state_dir, position, size, why, sizeof why) != 0) {
        self->host->log(self->host->ctx, 2, "%s", why);
        crowd_done(&self->crowd);
        crowd_init(&self->crowd, self->host->taxonomy(self->host->ctx), self->config.gamma);
    }
    solve(self);
    self->unsettled = true; /* blocked users or synonyms may have changed since it was saved */
    return 0;
}

static int consensus_snapshot(void *instance, const char *position) {
    struct consensus *self = instance;
    if (!self->host->state_dir) return 0;
    if (state_save(&self->crowd, self->host->state_dir, position) == 0) return 0;
    self->host->log(self->host->ctx, 3, "the state cannot be saved in %s: %s", self->host->state_dir,
                    strerror(errno));
    return -1;
}

/* Emit the consensus of an observation, or its deletion when the observation has gone. */
static int emit(struct consensus *self, const struct linnet_item *item, uint32_t index) {
    struct observed *observed = &self->crowd.observed[index];
    const char *ulid = intern_text(&self->crowd.observations, index);
    struct linnet_output output = {.kind = "consensus", .observation = ulid, .qualifier = ""};
    if (observed->exists) {
        output.document = document_consensus(self->host, &self->crowd, &self->config, observed);
        output.inputs = document_inputs(&self->crowd, observed, ulid);
        if (!output.document || !output.inputs) {
            json_decref(output.document);
            json_decref(output.inputs);
            return -1;
        }
    } else if (!observed->has_told) {
        return 0; /* votes on an observation that is not there (yet) say nothing */
    }
    observed->has_told = observed->exists;
    observed->told = observed->verdict;
    observed->told_weights = crowd_weights(&self->crowd, observed);
    return self->host->emit(self->host->ctx, item, &output);
}

static int emit_skill(struct consensus *self, uint32_t user) {
    struct voter *voter = &self->crowd.voters[user];
    bool speaks = voter->n_author || voter->n_vote;
    if (!speaks && voter->told_weight < 0) return 0;
    if (speaks && voter->told_weight == voter->weight && voter->told_author == voter->n_author &&
        voter->told_vote == voter->n_vote)
        return 0;
    struct linnet_output output = {.kind = "skill",
                                   .observation = "",
                                   .qualifier = intern_text(&self->crowd.users, user),
                                   .document = speaks ? document_skill(&self->crowd, user) : NULL,
                                   .inputs = json_array()};
    voter->told_weight = speaks ? voter->weight : -1;
    voter->told_author = voter->n_author;
    voter->told_vote = voter->n_vote;
    return self->host->emit(self->host->ctx, NULL, &output);
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
        error = crowd_apply_observation(&self->crowd, index, json, doc->digest, why);
    else if (!error && strcmp(doc->kind, "validation") == 0)
        error = crowd_apply_validation(&self->crowd, index, doc->qualifier, json, doc->digest, why);
    else if (!error && strcmp(doc->kind, "identification") == 0)
        error = crowd_apply_identification(&self->crowd, index, json, doc->digest);
    if (error == 0) return index;
    *verdict = error == -1 ? LINNET_REJECT : LINNET_RETRY;
    if (error == -2) *why = "out of memory";
    return INTERN_NONE;
}

static void look_again(struct consensus *self, uint32_t index) {
    struct observed *observed = &self->crowd.observed[index];
    observed->verdict = solve_observation(&self->crowd, &self->config, observed, observed->verdict.label,
                                          observed->verdict.not_a_plant);
}

static int consensus_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct consensus *self = instance;
    enum linnet_verdict verdict = LINNET_OK;
    const char *why = NULL;
    uint32_t *touched = malloc(n * sizeof *touched);
    if (!touched) return -1;
    for (size_t i = 0; i < n; i++) {
        touched[i] = apply(self, items[i], &verdict, &why);
        if (touched[i] == INTERN_NONE)
            self->host->finish(self->host->ctx, items[i], verdict, why);
        else
            self->crowd.observed[touched[i]].pending = true;
    }
    for (size_t i = 0; i < n; i++) {
        if (touched[i] == INTERN_NONE) continue;
        struct observed *observed = &self->crowd.observed[touched[i]];
        bool first = observed->pending;
        observed->pending = false;
        if (first) look_again(self, touched[i]);
        if (first && emit(self, items[i], touched[i]) != 0)
            self->host->finish(self->host->ctx, items[i], LINNET_RETRY, "out of memory");
        else
            self->host->finish(self->host->ctx, items[i], LINNET_OK, NULL);
    }
    free(touched);
    self->changed += (unsigned)n;
    self->changed_at = self->host->now(self->host->ctx);
    return 0;
}

static bool moved(const struct consensus *self, const struct observed *observed, double tolerance) {
    const struct verdict *now = &observed->verdict, *told = &observed->told;
    if (!observed->exists || !observed->has_told) return false;
    if (now->label != told->label || now->not_a_plant != told->not_a_plant || now->valid != told->valid)
        return true;
    if (now->invalidated != told->invalidated) return true;
    if (fabs(now->confidence - told->confidence) > tolerance ||
        fabs(now->accuracy - told->accuracy) > tolerance)
        return true;
    return tolerance < 1e-6 &&
           fabs(crowd_weights(&self->crowd, observed) - observed->told_weights) > tolerance;
}

static int rewrite_what_moved(struct consensus *self, double tolerance) {
    for (uint32_t i = 0; i < self->crowd.observations.size; i++)
        if (moved(self, &self->crowd.observed[i], tolerance) && emit(self, NULL, i) != 0) return -1;
    for (uint32_t i = 0; i < self->crowd.users.size; i++)
        if (emit_skill(self, i) != 0) return -1;
    return 0;
}

static int consensus_tick(void *instance) {
    struct consensus *self = instance;
    int64_t now = self->host->now(self->host->ctx);
    bool quiet = now - self->changed_at >= self->config.settle_ms;
    bool epoch = self->changed >= self->config.epoch_votes ||
                 (self->changed > 0 && now - self->solved_at >= self->config.epoch_ms);
    if (!epoch && !(quiet && (self->changed > 0 || self->unsettled))) return 0;
    solve(self);
    self->unsettled = !quiet;
    return rewrite_what_moved(self, quiet ? 1e-9 : self->config.tolerance);
}

static const struct linnet_input inputs[] = {
    {.kind = "observation", .flags = LINNET_TRIGGER},
    {.kind = "validation", .flags = LINNET_TRIGGER},
    {.kind = "identification", .flags = LINNET_TRIGGER},
    {.kind = NULL},
};

static const char *const produces[] = {"consensus", "skill", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof(struct linnet_plugin),
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1,
    .name = "consensus",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary = "community taxon by votes weighted by what their voters have shown to know",
    .config_schema = consensus_config_schema,
    .inputs = inputs,
    .produces = produces,
    .scope = LINNET_SCOPE_SITE,
    .unit = LINNET_UNIT_DOCUMENT,
    .threading = LINNET_PINNED_THREAD,
    .instances = 1,
    .batch_max = 256,
    .batch_delay_ms = 5,
    .deadline_ms = 60000,
    .host_bytes = UINT64_C(2) << 30,
    .open = consensus_open,
    .process = consensus_process,
    .snapshot = consensus_snapshot,
    .restore = consensus_restore,
    .tick = consensus_tick,
    .tick_ms = 500,
    .close = consensus_close,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
