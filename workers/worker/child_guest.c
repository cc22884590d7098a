#include <string.h>

#include "common/base/json.h"
#include "workers/worker/child.h"
#include "workers/worker/child_room.h"

static int borrow(void *arg, const char *name, const struct linnet_plugin_file *file, const json_t *config,
                  struct linnet_opened **out) {
    const struct child *child = arg;
    for (size_t i = 0; i < child->ngroups; i++) {
        const json_t *group =
            json_object_get(json_object_get(child->config, "groups"), child->groups[i].name);
        if (json_object_get(json_object_get(group, "stages"), name) == NULL) continue;
        if (child->groups[i].group == NULL) return LINNET_E_FULL;
        return linnet_group_lend(child->groups[i].group, name, file, config, out);
    }
    return LINNET_E_NOT_FOUND;
}

int child_open_guest(struct child *child, struct linnet_error *err) {
    const json_t *config = json_object_get(child->config, "serve");
    if (config == NULL || child->guest == NULL || child->check || child->once) return 0;
    child->guest_config = json_deep_copy(config); /* a reload replaces the worker's */
    if (child->guest_config == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    child->guest_host = (struct linnet_guest_host){
        .loop = &child->loop, .config = child->guest_config, .borrow = borrow, .arg = child};
    int rc = child->guest->open(&child->guest_host, &child->guest_self, err);
    child->guest_there = rc == 0;
    return rc;
}

void child_tell_guest(struct child *child, const json_t *changed) {
    if (child->guest_there && !child->draining && !child->closing)
        child->guest->changed(child->guest_self, child->references, changed);
}

void child_look_guest(struct child *child) {
    if (child->guest_there && !child->draining && !child->closing) child->guest->look(child->guest_self);
}

static void on_gone(void *arg) {
    struct child *child = arg;
    void (*then)(struct child * child) = child->guest_then;
    child->guest_there = false;
    then(child);
}

void child_end_guest(struct child *child, bool drain, void (*then)(struct child *child)) {
    if (!child->guest_there) {
        then(child);
        return;
    }
    child->guest_then = then;
    (drain ? child->guest->drain : child->guest->close)(child->guest_self, on_gone, child);
}

void child_free_guest(struct child *child) {
    if (child->guest_self != NULL) child->guest->free(child->guest_self);
    json_decref(child->guest_config);
}
