#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/host/config.h"
#include "workers/worker/group_room.h"

#define REOPEN_MS 5000

const json_t *group_config(const struct linnet_group *group) {
    return json_object_get(json_object_get(group->context->config, "groups"), group->name);
}

void group_tell(struct linnet_group *group) {
    if (group->context->changed != NULL) group->context->changed(group->context->arg);
}

static void on_stage_closed(void *arg) {
    struct linnet_group *group = arg;
    group->closing_stages--;
    if (group->closing) {
        linnet_group_close(group, group->closed, group->closed_arg);
        return;
    }
    if (group->closing_stages > 0 || !group->site_reopening) return;
    group->site_reopening = false;
    if (linnet_shares_owns_site(group->shares)) group_give_site(group);
}

/* ---- a stage that broke ---- */

static void on_reopen(uv_timer_t *timer) {
    struct linnet_group *group = timer->data;
    struct linnet_error err = {0};
    if (linnet_group_reload(group, group->references, NULL, &err) == 0) return;
    linnet_log(LINNET_ERROR, "stage", "still cannot be opened anew", "why", "s", err.detail, NULL);
    uv_timer_start(&group->reopen, on_reopen, REOPEN_MS, 0);
}

/* All its work comes back to be tried again later; meanwhile /readyz says why. */
static void on_stage_failed(void *arg, struct linnet_opened *opened, const char *reason) {
    struct linnet_group *group = arg;
    linnet_log(LINNET_ERROR, "stage", "cannot go on and is opened anew", "stage", "s", opened->name, "why",
               "s", reason, NULL);
    for (size_t i = 0; i < group->n; i++)
        if (group->places[i].opened == opened)
            snprintf(group->places[i].why, sizeof group->places[i].why, "stage %s broke: %s", opened->name,
                     reason);
    if (group->closing || group->draining) return;
    uv_timer_start(&group->reopen, on_reopen, REOPEN_MS, 0);
    group_tell(group);
}

void group_close_place(struct linnet_group *group, struct group_place *place, bool drain) {
    linnet_wanted_free(place->wanted);
    place->wanted = NULL;
    group->closing_stages++;
    linnet_opened_close(place->opened, drain, on_stage_closed, group);
    place->opened = NULL;
}

/* ---- opening ---- */

int group_give_stages(struct linnet_group *group, struct linnet_error *err) {
    struct linnet_flow_stage stages[GROUP_STAGES_MAX];
    for (size_t i = 0; i < group->n; i++)
        stages[i] = (struct linnet_flow_stage){.stage = group->places[i].opened->stage,
                                               .policy = linnet_wanted_policy(group->places[i].wanted),
                                               .standby = linnet_wanted_standby(group->places[i].wanted)};
    return linnet_flow_set_stages(group->flow, stages, group->n, err);
}

static void on_adopted(void *arg);

int group_open_place(struct linnet_group *group, const char *name, const json_t *config,
                     struct linnet_references *references, struct group_place *place,
                     struct linnet_error *err) {
    int rc = linnet_opened_new(group->context, name, config, references, group->flow, &place->opened, err);
    if (rc != 0) return rc;
    place->opened->failed = on_stage_failed;
    place->opened->failed_arg = group;
    rc = linnet_wanted_new(group->context->couch, name, linnet_stage_fingerprint(place->opened->stage),
                           on_adopted, group, &place->wanted);
    if (rc == 0) return 0;
    group_close_place(group, place, false);
    return linnet_error_set(err, rc, "out of memory");
}

static int open_stages(struct linnet_group *group, struct linnet_references *references,
                       struct linnet_error *err) {
    const char *name;
    json_t *config;
    json_object_foreach(json_object_get(group_config(group), "stages"), name, config) {
        if (group->n == GROUP_STAGES_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "group %s has more than %d stages", group->name,
                                    GROUP_STAGES_MAX);
        struct group_place *place = &group->places[group->n];
        int rc = group_open_place(group, name, config, references, place, err);
        if (rc != 0) return rc;
        group->n++;
    }
    return 0;
}

int linnet_group_open(struct linnet_group_context *context, const char *name,
                      struct linnet_references *references, struct linnet_group **out,
                      struct linnet_error *err) {
    struct linnet_group *group = calloc(1, sizeof *group);
    if (group == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    group->context = context;
    uv_timer_init(context->loop, &group->reopen);
    group->reopen.data = group;
    group->references = linnet_references_ref(references);
    snprintf(group->name, sizeof group->name, "%s", name);
    char labels[96];
    snprintf(labels, sizeof labels, "group=\"%s\"", name);
    group->standby_metric = linnet_metrics_gauge(
        context->metrics, "linnet_group_standby", labels,
        "1 while this worker stands by because another fingerprint of a stage is wanted.");
    int rc = group_open_flow(group, err);
    if (rc == 0) rc = open_stages(group, references, err);
    if (rc == 0) rc = group_give_stages(group, err);
    if (rc == 0) rc = group_open_shares(group, err);
    if (rc != 0) {
        linnet_group_close(group, NULL, NULL);
        return linnet_error_prefix(err, "group %s", name);
    }
    *out = group;
    return 0;
}

void linnet_group_start(struct linnet_group *group) {
    group->started = true;
    linnet_shares_round(group->shares);
}

void linnet_group_round(struct linnet_group *group) {
    if (group->started && !group->draining) linnet_shares_round(group->shares);
}

const char *linnet_group_name(const struct linnet_group *group) {
    return group->name;
}

int linnet_group_lend(struct linnet_group *group, const char *name, const struct linnet_plugin_file *file,
                      const json_t *config, struct linnet_opened **out) {
    for (size_t i = 0; i < group->n; i++) {
        struct linnet_opened *opened = group->places[i].opened;
        json_t *complete = NULL;
        if (strcmp(opened->name, name) != 0) continue;
        bool same = strcmp(opened->file->path, file->path) == 0 &&
                    linnet_config_complete(file, config, &complete, NULL) == 0 &&
                    json_equal(complete, linnet_stage_config(opened->stage));
        json_decref(complete);
        if (!same) break;
        opened->lent++;
        *out = opened;
        return 0;
    }
    return LINNET_E_NOT_FOUND;
}

/* ---- what is wanted ---- */

bool linnet_group_standby(const struct linnet_group *group) {
    for (size_t i = 0; i < group->n; i++)
        if (linnet_wanted_standby(group->places[i].wanted)) return true;
    return false;
}

void group_review_backfill(struct linnet_group *group, struct group_place *place) {
    bool wish = !linnet_wanted_standby(place->wanted) &&
                linnet_wanted_policy(place->wanted) == LINNET_POLICY_BACKFILL && !place->opened->site;
    if (wish == place->backfilling) return;
    struct linnet_error err = {0};
    if (!wish)
        linnet_flow_backfill_stop(group->flow, place->opened->name);
    else if (linnet_flow_backfill(group->flow, place->opened->name, &err) != 0)
        linnet_log(LINNET_WARN, "stage", "cannot start the backfill", "stage", "s", place->opened->name,
                   "why", "s", err.detail, NULL);
    place->backfilling = wish;
}

/* Standby or policies have changed. */
static void apply_wanted(struct linnet_group *group) {
    struct linnet_error err = {0};
    linnet_metric_set(group->standby_metric, linnet_group_standby(group));
    if (group_give_stages(group, &err) != 0) {
        group->context->fatal(group->context->arg, group->name, err.code, err.detail);
        return;
    }
    for (size_t i = 0; i < group->n; i++)
        group_review_backfill(group, &group->places[i]);
    group_tell(group);
    linnet_group_round(group);
}

static void on_adopted(void *arg) {
    struct linnet_group *group = arg;
    if (!group->closing && !group->draining) apply_wanted(group);
}

/* A stage whose reload failed was opened with an older snapshot: what is wanted now is not about it. */
void linnet_group_review(struct linnet_group *group) {
    bool changed = false;
    if (group->closing || group->draining) return;
    for (size_t i = 0; i < group->n; i++) {
        char id[LINNET_ID_MAX];
        if (group->places[i].why[0] != '\0') continue;
        snprintf(id, sizeof id, "wanted:%s", group->places[i].opened->name);
        changed |=
            linnet_wanted_review(group->places[i].wanted, linnet_references_get(group->references, id));
    }
    if (changed) apply_wanted(group);
}

/* ---- ending ---- */

void linnet_group_drain(struct linnet_group *group, void (*done)(void *arg), void *arg) {
    group->draining = true;
    linnet_shares_hold(group->shares);
    linnet_flow_drain(group->flow, done, arg);
}

void linnet_group_leave(struct linnet_group *group, void (*done)(void *arg), void *arg) {
    linnet_shares_leave(group->shares, done, arg);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct linnet_group *group = handle->data;
    void (*closed)(void *) = group->closed;
    void *closed_arg = group->closed_arg;
    linnet_references_unref(group->references);
    free(group);
    if (closed != NULL) closed(closed_arg);
}

static void on_all_closed(void *arg) {
    struct linnet_group *group = arg;
    uv_close((uv_handle_t *)&group->reopen, on_timer_closed);
}

static void on_flow_closed(void *arg) {
    struct linnet_group *group = arg;
    group->flow = NULL;
    if (group->shares == NULL) {
        on_all_closed(group);
        return;
    }
    linnet_shares_close(group->shares, on_all_closed, group);
}

/* Stages first (what they hold comes back into the flow), then the flow, then the leases. Called again when
 * the last stage is gone. */
void linnet_group_close(struct linnet_group *group, void (*closed)(void *arg), void *arg) {
    group->closed = closed;
    group->closed_arg = arg;
    if (!group->closing) {
        group->closing = true;
        for (size_t i = 0; i < group->n; i++)
            group_close_place(group, &group->places[i], false);
    }
    if (group->closing_stages > 0) return;
    if (group->flow != NULL)
        linnet_flow_close(group->flow, on_flow_closed, group);
    else
        on_flow_closed(group);
}
