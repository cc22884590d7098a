/* A range of numbers shared out among threads. */
#ifndef LINNET_CONSENSUS_PARALLEL_H
#define LINNET_CONSENSUS_PARALLEL_H

#include <stdint.h>

/* Work on [begin, end); `thread` counts from 0. */
typedef void linnet_parallel_work(void *arg, unsigned thread, uint32_t begin, uint32_t end);

/* Threads that `wanted` comes to: 0 is one for each processor; at most 64. */
unsigned linnet_parallel_threads(unsigned wanted);
/* Call `work` on [0, n) in pieces, on the calling thread and threads - 1 others; returns when all is done.
 * Where no thread can be had the calling one does it all. */
void linnet_parallel(unsigned threads, uint32_t n, linnet_parallel_work *work, void *arg);
/* The same for a few large things: in pieces of one. */
void linnet_parallel_each(unsigned threads, uint32_t n, linnet_parallel_work *work, void *arg);

#endif
