#include "plugins/fusion/choose.h"

#include <string.h>

const struct linnet_doc *fusion_observation(const struct linnet_item *item) {
    for (size_t i = 0; i < item->ndocs; i++)
        if (!strcmp(item->docs[i].kind, "observation") && item->docs[i].json) return &item->docs[i];
    return NULL;
}

static const char *string(const json_t *json, const char *name) {
    return json_string_value(json_object_get(json, name));
}

int fusion_view_of(const json_t *observation, const json_t *prediction) {
    const json_t *views = json_object_get(observation, "views");
    const char *image = string(prediction, "image");
    for (size_t i = 0; image && i < json_array_size(views); i++) {
        const char *digest = string(json_array_get(views, i), "image");
        if (digest && !strcmp(digest, image)) return (int)i;
    }
    return -1;
}

/* The model of a prediction that counts for the observation, else NULL. */
static const char *model_of(const struct linnet_doc *doc, const json_t *observation) {
    if (strcmp(doc->kind, "prediction") != 0 || !doc->json || fusion_view_of(observation, doc->json) < 0)
        return NULL;
    return string(doc->json, "model");
}

/* How many views a model covers: there is one prediction by picture and model. */
static size_t coverage(const struct linnet_item *item, const json_t *observation, const char *model) {
    size_t n = 0;
    for (size_t i = 0; i < item->ndocs; i++) {
        const char *other = model_of(&item->docs[i], observation);
        n += other && !strcmp(other, model);
    }
    return n;
}

static const char *created_at(const struct linnet_host *host, const char *model) {
    char id[192] = "model:";
    const char *time = NULL;
    if (strlen(model) < sizeof id - 6) {
        strcpy(id + 6, model);
        time = string(host->reference(host->ctx, id), "created_at");
    }
    return time ? time : "";
}

/* Is `a` to be preferred to `b`, which covers as much? */
static bool is_preferred(const struct linnet_host *host, const char *a, const char *b) {
    const char *wanted = string(host->reference(host->ctx, "wanted:convnet"), "model");
    bool a_wanted = wanted && !strcmp(a, wanted), b_wanted = wanted && !strcmp(b, wanted);
    if (a_wanted != b_wanted) return a_wanted;
    int newer = strcmp(created_at(host, a), created_at(host, b));
    if (newer) return newer > 0;
    int version = strverscmp(strrchr(a, '@') ? strrchr(a, '@') : a, strrchr(b, '@') ? strrchr(b, '@') : b);
    return version ? version > 0 : strcmp(a, b) > 0;
}

const char *fusion_choose_model(const struct linnet_host *host, const struct linnet_item *item) {
    const struct linnet_doc *observation = fusion_observation(item);
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; observation && i < item->ndocs; i++) {
        const char *model = model_of(&item->docs[i], observation->json);
        if (!model || (best && !strcmp(model, best))) continue;
        size_t covered = coverage(item, observation->json, model);
        if (covered < most || (covered == most && best && !is_preferred(host, model, best))) continue;
        best = model;
        most = covered;
    }
    return best;
}
