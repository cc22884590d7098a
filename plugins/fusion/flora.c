#include "plugins/fusion/flora.h"

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
    qsort(flora->strangers, flora->nstrangers, sizeof *flora->strangers, by_text);
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
    return read_taxa(floras->taxonomy, json_object_get(document, "taxa"), flora);
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
        out->flora[out->n++] = flora;
        if (!certain && (!out->main || flora->area.extent < out->main->area.extent)) out->main = flora;
    }
}

void fusion_floras_select(const struct fusion_floras *floras, const json_t *observation, double uncertainty,
                          struct fusion_selection *out) {
    const char *name = json_string_value(json_object_get(observation, "flora"));
    const json_t *location = json_object_get(observation, "location");
    const json_t *latitude = json_object_get(location, "decimalLatitude");
    const json_t *longitude = json_object_get(location, "decimalLongitude");
    const json_t *metres = json_object_get(location, "coordinateUncertaintyInMeters");
    *out = (struct fusion_selection){0};
    if (name && by_name(floras, name, out)) return;
    if (!json_is_number(latitude) || !json_is_number(longitude)) return;
    double radius = json_is_number(metres) ? json_number_value(metres) : uncertainty;
    by_place(floras, fusion_box_around(json_number_value(latitude), json_number_value(longitude), radius),
             out);
}

static bool lists(const struct fusion_flora *flora, const struct linnet_taxonomy *taxonomy, uint32_t taxon,
                  const char *id) {
    if (taxon == LINNET_NO_TAXON)
        return flora->nstrangers && bsearch(&id, flora->strangers, flora->nstrangers, sizeof id, by_text);
    while (taxon != LINNET_NO_TAXON) {
        if (flora->ntaxa && bsearch(&taxon, flora->taxa, flora->ntaxa, sizeof taxon, by_index)) return true;
        taxon = linnet_taxonomy_at(taxonomy, taxon)->parent;
    }
    return false;
}

bool fusion_selection_has(const struct fusion_selection *selection, const struct linnet_taxonomy *taxonomy,
                          uint32_t taxon, const char *id) {
    for (size_t i = 0; i < selection->n; i++)
        if (lists(selection->flora[i], taxonomy, taxon, id)) return true;
    return selection->n == 0;
}
