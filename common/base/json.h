/* What jansson leaves to us: typed reads by path with defaults, canonical text, digests, bounded parsing. */
#ifndef LINNET_BASE_JSON_H
#define LINNET_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

/* Deepest nesting that a foreign text may have. */
#define LINNET_JSON_DEPTH 64

/* Parse `size` bytes of foreign JSON: valid UTF-8, no duplicate keys, at most `depth` deep (0: LINNET_JSON_DEPTH).
 * Returns 0 and a new reference in *out, or LINNET_E_PARSE / LINNET_E_LIMIT with line and column in `err`. */
int linnet_json_parse(const char *text, size_t size, int depth, json_t **out, struct linnet_error *err);
/* Read and parse a file, at most `limit` bytes. */
int linnet_json_load_file(const char *path, size_t limit, json_t **out, struct linnet_error *err);

/* The value at a path of object keys and array indexes divided by '/', e.g. "location/decimalLatitude", "views/0/organ".
 * Borrowed reference, NULL if absent. */
json_t *linnet_json_at(const json_t *root, const char *path);
/* Typed reads by path; the default when absent or of another type. Strings are borrowed from the value. */
const char *linnet_json_string(const json_t *root, const char *path, const char *fallback);
long long linnet_json_integer(const json_t *root, const char *path, long long fallback);
double linnet_json_number(const json_t *root, const char *path, double fallback);
bool linnet_json_bool(const json_t *root, const char *path, bool fallback);

/* Canonical text: keys sorted, no spaces, UTF-8 as it is, numbers by %.17g. The caller frees it. NULL: out of memory. */
char *linnet_json_canonical(const json_t *value);
/* SHA-256 in lower-case hexadecimal of the canonical text of `document` without its members that start with '_'
 * except the digests of its attachments. LINNET_E_NOMEM. */
int linnet_json_digest(const json_t *document, char out[65]);

#endif
