/* A stage as this process has opened it: the plugin's file, the configuration it got, and the bookkeeping
 * around each batch (in-flight table, gate of suspects). The loop's thread, but for the bookkeeping. */
#ifndef LINNET_WORKER_OPENED_H
#define LINNET_WORKER_OPENED_H

#include <jansson.h>
#include <stdbool.h>

#include "workers/host/stage.h"
#include "workers/worker/group.h"
#include "workers/worker/inflight.h"

struct linnet_flow;

struct linnet_opened {
    char name[64];
    struct linnet_stage *stage;
    struct linnet_plugin_file *file;
    json_t *config; /* its part of the worker's configuration */
    struct linnet_suspects *suspects;
    struct linnet_inflight_stage inflight;
    int passed[LINNET_INFLIGHT_SLOTS]; /* through the gate, of each executor */
    bool site;
    struct linnet_flow *flow;
    /* It can't go on here (stage.h); it must be opened anew. */
    void (*failed)(void *arg, struct linnet_opened *opened, const char *reason);
    void *failed_arg;
    unsigned lent; /* to so many pipelines of a guest (guest.h): it closes when all are back */
    bool closing, drain;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* Find the plugin and open its instances. `config` is the stage's part of the configuration. Errors as
 * linnet_group_open. */
int linnet_opened_new(struct linnet_group_context *context, const char *name, const json_t *config,
                      struct linnet_references *references, struct linnet_flow *flow,
                      struct linnet_opened **out, struct linnet_error *err);
/* Drain (if `drain`), close and free; `closed` (may be NULL) then. */
void linnet_opened_close(struct linnet_opened *opened, bool drain, void (*closed)(void *arg), void *arg);
/* A borrower does not need it any more (linnet_group_lend). */
void linnet_opened_return(struct linnet_opened *opened);

/* Where the plugin of a stage lies: a path as it is, else linnet-NAME.so in the folders of `plugin_path`.
 * LINNET_E_NOT_FOUND with all the places that were looked at. */
int linnet_plugin_find(const json_t *plugin_path, const char *name, char *out, size_t size,
                       struct linnet_error *err);

#endif
