/* Document ids: `<obs>:<kind>[:<qualifier>]` in the database `linnet`, `<kind>:<qualifier>` in the others.
 * The one place that knows which kind lives in which database. */
#ifndef LINNET_BASE_ID_H
#define LINNET_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/ulid.h"

enum linnet_database { LINNET_DB_MAIN, LINNET_DB_REFERENCE, LINNET_DB_OPS, LINNET_DB_NONE };

#define LINNET_ID_MAX   512
#define LINNET_KIND_MAX 32

struct linnet_id {
    enum linnet_database database;
    char observation[LINNET_ULID_SIZE]; /* empty outside the main database */
    char kind[LINNET_KIND_MAX];
    const char *qualifier; /* points into the text that was parsed; "" if none */
};

/* Take an id apart. LINNET_E_INVALID if it is none of ours: design documents, no ULID where one belongs, a qualifier
 * that is missing or too much. After a ULID a kind that is not in the table ([a-z][a-z0-9_-]*) is of the main database:
 * stages of others bring kinds of their own. Any thread. */
int linnet_id_parse(const char *text, struct linnet_id *out);
/* Put one together: observation NULL or "" outside the main database; qualifier may be NULL or "". LINNET_E_LIMIT, `out`
 * untouched. Does not check that the parts are well formed. Any thread. */
int linnet_id_format(const char *observation, const char *kind, const char *qualifier, char out[LINNET_ID_MAX]);
/* The database of a kind that Linnet itself knows; LINNET_DB_NONE if unknown. */
enum linnet_database linnet_kind_database(const char *kind);
/* What follows the site's prefix in a database's name: "", "-reference" or "-ops" ("linnet", "linnet-reference",
 * "linnet-ops" where the prefix is "linnet"). Static string. */
const char *linnet_database_suffix(enum linnet_database database);
/* The share of an observation: FNV-1a of its ULID modulo `shares` (0 if there are none). */
unsigned linnet_share_of(const char *observation, unsigned shares);

#endif
