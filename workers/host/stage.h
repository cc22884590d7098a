/* A stage at work: a plugin with its configuration, its instances on executor threads of their own, and one
 * bounded queue.
 *
 * All calls are the loop thread's. Work goes in by `submit`, is batched by size or delay, processed on an
 * executor thread, and comes back by `done` on the loop thread (one uv_async). This queue is the only place
 * where Linnet crosses threads. */
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
    const char *name;     /* NULL: the plugin's */
    const json_t *config; /* NULL: defaults */
    struct linnet_references *references;
    unsigned threads;   /* 0: what the plugin wants */
    size_t queue_limit; /* most items waiting; 0: 4 batches a thread, at least 64 */
    const char *state_dir;
    struct linnet_metrics *metrics; /* may be NULL */
    /* Told on the executor's thread before and after each process(): the in-flight table of the supervisor.
     * May be NULL. */
    void (*batch_begin)(void *arg, unsigned executor, const char *stage,
                        const struct linnet_item *const *items, size_t n, uint32_t deadline_ms);
    void (*batch_end)(void *arg, unsigned executor);
    void *batch_arg;
    void (*done)(void *arg, struct linnet_stage *stage,
                 struct linnet_work *work); /* the receiver owns `work` */
    void *done_arg;
};

/* Open all instances (on their threads; returns when every one has opened or one has failed, LINNET_E_PLUGIN
 * with its words). */
int linnet_stage_open(uv_loop_t *loop, struct linnet_plugin_file *file,
                      const struct linnet_stage_options *options, struct linnet_stage **out,
                      struct linnet_error *err);
/* Take `work`. LINNET_E_FULL: no room, the caller keeps it. */
int linnet_stage_submit(struct linnet_stage *stage, struct linnet_work *work);
/* No more submits; what is queued is finished; drained(arg) on the loop when the last has come back. */
void linnet_stage_drain(struct linnet_stage *stage, void (*drained)(void *arg), void *arg);
/* Close instances, join threads, free. Work still queued comes back with LINNET_RETRY first. closed(arg) on
 * the loop. */
void linnet_stage_close(struct linnet_stage *stage, void (*closed)(void *arg), void *arg);
const char *linnet_stage_name(const struct linnet_stage *stage);
const struct linnet_plugin *linnet_stage_plugin(const struct linnet_stage *stage);
const char *linnet_stage_fingerprint(const struct linnet_stage *stage); /* 64 hexadecimal digits */
size_t linnet_stage_queued(const struct linnet_stage *stage);           /* waiting and running */
/* An instance for the pure calls `qualifier` and `select`. */
void *linnet_stage_instance(const struct linnet_stage *stage);
/* Scope site: run `snapshot` / `restore` / `tick` on the instance's thread, answer on the loop. */
int linnet_stage_snapshot(struct linnet_stage *stage, const char *position,
                          void (*done)(void *arg, int error), void *arg);
int linnet_stage_restore(struct linnet_stage *stage, void (*done)(void *arg, int error, const char *position),
                         void *arg);
/* What `tick` emitted comes as work without an item (item.ndocs == 0) by the stage's `done`. */
int linnet_stage_tick(struct linnet_stage *stage);

#endif
