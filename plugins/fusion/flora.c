#include "plugins/fusion/flora.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- loading --- */

static int by_index(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void flora_done(struct fusion_flora *flora) {
    free(flora->taxa);
    free(flora->strangers);
    free(flora->density);
    fusion_area_done(&flora->area);
}

static int read_taxa(const struct linnet_taxonomy *taxonomy, const json_t *taxa, struct fusion_flora *flora) {
    size_t n = json_array_size(taxa);
    flora->taxa = malloc((n ? n : 1) * sizeof *flora->taxa);
    flora->strangers = malloc((n ? n : 1) * sizeof *flora->strangers);
    if (!flora->taxa || !flora->strangers) return -1;
    for (size_t i = 0; i < n; i++) {
        const char *id = json_string_value(json_array_get(taxa, i));
        uint32_t index = id ? linnet_taxonomy_find(taxonomy, id) : LINNET_NO_TAXON;
        if (index != LINNET_NO_TAXON)
            flora->taxa[flora->ntaxa++] = linnet_taxonomy_accepted(taxonomy, index);
        else if (id)
            flora->strangers[flora->nstrangers++] = id;
    }
    qsort(flora->taxa, flora->ntaxa, sizeof *flora->taxa, by_index);
    size_t unique = 0; /* several names of a list may mean one taxon */
    for (size_t i = 0; i < flora->ntaxa; i++)
        if (!unique || flora->taxa[i] != flora->taxa[unique - 1]) flora->taxa[unique++] = flora->taxa[i];
    flora->ntaxa = unique;
    qsort(flora->strangers, flora->nstrangers, sizeof *flora->strangers, by_text);
    return 0;
}

static uint32_t *listed(const struct fusion_flora *flora, uint32_t taxon) {
    return flora->ntaxa ? bsearch(&taxon, flora->taxa, flora->ntaxa, sizeof taxon, by_index) : NULL;
}

/* Records as shares of the mean; of synonyms they add up. */
static int read_records(const struct linnet_taxonomy *taxonomy, const json_t *records,
                        struct fusion_flora *flora) {
    const char *id;
    json_t *count;
    double total = 0;
    if (!json_object_size(records) || !flora->ntaxa) return 0;
    flora->density = calloc(flora->ntaxa, sizeof *flora->density);
    if (!flora->density) return -1;
    json_object_foreach((json_t *)records, id, count) {
        uint32_t index = linnet_taxonomy_find(taxonomy, id);
        if (index == LINNET_NO_TAXON || !(json_number_value(count) > 0)) continue;
        const uint32_t *place = listed(flora, linnet_taxonomy_accepted(taxonomy, index));
        if (!place) continue;
        flora->density[place - flora->taxa] += json_number_value(count);
        total += json_number_value(count);
    }
    for (size_t i = 0; total > 0 && i < flora->ntaxa; i++)
        flora->density[i] *= (double)flora->ntaxa / total;
    return 0;
}

static int load_one(void *arg, const char *id, json_t *document) {
    struct fusion_floras *floras = arg;
    struct fusion_flora *bigger = realloc(floras->flora, (floras->n + 1) * sizeof *bigger);
    if (!bigger) return -1;
    floras->flora = bigger;
    struct fusion_flora *flora = &floras->flora[floras->n++];
    *flora = (struct fusion_flora){.id = id};
    int area = fusion_area_read(json_object_get(document, "area"), &flora->area);
    flora->placed = area == 0;
    if (area == -2) return -1;
    if (read_taxa(floras->taxonomy, json_object_get(document, "taxa"), flora)) return -1;
    return read_records(floras->taxonomy, json_object_get(document, "records"), flora);
}

int fusion_floras_load(const struct linnet_host *host, struct fusion_floras *out) {
    *out = (struct fusion_floras){.taxonomy = host->taxonomy(host->ctx)};
    if (!host->references(host->ctx, "flora:", load_one, out)) return 0;
    fusion_floras_done(out);
    return -1;
}

void fusion_floras_done(struct fusion_floras *floras) {
    for (size_t i = 0; i < floras->n; i++)
        flora_done(&floras->flora[i]);
    free(floras->flora);
    *floras = (struct fusion_floras){0};
}

/* --- choosing --- */

static bool by_name(const struct fusion_floras *floras, const char *name, struct fusion_selection *out) {
    for (size_t i = 0; i < floras->n; i++) {
        if (strcmp(floras->flora[i].id, name) != 0) continue;
        out->nearness[out->n] = 1;
        out->flora[out->n++] = out->main = &floras->flora[i];
        return true;
    }
    out->unknown = name;
    return false;
}

/* Of the areas that hold the whole box, the smallest. */
static const struct fusion_flora *smallest_around(const struct fusion_floras *floras, struct fusion_box box) {
    const struct fusion_flora *smallest = NULL;
    for (size_t i = 0; i < floras->n; i++) {
        const struct fusion_flora *flora = &floras->flora[i];
        if (!flora->placed || !fusion_area_covers(&flora->area, box)) continue;
        if (!smallest || flora->area.extent < smallest->area.extent) smallest = flora;
    }
    return smallest;
}

static void by_place(const struct fusion_floras *floras, struct fusion_box box,
                     struct fusion_selection *out) {
    out->main = smallest_around(floras, box);
    double largest = out->main ? out->main->area.extent : 0;
    bool certain = out->main != NULL;
    for (size_t i = 0; i < floras->n && out->n < FUSION_FLORAS_AT_ONCE; i++) {
        const struct fusion_flora *flora = &floras->flora[i];
        if (!flora->placed || (certain && flora != out->main && flora->area.extent >= largest)) continue;
        if (!fusion_area_touches(&flora->area, box)) continue;
        out->nearness[out->n] = 1;
        out->flora[out->n++] = flora;
        if (!certain && (!out->main || flora->area.extent < out->main->area.extent)) out->main = flora;
    }
}

/* Put a flora near the place among the selected, the nearest of all that there are room for; they stay in
 * order of id, which is that of their addresses. */
static void add_near(struct fusion_selection *out, const struct fusion_flora *flora, double nearness) {
    size_t at = out->n;
    if (out->n == FUSION_FLORAS_AT_ONCE) {
        for (size_t i = 0; i < out->n; i++)
            if (at == out->n || out->nearness[i] < out->nearness[at]) at = i;
        if (out->nearness[at] >= nearness) return;
        for (out->n--; at < out->n; at++) {
            out->flora[at] = out->flora[at + 1];
            out->nearness[at] = out->nearness[at + 1];
        }
        at = out->n;
    }
    for (; at > 0 && out->flora[at - 1] > flora; at--) {
        out->flora[at] = out->flora[at - 1];
        out->nearness[at] = out->nearness[at - 1];
    }
    out->flora[at] = flora;
    out->nearness[at] = nearness;
    out->n++;
}

/* Those that the place is not in. The larger ones around it were left out on purpose, and stay so. */
static void by_distance(const struct fusion_floras *floras, double latitude, double longitude,
                        struct fusion_box box, double radius, const struct fusion_config *config,
                        struct fusion_selection *out) {
    for (size_t i = 0; i < floras->n; i++) {
        const struct fusion_flora *flora = &floras->flora[i];
        if (!flora->placed || fusion_area_touches(&flora->area, box)) continue;
        double metres = fmax(fusion_area_distance(&flora->area, latitude, longitude) - radius, 0);
        double nearness = exp(-metres / config->distance);
        if (nearness <= config->flora_outside) continue;
        add_near(out, flora, nearness);
    }
}

void fusion_floras_select(const struct fusion_floras *floras, const json_t *observation,
                          const struct fusion_config *config, struct fusion_selection *out) {
    const char *name = json_string_value(json_object_get(observation, "flora"));
    const json_t *location = json_object_get(observation, "location");
    const json_t *latitude = json_object_get(location, "decimalLatitude");
    const json_t *longitude = json_object_get(location, "decimalLongitude");
    const json_t *metres = json_object_get(location, "coordinateUncertaintyInMeters");
    /* A hard flora asks only whether it lists a species. */
    *out = (struct fusion_selection){.unrecorded =
                                         config->flora_mode == FUSION_FLORA_SOFT ? config->unrecorded : 1};
    if (name && by_name(floras, name, out)) return;
    if (!json_is_number(latitude) || !json_is_number(longitude)) return;
    double radius = json_is_number(metres) ? json_number_value(metres) : config->uncertainty;
    double y = json_number_value(latitude), x = json_number_value(longitude);
    struct fusion_box box = fusion_box_around(y, x, radius);
    by_place(floras, box, out);
    if (config->flora_mode == FUSION_FLORA_SOFT && config->distance > 0 && out->n > 0)
        by_distance(floras, y, x, box, radius, config, out);
}

/* What a flora says of a taxon: 0 if it does not list it. */
static double weight_in(const struct fusion_selection *selection, const struct fusion_flora *flora,
                        const struct linnet_taxonomy *taxonomy, uint32_t taxon, const char *id) {
    if (taxon == LINNET_NO_TAXON)
        return flora->nstrangers && bsearch(&id, flora->strangers, flora->nstrangers, sizeof id, by_text);
    while (taxon != LINNET_NO_TAXON) {
        const uint32_t *place = listed(flora, taxon);
        if (place && !flora->density) return 1;
        if (place) {
            double q = flora->density[place - flora->taxa];
            return (selection->unrecorded + q) / (1 + q);
        }
        taxon = linnet_taxonomy_at(taxonomy, taxon)->parent;
    }
    return 0;
}

double fusion_selection_prior(const struct fusion_selection *selection,
                              const struct linnet_taxonomy *taxonomy, uint32_t taxon, const char *id) {
    double prior = selection->n == 0;
    for (size_t i = 0; i < selection->n && prior < 1; i++)
        prior = fmax(prior,
                     selection->nearness[i] * weight_in(selection, selection->flora[i], taxonomy, taxon, id));
    return prior;
}
