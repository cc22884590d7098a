/* What jansson leaves to us: typed reads by path with defaults, canonical text, digests, bounded parsing. */
#ifndef LINNET_BASE_JSON_H
#define LINNET_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

/* Deepest nesting that a foreign text may have. */
#define LINNET_JSON_DEPTH 64

/* Parse `size` bytes of foreign JSON (any value): valid UTF-8, no duplicate keys, no NUL in strings, at most
 * `depth` deep (0: LINNET_JSON_DEPTH). Returns 0 and a new reference in *out, or LINNET_E_PARSE with line and
 * column in `err`, LINNET_E_LIMIT, LINNET_E_NOMEM. Any thread. */
int linnet_json_parse(const char *text, size_t size, int depth, json_t **out, struct linnet_error *err);
/* json_loadb(), several times faster (json_reader.h), that tells want of memory from faults of the text: 0
 * and a new reference in *out, LINNET_E_PARSE with words in `fault` (may be NULL), LINNET_E_NOMEM. For texts
 * of our own, and for callers with limits of their own. Any thread. */
int linnet_json_load(const char *text, size_t size, size_t flags, json_t **out, json_error_t *fault);
/* Read and parse a file, at most `limit` bytes (0: no limit). LINNET_E_NOT_FOUND, LINNET_E_IO and those of
 * linnet_json_parse, the path in `err`. */
int linnet_json_load_file(const char *path, size_t limit, json_t **out, struct linnet_error *err);

/* The value at a path of object keys and array indexes divided by '/', e.g. "location/decimalLatitude",
 * "views/0/organ". Borrowed reference, NULL if absent. */
json_t *linnet_json_at(const json_t *root, const char *path);
/* Typed reads by path; the default when absent or of another type. Strings are borrowed from the value. A
 * real number without a fraction reads as an integer too. */
const char *linnet_json_string(const json_t *root, const char *path, const char *fallback);
long long linnet_json_integer(const json_t *root, const char *path, long long fallback);
double linnet_json_number(const json_t *root, const char *path, double fallback);
bool linnet_json_bool(const json_t *root, const char *path, bool fallback);

/* Canonical text: keys sorted by their bytes, no spaces, UTF-8 as it is, integers in full, other numbers by
 * %.17g with a point (so 3 and 3.0 are the same), -0 as 0. The same on every platform and in every locale.
 * The caller frees it. NULL: out of memory (or a value nested more than 2,048 deep). Any thread. */
char *linnet_json_canonical(const json_t *value);
struct linnet_buf;
/* Append compact text for the wire: keys as they stand. LINNET_E_NOMEM, LINNET_E_LIMIT (the buffer's, or
 * nested more than 2,048 deep), LINNET_E_INVALID for NULL; `out` as it was. Any thread. */
int linnet_json_write(struct linnet_buf *out, const json_t *value);
/* Append `text`, which is UTF-8, as a string. LINNET_E_NOMEM, LINNET_E_LIMIT: a part of it may be there. Any thread. */
int linnet_json_write_string(struct linnet_buf *out, const char *text, size_t size);

/* Change in place, the size kept, what a store accepts but jansson does not parse, so that one such document
 * does not make unreadable what is read together with it: \u0000 and lone surrogates become U+FFFD, integers
 * beyond 64 bits become reals, numbers beyond a double null, values nested deeper than 1,024 the number 0.
 * Other text stays as it is. Any thread. */
void linnet_json_mend(char *text, size_t size);

/* SHA-256 in lower-case hexadecimal of the canonical text of `document` without its members that start with
 * '_' except the digests of its attachments (of one that the store has not seen: its inline data).
 * LINNET_E_NOMEM. Any thread. */
int linnet_json_digest(const json_t *document, char out[65]);

#endif
