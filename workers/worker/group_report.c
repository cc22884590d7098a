#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/group_room.h"

#define IDLE_ROUNDS 2
#define FORGIVE_MS  600000 /* where it is never idle */

static bool mentions(const json_t *value, const char *text) {
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_string(value)) return strcmp(json_string_value(value), text) == 0;
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, member) if (mentions(member, text)) return true;
    if (json_is_array(value)) json_array_foreach(value, i, member) if (mentions(member, text)) return true;
    return false;
}

bool linnet_group_uses_model(const struct linnet_group *group, const char *model) {
    return mentions(json_object_get(group_config(group), "stages"), model);
}

/* ---- telling ---- */

json_t *linnet_group_describe(const struct linnet_group *group) {
    json_t *status = linnet_flow_status(group->flow);
    if (status == NULL) return NULL;
    json_t *stages = json_object_get(status, "stages");
    if (stages == NULL) json_object_set_new(status, "stages", stages = json_object());
    for (size_t i = 0; i < group->n; i++) {
        const struct group_place *place = &group->places[i];
        json_t *stage = json_object_get(stages, place->opened->name);
        if (stage == NULL) json_object_set_new(stages, place->opened->name, stage = json_object());
        json_object_set_new(stage, "version", json_string(place->opened->file->plugin.version));
        json_object_set_new(stage, "fingerprint",
                            json_string(linnet_stage_fingerprint(place->opened->stage)));
        json_object_set_new(stage, "standby", json_boolean(linnet_wanted_standby(place->wanted)));
        if (linnet_wanted_standby(place->wanted))
            json_object_set_new(stage, "why", json_string(linnet_wanted_why(place->wanted)));
        if (place->why[0] != '\0') json_object_set_new(stage, "reload", json_string(place->why));
    }
    json_object_set_new(status, "standby", json_boolean(linnet_group_standby(group)));
    json_object_set_new(status, "shares", json_integer(linnet_shares_owned(group->shares)));
    json_object_set_new(status, "target", json_integer(linnet_shares_target(group->shares)));
    json_object_set_new(status, "site", json_boolean(linnet_shares_owns_site(group->shares)));
    return status;
}

static void reason(json_t *reasons, const struct linnet_group *group, const char *format, const char *a,
                   const char *b) {
    char text[1024];
    int n = snprintf(text, sizeof text, "group %s: ", group->name);
    snprintf(text + n, sizeof text - (size_t)n, "%s%s%s", format, a, b);
    json_array_append_new(reasons, json_string(text));
}

void linnet_group_reasons(const struct linnet_group *group, json_t *reasons) {
    for (size_t i = 0; i < group->n; i++) {
        const struct group_place *place = &group->places[i];
        if (linnet_wanted_standby(place->wanted))
            reason(reasons, group, "stands by: ", linnet_wanted_why(place->wanted), "");
        if (place->why[0] != '\0')
            reason(reasons, group, "a reload failed, the old goes on: ", place->why, "");
    }
    if (linnet_group_standby(group)) return;
    if (group->draining) reason(reasons, group, "draining", "", "");
    if (!linnet_shares_fresh(group->shares)) {
        reason(reasons, group, "the leases cannot be renewed", "", "");
    } else if (linnet_flow_needs_shares(group->flow) &&
               (linnet_shares_target(group->shares) == 0 ||
                linnet_shares_owned(group->shares) < linnet_shares_target(group->shares))) {
        char text[64];
        snprintf(text, sizeof text, "%u of %u shares so far", linnet_shares_owned(group->shares),
                 linnet_shares_target(group->shares));
        reason(reasons, group, text, "", "");
    } else if (!linnet_flow_ready(group->flow)) {
        reason(reasons, group, "the feed is not connected or has shares to catch up", "", "");
    }
}

bool linnet_group_idle(const struct linnet_group *group) {
    bool idle = false;
    json_t *status = linnet_flow_status(group->flow), *reasons = json_array();
    linnet_group_reasons(group, reasons);
    if (status != NULL && json_array_size(reasons) == 0 &&
        (!linnet_flow_needs_site(group->flow) || linnet_shares_owns_site(group->shares)))
        idle = linnet_json_integer(status, "tasks", 0) == 0 && linnet_json_integer(status, "span", 0) == 0 &&
               linnet_json_integer(status, "catching_up", 0) == 0;
    json_decref(reasons);
    json_decref(status);
    return idle;
}

/* ---- suspicions that are over ---- */

/* With nothing in work, every change of our shares is answered: who is suspected still has been cleared by a
 * result. */
static bool past(void *arg, const char *stage, const char *document, int64_t age_ms) {
    const struct linnet_group *group = arg;
    bool ours = false;
    for (size_t i = 0; i < group->n; i++)
        ours |= strcmp(group->places[i].opened->name, stage) == 0;
    if (!ours || strlen(document) < LINNET_ULID_SIZE - 1) return false;
    char ulid[LINNET_ULID_SIZE];
    snprintf(ulid, sizeof ulid, "%.*s", LINNET_ULID_SIZE - 1, document);
    return linnet_shares_may_write(group->shares, (int)linnet_share_of(ulid, LINNET_SHARES)) &&
           (group->idle_rounds >= IDLE_ROUNDS || age_ms > FORGIVE_MS);
}

void linnet_group_sweep(struct linnet_group *group) {
    if (group->draining || group->closing || linnet_suspects_count(group->context->suspects) == 0) {
        group->idle_rounds = 0;
        return;
    }
    group->idle_rounds = linnet_group_idle(group) ? group->idle_rounds + 1 : 0;
    linnet_suspects_sweep(group->context->suspects, past, group);
}
