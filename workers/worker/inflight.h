/* The table of batches that are being run, in memory that outlives the process that runs them.
 *
 * The supervisor makes it (a memfd) and hands it to the child. Executor threads of the child enter each batch
 * before `process` and leave it after; the supervisor looks at deadlines while the child lives, and reads the
 * batches that were under way once it has died. A fault in an executor's thread (SIGSEGV, SIGABRT...) leaves
 * its batch's number in the table, so that the batches that happened to run beside it are not suspected. */
#ifndef LINNET_WORKER_INFLIGHT_H
#define LINNET_WORKER_INFLIGHT_H

#include <jansson.h>
#include <linnet/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Most batches at once, and bytes of ids and digests that one batch may leave. Pages that nobody touches cost
 * nothing. */
#define LINNET_INFLIGHT_SLOTS 128
#define LINNET_INFLIGHT_TEXT  (256 * 1024)

struct linnet_inflight;

/* Make a table. *fd is close-on-exec; the caller closes it. LINNET_E_IO, LINNET_E_NOMEM. */
int linnet_inflight_create(struct linnet_inflight **out, int *fd, struct linnet_error *err);
/* Map the table that another process made. LINNET_E_IO; LINNET_E_INVALID if `fd` is no such table. */
int linnet_inflight_attach(int fd, struct linnet_inflight **out, struct linnet_error *err);
/* Unmap. NULL is safe. */
void linnet_inflight_detach(struct linnet_inflight *table);

/* ---- the child ---- */

/* A stage as the table knows it: pass it as `batch_arg` with the two calls below to linnet_stage_open.
 * Zero-filled but for table, plugin and stage; `fingerprint` may be set until the first batch. Owned by the
 * caller, alive as long as the stage. */
struct linnet_inflight_stage {
    struct linnet_inflight *table;
    const struct linnet_plugin *plugin; /* whose LINNET_PRESENCE documents are no inputs; may be NULL */
    char stage[64];
    char fingerprint[65];
    int slots[LINNET_INFLIGHT_SLOTS]; /* of each executor, plus one; 0: none */
};

/* Enter a batch / leave it, on the executor's thread. A full table or a batch too long for its slot is
 * entered as far as it fits: work never waits for bookkeeping. */
void linnet_inflight_begin(void *stage, unsigned executor, const char *name,
                           const struct linnet_item *const *items, size_t n, uint32_t deadline_ms);
void linnet_inflight_end(void *stage, unsigned executor);
/* Install handlers for the signals of a fault that note which batch this thread was running and then let the
 * signal take its course. Once a process, before threads start. */
void linnet_inflight_catch_faults(struct linnet_inflight *table);

/* The document that a batch's item stands for in suspects and dead letters: its first (the trigger). */
const char *linnet_inflight_subject(const struct linnet_item *item);

/* ---- the supervisor ---- */

/* One batch under way. The strings are copies. */
struct linnet_inflight_batch {
    unsigned slot;
    uint32_t generation; /* rises with every batch of this slot */
    int64_t started_ms;  /* monotonic */
    uint32_t deadline_ms;
    bool culprit; /* the fault was in this batch's thread */
    char stage[64];
    char fingerprint[65];
    json_t *items; /* [{"id":…,"inputs":[{"id","digest"}]}]; NULL from linnet_inflight_running. Owned. */
};

/* Call `each` for every batch under way, without its items. The child may be alive. */
void linnet_inflight_running(struct linnet_inflight *table,
                             void (*each)(void *arg, const struct linnet_inflight_batch *batch), void *arg);
/* Take what a dead child left: up to `max` batches with their items, then empty the table. Returns how many.
 * *fault is the signal that its handler saw, 0 if none. Free each with linnet_inflight_batch_done. */
size_t linnet_inflight_take(struct linnet_inflight *table, struct linnet_inflight_batch *out, size_t max,
                            int *fault);
void linnet_inflight_batch_done(struct linnet_inflight_batch *batch);

#endif
