#include "workers/serve/observations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/local.h"
#include "workers/serve/engine.h"
#include "workers/serve/identify.h"
#include "workers/serve/related.h"
#include "workers/serve/serve.h"
#include "workers/serve/similar.h"
#include "workers/serve/species.h"

#define IMAGE_LIMIT      ((size_t)64 * 1024 * 1024)
#define RELATED_SPECIES  5 /* of these pictures are shown */
#define RELATED_PICTURES 4 /* of each */
#define ALIKE            8 /* whatever they show */

const char *const serve_observation_query[] = {"lang", "include-related-images", "authenix-access-token",
                                               NULL};

/* ---- addresses ---- */

void serve_image_base(const struct serve_request *request, char *out, size_t size) {
    const char *public = linnet_json_string(request->serve->config, "public_url", NULL),
               *host = serve_header(request, MHD_HTTP_HEADER_HOST);
    snprintf(out, size, "%s%.256s", public != NULL ? "" : "http://",
             public != NULL ? public
             : host != NULL ? host
                            : "");
}

json_t *serve_image_urls(const char *base, const char *observation, const char *digest) {
    static const char *const sizes[] = {"o", "m", "s"};
    json_t *urls = json_object();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        json_object_set_new(
            urls, sizes[i],
            json_sprintf("%s/v2/observations/%s/images/%s/%s", base, observation, digest, sizes[i]));
    return urls;
}

/* ---- an observation ---- */

struct story {
    struct serve_request *request;
    const struct linnet_references *references;
    const char *lang, *ulid;
    const json_t *observation, *identification, *consensus; /* NULL: there is none */
    bool related;                                           /* pictures that look alike are wanted */
    struct serve_related looks;
    char base[SERVE_BASE_SIZE]; /* of addresses of pictures */
};

static json_t *images_of(const struct story *story) {
    json_t *list = json_array();
    const json_t *view;
    size_t i;
    json_array_foreach(json_object_get(story->observation, "views"), i, view) {
        const char *digest = linnet_json_string(view, "image", "");
        json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:o}", "id", digest, "organ",
                                              linnet_json_string(view, "organ", "auto"), "license",
                                              linnet_json_string(view, "licence", NULL), "url",
                                              serve_image_urls(story->base, story->ulid, digest)));
    }
    return list;
}

static json_t *identification_of(const struct story *story) {
    json_t *results = json_array();
    const json_t *found;
    size_t i;
    if (story->identification == NULL) return json_null();
    json_array_foreach(json_object_get(story->identification, "species"), i, found) {
        const char *taxon = linnet_json_string(found, "taxon", "");
        json_t *result =
            json_pack("{s:f, s:s, s:o}", "score", linnet_json_number(found, "score", 0), "taxon", taxon,
                      "species", serve_species_json(story->references, taxon, story->lang));
        if (story->related && i < RELATED_SPECIES)
            json_object_set_new(result, "images",
                                serve_related_json(&story->looks, taxon, story->ulid, RELATED_PICTURES));
        json_array_append_new(results, result);
    }
    return json_pack("{s:s*, s:O?, s:o}", "version", linnet_json_string(story->identification, "model", NULL),
                     "best", json_object_get(story->identification, "best"), "results", results);
}

static json_t *consensus_of(const struct story *story) {
    const char *taxon = linnet_json_string(story->consensus, "taxon", NULL);
    if (story->consensus == NULL) return json_null();
    return json_pack("{s:s?, s:o, s:s, s:b, s:f, s:f, s:i}", "taxon", taxon, "species",
                     taxon != NULL ? serve_species_json(story->references, taxon, story->lang) : json_null(),
                     "grade", linnet_json_string(story->consensus, "grade", "casual"), "valid",
                     (int)linnet_json_bool(story->consensus, "valid", false), "confidence",
                     linnet_json_number(story->consensus, "confidence", 0), "accuracy",
                     linnet_json_number(story->consensus, "accuracy", 0), "votes",
                     (int)json_array_size(json_object_get(story->consensus, "votes")));
}

/* The place as the community's answer publishes it; before there is one the rounded one that the app has
 * sent. */
static json_t *place_of(const struct story *story) {
    const json_t *place =
        json_object_get(story->consensus != NULL ? story->consensus : story->observation, "location");
    if (!json_is_object(place) || json_object_get(place, "decimalLatitude") == NULL) return json_null();
    return json_pack("{s:O, s:O, s:O*}", "decimalLatitude", json_object_get(place, "decimalLatitude"),
                     "decimalLongitude", json_object_get(place, "decimalLongitude"),
                     "coordinateUncertaintyInMeters",
                     json_object_get(place, "coordinateUncertaintyInMeters"));
}

static json_t *tell(const struct story *story) {
    json_t *alike = NULL;
    if (story->related)
        alike = serve_related_any(
            &story->looks, story->ulid,
            linnet_json_number(story->request->serve->config, "similar/duplicate_below", 0.01), ALIKE);
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:o, s:o, s:o, s:o, s:o*}", "id", story->ulid, "observer",
                     linnet_json_string(story->observation, "observer", NULL), "createdAt",
                     linnet_json_string(story->observation, "created_at", NULL), "observedAt",
                     linnet_json_string(story->observation, "observed_at", NULL), "flora",
                     linnet_json_string(story->observation, "flora", NULL), "location", place_of(story),
                     "images", images_of(story), "identification", identification_of(story), "consensus",
                     consensus_of(story), "similar", alike);
}

/* How the observation's pictures look, as its predictions say. */
static void take_looks(struct story *story, const json_t *rows) {
    struct linnet_observation observation;
    const json_t *row;
    size_t i;
    linnet_observation_init(&observation, story->ulid);
    json_array_foreach(rows, i, row) {
        json_t *document = json_object_get(row, "doc");
        if (strcmp(linnet_json_string(document, "kind", ""), "prediction") != 0) continue;
        json_incref(document);
        if (linnet_observation_put(&observation, document) != 0) json_decref(document);
    }
    serve_related_init(&story->looks, serve_similar_index(story->request->serve->similar), &observation);
    linnet_observation_done(&observation);
}

static void answer_story(struct story *story, const json_t *rows) {
    serve_image_base(story->request, story->base, sizeof story->base);
    story->looks.base = story->base;
    if (story->related) take_looks(story, rows);
    serve_answer_json(story->request, 200, tell(story));
    if (story->related) serve_related_done(&story->looks);
}

static void on_documents(struct linnet_couch_request *couch_request,
                         const struct linnet_couch_response *response, void *arg) {
    struct serve_request *request = arg;
    const struct serve_view *view = serve_engine_view(request->serve->engine);
    struct story story = {.request = request,
                          .references = view->references,
                          .ulid = request->captures[0],
                          .lang = serve_param(request, "lang")};
    const json_t *row;
    size_t i;
    (void)couch_request;
    if (story.lang == NULL) story.lang = "en";
    serve_read_switch(request, "include-related-images", &story.related); /* was read before: it is right */
    json_array_foreach(json_object_get(response->json, "rows"), i, row) {
        const json_t *document = json_object_get(row, "doc");
        const char *kind = linnet_json_string(document, "kind", "");
        if (strcmp(kind, "observation") == 0) story.observation = document;
        if (strcmp(kind, "identification") == 0) story.identification = document;
        if (strcmp(kind, "consensus") == 0) story.consensus = document;
    }
    if (response->error != 0 && response->error != LINNET_E_NOT_FOUND)
        serve_answer_error(request, 503, "the store does not answer");
    else if (story.observation == NULL)
        serve_answer_error(request, 404, "Observation not found");
    else
        answer_story(&story, json_object_get(response->json, "rows"));
}

/* A store and a ULID are needed. False: the request has been answered. */
static bool asks_for_one(struct serve_request *request) {
    if (request->serve->couch == NULL) {
        serve_answer_error(request, 404, "this server has no store");
        return false;
    }
    if (linnet_ulid_valid(request->captures[0], strlen(request->captures[0])) &&
        strlen(request->captures[0]) == LINNET_ULID_SIZE - 1)
        return true;
    serve_answer_error(request, 404, "Observation not found");
    return false;
}

void serve_observation_get(struct serve_request *request) {
    bool related = false;
    if (!asks_for_one(request) || !serve_read_switch(request, "include-related-images", &related)) return;
    if (related && !serve_related_offered(request)) return;
    if (linnet_couch_get_observation(request->serve->couch, request->captures[0], on_documents, request) != 0)
        serve_answer_error(request, 500, "out of memory");
}

/* ---- a picture ---- */

static void on_picture(struct linnet_couch_request *couch_request,
                       const struct linnet_couch_response *response, void *arg) {
    struct serve_request *request = arg;
    (void)couch_request;
    if (response->error != 0) {
        serve_answer_error(request, response->error == LINNET_E_NOT_FOUND ? 404 : 503,
                           response->error == LINNET_E_NOT_FOUND ? "Picture not found"
                                                                 : "the store does not answer");
        return;
    }
    struct linnet_bytes *bytes = linnet_bytes_copy(response->body, response->size);
    if (bytes == NULL) {
        serve_answer_error(request, 500, "out of memory");
        return;
    }
    serve_answer_bytes(request, linnet_local_type(bytes->data, bytes->size), bytes);
    linnet_bytes_unref(bytes);
    /* Of one digest there is one picture, for ever; that it may be erased is why it is not kept for ever. */
    if (request->response != NULL)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=86400");
}

void serve_observation_image_get(struct serve_request *request) {
    static const struct {
        const char *size, *kind, *attachment;
    } sizes[] = {
        {"o", "image", "original"}, {"m", "normalized", "page.jpg"}, {"s", "normalized", "thumb.jpg"}};
    char id[LINNET_ID_MAX];
    if (!asks_for_one(request)) return;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(request->captures[2], sizes[i].size) != 0 || !linnet_digest_valid(request->captures[1]))
            continue;
        linnet_id_format(request->captures[0], sizes[i].kind, request->captures[1], id);
        if (linnet_couch_get_attachment(request->serve->couch, LINNET_DB_MAIN, id, sizes[i].attachment, NULL,
                                        IMAGE_LIMIT, on_picture, request) != 0)
            serve_answer_error(request, 500, "out of memory");
        return;
    }
    serve_answer_error(request, 404, "Picture not found");
}
