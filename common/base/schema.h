/* A validator for the subset of JSON Schema 2020-12 that Linnet's schemas use, over jansson.
 *
 * Keywords: type, enum, const, properties, required, additionalProperties, patternProperties, propertyNames,
 * minProperties, maxProperties, items, prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength, pattern
 * (POSIX extended regular expressions, byte by byte; escapes of punctuation only, so that JavaScript reads them the same), minimum, maximum, exclusiveMinimum, exclusiveMaximum, allOf, anyOf, oneOf, not,
 * if/then/else, $ref (to #/$defs/... and to other schemas of the same set by $id), $defs, default and the
 * annotations. An unknown keyword is an error when the schema is loaded, never ignored. */
#ifndef LINNET_BASE_SCHEMA_H
#define LINNET_BASE_SCHEMA_H

#include <jansson.h>

#include "common/base/error.h"

struct linnet_schemas; /* a set; immutable once all are added: then any thread may validate */

struct linnet_schemas *linnet_schemas_new(void);
void linnet_schemas_free(struct linnet_schemas *set);
/* Add a schema under `name` (its $id is kept for references). Takes its own reference; the value must not change after.
 * LINNET_E_INVALID with the place of the fault as a JSON pointer in `err`, LINNET_E_EXISTS, LINNET_E_NOMEM. */
int linnet_schemas_add(struct linnet_schemas *set, const char *name, json_t *schema, struct linnet_error *err);
/* Add every `<name>.schema.json` of a folder. After it every $ref of the set must lead somewhere: LINNET_E_INVALID. */
int linnet_schemas_add_folder(struct linnet_schemas *set, const char *path, struct linnet_error *err);
/* 0, or LINNET_E_INVALID with the JSON pointer of the first fault and what was expected. LINNET_E_NOT_FOUND: no such schema, or a
 * $ref that leads nowhere. LINNET_E_LIMIT: value and references nest more than 512 deep. Any thread, once all are added. */
int linnet_schemas_check(const struct linnet_schemas *set, const char *name, const json_t *value,
                         struct linnet_error *err);
/* Set each absent property that has a `default` to a copy of it, in the value and in what it holds (through $ref and allOf,
 * not through alternatives). For configurations: fill, then check. LINNET_E_NOT_FOUND, LINNET_E_NOMEM (some may be set). */
int linnet_schemas_fill(const struct linnet_schemas *set, const char *name, json_t *value);

#endif
