/* Canonical text of JSON values, and digests made of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/json.h"

/* jansson parses nothing deeper; a value that is (a cycle, say) is refused instead of overflowing the stack.
 */
#define MOST_DEPTH 2048

static int write_value(struct linnet_buf *out, const json_t *value, int depth);

static int write_string(struct linnet_buf *out, const char *text, size_t size) {
    static const char *const shorts[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
                                         ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    int rc = linnet_buf_append(out, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; !rc && i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        rc = linnet_buf_append(out, text + start, i - start);
        start = i + 1;
        if (!rc)
            rc = shorts[c] ? linnet_buf_append_string(out, shorts[c]) : linnet_buf_printf(out, "\\u%04x", c);
    }
    if (!rc) rc = linnet_buf_append(out, text + start, size - start);
    return rc ? rc : linnet_buf_append(out, "\"", 1);
}

static int write_real(struct linnet_buf *out, double value) {
    char text[40];
    /* -0 is 0 to every JavaScript client that hands a document back. */
    int length = snprintf(text, sizeof text, "%.17g", value == 0 ? 0.0 : value);
    /* The decimal point is the locale's. */
    for (int i = 0; i < length; i++)
        if (!strchr("0123456789+-e", text[i])) text[i] = '.';
    return linnet_buf_append(out, text, (size_t)length);
}

static int write_array(struct linnet_buf *out, const json_t *array, int depth) {
    int rc = linnet_buf_append(out, "[", 1);
    size_t i;
    json_t *member;
    json_array_foreach(array, i, member) {
        if (!rc && i) rc = linnet_buf_append(out, ",", 1);
        if (!rc) rc = write_value(out, member, depth + 1);
        if (rc) return rc;
    }
    return rc ? rc : linnet_buf_append(out, "]", 1);
}

struct member {
    const char *key;
    size_t size;
    json_t *value;
};

static int compare_members(const void *left, const void *right) {
    const struct member *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int write_object(struct linnet_buf *out, const json_t *object, int depth) {
    size_t count = json_object_size(object), n = 0;
    if (!count) return linnet_buf_append(out, "{}", 2);
    struct member *members = calloc(count, sizeof *members);
    if (!members) return LINNET_E_NOMEM;
    const char *key;
    size_t size;
    json_t *value;
    json_object_keylen_foreach((json_t *)object, key, size, value) members[n++] =
        (struct member){key, size, value};
    qsort(members, count, sizeof *members, compare_members);
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = linnet_buf_append(out, i ? "," : "{", 1);
        if (!rc) rc = write_string(out, members[i].key, members[i].size);
        if (!rc) rc = linnet_buf_append(out, ":", 1);
        if (!rc) rc = write_value(out, members[i].value, depth + 1);
    }
    free(members);
    return rc ? rc : linnet_buf_append(out, "}", 1);
}

static int write_value(struct linnet_buf *out, const json_t *value, int depth) {
    if (depth > MOST_DEPTH) return LINNET_E_LIMIT;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(out, value, depth);
    case JSON_ARRAY:
        return write_array(out, value, depth);
    case JSON_STRING:
        return write_string(out, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return linnet_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return write_real(out, json_real_value(value));
    case JSON_TRUE:
        return linnet_buf_append(out, "true", 4);
    case JSON_FALSE:
        return linnet_buf_append(out, "false", 5);
    default:
        return linnet_buf_append(out, "null", 4);
    }
}

char *linnet_json_canonical(const json_t *value) {
    struct linnet_buf out = {0};
    if (!value || write_value(&out, value, 0)) {
        linnet_buf_done(&out);
        return NULL;
    }
    return linnet_buf_take(&out, NULL);
}

/* {"leaf.jpg":"md5-…"}: what tells one set of attachments from another. One that has no digest yet (its bytes
 * are inline, the store has not seen it) is told by its bytes. New reference. */
static json_t *attachment_digests(json_t *attachments) {
    json_t *digests = json_object();
    const char *name;
    json_t *attachment;
    json_object_foreach(attachments, name, attachment) {
        json_t *digest = json_object_get(attachment, "digest");
        if (!digest) digest = json_object_get(attachment, "data");
        if (json_object_set_new(digests, name, digest ? json_incref(digest) : json_null())) {
            json_decref(digests);
            return NULL;
        }
    }
    return digests;
}

/* The document's members that count. New reference. */
static json_t *without_underscores(const json_t *document) {
    json_t *kept = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)document, key, value) {
        int failed = 0;
        if (key[0] != '_')
            failed = json_object_set(kept, key, value);
        else if (!strcmp(key, "_attachments") && json_object_size(value))
            failed = json_object_set_new(kept, key, attachment_digests(value));
        if (failed) {
            json_decref(kept);
            return NULL;
        }
    }
    return kept;
}

int linnet_json_digest(const json_t *document, char out[65]) {
    json_t *kept = json_is_object(document) ? without_underscores(document) : json_incref((json_t *)document);
    char *text = linnet_json_canonical(kept);
    json_decref(kept);
    if (!text) return LINNET_E_NOMEM;
    linnet_digest_bytes(text, strlen(text), out);
    free(text);
    return 0;
}
