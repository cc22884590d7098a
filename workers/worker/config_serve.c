#include <limits.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/worker/config.h"
#include "workers/worker/opened.h"
#include "workers/worker/settings.h"

#define SCHEMA "serve-config"

static int refuse_ours(const json_t *serve, struct linnet_error *err) {
    static const char *const ours[] = {"couchdb", "references", "cache_dir", "log"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (json_object_get(serve, ours[i]) != NULL)
            return linnet_error_set(err, LINNET_E_INVALID, "serve.%s: it has the worker's: leave it out",
                                    ours[i]);
    return 0;
}

static const json_t *stage_of(const json_t *config, const char *name) {
    const char *group;
    json_t *value;
    json_object_foreach(json_object_get(config, "groups"), group, value) {
        const json_t *stage = json_object_get(json_object_get(value, "stages"), name);
        if (stage != NULL) return stage;
    }
    return NULL;
}

/* As the worker's where it has one of that name: so the two can be one. */
static int take_stages(const json_t *config, json_t *serve) {
    const char *name, *key;
    json_t *stage, *value;
    json_object_foreach(json_object_get(serve, "stages"), name, stage) {
        json_object_foreach((json_t *)stage_of(config, name), key, value) {
            if ((strcmp(key, "plugin") == 0 || strcmp(key, "config") == 0) &&
                json_object_set_new(stage, key, json_deep_copy(value)) != 0)
                return LINNET_E_NOMEM;
        }
    }
    return 0;
}

/* Where the worker finds its plugins. */
static int find_plugins(const json_t *config, json_t *serve, struct linnet_error *err) {
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(serve, "stages"), name, stage) {
        char path[PATH_MAX];
        int rc = linnet_plugin_find(json_object_get(config, "plugin_path"),
                                    linnet_json_string(stage, "plugin", name), path, sizeof path, err);
        if (rc == 0) rc = linnet_settings_set(stage, "plugin", path);
        if (rc != 0) return rc;
    }
    return 0;
}

static int take_site(const json_t *config, json_t *serve) {
    json_t *couchdb = json_deep_copy(json_object_get(config, "couchdb"));
    if (couchdb == NULL || json_object_set_new(serve, "couchdb", couchdb) != 0) return LINNET_E_NOMEM;
    return linnet_settings_set(serve, "cache_dir", linnet_json_string(config, "cache_dir", NULL));
}

static int build(const struct linnet_worker_overrides *overrides, json_t *config, json_t *serve,
                 struct linnet_error *err) {
    json_t *schema;
    bool own_stages = json_object_get(serve, "stages") != NULL;
    int rc = linnet_settings_schema(SCHEMA, &schema, err);
    if (rc != 0) return rc;
    rc = refuse_ours(serve, err);
    if (rc == 0 && overrides->serve != NULL && *overrides->serve != '\0')
        rc = linnet_settings_set(serve, "listen", overrides->serve);
    if (rc == 0 && (rc = linnet_settings_check(SCHEMA, schema, serve, err)) != 0)
        linnet_error_prefix(err, "serve");
    if (rc == 0) rc = linnet_settings_complete(schema, serve);
    if (rc == 0 && !own_stages) rc = take_stages(config, serve);
    if (rc == 0) rc = find_plugins(config, serve, err);
    if (rc == 0) rc = take_site(config, serve);
    json_decref(schema);
    return rc;
}

int linnet_worker_config_serve(const struct linnet_worker_overrides *overrides, json_t *config,
                               struct linnet_error *err) {
    json_t *serve = json_object_get(config, "serve");
    if (serve == NULL && overrides->serve == NULL) return 0;
    if (serve == NULL && (json_object_set_new(config, "serve", json_object()) != 0 ||
                          (serve = json_object_get(config, "serve")) == NULL))
        return LINNET_E_NOMEM;
    return build(overrides, config, serve, err);
}
