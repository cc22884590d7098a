/* What is freed goes back to the system. */
#ifndef LINNET_SERVE_FRUGAL_H
#define LINNET_SERVE_FRUGAL_H

/* For a process that answers now and then: jemalloc keeps freed pages for ten seconds in case they are wanted
 * again, which here are mostly those of pictures and of weights on their way to another order: measured a
 * fifth of the memory at most (Inception v3, 225 to 180 MiB), for no CPU time that could be told. A worker
 * under load wants them kept. Before threads start; without jemalloc it does nothing. */
void serve_be_frugal(void);

#endif
