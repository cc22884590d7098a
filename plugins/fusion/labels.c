#include "plugins/fusion/labels.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 8

struct entry {
    char *model;
    const struct fusion_flora *flora[FUSION_FLORAS_AT_ONCE];
    size_t nflora;
    double nearness[FUSION_FLORAS_AT_ONCE];
    double *under; /* NULL: nothing known */
    uint64_t used; /* when it was asked for last */
};

struct fusion_labels {
    const struct linnet_taxonomy *taxonomy;
    struct entry entry[ENTRIES];
    uint64_t clock;
};

struct fusion_labels *fusion_labels_new(const struct linnet_taxonomy *taxonomy) {
    struct fusion_labels *labels = calloc(1, sizeof *labels);
    if (labels) labels->taxonomy = taxonomy;
    return labels;
}

static void forget(struct entry *entry) {
    free(entry->model);
    free(entry->under);
    *entry = (struct entry){0};
}

void fusion_labels_free(struct fusion_labels *labels) {
    for (int i = 0; labels && i < ENTRIES; i++)
        forget(&labels->entry[i]);
    free(labels);
}

static double *count(const struct linnet_taxonomy *taxonomy, const json_t *document,
                     const struct fusion_selection *selection) {
    static const struct fusion_selection anywhere;
    const json_t *labels = json_object_get(document, "labels");
    size_t size = linnet_taxonomy_size(taxonomy);
    double *under = calloc(size + 1, sizeof *under);
    size_t known = 0;
    for (size_t i = 0; under && i < json_array_size(labels); i++) {
        const char *id = json_string_value(json_array_get(labels, i));
        uint32_t taxon = id ? linnet_taxonomy_find(taxonomy, id) : LINNET_NO_TAXON;
        if (taxon == LINNET_NO_TAXON) continue;
        known++;
        taxon = linnet_taxonomy_accepted(taxonomy, taxon);
        double prior = fusion_selection_prior(selection ? selection : &anywhere, taxonomy, taxon, id);
        under[size] += prior;
        for (; taxon != LINNET_NO_TAXON; taxon = linnet_taxonomy_at(taxonomy, taxon)->parent)
            under[taxon] += prior;
    }
    if (known) return under;
    free(under);
    return NULL;
}

static bool is_for(const struct entry *entry, const char *model, const struct fusion_selection *selection) {
    size_t n = selection ? selection->n : 0;
    if (!entry->model || strcmp(entry->model, model) != 0 || entry->nflora != n) return false;
    for (size_t i = 0; i < n; i++)
        if (entry->flora[i] != selection->flora[i] || entry->nearness[i] != selection->nearness[i])
            return false;
    return true;
}

const double *fusion_labels_under(struct fusion_labels *labels, const char *model,
                                  const json_t *model_document, const struct fusion_selection *selection) {
    struct entry *oldest = &labels->entry[0];
    for (int i = 0; i < ENTRIES; i++) {
        struct entry *entry = &labels->entry[i];
        if (is_for(entry, model, selection)) {
            entry->used = ++labels->clock;
            return entry->under;
        }
        if (entry->used < oldest->used) oldest = entry;
    }
    char *name = strdup(model);
    if (!name) return NULL;
    forget(oldest);
    oldest->model = name;
    oldest->nflora = selection ? selection->n : 0;
    if (selection) memcpy(oldest->flora, selection->flora, sizeof oldest->flora);
    if (selection) memcpy(oldest->nearness, selection->nearness, sizeof oldest->nearness);
    oldest->under = count(labels->taxonomy, model_document, selection);
    oldest->used = ++labels->clock;
    return oldest->under;
}
