/* Built where usearch is not there (CMakeLists.txt): no graph, so that all vectors are looked at. */
#include "common/base/error.h"
#include "common/similar/graph.h"

int linnet_graph_new(const struct linnet_graph_vectors *vectors, size_t n, struct linnet_graph **out) {
    (void)vectors, (void)n, (void)out;
    return LINNET_E_UNSUPPORTED;
}

int linnet_graph_open(const struct linnet_graph_vectors *vectors, const void *bytes, size_t size, bool view,
                      size_t n, struct linnet_graph **out) {
    (void)vectors, (void)bytes, (void)size, (void)view, (void)n, (void)out;
    return LINNET_E_UNSUPPORTED;
}

void linnet_graph_free(struct linnet_graph *graph) {
    (void)graph;
}

size_t linnet_graph_size(const struct linnet_graph *graph) {
    (void)graph;
    return 0;
}

int linnet_graph_add(struct linnet_graph *graph) {
    (void)graph;
    return LINNET_E_UNSUPPORTED;
}

size_t linnet_graph_bytes(const struct linnet_graph *graph) {
    (void)graph;
    return 0;
}

int linnet_graph_write(const struct linnet_graph *graph, void *buffer, size_t size) {
    (void)graph, (void)buffer, (void)size;
    return LINNET_E_UNSUPPORTED;
}

size_t linnet_graph_find(const struct linnet_graph *graph, const int16_t *query, size_t k, size_t effort,
                         bool (*wanted)(const void *arg, uint32_t row), const void *arg, uint32_t *rows,
                         float *distances) {
    (void)graph, (void)query, (void)k, (void)effort, (void)wanted, (void)arg, (void)rows, (void)distances;
    return 0;
}
