#include "workers/worker/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
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

/* ---- schema and defaults ---- */

/* Put in what is missing and has a default, all the way down. */
int linnet_settings_complete(const json_t *schema, json_t *value) {
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
        int rc = linnet_settings_complete(part, member);
        if (rc != 0) return rc;
    }
    if (!json_is_object(others)) return 0;
    json_object_foreach(value, key, part) {
        int rc = json_object_get(properties, key) == NULL ? linnet_settings_complete(others, part) : 0;
        if (rc != 0) return rc;
    }
    return 0;
}

int linnet_settings_schema(const char *name, json_t **out, struct linnet_error *err) {
    for (const struct linnet_embedded *file = linnet_embedded_schemas; file->name != NULL; file++)
        if (strcmp(file->name, name) == 0)
            return linnet_json_parse(file->text, strlen(file->text), 0, out, err);
    return linnet_error_set(err, LINNET_E_INTERNAL, "built without schemas/%s.schema.json", name);
}

int linnet_settings_check(const char *name, json_t *schema, const json_t *value, struct linnet_error *err) {
    struct linnet_schemas *set = linnet_schemas_new();
    if (set == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = linnet_schemas_add(set, name, schema, err);
    if (rc == 0) rc = linnet_schemas_check(set, name, value, err);
    linnet_schemas_free(set);
    return rc;
}

int linnet_settings_set(json_t *config, const char *key, const char *value) {
    return value == NULL || json_object_set_new(config, key, json_string(value)) == 0 ? 0 : LINNET_E_NOMEM;
}

/* ---- the store's address and credentials ---- */

const char *linnet_settings_environment(const char *name) {
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
    if (path == NULL) path = linnet_settings_environment("LINNET_COUCHDB_PASSWORD_FILE");
    const char *credentials = linnet_settings_environment("CREDENTIALS_DIRECTORY");
    if (path != NULL || credentials == NULL) return path;
    snprintf(buffer, PATH_MAX, "%s/couchdb-password", credentials);
    return access(buffer, R_OK) == 0 ? buffer : NULL;
}

/* Put user and password where the URL has none. */
int linnet_settings_credentials(json_t *couchdb, struct linnet_error *err) {
    const char *url = linnet_json_string(couchdb, "url", ""),
               *user = linnet_json_string(couchdb, "user", NULL);
    if (user == NULL) user = linnet_settings_environment("LINNET_COUCHDB_USER");
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
    rc = buf.data != NULL ? linnet_settings_set(couchdb, "url", buf.data) : LINNET_E_NOMEM;
    linnet_buf_done(&buf);
    return rc;
}

int linnet_settings_store(const char *url, const char *prefix, json_t *couchdb, struct linnet_error *err) {
    if (url != NULL && has_password(url))
        return linnet_error_set(
            err, LINNET_E_DENIED,
            "a password on the command line is seen by everybody on this machine: give the URL in "
            "LINNET_COUCHDB_URL, or without it and the password by couchdb.password_file");
    int rc = linnet_settings_set(couchdb, "url",
                                 url != NULL ? url : linnet_settings_environment("LINNET_COUCHDB_URL"));
    if (rc == 0)
        rc = linnet_settings_set(couchdb, "prefix",
                                 prefix != NULL ? prefix : linnet_settings_environment("LINNET_PREFIX"));
    return rc;
}

/* ---- folders and files ---- */

/* The first of: what is set; $`variable` (the first of a list); `system` as root; $`xdg`/linnet;
 * ~/`home`/linnet. */
int linnet_settings_folder(json_t *config, const char *key, const char *variable, const char *system_,
                           const char *xdg, const char *home) {
    if (json_object_get(config, key) != NULL) return 0;
    char path[PATH_MAX];
    const char *value = linnet_settings_environment(variable);
    if (value != NULL) {
        snprintf(path, sizeof path, "%.*s", (int)strcspn(value, ":"), value);
    } else if (geteuid() == 0) {
        snprintf(path, sizeof path, "%s", system_);
    } else if ((value = linnet_settings_environment(xdg)) != NULL) {
        snprintf(path, sizeof path, "%s/linnet", value);
    } else {
        snprintf(path, sizeof path, "%s/%s/linnet",
                 linnet_settings_environment("HOME") ? linnet_settings_environment("HOME") : "/tmp", home);
    }
    return linnet_settings_set(config, key, path);
}

int linnet_settings_load(const char *path, json_t **out, struct linnet_error *err) {
    if (path == NULL) {
        *out = json_object();
        return *out != NULL ? 0 : LINNET_E_NOMEM;
    }
    int rc = linnet_json_load_file(path, FILE_LIMIT, out, err);
    if (rc != 0) return linnet_error_prefix(err, "configuration %s", path);
    return 0;
}
