/* One object of a feed, from text to call: quickly where it is what CouchDB ordinarily writes, by jansson
 * where it is not. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/json_reader.h"
#include "common/couch/feed_parser.h"
#include "common/couch/internal.h"

static int fail(struct feed_parser *parser, int code, const char *words) {
    return linnet_error_set(&parser->error, code, "%s", words);
}

static int no_memory(struct feed_parser *parser) {
    return fail(parser, LINNET_E_NOMEM, "out of memory while reading a change");
}

/* ---- any object ---- */

/* Seqs are opaque: a string as it is, anything else as its JSON text (the embedded store's are numbers). Null
 * (seq_interval): the last one stays, which is only ever too early. */
int feed_change_keep_seq(struct feed_parser *parser, const json_t *seq) {
    if (!seq || json_is_null(seq)) return parser->seq.data ? 0 : linnet_buf_append(&parser->seq, "", 0);
    struct linnet_buf text = {0};
    int rc = json_is_string(seq) ? linnet_buf_append(&text, json_string_value(seq), json_string_length(seq))
                                 : linnet_json_write(&text, seq);
    if (rc) {
        linnet_buf_done(&text);
        return no_memory(parser);
    }
    linnet_buf_done(&parser->seq);
    parser->seq = text;
    return 0;
}

static int keep_revision(struct feed_parser *parser, const char *revision, size_t *count) {
    if (*count == parser->revisions_capacity) {
        size_t capacity = *count ? *count * 2 : 8;
        const char **grown = realloc(parser->revisions, capacity * sizeof *grown);
        if (!grown) return no_memory(parser);
        parser->revisions = grown;
        parser->revisions_capacity = capacity;
    }
    parser->revisions[(*count)++] = revision;
    return 0;
}

static int keep_revisions(struct feed_parser *parser, const json_t *changes, size_t *count) {
    size_t i;
    json_t *entry;
    json_array_foreach(changes, i, entry) {
        const char *revision = json_string_value(json_object_get(entry, "rev"));
        int rc = revision ? keep_revision(parser, revision, count) : 0;
        if (rc) return rc;
    }
    return 0;
}

static bool wants(const struct feed_parser *parser, const char *id) {
    return !parser->events->wants || parser->events->wants(parser->arg, id);
}

static int deliver(struct feed_parser *parser, const json_t *object) {
    const char *id = json_string_value(json_object_get(object, "id"));
    json_t *last = json_object_get(object, "last_seq");
    if (!id && last) {
        parser->ended = true;
        return feed_change_keep_seq(parser, last);
    }
    if (!id) {
        const char *error = json_string_value(json_object_get(object, "error"));
        if (!error) return fail(parser, LINNET_E_PARSE, "a line of the feed is no change");
        return linnet_error_set(&parser->error, LINNET_E_SERVER, "the feed ended with an error: %s %s", error,
                                linnet_json_string(object, "reason", ""));
    }
    struct linnet_change change = {.id = id, .deleted = json_is_true(json_object_get(object, "deleted"))};
    int rc = feed_change_keep_seq(parser, json_object_get(object, "seq"));
    if (!rc) rc = keep_revisions(parser, json_object_get(object, "changes"), &change.nrevisions);
    if (rc) return rc;
    json_t *document = json_object_get(object, "doc");
    change.seq = parser->seq.data;
    change.revisions = parser->revisions;
    change.document = json_is_object(document) && wants(parser, id) ? document : NULL;
    parser->changes++;
    return parser->events->change(parser->arg, &change);
}

int feed_change_deliver(struct feed_parser *parser, char *text, size_t size) {
    json_t *object;
    int rc = couch_parse(text, size, &object);
    if (rc)
        return rc == LINNET_E_NOMEM ? no_memory(parser) : fail(parser, rc, "a line of the feed is no JSON");
    rc = deliver(parser, object);
    json_decref(object);
    return rc;
}

/* ---- an ordinary change ---- */

/* What is known of it so far; the texts are slices of the line. */
struct slices {
    const char *id, *seq;
    size_t id_size, seq_size;
    size_t nrevisions;
    bool deleted;
    json_t *document;
};

static bool read_seq(struct linnet_json_reader *reader, struct slices *slices) {
    char first = linnet_json_peek(reader);
    if (first == '"') return linnet_json_read_plain(reader, &slices->seq, &slices->seq_size);
    if (first < '0' || first > '9') return false;
    slices->seq = reader->s;
    while (reader->s < reader->end && *reader->s >= '0' && *reader->s <= '9')
        reader->s++;
    slices->seq_size = (size_t)(reader->s - slices->seq);
    return true;
}

static bool read_revisions(struct feed_parser *parser, struct linnet_json_reader *reader,
                           struct slices *slices) {
    if (!linnet_json_take(reader, '[')) return false;
    if (linnet_json_take(reader, ']')) return true;
    do {
        const char *text;
        size_t size;
        if (!linnet_json_take(reader, '{') || !linnet_json_read_plain(reader, &text, &size) ||
            !linnet_json_slice_is(text, size, "rev") || !linnet_json_take(reader, ':') ||
            !linnet_json_read_plain(reader, &text, &size) || !linnet_json_take(reader, '}'))
            return false;
        if (keep_revision(parser, text, &slices->nrevisions)) {
            reader->no_memory = true;
            return false;
        }
    } while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, ']');
}

/* Whoever is asked gets a terminated id; the line can't be written to before it is known to be one. */
static bool read_document(struct feed_parser *parser, struct linnet_json_reader *reader,
                          struct slices *slices) {
    if (parser->events->wants && slices->id) {
        linnet_buf_clear(&parser->id);
        if (linnet_buf_append(&parser->id, slices->id, slices->id_size)) {
            reader->no_memory = true;
            return false;
        }
        if (!wants(parser, parser->id.data)) return linnet_json_skip_value(reader);
    }
    json_t *document = linnet_json_read_value(reader);
    if (json_is_object(document))
        slices->document = document;
    else
        json_decref(document);
    return document != NULL;
}

static bool read_member(struct feed_parser *parser, struct linnet_json_reader *reader,
                        struct slices *slices) {
    const char *key;
    size_t size;
    if (!linnet_json_read_plain(reader, &key, &size) || !linnet_json_take(reader, ':')) return false;
    if (linnet_json_slice_is(key, size, "seq")) return !slices->seq && read_seq(reader, slices);
    if (linnet_json_slice_is(key, size, "id"))
        return !slices->id && linnet_json_read_plain(reader, &slices->id, &slices->id_size);
    if (linnet_json_slice_is(key, size, "changes"))
        return !slices->nrevisions && read_revisions(parser, reader, slices);
    if (linnet_json_slice_is(key, size, "doc"))
        return !slices->document && read_document(parser, reader, slices);
    if (!linnet_json_slice_is(key, size, "deleted")) return false;
    char first = linnet_json_peek(reader);
    slices->deleted = first == 't';
    return (first == 't' || first == 'f') &&
           linnet_json_read_value(reader); /* the one true or false: nothing to free */
}

static bool read_change(struct feed_parser *parser, struct linnet_json_reader *reader,
                        struct slices *slices) {
    if (!linnet_json_take(reader, '{')) return false;
    do
        if (!read_member(parser, reader, slices)) return false;
    while (linnet_json_take(reader, ','));
    return linnet_json_take(reader, '}') && slices->id && slices->seq;
}

/* Terminate the slices where they lie: each ends at its closing quote, before `end`, which nobody needs any
 * more. */
static void terminate(struct feed_parser *parser, const struct slices *slices, const char *end) {
    ((char *)slices->id)[slices->id_size] = '\0';
    for (size_t i = 0; i < slices->nrevisions; i++) {
        const char *revision = parser->revisions[i];
        *(char *)memchr(revision, '"', (size_t)(end - revision)) = '\0';
    }
}

size_t feed_change_deliver_quickly(struct feed_parser *parser, char *text, size_t size, int *rc) {
    struct slices slices = {0};
    struct linnet_json_reader reader;
    linnet_json_reader_init(&reader, text, size);
    bool is_one = read_change(parser, &reader, &slices), out_of_memory = reader.no_memory;
    size_t used = (size_t)(reader.s - text);
    linnet_json_reader_done(&reader);
    if (parser->part.limit && used > parser->part.limit) is_one = false;
    if (is_one) {
        linnet_buf_clear(&parser->seq);
        out_of_memory = linnet_buf_append(&parser->seq, slices.seq, slices.seq_size) != 0;
    }
    if (out_of_memory) *rc = no_memory(parser);
    if (is_one && !out_of_memory) {
        terminate(parser, &slices, text + used);
        const struct linnet_change change = {parser->seq.data,  slices.id,         slices.deleted,
                                             parser->revisions, slices.nrevisions, slices.document};
        parser->changes++;
        *rc = parser->events->change(parser->arg, &change);
    }
    json_decref(slices.document);
    return is_one || out_of_memory ? used : 0;
}
