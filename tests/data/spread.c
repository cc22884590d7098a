/* Abundance, regions, look-alikes. */
#include "tests/data/flora_internal.h"

/* Real coordinates, invented regions; they do not overlap, so that a place names one flora. */
const struct flora_checklist linnet_flora_checklists[FLORA_CHECKLISTS] = {
    {"flora:north-coast", "Flora of the North Coast", -4.0, 47.0, 8.0, 51.0},
    {"flora:south-hills", "Flora of the South Hills", -1.0, 42.4, 8.0, 46.6},
    {"flora:isles", "Flora of the Isles", 8.4, 38.8, 10.0, 43.0},
};

/* The chance that decides a child's rank among its siblings. Families, genera and species have keys of their
 * own. */
static double lot(const struct flora *flora, uint64_t base, size_t child) {
    struct rng rng = rng_make(flora->seed, RNG_CHECKLIST, base + child);
    return rng_unit(&rng);
}

/* A child's share of its parent's abundance: Zipf's law over the siblings' ranks, which are drawn by lot. */
static double share(const struct flora *flora, uint64_t base, size_t first, size_t count, size_t child) {
    double own = lot(flora, base, child), total = 0;
    size_t rank = 1;
    for (size_t i = first; i < first + count; i++) {
        rank += i != child && lot(flora, base, i) < own;
        total += 1 / (double)(i - first + 1);
    }
    return 1 / ((double)rank * total);
}

/* Zipf's law at every node: among families, among the genera of each, among the species of each genus. */
static void abundances(struct flora *flora) {
    enum { FAMILIES = 10000000, GENERA = 20000000, SPECIES = 30000000 };
    for (size_t f = 0; f < flora->nfamilies; f++) {
        const struct flora_family *family = &flora->families[f];
        double of_family = share(flora, FAMILIES, 0, flora->nfamilies, f);
        for (size_t g = family->first; g < family->first + family->count; g++) {
            const struct flora_genus *genus = &flora->genera[g];
            double of_genus = of_family * share(flora, GENERA, family->first, family->count, g);
            for (size_t s = genus->first; s < genus->first + genus->count; s++)
                flora->species[s].abundance = of_genus * share(flora, SPECIES, genus->first, genus->count, s);
        }
    }
}

void linnet_flora_spread(struct flora *flora) {
    /* north, south, north and south, isles, isles and south, everywhere */
    static const unsigned masks[] = {1, 2, 3, 4, 6, 7};
    static const double weights[] = {32, 32, 12, 8, 8, 8};
    for (size_t s = 0; s < flora->nspecies; s++) {
        struct rng rng = rng_make(flora->seed, RNG_CHECKLIST, 1000000 + s);
        flora->species[s].checklists = masks[rng_weighted(&rng, weights, 6)];
        flora->species[s].sensitive = rng_chance(&rng, 0.04);
        flora->species[s].toxic = rng_chance(&rng, 0.05);
    }
    abundances(flora);
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
