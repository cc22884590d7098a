#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/child.h"
#include "workers/worker/child_room.h"

#define TICK_MS    1000
#define IDLE_TICKS 3 /* so many quiet ticks in a row are idle */

json_t *child_describe(void *arg) {
    struct child *child = arg;
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    json_t *groups = json_object();
    for (size_t i = 0; i < child->ngroups; i++) {
        json_t *group = child->groups[i].group != NULL
                            ? linnet_group_describe(child->groups[i].group)
                            : json_pack("{s:b, s:s}", "standby", 1, "why", child->groups[i].why);
        if (group != NULL) json_object_set_new(groups, child->groups[i].name, group);
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:b, s:o}", "host", host, "version", LINNET_VERSION, "pid",
                     (int)getppid(), "port", (int)linnet_monitor_port(LINNET_CHILD_LISTEN), "ready",
                     (int)child->ready, "groups", groups);
}

static json_t *reasons(const struct child *child) {
    json_t *list = json_array();
    if (child->phase[0] != '\0') json_array_append_new(list, json_string(child->phase));
    if (child->trouble[0] != '\0') json_array_append_new(list, json_string(child->trouble));
    if (child->draining) json_array_append_new(list, json_string("draining"));
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group != NULL)
            linnet_group_reasons(child->groups[i].group, list);
        else if (child->groups[i].why[0] != '\0')
            json_array_append_new(list, json_string(child->groups[i].why));
    }
    return list;
}

void child_report(struct child *child) {
    json_t *why = reasons(child);
    if (why == NULL || child->closing) {
        json_decref(why);
        return;
    }
    bool ready = json_array_size(why) == 0;
    const char *first =
        linnet_json_string(json_array_get(why, 0), "", json_string_value(json_array_get(why, 0)));
    if (ready != child->ready) {
        child->ready = ready;
        linnet_log(LINNET_INFO, "worker", ready ? "ready" : "not ready", "why", "s",
                   ready ? "all is at work" : first, NULL);
    }
    if (child->monitor != NULL) {
        json_t *body =
            json_pack("{s:b, s:s, s:O}", "ready", (int)ready, "worker", child->worker, "reasons", why);
        if (body != NULL) linnet_monitor_set_ready(child->monitor, ready, body);
        json_decref(body);
    }
    linnet_channel_send(&child->channel,
                        json_pack("{s:b, s:s}", "ready", (int)ready, "status", ready ? "at work" : first));
    json_decref(why);
}

static long long count_changes(const struct child *child) {
    long long n = 0;
    for (size_t i = 0; i < child->ngroups; i++) {
        json_t *status =
            child->groups[i].group != NULL ? linnet_group_describe(child->groups[i].group) : NULL;
        n += linnet_json_integer(status, "changes", 0);
        json_decref(status);
    }
    return n;
}

static bool idle(const struct child *child) {
    if (!child->ready) return false;
    for (size_t i = 0; i < child->ngroups; i++)
        if (child->groups[i].group == NULL || !linnet_group_idle(child->groups[i].group)) return false;
    return true;
}

/* --once: all groups idle, and nothing has come by a feed, for a few ticks in a row (what one group writes is
 * a change for another). */
static void look_for_the_end(struct child *child) {
    long long changes = count_changes(child);
    child->idle_ticks = idle(child) && changes == child->idle_changes ? child->idle_ticks + 1 : 0;
    child->idle_changes = changes;
    if (child->idle_ticks < IDLE_TICKS) return;
    linnet_log(LINNET_INFO, "worker", "caught up and idle", NULL);
    child_drain(child);
}

static void on_tick(uv_timer_t *timer) {
    struct child *child = timer->data;
    if (child->monitor != NULL) linnet_monitor_beat(child->monitor);
    child_report(child);
    child_look_guest(child);
    if (child->once && !child->draining) look_for_the_end(child);
}

void child_start_ticks(struct child *child) {
    uv_timer_start(&child->tick, on_tick, 0, TICK_MS);
}
