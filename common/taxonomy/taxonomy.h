/* The backbone in memory: taxa by id, ranks, parents, synonyms. Built once, then immutable and shared by threads. */
#ifndef LINNET_TAXONOMY_TAXONOMY_H
#define LINNET_TAXONOMY_TAXONOMY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Darwin Core taxonRank, coarse to fine. LINNET_RANK_OTHER stands for ranks between. */
enum linnet_rank { LINNET_RANK_KINGDOM, LINNET_RANK_PHYLUM, LINNET_RANK_CLASS, LINNET_RANK_ORDER, LINNET_RANK_FAMILY,
                   LINNET_RANK_GENUS, LINNET_RANK_SPECIES, LINNET_RANK_SUBSPECIES, LINNET_RANK_OTHER };

#define LINNET_NO_TAXON UINT32_MAX

struct linnet_taxonomy;

/* One taxon. Strings are the taxonomy's. Indexes are dense, parents before children. */
struct linnet_taxon {
    const char *id;              /* "taxon:<id>" */
    const char *scientific_name; /* without authorship */
    const char *authorship;      /* "" if unknown */
    enum linnet_rank rank;
    uint32_t parent;             /* LINNET_NO_TAXON at the root */
    uint32_t accepted;           /* of itself if accepted, else of the accepted name */
    uint32_t depth;
};

/* NULL: out of memory. */
struct linnet_taxonomy *linnet_taxonomy_new(void);
/* Add documents of kind taxon (see schemas/taxon.schema.json), in any order, then finish; the synonyms that one holds become taxa
 * too, unless a document of their own says more. Everything is copied.
 * LINNET_E_INVALID without a scientificName, LINNET_E_EXISTS, LINNET_E_NOMEM. Found by id at once; by the rest after finish. */
int linnet_taxonomy_add(struct linnet_taxonomy *taxonomy, const char *id, const json_t *document, struct linnet_error *err);
/* Resolve parents and synonyms; the indexes are final after it. LINNET_E_INVALID names a cycle; a missing parent makes a root, a
 * missing accepted name an accepted one (both counted in *orphans, which may be NULL). A synonym that names no parent stands
 * under the parent of its accepted name. After a failure the taxonomy can only be freed. */
int linnet_taxonomy_finish(struct linnet_taxonomy *taxonomy, size_t *orphans, struct linnet_error *err);
void linnet_taxonomy_free(struct linnet_taxonomy *taxonomy);

size_t linnet_taxonomy_size(const struct linnet_taxonomy *taxonomy);
/* NULL if there is no such index. */
const struct linnet_taxon *linnet_taxonomy_at(const struct linnet_taxonomy *taxonomy, uint32_t index);
/* By id, LINNET_NO_TAXON if unknown. */
uint32_t linnet_taxonomy_find(const struct linnet_taxonomy *taxonomy, const char *id);
/* By scientific name, case-insensitive, spaces collapsed, authorship optional; where several match the one with the authors that
 * were given, then an accepted name, then the lowest id. A synonym is found as itself, see linnet_taxonomy_accepted. */
uint32_t linnet_taxonomy_find_name(const struct linnet_taxonomy *taxonomy, const char *name);
/* The accepted taxon of an index. */
uint32_t linnet_taxonomy_accepted(const struct linnet_taxonomy *taxonomy, uint32_t index);
/* The ancestor (or itself) at a rank, LINNET_NO_TAXON if there is none. */
uint32_t linnet_taxonomy_ancestor(const struct linnet_taxonomy *taxonomy, uint32_t index, enum linnet_rank rank);
/* Is `ancestor` an ancestor of `index`, or itself? */
int linnet_taxonomy_is_within(const struct linnet_taxonomy *taxonomy, uint32_t index, uint32_t ancestor);
/* The last common ancestor, LINNET_NO_TAXON if there is none. */
uint32_t linnet_taxonomy_common(const struct linnet_taxonomy *taxonomy, uint32_t a, uint32_t b);
/* "species"; "other" for LINNET_RANK_OTHER. Static string. */
const char *linnet_rank_name(enum linnet_rank rank);
/* In any case; "division" is a phylum; all else (NULL too) is LINNET_RANK_OTHER. */
enum linnet_rank linnet_rank_parse(const char *name);

#endif
