#include "plugins/fusion/views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/fusion/choose.h"

#define LEAST_PLANT 0.05
/* A view with a weight of nothing would leave nothing to divide by. */
#define LEAST_WEIGHT 1e-3

static double clamped(double value) {
    return value > 0 ? (value < 1 ? value : 1) : 0;
}

/* The weight of each organ. */
static void organ_weights(const json_t *model, const struct fusion_config *config,
                          double out[FUSION_ORGANS]) {
    const json_t *measured = json_object_get(json_object_get(model, "accuracy"), "by_organ");
    for (int o = 0; o < FUSION_ORGANS; o++) {
        const json_t *value = json_object_get(json_object_get(measured, fusion_organ_name(o)), "macro_top1");
        out[o] = config->measured && json_is_number(value) ? sqrt(clamped(json_number_value(value)))
                                                           : config->organ_weights[o];
    }
}

/* The model's organ probabilities, made to sum to 1. False if it tells none. */
static bool organs_seen(const json_t *prediction, double out[FUSION_ORGANS]) {
    const json_t *organ = json_object_get(prediction, "organ");
    double sum = 0;
    for (int o = 0; o < FUSION_ORGANS; o++) {
        out[o] = clamped(json_number_value(json_object_get(organ, fusion_organ_name(o))));
        sum += out[o];
    }
    for (int o = 0; sum > 0 && o < FUSION_ORGANS; o++)
        out[o] /= sum;
    return sum > 0;
}

static void believe_organ(struct fusion_view *view, enum fusion_organ declared, double trust) {
    double seen[FUSION_ORGANS];
    bool told = organs_seen(view->prediction, seen);
    view->organ = declared;
    for (int o = 0; o < FUSION_ORGANS; o++) {
        double is_declared = (int)declared == o;
        if (declared == FUSION_ORGANS)
            view->shares[o] = told ? seen[o] : 0;
        else
            view->shares[o] = told ? trust * is_declared + (1 - trust) * seen[o] : is_declared;
    }
    if (declared != FUSION_ORGANS || !told) return;
    view->organ = FUSION_FLOWER;
    for (int o = 1; o < FUSION_ORGANS; o++)
        if (seen[o] > seen[view->organ]) view->organ = (enum fusion_organ)o;
}

static void weigh(struct fusion_view *view, const double weights[FUSION_ORGANS]) {
    double expected = 0, mean = 0, known = 0;
    for (int o = 0; o < FUSION_ORGANS; o++) {
        expected += view->shares[o] * weights[o];
        known += view->shares[o];
        mean += weights[o] / FUSION_ORGANS;
    }
    view->weight = known > 0 ? expected : mean;
    if (view->plant >= 0) view->weight *= view->plant > LEAST_PLANT ? view->plant : LEAST_PLANT;
    if (view->weight < LEAST_WEIGHT) view->weight = LEAST_WEIGHT;
}

static int by_image(const void *a, const void *b) {
    return strcmp(((const struct fusion_view *)a)->image, ((const struct fusion_view *)b)->image);
}

static size_t pictures(const json_t *views) {
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(views); i++) {
        const json_t *image = json_object_get(json_array_get(views, i), "image");
        bool seen = !json_is_string(image);
        for (size_t j = 0; j < i && !seen; j++)
            seen = json_equal(image, json_object_get(json_array_get(views, j), "image"));
        n += !seen;
    }
    return n;
}

void fusion_views_gather(const struct linnet_item *item, const char *model, const json_t *model_document,
                         const struct fusion_config *config, struct fusion_views *out) {
    double weights[FUSION_ORGANS];
    const json_t *observation = fusion_observation(item)->json;
    const json_t *views = json_object_get(observation, "views");
    organ_weights(model_document, config, weights);
    *out = (struct fusion_views){.model = model, .of = pictures(views)};
    for (size_t i = 0; i < item->ndocs && out->n < FUSION_VIEWS_MAX; i++) {
        const json_t *prediction = item->docs[i].json;
        const char *by = json_string_value(json_object_get(prediction, "model"));
        if (strcmp(item->docs[i].kind, "prediction") != 0 || !by || strcmp(by, model) != 0) continue;
        int place = fusion_view_of(observation, prediction);
        if (place < 0) continue;
        struct fusion_view *view = &out->view[out->n++];
        const json_t *plant = json_object_get(prediction, "plant");
        const json_t *declared = json_object_get(json_array_get(views, (size_t)place), "organ");
        view->image = json_string_value(json_object_get(prediction, "image"));
        view->prediction = prediction;
        view->plant = json_is_number(plant) ? clamped(json_number_value(plant)) : -1;
        believe_organ(view, fusion_organ_parse(json_string_value(declared)), config->declared_trust);
        weigh(view, weights);
    }
    qsort(out->view, out->n, sizeof out->view[0], by_image);
}
