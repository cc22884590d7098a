#include "workers/worker/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/schema.h"
#include "workers/worker/embedded.h"

#define FILE_LIMIT     (1024 * 1024)
#define PASSWORD_LIMIT 1024
#define SCHEMA         "worker-config"

#ifndef LINNET_PLUGIN_DIR
#define LINNET_PLUGIN_DIR "/usr/lib/linnet/plugins"
#endif

/* ---- schema and defaults ---- */

/* Put in what is missing and has a default, all the way down. */
static int complete(const json_t *schema, json_t *value) {
    json_t *properties = json_object_get(schema, "properties"),
           *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *part;
    if (!json_is_object(value)) return 0;
    json_object_foreach(properties, key, part) {
        json_t *fallback = json_object_get(part, "default"), *member = json_object_get(value, key);
        if (member == NULL && fallback != NULL) {
            if (json_object_set_new(value, key, json_deep_copy(fallback)) != 0) return LINNET_E_NOMEM;
            member = json_object_get(value, key);
        }
        int rc = complete(part, member);
        if (rc != 0) return rc;
    }
    if (!json_is_object(others)) return 0;
    json_object_foreach(value, key, part) {
        int rc = json_object_get(properties, key) == NULL ? complete(others, part) : 0;
        if (rc != 0) return rc;
    }
    return 0;
}

static int load_schema(json_t **out, struct linnet_error *err) {
    for (const struct linnet_embedded *file = linnet_embedded_schemas; file->name != NULL; file++)
        if (strcmp(file->name, SCHEMA) == 0)
            return linnet_json_parse(file->text, strlen(file->text), 0, out, err);
    return linnet_error_set(err, LINNET_E_INTERNAL, "built without schemas/%s.schema.json", SCHEMA);
}

static int check(json_t *schema, const json_t *value, struct linnet_error *err) {
    struct linnet_schemas *set = linnet_schemas_new();
    if (set == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = linnet_schemas_add(set, SCHEMA, schema, err);
    if (rc == 0) rc = linnet_schemas_check(set, SCHEMA, value, err);
    linnet_schemas_free(set);
    return rc;
}

static int set_string(json_t *config, const char *key, const char *value) {
    return value == NULL || json_object_set_new(config, key, json_string(value)) == 0 ? 0 : LINNET_E_NOMEM;
}

/* ---- the store's address and credentials ---- */

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* Where the credentials of a URL end ('@'), NULL if it has none. */
static const char *userinfo_end(const char *url) {
    const char *start = strstr(url, "://");
    if (start == NULL) return NULL;
    start += 3;
    const char *end = start + strcspn(start, "/?#"), *at = NULL;
    for (const char *p = start; p < end; p++)
        if (*p == '@') at = p;
    return at;
}

static bool has_password(const char *url) {
    const char *at = userinfo_end(url), *start = strstr(url, "://");
    return at != NULL && memchr(start + 3, ':', (size_t)(at - start - 3)) != NULL;
}

static int read_password(const char *path, char out[PASSWORD_LIMIT], struct linnet_error *err) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return linnet_error_set(err, LINNET_E_DENIED, "cannot read the store's password from %s: %s", path,
                                strerror(errno));
    size_t n = fread(out, 1, PASSWORD_LIMIT - 1, file);
    fclose(file);
    out[n] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (*out == '\0') return linnet_error_set(err, LINNET_E_DENIED, "the password file %s is empty", path);
    return 0;
}

static void escape_into(struct linnet_buf *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~", *p);
        linnet_buf_printf(out, plain ? "%c" : "%%%02X", *p);
    }
}

/* Where the password is to be read from; NULL if nobody says. */
static const char *password_file(const json_t *couchdb, char buffer[PATH_MAX]) {
    const char *path = linnet_json_string(couchdb, "password_file", NULL);
    if (path == NULL) path = environment("LINNET_COUCHDB_PASSWORD_FILE");
    const char *credentials = environment("CREDENTIALS_DIRECTORY");
    if (path != NULL || credentials == NULL) return path;
    snprintf(buffer, PATH_MAX, "%s/couchdb-password", credentials);
    return access(buffer, R_OK) == 0 ? buffer : NULL;
}

/* Put user and password where the URL has none. */
static int add_credentials(json_t *couchdb, struct linnet_error *err) {
    const char *url = linnet_json_string(couchdb, "url", ""),
               *user = linnet_json_string(couchdb, "user", NULL);
    if (user == NULL) user = environment("LINNET_COUCHDB_USER");
    if (user == NULL || userinfo_end(url) != NULL) return 0;
    char path_buffer[PATH_MAX], password[PASSWORD_LIMIT];
    const char *path = password_file(couchdb, path_buffer);
    if (path == NULL)
        return linnet_error_set(err, LINNET_E_DENIED,
                                "a user for the store (%s) but no password: set couchdb.password_file or "
                                "LINNET_COUCHDB_PASSWORD_FILE to a file that holds it",
                                user);
    int rc = read_password(path, password, err);
    if (rc != 0) return rc;
    const char *rest = strstr(url, "://") + 3;
    struct linnet_buf buf = {0};
    linnet_buf_printf(&buf, "%.*s", (int)(rest - url), url);
    escape_into(&buf, user);
    linnet_buf_append_string(&buf, ":");
    escape_into(&buf, password);
    linnet_buf_printf(&buf, "@%s", rest);
    rc = buf.data != NULL ? set_string(couchdb, "url", buf.data) : LINNET_E_NOMEM;
    linnet_buf_done(&buf);
    return rc;
}

static int take_store(const struct linnet_worker_overrides *overrides, json_t *couchdb,
                      struct linnet_error *err) {
    if (overrides->url != NULL && has_password(overrides->url))
        return linnet_error_set(
            err, LINNET_E_DENIED,
            "a password on the command line is seen by everybody on this machine: give the URL in "
            "LINNET_COUCHDB_URL, or without it and the password by couchdb.password_file");
    int rc = set_string(couchdb, "url",
                        overrides->url != NULL ? overrides->url : environment("LINNET_COUCHDB_URL"));
    if (rc == 0)
        rc = set_string(couchdb, "prefix",
                        overrides->prefix != NULL ? overrides->prefix : environment("LINNET_PREFIX"));
    return rc;
}

/* The site's key: where the configuration says, the environment, or the service manager's credential. */
static int take_site_key(json_t *site) {
    char path[PATH_MAX];
    if (json_object_get(site, "secret_key_file") != NULL) return 0;
    const char *given = environment("LINNET_SITE_KEY_FILE"),
               *credentials = environment("CREDENTIALS_DIRECTORY");
    if (given != NULL) return set_string(site, "secret_key_file", given);
    if (credentials == NULL) return 0;
    snprintf(path, sizeof path, "%s/site-key", credentials);
    return access(path, R_OK) == 0 ? set_string(site, "secret_key_file", path) : 0;
}

/* ---- folders, name, groups ---- */

/* The first of: what is set; $`variable` (the first of a list); `system` as root; $`xdg`/linnet;
 * ~/`home`/linnet. */
static int take_folder(json_t *config, const char *key, const char *variable, const char *system_,
                       const char *xdg, const char *home) {
    if (json_object_get(config, key) != NULL) return 0;
    char path[PATH_MAX];
    const char *value = environment(variable);
    if (value != NULL) {
        snprintf(path, sizeof path, "%.*s", (int)strcspn(value, ":"), value);
    } else if (geteuid() == 0) {
        snprintf(path, sizeof path, "%s", system_);
    } else if ((value = environment(xdg)) != NULL) {
        snprintf(path, sizeof path, "%s/linnet", value);
    } else {
        snprintf(path, sizeof path, "%s/%s/linnet", environment("HOME") ? environment("HOME") : "/tmp", home);
    }
    return set_string(config, key, path);
}

static int take_name(json_t *config) {
    if (json_object_get(config, "name") != NULL) return 0;
    char host[64] = "";
    if (gethostname(host, sizeof host - 1) != 0 || *host == '\0') snprintf(host, sizeof host, "worker");
    for (char *p = host; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p) == NULL) *p = '-';
    return set_string(config, "name", host);
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
    for (const char *p = environment("LINNET_PLUGIN_PATH"); p != NULL && *p != '\0';) {
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

static int load_file(const char *path, json_t **out, struct linnet_error *err) {
    if (path == NULL) {
        *out = json_object();
        return *out != NULL ? 0 : LINNET_E_NOMEM;
    }
    int rc = linnet_json_load_file(path, FILE_LIMIT, out, err);
    if (rc != 0) return linnet_error_prefix(err, "configuration %s", path);
    return 0;
}

static int finish(const struct linnet_worker_overrides *overrides, json_t *config, struct linnet_error *err) {
    int rc = add_credentials(json_object_get(config, "couchdb"), err);
    if (rc == 0)
        rc = take_folder(config, "state_dir", "STATE_DIRECTORY", "/var/lib/linnet", "XDG_STATE_HOME",
                         ".local/state");
    if (rc == 0)
        rc = take_folder(config, "cache_dir", "CACHE_DIRECTORY", "/var/cache/linnet", "XDG_CACHE_HOME",
                         ".cache");
    if (rc == 0) rc = take_site_key(json_object_get(config, "site"));
    if (rc == 0) rc = take_name(config);
    if (rc == 0) rc = take_plugin_path(config);
    if (rc == 0) rc = pick_groups(config, overrides->groups, err);
    if (rc == 0) rc = check_stages(config, err);
    return rc;
}

/* The file as it is is checked first, so that errors speak of what its author wrote; then with what came from
 * elsewhere. */
static int build(const struct linnet_worker_overrides *overrides, json_t *schema, json_t *config,
                 struct linnet_error *err) {
    int rc = check(schema, config, err);
    if (rc == 0) rc = complete(schema, config);
    if (rc == 0) rc = take_store(overrides, json_object_get(config, "couchdb"), err);
    if (rc == 0) rc = set_string(json_object_get(config, "monitor"), "listen", overrides->listen);
    if (rc == 0) rc = set_string(json_object_get(config, "log"), "format", overrides->log_format);
    if (rc == 0) rc = set_string(json_object_get(config, "log"), "level", overrides->log_level);
    if (rc == 0) rc = check(schema, config, err);
    if (rc == 0) rc = finish(overrides, config, err);
    return rc;
}

int linnet_worker_config_load(const struct linnet_worker_overrides *overrides, json_t **out,
                              struct linnet_error *err) {
    json_t *schema = NULL, *config = NULL;
    int rc = load_schema(&schema, err);
    if (rc == 0) rc = load_file(overrides->file, &config, err);
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
                                        "lease",   "monitor",   "site"};
    const char *name;
    json_t *group, *others = json_object_get(next, "groups");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (!json_equal(json_object_get(now, fixed[i]), json_object_get(next, fixed[i]))) return fixed[i];
    if (json_object_size(json_object_get(now, "groups")) != json_object_size(others)) return "groups";
    json_object_foreach(json_object_get(now, "groups"), name, group) {
        if (!same_bounds(group, json_object_get(others, name))) return "groups";
    }
    return NULL;
}
