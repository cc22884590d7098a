/* The ledger of one feed: which changes are answered, and so up to where everything is (the low-water mark).
 *
 * A change that needs nothing is passed; one that needs work gets an entry, which is answered when the work
 * is done, in any order. The low-water mark is the seq of the last change before the first unanswered one.
 * Seqs are opaque text: kept, never compared. Belongs to one thread. */
#ifndef LINNET_WORKER_LEDGER_H
#define LINNET_WORKER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linnet_ledger;

/* One change that waits for an answer. Freed by the ledger some time after the last linnet_ledger_answer. */
struct linnet_entry {
    struct linnet_ledger *ledger;
    struct linnet_entry *next;    /* in feed order; the ledger's */
    struct linnet_entry *waiting; /* the holder's own list */
    uint64_t key;                 /* the holder's: which change it is */
    int64_t since; /* monotonic ms when it came; the holder sets it, linnet_ledger_oldest reads it */
    bool unknown;  /* the holder's: tells something that its documents do not hold yet */
    bool answered;
    unsigned holders; /* whose answers are still to come */
    size_t changes;   /* this one and the passed ones behind it */
    size_t capacity;
    char *seq; /* of the last of them */
};

struct linnet_ledger {
    struct linnet_entry *first, *last;
    struct linnet_entry *spare; /* answered entries kept for reuse */
    size_t nspare;
    size_t span;       /* changes from the first unanswered one to the last that came */
    size_t unanswered; /* entries that wait */
    char *low;         /* NULL: nothing to say yet */
    size_t low_capacity;
};

/* Start at `since` (copied; NULL or "": the beginning). LINNET_E_NOMEM. */
int linnet_ledger_init(struct linnet_ledger *ledger, const char *since);
/* Free everything, entries that wait too: their holders must have let go of them. */
void linnet_ledger_done(struct linnet_ledger *ledger);
/* The next change of the feed waits for an answer. NULL: out of memory. */
struct linnet_entry *linnet_ledger_add(struct linnet_ledger *ledger, const char *seq);
/* The next change of the feed needs none. LINNET_E_NOMEM: the mark stays behind, which is safe. */
int linnet_ledger_pass(struct linnet_ledger *ledger, const char *seq);
/* One more holder waits for that change: it is answered when all of them have said so. */
void linnet_ledger_hold(struct linnet_entry *entry);
/* `entry` is answered by one of its holders, who must not touch it after. */
void linnet_ledger_answer(struct linnet_entry *entry);
/* The low-water mark; NULL if there is none yet. Borrowed until the ledger's next call. */
const char *linnet_ledger_low(const struct linnet_ledger *ledger);
/* `since` of the oldest entry that waits, -1 if none does. */
int64_t linnet_ledger_oldest(const struct linnet_ledger *ledger);

#endif
