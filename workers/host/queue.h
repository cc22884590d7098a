/* What waits for a stage: a list for each priority, and the choice of the next batch. Pure; not thread-safe
 * (a stage's lock guards its queue).
 *
 * The highest priority goes first, but of what is taken while backfill waits, one item in twenty is
 * backfill's, so that it moves under any load. A suspect (work->alone) is a batch of its own. */
#ifndef LINNET_HOST_QUEUE_H
#define LINNET_HOST_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "workers/host/work.h"

/* Of so many items at least one is backfill's, if there is any: 5%. */
#define LINNET_BACKFILL_SHARE 20

struct linnet_queue {
    struct linnet_queue_line {
        struct linnet_work *first, *last;
        size_t size;
    } lines[LINNET_PRIORITIES];
    size_t size;
    unsigned passed; /* items taken since backfill had its last turn, while it waited */
};

/* Zero-filled memory is an empty queue. Put `work` at the end of its line; work->since_ns says since when it
 * waits. */
void linnet_queue_push(struct linnet_queue *queue, struct linnet_work *work);
/* Take the next batch, at most `max` items, linked by `next`; NULL if there are none. */
struct linnet_work *linnet_queue_take(struct linnet_queue *queue, size_t max);
/* Everything at once, linked by `next`. */
struct linnet_work *linnet_queue_take_all(struct linnet_queue *queue);
/* Nanoseconds from `now_ns` until a batch should be taken: 0 at once (full, a suspect next, somebody waits
 * for an answer, or the first has waited `delay_ns`). UINT64_MAX if nothing waits. */
uint64_t linnet_queue_due_in(const struct linnet_queue *queue, size_t max, uint64_t delay_ns,
                             uint64_t now_ns);

#endif
