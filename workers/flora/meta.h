/* meta.xml of a Darwin Core Archive: which files there are, how they are written, what their columns mean
 * (Darwin Core Text Guide, TDWG). */
#ifndef LINNET_FLORA_META_H
#define LINNET_FLORA_META_H

#include <stdbool.h>

#include "workers/flora/archive.h"

#define LINNET_META_FILES 32

/* The terms that Linnet reads, by the last part of their addresses. */
#define LINNET_TERMS(X)                                                                                      \
    X(taxonID)                                                                                               \
    X(scientificName) X(canonicalName) X(scientificNameAuthorship) X(taxonRank) X(taxonomicStatus)           \
        X(parentNameUsageID) X(acceptedNameUsageID) X(family) X(genus) X(kingdom) X(vernacularName)          \
            X(language) X(isPreferredName) X(locationID) X(locality) X(establishmentMeans)                   \
                X(occurrenceStatus)

enum linnet_term {
#define X(name) LINNET_TERM_##name,
    LINNET_TERMS(X)
#undef X
        LINNET_TERM_COUNT
};

struct linnet_meta_file {
    char type[64]; /* rowType's last part: "Taxon", "VernacularName", "Distribution" */
    char location[256];
    char delimiter, quote;         /* quote 0: none */
    unsigned header;               /* lines of it */
    int id;                        /* the column of id (core) or coreid, -1 */
    int column[LINNET_TERM_COUNT]; /* -1: not there */
};

struct linnet_meta {
    struct linnet_meta_file files[LINNET_META_FILES]; /* the core first */
    unsigned nfiles;
};

/* Read it. LINNET_E_PARSE for what is no such description (a document type among them: entities are not
 * wanted), LINNET_E_LIMIT over 1 MiB, LINNET_E_UNSUPPORTED for other encodings than UTF-8, LINNET_E_NOMEM. */
int linnet_meta_read(struct linnet_stream *stream, struct linnet_meta *out, struct linnet_error *err);
/* The first file of a type, NULL if there is none. */
const struct linnet_meta_file *linnet_meta_find(const struct linnet_meta *meta, const char *type);
/* The last part of a term's address, "" none. Static or within `term`. */
const char *linnet_meta_last_part(const char *term);

#endif
