/* Revisions that need no look: written by this process, or part of an observation when nothing more was due
 * for it. A change that tells one of them is answered at once. They are kept as 64-bit hashes, and one that
 * was forgotten only costs a look. Belongs to one thread.
 *
 * What was written is awaited: the feed will tell it, but behind a backlog that may be after a hundred
 * thousand others, so it does not make place for newer ones. Of all others the newest `capacity` are kept. */
#ifndef LINNET_WORKER_KNOWN_H
#define LINNET_WORKER_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/worker/keyset.h"

struct linnet_known {
    uint64_t *ring; /* of `newest`, in order of arrival */
    size_t capacity, next, count;
    struct linnet_keyset newest;
    struct linnet_keyset awaited, overdue; /* overdue: since before the feed was at its end */
    size_t awaited_limit;
};

/* LINNET_E_NOMEM. `capacity` is rounded up to a power of two. Beyond `awaited_limit` what is written is kept
 * as all others are. */
int linnet_known_init(struct linnet_known *known, size_t capacity, size_t awaited_limit);
void linnet_known_done(struct linnet_known *known);
/* The key of a document at a set of leaf revisions (the winner first, as the feed tells them; the order of
 * the others counts for nothing). */
uint64_t linnet_known_key(const char *id, const char *const *revisions, size_t n);
uint64_t linnet_known_key_one(const char *id, const char *revision);
void linnet_known_add(struct linnet_known *known, uint64_t key);
/* It has just been written. */
void linnet_known_await(struct linnet_known *known, uint64_t key);
bool linnet_known_has(const struct linnet_known *known, uint64_t key);
/* A feed has told it: is it known? If so it is not awaited any more. */
bool linnet_known_tell(struct linnet_known *known, uint64_t key);
/* The feed is at its end: what was awaited the last time, too, and has not come is not going to (something
 * newer took its place before the feed was there). */
void linnet_known_caught_up(struct linnet_known *known);
/* Forget all: what is due has changed (other stages, other fingerprints). */
void linnet_known_clear(struct linnet_known *known);

#endif
