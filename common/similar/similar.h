/* Pictures found by what they look like: an index of the embeddings that one model has made of pictures of
 * validated observations. It holds nothing that the store does not: lost or damaged it is made anew.
 *
 * What was saved is a file, mapped and never changed; what came since (the tail) is in memory, and searched
 * picture by picture. Saving writes both, merged, to a new file. Embeddings are kept as halves of unit
 * length, about as precisely as predictions hold them. Below LINNET_SIMILAR_EXACT pictures to look at all are
 * looked at, which is exact; above that a graph (graph.h) leads to the nearest. A flora needs no index of its
 * own: the pictures of each taxon lie together, so those of few taxa are looked at one by one, and of many
 * the graph's are passed over that are not of them.
 *
 * Distance: one minus the cosine of the angle, from 0 (the same direction) to 2. One thread at a time, but
 * that linnet_similar_save and linnet_similar_verify may run beside linnet_similar_find and _at. */
#ifndef LINNET_SIMILAR_SIMILAR_H
#define LINNET_SIMILAR_SIMILAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define LINNET_SIMILAR_DIMS  16384 /* most */
#define LINNET_SIMILAR_EXACT 20000
#define LINNET_SIMILAR_MODEL 144 /* room for a model's name */
#define LINNET_SIMILAR_NONE  UINT32_MAX

struct linnet_similar;

/* One picture. Strings of what the index gives are the index's, until it is changed. */
struct linnet_similar_picture {
    char observation[27]; /* ULID */
    char digest[65];
    const char *taxon;     /* id of the community taxon */
    const char *note;      /* what else an answer tells of it: the caller's text */
    uint32_t taxon_number; /* the taxon's in the index; not read by linnet_similar_put */
    /* The picture of another observation that was nearest when this one came, if it was near enough to be the
     * same; LINNET_SIMILAR_NONE: there was none. Not read by linnet_similar_put. */
    uint32_t twin;
    float twin_distance;
};

/* An empty index. LINNET_E_NOMEM, LINNET_E_INVALID. */
int linnet_similar_new(const char *model, size_t dims, struct linnet_similar **out);
/* Map a file: in milliseconds, whatever its size; what is in it is checked by linnet_similar_verify.
 * LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_NOMEM, LINNET_E_PARSE with words: it is no index of this version,
 * cut off, or of another model (NULL: of any). */
int linnet_similar_open(const char *path, const char *model, struct linnet_similar **out,
                        struct linnet_error *err);
/* Read the whole file and compare its checksum: to be done once, before anything is looked for. Takes as long
 * as reading the file does. LINNET_E_PARSE. */
int linnet_similar_verify(const struct linnet_similar *similar, struct linnet_error *err);
void linnet_similar_free(struct linnet_similar *similar); /* NULL is safe */

size_t linnet_similar_dims(const struct linnet_similar *similar);
size_t linnet_similar_size(const struct linnet_similar *similar);          /* pictures that can be found */
size_t linnet_similar_changes(const struct linnet_similar *similar);       /* since it was saved */
const char *linnet_similar_position(const struct linnet_similar *similar); /* as it was saved; "" */

/* Add a picture with its embedding (`dims` halves of any length but 0). If there is another one nearer than
 * `twin_below`, of another observation, it is noted as its twin. LINNET_E_NOMEM, LINNET_E_INVALID,
 * LINNET_E_FULL. */
int linnet_similar_put(struct linnet_similar *similar, const struct linnet_similar_picture *picture,
                       const uint16_t *embedding, float twin_below);
/* Take out all pictures of an observation. Returns how many. */
size_t linnet_similar_remove(struct linnet_similar *similar, const char *observation);

struct linnet_similar_query {
    const float *vector; /* of any length but 0 */
    size_t k;            /* most pictures */
    const bool *taxa;    /* by number: pictures of these only; NULL: of all */
    const char *except;  /* not those of this observation; NULL */
    size_t effort;       /* candidates that the graph looks at; 0: as many as give a recall above 0.98 */
    size_t exact;        /* 0: LINNET_SIMILAR_EXACT */
};

struct linnet_similar_hit {
    uint32_t picture;
    float distance;
};

/* The nearest pictures, nearest first. Returns how many; 0 also without memory. */
size_t linnet_similar_find(const struct linnet_similar *similar, const struct linnet_similar_query *query,
                           struct linnet_similar_hit *hits);
/* A picture by its number. False: it has been taken out, or there is none. */
bool linnet_similar_at(const struct linnet_similar *similar, uint32_t picture,
                       struct linnet_similar_picture *out);
size_t linnet_similar_numbers(const struct linnet_similar *similar); /* picture numbers are below this */
/* Taxa that have had pictures: how many, their ids, and the number of one (LINNET_SIMILAR_NONE). */
size_t linnet_similar_taxa(const struct linnet_similar *similar);
const char *linnet_similar_taxon(const struct linnet_similar *similar, uint32_t number);
uint32_t linnet_similar_taxon_number(const struct linnet_similar *similar, const char *taxon);

/* Write all to a file, whole or not at all; the index stays as it is: open the file to go on with it.
 * `graph`: make or go on with a graph from that many pictures on (0: LINNET_SIMILAR_EXACT). LINNET_E_IO,
 * LINNET_E_NOMEM. */
int linnet_similar_save(const struct linnet_similar *similar, const char *path, const char *position,
                        size_t graph, struct linnet_error *err);

#endif
