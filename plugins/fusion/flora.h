/* The floras of linnet-reference: checklists of species, some with the area where they hold. */
#ifndef LINNET_FUSION_FLORA_H
#define LINNET_FUSION_FLORA_H

#include <linnet/plugin.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/taxonomy/taxonomy.h"
#include "plugins/fusion/area.h"
#include "plugins/fusion/config.h"

#define FUSION_FLORAS_AT_ONCE 16

struct fusion_flora {
    const char *id; /* the reference's */
    uint32_t *taxa; /* accepted taxa, ascending */
    size_t ntaxa;
    double *density; /* of each of them: its records there as a share of the mean; NULL: nothing is known */
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
    double nearness[FUSION_FLORAS_AT_ONCE];                  /* of each: 1 at the place, less away from it */
    double unrecorded; /* what a listed species counts that was never recorded there */
    size_t n;
    const struct fusion_flora
        *main;           /* the one that the result names: the named one, else the most particular */
    const char *unknown; /* the flora that the observation names, but that there is not; else NULL */
};

/* Read all floras of the host's snapshot. 0 or -1: out of memory. */
int fusion_floras_load(const struct linnet_host *host, struct fusion_floras *out);
void fusion_floras_done(struct fusion_floras *floras);

/* The floras of an observation: the one that it names; else those whose area its place may lie in, the place
 * being known up to its coordinateUncertaintyInMeters (else config->uncertainty). A flora that is larger than
 * another one that holds the place for certain is left out. With soft filtering those near the place come
 * too, the nearest first, as long as they count for more than what is outside of all. Any thread. */
void fusion_floras_select(const struct fusion_floras *floras, const json_t *observation,
                          const struct fusion_config *config, struct fusion_selection *out);
/* How likely the place makes a taxon (accepted index, or LINNET_NO_TAXON and its id), 0 to 1: the largest
 * over the selection's floras f that list it, by itself or by a taxon above it, of r(f) exp(-d(f) / D), where
 * d is how far the place is from f's area and D config->distance. r is 1 where f has no records; else (u + q)
 * / (1
 * + q), q being the taxon's records in f as a share of the mean over f's taxa (so that much visited floras
 * count as others do) and u config->unrecorded: u at none, (1 + u) / 2 at the mean, towards 1 with many. 0
 * where no flora lists it, 1 with an empty selection. Any thread. */
double fusion_selection_prior(const struct fusion_selection *selection,
                              const struct linnet_taxonomy *taxonomy, uint32_t taxon, const char *id);

#endif
