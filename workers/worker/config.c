#include "workers/worker/config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/settings.h"

#define SCHEMA "worker-config"

#ifndef LINNET_PLUGIN_DIR
#define LINNET_PLUGIN_DIR "/usr/lib/linnet/plugins"
#endif

/* The site's key: where the configuration says, the environment, or the service manager's credential. */
static int take_site_key(json_t *site) {
    char path[PATH_MAX];
    if (json_object_get(site, "secret_key_file") != NULL) return 0;
    const char *given = linnet_settings_environment("LINNET_SITE_KEY_FILE"),
               *credentials = linnet_settings_environment("CREDENTIALS_DIRECTORY");
    if (given != NULL) return linnet_settings_set(site, "secret_key_file", given);
    if (credentials == NULL) return 0;
    snprintf(path, sizeof path, "%s/site-key", credentials);
    return access(path, R_OK) == 0 ? linnet_settings_set(site, "secret_key_file", path) : 0;
}

/* ---- folders, name, groups ---- */

static int take_name(json_t *config) {
    if (json_object_get(config, "name") != NULL) return 0;
    char host[64] = "";
    if (gethostname(host, sizeof host - 1) != 0 || *host == '\0') snprintf(host, sizeof host, "worker");
    for (char *p = host; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p) == NULL) *p = '-';
    return linnet_settings_set(config, "name", host);
}

static void append_path(json_t *list, const char *path, size_t size) {
    if (size > 0) json_array_append_new(list, json_stringn(path, size));
}

/* Beside the program: where it is installed under another prefix, and in its build folder. */
static void append_relative(json_t *list) {
    char program[PATH_MAX], folder[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return;
    program[n] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) return;
    *slash = '\0';
    for (const char *const *tail = (const char *const[]){"../lib/linnet/plugins", "../plugins-out", NULL};
         *tail; tail++) {
        snprintf(folder, sizeof folder, "%s/%s", program, *tail);
        if (access(folder, X_OK) == 0) append_path(list, folder, strlen(folder));
    }
}

static int take_plugin_path(json_t *config) {
    if (json_object_get(config, "plugin_path") != NULL) return 0;
    json_t *list = json_array();
    for (const char *p = linnet_settings_environment("LINNET_PLUGIN_PATH"); p != NULL && *p != '\0';) {
        size_t size = strcspn(p, ":");
        append_path(list, p, size);
        p += size + (p[size] == ':');
    }
    append_relative(list);
    append_path(list, LINNET_PLUGIN_DIR, strlen(LINNET_PLUGIN_DIR));
    return json_object_set_new(config, "plugin_path", list) == 0 ? 0 : LINNET_E_NOMEM;
}

/* Leave only the groups that are named. */
static int pick_groups(json_t *config, const char *names, struct linnet_error *err) {
    if (names == NULL) return 0;
    json_t *all = json_object_get(config, "groups"), *picked = json_object();
    if (picked == NULL) return LINNET_E_NOMEM;
    for (const char *p = names; *p != '\0';) {
        size_t size = strcspn(p, ",");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)size, p);
        json_t *group = json_object_get(all, name);
        if (group == NULL || json_object_set(picked, name, group) != 0) {
            json_decref(picked);
            return linnet_error_set(err, LINNET_E_INVALID, "no group \"%s\" in the configuration", name);
        }
        p += size + (p[size] == ',');
    }
    if (json_object_size(picked) == 0) {
        json_decref(picked);
        return linnet_error_set(err, LINNET_E_INVALID, "--group names no group");
    }
    return json_object_set_new(config, "groups", picked) == 0 ? 0 : LINNET_E_NOMEM;
}

/* A stage's name stands for it in documents and metrics: it must be of one group only. */
static int check_stages(const json_t *config, struct linnet_error *err) {
    const char *group, *other, *stage;
    json_t *value, *second, *unused;
    json_object_foreach(json_object_get(config, "groups"), group, value) {
        json_object_foreach(json_object_get(config, "groups"), other, second) {
            if (strcmp(group, other) >= 0) continue;
            json_object_foreach(json_object_get(value, "stages"), stage, unused) {
                if (linnet_json_at(second, "stages") != NULL &&
                    json_object_get(json_object_get(second, "stages"), stage) != NULL)
                    return linnet_error_set(err, LINNET_E_INVALID,
                                            "the stage \"%s\" is in both groups \"%s\" and \"%s\"", stage,
                                            group, other);
            }
        }
    }
    return 0;
}

/* ---- the whole ---- */

static int finish(const struct linnet_worker_overrides *overrides, json_t *config, struct linnet_error *err) {
    int rc = linnet_settings_credentials(json_object_get(config, "couchdb"), err);
    if (rc == 0)
        rc = linnet_settings_folder(config, "state_dir", "STATE_DIRECTORY", "/var/lib/linnet",
                                    "XDG_STATE_HOME", ".local/state");
    if (rc == 0)
        rc = linnet_settings_folder(config, "cache_dir", "CACHE_DIRECTORY", "/var/cache/linnet",
                                    "XDG_CACHE_HOME", ".cache");
    if (rc == 0) rc = take_site_key(json_object_get(config, "site"));
    if (rc == 0) rc = take_name(config);
    if (rc == 0) rc = take_plugin_path(config);
    if (rc == 0) rc = pick_groups(config, overrides->groups, err);
    if (rc == 0) rc = check_stages(config, err);
    if (rc == 0) rc = linnet_worker_config_serve(overrides, config, err);
    return rc;
}

/* The file as it is is checked first, so that errors speak of what its author wrote; then with what came from
 * elsewhere. */
static int build(const struct linnet_worker_overrides *overrides, json_t *schema, json_t *config,
                 struct linnet_error *err) {
    int rc = linnet_settings_check(SCHEMA, schema, config, err);
    if (rc == 0) rc = linnet_settings_complete(schema, config);
    if (rc == 0)
        rc =
            linnet_settings_store(overrides->url, overrides->prefix, json_object_get(config, "couchdb"), err);
    if (rc == 0) rc = linnet_settings_set(json_object_get(config, "monitor"), "listen", overrides->listen);
    if (rc == 0) rc = linnet_settings_set(json_object_get(config, "log"), "format", overrides->log_format);
    if (rc == 0) rc = linnet_settings_set(json_object_get(config, "log"), "level", overrides->log_level);
    if (rc == 0) rc = linnet_settings_check(SCHEMA, schema, config, err);
    if (rc == 0) rc = finish(overrides, config, err);
    return rc;
}

int linnet_worker_config_load(const struct linnet_worker_overrides *overrides, json_t **out,
                              struct linnet_error *err) {
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

/* All of a group but its stages is fixed while it runs. */
static bool same_bounds(const json_t *now, const json_t *next) {
    const char *key;
    json_t *value;
    if (json_object_size(now) != json_object_size(next)) return false;
    json_object_foreach((json_t *)now, key, value) {
        if (strcmp(key, "stages") != 0 && !json_equal(value, json_object_get(next, key))) return false;
    }
    return true;
}

const char *linnet_worker_config_needs_restart(const json_t *now, const json_t *next) {
    static const char *const fixed[] = {"couchdb", "state_dir", "cache_dir", "name",
                                        "lease",   "monitor",   "site",      "serve"};
    const char *name;
    json_t *group, *others = json_object_get(next, "groups");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const json_t *old = json_object_get(now, fixed[i]), *other = json_object_get(next, fixed[i]);
        if ((old != NULL || other != NULL) && !json_equal(old, other)) return fixed[i];
    }
    if (json_object_size(json_object_get(now, "groups")) != json_object_size(others)) return "groups";
    json_object_foreach(json_object_get(now, "groups"), name, group) {
        if (!same_bounds(group, json_object_get(others, name))) return "groups";
    }
    return NULL;
}
