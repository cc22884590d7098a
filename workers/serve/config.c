#include "workers/serve/config.h"

#include "workers/worker/settings.h"

#define SCHEMA "serve-config"

static int override(const struct serve_overrides *overrides, json_t *config, struct linnet_error *err) {
    json_t *log = json_object_get(config, "log");
    int rc =
        linnet_settings_store(overrides->url, overrides->prefix, json_object_get(config, "couchdb"), err);
    if (rc == 0) rc = linnet_settings_set(config, "listen", overrides->listen);
    if (rc == 0) rc = linnet_settings_set(config, "references", overrides->references);
    if (rc == 0) rc = linnet_settings_set(log, "format", overrides->log_format);
    if (rc == 0) rc = linnet_settings_set(log, "level", overrides->log_level);
    return rc;
}

/* The file as it is is checked first, so that errors speak of what its author wrote; then with what came from
 * elsewhere. */
static int build(const struct serve_overrides *overrides, json_t *schema, json_t *config,
                 struct linnet_error *err) {
    int rc = linnet_settings_check(SCHEMA, schema, config, err);
    if (rc == 0) rc = linnet_settings_complete(schema, config);
    if (rc == 0) rc = override(overrides, config, err);
    if (rc == 0) rc = linnet_settings_check(SCHEMA, schema, config, err);
    if (rc == 0) rc = linnet_settings_credentials(json_object_get(config, "couchdb"), err);
    if (rc == 0)
        rc = linnet_settings_folder(config, "cache_dir", "CACHE_DIRECTORY", "/var/cache/linnet",
                                    "XDG_CACHE_HOME", ".cache");
    return rc;
}

int serve_config_load(const struct serve_overrides *overrides, json_t **out, struct linnet_error *err) {
    json_t *schema = NULL, *config = NULL;
    int rc = linnet_settings_schema(SCHEMA, &schema, err);
    if (rc == 0) rc = linnet_settings_load(overrides->file, &config, err);
    if (rc == 0) {
        rc = build(overrides, schema, config, err);
        if (rc == LINNET_E_NOMEM) linnet_error_set(err, rc, "out of memory");
        if (rc != 0 && overrides->file != NULL) linnet_error_prefix(err, "configuration %s", overrides->file);
    }
    json_decref(schema);
    if (rc != 0) {
        json_decref(config);
        return rc;
    }
    *out = config;
    return 0;
}
