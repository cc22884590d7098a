/* The synthetic flora: a tree of orders, families, genera and species with their traits, how common each is,
 * what it is mistaken for, and where it grows. Made from a seed and a number of species; immutable after. */
#ifndef LINNET_FLORA_FLORA_H
#define LINNET_FLORA_FLORA_H

#include <stddef.h>
#include <stdint.h>

#include "tests/data/names.h"
#include "tests/data/traits.h"

#define FLORA_SEED       3 /* the flora that the shipped model knows a part of */
#define FLORA_SPECIES    1000
#define FLORA_CHECKLISTS 3
#define FLORA_GIANT      100 /* species of the largest genus, where there is room for it */
#define FLORA_NONE       SIZE_MAX

struct flora_order {
    char name[FLORA_NAME_SIZE + 8];
};

struct flora_family {
    size_t order;
    char name[FLORA_NAME_SIZE + 8];
    struct traits traits;
    size_t first, count; /* its genera */
};

struct flora_genus {
    size_t family;
    struct genus_name name;
    struct traits traits;
    size_t first, count; /* its species */
};

struct flora_species {
    size_t genus;
    struct epithet epithet;
    char name[2 * FLORA_NAME_SIZE]; /* "Lunaria montana" */
    char author[FLORA_NAME_SIZE];
    char synonym[2 * FLORA_NAME_SIZE]; /* "" if it has none */
    struct traits traits;
    double abundance;    /* of all observations; the species' sum to 1 */
    unsigned checklists; /* bit i: it grows in checklist i */
    bool toxic, sensitive, vernacular;
    size_t lookalike;   /* the species that it is mistaken for, FLORA_NONE */
    enum organ told_by; /* the one organ that tells the two apart; ORGAN_NONE: only the flora does */
};

/* A flora in the sense of a checklist: a region and what grows there. */
struct flora_checklist {
    const char *id, *title;
    double west, south, east, north;
};

struct flora {
    uint64_t seed;
    struct flora_order *orders;
    struct flora_family *families;
    struct flora_genus *genera;
    struct flora_species *species;
    size_t norders, nfamilies, ngenera, nspecies;
};

extern const struct flora_checklist linnet_flora_checklists[FLORA_CHECKLISTS];

/* Make a flora of `nspecies` (8 .. 100,000). NULL: out of memory, or a number outside of that. */
struct flora *linnet_flora_new(uint64_t seed, size_t nspecies);
void linnet_flora_free(struct flora *flora);

/* Taxa are numbered by rank; each rank counts from its own base. */
enum taxon_base {
    TAXON_PLANTS = 1,
    TAXON_ORDERS = 101,
    TAXON_FAMILIES = 2001,
    TAXON_GENERA = 10001,
    TAXON_SPECIES = 100001,
    TAXON_SYNONYMS = 200001,
    TAXON_SUBSPECIES = 300001
};
#define FLORA_ID_SIZE 32
/* "taxon:<base + index>". */
void linnet_flora_taxon_id(enum taxon_base base, size_t index, char out[FLORA_ID_SIZE]);
/* A species by scientific name or taxon id; FLORA_NONE if there is none. */
size_t linnet_flora_find(const struct flora *flora, const char *name);
/* Choose a part of `count` species for a small model, as hard as the whole: whole genera, cut down where they
 * are large, with look-alikes always together. Writes the species in ascending order to out[count]; returns
 * how many (the flora may have fewer). */
size_t linnet_flora_part(const struct flora *flora, size_t count, size_t *out);

#endif
