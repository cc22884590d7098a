/* A plugin as the host holds it: the shared object opened once and never unloaded (its code may still be on a
 * thread's stack, and libraries rarely survive being unloaded), its declaration checked, its configuration
 * schema ready. Immutable after opening: any thread may read it. */
#ifndef LINNET_HOST_PLUGIN_H
#define LINNET_HOST_PLUGIN_H

#include <linnet/plugin.h>

#include "common/base/error.h"
#include "common/base/id.h"
#include "common/base/schema.h"

struct linnet_plugin_file {
    char *path; /* NULL where the plugin is no file (linnet_plugin_file_wrap) */
    struct linnet_plugin
        plugin;            /* the host's copy, as long as the host's: what an older plugin lacks is zero */
    json_t *config_schema; /* closed: an object that lists its properties refuses others */
    struct linnet_schemas *schemas; /* holds it under the plugin's name */
};

/* Open a shared object and check what it declares. `path` needs no slash: the current folder is meant, the
 * dynamic linker's search path never. LINNET_E_NOT_FOUND, or LINNET_E_PLUGIN with words that say what its
 * author should do. The loop thread's: code of the plugin's own constructors runs here. */
int linnet_plugin_file_open(const char *path, struct linnet_plugin_file **out, struct linnet_error *err);
/* The same for a plugin that is part of this program (tests). */
int linnet_plugin_file_wrap(const struct linnet_plugin *plugin, struct linnet_plugin_file **out,
                            struct linnet_error *err);
/* Free the host's copy. The shared object stays loaded. */
void linnet_plugin_file_free(struct linnet_plugin_file *file);

/* Is what the plugin says about itself complete and consistent? LINNET_E_PLUGIN with the first fault in
 * words. */
int linnet_plugin_declaration_check(const struct linnet_plugin *plugin, struct linnet_error *err);
/* The declaration of an input kind, NULL if the plugin does not consume it. */
const struct linnet_input *linnet_plugin_input(const struct linnet_plugin *plugin, const char *kind);
/* Is an attachment of this name to be fetched for the input? */
bool linnet_input_wants_blob(const struct linnet_input *input, const char *name);
/* The database of a kind: a well-formed one that Linnet does not know is somebody's own, in the main
 * database. LINNET_DB_NONE: malformed. */
enum linnet_database linnet_plugin_kind_database(const char *kind);
/* Does the plugin declare that it produces this kind? */
bool linnet_plugin_produces(const struct linnet_plugin *plugin, const char *kind);

#endif
