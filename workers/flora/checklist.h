/* A checklist in memory: names as a source gives them, then resolved into taxa of three ranks (family, genus,
 * species) with all names that mean each of them. About 100 bytes a name beside its text, which is kept once.
 * Owned by one thread. */
#ifndef LINNET_FLORA_CHECKLIST_H
#define LINNET_FLORA_CHECKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define LINNET_NO_NAME         UINT32_MAX
#define LINNET_CHECKLIST_NAMES ((uint32_t)16 << 20) /* most names */
#define LINNET_CHECKLIST_TEXT  256                  /* most bytes of one, as the schema has it */

enum linnet_level {
    LINNET_LEVEL_FAMILY,
    LINNET_LEVEL_GENUS,
    LINNET_LEVEL_SPECIES,
    LINNET_LEVEL_BELOW,
    LINNET_LEVEL_OTHER
};
enum linnet_status { LINNET_STATUS_ACCEPTED, LINNET_STATUS_SYNONYM, LINNET_STATUS_UNPLACED };

/* A row as a reader hands it over; NULL or "" where the source says nothing. Borrowed. */
struct linnet_checklist_row {
    const char *id;   /* the source's own; NULL: made of the name */
    const char *name; /* without authors */
    const char *authors, *rank, *status, *family, *genus, *parent, *accepted;
    const char *external; /* an id by which others know it */
};

/* A name. Texts are offsets, see linnet_checklist_text; 0 is "". */
struct linnet_checklist_name {
    uint32_t key; /* its id, see linnet_checklist_key */
    uint32_t name, authors, family, external;
    uint32_t parent_key, accepted_key; /* as the source says; LINNET_NO_NAME */
    uint32_t taxon;  /* after resolving: the name of the taxon that it means (itself if it is one), or none */
    uint32_t parent; /* after resolving, of a taxon: the one above it, or none */
    uint8_t level;   /* enum linnet_level */
    uint8_t status;  /* enum linnet_status */
};

struct linnet_vernacular {
    uint32_t name, language, text;
    bool preferred;
}; /* name: a key until resolved */
struct linnet_presence {
    uint32_t name;
    uint16_t area;
    bool introduced;
}; /* likewise */
struct linnet_checklist_area {
    uint32_t code, title;
};

/* What was read and what became of it. */
#define LINNET_CHECKLIST_COUNTS(X)                                                                           \
    X(rows, "rows of names read")                                                                            \
    X(malformed, "without a name, or no text in UTF-8, or too long")                                         \
    X(other_kingdoms, "of another kingdom")                                                                  \
    X(other_ranks, "of a rank that is none of family, genus, species or below")                              \
    X(duplicates, "with an id that was there already")                                                       \
    X(accepted, "accepted names")                                                                            \
    X(synonyms, "synonyms resolved to an accepted name")                                                     \
    X(dangling, "synonyms of a name that there is not")                                                      \
    X(cycles, "synonyms of each other")                                                                      \
    X(unplaced, "names that the source neither accepts nor places")                                          \
    X(homonyms, "accepted names that are spelled like another one")                                          \
    X(infraspecies, "names below the species, taken for their species")                                      \
    X(infraspecies_alone, "of which the species is missing")                                                 \
    X(families, "families")                                                                                  \
    X(genera, "genera")                                                                                      \
    X(species, "species")                                                                                    \
    X(made, "genera and families that the source names in its species only")                                 \
    X(vernacular, "common names")                                                                            \
    X(vernacular_dangling, "common names of nothing")                                                        \
    X(presences, "species in areas")                                                                         \
    X(presences_dangling, "rows of distribution of nothing")                                                 \
    X(absent, "rows of distribution that say extinct, doubtful or absent")                                   \
    X(areas, "areas")

struct linnet_checklist_report {
#define X(name, words) uint64_t name;
    LINNET_CHECKLIST_COUNTS(X)
#undef X
};

struct linnet_checklist {
    struct linnet_checklist_name *names;
    uint32_t nnames;
    struct linnet_vernacular *vernacular; /* after resolving in order of taxon, language; preferred first */
    size_t nvernacular;
    struct linnet_presence *presences; /* after resolving in order of area, taxon, each once */
    size_t npresences;
    struct linnet_checklist_area *areas;
    uint16_t nareas;
    struct linnet_checklist_report report;
    struct linnet_checklist_tables *tables; /* private */
};

/* NULL: out of memory. */
struct linnet_checklist *linnet_checklist_new(void);
void linnet_checklist_free(struct linnet_checklist *list); /* NULL is safe */

/* Add a row. What cannot be used is counted, and is no failure. LINNET_E_LIMIT, LINNET_E_NOMEM. */
int linnet_checklist_add(struct linnet_checklist *list, const struct linnet_checklist_row *row,
                         struct linnet_error *err);
/* Add a common name of the name with an id. `language` as sources write it ("en", "eng", "English"); what
 * cannot be told is "und". */
int linnet_checklist_add_vernacular(struct linnet_checklist *list, const char *id, const char *language,
                                    const char *text, bool preferred, struct linnet_error *err);
/* Say that the name with an id grows in an area. */
int linnet_checklist_add_presence(struct linnet_checklist *list, const char *id, const char *code,
                                  const char *title, bool introduced, struct linnet_error *err);
/* Resolve: synonyms to accepted names, infraspecies to their species, species under genera and families
 * (made where the source only mentions them). Once, after all was added. LINNET_E_LIMIT, LINNET_E_NOMEM. */
int linnet_checklist_resolve(struct linnet_checklist *list, struct linnet_error *err);

/* A text by its offset. Valid until something is added. */
const char *linnet_checklist_text(const struct linnet_checklist *list, uint32_t offset);
/* The id of a name, by its key. */
const char *linnet_checklist_key(const struct linnet_checklist *list, uint32_t key);
/* "family", "genus", "species"; "infraspecies" and "other" for the rest. Static. */
const char *linnet_level_name(enum linnet_level level);

#endif
