#include "workers/host/config.h"

#include <string.h>

#include "common/base/json.h"

/* More references in a row than this chase each other, and more levels than this are a schema that holds
 * itself. */
#define REFERENCE_DEPTH 16
#define FILL_DEPTH      LINNET_JSON_DEPTH

static int fill(const json_t *root, const json_t *schema, json_t *value, int depth);

static const char *const branches[] = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"};

static bool is_branch(const char *key) {
    for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++)
        if (!strcmp(branches[i], key)) return true;
    return false;
}

int linnet_config_schema_close(json_t *schema) {
    if (json_is_array(schema)) {
        for (size_t i = 0; i < json_array_size(schema); i++) {
            int rc = linnet_config_schema_close(json_array_get(schema, i));
            if (rc) return rc;
        }
        return 0;
    }
    if (!json_is_object(schema)) return 0;
    if (json_is_object(json_object_get(schema, "properties")) &&
        !json_object_get(schema, "additionalProperties") && !json_object_get(schema, "patternProperties") &&
        json_object_set_new(schema, "additionalProperties", json_false()))
        return LINNET_E_NOMEM;
    const char *key;
    json_t *value;
    json_object_foreach(schema, key, value) {
        /* What stands under these is a value, not a schema. */
        if (is_branch(key) || !strcmp(key, "default") || !strcmp(key, "const") || !strcmp(key, "enum") ||
            !strcmp(key, "examples"))
            continue;
        bool map = !strcmp(key, "properties") || !strcmp(key, "$defs") || !strcmp(key, "patternProperties");
        int rc = 0;
        if (map && json_is_object(value)) {
            const char *name;
            json_t *member;
            json_object_foreach(value, name, member) {
                if (!rc) rc = linnet_config_schema_close(member);
            }
        } else {
            rc = linnet_config_schema_close(value);
        }
        if (rc) return rc;
    }
    return 0;
}

/* The schema that `schema` refers to within its own text, itself if it refers to none. */
static const json_t *resolve(const json_t *root, const json_t *schema) {
    for (int depth = 0; depth < REFERENCE_DEPTH; depth++) {
        const char *reference = json_string_value(json_object_get(schema, "$ref"));
        if (!reference) return schema;
        if (strncmp(reference, "#/", 2) != 0) return NULL;
        schema = linnet_json_at(root, reference + 2);
    }
    return NULL;
}

static bool has_required(const json_t *schema, const json_t *value) {
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++)
        if (!json_object_get(value, json_string_value(json_array_get(required, i)))) return false;
    return true;
}

/* The value that an absent property gets: its default, or an object made of its members' defaults. NULL in
 * *out: none. */
static int make_default(const json_t *root, const json_t *schema, json_t **out, int depth) {
    *out = NULL;
    if (depth > FILL_DEPTH) return 0;
    const json_t *given = json_object_get(schema, "default");
    const json_t *target = resolve(root, schema);
    if (!given) given = json_object_get(target, "default");
    if (given) {
        *out = json_deep_copy(given);
        return *out ? fill(root, schema, *out, depth + 1) : LINNET_E_NOMEM;
    }
    if (!json_is_object(json_object_get(target, "properties"))) return 0;
    json_t *object = json_object();
    int rc = object ? fill(root, target, object, depth + 1) : LINNET_E_NOMEM;
    if (!rc && json_object_size(object) > 0 && has_required(target, object)) {
        *out = object;
        return 0;
    }
    json_decref(object);
    return rc;
}

static int fill_object(const json_t *root, const json_t *schema, json_t *value, int depth) {
    const char *key;
    json_t *member;
    json_object_foreach(json_object_get(schema, "properties"), key, member) {
        json_t *present = json_object_get(value, key);
        json_t *made = NULL;
        int rc = present ? fill(root, member, present, depth + 1) : make_default(root, member, &made, depth);
        if (!rc && made && json_object_set_new(value, key, made)) rc = LINNET_E_NOMEM;
        if (rc) return rc;
    }
    return 0;
}

static int fill(const json_t *root, const json_t *schema, json_t *value, int depth) {
    schema = resolve(root, schema);
    if (json_is_object(value)) return fill_object(root, schema, value, depth);
    const json_t *items = json_object_get(schema, "items");
    for (size_t i = 0; items && i < json_array_size(value); i++) {
        int rc = fill(root, items, json_array_get(value, i), depth + 1);
        if (rc) return rc;
    }
    return 0;
}

int linnet_config_fill(const json_t *root, const json_t *schema, json_t *value) {
    return fill(root, schema, value, 0);
}

int linnet_config_complete(const struct linnet_plugin_file *file, const json_t *given, json_t **out,
                           struct linnet_error *err) {
    if (given && !json_is_object(given))
        return linnet_error_set(err, LINNET_E_INVALID, "the configuration of %s must be an object",
                                file->plugin.name);
    json_t *config = given ? json_deep_copy(given) : json_object();
    int rc = config ? linnet_config_fill(file->config_schema, file->config_schema, config) : LINNET_E_NOMEM;
    if (rc == LINNET_E_NOMEM) linnet_error_set(err, rc, "out of memory");
    if (!rc) {
        rc = linnet_schemas_check(file->schemas, file->plugin.name, config, err);
        if (rc) linnet_error_prefix(err, "configuration of %s", file->plugin.name);
    }
    if (rc) {
        json_decref(config);
        return rc;
    }
    *out = config;
    return 0;
}
