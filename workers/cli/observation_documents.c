#include "workers/cli/observation_documents.h"

#include <stdio.h>
#include <string.h>

#include "common/base/time.h"
#include "common/couch/couch.h"

static const char *or_else(const char *text, const char *fallback) {
    return text && *text ? text : fallback;
}

static json_t *image_document(const struct linnet_draft *draft, const struct linnet_photo *photo,
                              const char *now) {
    char id[LINNET_ID_MAX];
    if (linnet_id_format(draft->ulid, "image", photo->digest, id) != 0) return NULL;
    json_t *image = json_pack("{s:s, s:s, s:s, s:s}", "_id", id, "kind", "image", "observer", draft->observer,
                              "created_at", now);
    if (image && linnet_couch_attach(image, "original", photo->content_type, photo->data, photo->size) != 0) {
        json_decref(image);
        return NULL;
    }
    return image;
}

static json_t *observation_document(const struct linnet_draft *draft, const char *now) {
    char id[LINNET_ID_MAX];
    if (linnet_id_format(draft->ulid, "observation", NULL, id) != 0) return NULL;
    json_t *views = json_array();
    for (size_t i = 0; i < draft->nphotos; i++)
        json_array_append_new(views, json_pack("{s:s, s:s, s:s}", "image", draft->photos[i].digest, "organ",
                                               or_else(draft->organs[i], "auto"), "licence",
                                               or_else(draft->licence, "CC-BY-4.0")));
    json_t *observation =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "_id", id, "kind", "observation", "observer",
                  draft->observer, "created_at", now, "observed_at",
                  or_else(draft->observed_at, or_else(draft->photos[0].taken_at, now)), "views", views);
    if (!observation) return NULL;
    if (draft->location) json_object_set(observation, "location", draft->location);
    if (draft->flora && *draft->flora) json_object_set_new(observation, "flora", json_string(draft->flora));
    if (draft->proposed && *draft->proposed)
        json_object_set_new(observation, "proposed_taxon", json_string(draft->proposed));
    return observation;
}

int linnet_draft_documents(const struct linnet_draft *draft, json_t **out, struct linnet_error *err) {
    char clock[LINNET_TIME_SIZE];
    if (draft->nphotos == 0 || draft->nphotos > LINNET_VIEWS_MAX)
        return linnet_error_set(err, LINNET_E_INVALID, "an observation has 1 to %d pictures, not %zu",
                                LINNET_VIEWS_MAX, draft->nphotos);
    linnet_time_format(linnet_time_now(), clock);
    const char *now = or_else(draft->created_at, clock);
    json_t *documents = json_array();
    int error = documents ? 0 : LINNET_E_NOMEM;
    for (size_t i = 0; !error && i < draft->nphotos; i++)
        if (json_array_append_new(documents, image_document(draft, &draft->photos[i], now)) != 0)
            error = LINNET_E_NOMEM;
    if (!error && json_array_append_new(documents, observation_document(draft, now)) != 0)
        error = LINNET_E_NOMEM;
    if (error) {
        json_decref(documents);
        return linnet_error_set(err, error, "out of memory");
    }
    *out = documents;
    return 0;
}
