#include "plugins/fusion/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/fusion/rollup.h"

#define LIST_MAX 100

static json_t *score_of(double value) {
    return json_real(fmin(fmax(round(value * 1e6) / 1e6, 0), 1));
}

/* What each view itself says of a candidate, by its picture. */
static json_t *scores_by_view(const struct fusion_views *views, const struct fusion_fused *fused,
                              uint32_t place) {
    json_t *scores = json_object();
    for (size_t v = 0; v < views->n; v++) {
        double known = fused->known[v * fused->tree.n + place];
        if (known >= 0) json_object_set_new(scores, views->view[v].image, score_of(known));
    }
    return scores;
}

/* Does the place make a species so unlikely that people should look again? */
static bool is_unusual(const struct fusion_config *config, const struct fusion_fused *fused, uint32_t place) {
    return fused->prior[place] >= 0 && fused->prior[place] < config->unusual;
}

static json_t *list(const struct fusion_config *config, const struct fusion_views *views,
                    const struct fusion_fused *fused, enum fusion_level level, size_t most) {
    uint32_t places[LIST_MAX];
    long n = fusion_rank(&fused->tree, fused->total, level, places, most < LIST_MAX ? most : LIST_MAX);
    json_t *array = n < 0 ? NULL : json_array();
    for (long i = 0; i < n; i++) {
        json_t *entry = json_pack("{s:s, s:o}", "taxon", fused->tree.node[places[i]].taxon, "score",
                                  score_of(fused->total[places[i]]));
        if (level == FUSION_SPECIES) {
            json_object_set_new(entry, "views", scores_by_view(views, fused, places[i]));
            if (config->flora_mode == FUSION_FLORA_SOFT && fused->prior[places[i]] >= 0)
                json_object_set_new(entry, "prior", score_of(fused->prior[places[i]]));
            if (is_unusual(config, fused, places[i])) json_object_set_new(entry, "unusual", json_true());
        }
        json_array_append_new(array, entry);
    }
    return array;
}

static json_t *organs(const struct fusion_views *views) {
    json_t *organs = json_object();
    for (size_t v = 0; v < views->n; v++)
        if (views->view[v].organ != FUSION_ORGANS)
            json_object_set_new(organs, views->view[v].image,
                                json_string(fusion_organ_name(views->view[v].organ)));
    return organs;
}

__attribute__((format(printf, 2, 3))) static void say(json_t *why, const char *format, ...) {
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    json_array_append_new(why, json_string(sentence));
}

static bool is_no_plant(const struct fusion_config *config, const struct fusion_fused *fused) {
    return fused->plant >= 0 && fused->plant < config->plant_threshold;
}

static const char *name_of(const struct fusion_tree *tree, const char *taxon) {
    const struct linnet_taxon *known =
        linnet_taxonomy_at(tree->taxonomy, linnet_taxonomy_find(tree->taxonomy, taxon));
    return known ? known->scientific_name : taxon;
}

/* Is the best taxon a species that is unusual here? */
static bool best_is_unusual(const struct fusion_config *config, const struct fusion_fused *fused,
                            const struct fusion_best *best) {
    for (uint32_t i = 0; best->taxon && i < fused->tree.n; i++)
        if (fused->tree.node[i].level == FUSION_SPECIES && !strcmp(fused->tree.node[i].taxon, best->taxon))
            return is_unusual(config, fused, i);
    return false;
}

/* What a reader would wonder about. */
static json_t *explain(const struct fusion_config *config, const struct fusion_views *views,
                       const struct fusion_selection *selection, const struct fusion_fused *fused,
                       const struct fusion_best *best) {
    json_t *why = json_array();
    if (views->n < views->of)
        say(why, "%zu of %zu views have a prediction by %s.", views->n, views->of, views->model);
    if (selection->unknown) say(why, "The observation names %s, which there is not.", selection->unknown);
    if (fused->emptied)
        say(why, "%s was not applied: none of the candidates grows in it.", selection->main->id);
    if (is_no_plant(config, fused))
        say(why, "This is probably no plant: a plant has probability %.2f.", fused->plant);
    else if (!best->taxon)
        say(why, "No taxon reaches a score of %.2f.", config->threshold);
    else if (strcmp(best->rank, "species") != 0 && strcmp(best->rank, "subspecies") != 0)
        say(why, "No species reaches a score of %.2f; the %s %s does, with %.2f.", config->threshold,
            best->rank, name_of(&fused->tree, best->taxon), best->score);
    if (best_is_unusual(config, fused, best))
        say(why, "%s is unusual here: look again.", name_of(&fused->tree, best->taxon));
    return why;
}

/* Which floras were applied: one in "flora", all in "floras" if there are several. */
static void put_floras(json_t *document, const struct fusion_selection *selection,
                       const struct fusion_fused *fused) {
    json_object_set_new(document, "flora", fused->filtered ? json_string(selection->main->id) : json_null());
    json_object_set_new(document, "flora_removed", score_of(fused->removed));
    if (!fused->filtered || selection->n < 2) return;
    json_t *floras = json_array();
    for (size_t i = 0; i < selection->n; i++)
        json_array_append_new(floras, json_string(selection->flora[i]->id));
    json_object_set_new(document, "floras", floras);
}

json_t *fusion_document(const struct fusion_config *config, const struct fusion_views *views,
                        const struct fusion_selection *selection, const struct fusion_fused *fused) {
    struct fusion_best best;
    if (fusion_best_taxon(&fused->tree, fused->own, fused->total, config->threshold, &best)) return NULL;
    if (is_no_plant(config, fused)) best.taxon = NULL;
    json_t *document = json_pack("{s:s, s:{s:I, s:I}, s:s, s:o, s:o, s:o, s:o, s:o}", "model", views->model,
                                 "views", "used", (json_int_t)views->n, "of", (json_int_t)views->of, "method",
                                 fusion_method_name(config->method), "species",
                                 list(config, views, fused, FUSION_SPECIES, config->species), "genera",
                                 list(config, views, fused, FUSION_GENUS, config->genera), "families",
                                 list(config, views, fused, FUSION_FAMILY, config->families), "organs",
                                 organs(views), "why", explain(config, views, selection, fused, &best));
    if (!document) return NULL;
    put_floras(document, selection, fused);
    json_t *answer = best.taxon ? json_pack("{s:s, s:s, s:o}", "taxon", best.taxon, "rank", best.rank,
                                            "score", score_of(best.score))
                                : json_null();
    if (best_is_unusual(config, fused, &best)) json_object_set_new(answer, "unusual", json_true());
    json_object_set_new(document, "best", answer);
    if (fused->plant >= 0) json_object_set_new(document, "plant", score_of(fused->plant));
    if (!json_array_size(json_object_get(document, "why"))) json_object_del(document, "why");
    return document;
}
