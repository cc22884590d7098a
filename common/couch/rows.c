/* The rows of an answer to _all_docs or _bulk_docs without a tree of the whole: of most documents it says
 * nothing but that they are not there, or that they were written. What does not look as CouchDB ordinarily
 * writes it is read by way of a tree. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/json_reader.h"
#include "common/couch/internal.h"

void couch_rows_done(struct couch_rows *rows) {
    for (size_t i = 0; i < rows->n; i++)
        json_decref(rows->rows[i].document);
    free(rows->rows);
    *rows = (struct couch_rows){0};
}

static struct linnet_couch_row *add(struct couch_rows *rows) {
    if (rows->n == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
        struct linnet_couch_row *grown = realloc(rows->rows, capacity * sizeof *grown);
        if (!grown) return NULL;
        rows->rows = grown;
        rows->capacity = capacity;
    }
    struct linnet_couch_row *row = &rows->rows[rows->n++];
    *row = (struct linnet_couch_row){0};
    return row;
}

/* ---- quickly ---- */

static bool read_once(struct linnet_json_reader *reader, const char **text) {
    size_t size;
    return !*text && linnet_json_read_plain(reader, text, &size);
}

static bool read_flag(struct linnet_json_reader *reader, bool *flag) {
    char first = linnet_json_peek(reader);
    *flag = first == 't';
    return (first == 't' || first == 'f') && linnet_json_skip_value(reader);
}

/* What _all_docs says of a document that is or was there. */
static bool read_value(struct linnet_json_reader *reader, struct linnet_couch_row *row) {
    const char *key;
    size_t size;
    if (!linnet_json_take(reader, '{'))
        return linnet_json_peek(reader) == 'n' && linnet_json_skip_value(reader);
    do {
        if (!linnet_json_read_plain(reader, &key, &size) || !linnet_json_take(reader, ':')) return false;
        bool known = linnet_json_slice_is(key, size, "rev")       ? read_once(reader, &row->revision)
                     : linnet_json_slice_is(key, size, "deleted") ? read_flag(reader, &row->deleted)
                                                                  : false;
        if (!known) return false;
    } while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, '}');
}

static bool read_document(struct linnet_json_reader *reader, struct linnet_couch_row *row) {
    if (row->document) return false;
    json_t *document = linnet_json_read_value(reader);
    if (json_is_object(document))
        row->document = document;
    else
        json_decref(document);
    return document != NULL;
}

static bool read_member(struct linnet_json_reader *reader, struct linnet_couch_row *row) {
    const char *key, *text;
    size_t size;
    bool flag;
    if (!linnet_json_read_plain(reader, &key, &size) || !linnet_json_take(reader, ':')) return false;
    if (linnet_json_slice_is(key, size, "id") || linnet_json_slice_is(key, size, "key"))
        return linnet_json_read_plain(reader, &text, &size);
    if (linnet_json_slice_is(key, size, "rev")) return read_once(reader, &row->revision);
    if (linnet_json_slice_is(key, size, "error")) return read_once(reader, &row->error);
    if (linnet_json_slice_is(key, size, "reason")) return read_once(reader, &row->reason);
    if (linnet_json_slice_is(key, size, "ok")) return read_flag(reader, &flag);
    if (linnet_json_slice_is(key, size, "value")) return read_value(reader, row);
    return linnet_json_slice_is(key, size, "doc") && read_document(reader, row);
}

static bool read_row(struct linnet_json_reader *reader, struct couch_rows *rows) {
    struct linnet_couch_row *row = add(rows);
    reader->no_memory = !row;
    if (!row || !linnet_json_take(reader, '{')) return false;
    do
        if (!read_member(reader, row)) return false;
    while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, '}');
}

static bool read_array(struct linnet_json_reader *reader, struct couch_rows *rows) {
    if (!linnet_json_take(reader, '[')) return false;
    if (linnet_json_take(reader, ']')) return true;
    do
        if (!read_row(reader, rows)) return false;
    while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, ']');
}

/* {"total_rows": …, "offset": …, "rows": […]} */
static bool read_answer(struct linnet_json_reader *reader, struct couch_rows *rows) {
    const char *key;
    size_t size;
    bool found = false;
    if (!linnet_json_take(reader, '{')) return false;
    do {
        if (!linnet_json_read_plain(reader, &key, &size) || !linnet_json_take(reader, ':')) return false;
        bool here = linnet_json_slice_is(key, size, "rows");
        if (here && found) return false;
        found |= here;
        if (!(here ? read_array(reader, rows) : linnet_json_skip_value(reader))) return false;
    } while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, '}') && found;
}

static void terminate(const char *text, const char *end) {
    if (text) *(char *)memchr(text, '"', (size_t)(end - text)) = '\0';
}

static bool read_quickly(char *text, size_t size, struct couch_rows *rows, bool *no_memory) {
    struct linnet_json_reader reader;
    linnet_json_reader_init(&reader, text, size);
    bool whole = linnet_json_peek(&reader) == '[' ? read_array(&reader, rows) : read_answer(&reader, rows);
    whole = whole && linnet_json_peek(&reader) == '\0';
    *no_memory = reader.no_memory;
    linnet_json_reader_done(&reader);
    for (size_t i = 0; whole && i < rows->n; i++) {
        terminate(rows->rows[i].revision, text + size);
        terminate(rows->rows[i].error, text + size);
        terminate(rows->rows[i].reason, text + size);
    }
    return whole;
}

/* ---- by way of a tree ---- */

static int read_tree(const json_t *tree, struct couch_rows *rows) {
    const json_t *array = json_is_array(tree) ? tree : json_object_get(tree, "rows"), *from;
    size_t i;
    if (!json_is_array(array)) return LINNET_E_PARSE;
    json_array_foreach(array, i, from) {
        struct linnet_couch_row *row = add(rows);
        if (!row) return LINNET_E_NOMEM;
        json_t *document = json_object_get(from, "doc");
        row->revision = linnet_json_string(from, "rev", linnet_json_string(from, "value/rev", NULL));
        row->error = linnet_json_string(from, "error", NULL);
        row->reason = linnet_json_string(from, "reason", NULL);
        row->deleted = linnet_json_bool(from, "value/deleted", false);
        if (json_is_object(document)) row->document = json_incref(document);
    }
    return 0;
}

int couch_rows_read(char *text, size_t size, struct couch_rows *rows, json_t **tree) {
    bool no_memory;
    *rows = (struct couch_rows){0};
    if (read_quickly(text, size, rows, &no_memory)) return 0;
    couch_rows_done(rows);
    if (no_memory) return LINNET_E_NOMEM;
    int rc = couch_parse(text, size, tree);
    return rc ? rc : read_tree(*tree, rows);
}
