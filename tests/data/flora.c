#include "tests/data/flora.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/flora_internal.h"

/* How many species each genus has: one giant, a third with one, the rest by a power law. */
static size_t genus_sizes(struct rng *rng, size_t nspecies, size_t *sizes) {
    size_t giant = nspecies >= 4 * FLORA_GIANT ? FLORA_GIANT : nspecies / 8 + 1, n = 0;
    size_t left = nspecies - giant;
    sizes[n++] = giant;
    while (left) {
        size_t size = 1;
        if (n % 3 != 1) {
            double tail = fm_pow(1 - rng_unit(rng), -1 / 1.4) - 1;
            size = 2 + (size_t)fm_clamp(2.2 * tail, 0, 30);
        }
        if (size > left) size = left;
        sizes[n++] = size;
        left -= size;
    }
    return n;
}

/* Which family each genus is in: every family has one, the others go by Zipf's law, so that a few families
 * are large. */
static void genus_families(struct rng *rng, size_t ngenera, size_t nfamilies, size_t *family_of) {
    double *weights = calloc(nfamilies, sizeof *weights);
    for (size_t i = 0; weights && i < nfamilies; i++)
        weights[i] = 1 / (double)(i + 1);
    for (size_t i = 0; i < ngenera; i++)
        family_of[i] = i < nfamilies || !weights ? i % nfamilies : rng_weighted(rng, weights, nfamilies);
    free(weights);
}

static void shuffle(struct rng *rng, size_t *list, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(rng, (unsigned)i), swap = list[i - 1];
        list[i - 1] = list[j];
        list[j] = swap;
    }
}

static bool genus_name_taken(const struct flora *flora, size_t upto, const char *name) {
    for (size_t i = 0; i < upto; i++)
        if (!strcmp(flora->genera[i].name.name, name)) return true;
    return false;
}

static void name_genus(struct flora *flora, size_t g) {
    struct rng rng = rng_make(flora->seed, RNG_NAME, g);
    struct genus_name *name = &flora->genera[g].name;
    do
        linnet_flora_name_genus(&rng, name);
    while (genus_name_taken(flora, g, name->name));
}

static void name_species(struct flora *flora, size_t s) {
    struct flora_species *species = &flora->species[s];
    const struct flora_genus *genus = &flora->genera[species->genus];
    struct rng rng = rng_make(flora->seed, RNG_NAME, 1000000 + s);
    bool taken;
    do {
        linnet_flora_name_epithet(&rng, genus->name.gender, &species->epithet);
        snprintf(species->name, sizeof species->name, "%.60s %.60s", genus->name.name,
                 species->epithet.latin);
        taken = false;
        for (size_t i = genus->first; i < s; i++)
            taken = taken || !strcmp(flora->species[i].name, species->name);
    } while (taken);
    linnet_flora_name_author(&rng, species->author);
    species->vernacular = rng_chance(&rng, 0.8);
    if (rng_chance(&rng, 0.08)) {
        /* once described in another genus of the family */
        const struct flora_family *family = &flora->families[genus->family];
        const struct flora_genus *other =
            &flora->genera[family->first + rng_below(&rng, (unsigned)family->count)];
        struct epithet epithet;
        linnet_flora_name_epithet(&rng, other->name.gender, &epithet);
        snprintf(species->synonym, sizeof species->synonym, "%.60s %.40sioides", other->name.name,
                 epithet.latin);
    }
}

static void grow_families(struct flora *flora) {
    for (size_t f = 0; f < flora->nfamilies; f++) {
        struct flora_family *family = &flora->families[f];
        struct rng rng = rng_make(flora->seed, RNG_FAMILY, f);
        linnet_flora_traits_family(&rng, &family->traits);
        snprintf(family->name, sizeof family->name, "%saceae", flora->genera[family->first].name.stem);
        family->order = f * flora->norders / flora->nfamilies;
        struct flora_order *order = &flora->orders[family->order];
        if (!order->name[0])
            snprintf(order->name, sizeof order->name, "%sales", flora->genera[family->first].name.stem);
    }
}

static void grow_species(struct flora *flora) {
    for (size_t g = 0; g < flora->ngenera; g++) {
        struct flora_genus *genus = &flora->genera[g];
        struct rng rng = rng_make(flora->seed, RNG_GENUS, g);
        linnet_flora_traits_genus(&rng, &flora->families[genus->family].traits, &genus->traits);
        for (size_t s = genus->first; s < genus->first + genus->count; s++) {
            struct rng own = rng_make(flora->seed, RNG_SPECIES, s);
            flora->species[s].genus = g;
            flora->species[s].lookalike = FLORA_NONE;
            flora->species[s].told_by = ORGAN_NONE;
            linnet_flora_traits_species(&own, &genus->traits, &flora->species[s].traits);
        }
    }
}

/* Lay genera out family by family, species genus by genus. */
static void lay_out(struct flora *flora, const size_t *sizes, const size_t *family_of) {
    size_t g = 0, s = 0;
    for (size_t f = 0; f < flora->nfamilies; f++) {
        flora->families[f].first = g;
        for (size_t i = 0; i < flora->ngenera; i++) {
            if (family_of[i] != f) continue;
            flora->genera[g].family = f;
            flora->genera[g].first = s;
            flora->genera[g].count = sizes[i];
            s += sizes[i];
            g++;
        }
        flora->families[f].count = g - flora->families[f].first;
    }
}

static int allocate(struct flora *flora) {
    flora->orders = calloc(flora->norders, sizeof *flora->orders);
    flora->families = calloc(flora->nfamilies, sizeof *flora->families);
    flora->genera = calloc(flora->ngenera, sizeof *flora->genera);
    flora->species = calloc(flora->nspecies, sizeof *flora->species);
    return flora->orders && flora->families && flora->genera && flora->species ? 0 : -1;
}

struct flora *linnet_flora_new(uint64_t seed, size_t nspecies) {
    if (nspecies < 8 || nspecies > 100000) return NULL;
    struct flora *flora = calloc(1, sizeof *flora);
    size_t *sizes = calloc(nspecies, sizeof *sizes), *family_of = calloc(nspecies, sizeof *family_of);
    if (!flora || !sizes || !family_of) goto fail;
    struct rng rng = rng_make(seed, RNG_TREE, 0);
    flora->seed = seed;
    flora->nspecies = nspecies;
    flora->ngenera = genus_sizes(&rng, nspecies, sizes);
    shuffle(&rng, sizes, flora->ngenera);
    flora->nfamilies = flora->ngenera / 5 + 2;
    if (flora->nfamilies > flora->ngenera) flora->nfamilies = flora->ngenera;
    flora->norders = flora->nfamilies / 3 + 1;
    genus_families(&rng, flora->ngenera, flora->nfamilies, family_of);
    if (allocate(flora)) goto fail;
    lay_out(flora, sizes, family_of);
    for (size_t g = 0; g < flora->ngenera; g++)
        name_genus(flora, g);
    grow_families(flora);
    grow_species(flora);
    for (size_t s = 0; s < nspecies; s++)
        name_species(flora, s);
    linnet_flora_spread(flora);
    linnet_flora_pair_lookalikes(flora);
    free(sizes);
    free(family_of);
    return flora;
fail:
    free(sizes);
    free(family_of);
    linnet_flora_free(flora);
    return NULL;
}

void linnet_flora_free(struct flora *flora) {
    if (!flora) return;
    free(flora->orders);
    free(flora->families);
    free(flora->genera);
    free(flora->species);
    free(flora);
}

void linnet_flora_taxon_id(enum taxon_base base, size_t index, char out[FLORA_ID_SIZE]) {
    snprintf(out, FLORA_ID_SIZE, "taxon:%zu", (size_t)base + index);
}

size_t linnet_flora_find(const struct flora *flora, const char *name) {
    for (size_t s = 0; s < flora->nspecies; s++) {
        char id[FLORA_ID_SIZE];
        linnet_flora_taxon_id(TAXON_SPECIES, s, id);
        if (!strcmp(name, id) || !strcmp(name, flora->species[s].name)) return s;
    }
    return FLORA_NONE;
}

static int ascending(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Take a species and the one that it is mistaken for, if both fit and neither is in. */
static size_t take(const struct flora *flora, size_t s, size_t count, size_t *out, size_t n, bool *in) {
    size_t twin = flora->species[s].lookalike;
    if (in[s] || n + 1 + (twin != FLORA_NONE && !in[twin]) > count) return n;
    in[s] = true;
    out[n++] = s;
    if (twin != FLORA_NONE && !in[twin]) {
        in[twin] = true;
        out[n++] = twin;
    }
    return n;
}

size_t linnet_flora_part(const struct flora *flora, size_t count, size_t *out) {
    size_t *order = calloc(flora->ngenera, sizeof *order), n = 0;
    bool *in = calloc(flora->nspecies, sizeof *in);
    if (count > flora->nspecies) count = flora->nspecies;
    if (!order || !in) count = 0;
    struct rng rng = rng_make(flora->seed, RNG_PART, count);
    for (size_t g = 0; order && g < flora->ngenera; g++)
        order[g] = g;
    if (count) shuffle(&rng, order, flora->ngenera);
    /* at most an eighth of the part from one genus, then more rounds for what is left to fill */
    for (size_t most = count / 8 + 1; n < count && most <= 2 * count; most *= 2) {
        for (size_t i = 0; i < flora->ngenera && n < count; i++) {
            const struct flora_genus *genus = &flora->genera[order[i]];
            for (size_t k = 0; k < genus->count && k < most && n < count; k++)
                n = take(flora, genus->first + k, count, out, n, in);
        }
    }
    /* a last place, too small for a pair */
    for (size_t s = 0; s < flora->nspecies && n < count; s++)
        if (!in[s] && flora->species[s].lookalike == FLORA_NONE) n = take(flora, s, count, out, n, in);
    qsort(out, n, sizeof *out, ascending);
    free(order);
    free(in);
    return n;
}
