#include <stdlib.h>
#include <string.h>

#include "common/nn/passes/passes.h"

/* Largest first; then the one that lives earlier, so that the plan does not depend on the sort. */
static int larger_first(const void *a, const void *b) {
    const struct linnet_nn_buffer *x = *(struct linnet_nn_buffer *const *)a,
                                  *y = *(struct linnet_nn_buffer *const *)b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool alive_together(const struct linnet_nn_buffer *a, const struct linnet_nn_buffer *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* Put `buffer` at the lowest place free of those of `placed` (in order of offset) that live with it, and keep
 * the order. */
static void place(struct linnet_nn_buffer *buffer, struct linnet_nn_buffer **placed, size_t n) {
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        if (!alive_together(buffer, placed[i])) continue;
        if (placed[i]->offset >= offset + buffer->size) break;
        if (placed[i]->offset + placed[i]->size > offset) offset = placed[i]->offset + placed[i]->size;
    }
    buffer->offset = offset;
    size_t at = n;
    while (at && placed[at - 1]->offset > offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = buffer;
}

int linnet_nn_plan_memory(struct linnet_nn_buffer *buffers, size_t n, size_t align, size_t *total) {
    struct linnet_nn_buffer **sorted = malloc((n ? 2 * n : 1) * sizeof(struct linnet_nn_buffer *)),
                            **placed = sorted + n;
    if (!sorted) return LINNET_E_NOMEM;
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        buffers[i].size = (buffers[i].size + align - 1) / align * align;
        sorted[i] = &buffers[i];
    }
    qsort(sorted, n, sizeof(struct linnet_nn_buffer *), larger_first);
    for (size_t i = 0; i < n; i++) {
        place(sorted[i], placed, i);
        if (sorted[i]->offset + sorted[i]->size > end) end = sorted[i]->offset + sorted[i]->size;
    }
    free(sorted);
    *total = end;
    return 0;
}
