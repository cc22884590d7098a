#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/group_room.h"

/* ---- between flow and leases ---- */

static bool on_may_write(void *arg, int share) {
    struct linnet_group *group = arg;
    return group->shares != NULL && linnet_shares_may_write(group->shares, share);
}

static void on_late(void *arg, int share) {
    struct linnet_group *group = arg;
    linnet_log(LINNET_WARN, "shares",
               "a lease grew old before it could be renewed: its work is dropped and read again", "group",
               "s", group->name, "share", "i", (json_int_t)share, NULL);
    if (share == LINNET_SHARE_SITE) group->site_given = false;
    linnet_shares_late(group->shares, share);
}

static bool on_suspect(void *arg, const char *stage, const char *document) {
    struct linnet_group *group = arg;
    return linnet_suspects_has(group->context->suspects, stage, document);
}

static void on_cleared(void *arg, const char *stage, const char *document) {
    struct linnet_group *group = arg;
    linnet_suspects_cleared(group->context->suspects, stage, document);
}

static void on_fatal(void *arg, int error, const char *detail) {
    struct linnet_group *group = arg;
    group->context->fatal(group->context->arg, group->name, error, detail);
}

static void on_gained(void *arg, const struct linnet_flow_gain *gains, size_t n) {
    struct linnet_group *group = arg;
    struct linnet_error err = {0};
    if (linnet_flow_shares_gained(group->flow, gains, n, &err) != 0)
        group->context->fatal(group->context->arg, group->name, err.code, err.detail);
    group_tell(group);
}

static void on_lost(void *arg, unsigned share) {
    struct linnet_group *group = arg;
    linnet_flow_share_lost(group->flow, share);
    group_tell(group);
}

static void on_share_released(void *arg, unsigned share) {
    struct linnet_group *group = arg;
    linnet_shares_released(group->shares, share);
}

static void on_release(void *arg, unsigned share) {
    struct linnet_group *group = arg;
    if (linnet_flow_share_release(group->flow, share, on_share_released, group) != 0)
        linnet_shares_released(group->shares, share);
}

static const char *on_checkpoint(void *arg, int share) {
    struct linnet_group *group = arg;
    return share == LINNET_SHARE_SITE ? linnet_flow_site_checkpoint(group->flow)
                                      : linnet_flow_checkpoint(group->flow, (unsigned)share);
}

void group_give_site(struct linnet_group *group) {
    struct linnet_error err = {0};
    if (linnet_flow_site_gained(group->flow, group->site_generation, &err) != 0)
        group->context->fatal(group->context->arg, group->name, err.code, err.detail);
    group->site_given = true;
}

static void on_site_gained(void *arg, uint64_t generation) {
    struct linnet_group *group = arg;
    group->site_generation = generation;
    if (!group->site_reopening) group_give_site(group);
    group_tell(group);
}

static void on_site_lost(void *arg) {
    struct linnet_group *group = arg;
    if (group->site_given) linnet_flow_site_lost(group->flow);
    group->site_given = false;
    group_tell(group);
}

int group_open_flow(struct linnet_group *group, struct linnet_error *err) {
    const json_t *config = group_config(group);
    struct linnet_flow_options options = {
        .loop = group->context->loop,
        .couch = group->context->couch,
        .metrics = group->context->metrics,
        .group = group->name,
        .worker = group->context->worker,
        .schemas = group->context->schemas,
        .events = {.may_write = on_may_write,
                   .late = on_late,
                   .suspect = on_suspect,
                   .cleared = on_cleared,
                   .fatal = on_fatal},
        .arg = group,
        .partitions = group->context->partitions,
        .tasks_limit = (size_t)linnet_json_integer(config, "tasks", 0),
        .bytes_limit = (size_t)linnet_json_integer(config, "memory_mb", 0) << 20,
        .writer_bytes = (size_t)linnet_json_integer(config, "writer_mb", 0) << 20,
        .span_limit = (size_t)linnet_json_integer(config, "span", 0),
        .gathers = (unsigned)linnet_json_integer(config, "gathers", 0),
        .downloads = (unsigned)linnet_json_integer(config, "downloads", 0),
        .blob_limit = (size_t)linnet_json_integer(config, "blob_mb", 0) << 20,
        .park_ms = (unsigned)linnet_json_integer(config, "park_s", 30) * 1000,
        .poll_ms = (unsigned)linnet_json_integer(config, "poll_s", 15) * 1000,
    };
    return linnet_flow_open(&options, &group->flow, err);
}

int group_open_shares(struct linnet_group *group, struct linnet_error *err) {
    struct linnet_shares_options options = {
        .loop = group->context->loop,
        .couch = group->context->lease_couch,
        .members = group->context->members,
        .metrics = group->context->metrics,
        .group = group->name,
        .worker = group->context->worker,
        .session = group->context->session,
        .identity = group->context->identity,
        .term_ms = linnet_json_integer(group->context->config, "lease/term_ms", 30000),
        .needs_shares = linnet_flow_needs_shares(group->flow),
        .needs_site = linnet_flow_needs_site(group->flow),
        .events = {.gained = on_gained,
                   .lost = on_lost,
                   .release = on_release,
                   .checkpoint = on_checkpoint,
                   .site_gained = on_site_gained,
                   .site_lost = on_site_lost},
        .arg = group,
    };
    int rc = linnet_shares_open(&options, &group->shares);
    return rc == 0 ? 0 : linnet_error_set(err, rc, "out of memory");
}
