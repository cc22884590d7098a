/* The stages behind the server, in this process and without a store in the path: a pipeline on the current
 * snapshot of the reference documents. All requests share it, so their pictures share the network's batches.
 *
 * A generation is a snapshot with the stages opened on it. When reference documents change another one is
 * opened and takes the requests that come from then on; the old one is closed when its last request has been
 * answered. Loop thread; opening stages holds the loop up for as long as the model takes to be compiled. */
#ifndef LINNET_SERVE_ENGINE_H
#define LINNET_SERVE_ENGINE_H

#include <stdbool.h>

#include "common/couch/couch.h"
#include "workers/host/pipeline.h"
#include "workers/worker/guest.h"

struct serve_engine;

struct serve_engine_options {
    uv_loop_t *loop;
    const json_t *config; /* the server's: stages, references, cache_dir; borrowed */
    struct linnet_metrics *metrics;
    struct linnet_couch *couch; /* where reference documents are followed; NULL: those of the folder that the
                                   configuration names */
    /* Of a guest: reference documents come by serve_engine_feed, and stages are borrowed. NULL: they do not.
     */
    const struct linnet_guest_host *host;
    void (*changed)(void *arg); /* there is a new generation */
    void *arg;
};

struct serve_catalog;

/* What is true of one generation; the references stay for as long as somebody holds them. */
struct serve_view {
    struct linnet_references *references; /* own reference */
    char model[140];                      /* "<name>@<version>" of the network; "" if unknown */
    const struct serve_catalog *catalog;  /* NULL while it is being made */
};

int serve_engine_open(const struct serve_engine_options *options, struct serve_engine **out,
                      struct linnet_error *err);
/* Of a guest: the documents as they stand now (own reference taken), and which of them are new. */
void serve_engine_feed(struct serve_engine *engine, struct linnet_references *references,
                       const json_t *changed);
/* Of a guest: a stage that was waited for may be open, a borrowed one replaced. Cheap where nothing is new.
 */
void serve_engine_look(struct serve_engine *engine);
bool serve_engine_ready(const struct serve_engine *engine);
/* What it is waiting for, in words. Borrowed until the next change. */
const char *serve_engine_waits_for(const struct serve_engine *engine);
/* The current generation, borrowed. NULL before there is one. */
const struct serve_view *serve_engine_view(const struct serve_engine *engine);
/* As linnet_pipeline_run, on the current generation. LINNET_E_FULL: none is there. */
int serve_engine_run(struct serve_engine *engine, struct linnet_observation *observation,
                     linnet_pipeline_callback *done, void *arg);
/* The same up to the normalized picture, which is kept large (4,096 pixels): what surveys cut into tiles. */
int serve_engine_prepare(struct serve_engine *engine, struct linnet_observation *observation,
                         linnet_pipeline_callback *done, void *arg);
/* Observations under way. */
size_t serve_engine_busy(const struct serve_engine *engine);
void serve_engine_close(struct serve_engine *engine, void (*closed)(void *arg), void *arg);

#endif
