/* Who is alive: one `worker:<id>` document each in linnet-ops, written again at each third of the term.
 *
 * Alive is who wrote within the term, by the observer's own monotonic clock since it saw the document's
 * revision change; the clocks of other machines are never asked. A document seen for the first time counts as
 * alive for one term. Everything belongs to the loop's thread. */
#ifndef LINNET_WORKER_MEMBERS_H
#define LINNET_WORKER_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/couch/couch.h"

struct linnet_members;

struct linnet_members_options {
    uv_loop_t *loop;
    struct linnet_couch *couch; /* borrowed */
    const char *id;             /* copied; the document is worker:<id> */
    int64_t term_ms;
    /* What the document says besides _id, _rev, kind, at: at least {"groups":{name:{"standby":bool}}}. A new
     * reference. */
    json_t *(*describe)(void *arg);
    /* A round is over: linnet_members_rank speaks of now. */
    void (*round)(void *arg);
    void *arg;
};

/* Start the rounds, the first at once. LINNET_E_NOMEM. */
int linnet_members_open(const struct linnet_members_options *options, struct linnet_members **out);
/* A round now (something in `describe` has changed that others should know). */
void linnet_members_beat(struct linnet_members *members);
/* How many live members take part in a group (stand not by), this one's place among them in order of id.
 * False: it does not take part itself, or no round has succeeded yet. */
bool linnet_members_rank(const struct linnet_members *members, const char *group, unsigned *rank,
                         unsigned *count);
/* How many documents of other live members were seen. */
unsigned linnet_members_others(const struct linnet_members *members);
/* Write the document a last time, as stopped; `done` then (or after a failure). No more rounds. */
void linnet_members_leave(struct linnet_members *members, void (*done)(void *arg), void *arg);
/* Free. Requests under way are waited for; `closed` (may be NULL) last. */
void linnet_members_close(struct linnet_members *members, void (*closed)(void *arg), void *arg);

#endif
