/* Following a database's _changes feed: parsed as it streams, resumed after any break.
 *
 * Belongs to the loop's thread. `style=all_docs` and, if asked for, `include_docs`. First in pages of `feed=normal` up to the
 * end as it stands, then, if it is to go on, by `feed=continuous` with a heartbeat. That one ends with `last_seq` or
 * with a bare EOF, either is followed by the next request. A broken connection is retried with backoff and jitter from
 * the last change that was delivered, so a change may come twice, never not at all. */
#ifndef LINNET_COUCH_CHANGES_H
#define LINNET_COUCH_CHANGES_H

#include "common/couch/couch.h"

struct linnet_changes;

/* One change. Borrowed for the callback; incref `document` to keep it. */
struct linnet_change {
    const char *seq;             /* opaque; numbers (the embedded store's) as text */
    const char *id;
    bool deleted;
    const char *const *revisions; /* all leaf revisions, the winner first */
    size_t nrevisions;
    json_t *document;            /* NULL if the feed does not include documents, or the change was over the line limit */
};

struct linnet_changes_options {
    enum linnet_database database;
    const char *since;           /* NULL or "": from the beginning; copied */
    bool include_docs;
    bool continuous;             /* false: stop at the end as it stands now (feed=normal) */
    long heartbeat_ms;           /* 0: 10000; nothing for three heartbeats (pages: for the request timeout too) breaks the connection */
    size_t line_limit;           /* most bytes of one change; 0: 16 MiB. A longer one is delivered without its document */
    const char *filter_view;     /* "design/view" of filter=_view; NULL: unfiltered */
};

struct linnet_changes_events {
    void (*change)(void *arg, const struct linnet_change *change);
    /* The end as it stood was reached (continuous: whenever there is nothing more to come, at the latest after a heartbeat without
     * changes; normal: once, then the feed is over). What is before `seq` has all been delivered. May be NULL. */
    void (*caught_up)(void *arg, const char *seq);
    /* A break, retried in `retry_ms` (or never again where it is negative: credentials, no such database,
     * a `since` that the server can't read). May be NULL. */
    void (*broken)(void *arg, int error, const char *detail, long retry_ms);
    /* Is this change's document wanted? Where it is not (another member's share, a kind that nobody here consumes), the change comes
     * without it and the text is passed over, which costs a fifth of parsing it. Must be quick. NULL: always. */
    bool (*wants)(void *arg, const char *id);
};

/* LINNET_E_NOMEM, LINNET_E_INVALID, LINNET_E_CANCELLED (the client is closing). Callbacks never run from inside this or any other call
 * here; all of these may be called from the callbacks. */
int linnet_changes_open(struct linnet_couch *couch, const struct linnet_changes_options *options,
                        const struct linnet_changes_events *events, void *arg, struct linnet_changes **out,
                        struct linnet_error *err);
/* Stop taking bytes from the socket (TCP pushes back) and go on. Changes already parsed may still come for one chunk. */
void linnet_changes_pause(struct linnet_changes *changes);
void linnet_changes_resume(struct linnet_changes *changes);
/* No callback runs after this. NULL is fine. */
void linnet_changes_close(struct linnet_changes *changes);

#endif
