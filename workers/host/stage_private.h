/* The inside of a stage, shared by stage.c (the loop's side), executor.c (the threads) and services.c (what
 * plugins call). */
#ifndef LINNET_HOST_STAGE_PRIVATE_H
#define LINNET_HOST_STAGE_PRIVATE_H

#include "common/base/digest.h"
#include "workers/host/queue.h"
#include "workers/host/stage.h"

#define LINNET_WHY_SIZE 512

/* One thread with one instance. The thread's own, but for what says otherwise. */
struct linnet_executor {
    struct linnet_stage *stage;
    unsigned index;
    uv_thread_t thread;
    uv_thread_t self; /* as the thread sees itself: services are refused on others */
    bool started;     /* the loop's */
    struct linnet_host host;
    void *instance;     /* NULL after it broke, until another has been opened */
    uint32_t batch_max; /* of the instance: what it wants at once */
    void *retired;      /* executor 0: a broken instance that still answers the loop's pure calls */
    unsigned attempts;  /* to open another, in a row */
    uint64_t retry_ns;  /* when to try again */
    char fingerprint[LINNET_WHY_SIZE]; /* what the plugin answered */
    int open_error;                    /* read by the opener once `opened` was counted */
    char why[LINNET_WHY_SIZE];

    /* The batch or call under way. */
    struct linnet_work **room; /* of a batch, batch_max */
    const struct linnet_item **items;
    struct linnet_work **batch; /* within room */
    size_t nbatch;
    struct linnet_work *loose; /* what `tick` and `drain` emit; NULL outside them */
    json_t *maker;             /* what the last result said of it, for the next one; NULL: none yet */
    bool working;              /* may emit */
    bool out_of_memory;        /* something could not be kept: the batch must come again */
};

enum linnet_call_kind { LINNET_CALL_SNAPSHOT, LINNET_CALL_RESTORE, LINNET_CALL_TICK, LINNET_CALL_DRAIN };

/* Something for one executor to do between batches, and its answer. */
struct linnet_call {
    enum linnet_call_kind kind;
    unsigned executor;
    int error;
    char position[1024]; /* snapshot's argument, restore's answer */
    union {
        void (*snapshot)(void *arg, int error);
        void (*restore)(void *arg, int error, const char *position);
        void (*tick)(void *arg);
    } done;
    void *arg;
    struct linnet_call *next;
};

struct linnet_call_list {
    struct linnet_call *first, *last;
};

struct linnet_stage_metrics {
    struct linnet_metric *verdicts[LINNET_BROKEN + 1];
    struct linnet_metric *processed, *batches, *faults, *reopened, *queued, *batch_seconds;
};

struct linnet_stage {
    /* Fixed at opening. */
    uv_loop_t *loop;
    struct linnet_plugin_file *file;
    const struct linnet_plugin *plugin;
    struct linnet_stage_options options; /* strings are the stage's own */
    char *name, *state_dir;
    json_t *config;
    char fingerprint[LINNET_DIGEST_SIZE];
    struct linnet_stage_metrics metrics;
    struct linnet_executor *executors;
    unsigned nexecutors;
    size_t queue_limit;

    /* The loop's. */
    uv_async_t async;
    void *front; /* the instance for pure calls: executor 0's, or the one that it had before */
    size_t held; /* submitted and not yet given to `done` */
    bool draining, drain_called, failed_told;
    unsigned drain_calls; /* without an answer yet */
    void (*drained_callback)(void *arg);
    void *drained_arg;
    void (*closed_callback)(void *arg);
    void *closed_arg;

    /* Under the lock. */
    uv_mutex_t lock;
    uv_cond_t wake;    /* executors wait for work, calls, closing */
    uv_cond_t changed; /* the opener waits for `opened`, executor 0 for the swap of `front` */
    struct linnet_queue queue;
    struct linnet_work *finished, *finished_last; /* on the way to the loop */
    struct linnet_call_list calls, answers;
    unsigned opened, able, exited; /* executors; `able` have an instance or may get one again */
    bool live;                     /* opened: `async` may be sent to */
    bool hurry;                    /* no more will come: a batch does not wait for company */
    bool closing;
    bool failed;
    char failure[LINNET_WHY_SIZE];
    void *replacement; /* executor 0's new instance, to become `front`; NULL when the loop has taken it */
};

/* executor.c: the thread. `arg` is the executor. */
void linnet_executor_run(void *arg);
/* services.c */
void linnet_services_fill(struct linnet_executor *executor);
/* The plugin broke its contract: log, count, tell. Any thread. */
void linnet_stage_fault(struct linnet_stage *stage, const char *what);
/* stage.c, all under the lock. Hand a chain (by `next`) to the loop, and wake it. */
void linnet_stage_give_back(struct linnet_stage *stage, struct linnet_work *chain);
/* The stage can't go on: say so to the loop, hand back what waits. */
void linnet_stage_fail(struct linnet_stage *stage, const char *reason);
void linnet_call_push(struct linnet_call_list *list, struct linnet_call *call);
/* The first call for an executor, or of all; NULL if there is none. */
struct linnet_call *linnet_call_take(struct linnet_call_list *list, unsigned executor);
#define LINNET_ANY_EXECUTOR ((unsigned)-1)
/* Not under the lock: set verdict and reason (may be NULL) of a work, drop its results. */
void linnet_work_settle(struct linnet_work *work, enum linnet_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
