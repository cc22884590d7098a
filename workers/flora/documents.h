/* What a resolved checklist is written as: taxon documents, each with all names that mean it, and one flora
 * for each area (schemas/taxon.schema.json, schemas/flora.schema.json). Owned by one thread. */
#ifndef LINNET_FLORA_DOCUMENTS_H
#define LINNET_FLORA_DOCUMENTS_H

#include <jansson.h>

#include "workers/flora/checklist.h"

struct linnet_checklist_output {
    const char *prefix;       /* of ids, behind "taxon:" and "flora:": "wcvp-" */
    bool slugs;               /* ids are made of names: lower case, words joined by hyphens */
    const char *identifier;   /* by what catalogue the source's ids are known ("gbif"); NULL: none */
    const char *external;     /* likewise of the names' external ids ("powo"); NULL: none */
    const char *const *codes; /* only what grows in these areas, ended by NULL; NULL: everything */
    const json_t *shapes;     /* code -> an area as floras have it; may be NULL */
    bool native_only;         /* floras without what was introduced */
    /* Take a document: its id and text, both only for the call. Not 0 ends it with that code. */
    int (*emit)(void *arg, const char *id, const char *text, size_t size, struct linnet_error *err);
    void *arg;
};

struct linnet_checklist_written {
    uint64_t taxa, synonyms, floras;
};

/* Write the taxa, parents before children. LINNET_E_NOMEM, LINNET_E_NOT_FOUND for a code that no area has,
 * and what emit says. */
int linnet_checklist_write_taxa(const struct linnet_checklist *list,
                                const struct linnet_checklist_output *output,
                                struct linnet_checklist_written *written, struct linnet_error *err);
/* Write a flora for each area (of `codes`, if there are any). As above. */
int linnet_checklist_write_floras(const struct linnet_checklist *list,
                                  const struct linnet_checklist_output *output,
                                  struct linnet_checklist_written *written, struct linnet_error *err);
/* Read shapes of areas from GeoJSON (RFC 7946), as the level-3 areas of TDWG's World Geographical Scheme are
 * published: features with a property LEVEL3_COD (or code) and a polygon or several. *out: code -> {"bbox",
 * "polygons"}. LINNET_E_PARSE and those of linnet_json_load_file. */
int linnet_checklist_shapes(const char *path, json_t **out, struct linnet_error *err);

#endif
