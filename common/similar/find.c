#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/similar/fixed.h"
#include "common/similar/internal.h"

#define EFFORT                                                                                               \
    160 /* tests/bench/similar: 136 or so are wanted for a recall of 0.98 of 100,000 pictures' 10 nearest */

/* The best that were found so far, nearest first. */
struct best {
    struct linnet_similar_hit *hits;
    size_t n, k;
};

static void take(struct best *best, uint32_t picture, float distance) {
    size_t at = best->n;
    if (at == best->k && (at == 0 || !(distance < best->hits[at - 1].distance))) return;
    if (at == best->k)
        at--;
    else
        best->n++;
    for (; at > 0 && distance < best->hits[at - 1].distance; at--)
        best->hits[at] = best->hits[at - 1];
    best->hits[at] = (struct linnet_similar_hit){picture, distance};
}

/* What a query looks for, ready to be asked of any picture. */
struct search {
    const struct linnet_similar *similar;
    const struct linnet_similar_query *query;
    const int16_t *vector; /* of unit length */
    struct best best;
};

static bool is_wanted(const void *arg, uint32_t picture) {
    const struct search *search = arg;
    const struct linnet_similar_query *query = search->query;
    if (similar_is_dead(search->similar, picture)) return false;
    const struct similar_record *record = similar_record_at(search->similar, picture);
    return (query->taxa == NULL || query->taxa[record->taxon]) &&
           (query->except == NULL ||
            memcmp(query->except, record->observation, sizeof record->observation) != 0);
}

static void look_at(struct search *search, uint32_t picture) {
    if (!is_wanted(search, picture)) return;
    const int16_t *vector = similar_vector_at(search->similar, picture);
    take(&search->best, picture, 1 - linnet_fixed_dot(search->vector, vector, search->similar->dims));
}

static void look_at_taxa(struct search *search) {
    const struct linnet_similar *similar = search->similar;
    for (size_t taxon = 0; taxon + 1 < similar->nfirst; taxon++)
        for (uint32_t i = similar->first[taxon]; search->query->taxa[taxon] && i < similar->first[taxon + 1];
             i++)
            look_at(search, similar->by_taxon[i]);
}

/* Saved pictures that a query may be answered with. */
static size_t candidates(const struct linnet_similar *similar, const bool *taxa) {
    size_t n = 0;
    if (taxa == NULL) return similar->nrecords;
    for (size_t taxon = 0; taxon + 1 < similar->nfirst; taxon++)
        if (taxa[taxon]) n += similar->first[taxon + 1] - similar->first[taxon];
    return n;
}

static void follow_graph(struct search *search) {
    const struct linnet_similar_query *query = search->query;
    const struct linnet_similar *similar = search->similar;
    bool all = query->taxa == NULL && query->except == NULL && similar->ngone == 0;
    uint32_t *rows = malloc(query->k * (sizeof *rows + sizeof(float)));
    if (rows == NULL) return;
    float *distances = (float *)(rows + query->k);
    size_t n =
        linnet_graph_find(similar->index, search->vector, query->k, query->effort ? query->effort : EFFORT,
                          all ? NULL : is_wanted, search, rows, distances);
    for (size_t i = 0; i < n; i++)
        take(&search->best, rows[i], distances[i]);
    free(rows);
}

/* A vector of that direction and unit length. False: it has none. */
static bool unit(const float *given, size_t dims, int16_t *out) {
    double square = 0;
    for (size_t i = 0; i < dims; i++)
        square += (double)given[i] * (double)given[i];
    if (!(square > 0) || !isfinite(square)) return false;
    float scale = (float)(1 / sqrt(square));
    for (size_t i = 0; i < dims; i++)
        out[i] = linnet_fixed(given[i] * scale);
    return true;
}

size_t linnet_similar_find(const struct linnet_similar *similar, const struct linnet_similar_query *query,
                           struct linnet_similar_hit *hits) {
    int16_t *vector = malloc(similar->dims * sizeof *vector);
    if (vector == NULL || query->k == 0 || !unit(query->vector, similar->dims, vector)) {
        free(vector);
        return 0;
    }
    struct search search = {similar, query, vector, {hits, 0, query->k}};
    size_t saved = candidates(similar, query->taxa),
           exact = query->exact ? query->exact : LINNET_SIMILAR_EXACT;
    if (similar->index != NULL && saved > exact)
        follow_graph(&search);
    else if (query->taxa != NULL)
        look_at_taxa(&search);
    else
        for (uint32_t i = 0; i < similar->nrecords; i++)
            look_at(&search, i);
    for (size_t i = 0; i < similar->ntail; i++)
        look_at(&search, (uint32_t)(similar->nrecords + i));
    free(vector);
    return search.best.n;
}
