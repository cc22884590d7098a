/* The leases of one group: which of its shares this process owns, and since when nobody has confirmed it.
 *
 * A share is an ordinary document `share:<group>:<nn>` in linnet-ops (`_local` documents have no conflict
 * check):
 *   {"kind":"share","group","share","owner":"<worker>"|null,"session","generation","term_ms","checkpoint","identity"}
 * Whoever writes it with the revision that it read owns it: compare and swap. All renewals, takings and
 * givings of a round go in one _bulk_docs. `share:<group>:site` is the site lease, the same but not shared
 * out.
 *
 * Time: an observer takes a lease as expired when its revision has not changed for a term of the observer's
 * own monotonic clock, counted from when it saw it; the owner stops writing half a term after it *began* the
 * last renewal that succeeded. So between two writers lies half a term, whatever their clocks say, and what
 * is slower than that is caught by the revisions of results.
 *
 * `session` is made anew by each child. A lease of our own worker id with another session belonged to a child
 * that the supervisor knows to be dead (or to a worker that held the lock on our name, so is dead too): taken
 * over without waiting.
 *
 * Everything belongs to the loop's thread. */
#ifndef LINNET_WORKER_SHARES_H
#define LINNET_WORKER_SHARES_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "common/couch/couch.h"
#include "workers/worker/flow.h"
#include "workers/worker/members.h"

struct linnet_shares;

/* What happens to leases; called on the loop, outside of any call into this room. None may be NULL. */
struct linnet_shares_events {
    /* These are ours now, with the checkpoints to go on from. All of one round in one call. */
    void (*gained)(void *arg, const struct linnet_flow_gain *gains, size_t n);
    /* This one is no more (taken by another, or given up). After it nothing may be written for it. */
    void (*lost)(void *arg, unsigned share);
    /* Please let go of this one: finish what is under way and then call linnet_shares_released. */
    void (*release)(void *arg, unsigned share);
    /* Up to where all is answered; NULL: nothing to say. Borrowed for the call. */
    const char *(*checkpoint)(void *arg, int share);
    void (*site_gained)(void *arg, uint64_t generation);
    void (*site_lost)(void *arg);
};

struct linnet_shares_options {
    uv_loop_t *loop;
    struct linnet_couch *couch;                      /* borrowed */
    struct linnet_members *members;                  /* borrowed: who shares with us */
    struct linnet_metrics *metrics;                  /* may be NULL */
    const char *group, *worker, *session, *identity; /* of the main database; copied */
    int64_t term_ms;
    bool needs_shares, needs_site;
    struct linnet_shares_events events;
    void *arg;
};

/* Owns nothing yet; rounds begin with the first linnet_shares_round. LINNET_E_NOMEM. */
int linnet_shares_open(const struct linnet_shares_options *options, struct linnet_shares **out);
/* A round as soon as the one under way is over: read all leases, renew, take, give back. Rounds repeat by
 * themselves each third of the term. */
void linnet_shares_round(struct linnet_shares *shares);
/* May results of this share (LINNET_SHARE_SITE: of the site) be written now? Cheap. */
bool linnet_shares_may_write(const struct linnet_shares *shares, int share);
/* Whoever worked on the share has dropped it because of that: it is gained anew at the next renewal that
 * succeeds. */
void linnet_shares_late(struct linnet_shares *shares, int share);
/* The answer to `release`: its lease is given back with its last checkpoint in the next round. */
void linnet_shares_released(struct linnet_shares *shares, unsigned share);
/* What the group's stages need may change at a reload. */
void linnet_shares_set_needs(struct linnet_shares *shares, bool needs_shares, bool needs_site);
/* No more taking and giving: the next rounds only renew. Before a drain, so that what is under way may still
 * be written. */
void linnet_shares_hold(struct linnet_shares *shares);
/* Give everything back with the last checkpoints, in one write; `done` then, or after a failure. No more
 * rounds. */
void linnet_shares_leave(struct linnet_shares *shares, void (*done)(void *arg), void *arg);
/* Free; `closed` (may be NULL) when no request is left. Leases are kept as they are and expire. */
void linnet_shares_close(struct linnet_shares *shares, void (*closed)(void *arg), void *arg);

/* How many shares are ours and given to the flow; how many the group needs us to have at the moment; do we
 * own the site? */
unsigned linnet_shares_owned(const struct linnet_shares *shares);
unsigned linnet_shares_target(const struct linnet_shares *shares);
bool linnet_shares_owns_site(const struct linnet_shares *shares);
/* Has a round succeeded within the last term? */
bool linnet_shares_fresh(const struct linnet_shares *shares);

#endif
