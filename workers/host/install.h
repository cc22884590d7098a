/* Where this Linnet's own files lie: beside the program, in a build tree or where it was installed. */
#ifndef LINNET_HOST_INSTALL_H
#define LINNET_HOST_INSTALL_H

#include <limits.h>
#include <stddef.h>

#include "common/base/error.h"

/* The path of a file of Linnet's data ("schemas", "couchapp.json"): LINNET_DATA_PATH/<name> if that is set,
 * else <prefix>/share/linnet/<name>, <prefix> being the folder above the program's own. LINNET_E_NOT_FOUND.
 */
int linnet_install_data(const char *name, char out[PATH_MAX], struct linnet_error *err);

/* A list of paths, in order. */
struct linnet_paths {
    char **paths;
    size_t n;
};
void linnet_paths_done(struct linnet_paths *list);

/* Every installed plugin (linnet-*.so): of the folders of LINNET_PLUGIN_PATH (divided by ':') if that is set,
 * else of <prefix>/plugins-out (a build tree), else of the library folder. Of two of one name the first
 * folder's counts. Sorted by name. LINNET_E_NOMEM. */
int linnet_install_plugins(struct linnet_paths *out, struct linnet_error *err);
/* The file of a plugin: `name` itself if it has a '/' or ends with .so, else linnet-<name>.so among the
 * installed ones. LINNET_E_NOT_FOUND with the names of those that there are. */
int linnet_install_plugin(const char *name, char out[PATH_MAX], struct linnet_error *err);

#endif
