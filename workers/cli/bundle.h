/* The couchapp: the file made by couchapp/build.js that says which databases there are and what stands in
 * them. */
#ifndef LINNET_CLI_BUNDLE_H
#define LINNET_CLI_BUNDLE_H

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/id.h"

/* Load it: from `path`, else LINNET_COUCHAPP, else couchapp.json beside the program's folder (a build) or in
 * its share/linnet (an installation). *out is a new reference. LINNET_E_NOT_FOUND, LINNET_E_PARSE,
 * LINNET_E_UNSUPPORTED. */
int linnet_bundle_load(const char *path, json_t **out, struct linnet_error *err);
/* What it says of a database: {"suffix","partitioned","security","documents"}. Borrowed. */
const json_t *linnet_bundle_database(const json_t *bundle, enum linnet_database database);

#endif
