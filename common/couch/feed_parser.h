/* The text of a _changes feed, cut into changes as its bytes come. No sockets, no loop: bytes in, calls out.
 *
 * Two forms: `feed=continuous` is a row of objects, with empty lines as heartbeats; `feed=normal` is one
 * object,
 * {"results":[…],"last_seq":…}. In both the scanner looks for the end of each inner object and parses it
 * once, where it lies, copying only what crosses the borders between chunks. */
#ifndef LINNET_COUCH_FEED_PARSER_H
#define LINNET_COUCH_FEED_PARSER_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/couch/changes.h"

struct feed_events {
    /* A change. Non-zero stops parsing: what is left of the chunk is dropped, `push` returns that value. */
    int (*change)(void *arg, const struct linnet_change *change);
    /* An empty line. */
    void (*heartbeat)(void *arg);
    /* Is the document of this change wanted? If not it is not even parsed. NULL: always. */
    bool (*wants)(void *arg, const char *id);
};

enum feed_form { FEED_CONTINUOUS, FEED_NORMAL };

struct feed_parser {
    const struct feed_events *events;
    void *arg;
    enum feed_form form;
    int state;
    /* Of the object that is being read. */
    size_t depth;
    bool in_string, escaped;
    bool fresh_line;        /* continuous: nothing but a line's end came since the last line's end */
    struct linnet_buf part; /* its beginning, from earlier chunks; its limit is the limit of a change */
    /* Of an object over the limit: what is kept of it, all but the value of "doc". */
    bool stripping, dropping, key_expected;
    char key[8];
    size_t key_size;
    struct linnet_buf kept;
    /* Results. */
    struct linnet_buf seq;  /* the last one seen, as text */
    bool ended;             /* last_seq was there */
    size_t changes;         /* since `start` */
    long long pending;      /* normal: how many changes are left, -1 if the server does not tell */
    struct linnet_buf tail; /* normal: what follows the results */
    struct linnet_buf id;   /* of the change that `wants` is asked about */
    const char **revisions; /* room for those of one change */
    size_t revisions_capacity;
    struct linnet_error error; /* words for what `push` or `finish` returned */
};

/* `limit`: most bytes of one change; a longer one is delivered without its document. */
void feed_parser_init(struct feed_parser *parser, size_t limit, const struct feed_events *events, void *arg);
void feed_parser_done(struct feed_parser *parser);
/* A new response begins. The last seq is kept. */
void feed_parser_start(struct feed_parser *parser, enum feed_form form);
/* The next bytes (they may be changed). 0, what the change callback returned, LINNET_E_PARSE, LINNET_E_NOMEM,
 * or LINNET_E_SERVER for an error that the server put in the feed. */
int feed_parser_push(struct feed_parser *parser, char *bytes, size_t size);
/* The response has ended. 0 where it may end; LINNET_E_BROKEN in the middle of a change or of the results.
 * Sets parser->ended. */
int feed_parser_finish(struct feed_parser *parser);

/* ---- feed_change.c, for feed_parser.c ---- */
/* An object of the feed. 0, or what feed_parser_push returns. */
int feed_change_deliver(struct feed_parser *parser, char *text, size_t size);
/* The same for an ordinary change that `text` begins with: how long it is (*rc as above). 0, and nothing
 * done, if it is anything else, not whole, or over the limit. */
size_t feed_change_deliver_quickly(struct feed_parser *parser, char *text, size_t size, int *rc);
int feed_change_keep_seq(struct feed_parser *parser, const json_t *seq);

#endif
