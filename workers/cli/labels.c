#include "workers/cli/labels.h"

#include <stdio.h>
#include <string.h>

#include "workers/cli/csv.h"

static int column_of_names(const struct linnet_csv *csv) {
    static const char *const names[] = {"taxon", "scientificName", "name", "label", "species"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int column = linnet_csv_column(csv, names[i]);
        if (column >= 0) return column;
    }
    return (int)csv->rows[0].ncells - 1;
}

static void map_one(const struct linnet_taxonomy *backbone, const char *label, struct linnet_labels *labels) {
    char name[512];
    snprintf(name, sizeof name, "%s", label);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = ' ';
    uint32_t index = linnet_taxonomy_find(backbone, label);
    if (index == LINNET_NO_TAXON) index = linnet_taxonomy_find_name(backbone, name);
    if (index == LINNET_NO_TAXON) {
        json_array_append_new(labels->taxa, json_null());
        json_array_append_new(labels->unmapped, json_string(label));
        return;
    }
    uint32_t accepted = linnet_taxonomy_accepted(backbone, index);
    if (accepted != index)
        json_object_set_new(labels->synonyms, label,
                            json_string(linnet_taxonomy_at(backbone, accepted)->scientific_name));
    json_array_append_new(labels->taxa, json_string(linnet_taxonomy_at(backbone, accepted)->id));
}

int linnet_labels_load(const char *path, const struct linnet_taxonomy *backbone, struct linnet_labels *out,
                       struct linnet_error *err) {
    struct linnet_csv csv;
    int error = linnet_csv_load(path, 0, &csv, err);
    if (error) return error;
    struct linnet_labels labels = {json_array(), json_array(), json_object()};
    if (!labels.taxa || !labels.unmapped || !labels.synonyms) error = LINNET_E_NOMEM;
    int column = column_of_names(&csv);
    for (size_t row = 1; !error && row < csv.nrows; row++)
        map_one(backbone, linnet_csv_cell(&csv, row, column), &labels);
    if (!error && json_array_size(labels.taxa) != csv.nrows - 1) error = LINNET_E_NOMEM;
    linnet_csv_done(&csv);
    if (error) {
        linnet_labels_done(&labels);
        return linnet_error_set(err, error, "out of memory");
    }
    *out = labels;
    return 0;
}

void linnet_labels_done(struct linnet_labels *labels) {
    json_decref(labels->taxa);
    json_decref(labels->unmapped);
    json_decref(labels->synonyms);
    *labels = (struct linnet_labels){0};
}
