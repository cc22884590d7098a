/* Abundance, regions, look-alikes. */
#include <stdlib.h>

#include "tests/data/flora_internal.h"

/* Real coordinates, invented regions; they do not overlap, so that a place names one flora. */
const struct flora_checklist linnet_flora_checklists[FLORA_CHECKLISTS] = {
    {"flora:north-coast", "Flora of the North Coast", -4.0, 47.0, 8.0, 51.0},
    {"flora:south-hills", "Flora of the South Hills", -1.0, 42.4, 8.0, 46.6},
    {"flora:isles", "Flora of the Isles", 8.4, 38.8, 10.0, 43.0},
};

struct ranked {
    double score;
    size_t species;
};

static int by_score(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->species < y->species ? -1 : x->species > y->species;
}

/* A share of the parent's: Zipf with a random rank among `n` siblings. */
static double share(struct rng *rng, size_t n) {
    return 1 / (1.0 + rng_below(rng, (unsigned)n));
}

/* Shares at every node make imbalance at every node; the ranks that come of them then get Zipf's frequencies.
 */
static int abundances(struct flora *flora) {
    struct ranked *ranks = calloc(flora->nspecies, sizeof *ranks);
    if (!ranks) return -1;
    double total = 0;
    for (size_t f = 0; f < flora->nfamilies; f++) {
        struct rng rng = rng_make(flora->seed, RNG_CHECKLIST, f);
        double family = share(&rng, flora->nfamilies);
        for (size_t g = flora->families[f].first; g < flora->families[f].first + flora->families[f].count;
             g++) {
            double genus = family * share(&rng, flora->families[f].count);
            for (size_t s = flora->genera[g].first; s < flora->genera[g].first + flora->genera[g].count;
                 s++) {
                double noise = fm_exp(0.4 * rng_normal(&rng));
                ranks[s] = (struct ranked){genus * share(&rng, flora->genera[g].count) * noise, s};
            }
        }
    }
    qsort(ranks, flora->nspecies, sizeof *ranks, by_score);
    for (size_t i = 0; i < flora->nspecies; i++)
        total += 1 / (double)(i + 1);
    for (size_t i = 0; i < flora->nspecies; i++)
        flora->species[ranks[i].species].abundance = 1 / ((double)(i + 1) * total);
    free(ranks);
    return 0;
}

int linnet_flora_spread(struct flora *flora) {
    /* north, south, north and south, isles, isles and south, everywhere */
    static const unsigned masks[] = {1, 2, 3, 4, 6, 7};
    static const double weights[] = {32, 32, 12, 8, 8, 8};
    for (size_t s = 0; s < flora->nspecies; s++) {
        struct rng rng = rng_make(flora->seed, RNG_CHECKLIST, 1000000 + s);
        flora->species[s].checklists = masks[rng_weighted(&rng, weights, 6)];
        flora->species[s].sensitive = rng_chance(&rng, 0.04);
        flora->species[s].toxic = rng_chance(&rng, 0.05);
    }
    return abundances(flora);
}

/* Make `b` look like `a` but for one organ (ORGAN_NONE: in everything, and growing elsewhere). */
static void pair(struct flora *flora, struct rng *rng, size_t a, size_t b, enum organ told_by) {
    struct flora_species *x = &flora->species[a], *y = &flora->species[b];
    y->traits = x->traits;
    x->lookalike = b;
    y->lookalike = a;
    x->told_by = y->told_by = told_by;
    if (told_by == ORGAN_NONE) {
        x->checklists = 1;
        y->checklists = rng_chance(rng, 0.5) ? 2 : 6;
    } else {
        linnet_flora_traits_redraw_organ(rng, told_by, &y->traits);
        y->checklists = x->checklists;
    }
}

void linnet_flora_pair_lookalikes(struct flora *flora) {
    static const enum organ organs[] = {ORGAN_FLOWER, ORGAN_LEAF, ORGAN_FRUIT};
    for (size_t g = 0; g < flora->ngenera; g++) {
        struct rng rng = rng_make(flora->seed, RNG_LOOKALIKE, g);
        const struct flora_genus *genus = &flora->genera[g];
        for (size_t k = 0; k + 1 < genus->count; k += 2) {
            double at = rng_unit(&rng);
            if (at < 0.16)
                pair(flora, &rng, genus->first + k, genus->first + k + 1, organs[rng_below(&rng, 3)]);
            if (at >= 0.16 && at < 0.24)
                pair(flora, &rng, genus->first + k, genus->first + k + 1, ORGAN_NONE);
        }
    }
    /* the dangerous kind: an edible plant and a toxic one of another genus, told apart by leaf or fruit alone
     */
    for (size_t f = 0; f < flora->nfamilies; f++) {
        struct rng rng = rng_make(flora->seed, RNG_LOOKALIKE, 1000000 + f);
        const struct flora_family *family = &flora->families[f];
        if (family->count < 2 || !rng_chance(&rng, 0.6)) continue;
        const struct flora_genus *one =
            &flora->genera[family->first + rng_below(&rng, (unsigned)family->count - 1)];
        size_t a = one->first + one->count - 1, b = one[1].first + one[1].count - 1;
        if (flora->species[a].lookalike != FLORA_NONE || flora->species[b].lookalike != FLORA_NONE) continue;
        pair(flora, &rng, a, b, organs[1 + rng_below(&rng, 2)]);
        flora->species[a].toxic = false;
        flora->species[b].toxic = true;
    }
}
