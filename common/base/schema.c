/* Loading schemas: from JSON to a tree of nodes with every pattern compiled, every keyword known. */
#include "common/base/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/schema_internal.h"

static const char SUFFIX[] = ".schema.json";
enum { FILE_MOST = 1 << 20 };

struct loader {
    struct schema_document *document;
    struct linnet_buf pointer; /* of the schema that is being compiled */
    struct linnet_error *err;
    int depth;
};

static int compile(struct loader *loader, json_t *json, struct schema_node **out);

static int fault(struct loader *loader, const char *keyword, const char *what) {
    return linnet_error_set(loader->err, LINNET_E_INVALID, "%s/%s: %s", loader->pointer.data, keyword, what);
}

static int no_memory(struct loader *loader) {
    return linnet_error_set(loader->err, LINNET_E_NOMEM, "out of memory while loading a schema");
}

/* Add "/segment" to the pointer, escaped after RFC 6901. */
static int push(struct loader *loader, const char *segment) {
    int rc = linnet_buf_append(&loader->pointer, "/", 1);
    for (; !rc && *segment; segment++) {
        if (*segment == '~' || *segment == '/')
            rc = linnet_buf_append_string(&loader->pointer, *segment == '~' ? "~0" : "~1");
        else
            rc = linnet_buf_append(&loader->pointer, segment, 1);
    }
    return rc ? no_memory(loader) : 0;
}

static void pop(struct loader *loader, size_t size) {
    loader->pointer.size = size;
    loader->pointer.data[size] = '\0';
}

/* Compile what stands at `segment` (and `inner`, where that is not NULL) below the current place. */
static int compile_at(struct loader *loader, const char *segment, const char *inner, json_t *json,
                      struct schema_node **out) {
    size_t before = loader->pointer.size;
    int rc = push(loader, segment);
    if (!rc && inner) rc = push(loader, inner);
    if (!rc) rc = compile(loader, json, out);
    pop(loader, before);
    return rc;
}

/* ---- one function per shape of keyword ---- */

static int load_types(struct loader *loader, struct schema_node *node, json_t *value) {
    static const char *const names[] = {"null", "boolean", "object", "array", "number", "string", "integer"};
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        unsigned type = 0;
        for (unsigned t = 0; name && t < sizeof names / sizeof names[0]; t++)
            if (!strcmp(name, names[t])) type = 1u << t;
        if (!type) return fault(loader, "type", "not a type");
        node->types |= type;
    }
    return 0;
}

/* Where the atom at `s` (a bracket expression, an escape, a character) ends. */
static const char *skip_atom(const char *s) {
    if (*s == '\\') return s[1] ? s + 2 : s + 1;
    if (*s != '[') return s + 1;
    s += s[1] == '^' ? 2 : 1;
    if (*s == ']') s++; /* first in the list it stands for itself */
    while (*s && *s != ']')
        s++;
    return *s ? s + 1 : s;
}

/* A counted repetition at `*s`: how many copies regcomp makes of what stands before it; `*s` goes behind it.
 * `x{3,}` is xxxx*. */
static size_t take_count(const char **s) {
    char *end;
    size_t least = strtoul(*s + 1, &end, 10), most = least;
    if (*end == ',') {
        const char *second = end + 1;
        most = strtoul(second, &end, 10);
        if (end == second) most = least + 1;
    }
    *s = *end == '}' ? end + 1 : *s + 1; /* without its end it is one that regcomp refuses */
    return most > least ? most : least;
}

/* Add what stands before `s` so many times more; what is repeated next is all of it. */
static void repeat(size_t *size, size_t *last, size_t copies) {
    if (copies > SCHEMA_ATOMS_MOST) copies = SCHEMA_ATOMS_MOST + 1;
    if (!*last) *last = 1; /* a repetition of nothing stands for itself, or for nothing */
    *size += copies ? *last * (copies - 1) : 0;
    *last *= copies ? copies : 1;
}

size_t schema_pattern_atoms(const char *s) {
    enum { NESTED = 32 };
    size_t sizes[NESTED] = {0}, last = 0;
    int depth = 0;
    bool repeated = false; /* what stands before `s` */
    while (*s) {
        bool repeats = strchr("*+?{", *s);
        if (repeats && repeated) return SCHEMA_ATOMS_MOST + 1;
        repeated = repeats;
        if (*s == '(') {
            if (++depth == NESTED) return SCHEMA_ATOMS_MOST + 1;
            sizes[depth] = last = 0;
            s++;
        } else if (*s == ')' && depth) {
            last = sizes[depth--];
            sizes[depth] += last;
            s++;
        } else if (*s == '{') {
            repeat(&sizes[depth], &last, take_count(&s));
        } else if (repeats) { /* x+ is xx* */
            repeat(&sizes[depth], &last, *s++ == '+' ? 2 : 1);
        } else {
            sizes[depth] += last = 1;
            s = skip_atom(s);
        }
        if (sizes[depth] > SCHEMA_ATOMS_MOST || last > SCHEMA_ATOMS_MOST) return SCHEMA_ATOMS_MOST + 1;
    }
    while (depth)
        depth--, sizes[depth] += sizes[depth + 1];
    return sizes[0];
}

static int load_pattern(struct loader *loader, const char *keyword, const char *text,
                        struct schema_pattern *out) {
    /* What POSIX and ECMAScript read differently, or only glibc reads, is refused: \d, back-references,
     * (?:...). */
    for (const char *s = text; *s; s++) {
        if (*s == '(' && s[1] == '?')
            return fault(loader, keyword, "(?...) is no POSIX extended regular expression");
        if (*s != '\\') continue;
        s++;
        if (!*s || (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z'))
            return fault(loader, keyword, "only punctuation may be escaped in a pattern");
    }
    if (schema_pattern_atoms(text) > SCHEMA_ATOMS_MOST)
        return fault(loader, keyword, "the repetitions come to too much, or stand upon each other");
    int rc = regcomp(&out->regex, text, REG_EXTENDED | REG_NOSUB);
    if (rc == REG_ESPACE) return no_memory(loader);
    if (rc) {
        char why[128];
        regerror(rc, &out->regex, why, sizeof why);
        return fault(loader, keyword, why);
    }
    out->text = text;
    out->steps = schema_steps_make(text);
    out->compiled = true;
    return 0;
}

static int load_members(struct loader *loader, const char *keyword, json_t *value, bool patterns,
                        struct schema_members *out) {
    if (!json_is_object(value)) return fault(loader, keyword, "must be an object");
    size_t size = json_object_size(value);
    if (!size) return 0;
    if (!(out->members = calloc(size, sizeof *out->members))) return no_memory(loader);
    const char *name;
    json_t *json;
    json_object_foreach(value, name, json) {
        struct schema_member *member = &out->members[out->count++];
        member->name = name;
        int rc = patterns ? load_pattern(loader, keyword, name, &member->pattern) : 0;
        if (!rc) rc = compile_at(loader, keyword, name, json, &member->node);
        if (rc) return rc;
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct schema_member *)a)->name, ((const struct schema_member *)b)->name);
}

static int load_list(struct loader *loader, const char *keyword, json_t *value, struct schema_list *out) {
    if (!json_array_size(value)) return fault(loader, keyword, "must be an array that is not empty");
    if (!(out->nodes = calloc(json_array_size(value), sizeof(struct schema_node *))))
        return no_memory(loader);
    size_t i;
    json_t *json;
    json_array_foreach(value, i, json) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        int rc = compile_at(loader, keyword, index, json, &out->nodes[i]);
        if (rc) return rc;
        out->count++;
    }
    return 0;
}

static int load_size(struct loader *loader, const char *keyword, json_t *value, size_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fault(loader, keyword, "must be an integer that is not negative");
    *out = (size_t)json_integer_value(value);
    return 0;
}

static int load_required(struct loader *loader, struct schema_node *node, json_t *value) {
    size_t i;
    json_t *name;
    if (!json_is_array(value)) return fault(loader, "required", "must be an array of strings");
    json_array_foreach(value, i, name) if (!json_is_string(name)) return fault(loader, "required",
                                                                               "must be an array of strings");
    node->required = value;
    return 0;
}

static int load_definitions(struct loader *loader, json_t *value) {
    if (!json_is_object(value)) return fault(loader, "$defs", "must be an object");
    const char *name;
    json_t *json;
    json_object_foreach(value, name, json) {
        struct schema_node *node; /* found again by its pointer */
        int rc = compile_at(loader, "$defs", name, json, &node);
        if (rc) return rc;
    }
    return 0;
}

/* ---- the table of keywords ---- */

enum shape { IGNORED, NODE, LIST, SIZE, BOUND, OTHER };

static const struct keyword {
    const char *name;
    enum shape shape;
    size_t offset; /* where the result goes in the node */
} KEYWORDS[] = {
#define AT(field) offsetof(struct schema_node, field)
    {"$schema", IGNORED, 0},
    {"$comment", IGNORED, 0},
    {"title", IGNORED, 0},
    {"description", IGNORED, 0},
    {"examples", IGNORED, 0},
    {"deprecated", IGNORED, 0},
    {"readOnly", IGNORED, 0},
    {"writeOnly", IGNORED, 0},
    {"format", IGNORED, 0}, /* an annotation in 2020-12 */
    {"contentEncoding", IGNORED, 0},
    {"contentMediaType", IGNORED, 0},
    {"additionalProperties", NODE, AT(additional)},
    {"propertyNames", NODE, AT(names)},
    {"items", NODE, AT(items)},
    {"not", NODE, AT(negated)},
    {"if", NODE, AT(when)},
    {"then", NODE, AT(then)},
    {"else", NODE, AT(otherwise)},
    {"prefixItems", LIST, AT(prefix)},
    {"allOf", LIST, AT(all)},
    {"anyOf", LIST, AT(any)},
    {"oneOf", LIST, AT(one)},
    {"minLength", SIZE, AT(length.least)},
    {"maxLength", SIZE, AT(length.most)},
    {"minItems", SIZE, AT(items_range.least)},
    {"maxItems", SIZE, AT(items_range.most)},
    {"minProperties", SIZE, AT(properties_range.least)},
    {"maxProperties", SIZE, AT(properties_range.most)},
    {"minimum", BOUND, SCHEMA_MINIMUM},
    {"maximum", BOUND, SCHEMA_MAXIMUM},
    {"exclusiveMinimum", BOUND, SCHEMA_ABOVE},
    {"exclusiveMaximum", BOUND, SCHEMA_BELOW},
    {"$id", OTHER, 0},
    {"$ref", OTHER, 0},
    {"$defs", OTHER, 0},
    {"type", OTHER, 0},
    {"enum", OTHER, 0},
    {"const", OTHER, 0},
    {"default", OTHER, 0},
    {"required", OTHER, 0},
    {"properties", OTHER, 0},
    {"patternProperties", OTHER, 0},
    {"pattern", OTHER, 0},
    {"uniqueItems", OTHER, 0},
#undef AT
};

static int load_other(struct loader *loader, struct schema_node *node, const char *name, json_t *value) {
    bool is = true, text = json_is_string(value);
    if (!strcmp(name, "type")) return load_types(loader, node, value);
    if (!strcmp(name, "required")) return load_required(loader, node, value);
    if (!strcmp(name, "$defs")) return load_definitions(loader, value);
    if (!strcmp(name, "patternProperties")) return load_members(loader, name, value, true, &node->patterns);
    if (!strcmp(name, "properties")) {
        int rc = load_members(loader, name, value, false, &node->properties);
        if (node->properties.count)
            qsort(node->properties.members, node->properties.count, sizeof *node->properties.members,
                  by_name);
        return rc;
    }
    if (!strcmp(name, "pattern"))
        return text ? load_pattern(loader, name, json_string_value(value), &node->pattern)
                    : fault(loader, name, "must be a string");
    if (!strcmp(name, "$id")) {
        /* An $id further in would change what references below it mean. */
        is = text && strcmp(loader->pointer.data, "#") == 0;
        loader->document->id = json_string_value(value);
    } else if (!strcmp(name, "$ref")) {
        is = text;
        node->reference = json_string_value(value);
    } else if (!strcmp(name, "enum")) {
        is = json_array_size(value) > 0;
        node->choices = value;
    } else if (!strcmp(name, "uniqueItems")) {
        is = json_is_boolean(value);
        node->unique = json_is_true(value);
    } else if (!strcmp(name, "const")) {
        node->constant = value;
    } else {
        node->fallback = value; /* default */
    }
    return is ? 0 : fault(loader, name, "has a value that it can't have (here)");
}

static int load_keyword(struct loader *loader, struct schema_node *node, const char *name, json_t *value) {
    const struct keyword *keyword = NULL;
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof KEYWORDS[0]; i++)
        if (!strcmp(KEYWORDS[i].name, name)) keyword = &KEYWORDS[i];
    if (!keyword) return fault(loader, name, "a keyword that this validator does not know");
    char *field = (char *)node + keyword->offset;
    switch (keyword->shape) {
    case IGNORED:
        return 0;
    case NODE:
        return compile_at(loader, name, NULL, value, (struct schema_node **)field);
    case LIST:
        return load_list(loader, name, value, (struct schema_list *)field);
    case SIZE:
        return load_size(loader, name, value, (size_t *)field);
    case BOUND:
        if (!json_is_number(value)) return fault(loader, name, "must be a number");
        node->bounded[keyword->offset] = true;
        node->bounds[keyword->offset] = json_number_value(value);
        return 0;
    default:
        return load_other(loader, node, name, value);
    }
}

/* A node of the document's list, freed with it whatever happens next. */
static struct schema_node *make_node(struct loader *loader) {
    struct schema_node *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    node->length.most = node->items_range.most = node->properties_range.most = SIZE_MAX;
    if (!(node->pointer = strdup(loader->pointer.data))) {
        free(node);
        return NULL;
    }
    node->next = loader->document->nodes;
    loader->document->nodes = node;
    return node;
}

static int compile(struct loader *loader, json_t *json, struct schema_node **out) {
    if (!json_is_object(json) && !json_is_boolean(json))
        return linnet_error_set(loader->err, LINNET_E_INVALID, "%s: a schema is an object or a boolean",
                                loader->pointer.data);
    if (loader->depth >= LINNET_JSON_DEPTH)
        return linnet_error_set(loader->err, LINNET_E_LIMIT, "%s: nested too deep", loader->pointer.data);
    struct schema_node *node = make_node(loader);
    if (!node) return no_memory(loader);
    node->never = json_is_false(json);
    const char *name;
    json_t *value;
    loader->depth++;
    json_object_foreach(json, name, value) {
        int rc = load_keyword(loader, node, name, value);
        if (rc) return rc;
    }
    loader->depth--;
    *out = node;
    return 0;
}

/* ---- documents and sets ---- */

static void free_pattern(struct schema_pattern *pattern) {
    if (pattern->compiled) regfree(&pattern->regex);
    schema_steps_free(pattern->steps);
}

static void free_node(struct schema_node *node) {
    free_pattern(&node->pattern);
    for (size_t i = 0; i < node->patterns.count; i++)
        free_pattern(&node->patterns.members[i].pattern);
    free(node->patterns.members);
    free(node->properties.members);
    free(node->prefix.nodes);
    free(node->all.nodes);
    free(node->any.nodes);
    free(node->one.nodes);
    free(node->pointer);
    free(node);
}

static void free_document(struct schema_document *document) {
    if (!document) return;
    for (struct schema_node *node = document->nodes, *next; node; node = next) {
        next = node->next;
        free_node(node);
    }
    json_decref(document->json);
    free(document->name);
    free(document);
}

struct linnet_schemas *linnet_schemas_new(void) {
    return calloc(1, sizeof(struct linnet_schemas));
}

void linnet_schemas_free(struct linnet_schemas *set) {
    if (!set) return;
    for (struct schema_document *document = set->first, *next; document; document = next) {
        next = document->next;
        free_document(document);
    }
    free(set);
}

const struct schema_document *linnet_schemas_find(const struct linnet_schemas *set, const char *name) {
    const struct schema_document *document = set->first;
    while (document && strcmp(document->name, name) != 0)
        document = document->next;
    return document;
}

/* Does `text` (of `size` bytes, without a fragment) name the document: its $id, the last part of it, or its
 * file's name? */
static bool is_named(const struct schema_document *document, const char *text, size_t size) {
    size_t name = strlen(document->name);
    if (size >= name && !strncmp(document->name, text, name) &&
        (size == name ||
         (size == name + sizeof SUFFIX - 1 && !strncmp(text + name, SUFFIX, sizeof SUFFIX - 1))))
        return true;
    if (!document->id) return false;
    const char *slash = strrchr(document->id, '/');
    const char *last = slash ? slash + 1 : document->id;
    return (strlen(document->id) == size && !strncmp(document->id, text, size)) ||
           (strlen(last) == size && !strncmp(last, text, size));
}

static struct schema_node *resolve(const struct linnet_schemas *set, const struct schema_document *own,
                                   const char *reference) {
    size_t size = strcspn(reference, "#");
    const struct schema_document *document = own;
    if (size) {
        document = set->first;
        while (document && !is_named(document, reference, size))
            document = document->next;
    }
    if (!document) return NULL;
    const char *fragment = reference[size] ? reference + size + 1 : "";
    struct schema_node *node = document->nodes;
    while (node && strcmp(node->pointer + 1, fragment) != 0)
        node = node->next;
    return node;
}

/* Tie the references that can be tied by now. The first one that can't, or NULL. */
static const char *resolve_all(struct linnet_schemas *set) {
    const char *loose = NULL;
    for (struct schema_document *document = set->first; document; document = document->next)
        for (struct schema_node *node = document->nodes; node; node = node->next) {
            if (!node->reference || node->target) continue;
            node->target = resolve(set, document, node->reference);
            if (!node->target) loose = node->reference;
        }
    return loose;
}

int linnet_schemas_add(struct linnet_schemas *set, const char *name, json_t *schema,
                       struct linnet_error *err) {
    if (linnet_schemas_find(set, name))
        return linnet_error_set(err, LINNET_E_EXISTS, "there is a schema \"%s\" already", name);
    struct schema_document *document = calloc(1, sizeof *document);
    if (!document) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory while loading a schema");
    document->json = json_incref(schema);
    struct loader loader = {.document = document, .err = err};
    int rc = LINNET_E_NOMEM;
    if ((document->name = strdup(name)) && !linnet_buf_append_string(&loader.pointer, "#"))
        rc = compile(&loader, schema, &document->root);
    else
        no_memory(&loader);
    linnet_buf_done(&loader.pointer);
    if (rc) {
        linnet_error_prefix(err, "schema \"%s\"", name);
        free_document(document);
        return rc;
    }
    document->next = set->first;
    set->first = document;
    resolve_all(set);
    return 0;
}

static int add_file(struct linnet_schemas *set, const char *folder, const char *file,
                    struct linnet_error *err) {
    char path[4096], name[256];
    int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    if (length < 0 || (size_t)length >= sizeof path)
        return linnet_error_set(err, LINNET_E_LIMIT, "%s: the path is too long", folder);
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - (sizeof SUFFIX - 1)), file);
    json_t *json;
    int rc = linnet_json_load_file(path, FILE_MOST, &json, err);
    if (rc) return rc;
    rc = linnet_schemas_add(set, name, json, err);
    json_decref(json);
    return rc;
}

int linnet_schemas_add_folder(struct linnet_schemas *set, const char *path, struct linnet_error *err) {
    DIR *folder = opendir(path);
    if (!folder)
        return linnet_error_set(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    int rc = 0;
    const struct dirent *entry;
    while (!rc && (entry = readdir(folder))) {
        size_t size = strlen(entry->d_name);
        if (size >= sizeof SUFFIX && !strcmp(entry->d_name + size - (sizeof SUFFIX - 1), SUFFIX))
            rc = add_file(set, path, entry->d_name, err);
    }
    closedir(folder);
    if (rc) return rc;
    const char *loose = resolve_all(set);
    return loose ? linnet_error_set(err, LINNET_E_INVALID, "%s: nothing is at the $ref \"%s\"", path, loose)
                 : 0;
}
