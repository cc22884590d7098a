/* All stages on observations in memory, without a store: what `linnet run`, `linnet eval` and `linnet serve`
 * share. The same plan and the same stages as in a worker; what a worker would write is kept for the caller.
 *
 * Many observations may be under way at once (their items share batches). Loop thread. */
#ifndef LINNET_HOST_PIPELINE_H
#define LINNET_HOST_PIPELINE_H

#include "common/base/schema.h"
#include "workers/host/observation.h"
#include "workers/host/stage.h"

struct linnet_pipeline;

struct linnet_pipeline_stage {
    struct linnet_plugin_file *file; /* outlives the pipeline */
    const char *name;                /* NULL: the plugin's */
    const json_t *config;            /* NULL: defaults */
    const char *state_dir;           /* NULL: none */
    unsigned threads;                /* 0: the options' */
    /* A stage of that plugin that somebody else has opened: its executors and batches are shared, and it must
     * stay open until the pipeline is closed. Its own configuration, references and threads count then, not
     * these. NULL: the pipeline opens one of its own. */
    struct linnet_stage *lent;
};

struct linnet_pipeline_options {
    struct linnet_references *references; /* own reference taken; NULL: an empty snapshot */
    const struct linnet_schemas *schemas; /* outputs are checked by kind; NULL: not */
    struct linnet_metrics *metrics;       /* may be NULL */
    unsigned threads;                     /* of each stage; 0: what its plugin wants */
    bool eager;                           /* of each stage: somebody waits for the answer (stage.h) */
    json_t *(*unseal)(const void *arg, const char *sealed);
    const void *unseal_arg;
    /* A stage that does not open is told here and left out, unless none is left. NULL: it fails the opening.
     */
    void (*left_out)(void *arg, const struct linnet_plugin *plugin, const char *why);
    void *left_out_arg;
};

/* One thing that went wrong, or that a stage passed over. */
struct linnet_pipeline_note {
    const char *stage;           /* the pipeline's */
    char *document;              /* the item's first document */
    enum linnet_verdict verdict; /* SKIP, REJECT, RETRY (in vain); OK: the output breaks its schema */
    char *reason;
};

/* What came of one observation. All is the run's, until the callback returns. */
struct linnet_pipeline_outcome {
    struct linnet_observation *observation; /* the caller's, with the results in it */
    struct linnet_result *results;          /* in the order in which they came; one id may come again */
    size_t nresults;
    struct linnet_pipeline_note *notes;
    size_t nnotes, nfailed; /* notes whose verdict is not SKIP */
    /* Where its time went, by stage in the order of the graph: how long some item of it waited there, and how
     * long some item was worked on; several at once count once. */
    struct linnet_pipeline_time {
        const char *stage; /* the pipeline's */
        double queued_s, process_s;
    } * times;
    size_t ntimes;
};

typedef void linnet_pipeline_callback(void *arg, const struct linnet_pipeline_outcome *outcome);

/* Open all stages, checked as a graph (kinds that no stage produces may be among the documents).
 * LINNET_E_INVALID, LINNET_E_PLUGIN, LINNET_E_NOMEM; what was opened until then closes itself when the loop
 * runs next. */
int linnet_pipeline_open(uv_loop_t *loop, const struct linnet_pipeline_stage *stages, size_t n,
                         const struct linnet_pipeline_options *options, struct linnet_pipeline **out,
                         struct linnet_error *err);
/* Run everything that is due for `observation` (borrowed until `done`; results and their blobs are put into
 * it). Stages of scope `site` get its documents when the others are through. `done` is never called from
 * inside. LINNET_E_NOMEM, LINNET_E_CANCELLED (closing). */
int linnet_pipeline_run(struct linnet_pipeline *pipeline, struct linnet_observation *observation,
                        enum linnet_priority priority, linnet_pipeline_callback *done, void *arg);
/* Items of all runs that have come back. */
size_t linnet_pipeline_processed(const struct linnet_pipeline *pipeline);
size_t linnet_pipeline_stages(const struct linnet_pipeline *pipeline);
struct linnet_stage *linnet_pipeline_stage(struct linnet_pipeline *pipeline,
                                           size_t index); /* in the order of the graph */
/* Close. Runs under way end (their `done` is called, with what they have). closed(arg) on the loop. */
void linnet_pipeline_close(struct linnet_pipeline *pipeline, void (*closed)(void *arg), void *arg);

#endif
