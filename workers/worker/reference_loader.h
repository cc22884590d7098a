/* Keeps linnet-reference in memory for the stages: follows its changes from the beginning, fetches the files
 * of the models that are in use, and makes an immutable snapshot whenever things have been quiet for a
 * moment.
 *
 * Documents of kind taxon, flora, model, wanted and reviewer are kept; the others of that database (skill)
 * are none of a stage's references. Belongs to the loop's thread; snapshots are built on libuv's pool. */
#ifndef LINNET_WORKER_REFERENCE_LOADER_H
#define LINNET_WORKER_REFERENCE_LOADER_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/couch/couch.h"
#include "workers/host/references.h"

struct linnet_reference_loader;

struct linnet_reference_loader_options {
    uv_loop_t *loop;
    struct linnet_couch *couch; /* borrowed */
    const char *cache_dir; /* model files lie in <cache_dir>/attachments; made if it is not there; copied */
    unsigned quiet_ms;     /* a snapshot is made when nothing has changed for so long; 0: 1000 */
    unsigned patience_ms;  /* or after so long in any case; 0: 10000 */
    /* Is this model ("<name>@<version>") used by a stage's configuration? Asked besides `wanted:` documents.
     * May be NULL. */
    bool (*uses_model)(void *arg, const char *model);
    /* A new snapshot (borrowed: take a reference to keep it). `changed`: ids that differ from the one before;
     * NULL at the first. */
    void (*loaded)(void *arg, struct linnet_references *references, const json_t *changed);
    /* None could be made; the old one stands. Tried again at the next change, or in a while if a file could
     * not be had. */
    void (*failed)(void *arg, const char *detail);
    void *arg;
};

/* Start. LINNET_E_NOMEM; LINNET_E_IO if the cache folder can't be made or written. */
int linnet_reference_loader_open(const struct linnet_reference_loader_options *options,
                                 struct linnet_reference_loader **out, struct linnet_error *err);
/* A document as it is now (newer perhaps than the last snapshot). Borrowed, NULL if there is none. */
json_t *linnet_reference_loader_get(const struct linnet_reference_loader *loader, const char *id);
/* Make a snapshot though nothing has changed (other models may be used after a reload). */
void linnet_reference_loader_refresh(struct linnet_reference_loader *loader);
/* Free; `closed` (may be NULL) when nothing is under way any more. */
void linnet_reference_loader_close(struct linnet_reference_loader *loader, void (*closed)(void *arg),
                                   void *arg);

#endif
