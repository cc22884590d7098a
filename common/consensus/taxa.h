/* What the aggregation must know of taxa: which name is accepted, what lies below what, and which species a
 * label stands for. Dense arrays; answers in constant time. Built once, then immutable and shared by threads.
 *
 * A label is an index below `n`; or one at or above it, a taxon that the backbone lacks, which is within
 * itself only and counts as a species; or one of the two below. */
#ifndef LINNET_CONSENSUS_TAXA_H
#define LINNET_CONSENSUS_TAXA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/taxonomy/taxonomy.h"

#define LINNET_NO_LABEL          UINT32_MAX       /* no answer: "cannot tell"; no label at all */
#define LINNET_LABEL_NOT_A_PLANT (UINT32_MAX - 1) /* an answer, but no species */

struct linnet_consensus_taxa {
    uint32_t n;
    uint32_t *parent;   /* of accepted names, itself accepted; LINNET_NO_LABEL at a root */
    uint32_t *accepted; /* end of the chain of synonyms; itself if accepted */
    uint32_t *species;  /* species at or above the accepted name; LINNET_NO_LABEL for a genus and coarser */
    uint32_t *enter, *leave; /* a is within b iff enter[b] <= enter[a] < leave[b] */
    uint8_t *rank;           /* enum linnet_rank */
};

/* Copy and close. `parent` and `accepted` may hold LINNET_NO_LABEL (a root; accepted). A taxon of unknown
 * rank that has neither parent nor child is a species. LINNET_E_INVALID for an index out of range or a cycle,
 * named in words by index; LINNET_E_NOMEM. */
int linnet_consensus_taxa_init(struct linnet_consensus_taxa *taxa, uint32_t n, const uint32_t *parent,
                               const uint8_t *rank, const uint32_t *accepted, struct linnet_error *err);
/* The same from a backbone; labels are its indexes. */
int linnet_consensus_taxa_of(struct linnet_consensus_taxa *taxa, const struct linnet_taxonomy *backbone,
                             struct linnet_error *err);
void linnet_consensus_taxa_done(struct linnet_consensus_taxa *taxa);

/* A vote for a synonym is a vote for its accepted name. */
static inline uint32_t linnet_consensus_accepted(const struct linnet_consensus_taxa *taxa, uint32_t label) {
    return label < taxa->n ? taxa->accepted[label] : label;
}

/* The species that a label names; LINNET_NO_LABEL if it names none (a genus, not a plant, no answer). */
static inline uint32_t linnet_consensus_species(const struct linnet_consensus_taxa *taxa, uint32_t label) {
    if (label < taxa->n) return taxa->species[label];
    return label == LINNET_LABEL_NOT_A_PLANT ? LINNET_NO_LABEL : label;
}

/* Is `label` at or below `ancestor`? Both accepted. */
static inline bool linnet_consensus_is_within(const struct linnet_consensus_taxa *taxa, uint32_t label,
                                              uint32_t ancestor) {
    if (label == ancestor) return true;
    if (label >= taxa->n || ancestor >= taxa->n) return false;
    return taxa->enter[ancestor] <= taxa->enter[label] && taxa->enter[label] < taxa->leave[ancestor];
}

/* LINNET_NO_LABEL above a root and outside the backbone. */
static inline uint32_t linnet_consensus_parent(const struct linnet_consensus_taxa *taxa, uint32_t label) {
    return label < taxa->n ? taxa->parent[label] : LINNET_NO_LABEL;
}

#endif
