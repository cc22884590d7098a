#include "workers/cli/pictures.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/cli/csv.h"

static int add(struct linnet_pictures *pictures, const char *path, const char *label, const char *organ,
               const char *observation, const char *flora) {
    if (pictures->n == pictures->capacity) {
        size_t capacity = pictures->capacity ? pictures->capacity * 2 : 256;
        struct linnet_picture *items = realloc(pictures->items, capacity * sizeof *items);
        if (!items) return LINNET_E_NOMEM;
        pictures->items = items;
        pictures->capacity = capacity;
    }
    struct linnet_picture picture = {strdup(path), strdup(label), strdup(organ), strdup(observation),
                                     strdup(flora)};
    pictures->items[pictures->n++] = picture;
    bool whole = picture.path && picture.label && picture.organ && picture.observation && picture.flora;
    return whole ? 0 : LINNET_E_NOMEM;
}

void linnet_pictures_done(struct linnet_pictures *pictures) {
    for (size_t i = 0; i < pictures->n; i++) {
        free(pictures->items[i].path);
        free(pictures->items[i].label);
        free(pictures->items[i].organ);
        free(pictures->items[i].observation);
        free(pictures->items[i].flora);
    }
    free(pictures->items);
    *pictures = (struct linnet_pictures){0};
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

int linnet_pictures_folder(const char *path, struct linnet_pictures *out, struct linnet_error *err) {
    struct linnet_pictures pictures = {0};
    char *roots[] = {(char *)path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    int error = tree ? 0 : linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    for (FTSENT *entry; !error && (entry = fts_read(tree));) {
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR)
            error = linnet_error_set(err, LINNET_E_IO, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info != FTS_F || entry->fts_level < 2 || entry->fts_name[0] == '.') continue;
        if (add(&pictures, entry->fts_path, entry->fts_parent->fts_name, "", entry->fts_path, "") != 0)
            error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    if (tree) fts_close(tree);
    if (!error && pictures.n == 0)
        error = linnet_error_set(
            err, LINNET_E_NOT_FOUND,
            "%s holds no folders with pictures; a folder for each species is wanted, or --csv FILE", path);
    if (error)
        linnet_pictures_done(&pictures);
    else
        *out = pictures;
    return error;
}

static int label_column(const struct linnet_csv *csv) {
    static const char *const names[] = {"trueTaxon", "taxon", "scientificName", "name", "label", "species"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int column = linnet_csv_column(csv, names[i]);
        if (column >= 0) return column;
    }
    return -1;
}

int linnet_pictures_table(const char *path, const char *folder, struct linnet_pictures *out,
                          struct linnet_error *err) {
    struct linnet_pictures pictures = {0};
    struct linnet_csv csv;
    int error = linnet_csv_load(path, 0, &csv, err);
    if (error) return error;
    int image = linnet_csv_column(&csv, "image"), label = label_column(&csv),
        organ = linnet_csv_column(&csv, "organ");
    int observation = linnet_csv_column(&csv, "observation"), flora = linnet_csv_column(&csv, "flora");
    if (image < 0 || label < 0)
        error = linnet_error_set(
            err, LINNET_E_PARSE,
            "%s: the columns image and taxon (or scientificName, name, label, species) are wanted", path);
    for (size_t row = 1; !error && row < csv.nrows; row++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", folder, linnet_csv_cell(&csv, row, image));
        if (add(&pictures, file, linnet_csv_cell(&csv, row, label), linnet_csv_cell(&csv, row, organ),
                observation >= 0 ? linnet_csv_cell(&csv, row, observation) : file,
                linnet_csv_cell(&csv, row, flora)) != 0)
            error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    linnet_csv_done(&csv);
    if (error)
        linnet_pictures_done(&pictures);
    else
        *out = pictures;
    return error;
}
