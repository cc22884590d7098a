#include "workers/serve/uncertainty.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "workers/serve/species.h"

struct asking {
    const struct serve_uncertainty_question *question;
    const struct linnet_references *references;
    const json_t *species; /* of the identification, best first */
    json_t *weights;       /* {taxon: prevalence} of these; NULL: not asked for */
    double threshold;
};

/* The prevalence of the species that are listed: one walk over the labels, of which there may be many. */
static json_t *weights_of(const json_t *model, const json_t *species) {
    const json_t *prevalence = linnet_json_at(model, "uncertainty/prevalence"), *one;
    json_t *weights = json_object();
    size_t i;
    json_array_foreach(species, i, one)
        json_object_set_new(weights, linnet_json_string(one, "taxon", ""), json_real(0));
    json_array_foreach(json_object_get(model, "labels"), i, one) {
        const char *taxon = json_string_value(one);
        json_t *weight = taxon != NULL ? json_object_get(weights, taxon) : NULL;
        if (weight != NULL) json_real_set(weight, json_number_value(json_array_get(prevalence, i)));
    }
    return weights;
}

static bool belongs(const struct asking *asking, const json_t *one) {
    double weight = json_number_value(json_object_get(asking->weights, linnet_json_string(one, "taxon", "")));
    return linnet_conformity(asking->question->kind, linnet_json_number(one, "score", 0), weight) >=
           asking->threshold;
}

/* The set, and the last taxon that all of it lies under (LINNET_NO_TAXON: none). */
static json_t *set_of(const struct asking *asking, uint32_t *common) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(asking->references);
    json_t *set = json_array();
    const json_t *one;
    size_t i;
    *common = LINNET_NO_TAXON;
    json_array_foreach(asking->species, i, one) {
        const char *taxon = linnet_json_string(one, "taxon", "");
        if (i > 0 && !belongs(asking, one)) continue;
        uint32_t index = linnet_taxonomy_find(taxonomy, taxon);
        *common = json_array_size(set) == 0 ? index
                  : *common == LINNET_NO_TAXON || index == LINNET_NO_TAXON
                      ? LINNET_NO_TAXON
                      : linnet_taxonomy_common(taxonomy, *common, index);
        json_array_append_new(
            set, json_pack("{s:f, s:o}", "score", linnet_json_number(one, "score", 0), "species",
                           serve_species_json(asking->references, taxon, asking->question->lang)));
    }
    return set;
}

static json_t *ancestor_json(const struct linnet_references *references, uint32_t index) {
    const struct linnet_taxon *taxon = linnet_taxonomy_at(linnet_references_taxonomy(references), index);
    if (taxon == NULL) return json_null();
    json_t *json = serve_taxon_json(references, taxon->id);
    if (json != NULL) json_object_set_new(json, "rank", json_string(linnet_rank_name(taxon->rank)));
    return json;
}

static json_t *answer(struct asking *asking, const char *scope, const json_t *thresholds) {
    const struct serve_uncertainty_question *question = asking->question;
    const char *kind = linnet_conformal_name(question->kind);
    uint32_t common;
    size_t level = 0;
    if (thresholds == NULL || !linnet_conformal_level(question->probability, &level))
        return json_pack("{s:f, s:s, s:n, s:s}", "probability", question->probability, "kind", kind,
                         "species", "why",
                         "the model was published without held-out pictures that would tell");
    asking->threshold = json_number_value(json_array_get(json_object_get(thresholds, kind), level));
    json_t *set = set_of(asking, &common);
    bool complete = asking->threshold > 0, several = json_array_size(set) > 1;
    return json_pack("{s:f, s:s, s:s, s:I, s:o, s:b, s:o}", "probability", question->probability, "kind",
                     kind, "scope", scope, "observations",
                     (json_int_t)linnet_json_integer(thresholds, "observations", 0), "species", set,
                     "complete", (int)complete, "ancestor",
                     complete && several ? ancestor_json(asking->references, common) : json_null());
}

json_t *serve_uncertainty(const struct serve_uncertainty_question *question,
                          const struct linnet_references *references, const json_t *identification,
                          const char *model) {
    char id[192];
    snprintf(id, sizeof id, "model:%s", model);
    const json_t *document = linnet_references_get(references, id);
    bool filtered = linnet_json_string(identification, "flora", NULL) != NULL;
    const char *scope = filtered ? "flora" : "anywhere";
    struct asking asking = {.question = question,
                            .references = references,
                            .species = json_object_get(identification, "species")};
    if (question->kind == LINNET_CONFORMAL_BALANCED) asking.weights = weights_of(document, asking.species);
    json_t *json = answer(&asking, scope, json_object_get(json_object_get(document, "uncertainty"), scope));
    json_decref(asking.weights);
    return json;
}
