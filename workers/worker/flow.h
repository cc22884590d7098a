/* The flow: changes in, results out. One per process and group.
 *
 *     changes feed -> dispatch -> task -> gather -> plan -> stage -> writer -> ledger
 *
 * It follows the main database's changes, keeps a task for every observation in work, hands due items to the
 * stages, writes what they make and says up to where all is answered. What it does not know: configuration,
 * leases, processes. Whoever owns it opens stages, tells it which shares are its own, and writes the
 * checkpoints that it tells into the leases.
 *
 * Everything here belongs to the loop's thread. Callbacks run on that thread, never from inside the call that
 * asked for them. */
#ifndef LINNET_WORKER_FLOW_H
#define LINNET_WORKER_FLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/base/schema.h"
#include "common/couch/couch.h"
#include "workers/host/plan.h"
#include "workers/host/stage.h"

/* The work of a group is cut into so many shares, by linnet_share_of(observation, LINNET_SHARES). */
#define LINNET_SHARES 64
/* In place of a share's number: the site lease. */
#define LINNET_SHARE_SITE (-1)

struct linnet_flow;

/* A stage of the group. The flow owns none of it; it must live until it was replaced and has drained, or the
 * flow is closed. */
struct linnet_flow_stage {
    struct linnet_stage *stage;
    enum linnet_policy policy; /* of its `wanted:` document; LINNET_POLICY_NEW without one */
    bool standby; /* another fingerprint is wanted: nothing is given to it. A member that stands by in a stage
                     must own no share (and not the site): what it answered would lack that stage's results */
};

/* What the flow tells. All may be NULL. */
struct linnet_flow_events {
    /* Is the lease of this share (0..63, or LINNET_SHARE_SITE) young enough to write under? Asked before
     * every bulk write; must be cheap. NULL: always. */
    bool (*may_write)(void *arg, int share);
    /* A write was held back because `may_write` said no. The share's work has been dropped and it counts as
     * lost: take the lease again, then gain it again. Once for each loss. */
    void (*late)(void *arg, int share);
    /* Has a batch with this document killed a child before? Then it runs alone. Asked once for each item. */
    bool (*suspect)(void *arg, const char *stage, const char *document);
    /* An item of a suspect ended well: `suspect:<stage>:<document>` has been deleted. */
    void (*cleared)(void *arg, const char *stage, const char *document);
    /* It cannot go on: credentials refused, no such database, out of memory. Close it. At most once. */
    void (*fatal)(void *arg, int error, const char *detail);
};

/* Zero means the default everywhere. */
struct linnet_flow_options {
    uv_loop_t *loop;
    struct linnet_couch *couch;           /* borrowed; closed after the flow */
    struct linnet_metrics *metrics;       /* may be NULL */
    const char *group;                    /* copied */
    const char *worker;                   /* this worker's id, recorded in dead letters; copied */
    const struct linnet_schemas *schemas; /* incoming documents are checked by kind, an invalid one is a dead
                                             letter; NULL: not checked */
    struct linnet_flow_events events;
    void *arg;
    bool partitions; /* unused by the flow itself; kept with linnet_couch_probe's answer for the status */
    /* Bounds. A feed is paused at a high mark and goes on below three quarters of it. */
    size_t tasks_limit;  /* observations in work; 2048 */
    size_t bytes_limit;  /* documents and blobs in memory; 256 MiB */
    size_t span_limit;   /* changes above the low-water mark; 32768 */
    size_t writer_bytes; /* waiting to be written, 64 MiB */
    unsigned gathers;    /* observations read at once; 16 */
    unsigned downloads;  /* blobs read at once; 8 */
    size_t blob_limit;   /* most bytes of one blob; 64 MiB. A bigger one is a dead letter */
    /* Pace. */
    unsigned bulk_documents; /* most documents of one bulk write; 500 */
    size_t bulk_bytes;       /* most bytes of one; 8 MiB */
    unsigned bulk_delay_ms;  /* how long the first document waits for company; 20 */
    unsigned park_ms;        /* an item that fails for so long is parked as `retry:`; 30000 */
    unsigned poll_ms;        /* how often `retry:` and `deadletter:` documents are looked through; 15000 */
    unsigned snapshot_ms;    /* how often site stages are asked to save their state; 5000 */
};

/* Make a flow that owns nothing and follows nothing yet. Strings and events are copied. LINNET_E_INVALID,
 * LINNET_E_NOMEM. */
int linnet_flow_open(const struct linnet_flow_options *options, struct linnet_flow **out,
                     struct linnet_error *err);

/* Give the group's stages: at the start before any share, and again at a reload. Stages are opened with
 * linnet_flow_work_done as `done` and the flow as `done_arg`. At a reload, those left out or replaced get
 * nothing more: drain and close them after this call; what they still hold comes back and is taken. `stages`
 * is copied. LINNET_E_INVALID: two of one name; LINNET_E_NOMEM. */
int linnet_flow_set_stages(struct linnet_flow *flow, const struct linnet_flow_stage *stages, size_t n,
                           struct linnet_error *err);
/* struct linnet_stage_options.done of every stage of the flow. */
void linnet_flow_work_done(void *flow, struct linnet_stage *stage, struct linnet_work *work);
/* Has the group stages of scope observation (it needs shares), of scope site (it needs the site lease)? */
bool linnet_flow_needs_shares(const struct linnet_flow *flow);
bool linnet_flow_needs_site(const struct linnet_flow *flow);

/* ---- shares ---- */

/* A share that has become this process's own. */
struct linnet_flow_gain {
    unsigned share;         /* 0..63 */
    const char *checkpoint; /* where to read on from; NULL or "": from the beginning. It must be of the
                               database as it is now: who takes the lease compares identities */
};
/* Take shares over. Give all of one round in one call: the first call opens the feed at the commonest of
 * their checkpoints; the others, and those of later calls, are caught up by passes of their own.
 * LINNET_E_EXISTS: one is owned already (none was taken). */
int linnet_flow_shares_gained(struct linnet_flow *flow, const struct linnet_flow_gain *gains, size_t n,
                              struct linnet_error *err);
/* Give a share up: its tasks are dropped, nothing of it is written any more, but for writes already sent. No
 * effect if it is not owned. */
void linnet_flow_share_lost(struct linnet_flow *flow, unsigned share);
/* Give a share up in an orderly way: no new work; `done` when all that was under way is written. Read its
 * checkpoint then, before linnet_flow_share_lost. LINNET_E_NOT_FOUND: not owned. */
int linnet_flow_share_release(struct linnet_flow *flow, unsigned share,
                              void (*done)(void *arg, unsigned share), void *arg);
/* The position up to which every change of that share is answered: what to write into the lease at its
 * renewal. NULL: not owned, or nothing to say yet (keep the old one). Borrowed until the loop goes on. */
const char *linnet_flow_checkpoint(const struct linnet_flow *flow, unsigned share);

/* ---- the site lease ---- */

/* This process owns the site: its stages are restored and a feed is followed for them from the position of
 * their state. `generation` goes into every document that they write. */
int linnet_flow_site_gained(struct linnet_flow *flow, uint64_t generation, struct linnet_error *err);
void linnet_flow_site_lost(struct linnet_flow *flow);
/* As linnet_flow_checkpoint: the position of the last snapshot of all site stages. */
const char *linnet_flow_site_checkpoint(const struct linnet_flow *flow);

/* ---- backfill ---- */

/* Recompute what a stage made with other fingerprints, for the shares owned now and later, where that is not
 * done yet: positions are kept in `backfill:<stage>:<fingerprint>-<share>` documents, so it goes on after a
 * restart. Idle time and at least 5% are its own. LINNET_E_NOT_FOUND: no such stage; a second call for a
 * stage does nothing. */
int linnet_flow_backfill(struct linnet_flow *flow, const char *stage, struct linnet_error *err);
void linnet_flow_backfill_stop(struct linnet_flow *flow, const char *stage);

/* ---- the whole ---- */

/* Take in no more changes, finish what is under way (what backs off is parked), save the site's state; then
 * `done`. Checkpoints may be read in `done` and until linnet_flow_close. Whoever calls bounds the wait. */
void linnet_flow_drain(struct linnet_flow *flow, void (*done)(void *arg), void *arg);
/* Stop everything at once. Stages still holding work must be closed first or drain into
 * linnet_flow_work_done, which takes their work until `closed` has run: it runs when no work, request or
 * handle of the flow is left; the flow is freed after it. */
void linnet_flow_close(struct linnet_flow *flow, void (*closed)(void *arg), void *arg);

/* Counts for the heartbeat:
 * {"tasks","bytes","span","paused","lag_ms","changes","answered","shares","catching_up",
 * "stages":{name:{"due","ok","skip","retry","reject","processed","queued"}},"backfill":{name:{"visited","computed","done"}}}.
 * A new reference; NULL: out of memory. */
json_t *linnet_flow_status(const struct linnet_flow *flow);
/* Is the feed connected, and is no share waiting for its turn to be caught up? For /readyz. */
bool linnet_flow_ready(const struct linnet_flow *flow);

/* ---- what commands and supervisor share with it: the documents in linnet-ops ---- */

/* A dead letter: `deadletter:<stage>:<document>`; `inputs` is [{id, digest}] (own reference taken, may be
 * NULL), `class` permanent, crash or deadline. A new reference without _rev; NULL: out of memory. */
json_t *linnet_deadletter_document(const char *stage, const char *fingerprint, const char *document,
                                   const char *reason, const char *class_, unsigned attempts, json_t *inputs,
                                   const char *worker);
/* A parked retry: `retry:<stage>:<document>`, to be taken up again not before `at` (Unix ms). To send a dead
 * letter round again, write this first (at = now), then delete the dead letter: nothing is lost in between.
 */
json_t *linnet_retry_document(const char *stage, const char *document, int64_t at, unsigned attempts,
                              const char *reason);

#endif
