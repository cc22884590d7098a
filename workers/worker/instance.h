/* The worker's name: the same across restarts on this machine, and never that of another process that lives.
 *
 * <state_dir>/workers/<n>.json holds it, under a lock (flock) that the supervisor and its child share: it is
 * free only when both are dead. So whoever gets the lock may take over leases of that name without waiting
 * for them to expire. A file from another machine or an earlier boot gives a new name: a copied disk must not
 * make two workers one. */
#ifndef LINNET_WORKER_INSTANCE_H
#define LINNET_WORKER_INSTANCE_H

#include <stddef.h>

#include "common/base/error.h"

/* Take the first free name "<prefix>-<random>". *fd holds the lock (close-on-exec); keep it open.
 * LINNET_E_IO. */
int linnet_instance_take(const char *state_dir, const char *prefix, char *out, size_t size, int *fd,
                         struct linnet_error *err);

#endif
