/* A guest: something else that lives in the child, on its loop, and may borrow the stages that the child has
 * opened, so that their executors, batches and networks are there once (`linnet worker --serve`: the REST
 * API). The child knows it by this only. All on the loop's thread.
 *
 * It is opened when the child starts, before there are reference documents; it is drained before the groups
 * are (who waits for an answer gets it), and what it has borrowed is back when it has closed. */
#ifndef LINNET_WORKER_GUEST_H
#define LINNET_WORKER_GUEST_H

#include <jansson.h>
#include <uv.h>

#include "workers/host/plugin.h"
#include "workers/host/references.h"
#include "workers/worker/opened.h"

/* What the guest gets. All of it outlives the guest. */
struct linnet_guest_host {
    uv_loop_t *loop;
    const json_t *config; /* the guest's part of the worker's configuration ("serve") */
    /* Borrow the stage of that name, plugin and meaning of the configuration; opened->stage is used, and
     * linnet_opened_return gives it back. LINNET_E_NOT_FOUND: this worker has none such; LINNET_E_FULL: it is
     * not open yet. */
    int (*borrow)(void *arg, const char *name, const struct linnet_plugin_file *file, const json_t *config,
                  struct linnet_opened **out);
    void *arg;
};

struct linnet_guest {
    /* `host` is borrowed for the guest's life. */
    int (*open)(const struct linnet_guest_host *host, void **out, struct linnet_error *err);
    /* There is a new snapshot; `changed` as linnet_reference_loader gives it. The stages of the groups are on
     * it. */
    void (*changed)(void *guest, struct linnet_references *references, const json_t *changed);
    /* Now and then: a stage may have been opened, or opened anew. */
    void (*look)(void *guest);
    /* No more requests; answer those that there are, then close; closed(arg). */
    void (*drain)(void *guest, void (*closed)(void *arg), void *arg);
    /* Close now; while it drains: instead of that, and the new `closed` is called. Never from inside. */
    void (*close)(void *guest, void (*closed)(void *arg), void *arg);
    /* After the loop's end. */
    void (*free)(void *guest);
};

#endif
