#include "plugins/convnet/prediction.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/convnet/scores.h"

int convnet_scratch_init(struct convnet_scratch *scratch, const struct convnet_model *model, size_t dims) {
    scratch->scores = malloc(model->classes * sizeof *scratch->scores);
    scratch->sums = malloc(model->classes * sizeof *scratch->sums);
    scratch->places = malloc(CONVNET_TOP_SPECIES * sizeof *scratch->places);
    scratch->text_size = sodium_base64_ENCODED_LEN(2 * dims, sodium_base64_VARIANT_ORIGINAL);
    scratch->text = malloc(scratch->text_size + 2 * dims);
    if (scratch->scores && scratch->sums && scratch->places && scratch->text) return 0;
    convnet_scratch_done(scratch);
    return -1;
}

void convnet_scratch_done(struct convnet_scratch *scratch) {
    free(scratch->scores);
    free(scratch->sums);
    free(scratch->places);
    free(scratch->text);
    memset(scratch, 0, sizeof *scratch);
}

/* Nine significant digits, all that a float has. Fusion takes a genus less its listed species for what is
 * left of it and adds logarithms, so the last digit of a large score counts where what is left is small. */
static json_t *probability(double value) {
    value = fmin(fmax(value, 0), 1);
    if (value < 1e-300) return json_real(0);
    double step = pow(10, 8 - floor(log10(value)));
    return json_real(fmin(round(value * step) / step, 1));
}

static json_t *ranked(const struct convnet_model *model, enum convnet_level level, size_t most,
                      struct convnet_scratch *scratch) {
    const struct convnet_taxa *taxa = &model->taxa[level];
    json_t *list = json_array();
    convnet_sum(taxa, scratch->scores, model->classes, scratch->sums);
    size_t n = convnet_rank(scratch->sums, taxa->count, CONVNET_LEAST, most, scratch->places);
    for (size_t i = 0; i < n; i++) {
        json_t *entry = json_object();
        json_object_set_new(entry, "taxon", json_string(taxa->ids[scratch->places[i]]));
        json_object_set_new(entry, "score", probability(scratch->sums[scratch->places[i]]));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *organs_of(const struct convnet_model *model, const float *logits) {
    double scores[CONVNET_ORGANS_MAX];
    json_t *object = json_object();
    convnet_softmax(logits, model->norgans, 1, scores);
    for (size_t i = 0; i < model->norgans; i++)
        json_object_set_new(object, model->organs[i], probability(scores[i]));
    return object;
}

static json_t *embedding_of(const float *values, size_t dims, struct convnet_scratch *scratch) {
    unsigned char *bytes = (unsigned char *)scratch->text + scratch->text_size;
    for (size_t i = 0; i < dims; i++) {
        uint16_t half = convnet_half(values[i]);
        bytes[2 * i] = (unsigned char)(half & 255);
        bytes[2 * i + 1] = (unsigned char)(half >> 8);
    }
    sodium_bin2base64(scratch->text, scratch->text_size, bytes, 2 * dims, sodium_base64_VARIANT_ORIGINAL);
    return json_pack("{s:I, s:s, s:s}", "dims", (json_int_t)dims, "type", "f16", "data", scratch->text);
}

static bool all_finite(const float *values, size_t count) {
    for (size_t i = 0; values && i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

json_t *convnet_prediction(const struct convnet_model *model, const char *digest,
                           const struct convnet_outputs *outputs, struct convnet_scratch *scratch,
                           bool *numbers) {
    *numbers = all_finite(outputs->species, model->classes) && all_finite(outputs->organ, model->norgans) &&
               all_finite(outputs->plant, 1) && all_finite(outputs->embedding, outputs->dims);
    if (!*numbers) return NULL;
    convnet_softmax(outputs->species, model->classes, model->temperature, scratch->scores);
    json_t *document = json_pack("{s:s, s:s}", "image", digest, "model", model->name);
    if (!document) return NULL;
    int rc = json_object_set_new(document, "species",
                                 ranked(model, CONVNET_SPECIES, CONVNET_TOP_SPECIES, scratch));
    rc |= json_object_set_new(document, "genera", ranked(model, CONVNET_GENUS, CONVNET_TOP_ABOVE, scratch));
    rc |=
        json_object_set_new(document, "families", ranked(model, CONVNET_FAMILY, CONVNET_TOP_ABOVE, scratch));
    if (outputs->plant)
        rc |= json_object_set_new(document, "plant", probability(convnet_sigmoid((double)outputs->plant[0])));
    if (outputs->organ) rc |= json_object_set_new(document, "organ", organs_of(model, outputs->organ));
    if (outputs->embedding)
        rc |= json_object_set_new(document, "embedding",
                                  embedding_of(outputs->embedding, outputs->dims, scratch));
    if (!rc) return document;
    json_decref(document);
    return NULL;
}
