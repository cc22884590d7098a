/* The configuration of the stage. */
#ifndef LINNET_NORMALIZE_CONFIG_H
#define LINNET_NORMALIZE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "plugins/normalize/limits.h"
#include "plugins/normalize/sizes.h"

struct normalize_config {
    struct normalize_limits limits;
    struct normalize_size sizes[NORMALIZE_SIZES];
    bool heif;
};

/* JSON Schema of it, defaults included. */
extern const char normalize_config_schema[];

/* Read a configuration that fits the schema and has its defaults filled in. 0, or -1 with a sentence in why.
 */
int normalize_config_read(const json_t *json, struct normalize_config *out, char *why, size_t why_size);

#endif
