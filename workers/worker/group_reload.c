#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/group_room.h"

/* ---- reloading ---- */

static const char *wanted_model(const struct linnet_references *references, const char *id) {
    return linnet_json_string(linnet_references_get(references, id), "model", "");
}

struct search {
    const char *model;
    bool any, found;
};

static int search_wanted(void *arg, const char *id, json_t *document) {
    struct search *search = arg;
    (void)id;
    const char *model = linnet_json_string(document, "model", NULL);
    search->any |= model != NULL;
    search->found |= model != NULL && strcmp(model, search->model) == 0;
    return search->found;
}

/* A published model matters once something names it; before anything names one, a stage may take any. */
static bool model_matters(const struct linnet_group *group, const struct linnet_references *references,
                          const char *model) {
    struct search search = {.model = model};
    linnet_references_each(references, "wanted:", search_wanted, &search);
    return search.found || !search.any || linnet_group_uses_model(group, model);
}

/* Does a changed reference document shape what the stage does? */
static bool concerns_one(const struct linnet_group *group, const struct group_place *place,
                         const struct linnet_references *next, const char *id) {
    if (strncmp(id, "reviewer:", 9) == 0)
        return place->opened->site; /* whose votes count is the whole site's matter */
    if (strncmp(id, "wanted:", 7) == 0)
        return strcmp(wanted_model(group->references, id), wanted_model(next, id)) != 0;
    if (strncmp(id, "model:", 6) == 0) return model_matters(group, next, id + 6);
    return true;
}

static bool concerns(const struct linnet_group *group, const struct group_place *place,
                     const struct linnet_references *next, const json_t *changed) {
    size_t i;
    json_t *id;
    json_array_foreach(changed, i,
                       id) if (concerns_one(group, place, next, json_string_value(id))) return true;
    return false;
}

static bool same_config(const struct group_place *place, const json_t *next) {
    return json_equal(place->opened->config, next);
}

/* The group as it shall be, its places taken over from the present where nothing has changed. */
struct reload {
    struct group_place places[GROUP_STAGES_MAX];
    bool fresh[GROUP_STAGES_MAX];
    size_t n;
};

static struct group_place *find_place(struct linnet_group *group, const char *name) {
    for (size_t i = 0; i < group->n; i++)
        if (strcmp(group->places[i].opened->name, name) == 0) return &group->places[i];
    return NULL;
}

static void undo(struct linnet_group *group, struct reload *reload) {
    for (size_t i = 0; i < reload->n; i++) {
        if (!reload->fresh[i]) continue;
        group_close_place(group, &reload->places[i], false);
    }
}

static int open_anew(struct linnet_group *group, struct linnet_references *references, const json_t *changed,
                     struct reload *reload, struct linnet_error *err) {
    const char *name;
    json_t *config;
    json_object_foreach(json_object_get(group_config(group), "stages"), name, config) {
        struct group_place *old = find_place(group, name), *place = &reload->places[reload->n];
        if (reload->n == GROUP_STAGES_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "more than %d stages", GROUP_STAGES_MAX);
        if (old != NULL && same_config(old, config) && !concerns(group, old, references, changed) &&
            old->why[0] == '\0') {
            *place = *old;
            reload->n++;
            continue;
        }
        int rc = group_open_place(group, name, config, references, place, err);
        if (rc != 0) {
            if (old != NULL) snprintf(old->why, sizeof old->why, "%s", err->detail);
            return rc;
        }
        reload->fresh[reload->n++] = true;
    }
    return 0;
}

static bool is_kept(const struct reload *reload, const struct linnet_opened *opened) {
    for (size_t i = 0; i < reload->n; i++)
        if (reload->places[i].opened == opened) return true;
    return false;
}

/* Put the new places in and let the old ones drain. */
static int exchange(struct linnet_group *group, const struct reload *reload, struct linnet_error *err) {
    struct group_place old[GROUP_STAGES_MAX];
    size_t nold = group->n;
    memcpy(old, group->places, sizeof old);
    bool site = false;
    for (size_t i = 0; i < nold; i++)
        site |= old[i].opened->site && !is_kept(reload, old[i].opened);
    if (site && group->site_given) {
        linnet_flow_site_lost(group->flow);
        group->site_given = false;
    }
    group->site_reopening = site;
    memcpy(group->places, reload->places, sizeof old);
    group->n = reload->n;
    int rc = group_give_stages(group, err);
    if (rc != 0) return rc;
    linnet_shares_set_needs(group->shares, linnet_flow_needs_shares(group->flow),
                            linnet_flow_needs_site(group->flow));
    for (size_t i = 0; i < nold; i++) {
        if (is_kept(reload, old[i].opened)) continue;
        linnet_log(LINNET_INFO, "stage", "replaced", "stage", "s", old[i].opened->name, NULL);
        if (old[i].backfilling) linnet_flow_backfill_stop(group->flow, old[i].opened->name);
        group_close_place(group, &old[i], true);
    }
    return 0;
}

int linnet_group_reload(struct linnet_group *group, struct linnet_references *references,
                        const json_t *changed, struct linnet_error *err) {
    if (group->draining || group->closing) return 0;
    struct reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = open_anew(group, references, changed, reload, err);
    if (rc != 0)
        undo(group, reload);
    else
        rc = exchange(group, reload, err);
    free(reload);
    if (rc == 0) {
        linnet_references_unref(group->references);
        group->references = linnet_references_ref(references);
        linnet_metric_set(group->standby_metric, linnet_group_standby(group));
        for (size_t i = 0; i < group->n; i++)
            group_review_backfill(group, &group->places[i]);
    }
    group_tell(group);
    return rc == 0 ? 0 : linnet_error_prefix(err, "group %s", group->name);
}
