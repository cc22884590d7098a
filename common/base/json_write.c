/* JSON values as text: for the wire, and canonical for digests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/decimal.h"
#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/json_reader.h"

/* jansson parses nothing deeper; a value that is (a cycle, say) is refused instead of overflowing the stack.
 */
#define MOST_DEPTH 2048
/* So many members of an object are sorted on the stack, which has to hold MOST_DEPTH of them. */
#define FEW_MEMBERS 16

enum style { WIRE, CANONICAL };

/* What the object is that comes next, where digests are made: a whole document, its _attachments, or
 * anything. */
enum part { ANY, DOCUMENT, ATTACHMENTS };

struct writer {
    struct linnet_buf *out;
    enum style style;
    enum part part;
    int depth;
};

static int write_value(struct writer *writer, const json_t *value);

/* The first byte from `s` on that a string must not hold as it is. */
static const char *find_special(const char *s, const char *end) {
    while ((s = linnet_json_skip_plain(s, end)) < end && (unsigned char)*s >= 0x80)
        s++;
    return s;
}

static int write_escape(struct linnet_buf *out, unsigned char c) {
    static const char *const shorts[256] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
                                            ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    return shorts[c] ? linnet_buf_append(out, shorts[c], 2) : linnet_buf_printf(out, "\\u%04x", c);
}

int linnet_json_write_string(struct linnet_buf *out, const char *text, size_t size) {
    const char *end = text + size, *special;
    int rc = linnet_buf_append(out, "\"", 1);
    while (!rc && (special = find_special(text, end)) < end) {
        rc = linnet_buf_append(out, text, (size_t)(special - text));
        if (!rc) rc = write_escape(out, (unsigned char)*special);
        text = special + 1;
    }
    if (!rc) rc = linnet_buf_append(out, text, (size_t)(end - text));
    return rc ? rc : linnet_buf_append(out, "\"", 1);
}

static int write_real(struct writer *writer, double value) {
    char text[40];
    int length = writer->style == CANONICAL ? linnet_decimal17(value, text) : 0;
    if (length) return linnet_buf_append(writer->out, text, (size_t)length);
    if (value == 0) value = 0; /* -0 is 0 to every JavaScript client that hands a document back */
    for (int digits = writer->style == CANONICAL ? 17 : 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof text, "%.*g", digits, value);
        if (digits == 17 || strtod(text, NULL) == value)
            break; /* on the wire the fewest that read back as the same */
    }
    bool integral = true;
    for (int i = 0; i < length; i++) {
        if (!strchr("0123456789+-e", text[i])) text[i] = '.'; /* the decimal point is the locale's */
        if (text[i] == '.' || text[i] == 'e') integral = false;
    }
    int rc = linnet_buf_append(writer->out, text, (size_t)length);
    /* On the wire a real stays one. */
    return rc || !integral || writer->style == CANONICAL ? rc : linnet_buf_append(writer->out, ".0", 2);
}

static int write_integer(struct writer *writer, json_int_t value) {
    char text[24], *end = text + sizeof text, *s = end;
    unsigned long long rest = value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
    do
        *--s = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--s = '-';
    return linnet_buf_append(writer->out, s, (size_t)(end - s));
}

static int write_array(struct writer *writer, const json_t *array) {
    int rc = linnet_buf_append(writer->out, "[", 1);
    size_t i;
    json_t *member;
    json_array_foreach(array, i, member) {
        if (!rc && i) rc = linnet_buf_append(writer->out, ",", 1);
        if (!rc) rc = write_value(writer, member);
        if (rc) return rc;
    }
    return rc ? rc : linnet_buf_append(writer->out, "]", 1);
}

static int write_member(struct writer *writer, bool first, const char *key, size_t size,
                        const json_t *value) {
    int rc = first ? 0 : linnet_buf_append(writer->out, ",", 1);
    if (!rc) rc = linnet_json_write_string(writer->out, key, size);
    if (!rc) rc = linnet_buf_append(writer->out, ":", 1);
    return rc ? rc : write_value(writer, value);
}

struct member {
    const char *key;
    size_t size;
    const json_t *value;
};

static int compare_members(const void *left, const void *right) {
    const struct member *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* What stands in a digest for a member of _attachments: what tells its bytes from others. One that has no
 * digest yet (its bytes are inline, the store has not seen it) is told by them. */
static const json_t *attachment_identity(const json_t *attachment) {
    const json_t *identity = json_object_get(attachment, "digest");
    if (!identity) identity = json_object_get(attachment, "data");
    return identity ? identity : json_null();
}

/* Is the member left out of a document's digest: an underscore's, but attachments where there are any? */
static bool is_left_out(const char *key, const json_t *value) {
    return key[0] == '_' && (strcmp(key, "_attachments") != 0 || !json_object_size(value));
}

/* By insertion where they are few, as they ordinarily are. */
static void sort_members(struct member *members, size_t n) {
    if (n > FEW_MEMBERS) {
        qsort(members, n, sizeof *members, compare_members);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct member member = members[i];
        size_t place = i;
        for (; place && compare_members(&members[place - 1], &member) > 0; place--)
            members[place] = members[place - 1];
        members[place] = member;
    }
}

static int write_sorted(struct writer *writer, const json_t *object) {
    enum part part = writer->part;
    size_t count = json_object_size(object), n = 0, size;
    struct member few[FEW_MEMBERS], *members = count <= FEW_MEMBERS ? few : calloc(count, sizeof *members);
    if (!members) return LINNET_E_NOMEM;
    const char *key;
    json_t *value;
    json_object_keylen_foreach((json_t *)object, key, size, value) {
        if (part == DOCUMENT && is_left_out(key, value)) continue;
        members[n++] = (struct member){key, size, part == ATTACHMENTS ? attachment_identity(value) : value};
    }
    sort_members(members, n);
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        writer->part = part == DOCUMENT && members[i].key[0] == '_' ? ATTACHMENTS : ANY;
        rc = write_member(writer, i == 0, members[i].key, members[i].size, members[i].value);
    }
    writer->part = ANY;
    if (members != few) free(members);
    return rc;
}

static int write_object(struct writer *writer, const json_t *object) {
    int rc = linnet_buf_append(writer->out, "{", 1);
    if (!rc && writer->style == CANONICAL) {
        rc = write_sorted(writer, object);
    } else if (!rc) {
        const char *key;
        size_t size;
        json_t *value;
        bool first = true;
        json_object_keylen_foreach((json_t *)object, key, size, value) {
            rc = write_member(writer, first, key, size, value);
            if (rc) return rc;
            first = false;
        }
    }
    return rc ? rc : linnet_buf_append(writer->out, "}", 1);
}

static int write_nested(struct writer *writer, const json_t *value) {
    if (writer->depth >= MOST_DEPTH) return LINNET_E_LIMIT;
    writer->depth++;
    int rc = json_is_object(value) ? write_object(writer, value) : write_array(writer, value);
    writer->depth--;
    return rc;
}

static int write_value(struct writer *writer, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return write_nested(writer, value);
    case JSON_STRING:
        return linnet_json_write_string(writer->out, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return write_integer(writer, json_integer_value(value));
    case JSON_REAL:
        return write_real(writer, json_real_value(value));
    case JSON_TRUE:
        return linnet_buf_append(writer->out, "true", 4);
    case JSON_FALSE:
        return linnet_buf_append(writer->out, "false", 5);
    default:
        return linnet_buf_append(writer->out, "null", 4);
    }
}

static int write_whole(struct linnet_buf *out, const json_t *value, enum style style, enum part part) {
    size_t before = out->size;
    struct writer writer = {out, style, part, 0};
    int rc = value ? write_value(&writer, value) : LINNET_E_INVALID;
    if (rc && out->data) out->data[out->size = before] = '\0';
    return rc;
}

int linnet_json_write(struct linnet_buf *out, const json_t *value) {
    return write_whole(out, value, WIRE, ANY);
}

char *linnet_json_canonical(const json_t *value) {
    struct linnet_buf out = {0};
    if (write_whole(&out, value, CANONICAL, ANY)) {
        linnet_buf_done(&out);
        return NULL;
    }
    return linnet_buf_take(&out, NULL);
}

int linnet_json_digest(const json_t *document, char out[65]) {
    /* References are not counted here: the document may be shared between threads. */
    struct linnet_buf text = {0};
    int rc = write_whole(&text, document, CANONICAL, json_is_object(document) ? DOCUMENT : ANY);
    if (!rc) linnet_digest_bytes(text.data, text.size, out);
    linnet_buf_done(&text);
    return rc;
}
