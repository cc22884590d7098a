#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/map.h"
#include "common/similar/internal.h"

/* Four lanes, so that a multiplication does not wait for the one before: as fast as memory is read. */
uint64_t similar_check(const void *data, size_t size) {
    static const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t lane[4] = {1, 2, 3, 4}, word[4];
    const char *bytes = data;
    size_t left = size;
    for (; left >= sizeof word; left -= sizeof word, bytes += sizeof word) {
        memcpy(word, bytes, sizeof word);
        for (size_t i = 0; i < 4; i++)
            lane[i] = ((lane[i] ^ word[i]) * prime) ^ lane[i] >> 29;
    }
    uint64_t sum = linnet_hash(bytes, left) ^ size;
    for (size_t i = 0; i < 4; i++)
        sum = ((sum ^ lane[i]) * prime) ^ sum >> 32;
    return sum;
}

static bool rises(const uint32_t *numbers, size_t n, size_t most) {
    for (size_t i = 0; i < n; i++)
        if (numbers[i] > most || (i > 0 && numbers[i] < numbers[i - 1])) return false;
    return n > 0 && numbers[0] == 0 && numbers[n - 1] == most;
}

/* What can be told without reading more than the head of the file. */
static bool fits(const struct linnet_similar *similar) {
    size_t n = similar->nrecords;
    return similar->dims > 0 && similar->dims <= LINNET_SIMILAR_DIMS && n < LINNET_SIMILAR_NONE &&
           similar->nby_taxon == n && similar->nby_observation == n && similar->ndead <= n &&
           similar->nvectors == n * similar->dims && similar->nposition > 0 &&
           similar->position[similar->nposition - 1] == '\0' &&
           (similar->ntaxa == 0 || similar->taxa[similar->ntaxa - 1] == '\0') &&
           rises(similar->first, similar->nfirst, n);
}

static int take_taxa(struct linnet_similar *similar) {
    const char *id = similar->taxa, *end = similar->taxa + similar->ntaxa;
    for (; id < end; id += strlen(id) + 1) {
        size_t number = similar->ntaxon;
        uint32_t got = similar_taxon_take(similar, id, false);
        if (got == LINNET_SIMILAR_NONE) return LINNET_E_NOMEM;
        if (got != number) return LINNET_E_PARSE; /* twice */
    }
    return similar->ntaxon + 1 == similar->nfirst ? 0 : LINNET_E_PARSE;
}

static int take_dead(struct linnet_similar *similar) {
    similar->gone = calloc(similar->nrecords + 1, 1);
    if (similar->gone == NULL) return LINNET_E_NOMEM;
    for (size_t i = 0; i < similar->ndead; i++) {
        if (similar->dead[i] >= similar->nrecords || similar->gone[similar->dead[i]]) return LINNET_E_PARSE;
        similar->gone[similar->dead[i]] = 1;
    }
    similar->ngone = similar->ndead;
    return 0;
}

int similar_attach(struct linnet_similar *similar, const void *block, size_t size) {
    const struct similar_header *header = block;
    const size_t before = offsetof(struct similar_header, content);
    if (size < sizeof *header || header->magic != SIMILAR_MAGIC || header->size != size ||
        header->check != similar_check((const char *)header + before, sizeof *header - before) ||
        memchr(header->model, '\0', sizeof header->model) == NULL)
        return LINNET_E_PARSE;
#define X(section, type)                                                                                     \
    if (header->section##_at % 64 || header->section##_at > size ||                                          \
        header->section##_count > (size - header->section##_at) / sizeof(type))                              \
        return LINNET_E_PARSE;                                                                               \
    similar->section = (const void *)((const char *)block + header->section##_at);                           \
    similar->n##section = header->section##_count;
    SIMILAR_SECTIONS(X)
#undef X
    memcpy(similar->model, header->model, sizeof similar->model);
    similar->dims = header->dims;
    if (!fits(similar)) return LINNET_E_PARSE;
    int rc = take_taxa(similar);
    return rc == 0 ? take_dead(similar) : rc;
}

static int map(const char *path, struct linnet_similar *similar, struct linnet_error *err) {
    void *block;
    int rc = linnet_map_file(path, &block, &similar->mapped, err);
    similar->header = block;
    return rc == 0 && block == NULL ? LINNET_E_PARSE : rc;
}

/* Where a graph was saved, and this build has graphs. */
static int open_graph(struct linnet_similar *similar) {
    struct linnet_graph_vectors vectors = {similar->vectors, similar->dims};
    if (similar->ngraph == 0) return 0;
    int rc = linnet_graph_open(&vectors, similar->graph, similar->ngraph, true, 0, &similar->index);
    if (rc == LINNET_E_UNSUPPORTED) return 0;
    return rc == 0 && linnet_graph_size(similar->index) != similar->nrecords ? LINNET_E_PARSE : rc;
}

int linnet_similar_open(const char *path, const char *model, struct linnet_similar **out,
                        struct linnet_error *err) {
    struct linnet_similar *similar = calloc(1, sizeof *similar);
    if (similar == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = map(path, similar, err);
    bool mapped = rc == 0;
    if (rc == 0) rc = similar_attach(similar, similar->header, similar->mapped);
    if (rc == 0) rc = open_graph(similar);
    if (rc == LINNET_E_PARSE)
        linnet_error_set(err, rc,
                         "%s is no index of pictures by this version of Linnet, is cut off or damaged", path);
    else if (rc != 0 && mapped)
        linnet_error_set(err, rc, "%s: %s", path, linnet_error_message(rc));
    if (rc == 0 && model != NULL && strcmp(similar->model, model) != 0)
        rc = linnet_error_set(err, LINNET_E_PARSE, "%s is an index of %s, not of %s", path, similar->model,
                              model);
    if (rc != 0) {
        linnet_similar_free(similar);
        return rc;
    }
    *out = similar;
    return 0;
}

/* Numbers and texts of all pictures lead nowhere else. The checksum holds for what was written; this for who
 * wrote it. */
static bool holds_together(const struct linnet_similar *similar) {
    size_t n = similar->nrecords;
    if (n > 0 && (similar->nnotes == 0 || similar->notes[similar->nnotes - 1] != '\0')) return false;
    for (size_t i = 0; i < n; i++) {
        const struct similar_record *record = &similar->records[i];
        if (record->taxon >= similar->ntaxon || record->note >= similar->nnotes ||
            similar->by_taxon[i] >= n || similar->by_observation[i] >= n ||
            memchr(record->observation, '\0', sizeof record->observation))
            return false;
    }
    return true;
}

int linnet_similar_verify(const struct linnet_similar *similar, struct linnet_error *err) {
    const struct similar_header *header = similar->header;
    if (header == NULL || (header->content == similar_check(header + 1, similar->mapped - sizeof *header) &&
                           holds_together(similar)))
        return 0;
    return linnet_error_set(err, LINNET_E_PARSE, "the index of pictures of %s is damaged", similar->model);
}
