#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/similar/internal.h"

/* A file that is being made: its head and everything but the graph is mapped and filled in place, then the
 * graph is made of it and written behind. */
struct making {
    const struct linnet_similar *similar;
    uint32_t *from; /* of each picture of the file: its number in the index */
    uint32_t *to;   /* the other way round; LINNET_SIMILAR_NONE: left out */
    size_t n, before_graph;
    bool compact; /* numbered anew: an old graph is of no use */
    struct similar_header header;
    char *block; /* mapped */
    int fd;
};

static bool keeps_dead(const struct linnet_similar *similar) {
    return similar->ngone * SIMILAR_COMPACT < similar->nrecords;
}

/* Which pictures are written: those that can be found, and, as long as they are few, the saved ones that
 * can't be, whose places the graph knows. */
static bool choose(struct making *making) {
    const struct linnet_similar *similar = making->similar;
    size_t all = linnet_similar_numbers(similar);
    making->from = malloc((all + 1) * sizeof *making->from);
    making->to = malloc((all + 1) * sizeof *making->to);
    if (making->from == NULL || making->to == NULL) return false;
    making->compact = !keeps_dead(similar);
    for (size_t i = 0; i < all; i++) {
        bool kept = !similar_is_dead(similar, i) || (i < similar->nrecords && !making->compact);
        making->to[i] = kept ? (uint32_t)making->n : LINNET_SIMILAR_NONE;
        if (kept) making->from[making->n++] = (uint32_t)i;
    }
    return true;
}

/* ---- the layout ---- */

static void place(struct making *making, uint64_t *at, uint64_t *count, size_t n, size_t size) {
    *at = (making->before_graph + 63) / 64 * 64;
    *count = n;
    making->before_graph = *at + n * size;
}

static void lay_out(struct making *making, const char *position) {
    const struct linnet_similar *similar = making->similar;
    struct similar_header *header = &making->header;
    size_t taxa = 0, notes = 0, dead = 0;
    for (size_t i = 0; i < similar->ntaxon; i++)
        taxa += strlen(similar->taxon[i]->id) + 1;
    for (size_t i = 0; i < making->n; i++) {
        notes += strlen(similar_note_at(similar, making->from[i])) + 1;
        dead += similar_is_dead(similar, making->from[i]);
    }
    making->before_graph = sizeof *header;
#define PLACE(section, n, type)                                                                              \
    place(making, &header->section##_at, &header->section##_count, n, sizeof(type))
    PLACE(position, strlen(position) + 1, char);
    PLACE(taxa, taxa, char);
    PLACE(first, similar->ntaxon + 1, uint32_t);
    PLACE(by_taxon, making->n, uint32_t);
    PLACE(by_observation, making->n, uint32_t);
    PLACE(dead, dead, uint32_t);
    PLACE(records, making->n, struct similar_record);
    PLACE(notes, notes, char);
    PLACE(vectors, making->n * similar->dims, int16_t);
    PLACE(graph, 0, char);
#undef PLACE
    making->before_graph = header->graph_at;
}

/* ---- the contents ---- */

static void write_pictures(struct making *making) {
    const struct linnet_similar *similar = making->similar;
    struct similar_record *records = (void *)(making->block + making->header.records_at);
    int16_t *vectors = (void *)(making->block + making->header.vectors_at);
    uint32_t *dead = (void *)(making->block + making->header.dead_at);
    char *notes = making->block + making->header.notes_at;
    size_t text = 0, ndead = 0;
    for (size_t i = 0; i < making->n; i++) {
        uint32_t from = making->from[i];
        const char *note = similar_note_at(similar, from);
        size_t size = strlen(note) + 1;
        records[i] = *similar_record_at(similar, from);
        records[i].flags = 0;
        records[i].note = text;
        if (records[i].twin != LINNET_SIMILAR_NONE) records[i].twin = making->to[records[i].twin];
        memcpy(notes + text, note, size);
        text += size;
        memcpy(vectors + i * similar->dims, similar_vector_at(similar, from),
               similar->dims * sizeof *vectors);
        if (similar_is_dead(similar, from)) dead[ndead++] = (uint32_t)i;
    }
}

/* Pictures by their taxon: counted, then put in their places. */
static void write_taxa(struct making *making) {
    const struct linnet_similar *similar = making->similar;
    const struct similar_record *records = (const void *)(making->block + making->header.records_at);
    uint32_t *first = (void *)(making->block + making->header.first_at),
             *by_taxon = (void *)(making->block + making->header.by_taxon_at);
    char *taxa = making->block + making->header.taxa_at;
    memset(first, 0, (similar->ntaxon + 1) * sizeof *first);
    for (size_t i = 0; i < similar->ntaxon; i++)
        taxa = stpcpy(taxa, similar->taxon[i]->id) + 1;
    for (size_t i = 0; i < making->n; i++)
        first[records[i].taxon + 1]++;
    for (size_t i = 0; i < similar->ntaxon; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < making->n; i++) /* first[t] is the next place now, and its end after */
        by_taxon[first[records[i].taxon]++] = (uint32_t)i;
    for (size_t i = similar->ntaxon; i > 0; i--)
        first[i] = first[i - 1];
    first[0] = 0;
}

static int by_observation(const void *a, const void *b, void *arg) {
    const struct similar_record *records = arg;
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    int order = memcmp(records[one].observation, records[other].observation, sizeof records->observation);
    return order != 0 ? order : (one > other) - (one < other);
}

static void write_order(struct making *making) {
    uint32_t *order = (void *)(making->block + making->header.by_observation_at);
    for (size_t i = 0; i < making->n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, making->n, sizeof *order, by_observation, making->block + making->header.records_at);
}

/* ---- the graph ---- */

static int grow_graph(struct making *making, struct linnet_graph **out) {
    const struct linnet_similar *similar = making->similar;
    struct linnet_graph_vectors vectors = {(const void *)(making->block + making->header.vectors_at),
                                           similar->dims};
    struct linnet_graph *graph = NULL;
    int rc = similar->index != NULL && !making->compact
                 ? linnet_graph_open(&vectors, similar->graph, similar->ngraph, false, making->n, &graph)
                 : linnet_graph_new(&vectors, making->n, &graph);
    while (rc == 0 && linnet_graph_size(graph) < making->n)
        rc = linnet_graph_add(graph);
    if (rc != 0) {
        linnet_graph_free(graph);
        return rc;
    }
    *out = graph;
    return 0;
}

static int map_more(struct making *making, size_t size) {
    if (making->block != NULL) munmap(making->block, making->header.size);
    making->block = NULL;
    int rc = posix_fallocate(making->fd, 0, (off_t)size); /* a full disk is an error, not a signal */
    void *block = rc == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, making->fd, 0) : MAP_FAILED;
    if (rc != 0) errno = rc;
    if (block == MAP_FAILED) return LINNET_E_IO;
    making->block = block;
    making->header.size = size;
    return 0;
}

static int write_graph(struct making *making, size_t least) {
    struct linnet_graph *graph;
    if (making->n < least) return 0;
    int rc = grow_graph(making, &graph);
    if (rc == LINNET_E_UNSUPPORTED) return 0;
    if (rc != 0) return rc;
    size_t size = linnet_graph_bytes(graph);
    char *bytes = malloc(size + 1);
    rc = bytes != NULL ? linnet_graph_write(graph, bytes, size) : LINNET_E_NOMEM;
    linnet_graph_free(graph); /* before its vectors move */
    if (rc == 0) rc = map_more(making, making->before_graph + size);
    if (rc == 0) memcpy(making->block + making->before_graph, bytes, size);
    if (rc == 0) making->header.graph_count = size;
    free(bytes);
    return rc;
}

static int write_all(struct making *making, const char *position, size_t graph) {
    struct similar_header *header = &making->header;
    lay_out(making, position);
    int rc = map_more(making, making->before_graph);
    if (rc != 0) return rc;
    strcpy(making->block + header->position_at, position);
    write_pictures(making);
    write_taxa(making);
    write_order(making);
    rc = write_graph(making, graph != 0 ? graph : LINNET_SIMILAR_EXACT);
    if (rc != 0) return rc;
    header->magic = SIMILAR_MAGIC;
    header->dims = making->similar->dims;
    memcpy(header->model, making->similar->model, sizeof header->model);
    header->content = similar_check(making->block + sizeof *header, header->size - sizeof *header);
    const size_t before = offsetof(struct similar_header, content);
    header->check = similar_check((const char *)header + before, sizeof *header - before);
    memcpy(making->block, header, sizeof *header);
    return msync(making->block, header->size, MS_SYNC) == 0 && fsync(making->fd) == 0 ? 0 : LINNET_E_IO;
}

int linnet_similar_save(const struct linnet_similar *similar, const char *path, const char *position,
                        size_t graph, struct linnet_error *err) {
    struct making making = {.similar = similar, .fd = -1};
    char part[4096];
    int length = snprintf(part, sizeof part, "%s.part-%d", path, (int)getpid()), rc = LINNET_E_NOMEM;
    if (length >= (int)sizeof part) return linnet_error_set(err, LINNET_E_LIMIT, "%s: too long a path", path);
    if (choose(&making)) {
        making.fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        rc = making.fd >= 0 ? write_all(&making, position, graph) : LINNET_E_IO;
    }
    if (rc == 0 && rename(part, path) != 0) rc = LINNET_E_IO;
    if (rc != 0)
        linnet_error_set(err, rc, "%s: %s", path,
                         rc == LINNET_E_IO ? strerror(errno) : linnet_error_message(rc));
    if (rc != 0 && making.fd >= 0) unlink(part);
    if (making.block != NULL) munmap(making.block, making.header.size);
    if (making.fd >= 0) close(making.fd);
    free(making.from);
    free(making.to);
    return rc;
}
