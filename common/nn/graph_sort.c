/* Dead nodes dropped, the others in topological order. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/graph.h"

/* Mark what the outputs depend on, walking backwards with a stack of our own: a hostile graph may be a chain
 * as long as the limit on nodes. */
static void mark_live(const struct linnet_nn_graph *graph, bool *live, uint32_t *stack) {
    uint32_t depth = 0;
    for (uint32_t i = 0; i < graph->noutputs; i++) {
        uint32_t node = graph->tensors[graph->outputs[i]].producer;
        if (node == LINNET_NN_NONE || live[node]) continue;
        live[node] = true;
        stack[depth++] = node;
    }
    while (depth) {
        const struct linnet_nn_node *node = &graph->nodes[stack[--depth]];
        for (uint32_t i = 0; i < node->ninputs; i++) {
            uint32_t before = graph->tensors[node->inputs[i]].producer;
            if (before == LINNET_NN_NONE || live[before]) continue;
            live[before] = true;
            stack[depth++] = before;
        }
    }
}

/* How many inputs of each live node are still to be made. */
static void count_waiting(const struct linnet_nn_graph *graph, const bool *live, uint32_t *waiting) {
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        waiting[i] = 0;
        if (!live[i]) continue;
        for (uint32_t k = 0; k < graph->nodes[i].ninputs; k++)
            if (graph->tensors[graph->nodes[i].inputs[k]].producer != LINNET_NN_NONE) waiting[i]++;
    }
}

/* A heap of node indexes, the smallest first, so that the order stays as near to the one there was as it can.
 */
static void heap_push(uint32_t *heap, uint32_t *count, uint32_t value) {
    uint32_t at = (*count)++;
    while (at && heap[(at - 1) / 2] > value) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = value;
}

static uint32_t heap_pop(uint32_t *heap, uint32_t *count) {
    uint32_t top = heap[0], last = heap[--(*count)], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= *count) break;
        if (child + 1 < *count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= last) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

/* order[] gets the live nodes in order; returns how many. */
static uint32_t order_nodes(const struct linnet_nn_graph *graph, const bool *live, uint32_t *waiting,
                            uint32_t *heap, uint32_t *order) {
    uint32_t ready = 0, count = 0;
    for (uint32_t i = 0; i < graph->nnodes; i++)
        if (live[i] && !waiting[i]) heap_push(heap, &ready, i);
    while (ready) {
        uint32_t node = heap_pop(heap, &ready);
        order[count++] = node;
        const struct linnet_nn_tensor *made = &graph->tensors[graph->nodes[node].output];
        for (uint32_t i = 0; i < made->nusers; i++)
            if (live[made->users[i]] && !--waiting[made->users[i]]) heap_push(heap, &ready, made->users[i]);
    }
    return count;
}

/* Lay the nodes out anew; `renamed` holds the new index of each, LINNET_NN_NONE for dead ones. */
static void rearrange(struct linnet_nn_graph *graph, const uint32_t *order, uint32_t count, uint32_t *renamed,
                      struct linnet_nn_node *nodes) {
    memset(renamed, 0xff, graph->nnodes * sizeof *renamed);
    for (uint32_t i = 0; i < count; i++) {
        renamed[order[i]] = i;
        nodes[i] = graph->nodes[order[i]];
    }
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        if (renamed[i] != LINNET_NN_NONE) continue;
        free(graph->nodes[i].name);
        free(graph->nodes[i].inputs);
    }
    for (uint32_t i = 0; i < graph->ntensors; i++) {
        struct linnet_nn_tensor *tensor = &graph->tensors[i];
        if (tensor->producer != LINNET_NN_NONE) tensor->producer = renamed[tensor->producer];
        uint32_t kept = 0;
        for (uint32_t k = 0; k < tensor->nusers; k++)
            if (renamed[tensor->users[k]] != LINNET_NN_NONE)
                tensor->users[kept++] = renamed[tensor->users[k]];
        tensor->nusers = kept;
        if (kept || tensor->output) continue;
        linnet_nn_data_unref(tensor->data); /* nobody reads it any more */
        tensor->data = NULL;
    }
    free(graph->nodes);
    graph->nodes = nodes;
    graph->nnodes = count;
}

int linnet_nn_graph_sort(struct linnet_nn_graph *graph) {
    size_t n = graph->nnodes ? graph->nnodes : 1, capacity = 1;
    while (capacity < n)
        capacity *= 2; /* as the growing of nodes expects */
    bool *live = calloc(n, sizeof *live);
    uint32_t *work = malloc(4 * n * sizeof *work);
    struct linnet_nn_node *nodes = malloc(capacity * sizeof *nodes);
    int rc = live && work && nodes ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        uint32_t *waiting = work, *heap = work + n, *order = work + 2 * n, *renamed = work + 3 * n,
                 wanted = 0;
        mark_live(graph, live, heap);
        count_waiting(graph, live, waiting);
        for (uint32_t i = 0; i < graph->nnodes; i++)
            wanted += live[i];
        uint32_t count = order_nodes(graph, live, waiting, heap, order);
        if (count == wanted) {
            rearrange(graph, order, count, renamed, nodes);
            nodes = NULL;
        } else {
            rc = LINNET_E_INVALID;
        }
    }
    free(live);
    free(work);
    free(nodes);
    return rc;
}
