/* Taxa as the library's labels: indexes of the backbone, and behind them the taxa that it lacks. */
#ifndef CONSENSUS_LABELS_H
#define CONSENSUS_LABELS_H

#include "common/consensus/taxa.h"
#include "common/taxonomy/taxonomy.h"
#include "plugins/consensus/intern.h"

struct labels {
    const struct linnet_taxonomy *taxonomy; /* borrowed */
    struct linnet_consensus_taxa taxa;
    struct intern unknown; /* label taxa.n + i is the i-th of these */
};

/* LINNET_E_NOMEM, LINNET_E_INVALID with words in *err. */
int labels_init(struct labels *labels, const struct linnet_taxonomy *taxonomy, struct linnet_error *err);
void labels_done(struct labels *labels);
/* The label of a taxon's id; LINNET_NO_LABEL when out of memory. */
uint32_t labels_put(struct labels *labels, const char *taxon);
/* The id of a taxon; NULL for labels that are none. Until the next put. */
const char *labels_text(const struct labels *labels, uint32_t label);
/* The backbone's entry, NULL if it has none. */
const struct linnet_taxon *labels_taxon(const struct labels *labels, uint32_t label);
/* For people: the scientific name, else the id; "not a plant". */
const char *labels_name(const struct labels *labels, uint32_t label);
/* The label of its family, LINNET_NO_LABEL if it is in none. */
uint32_t labels_family(const struct labels *labels, uint32_t label);
/* Is it a taxon at or below a rank? One that the backbone lacks counts as a species. */
bool labels_reaches(const struct labels *labels, uint32_t label, enum linnet_rank rank);

#endif
