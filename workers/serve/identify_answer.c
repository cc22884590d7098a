#include <string.h>

#include "common/base/json.h"
#include "workers/serve/identify.h"
#include "workers/serve/related.h"
#include "workers/serve/species.h"

/* A species that is less likely is of no use to anybody, unless so many were asked for. */
#define LEAST_SCORE 0.001
/* Pictures are shown of so many species, and so many of each. */
#define RELATED_SPECIES  20
#define RELATED_PICTURES 5

static const json_t *document_of(const struct linnet_observation *observation, const char *kind,
                                 const char *digest) {
    for (size_t i = 0; i < observation->ndocs; i++) {
        const struct linnet_held_doc *doc = &observation->docs[i];
        if (strcmp(doc->kind, kind) == 0 && strncmp(doc->qualifier, digest, strlen(digest)) == 0)
            return doc->json;
    }
    return NULL;
}

const json_t *serve_identification_of(const struct linnet_observation *observation) {
    return document_of(observation, "identification", "");
}

static json_t *query_json(const struct serve_question *question, const struct serve_form *form) {
    json_t *images = json_array(), *organs = json_array();
    for (size_t i = 0; i < form->nimages; i++) {
        json_array_append_new(images, json_string(form->images[i].digest));
        json_array_append_new(organs, json_string(question->organs[i]));
    }
    return json_pack("{s:s, s:o, s:o, s:b, s:b, s:s}", "project", question->project, "images", images,
                     "organs", organs, "includeRelatedImages", (int)question->related, "noReject",
                     (int)question->no_reject, "type", question->type);
}

/* What each picture shows, by the network. */
static json_t *organs_json(const struct serve_form *form, const struct linnet_observation *observation) {
    json_t *list = json_array();
    for (size_t i = 0; i < form->nimages; i++) {
        const struct serve_image *image = &form->images[i];
        const char *organ, *best = NULL;
        double most = -1;
        json_t *score;
        json_object_foreach(json_object_get(document_of(observation, "prediction", image->digest), "organ"),
                            organ, score) {
            if (json_number_value(score) <= most) continue;
            most = json_number_value(score);
            best = organ;
        }
        if (best != NULL)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:f}", "image", image->digest, "filename",
                                                  image->filename, "organ", best, "score", most));
    }
    return list;
}

static json_t *result_json(const struct serve_question *question, const struct serve_view *view,
                           const json_t *found) {
    const char *taxon = linnet_json_string(found, "taxon", "");
    json_t *result = json_pack("{s:f, s:o, s:[]}", "score", linnet_json_number(found, "score", 0), "species",
                               serve_species_json(view->references, taxon, question->lang), "images");
    if (result != NULL) serve_species_identifiers(view->references, taxon, result);
    return result;
}

static json_t *results_json(const struct serve_question *question, const struct serve_view *view,
                            const json_t *identification, const struct serve_related *related) {
    json_t *list = json_array();
    const json_t *found;
    size_t i;
    json_array_foreach(json_object_get(identification, "species"), i, found) {
        if (i >= question->results || (i > 0 && linnet_json_number(found, "score", 0) < LEAST_SCORE)) break;
        json_t *result = result_json(question, view, found);
        if (question->related && i < RELATED_SPECIES)
            json_object_set_new(
                result, "images",
                serve_related_json(related, linnet_json_string(found, "taxon", ""), NULL, RELATED_PICTURES));
        json_array_append_new(list, result);
    }
    return list;
}

/* Genera and families as they are found, with names. */
static json_t *ranked_json(const struct serve_question *question, const struct serve_view *view,
                           const json_t *ranked) {
    json_t *list = json_array();
    const json_t *found;
    size_t i;
    json_array_foreach(ranked, i, found) {
        const char *taxon = linnet_json_string(found, "taxon", "");
        if (i >= question->results || (i > 0 && linnet_json_number(found, "score", 0) < LEAST_SCORE)) break;
        json_t *one = serve_taxon_json(view->references, taxon);
        json_object_set_new(one, "commonNames", serve_common_names(view->references, taxon, question->lang));
        json_array_append_new(
            list, json_pack("{s:f, s:o}", "score", linnet_json_number(found, "score", 0), "taxon", one));
    }
    return list;
}

/* What each view by itself says of a species: [{image, score}]. */
static json_t *contributions(const json_t *species) {
    json_t *list = json_array(), *score;
    const char *digest;
    json_object_foreach(json_object_get(species, "views"), digest, score)
        json_array_append_new(list, json_pack("{s:s, s:O}", "image", digest, "score", score));
    return list;
}

static json_t *explanation(const struct serve_question *question, const struct serve_view *view,
                           const json_t *identification) {
    static const char *const copied[] = {"method",        "views", "organs", "flora", "floras",
                                         "flora_removed", "plant", "why",    "best"};
    json_t *explain = json_object(), *species = json_array();
    const json_t *found;
    size_t i;
    for (i = 0; i < sizeof copied / sizeof *copied; i++) {
        json_t *value = json_object_get(identification, copied[i]);
        if (value != NULL) json_object_set(explain, copied[i], value);
    }
    json_array_foreach(json_object_get(identification, "species"), i, found) {
        const char *taxon = linnet_json_string(found, "taxon", "");
        if (i >= question->results || (i > 0 && linnet_json_number(found, "score", 0) < LEAST_SCORE)) break;
        json_array_append_new(species,
                              json_pack("{s:s, s:s*, s:f, s:o}", "taxon", taxon, "scientificName",
                                        linnet_json_string(linnet_references_get(view->references, taxon),
                                                           "scientificName", NULL),
                                        "score", linnet_json_number(found, "score", 0), "views",
                                        contributions(found)));
    }
    json_object_set_new(explain, "species", species);
    return explain;
}

json_t *serve_identify_answer(const struct serve_question *question, const struct serve_form *form,
                              const struct linnet_observation *observation, const struct serve_view *view,
                              const struct linnet_similar *index, const char *base) {
    const json_t *identification = serve_identification_of(observation);
    struct serve_related related = {.base = base};
    if (question->related) serve_related_init(&related, index, observation);
    json_t *results = results_json(question, view, identification, &related);
    serve_related_done(&related);
    const char *best = linnet_json_string(json_array_get(results, 0), "species/scientificName", ""),
               *model = linnet_json_string(identification, "model", view->model);
    json_t *answer =
        json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:s}", "query", query_json(question, form), "language",
                  question->lang, "preferedReferential", question->project, "bestMatch", best, "results",
                  results, "predictedOrgans", organs_json(form, observation), "version", model);
    if (answer == NULL) return NULL;
    if (question->detailed)
        json_object_set_new(
            answer, "otherResults",
            json_pack("{s:o, s:o}", "genus",
                      ranked_json(question, view, json_object_get(identification, "genera")), "family",
                      ranked_json(question, view, json_object_get(identification, "families"))));
    if (question->unsure)
        json_object_set_new(
            answer, "uncertainty",
            serve_uncertainty(&question->uncertainty, view->references, identification, model));
    if (question->explain)
        json_object_set_new(answer, "explain", explanation(question, view, identification));
    return answer;
}
