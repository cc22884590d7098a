/* Revisions that need no look: written by this process, or part of an observation when nothing more was due
 * for it. A change that tells one of them is answered at once. The newest `capacity` are kept as 64-bit
 * hashes; one that was forgotten only costs a look. Belongs to one thread. */
#ifndef LINNET_WORKER_KNOWN_H
#define LINNET_WORKER_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linnet_known {
    uint64_t *ring;  /* in order of arrival */
    uint64_t *slots; /* open addressing, 0: empty */
    size_t capacity, mask, next, count;
};

/* LINNET_E_NOMEM. `capacity` is rounded up to a power of two. */
int linnet_known_init(struct linnet_known *known, size_t capacity);
void linnet_known_done(struct linnet_known *known);
/* The key of a document at a set of leaf revisions (the winner first, as the feed tells them; the order of
 * the others counts for nothing). */
uint64_t linnet_known_key(const char *id, const char *const *revisions, size_t n);
uint64_t linnet_known_key_one(const char *id, const char *revision);
void linnet_known_add(struct linnet_known *known, uint64_t key);
bool linnet_known_has(const struct linnet_known *known, uint64_t key);
/* Forget all: what is due has changed (other stages, other fingerprints). */
void linnet_known_clear(struct linnet_known *known);

#endif
