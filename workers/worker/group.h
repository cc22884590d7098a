/* One group of this worker: its stages, its flow and its leases, opened, reloaded and closed together.
 *
 * A stage whose fingerprint is not the wanted one (`wanted:<stage>` in linnet-reference) stands by, and with
 * it the whole group here: what a member answered without that stage would lack its results. A stage without
 * such a document is adopted: the first member to open it writes down its fingerprint as the wanted one.
 * Everything belongs to the loop's thread. */
#ifndef LINNET_WORKER_GROUP_H
#define LINNET_WORKER_GROUP_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "common/base/schema.h"
#include "common/base/seal.h"
#include "common/couch/couch.h"
#include "workers/host/plugin.h"
#include "workers/host/references.h"
#include "workers/worker/inflight.h"
#include "workers/worker/members.h"
#include "workers/worker/suspects.h"

struct linnet_group;
struct linnet_opened;

/* What all groups of a worker share. Borrowed; must outlive the group. */
struct linnet_group_context {
    uv_loop_t *loop;
    struct linnet_couch *couch;
    struct linnet_couch
        *lease_couch; /* a client of their own for the leases: they never queue behind pictures */
    struct linnet_metrics *metrics;
    struct linnet_members *members; /* set before linnet_group_start */
    struct linnet_suspects *suspects;
    struct linnet_inflight *inflight;
    const struct linnet_schemas *schemas; /* of documents; may be NULL */
    const json_t *config; /* the worker's whole configuration; may be replaced before a reload */
    const struct linnet_site_key *site_key; /* NULL: sealed locations stay sealed */
    const char *worker, *session;
    const char *identity; /* of the main database */
    bool partitions;
    /* Something that /readyz or the heartbeat tell has changed. */
    void (*changed)(void *arg);
    /* The group can't go on (credentials refused, database gone). */
    void (*fatal)(void *arg, const char *group, int error, const char *detail);
    void *arg;
};

/* Find the plugins, open all stages, the flow and the leases; nothing moves yet. Errors name stage, file and
 * what to do: LINNET_E_NOT_FOUND, LINNET_E_PLUGIN, LINNET_E_INVALID. */
int linnet_group_open(struct linnet_group_context *context, const char *name,
                      struct linnet_references *references, struct linnet_group **out,
                      struct linnet_error *err);
/* Take shares from now on. */
void linnet_group_start(struct linnet_group *group);
const char *linnet_group_name(const struct linnet_group *group);
/* Does it stand by? Then others are not to count on it. */
bool linnet_group_standby(const struct linnet_group *group);
/* Compare fingerprints with the `wanted:` documents of the snapshot at hand: adopt, stand by, go on, change
 * policies. After the opening, after each reload, and now and then (an adoption may have failed). */
void linnet_group_review(struct linnet_group *group);
/* Open stages anew: those that the changed reference documents concern (`changed` as linnet_reference_loader
 * gives it; NULL: none), and those whose configuration in context->config differs. New instances first: on
 * failure the old ones go on, and so does the configuration they have; the reason is in /readyz until a later
 * reload succeeds. */
int linnet_group_reload(struct linnet_group *group, struct linnet_references *references,
                        const json_t *changed, struct linnet_error *err);
/* Once a round: suspicions of our shares that nothing in work can be about any more are deleted. */
void linnet_group_sweep(struct linnet_group *group);
/* The leases may have to be shared out anew: members came or went. */
void linnet_group_round(struct linnet_group *group);
/* Lend a stage to a guest of this process (guest.h): that of the name, if it is the same plugin and means the
 * same configuration. It stays open until linnet_opened_return, though another may have taken its place.
 * LINNET_E_NOT_FOUND: there is none such. */
int linnet_group_lend(struct linnet_group *group, const char *name, const struct linnet_plugin_file *file,
                      const json_t *config, struct linnet_opened **out);
/* Does a stage's configuration name this model? */
bool linnet_group_uses_model(const struct linnet_group *group, const char *model);

/* For the heartbeat: {"standby","why","shares","target","site","stages":{…},…}. A new reference. */
json_t *linnet_group_describe(const struct linnet_group *group);
/* Append why it is not ready, one string each. */
void linnet_group_reasons(const struct linnet_group *group, json_t *reasons);
/* Nothing to do and nothing under way, as far as can be told. */
bool linnet_group_idle(const struct linnet_group *group);

/* Finish what is under way; `done` then. */
void linnet_group_drain(struct linnet_group *group, void (*done)(void *arg), void *arg);
/* Give the leases back with the last checkpoints; `done` then. */
void linnet_group_leave(struct linnet_group *group, void (*done)(void *arg), void *arg);
/* Close stages, flow and leases and free. */
void linnet_group_close(struct linnet_group *group, void (*closed)(void *arg), void *arg);

#endif
