/* The manifests of retraining requests: lists of pictures with the observation and observer of each. */
#ifndef LINNET_CLI_MANIFEST_H
#define LINNET_CLI_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "workers/cli/steps.h"
#include "workers/cli/store.h"

/* Does `word` stand in the text as a whole word (letters, digits, '_' and '-' make words)? */
bool linnet_text_names(const char *text, size_t size, const char *word);
/* Append to `out` the lines of a manifest in which no field is `uid` or a key of `observations`. How many
 * went: *dropped. */
int linnet_manifest_filter(const char *text, size_t size, const char *uid, const json_t *observations,
                           struct linnet_buf *out, size_t *dropped);
/* Take a person's pictures out of all manifests. */
int linnet_manifests_erase(struct linnet_store *store, struct linnet_steps *steps, const char *uid,
                           const json_t *observations, struct linnet_error *err);

#endif
