#include "common/couch/feed_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/couch/internal.h"

enum state {
    BEFORE, /* normal: in front of the results' bracket */
    BETWEEN,
    INSIDE, /* an object */
    AFTER   /* normal: behind the results */
};

/* What follows the results is a seq and a number. A buffer that has grown beyond KEEP_MOST is not kept for
 * the next change. What is left of a change without its document is its leaf revisions, 50 bytes each. */
enum { TAIL_MOST = 65536, KEEP_MOST = 1 << 20, STRIPPED_MOST = 1 << 20 };

static const char PROLOGUE[] = "{\"results\":[";

void feed_parser_init(struct feed_parser *parser, size_t limit, const struct feed_events *events, void *arg) {
    *parser = (struct feed_parser){.events = events, .arg = arg};
    linnet_buf_init(&parser->part, limit);
    linnet_buf_init(&parser->kept, STRIPPED_MOST);
    linnet_buf_init(&parser->tail, TAIL_MOST);
}

void feed_parser_done(struct feed_parser *parser) {
    linnet_buf_done(&parser->part);
    linnet_buf_done(&parser->kept);
    linnet_buf_done(&parser->tail);
    linnet_buf_done(&parser->seq);
    linnet_buf_done(&parser->id);
    free(parser->revisions);
    parser->revisions = NULL;
    parser->revisions_capacity = 0;
}

static void begin_object(struct feed_parser *parser) {
    parser->depth = 0;
    parser->in_string = parser->escaped = false;
    parser->stripping = parser->dropping = parser->key_expected = false;
    parser->key_size = 0;
    linnet_buf_clear(&parser->kept);
    if (parser->part.capacity > KEEP_MOST)
        linnet_buf_done(&parser->part);
    else
        linnet_buf_clear(&parser->part);
}

void feed_parser_start(struct feed_parser *parser, enum feed_form form) {
    parser->form = form;
    parser->state = form == FEED_NORMAL ? BEFORE : BETWEEN;
    parser->fresh_line = true;
    parser->ended = false;
    parser->changes = 0;
    linnet_buf_clear(&parser->tail);
    begin_object(parser);
}

static int fail(struct feed_parser *parser, int code, const char *words) {
    return linnet_error_set(&parser->error, code, "%s", words);
}

static int no_memory(struct feed_parser *parser) {
    return fail(parser, LINNET_E_NOMEM, "out of memory while reading a change");
}

/* ---- an object that is over the limit ---- */

/* One byte of it. At depth 1 the key is told from values by what came before; the value of "doc" becomes
 * null. */
static int strip_byte(struct feed_parser *parser, char c, bool was_in_string) {
    bool outside = !was_in_string && !parser->in_string;
    bool top = parser->depth == 1;
    if (parser->dropping) {
        bool over = outside && ((top && c == ',') || parser->depth == 0);
        if (!over) return 0;
        parser->dropping = false;
    }
    if (outside && top && (c == '{' || c == ',')) {
        parser->key_expected = true;
    } else if (top && parser->key_expected && !was_in_string && c == '"') {
        parser->key_size = 0;
    } else if (top && parser->key_expected && was_in_string && parser->in_string) {
        if (parser->key_size < sizeof parser->key) parser->key[parser->key_size++] = c;
    } else if (outside && top && c == ':') {
        parser->key_expected = false;
        if (parser->key_size == 3 && !memcmp(parser->key, "doc", 3)) {
            parser->dropping = true;
            return linnet_buf_append(&parser->kept, ":null", 5);
        }
    }
    return linnet_buf_append(&parser->kept, &c, 1);
}

/* Move on the state by one byte. True if it closed the object. */
static bool step(struct feed_parser *parser, char c) {
    if (parser->in_string) {
        if (parser->escaped)
            parser->escaped = false;
        else if (c == '\\')
            parser->escaped = true;
        else if (c == '"')
            parser->in_string = false;
    } else if (c == '"') {
        parser->in_string = true;
    } else if (c == '{' || c == '[') {
        parser->depth++;
    } else if (c == '}' || c == ']') {
        return --parser->depth == 0;
    }
    return false;
}

/* Strip bytes until the object ends. How many were used; *rc on failure. */
static size_t strip(struct feed_parser *parser, const char *bytes, size_t size, bool *closed, int *rc) {
    for (size_t i = 0; i < size; i++) {
        bool was_in_string = parser->in_string;
        *closed = step(parser, bytes[i]);
        int full = strip_byte(parser, bytes[i], was_in_string);
        if (full == LINNET_E_NOMEM) *rc = no_memory(parser);
        if (full == LINNET_E_LIMIT)
            *rc = fail(parser, LINNET_E_PARSE, "a change is over the limit, even without its document");
        if (full) return i;
        if (*closed) return i + 1;
    }
    return size;
}

/* The object has outgrown the limit: begin again with what has been collected of it, this time stripping. */
static int begin_stripping(struct feed_parser *parser) {
    bool closed;
    int rc = 0;
    parser->stripping = true;
    parser->depth = 0;
    parser->in_string = parser->escaped = false;
    strip(parser, parser->part.data, parser->part.size, &closed, &rc);
    linnet_buf_done(&parser->part);
    return rc;
}

/* ---- scanning ---- */

/* Where the object that is being read ends, or NULL. This runs over every byte of the feed, so it is written
 * for speed: the state lives in registers, strings are skipped in a loop of their own. */
static const char *scan(struct feed_parser *parser, const char *s, const char *end) {
    size_t depth = parser->depth;
    bool in_string = parser->in_string;
    if (parser->escaped && s < end) {
        parser->escaped = false;
        s++;
    }
    while (s < end) {
        if (in_string) {
            while (s < end && *s != '"' && *s != '\\')
                s++;
            if (s == end) break;
            if (*s == '\\') {
                if (s + 1 == end) {
                    parser->escaped = true;
                    s++;
                    break;
                }
                s += 2;
                continue;
            }
            in_string = false;
            s++;
            continue;
        }
        char c = *s++;
        if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            parser->depth = 0;
            parser->in_string = false;
            return s;
        }
    }
    parser->depth = depth;
    parser->in_string = in_string;
    return NULL;
}

/* An object is whole. */
static int close_object(struct feed_parser *parser, char *text, size_t size) {
    int rc = 0;
    parser->state = BETWEEN;
    if (!feed_change_deliver_quickly(parser, text, size, &rc)) rc = feed_change_deliver(parser, text, size);
    begin_object(parser);
    return rc;
}

/* Bytes of an object. How many were used; *rc on failure. */
static size_t push_inside(struct feed_parser *parser, char *bytes, size_t size, int *rc) {
    if (!parser->stripping) {
        /* The ordinary case: the whole object lies in the chunk and is read in one pass, without a scan for
         * its end. */
        bool first = !parser->part.size && !parser->depth;
        size_t whole = first ? feed_change_deliver_quickly(parser, bytes, size, rc) : 0;
        if (whole) {
            parser->state = BETWEEN;
            return whole;
        }
        const char *end = scan(parser, bytes, bytes + size);
        size_t used = end ? (size_t)(end - bytes) : size;
        if (end && !parser->part.size && (!parser->part.limit || used <= parser->part.limit)) {
            *rc = close_object(parser, bytes, used);
            return used;
        }
        int full = linnet_buf_append(&parser->part, bytes, used);
        if (!full) {
            if (end) *rc = close_object(parser, parser->part.data, parser->part.size);
            return used;
        }
        *rc = full == LINNET_E_LIMIT ? begin_stripping(parser) : no_memory(parser);
        if (*rc) return 0;
    }
    bool closed = false;
    size_t used = strip(parser, bytes, size, &closed, rc);
    if (closed && !*rc) *rc = close_object(parser, parser->kept.data, parser->kept.size);
    return used;
}

/* A byte between objects. */
static int push_between(struct feed_parser *parser, char c) {
    switch (c) {
    case ' ':
    case '\r':
    case '\t':
        return 0;
    case '\n':
        if (parser->form == FEED_CONTINUOUS && parser->fresh_line) parser->events->heartbeat(parser->arg);
        parser->fresh_line = true;
        return 0;
    case '{':
        parser->state = INSIDE;
        parser->fresh_line = false;
        return 0;
    case ',':
        if (parser->form == FEED_NORMAL) return 0;
        break;
    case ']':
        if (parser->form != FEED_NORMAL) break;
        parser->state = AFTER;
        return 0;
    }
    return fail(parser, LINNET_E_PARSE, "the feed is not what CouchDB writes");
}

/* A byte of {"results":[ */
static int push_before(struct feed_parser *parser, char c) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') return 0;
    if (c != PROLOGUE[parser->depth])
        return fail(parser, LINNET_E_PARSE, "the feed does not begin with results");
    if (PROLOGUE[++parser->depth]) return 0;
    parser->depth = 0;
    parser->state = BETWEEN;
    return 0;
}

int feed_parser_push(struct feed_parser *parser, char *bytes, size_t size) {
    int rc = 0;
    while (size && !rc) {
        size_t used = 1;
        switch (parser->state) {
        case BEFORE:
            rc = push_before(parser, *bytes);
            break;
        case BETWEEN:
            rc = push_between(parser, *bytes);
            if (parser->state == INSIDE) used = 0; /* the brace is the object's */
            break;
        case INSIDE:
            used = push_inside(parser, bytes, size, &rc);
            break;
        default:
            used = size;
            rc = linnet_buf_append(&parser->tail, bytes, size);
            if (rc == LINNET_E_NOMEM) no_memory(parser);
            if (rc == LINNET_E_LIMIT) rc = fail(parser, LINNET_E_PARSE, "too much follows the results");
        }
        bytes += used;
        size -= used;
    }
    return rc;
}

int feed_parser_finish(struct feed_parser *parser) {
    if (parser->state == INSIDE)
        return fail(parser, LINNET_E_BROKEN, "the feed ended in the middle of a change");
    if (parser->form == FEED_CONTINUOUS) return 0;
    if (parser->state != AFTER)
        return fail(parser, LINNET_E_BROKEN, "the feed ended in the middle of its results");
    char *comma = parser->tail.data ? strchr(parser->tail.data, ',') : NULL;
    json_t *object = NULL;
    if (comma) {
        *comma = '{'; /* ,"last_seq":…,"pending":0} */
        size_t size = parser->tail.size - (size_t)(comma - parser->tail.data);
        if (linnet_json_load(comma, size, 0, &object, NULL) == LINNET_E_NOMEM) return no_memory(parser);
    }
    json_t *last = json_object_get(object, "last_seq");
    parser->pending = linnet_json_integer(object, "pending", -1);
    int rc = last ? feed_change_keep_seq(parser, last)
                  : fail(parser, LINNET_E_BROKEN, "the feed ended without a last_seq");
    parser->ended = !rc;
    json_decref(object);
    return rc;
}
