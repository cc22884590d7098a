/* The floras of linnet-reference: checklists of species, some with the area where they hold. */
#ifndef LINNET_FUSION_FLORA_H
#define LINNET_FUSION_FLORA_H

#include <linnet/plugin.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/taxonomy/taxonomy.h"
#include "plugins/fusion/area.h"

#define FUSION_FLORAS_AT_ONCE 16

struct fusion_flora {
    const char *id; /* the reference's */
    uint32_t *taxa; /* accepted taxa, ascending */
    size_t ntaxa;
    const char **strangers; /* ids that the backbone does not know, in order; the reference's */
    size_t nstrangers;
    bool placed; /* has an area */
    struct fusion_area area;
};

struct fusion_floras {
    const struct linnet_taxonomy *taxonomy;
    struct fusion_flora *flora; /* in order of id */
    size_t n;
};

/* Those that apply to one observation. None: everything grows there. */
struct fusion_selection {
    const struct fusion_flora *flora[FUSION_FLORAS_AT_ONCE]; /* in order of id */
    size_t n;
    const struct fusion_flora
        *main;           /* the one that the result names: the named one, else the most particular */
    const char *unknown; /* the flora that the observation names, but that there is not; else NULL */
};

/* Read all floras of the host's snapshot. 0 or -1: out of memory. */
int fusion_floras_load(const struct linnet_host *host, struct fusion_floras *out);
void fusion_floras_done(struct fusion_floras *floras);

/* The floras of an observation: the one that it names; else those whose area its place may lie in, the place
 * being known up to its coordinateUncertaintyInMeters (else `uncertainty`). A flora that is larger than
 * another one that holds the place for certain is left out. Any thread. */
void fusion_floras_select(const struct fusion_floras *floras, const json_t *observation, double uncertainty,
                          struct fusion_selection *out);
/* Does a taxon (accepted index, or LINNET_NO_TAXON and its id) grow in one of the selection's floras, by
 * itself or by a taxon above it that the checklist names? True with an empty selection. Any thread. */
bool fusion_selection_has(const struct fusion_selection *selection, const struct linnet_taxonomy *taxonomy,
                          uint32_t taxon, const char *id);

#endif
