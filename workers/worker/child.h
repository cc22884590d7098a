/* The process that runs the plugins: started and watched by the supervisor (supervisor.h), told what to do
 * over the channel.
 *
 * It outlives no supervisor (PR_SET_PDEATHSIG), takes its configuration from the channel (never from argv or
 * a file), and leaves in the in-flight table what it was running when it dies. */
#ifndef LINNET_WORKER_CHILD_H
#define LINNET_WORKER_CHILD_H

#include <sys/types.h>

/* Descriptors that the supervisor gives it. The last may be /dev/null. */
enum { LINNET_CHILD_CHANNEL = 3, LINNET_CHILD_TABLE = 4, LINNET_CHILD_LOCK = 5, LINNET_CHILD_LISTEN = 6 };

struct linnet_guest;

/* Run until drained, with a guest (guest.h; NULL: none) where the configuration has a member "serve". Returns
 * the exit status of the process. */
int linnet_child_run(pid_t supervisor, const struct linnet_guest *guest);

#endif
