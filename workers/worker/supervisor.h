/* The supervisor: a small process without plugins that keeps a child with plugins at work.
 *
 * It starts the child (this program again), hands it the configuration over a channel, watches its batches'
 * deadlines and its pulse, writes down who is suspected when it dies, and starts the next. It speaks to the
 * service manager, and holds what must outlive a child: the in-flight table, the lock on the worker's name,
 * the monitor's socket.
 *
 * SIGTERM, SIGINT: drain, bounded by supervisor.drain_s; a second one ends at once. SIGHUP: check the
 * configuration and hand it to the child; where that cannot take it (another store), drain and start a new
 * child. */
#ifndef LINNET_WORKER_SUPERVISOR_H
#define LINNET_WORKER_SUPERVISOR_H

#include <stdbool.h>

#include "workers/worker/config.h"

struct linnet_supervisor_options {
    struct linnet_worker_overrides overrides; /* for reading the configuration again */
    bool check;                               /* open everything, say whether it works, end */
    bool once;                                /* end when caught up and idle */
};

/* Run with a configuration (borrowed). Returns the exit code of the command. */
int linnet_supervisor_run(const struct linnet_supervisor_options *options, json_t *config);

#endif
