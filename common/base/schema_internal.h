/* How a schema looks once it is compiled; shared by schema.c (loading) and schema_check.c (validating) only.
 */
#ifndef LINNET_BASE_SCHEMA_INTERNAL_H
#define LINNET_BASE_SCHEMA_INTERNAL_H

#include <regex.h>
#include <stdbool.h>

#include "common/base/schema.h"
#include "common/base/schema_steps.h"

enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_OBJECT = 4,
    SCHEMA_ARRAY = 8,
    SCHEMA_NUMBER = 16,
    SCHEMA_STRING = 32,
    SCHEMA_INTEGER = 64
};

struct schema_pattern {
    const char *text; /* the schema's */
    regex_t regex;
    struct schema_steps *steps; /* owned; NULL: only the regex can tell */
    bool compiled;
};

struct schema_list {
    struct schema_node **nodes; /* the array is owned, the nodes are the document's */
    size_t count;
};

/* A member of properties or patternProperties. */
struct schema_member {
    const char *name;
    struct schema_pattern pattern;
    struct schema_node *node;
};

struct schema_members {
    struct schema_member *members; /* owned */
    size_t count;
};

enum { SCHEMA_MINIMUM, SCHEMA_MAXIMUM, SCHEMA_ABOVE, SCHEMA_BELOW, SCHEMA_BOUNDS };

struct schema_range {
    size_t least, most; /* SIZE_MAX: no upper bound */
};

/* One (sub)schema. Nodes belong to their document's list; every pointer between them is borrowed, JSON values
 * are the document's. */
struct schema_node {
    struct schema_node *next; /* in the document's list */
    char *pointer;            /* owned: "#/properties/views" */
    bool never;               /* the schema `false` */
    unsigned types;           /* 0: any */
    json_t *choices, *constant, *fallback;
    bool bounded[SCHEMA_BOUNDS];
    double bounds[SCHEMA_BOUNDS];
    struct schema_range length, items_range, properties_range;
    struct schema_pattern pattern;
    struct schema_members properties /* in order of name */, patterns;
    json_t *required;
    struct schema_node *additional, *names, *items, *negated, *when, *then, *otherwise;
    struct schema_list prefix, all, any, one;
    bool unique;
    const char *reference; /* $ref as written */
    struct schema_node *target;
};

struct schema_document {
    struct schema_document *next;
    char *name;     /* owned */
    json_t *json;   /* owned reference */
    const char *id; /* $id or NULL */
    struct schema_node *root, *nodes;
};

struct linnet_schemas {
    struct schema_document *first;
};

/* The document of a name, NULL if there is none. */
const struct schema_document *linnet_schemas_find(const struct linnet_schemas *set, const char *name);

/* How many atoms regcomp makes of a pattern at most (a multiple of it in memory, up to the square of it in
 * time): it writes repetitions out, and one inside another they multiply. ((a{99}){99}){99} takes all the
 * memory there is. One right upon another, which POSIX leaves undefined and ECMAScript refuses, is more than
 * SCHEMA_ATOMS_MOST; so is all that is more, and the loader takes neither. */
size_t schema_pattern_atoms(const char *pattern);
#define SCHEMA_ATOMS_MOST 5000

/* Deepest nesting of checks inside checks: the depth of the value and of references together. */
#define SCHEMA_DEPTH 512

#endif
