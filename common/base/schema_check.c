/* Validating a value against a compiled schema, and filling in defaults. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/schema_internal.h"
#include "common/base/utf8.h"

/* Where in the value a check stands; the chain up is the JSON pointer. */
struct place {
    const struct place *up; /* NULL at the root */
    const char *key;        /* NULL: `index` */
    size_t index;
};

struct check {
    struct linnet_error *err; /* NULL while an alternative is tried: nobody reads its words */
    int depth;
};

static int check_node(struct check *check, const struct schema_node *node, const json_t *value,
                      const struct place *place);

static void write_place(const struct place *place, char *out, size_t size) {
    const struct place *chain[LINNET_JSON_DEPTH];
    size_t count = 0, used = 0;
    for (; place && place->up && count < LINNET_JSON_DEPTH; place = place->up)
        chain[count++] = place;
    out[0] = '\0';
    while (count-- && used < size) {
        int length = chain[count]->key ? snprintf(out + used, size - used, "/%s", chain[count]->key)
                                       : snprintf(out + used, size - used, "/%zu", chain[count]->index);
        if (length > 0) used += (size_t)length;
    }
}

__attribute__((format(printf, 3, 4))) static int fault(const struct check *check, const struct place *place,
                                                       const char *format, ...) {
    if (!check->err) return LINNET_E_INVALID;
    char where[256], what[sizeof check->err->detail];
    write_place(place, where, sizeof where);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return linnet_error_set(check->err, LINNET_E_INVALID, "%s: %s", *where ? where : "/", what);
}

static bool is_integer(const json_t *value) {
    if (json_is_integer(value)) return true;
    if (!json_is_real(value)) return false;
    double real = json_real_value(value);
    return real >= -9007199254740992.0 && real <= 9007199254740992.0 && real == (double)(int64_t)real;
}

static unsigned types_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return SCHEMA_OBJECT;
    case JSON_ARRAY:
        return SCHEMA_ARRAY;
    case JSON_STRING:
        return SCHEMA_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return SCHEMA_NUMBER | (is_integer(value) ? SCHEMA_INTEGER : 0);
    case JSON_TRUE:
    case JSON_FALSE:
        return SCHEMA_BOOLEAN;
    default:
        return SCHEMA_NULL;
    }
}

static int check_types(const struct check *check, const struct schema_node *node, const json_t *value,
                       const struct place *place) {
    static const char *const names[] = {"null", "boolean", "object", "array", "number", "string", "integer"};
    if (!node->types || node->types & types_of(value)) return 0;
    char wanted[96] = "";
    for (unsigned t = 0; t < sizeof names / sizeof names[0]; t++)
        if (node->types & 1u << t) {
            size_t used = strlen(wanted);
            snprintf(wanted + used, sizeof wanted - used, "%s%s", used ? " or " : "", names[t]);
        }
    return fault(check, place, "must be %s", wanted);
}

/* JSON Schema's equality: 1 and 1.0 are the same. */
static bool equal(const json_t *a, const json_t *b) {
    if (json_is_string(a) && json_is_string(b)) return !strcmp(json_string_value(a), json_string_value(b));
    if (json_is_integer(a) && json_is_integer(b)) return json_integer_value(a) == json_integer_value(b);
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b)) return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b)) return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!equal(json_array_get(a, i), json_array_get(b, i))) return false;
        return true;
    }
    if (!json_is_object(a)) return true;
    if (json_object_size(a) != json_object_size(b)) return false;
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)a, key, member) {
        const json_t *other = json_object_get(b, key);
        if (!other || !equal(member, other)) return false;
    }
    return true;
}

static int check_choices(const struct check *check, const struct schema_node *node, const json_t *value,
                         const struct place *place) {
    if (node->constant && !equal(node->constant, value)) {
        char *text = check->err ? linnet_json_canonical(node->constant) : NULL;
        int rc = fault(check, place, "must be %.200s", text ? text : "the constant");
        free(text);
        return rc;
    }
    if (!node->choices) return 0;
    size_t i;
    json_t *choice;
    json_array_foreach(node->choices, i, choice) if (equal(choice, value)) return 0;
    char *text = check->err ? linnet_json_canonical(node->choices) : NULL;
    int rc = fault(check, place, "must be one of %.300s", text ? text : "the choices");
    free(text);
    return rc;
}

static int check_range(const struct check *check, const struct place *place, struct schema_range range,
                       size_t size, const char *what) {
    if (size < range.least)
        return fault(check, place, "must have at least %zu %s, has %zu", range.least, what, size);
    if (size > range.most)
        return fault(check, place, "must have at most %zu %s, has %zu", range.most, what, size);
    return 0;
}

static int check_number(const struct check *check, const struct schema_node *node, const json_t *value,
                        const struct place *place) {
    double number = json_number_value(value);
    if (node->bounded[SCHEMA_MINIMUM] && number < node->bounds[SCHEMA_MINIMUM])
        return fault(check, place, "must be at least %g", node->bounds[SCHEMA_MINIMUM]);
    if (node->bounded[SCHEMA_MAXIMUM] && number > node->bounds[SCHEMA_MAXIMUM])
        return fault(check, place, "must be at most %g", node->bounds[SCHEMA_MAXIMUM]);
    if (node->bounded[SCHEMA_ABOVE] && number <= node->bounds[SCHEMA_ABOVE])
        return fault(check, place, "must be more than %g", node->bounds[SCHEMA_ABOVE]);
    if (node->bounded[SCHEMA_BELOW] && number >= node->bounds[SCHEMA_BELOW])
        return fault(check, place, "must be less than %g", node->bounds[SCHEMA_BELOW]);
    return 0;
}

static bool matches(const struct schema_pattern *pattern, const char *text) {
    int known = pattern->steps ? schema_steps_match(pattern->steps, text) : -1;
    return known < 0 ? regexec(&pattern->regex, text, 0, NULL, 0) == 0 : known;
}

static int check_string(const struct check *check, const struct schema_node *node, const json_t *value,
                        const struct place *place) {
    const char *text = json_string_value(value);
    if (node->length.least || node->length.most != SIZE_MAX) {
        int rc = check_range(check, place, node->length, linnet_utf8_count(text), "characters");
        if (rc) return rc;
    }
    if (node->pattern.compiled && !matches(&node->pattern, text))
        return fault(check, place, "must match %s", node->pattern.text);
    return 0;
}

/* By canonical text in a set, so that a long array costs its length and not its square. */
static int check_unique(const struct check *check, const json_t *array, const struct place *place) {
    json_t *seen = json_object();
    int rc = seen ? 0 : LINNET_E_NOMEM;
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) {
        if (rc) break;
        char *text = linnet_json_canonical(item);
        if (!text)
            rc = LINNET_E_NOMEM;
        else if (json_object_get(seen, text))
            rc = fault(check, place, "item %zu is there twice", i);
        else if (json_object_set_new_nocheck(seen, text, json_true()))
            rc = LINNET_E_NOMEM;
        free(text);
    }
    json_decref(seen);
    if (rc == LINNET_E_NOMEM) linnet_error_set(check->err, rc, "out of memory while validating");
    return rc;
}

static int check_array(struct check *check, const struct schema_node *node, const json_t *value,
                       const struct place *place) {
    int rc = check_range(check, place, node->items_range, json_array_size(value), "items");
    size_t i;
    json_t *item;
    if (node->prefix.count || node->items) json_array_foreach(value, i, item) {
            if (rc) break;
            const struct place inner = {place, NULL, i};
            const struct schema_node *schema = i < node->prefix.count ? node->prefix.nodes[i] : node->items;
            if (schema) rc = check_node(check, schema, item, &inner);
        }
    if (!rc && node->unique) rc = check_unique(check, value, place);
    return rc;
}

static int against_name(const void *key, const void *member) {
    return strcmp(key, ((const struct schema_member *)member)->name);
}

/* One member against properties, patternProperties, additionalProperties and propertyNames. */
static int check_member(struct check *check, const struct schema_node *node, const char *key,
                        const json_t *value, const struct place *place) {
    const struct place inner = {place, key, 0};
    const struct schema_members *properties = &node->properties;
    const struct schema_member *member =
        properties->count ? bsearch(key, properties->members, properties->count, sizeof *member, against_name)
                          : NULL;
    bool known = member != NULL;
    int rc = member ? check_node(check, member->node, value, &inner) : 0;
    for (size_t i = 0; !rc && i < node->patterns.count; i++) {
        if (!matches(&node->patterns.members[i].pattern, key)) continue;
        known = true;
        rc = check_node(check, node->patterns.members[i].node, value, &inner);
    }
    if (!rc && node->additional && !known)
        rc = node->additional->never ? fault(check, place, "has a member \"%.100s\" that is not known", key)
                                     : check_node(check, node->additional, value, &inner);
    if (!rc && node->names) {
        json_t *name = json_string(key);
        rc = name ? check_node(check, node->names, name, &inner) : LINNET_E_NOMEM;
        json_decref(name);
    }
    return rc;
}

static int check_object(struct check *check, const struct schema_node *node, const json_t *value,
                        const struct place *place) {
    int rc = check_range(check, place, node->properties_range, json_object_size(value), "members");
    size_t i;
    json_t *name;
    json_array_foreach(node->required, i, name) if (!rc && !json_object_get(value, json_string_value(name)))
        rc = fault(check, place, "must have a member \"%.100s\"", json_string_value(name));
    if (rc || !(node->properties.count || node->patterns.count || node->additional || node->names)) return rc;
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) {
        rc = check_member(check, node, key, member, place);
        if (rc) return rc;
    }
    return 0;
}

/* How many of the alternatives hold, at most `enough` of them tried; or an error other than LINNET_E_INVALID.
 */
static int count_holding(struct check *check, const struct schema_list *list, const json_t *value,
                         const struct place *place, int enough) {
    struct check quiet = {NULL, check->depth};
    int holding = 0;
    for (size_t i = 0; i < list->count && holding < enough; i++) {
        int rc = check_node(&quiet, list->nodes[i], value, place);
        if (rc && rc != LINNET_E_INVALID) return rc;
        holding += !rc;
    }
    return holding;
}

static int check_combined(struct check *check, const struct schema_node *node, const json_t *value,
                          const struct place *place) {
    int rc = 0;
    for (size_t i = 0; !rc && i < node->all.count; i++)
        rc = check_node(check, node->all.nodes[i], value, place);
    if (!rc && node->any.count) {
        int holding = count_holding(check, &node->any, value, place, 1);
        rc = holding < 0 ? holding : holding ? 0 : fault(check, place, "is none of the alternatives");
    }
    if (!rc && node->one.count) {
        int holding = count_holding(check, &node->one, value, place, 2);
        rc = holding < 0    ? holding
             : holding == 1 ? 0
                            : fault(check, place, "must be exactly one of the alternatives, is %s",
                                    holding ? "more than one" : "none");
    }
    struct check quiet = {NULL, check->depth};
    if (!rc && node->negated) {
        int inner = check_node(&quiet, node->negated, value, place);
        rc = inner == LINNET_E_INVALID ? 0 : inner ? inner : fault(check, place, "is what it must not be");
    }
    if (!rc && node->when) {
        int inner = check_node(&quiet, node->when, value, place);
        const struct schema_node *next = inner ? node->otherwise : node->then;
        rc = inner && inner != LINNET_E_INVALID ? inner : next ? check_node(check, next, value, place) : 0;
    }
    return rc;
}

static int check_here(struct check *check, const struct schema_node *node, const json_t *value,
                      const struct place *place) {
    if (node->never) return fault(check, place, "must not be there");
    int rc = check_types(check, node, value, place);
    if (!rc) rc = check_choices(check, node, value, place);
    if (rc) return rc;
    if (json_is_object(value))
        rc = check_object(check, node, value, place);
    else if (json_is_array(value))
        rc = check_array(check, node, value, place);
    else if (json_is_string(value))
        rc = check_string(check, node, value, place);
    else if (json_is_number(value))
        rc = check_number(check, node, value, place);
    if (rc) return rc;
    if (node->reference) {
        if (!node->target)
            return linnet_error_set(check->err, LINNET_E_NOT_FOUND, "nothing is at the $ref \"%s\"",
                                    node->reference);
        rc = check_node(check, node->target, value, place);
    }
    return rc ? rc : check_combined(check, node, value, place);
}

static int check_node(struct check *check, const struct schema_node *node, const json_t *value,
                      const struct place *place) {
    if (check->depth >= SCHEMA_DEPTH) {
        linnet_error_set(check->err, LINNET_E_LIMIT, "nested too deep to be validated");
        return LINNET_E_LIMIT;
    }
    check->depth++;
    int rc = check_here(check, node, value, place);
    check->depth--;
    return rc;
}

int linnet_schemas_check(const struct linnet_schemas *set, const char *name, const json_t *value,
                         struct linnet_error *err) {
    const struct schema_document *document = linnet_schemas_find(set, name);
    if (!document) return linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no schema \"%s\"", name);
    struct check check = {err, 0};
    const struct place root = {0};
    return check_node(&check, document->root, value, &root);
}

/* ---- defaults ---- */

static int fill(const struct schema_node *node, json_t *value, int depth) {
    if (depth > SCHEMA_DEPTH) return LINNET_E_LIMIT;
    int rc = 0;
    for (size_t i = 0; !rc && json_is_object(value) && i < node->properties.count; i++) {
        const struct schema_member *member = &node->properties.members[i];
        json_t *inner = json_object_get(value, member->name);
        if (!inner && member->node->fallback) {
            inner = json_deep_copy(member->node->fallback);
            if (json_object_set_new(value, member->name, inner)) return LINNET_E_NOMEM;
        }
        if (inner) rc = fill(member->node, inner, depth + 1);
    }
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) {
        const struct schema_node *schema = i < node->prefix.count ? node->prefix.nodes[i] : node->items;
        if (!rc && schema) rc = fill(schema, item, depth + 1);
    }
    if (!rc && node->target) rc = fill(node->target, value, depth + 1);
    for (i = 0; !rc && i < node->all.count; i++)
        rc = fill(node->all.nodes[i], value, depth + 1);
    return rc;
}

int linnet_schemas_fill(const struct linnet_schemas *set, const char *name, json_t *value) {
    const struct schema_document *document = linnet_schemas_find(set, name);
    return document ? fill(document->root, value, 0) : LINNET_E_NOT_FOUND;
}
