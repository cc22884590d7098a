/* The configuration of a stage against its plugin's schema. */
#ifndef LINNET_HOST_CONFIG_H
#define LINNET_HOST_CONFIG_H

#include <jansson.h>

#include "common/base/error.h"
#include "workers/host/plugin.h"

/* Fill defaults in and validate. `given` (NULL: empty) is not touched; *out is a new reference, complete: two
 * configurations that mean the same give the same canonical text. LINNET_E_INVALID with the place (a JSON
 * pointer) and what was expected. */
int linnet_config_complete(const struct linnet_plugin_file *file, const json_t *given, json_t **out,
                           struct linnet_error *err);

/* Close a configuration schema: every object schema that lists properties and says nothing about others
 * refuses them, but within allOf, anyOf, oneOf, not and if/then/else, where one branch must bear what another
 * lists. In place. LINNET_E_NOMEM. */
int linnet_config_schema_close(json_t *schema);
/* Fill the defaults of `schema` into `value` in place, through properties, items and local $ref. An absent
 * object comes into being if the defaults of its members make all that it requires. `root` is where "#/..."
 * starts. LINNET_E_NOMEM. */
int linnet_config_fill(const json_t *root, const json_t *schema, json_t *value);

#endif
