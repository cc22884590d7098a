/* A stage at work: a plugin with its configuration, its instances on executor threads of their own, and one
 * bounded queue.
 *
 * All calls are the loop thread's. Work goes in by `submit`, is batched by size or delay, processed on an
 * executor thread, and comes back by `done` on the loop thread (one uv_async), in the order in which batches
 * end. This queue is the only place where Linnet crosses threads. Others than its owner may submit to it, too
 * (work->back): their items share batches and executors with the owner's.
 *
 * What a plugin does wrong is kept from the rest: `process` answering non-zero has its batch tried again item
 * by item; an item not finished exactly once comes back with LINNET_RETRY and is logged as the plugin's
 * fault; after LINNET_BROKEN the instance is opened again and the item tried once more. */
#ifndef LINNET_HOST_STAGE_H
#define LINNET_HOST_STAGE_H

#include <linnet/plugin.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "workers/host/plugin.h"
#include "workers/host/references.h"
#include "workers/host/work.h"

struct linnet_stage;

struct linnet_stage_options {
    const char *name;                     /* NULL: the plugin's. [a-z][a-z0-9_]*. Copied */
    const json_t *config;                 /* NULL: defaults. Completed into a copy */
    struct linnet_references *references; /* own reference taken; NULL: an empty snapshot */
    unsigned threads;      /* 0: what the plugin wants: its `instances`, else one if pinned, else one
                              for each processor. Scope `site`: always one */
    size_t queue_limit;    /* most items waiting; 0: 4 batches a thread, at least 64 */
    const char *state_dir; /* copied; NULL: none */
    bool eager; /* a free executor takes what waits at once, without the plugin's delay: batches are then what
                   came while all were busy, and nobody waits for company that may not come */
    struct linnet_metrics *metrics; /* may be NULL; outlives the stage */
    /* Opens sealed locations for the plugin, on any executor's thread; a new reference. NULL: the site has no
     * key. */
    json_t *(*unseal)(const void *arg, const char *sealed);
    const void *unseal_arg;
    /* Told on the executor's thread before and after each process(): the in-flight table of the supervisor.
     * `executor` counts from 0 within the stage. May be NULL. */
    void (*batch_begin)(void *arg, unsigned executor, const char *stage,
                        const struct linnet_item *const *items, size_t n, uint32_t deadline_ms);
    void (*batch_end)(void *arg, unsigned executor);
    void *batch_arg;
    /* Told of each breach of the contract by the plugin, on whatever thread it happened; `done_arg` is its
     * argument. May be NULL. */
    void (*fault)(void *arg, const char *what);
    /* An item has come back; the receiver owns `work`. Never called from inside a call of this header. */
    void (*done)(void *arg, struct linnet_stage *stage, struct linnet_work *work);
    /* The stage can't go on here: the instance of scope `site` broke (its state is lost: own it anew), or no
     * instance can be opened again. All work comes back with LINNET_RETRY from now on. At most once; may be
     * NULL. */
    void (*failed)(void *arg, struct linnet_stage *stage, const char *reason);
    void *done_arg;
};

/* Open all instances, on their threads; returns when every one has opened or one has failed.
 * LINNET_E_INVALID: the configuration; LINNET_E_PLUGIN with the plugin's words; LINNET_E_NOMEM. Nothing is
 * left behind on failure. `file` outlives the stage. */
int linnet_stage_open(uv_loop_t *loop, struct linnet_plugin_file *file,
                      const struct linnet_stage_options *options, struct linnet_stage **out,
                      struct linnet_error *err);
/* Take `work`. LINNET_E_FULL: no room; LINNET_E_CANCELLED: draining or closing. On failure the caller keeps
 * it. */
int linnet_stage_submit(struct linnet_stage *stage, struct linnet_work *work);
/* No more submits; what is queued is finished, then the plugin's `drain` is called on each instance;
 * drained(arg) on the loop when the last work has come back. What `drain` emits (scope `site`) comes as from
 * `tick`. */
void linnet_stage_drain(struct linnet_stage *stage, void (*drained)(void *arg), void *arg);
/* Close instances, join threads, free. Work still queued comes back with LINNET_RETRY first, calls under way
 * with LINNET_E_CANCELLED. closed(arg) (may be NULL) on the loop; the stage is gone then. At most once. */
void linnet_stage_close(struct linnet_stage *stage, void (*closed)(void *arg), void *arg);

const char *linnet_stage_name(const struct linnet_stage *stage);
const struct linnet_plugin *linnet_stage_plugin(const struct linnet_stage *stage);
const char *linnet_stage_fingerprint(const struct linnet_stage *stage); /* 64 hexadecimal digits */
const json_t *linnet_stage_config(const struct linnet_stage *stage);    /* completed; borrowed */
size_t linnet_stage_queued(const struct linnet_stage *stage); /* waiting, running, or on the way back */
size_t linnet_stage_queue_limit(const struct linnet_stage *stage);
unsigned linnet_stage_threads(const struct linnet_stage *stage);
/* An instance for the pure calls `qualifier` and `select`. Never NULL. Ask again at each use: it changes when
 * one broke. */
void *linnet_stage_instance(const struct linnet_stage *stage);

/* Scope site: run `snapshot` / `restore` / `tick` on the instance's thread, in the order of these calls,
 * between batches; answered on the loop. Without such a function of the plugin the answer is 0 (position "").
 * LINNET_E_NOMEM, LINNET_E_LIMIT (a position of more than 1023 bytes): it never runs. */
int linnet_stage_snapshot(struct linnet_stage *stage, const char *position,
                          void (*done)(void *arg, int error), void *arg);
int linnet_stage_restore(struct linnet_stage *stage, void (*done)(void *arg, int error, const char *position),
                         void *arg);
/* What `tick` emitted comes as work without an item (item.ndocs == 0, verdict LINNET_OK, or LINNET_RETRY if
 * `tick` failed: then nothing is to be written) by the stage's `done`. Nothing comes if it emitted nothing.
 * done(arg) (may be NULL) after that. */
int linnet_stage_tick(struct linnet_stage *stage, void (*done)(void *arg), void *arg);

#endif
