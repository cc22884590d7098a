/* Labelled pictures on disk: one folder a species, or a table. */
#ifndef LINNET_CLI_PICTURES_H
#define LINNET_CLI_PICTURES_H

#include "common/base/error.h"

struct linnet_picture {
    char *path;
    char *label;       /* a folder's name, or the column taxon (else scientificName, name, label, species) */
    char *organ;       /* "" if not known */
    char *observation; /* pictures of one observation stand together; each its own where nothing is known */
    char *flora;       /* where it was made, "flora:..."; "" if not known */
};

struct linnet_pictures {
    struct linnet_picture *items;
    size_t n, capacity;
};

/* The folders of a folder: every regular file in <path>/<label>/ (below it too, as in Pl@ntNet-300K's
 * images/test/<id>/), sorted. LINNET_E_IO, LINNET_E_NOT_FOUND (no picture), LINNET_E_NOMEM. */
int linnet_pictures_folder(const char *path, struct linnet_pictures *out, struct linnet_error *err);
/* A table with the columns image (a path below `folder`), a label, and where known organ, observation and
 * flora. */
int linnet_pictures_table(const char *csv, const char *folder, struct linnet_pictures *out,
                          struct linnet_error *err);
void linnet_pictures_done(struct linnet_pictures *pictures);

#endif
