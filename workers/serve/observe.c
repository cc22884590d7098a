#include "workers/serve/observe.h"

#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/time.h"

static int put(struct linnet_observation *observation, json_t *document) {
    int rc = document != NULL ? linnet_observation_put(observation, document) : LINNET_E_NOMEM;
    if (rc != 0) json_decref(document);
    return rc;
}

static int put_image(const struct serve_sighting *sighting, const struct serve_image *image, const char *now,
                     struct linnet_observation *out) {
    char id[LINNET_ID_MAX], digest[LINNET_DIGEST_SIZE + 8];
    int rc = linnet_id_format(sighting->ulid, "image", image->digest, id);
    if (rc != 0 || linnet_observation_find(out, id) != NULL) return rc;
    snprintf(digest, sizeof digest, "sha256-%s", image->digest);
    rc = put(out, json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:s, s:I, s:s, s:b}}}", "_id", id, "kind", "image",
                            "observer", sighting->observer, "created_at", now, "_attachments", "original",
                            "content_type", image->type, "length", (json_int_t)image->bytes->size, "digest",
                            digest, "stub", 1));
    return rc != 0 ? rc : linnet_observation_put_blob(out, id, "original", image->type, image->bytes);
}

static json_t *views_of(const struct serve_sighting *sighting) {
    const struct serve_form *form = sighting->form;
    json_t *views = json_array();
    for (size_t i = 0; i < form->nimages; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= strcmp(form->images[i].digest, form->images[j].digest) == 0;
        if (!again)
            json_array_append_new(views, json_pack("{s:s, s:s}", "image", form->images[i].digest, "organ",
                                                   sighting->organs[i]));
    }
    return views;
}

int serve_observe(const struct serve_sighting *sighting, struct linnet_observation *out) {
    char id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    linnet_observation_init(out, sighting->ulid);
    int rc = linnet_id_format(sighting->ulid, "observation", NULL, id);
    if (rc == 0)
        rc = put(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s*}", "_id", id, "kind", "observation",
                                "observer", sighting->observer, "created_at", now, "observed_at", now,
                                "views", views_of(sighting), "flora", sighting->flora));
    for (size_t i = 0; rc == 0 && i < sighting->form->nimages; i++)
        rc = put_image(sighting, &sighting->form->images[i], now, out);
    if (rc != 0) linnet_observation_done(out);
    return rc;
}
