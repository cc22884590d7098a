#include "workers/serve/related.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/half.h"
#include "workers/serve/form.h"
#include "workers/serve/observations.h"
#include "workers/serve/serve.h"
#include "workers/serve/similar.h"

bool serve_related_offered(struct serve_request *request) {
    if (request->serve->similar != NULL) return true;
    serve_answer_error(request, 404, "this server knows no pictures: it has no store, or \"similar\" is off");
    return false;
}

void serve_related_init(struct serve_related *related, const struct linnet_similar *index,
                        const struct linnet_observation *observation) {
    size_t dims = index != NULL ? linnet_similar_dims(index) : 0;
    related->index = index;
    related->n = 0;
    related->looks = dims > 0 ? malloc(SERVE_IMAGES_MAX * dims * sizeof *related->looks) : NULL;
    for (size_t i = 0; related->looks != NULL && i < observation->ndocs; i++) {
        if (strcmp(observation->docs[i].kind, "prediction") != 0 || related->n == SERVE_IMAGES_MAX) continue;
        uint16_t *halves = serve_similar_embedding(observation->docs[i].json, &dims);
        if (halves == NULL) continue;
        for (size_t j = 0; j < dims; j++)
            related->looks[related->n * dims + j] = linnet_half_to_float(halves[j]);
        related->n++;
        free(halves);
    }
}

void serve_related_done(struct serve_related *related) {
    free(related->looks);
    related->looks = NULL;
    related->n = 0;
}

/* Put a picture among the others, nearest first; one that is there already stays where it is nearer. */
static size_t merge(struct linnet_similar_hit *hits, size_t n, size_t k, struct linnet_similar_hit hit) {
    size_t at = 0;
    for (; at < n; at++)
        if (hits[at].picture == hit.picture) {
            if (hits[at].distance <= hit.distance) return n;
            memmove(hits + at, hits + at + 1, (n - at - 1) * sizeof *hits);
            n--;
            break;
        }
    for (at = n; at > 0 && hits[at - 1].distance > hit.distance; at--)
        if (at < k) hits[at] = hits[at - 1];
    if (at == k) return n;
    hits[at] = hit;
    return n < k ? n + 1 : n;
}

size_t serve_related_find(const struct serve_related *related, const bool *taxa, size_t k,
                          struct linnet_similar_hit hits[SERVE_RELATED_MAX]) {
    struct linnet_similar_hit found[SERVE_RELATED_MAX];
    size_t n = 0;
    for (size_t i = 0; i < related->n; i++) {
        struct linnet_similar_query query = {
            .vector = related->looks + i * linnet_similar_dims(related->index), .k = k, .taxa = taxa};
        size_t got = linnet_similar_find(related->index, &query, found);
        for (size_t j = 0; j < got; j++)
            n = merge(hits, n, k, found[j]);
    }
    return n;
}

json_t *serve_related_picture(const struct linnet_similar *index, uint32_t picture, const char *base,
                              double distance) {
    struct linnet_similar_picture found;
    json_t *note = NULL;
    if (!linnet_similar_at(index, picture, &found)) return NULL;
    if (linnet_json_load(found.note, strlen(found.note), 0, &note, NULL) != 0) note = json_object();
    const char *date = linnet_json_string(note, "date", NULL);
    json_t *json = json_pack("{s:s, s:s, s:O*, s:O*, s:O*, s:o}", "id", found.digest, "observation",
                             found.observation, "organ", json_object_get(note, "organ"), "author",
                             json_object_get(note, "author"), "license", json_object_get(note, "license"),
                             "url", serve_image_urls(base, found.observation, found.digest));
    /* Clients of Pl@ntNet's API read both without asking whether they are there. */
    json_object_set_new(json, "date", json_pack("{s:s}", "string", date != NULL ? date : ""));
    json_object_set_new(json, "citation",
                        json_sprintf("%s / %s", linnet_json_string(note, "author", "unknown"),
                                     linnet_json_string(note, "license", "no licence stated")));
    if (distance >= 0) json_object_set_new(json, "distance", json_real(distance));
    json_decref(note);
    return json;
}

/* Of the hits those of other observations, `k` at most; the taxon goes with them where it is asked for. */
static json_t *pictures_json(const struct serve_related *related, const bool *taxa, const char *but,
                             double same, size_t k) {
    struct linnet_similar_hit hits[SERVE_RELATED_MAX];
    struct linnet_similar_picture picture;
    json_t *list = json_array();
    size_t wanted = but != NULL ? k + SERVE_IMAGES_MAX : k;
    size_t n =
        serve_related_find(related, taxa, wanted < SERVE_RELATED_MAX ? wanted : SERVE_RELATED_MAX, hits);
    for (size_t i = 0; i < n && json_array_size(list) < k; i++) {
        double distance = hits[i].distance > 0 ? (double)hits[i].distance : 0;
        if (!linnet_similar_at(related->index, hits[i].picture, &picture)) continue;
        if (but != NULL && strcmp(picture.observation, but) == 0) continue;
        json_t *one = serve_related_picture(related->index, hits[i].picture, related->base, distance);
        if (taxa == NULL) json_object_set_new(one, "taxon", json_string(picture.taxon));
        if (distance < same) json_object_set_new(one, "nearDuplicate", json_true());
        json_array_append_new(list, one);
    }
    return list;
}

json_t *serve_related_json(const struct serve_related *related, const char *taxon, const char *but,
                           size_t k) {
    uint32_t number =
        related->n > 0 ? linnet_similar_taxon_number(related->index, taxon) : LINNET_SIMILAR_NONE;
    if (number == LINNET_SIMILAR_NONE) return json_array();
    bool *taxa = calloc(linnet_similar_taxa(related->index), sizeof *taxa);
    if (taxa == NULL) return json_array();
    taxa[number] = true;
    json_t *list = pictures_json(related, taxa, but, 0, k);
    free(taxa);
    return list;
}

json_t *serve_related_any(const struct serve_related *related, const char *but, double same, size_t k) {
    return pictures_json(related, NULL, but, same, k);
}
