#include "workers/cli/evaluation_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/csv.h"
#include "workers/cli/file.h"
#include "workers/cli/model_document.h"

static json_t *taxon(const char *id, const char *name, const char *rank, const char *parent) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s?}", "_id", id, "kind", "taxon", "scientificName", name,
                     "taxonRank", rank, "parentNameUsageID", parent);
}

static int add_taxon(struct linnet_references *references, json_t *document, struct linnet_error *err) {
    int error = document ? linnet_references_add(references, document, err)
                         : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    json_decref(document);
    return error;
}

/* Without a backbone the labels are the species and their first word the genus. */
static int taxa_of_labels(const char *path, struct linnet_references *references, struct linnet_error *err) {
    struct linnet_csv csv;
    struct linnet_labels labels = {0};
    struct linnet_taxonomy *none = linnet_taxonomy_new();
    json_t *genera = json_object(), *name;
    size_t i;
    int error = none && linnet_taxonomy_finish(none, NULL, err) == 0 ? linnet_csv_load(path, 0, &csv, err)
                                                                     : LINNET_E_NOMEM;
    if (!error) {
        linnet_csv_done(&csv);
        error = linnet_labels_load(path, none, &labels,
                                   err); /* nothing maps: `unmapped` is all the names, in order */
    }
    json_array_foreach(labels.unmapped, i, name) {
        char id[64], genus_id[64], text[256], genus[256];
        if (error) break;
        snprintf(text, sizeof text, "%s", json_string_value(name));
        for (char *c = text; *c; c++)
            if (*c == '_') *c = ' ';
        snprintf(genus, sizeof genus, "%.*s", (int)strcspn(text, " "), text);
        snprintf(id, sizeof id, "taxon:s%zu", i);
        snprintf(genus_id, sizeof genus_id, "taxon:g%zu", json_object_size(genera));
        const char *known = json_string_value(json_object_get(genera, genus));
        if (!known) {
            json_object_set_new(genera, genus, json_string(genus_id));
            error = add_taxon(references, taxon(genus_id, genus, "genus", NULL), err);
            known = genus_id;
        }
        if (!error) error = add_taxon(references, taxon(id, text, "species", known), err);
    }
    json_decref(genera);
    linnet_labels_done(&labels);
    linnet_taxonomy_free(none);
    return error;
}

static int copy_one(void *arg, const char *id, json_t *document) {
    (void)id;
    return linnet_references_add(arg, document, NULL);
}

/* The column that says which folder holds a class's pictures. */
static int read_folders(const char *path, const struct linnet_labels *labels, json_t *folders,
                        struct linnet_error *err) {
    struct linnet_csv csv;
    int error = linnet_csv_load(path, 0, &csv, err);
    if (error) return error;
    int column = linnet_csv_column(&csv, "folder");
    if (column < 0) column = linnet_csv_column(&csv, "class_id");
    for (size_t row = 1; column >= 0 && row < csv.nrows; row++) {
        json_t *id = json_array_get(labels->taxa, row - 1);
        if (json_is_string(id)) json_object_set(folders, linnet_csv_cell(&csv, row, column), id);
    }
    linnet_csv_done(&csv);
    return 0;
}

/* Everything of `taxa` (finished), and the model as the one that is wanted. */
static int add_model(const struct linnet_evaluation_options *options, struct linnet_references *taxa,
                     struct linnet_evaluation_model *out, struct linnet_error *err) {
    struct linnet_nn_model *model = NULL;
    struct linnet_labels labels = {0};
    json_t *assumed = json_array(), *document = NULL, *label;
    size_t i;
    int error = linnet_nn_model_load(options->onnx, &model, err);
    if (!error) error = linnet_labels_load(options->labels, linnet_references_taxonomy(taxa), &labels, err);
    if (!error)
        error = linnet_model_document("evaluated", "1", model, &labels, options->description, assumed,
                                      &document, err);
    if (!error) error = linnet_references_each(taxa, "", copy_one, out->references);
    if (!error) error = linnet_references_add(out->references, document, err);
    if (!error)
        error = linnet_references_add_file(out->references, "model:evaluated@1", "model.onnx", options->onnx);
    json_t *wanted = json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind", "wanted",
                               "stage", "convnet", "model", "evaluated@1", "policy", "new");
    if (!error) error = linnet_references_add(out->references, wanted, err);
    if (!error) error = linnet_references_finish(out->references, err);
    if (!error) error = read_folders(options->labels, &labels, out->folders, err);
    json_array_foreach(labels.taxa, i, label) if (json_is_string(label))
        json_object_set_new(out->known, json_string_value(label), json_true());
    json_decref(wanted);
    json_decref(assumed);
    json_decref(document);
    linnet_labels_done(&labels);
    linnet_nn_model_free(model);
    return error;
}

int linnet_evaluation_model_load(const struct linnet_evaluation_options *options,
                                 struct linnet_evaluation_model *out, struct linnet_error *err) {
    struct linnet_evaluation_model model = {linnet_references_new(), json_object(), json_object()};
    struct linnet_references *taxa =
        options->taxa ? linnet_references_ref(options->taxa) : linnet_references_new();
    int error = taxa && model.references && model.folders && model.known
                    ? 0
                    : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error && !options->taxa) {
        error = options->backbone ? linnet_references_load_folder(taxa, options->backbone, err)
                                  : taxa_of_labels(options->labels, taxa, err);
        if (!error) error = linnet_references_finish(taxa, err);
    }
    if (!error) error = add_model(options, taxa, &model, err);
    linnet_references_unref(taxa);
    if (error)
        linnet_evaluation_model_done(&model);
    else
        *out = model;
    return error;
}

void linnet_evaluation_model_done(struct linnet_evaluation_model *model) {
    linnet_references_unref(model->references);
    json_decref(model->folders);
    json_decref(model->known);
    *model = (struct linnet_evaluation_model){0};
}

uint32_t linnet_evaluation_truth(const struct linnet_evaluation_model *model, const char *label) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(model->references);
    const char *id = json_string_value(json_object_get(model->folders, label));
    uint32_t index = linnet_taxonomy_find(taxonomy, id ? id : label);
    if (index == LINNET_NO_TAXON) {
        char name[512];
        snprintf(name, sizeof name, "%s", label);
        for (char *c = name; *c; c++)
            if (*c == '_') *c = ' ';
        index = linnet_taxonomy_find_name(taxonomy, name);
    }
    if (index == LINNET_NO_TAXON) return index;
    index = linnet_taxonomy_accepted(taxonomy, index);
    return json_object_get(model->known, linnet_taxonomy_at(taxonomy, index)->id) ? index : LINNET_NO_TAXON;
}
