/* The configuration of `linnet serve`: one JSON file, checked against schemas/serve-config.schema.json,
 * completed from the environment and with the schema's defaults. It holds the store's password: it must never
 * be logged. */
#ifndef LINNET_SERVE_CONFIG_H
#define LINNET_SERVE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/error.h"

/* What the command line says. All may be NULL. */
struct serve_overrides {
    const char *file, *url, *prefix, *listen, *references, *log_format, *log_level;
};

/* Load, complete and check: *out is a new reference. LINNET_E_IO, LINNET_E_PARSE, LINNET_E_INVALID,
 * LINNET_E_DENIED with words. */
int serve_config_load(const struct serve_overrides *overrides, json_t **out, struct linnet_error *err);

#endif
