#include "plugins/consensus/labels.h"

int labels_init(struct labels *labels, const struct linnet_taxonomy *taxonomy, struct linnet_error *err) {
    *labels = (struct labels){.taxonomy = taxonomy};
    intern_init(&labels->unknown, 0);
    return linnet_consensus_taxa_of(&labels->taxa, taxonomy, err);
}

void labels_done(struct labels *labels) {
    linnet_consensus_taxa_done(&labels->taxa);
    intern_done(&labels->unknown);
    *labels = (struct labels){0};
}

uint32_t labels_put(struct labels *labels, const char *taxon) {
    uint32_t index = linnet_taxonomy_find(labels->taxonomy, taxon);
    if (index != LINNET_NO_TAXON) return index;
    uint32_t unknown = intern_put(&labels->unknown, taxon);
    return unknown == INTERN_NONE ? LINNET_NO_LABEL : labels->taxa.n + unknown;
}

const struct linnet_taxon *labels_taxon(const struct labels *labels, uint32_t label) {
    return label < labels->taxa.n ? linnet_taxonomy_at(labels->taxonomy, label) : NULL;
}

const char *labels_text(const struct labels *labels, uint32_t label) {
    if (label == LINNET_NO_LABEL || label == LINNET_LABEL_NOT_A_PLANT) return NULL;
    const struct linnet_taxon *taxon = labels_taxon(labels, label);
    return taxon ? taxon->id : intern_text(&labels->unknown, label - labels->taxa.n);
}

const char *labels_name(const struct labels *labels, uint32_t label) {
    const struct linnet_taxon *taxon = labels_taxon(labels, label);
    if (taxon) return taxon->scientific_name;
    const char *text = labels_text(labels, label);
    return text ? text : label == LINNET_LABEL_NOT_A_PLANT ? "not a plant" : "nothing";
}

uint32_t labels_family(const struct labels *labels, uint32_t label) {
    if (label >= labels->taxa.n) return LINNET_NO_LABEL;
    uint32_t family = linnet_taxonomy_ancestor(
        labels->taxonomy, linnet_consensus_accepted(&labels->taxa, label), LINNET_RANK_FAMILY);
    return family == LINNET_NO_TAXON ? LINNET_NO_LABEL : family;
}

bool labels_reaches(const struct labels *labels, uint32_t label, enum linnet_rank rank) {
    if (label == LINNET_NO_LABEL || label == LINNET_LABEL_NOT_A_PLANT) return false;
    return label >= labels->taxa.n ||
           linnet_taxonomy_ancestor(labels->taxonomy, label, rank) != LINNET_NO_TAXON ||
           (rank == LINNET_RANK_SPECIES && linnet_consensus_species(&labels->taxa, label) != LINNET_NO_LABEL);
}
