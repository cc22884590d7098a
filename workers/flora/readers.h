/* Readers of checklists as their publishers write them. They fill a checklist and resolve nothing. */
#ifndef LINNET_FLORA_READERS_H
#define LINNET_FLORA_READERS_H

#include "workers/flora/archive.h"
#include "workers/flora/checklist.h"

struct linnet_reader_options {
    const char *kingdom; /* names that say another one are left out; NULL: none are */
    /* Told now and then how far it is, `total` bytes 0: unknown; may be NULL. */
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
    void *arg;
};

/* The World Checklist of Vascular Plants: wcvp_names.csv and wcvp_distribution.csv, divided by pipes, without
 * quotes (the README that comes with them; columns are found by their names). `distribution` may be NULL.
 * LINNET_E_PARSE without the columns that are needed, those of rows.h and archive.h, LINNET_E_NOMEM. */
int linnet_read_wcvp(struct linnet_checklist *list, struct linnet_stream *names,
                     struct linnet_stream *distribution, const struct linnet_reader_options *options,
                     struct linnet_error *err);
/* A Darwin Core Archive with a core of taxa, as World Flora Online and GBIF's backbone are; with its
 * extensions VernacularName and Distribution (locationID "TDWG:BEL" or any code). LINNET_E_NOT_FOUND without
 * a meta.xml, LINNET_E_UNSUPPORTED without a core of taxa, the rest as above. */
int linnet_read_dwca(struct linnet_checklist *list, struct linnet_archive *archive,
                     const struct linnet_reader_options *options, struct linnet_error *err);
/* A plain list: a name a line, or a table (commas, semicolons, tabs, pipes) whose header has the column
 * scientificName (or name, species) and may have scientificNameAuthorship, taxonRank, family, synonymOf (or
 * acceptedName) and columns of common names called by their language ("en", "fr", or "name_en"). Authors
 * behind a name in a line are told by their capitals. Lines that begin with # are passed over. */
int linnet_read_list(struct linnet_checklist *list, struct linnet_stream *stream,
                     const struct linnet_reader_options *options, struct linnet_error *err);

#endif
