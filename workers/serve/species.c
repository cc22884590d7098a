#include "workers/serve/species.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

json_t *serve_taxon_json(const struct linnet_references *references, const char *id) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(references);
    const struct linnet_taxon *taxon =
        id != NULL ? linnet_taxonomy_at(taxonomy, linnet_taxonomy_find(taxonomy, id)) : NULL;
    const char *name = taxon != NULL ? taxon->scientific_name
                       : id != NULL  ? id
                                     : "",
               *author = taxon != NULL ? taxon->authorship : "";
    char whole[600];
    snprintf(whole, sizeof whole, "%s%s%s", name, *author != '\0' ? " " : "", author);
    return json_pack("{s:s, s:s, s:s}", "scientificNameWithoutAuthor", name, "scientificNameAuthorship",
                     author, "scientificName", whole);
}

json_t *serve_common_names(const struct linnet_references *references, const char *id, const char *lang) {
    const json_t *all = json_object_get(linnet_references_get(references, id), "vernacularNames");
    json_t *names = json_object_get(all, lang);
    if (names == NULL && strchr(lang, '-') != NULL) {
        char base[16];
        snprintf(base, sizeof base, "%.*s", (int)strcspn(lang, "-"), lang);
        names = json_object_get(all, base);
    }
    return json_is_array(names) ? json_incref(names) : json_array();
}

static json_t *ancestor_json(const struct linnet_references *references, uint32_t index,
                             enum linnet_rank rank) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(references);
    const struct linnet_taxon *taxon =
        linnet_taxonomy_at(taxonomy, linnet_taxonomy_ancestor(taxonomy, index, rank));
    return serve_taxon_json(references, taxon != NULL ? taxon->id : NULL);
}

json_t *serve_species_json(const struct linnet_references *references, const char *id, const char *lang) {
    json_t *species = serve_taxon_json(references, id);
    uint32_t index = linnet_taxonomy_find(linnet_references_taxonomy(references), id);
    if (species == NULL) return NULL;
    json_object_set_new(species, "genus", ancestor_json(references, index, LINNET_RANK_GENUS));
    json_object_set_new(species, "family", ancestor_json(references, index, LINNET_RANK_FAMILY));
    json_object_set_new(species, "commonNames", serve_common_names(references, id, lang));
    return species;
}

void serve_species_identifiers(const struct linnet_references *references, const char *id, json_t *result) {
    static const char *const sources[] = {"gbif", "powo"};
    const json_t *identifiers = json_object_get(linnet_references_get(references, id), "identifiers");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        json_t *found = json_object_get(identifiers, sources[i]);
        json_object_set_new(result, sources[i],
                            json_pack("{s:o}", "id", found != NULL ? json_incref(found) : json_null()));
    }
}
