/* What the files of this room share: an index in memory, and the file that it is saved to. */
#ifndef LINNET_SIMILAR_INTERNAL_H
#define LINNET_SIMILAR_INTERNAL_H

#include <uthash.h>

#include "common/similar/graph.h"
#include "common/similar/similar.h"

#define SIMILAR_MAGIC   UINT64_C(0x32726c6d69536e4c) /* "LnSimlr2", in the machine's own order */
#define SIMILAR_DEAD    1U
#define SIMILAR_COMPACT 4 /* one in so many dead: numbered anew, with a graph from the start */

/* All of a picture but its embedding. */
struct similar_record {
    char observation[26];
    uint8_t flags, reserved;
    uint32_t taxon;
    uint8_t digest[32];
    uint64_t note; /* in the notes, ended by NUL */
    uint32_t twin;
    float twin_distance;
};

/*        section        type                   what */
#define SIMILAR_SECTIONS(X)                                                                                  \
    X(position, char)           /* the feed's, ended by NUL */                                               \
    X(taxa, char)               /* ids, each ended by NUL */                                                 \
    X(first, uint32_t)          /* of each taxon, in by_taxon; one more: the end */                          \
    X(by_taxon, uint32_t)       /* pictures */                                                               \
    X(by_observation, uint32_t) /* pictures, in the order of their observations */                           \
    X(dead, uint32_t)           /* pictures that were taken out */                                           \
    X(records, struct similar_record)                                                                        \
    X(notes, char)                                                                                           \
    X(vectors, int16_t)                                                                                      \
    X(graph, char) /* empty: there is none */

struct similar_header {
    uint64_t magic, size;
    uint64_t check;   /* of the rest of the header */
    uint64_t content; /* of what follows the header */
    uint64_t dims;
    char model[LINNET_SIMILAR_MODEL];
#define X(name, type) uint64_t name##_at, name##_count;
    SIMILAR_SECTIONS(X)
#undef X
};

struct similar_taxon {
    const char *id; /* the file's, or owned */
    char *owned;    /* or NULL */
    uint32_t number;
    UT_hash_handle hh;
};

struct linnet_similar {
    char model[LINNET_SIMILAR_MODEL];
    size_t dims;
    /* what was saved: a mapped file; all zero without one */
    struct similar_header *header; /* read only */
    size_t mapped;
#define X(name, type)                                                                                        \
    const type *name;                                                                                        \
    size_t n##name;
    SIMILAR_SECTIONS(X)
#undef X
    struct linnet_graph *index; /* NULL: none */
    uint8_t *gone;              /* a byte for each saved picture: taken out, by the file or since */
    size_t ngone;
    /* the tail; its pictures' numbers follow those of the saved */
    struct similar_record *tail;
    int16_t *tail_vectors;
    char *tail_notes;
    size_t ntail, tail_room, tail_gone, tail_text, tail_text_room;
    /* taxa of both, by number and by id */
    struct similar_taxon **taxon, *taxon_ids;
    size_t ntaxon, taxon_room;
    size_t changes;
};

/* file.c: point the sections into a mapped block. LINNET_E_PARSE. */
int similar_attach(struct linnet_similar *similar, const void *block, size_t size);
/* A checksum of many bytes, eight at a time. */
uint64_t similar_check(const void *data, size_t size);

/* taxa.c: the number of a taxon, made if it is new. LINNET_SIMILAR_NONE: out of memory. */
uint32_t similar_taxon_take(struct linnet_similar *similar, const char *id, bool own);
void similar_taxa_free(struct linnet_similar *similar);

static inline const struct similar_record *similar_record_at(const struct linnet_similar *similar, size_t n) {
    return n < similar->nrecords ? &similar->records[n] : &similar->tail[n - similar->nrecords];
}

static inline const int16_t *similar_vector_at(const struct linnet_similar *similar, size_t n) {
    return n < similar->nrecords ? similar->vectors + n * similar->dims
                                 : similar->tail_vectors + (n - similar->nrecords) * similar->dims;
}

static inline const char *similar_note_at(const struct linnet_similar *similar, size_t n) {
    const struct similar_record *record = similar_record_at(similar, n);
    return (n < similar->nrecords ? similar->notes : similar->tail_notes) + record->note;
}

static inline bool similar_is_dead(const struct linnet_similar *similar, size_t n) {
    return n < similar->nrecords ? similar->gone[n] != 0
                                 : (similar->tail[n - similar->nrecords].flags & SIMILAR_DEAD) != 0;
}

#endif
