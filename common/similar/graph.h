/* A graph of near neighbours (HNSW: Y. Malkov, D. Yashunin, Efficient and robust approximate nearest neighbor
 * search using hierarchical navigable small world graphs, 2018) over vectors that lie elsewhere. usearch does
 * it; without usearch there is none, and who asks is to look at all vectors (LINNET_E_UNSUPPORTED).
 *
 * Vector n is row n of a matrix of vectors of unit length in fixed point (fixed.h); the distance is one minus
 * their product. One thread at a time. The matrix outlives the graph. */
#ifndef LINNET_SIMILAR_GRAPH_H
#define LINNET_SIMILAR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINNET_GRAPH_LINKS 16 /* of a vector, twice that many at the lowest level */
#define LINNET_GRAPH_EFFORT                                                                                  \
    200 /* candidates looked at when a vector is added: in the time that hnswlib takes for 128 */

struct linnet_graph;

struct linnet_graph_vectors {
    const int16_t *rows;
    size_t dims;
};

/* An empty one with room for `n` vectors. LINNET_E_NOMEM, LINNET_E_UNSUPPORTED. */
int linnet_graph_new(const struct linnet_graph_vectors *vectors, size_t n, struct linnet_graph **out);
/* One that was written. `view`: read where it lies, which outlives it, and not to be changed; else copied,
 * with room for `n` vectors. Bytes are trusted: whoever reads them from a file checks them before.
 * LINNET_E_PARSE, LINNET_E_NOMEM, LINNET_E_UNSUPPORTED. */
int linnet_graph_open(const struct linnet_graph_vectors *vectors, const void *bytes, size_t size, bool view,
                      size_t n, struct linnet_graph **out);
void linnet_graph_free(struct linnet_graph *graph); /* NULL is safe */
size_t linnet_graph_size(const struct linnet_graph *graph);
/* Add the next row. LINNET_E_NOMEM, LINNET_E_FULL. */
int linnet_graph_add(struct linnet_graph *graph);
/* Its bytes: how many, and into a buffer of that size. */
size_t linnet_graph_bytes(const struct linnet_graph *graph);
int linnet_graph_write(const struct linnet_graph *graph, void *buffer, size_t size);
/* The `k` nearest rows to a vector of unit length that are wanted (NULL: all), nearest first; `effort`
 * candidates are looked at (at least k). Returns how many; 0 also if there is no memory. */
size_t linnet_graph_find(const struct linnet_graph *graph, const int16_t *query, size_t k, size_t effort,
                         bool (*wanted)(const void *arg, uint32_t row), const void *arg, uint32_t *rows,
                         float *distances);

#ifdef __cplusplus
}
#endif

#endif
