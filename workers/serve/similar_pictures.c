#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/similar.h"

bool serve_similar_wants(const json_t *observation, const json_t *consensus) {
    return observation != NULL && linnet_json_bool(consensus, "valid", false) &&
           !linnet_json_bool(consensus, "not_a_plant", false) &&
           linnet_json_string(consensus, "taxon", NULL) != NULL;
}

uint16_t *serve_similar_embedding(const json_t *prediction, size_t *dims) {
    const json_t *embedding = json_object_get(prediction, "embedding");
    const char *data = linnet_json_string(embedding, "data", NULL);
    long long n = linnet_json_integer(embedding, "dims", 0);
    size_t got = 0;
    if (data == NULL || n < 1 || n > LINNET_SIMILAR_DIMS || (*dims != 0 && (size_t)n != *dims)) return NULL;
    uint8_t *bytes = malloc((size_t)n * 2);
    uint16_t *halves = malloc((size_t)n * sizeof *halves);
    if (bytes == NULL || halves == NULL ||
        sodium_base642bin(bytes, (size_t)n * 2, data, strlen(data), NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != (size_t)n * 2) {
        free(halves);
        halves = NULL;
    }
    for (size_t i = 0; halves != NULL && i < (size_t)n; i++)
        halves[i] = (uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
    free(bytes);
    if (halves != NULL) *dims = (size_t)n;
    return halves;
}

char *serve_similar_note(const json_t *observation, const json_t *view) {
    json_t *note = json_pack("{s:s, s:s*, s:s*, s:s*}", "organ", linnet_json_string(view, "organ", "auto"),
                             "license", linnet_json_string(view, "licence", NULL), "author",
                             linnet_json_string(observation, "observer", NULL), "date",
                             linnet_json_string(observation, "observed_at", NULL));
    char *text = note != NULL ? json_dumps(note, JSON_COMPACT) : NULL;
    json_decref(note);
    return text;
}
