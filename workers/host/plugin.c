#include "workers/host/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/host/config.h"
#include "workers/host/observation.h"
#include "workers/host/provenance.h"

#define KNOWN_FLAGS (LINNET_TRIGGER | LINNET_OPTIONAL | LINNET_PRESENCE)

const struct linnet_input *linnet_plugin_input(const struct linnet_plugin *plugin, const char *kind) {
    for (const struct linnet_input *input = plugin->inputs; input && input->kind; input++)
        if (!strcmp(input->kind, kind)) return input;
    return NULL;
}

bool linnet_input_wants_blob(const struct linnet_input *input, const char *name) {
    for (const char *const *blob = input->blobs; blob && *blob; blob++)
        if (!strcmp(*blob, "*") || !strcmp(*blob, name)) return true;
    return false;
}

enum linnet_database linnet_plugin_kind_database(const char *kind) {
    enum linnet_database known = linnet_kind_database(kind);
    if (known != LINNET_DB_NONE) return known;
    bool well_formed = *kind >= 'a' && *kind <= 'z' && strlen(kind) < LINNET_KIND_MAX &&
                       strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(kind);
    return well_formed ? LINNET_DB_MAIN : LINNET_DB_NONE;
}

bool linnet_plugin_produces(const struct linnet_plugin *plugin, const char *kind) {
    for (const char *const *name = plugin->produces; name && *name; name++)
        if (!strcmp(*name, kind)) return true;
    return false;
}

static bool name_valid(const char *name) {
    if (!name || !(*name >= 'a' && *name <= 'z')) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) &&
           strlen(name) < LINNET_KIND_MAX;
}

/* major.minor.patch, and whatever semantic versioning allows after it (https://semver.org, points 2, 9 and
 * 10). */
static bool version_valid(const char *version) {
    const char *at = version ? version : "";
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || (part > 0 && at == version)) return false;
        at += digits;
        if (part < 2 && *at++ != '.') return false;
    }
    return *at == '\0' || *at == '-' || *at == '+';
}

static int check_identity(const struct linnet_plugin *plugin, struct linnet_error *err) {
    if (!name_valid(plugin->name))
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "its name must be [a-z][a-z0-9_]*, at most %d long: it is \"%s\"",
                                LINNET_KIND_MAX - 1, plugin->name ? plugin->name : "");
    if (!version_valid(plugin->version))
        return linnet_error_set(err, LINNET_E_PLUGIN, "its version must be semantic (1.2.3): it is \"%s\"",
                                plugin->version ? plugin->version : "");
    if (!plugin->licence || !*plugin->licence)
        return linnet_error_set(err, LINNET_E_PLUGIN, "it says no licence (an SPDX identifier)");
    if (!plugin->summary || !*plugin->summary || strchr(plugin->summary, '\n'))
        return linnet_error_set(err, LINNET_E_PLUGIN, "its summary must be one line");
    return 0;
}

static int check_input(const struct linnet_plugin *plugin, const struct linnet_input *input,
                       struct linnet_error *err) {
    enum linnet_database database = linnet_plugin_kind_database(input->kind);
    if (database == LINNET_DB_NONE)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "it consumes the kind \"%s\": a kind is [a-z][a-z0-9_-]*", input->kind);
    if (plugin->scope == LINNET_SCOPE_OBSERVATION && database != LINNET_DB_MAIN)
        return linnet_error_set(
            err, LINNET_E_PLUGIN,
            "it consumes \"%s\", which is no document of an observation: ask host->reference for it",
            input->kind);
    if (linnet_plugin_input(plugin, input->kind) != input)
        return linnet_error_set(err, LINNET_E_PLUGIN, "it consumes \"%s\" twice", input->kind);
    if (linnet_plugin_produces(plugin, input->kind))
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "it consumes \"%s\", which it produces itself: it would never end",
                                input->kind);
    if (input->flags & ~(unsigned)KNOWN_FLAGS)
        return linnet_error_set(err, LINNET_E_PLUGIN, "its input \"%s\" has unknown flags (0x%x)",
                                input->kind, input->flags);
    if ((input->flags & LINNET_OPTIONAL) && (input->flags & LINNET_PRESENCE))
        return linnet_error_set(
            err, LINNET_E_PLUGIN,
            "its input \"%s\" is both optional and presence: then it does not matter at all", input->kind);
    for (const char *const *field = input->fields; field && *field; field++)
        if (!linnet_field_valid(*field))
            return linnet_error_set(err, LINNET_E_PLUGIN, "its input \"%s\" names the malformed field \"%s\"",
                                    input->kind, *field);
    return 0;
}

static int check_inputs(const struct linnet_plugin *plugin, struct linnet_error *err) {
    bool trigger = false, required = false;
    if (!plugin->inputs || !plugin->inputs->kind)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "it consumes nothing: `inputs` must name a kind at least");
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++) {
        int rc = check_input(plugin, input, err);
        if (rc) return rc;
        trigger |= (input->flags & LINNET_TRIGGER) != 0;
        required |= !(input->flags & LINNET_OPTIONAL);
    }
    if (!trigger)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "none of its inputs is a LINNET_TRIGGER: nothing would ever make work");
    if (!required && plugin->unit == LINNET_UNIT_OBSERVATION && plugin->scope == LINNET_SCOPE_OBSERVATION)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "all of its inputs are optional: it would be due for everything");
    return 0;
}

static int check_products(const struct linnet_plugin *plugin, struct linnet_error *err) {
    if (!plugin->produces || !*plugin->produces)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "it produces nothing: `produces` must name a kind at least");
    for (const char *const *kind = plugin->produces; *kind; kind++) {
        enum linnet_database database = linnet_plugin_kind_database(*kind);
        if (linnet_kind_from_app(*kind))
            return linnet_error_set(err, LINNET_E_PLUGIN, "it produces \"%s\", which apps write", *kind);
        if (database == LINNET_DB_NONE)
            return linnet_error_set(err, LINNET_E_PLUGIN,
                                    "it produces the kind \"%s\": a kind is [a-z][a-z0-9_-]*", *kind);
        if (plugin->scope == LINNET_SCOPE_OBSERVATION && database != LINNET_DB_MAIN)
            return linnet_error_set(err, LINNET_E_PLUGIN,
                                    "it produces \"%s\" outside the main database: only scope `site` may",
                                    *kind);
        for (const char *const *other = plugin->produces; other != kind; other++)
            if (!strcmp(*other, *kind))
                return linnet_error_set(err, LINNET_E_PLUGIN, "it produces \"%s\" twice", *kind);
    }
    return 0;
}

static int check_running(const struct linnet_plugin *plugin, struct linnet_error *err) {
    if (plugin->scope != LINNET_SCOPE_OBSERVATION && plugin->scope != LINNET_SCOPE_SITE)
        return linnet_error_set(err, LINNET_E_PLUGIN, "its scope %d is unknown", (int)plugin->scope);
    if (plugin->unit != LINNET_UNIT_DOCUMENT && plugin->unit != LINNET_UNIT_OBSERVATION)
        return linnet_error_set(err, LINNET_E_PLUGIN, "its unit %d is unknown", (int)plugin->unit);
    if (plugin->threading != LINNET_ANY_THREAD && plugin->threading != LINNET_PINNED_THREAD)
        return linnet_error_set(err, LINNET_E_PLUGIN, "its threading %d is unknown", (int)plugin->threading);
    if (!plugin->open || !plugin->process || !plugin->close)
        return linnet_error_set(err, LINNET_E_PLUGIN, "it lacks `%s`",
                                !plugin->open      ? "open"
                                : !plugin->process ? "process"
                                                   : "close");
    if (plugin->batch_max == 0 || plugin->batch_max > 4096)
        return linnet_error_set(err, LINNET_E_PLUGIN, "its batch_max must be 1 to 4096: it is %u",
                                plugin->batch_max);
    if (plugin->scope == LINNET_SCOPE_SITE) {
        if (plugin->unit != LINNET_UNIT_DOCUMENT)
            return linnet_error_set(err, LINNET_E_PLUGIN,
                                    "scope `site` gets single documents: its unit must be document");
        if (plugin->instances > 1)
            return linnet_error_set(err, LINNET_E_PLUGIN, "scope `site` has one instance: it wants %u",
                                    plugin->instances);
        if (!plugin->snapshot != !plugin->restore)
            return linnet_error_set(err, LINNET_E_PLUGIN, "`snapshot` and `restore` come together");
    } else if (plugin->snapshot || plugin->restore || plugin->tick) {
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "`snapshot`, `restore` and `tick` are for scope `site` only");
    }
    return 0;
}

int linnet_plugin_declaration_check(const struct linnet_plugin *plugin, struct linnet_error *err) {
    int rc = check_identity(plugin, err);
    if (!rc) rc = check_running(plugin, err);
    if (!rc) rc = check_products(plugin, err);
    if (!rc) rc = check_inputs(plugin, err);
    return rc;
}

static int load_schema(struct linnet_plugin_file *file, struct linnet_error *err) {
    const char *text =
        file->plugin.config_schema ? file->plugin.config_schema : "{\"type\":\"object\",\"properties\":{}}";
    int rc = linnet_json_parse(text, strlen(text), 0, &file->config_schema, err);
    if (!rc) rc = linnet_config_schema_close(file->config_schema);
    if (!rc && !(file->schemas = linnet_schemas_new())) rc = LINNET_E_NOMEM;
    if (!rc) rc = linnet_schemas_add(file->schemas, file->plugin.name, file->config_schema, err);
    if (rc == LINNET_E_NOMEM) return linnet_error_set(err, rc, "out of memory");
    if (rc) {
        linnet_error_prefix(err, "its config_schema");
        return err ? err->code = LINNET_E_PLUGIN : LINNET_E_PLUGIN;
    }
    const json_t *properties = json_object_get(file->config_schema, "properties");
    for (const char *const *key = file->plugin.operational; key && *key; key++)
        if (!json_object_get(properties, *key))
            return linnet_error_set(err, LINNET_E_PLUGIN,
                                    "its operational key \"%s\" is not in its config_schema", *key);
    return 0;
}

int linnet_plugin_file_wrap(const struct linnet_plugin *plugin, struct linnet_plugin_file **out,
                            struct linnet_error *err) {
    if (plugin->abi != LINNET_PLUGIN_ABI)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "it was built for ABI %u of the plugin interface, this Linnet has %d: "
                                "build it again with this version's SDK",
                                plugin->abi, LINNET_PLUGIN_ABI);
    /* Members are only ever added at the end within an ABI, and every one of its first version is needed. */
    size_t least = offsetof(struct linnet_plugin, close) + sizeof(plugin->close);
    if (plugin->struct_size < least)
        return linnet_error_set(err, LINNET_E_PLUGIN,
                                "its struct_size is %zu, at least %zu is expected: set it to "
                                "sizeof(struct linnet_plugin)",
                                plugin->struct_size, least);
    struct linnet_plugin_file *file = calloc(1, sizeof(*file));
    if (!file) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    size_t size = plugin->struct_size < sizeof(*plugin) ? plugin->struct_size : sizeof(*plugin);
    memcpy(&file->plugin, plugin, size);
    int rc = linnet_plugin_declaration_check(&file->plugin, err);
    if (!rc) rc = load_schema(file, err);
    if (rc) {
        linnet_plugin_file_free(file);
        return rc;
    }
    *out = file;
    return 0;
}

/* dlopen with a path that the dynamic linker will not search for. */
static void *open_object(const char *path, struct linnet_error *err) {
    char *real = realpath(path, NULL);
    if (!real) {
        linnet_error_set(err, LINNET_E_NOT_FOUND, "%s: no such file", path);
        return NULL;
    }
    void *handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    if (!handle) linnet_error_set(err, LINNET_E_PLUGIN, "%s", dlerror());
    free(real);
    return handle;
}

int linnet_plugin_file_open(const char *path, struct linnet_plugin_file **out, struct linnet_error *err) {
    struct linnet_error local;
    if (!err) err = &local;
    void *handle = open_object(path, err);
    if (!handle) return err->code;

    const struct linnet_plugin *(*entry)(void) = NULL;
    *(void **)&entry = dlsym(handle, "linnet_plugin"); /* POSIX's own way to a function's address */
    const struct linnet_plugin *plugin = entry ? entry() : NULL;
    if (!plugin)
        return linnet_error_set(err, LINNET_E_PLUGIN, "%s: %s", path,
                                entry ? "linnet_plugin() answers NULL"
                                      : "it exports no function `linnet_plugin`: it is no plugin");
    struct linnet_plugin_file *file = NULL;
    int rc = linnet_plugin_file_wrap(plugin, &file, err);
    if (rc) {
        linnet_error_prefix(err, "%s", path);
        return rc;
    }
    file->path = strdup(path);
    if (!file->path) {
        linnet_plugin_file_free(file);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    *out = file;
    return 0;
}

void linnet_plugin_file_free(struct linnet_plugin_file *file) {
    if (!file) return;
    linnet_schemas_free(file->schemas);
    json_decref(file->config_schema);
    free(file->path);
    free(file);
}
