#include "common/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_reader.h"

/* jansson bounds its own recursion at 2,048, which is deeper than a foreign text has business to be. This
 * pass looks at brackets only, strings skipped; what else is wrong with the text is jansson's to say. */
static int check_depth(const char *text, size_t size, int most, struct linnet_error *err) {
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') i++;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > most)
                return linnet_error_set(err, LINNET_E_LIMIT, "byte %zu: nested more than %d deep", i, most);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

/* What the quick reader makes of the text, NULL if it will not have it. */
static json_t *read_quickly(const char *text, size_t size, size_t flags, bool *no_memory) {
    if (flags & ~(size_t)(JSON_DECODE_ANY | JSON_REJECT_DUPLICATES)) return NULL;
    struct linnet_json_reader reader;
    linnet_json_reader_init(&reader, text, size);
    reader.reject_duplicates = flags & JSON_REJECT_DUPLICATES;
    char first = linnet_json_peek(&reader);
    json_t *value =
        flags & JSON_DECODE_ANY || first == '{' || first == '[' ? linnet_json_read_value(&reader) : NULL;
    linnet_json_peek(&reader);
    if (value && reader.s != reader.end) {
        json_decref(value);
        value = NULL;
    }
    *no_memory = reader.no_memory;
    linnet_json_reader_done(&reader);
    return value;
}

/* The verdict on what the quick reader refused, with words. */
static int load_by_jansson(const char *text, size_t size, size_t flags, json_t **out, json_error_t *fault) {
    json_error_t own;
    if (!fault) fault = &own;
    errno = 0;
    json_t *value = json_loadb(text, size, flags, fault);
    /* jansson 2.14 calls a string for which it had no memory an invalid token, or cuts it and goes on; what
     * malloc leaves in errno is the one sure sign. */
    if (errno == ENOMEM ||
        (!value && (!fault->text[0] || json_error_code(fault) == json_error_out_of_memory))) {
        json_decref(value);
        return LINNET_E_NOMEM;
    }
    if (!value) return LINNET_E_PARSE;
    *out = value;
    return 0;
}

int linnet_json_load(const char *text, size_t size, size_t flags, json_t **out, json_error_t *fault) {
    bool no_memory = false;
    json_t *value = read_quickly(text, size, flags, &no_memory);
    if (no_memory) {
        json_decref(value);
        return LINNET_E_NOMEM;
    }
    if (!value) return load_by_jansson(text, size, flags, out, fault);
    *out = value;
    return 0;
}

int linnet_json_parse(const char *text, size_t size, int depth, json_t **out, struct linnet_error *err) {
    int rc = check_depth(text, size, depth > 0 ? depth : LINNET_JSON_DEPTH, err);
    if (rc) return rc;
    json_error_t fault;
    rc = linnet_json_load(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, out, &fault);
    if (rc == LINNET_E_NOMEM) return linnet_error_set(err, rc, "out of memory while parsing JSON");
    if (rc) return linnet_error_set(err, rc, "line %d, column %d: %s", fault.line, fault.column, fault.text);
    return 0;
}

static int read_file(const char *path, size_t limit, struct linnet_buf *buf, struct linnet_error *err) {
    FILE *file = fopen(path, "rbe");
    if (!file)
        return linnet_error_set(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    int rc = 0;
    char chunk[16384];
    size_t got;
    while (!rc && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        rc = linnet_buf_append(buf, chunk, got);
    if (rc == LINNET_E_LIMIT)
        linnet_error_set(err, rc, "%s: more than %zu bytes", path, limit);
    else if (rc)
        linnet_error_set(err, rc, "%s: %s", path, linnet_error_message(rc));
    else if (ferror(file))
        rc = linnet_error_set(err, LINNET_E_IO, "%s: cannot be read", path);
    fclose(file);
    return rc;
}

int linnet_json_load_file(const char *path, size_t limit, json_t **out, struct linnet_error *err) {
    struct linnet_buf buf;
    linnet_buf_init(&buf, limit);
    int rc = read_file(path, limit, &buf, err);
    if (!rc) {
        rc = linnet_json_parse(buf.data ? buf.data : "", buf.size, 0, out, err);
        if (rc) linnet_error_prefix(err, "%s", path);
    }
    linnet_buf_done(&buf);
    return rc;
}

json_t *linnet_json_at(const json_t *root, const char *path) {
    const json_t *value = root;
    while (value && *path) {
        size_t size = strcspn(path, "/");
        if (json_is_object(value)) {
            value = json_object_getn(value, path, size);
        } else if (json_is_array(value) && size && strspn(path, "0123456789") >= size) {
            value = json_array_get(value, strtoul(path, NULL, 10));
        } else {
            return NULL;
        }
        path += size + (path[size] == '/');
    }
    return (json_t *)value;
}

const char *linnet_json_string(const json_t *root, const char *path, const char *fallback) {
    const char *text = json_string_value(linnet_json_at(root, path));
    return text ? text : fallback;
}

long long linnet_json_integer(const json_t *root, const char *path, long long fallback) {
    const json_t *value = linnet_json_at(root, path);
    if (json_is_integer(value)) return json_integer_value(value);
    if (json_is_real(value)) { /* 3.0 is an integer to whoever wrote it by JavaScript */
        double real = json_real_value(value);
        if (real >= -9007199254740992.0 && real <= 9007199254740992.0 && real == (double)(long long)real)
            return (long long)real;
    }
    return fallback;
}

double linnet_json_number(const json_t *root, const char *path, double fallback) {
    const json_t *value = linnet_json_at(root, path);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool linnet_json_bool(const json_t *root, const char *path, bool fallback) {
    const json_t *value = linnet_json_at(root, path);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
