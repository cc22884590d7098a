#include "workers/host/queue.h"

void linnet_queue_push(struct linnet_queue *queue, struct linnet_work *work) {
    struct linnet_queue_line *line = &queue->lines[work->priority];
    work->next = NULL;
    if (line->last)
        line->last->next = work;
    else
        line->first = work;
    line->last = work;
    line->size++;
    queue->size++;
}

/* The line whose turn it is; NULL if all are empty. */
static struct linnet_queue_line *next_line(const struct linnet_queue *queue) {
    const struct linnet_queue_line *lines = queue->lines, *backfill = &lines[LINNET_PRIORITY_BACKFILL];
    if (backfill->first && queue->passed >= LINNET_BACKFILL_SHARE - 1)
        return (struct linnet_queue_line *)backfill;
    for (size_t i = 0; i < LINNET_PRIORITIES; i++)
        if (lines[i].first) return (struct linnet_queue_line *)&lines[i];
    return NULL;
}

static struct linnet_work *pop(struct linnet_queue *queue, struct linnet_queue_line *line) {
    struct linnet_work *work = line->first;
    line->first = work->next;
    if (!line->first) line->last = NULL;
    line->size--;
    queue->size--;
    work->next = NULL;
    if (work->priority == LINNET_PRIORITY_BACKFILL || !queue->lines[LINNET_PRIORITY_BACKFILL].first)
        queue->passed = 0;
    else
        queue->passed++;
    return work;
}

struct linnet_work *linnet_queue_take(struct linnet_queue *queue, size_t max) {
    struct linnet_work *batch = NULL, **end = &batch;
    for (size_t n = 0; n < max; n++) {
        struct linnet_queue_line *line = next_line(queue);
        if (!line || (n > 0 && line->first->alone)) break;
        struct linnet_work *work = pop(queue, line);
        *end = work;
        end = &work->next;
        if (work->alone) break;
    }
    return batch;
}

struct linnet_work *linnet_queue_take_all(struct linnet_queue *queue) {
    struct linnet_work *all = NULL, **end = &all;
    for (struct linnet_queue_line *line; (line = next_line(queue));) {
        *end = pop(queue, line);
        end = &(*end)->next;
    }
    return all;
}

uint64_t linnet_queue_due_in(const struct linnet_queue *queue, size_t max, uint64_t delay_ns,
                             uint64_t now_ns) {
    const struct linnet_queue_line *line = next_line(queue);
    if (!line) return UINT64_MAX;
    if (queue->size >= max || line->first->alone || queue->lines[LINNET_PRIORITY_HTTP].first) return 0;
    uint64_t oldest = UINT64_MAX; /* each line is in order of arrival */
    for (size_t i = 0; i < LINNET_PRIORITIES; i++)
        if (queue->lines[i].first && queue->lines[i].first->since_ns < oldest)
            oldest = queue->lines[i].first->since_ns;
    uint64_t waited = now_ns > oldest ? now_ns - oldest : 0;
    return waited >= delay_ns ? 0 : delay_ns - waited;
}
