#include "plugins/fusion/config.h"

#include <string.h>

/* clang-format off */
#define FRACTION(name, value, description)                                                                     \
    "\"" name "\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":" value                           \
    ",\"description\":\"" description "\"}"

#define COUNT(name, value, description)                                                                        \
    "\"" name "\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":" value                        \
    ",\"description\":\"" description "\"}"

const char fusion_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"method\":{\"enum\":[\"organ\",\"maximum\",\"mean\"],\"default\":\"organ\","
    "\"description\":\"how views are fused: weighted by organ, or plainly by the largest or the mean score\"},"
    "\"organ_weights\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},"
    "\"description\":\"how much a view of this organ tells\",\"properties\":{"
    FRACTION("flower", "1.0", "of a flower") ","
    FRACTION("fruit", "0.9", "of a fruit") ","
    FRACTION("leaf", "0.8", "of a leaf") ","
    FRACTION("habit", "0.8", "of the whole plant") ","
    FRACTION("bark", "0.7", "of the bark") "}},"
    "\"measured_weights\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"weigh organs by the model's own measured accuracy where its document has it\"},"
    FRACTION("declared_trust", "0.9", "probability that an organ that somebody declared is the one shown") ","
    FRACTION("independence", "0.5", "of the views of one plant: 0: ten views tell no more than one, 1: each is new") ","
    "\"floor\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":0.01,\"default\":1e-5,"
    "\"description\":\"least probability that one view gives to a taxon, so that no view alone rules it out\"},"
    "\"flora\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},\"properties\":{"
    "\"mode\":{\"enum\":[\"hard\",\"soft\",\"off\"],\"default\":\"hard\","
    "\"description\":\"species outside the flora: removed, made less likely, left\"},"
    FRACTION("outside", "0.05", "soft: what their score is multiplied with, a millionth at least") ","
    "\"distance_km\":{\"type\":\"number\",\"minimum\":0,\"maximum\":20000,\"default\":100,"
    "\"description\":\"soft: floras near the place count less by a factor e for each so many kilometres; 0: not at all\"},"
    FRACTION("unrecorded", "0.25", "soft: what a listed species counts that was never recorded, where a flora has records") ","
    FRACTION("unusual", "0.2", "a species that the place makes less likely than this is flagged as unusual here") ","
    "\"uncertainty_m\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1000000,\"default\":15700,"
    "\"description\":\"radius of a location that says none (15,700: half the diagonal of a cell of 0.2 degrees)\"}}},"
    FRACTION("threshold", "0.5", "score that the best taxon must reach, else it is a coarser one") ","
    FRACTION("plant_threshold", "0.5", "probability of a plant below which no taxon is the best") ","
    "\"list\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},\"properties\":{"
    COUNT("species", "20", "listed, at most") ","
    COUNT("genera", "10", "listed, at most") ","
    COUNT("families", "10", "listed, at most") "}}}}";
/* clang-format on */

static const char *const methods[] = {"organ", "maximum", "mean"};
static const char *const flora_modes[] = {"hard", "soft", "off"};
static const char *const organs[FUSION_ORGANS] = {"flower", "leaf", "fruit", "bark", "habit"};

static double number(const json_t *json, const char *name) {
    return json_number_value(json_object_get(json, name));
}

static size_t count(const json_t *json, const char *name) {
    return (size_t)json_integer_value(json_object_get(json, name));
}

/* The place of a string among `names`; 0, the default, if it is none of them. */
static int choice(const json_t *json, const char *name, const char *const *names, int n) {
    const char *text = json_string_value(json_object_get(json, name));
    for (int i = 0; text && i < n; i++)
        if (!strcmp(text, names[i])) return i;
    return 0;
}

void fusion_config_read(const json_t *json, struct fusion_config *out) {
    const json_t *flora = json_object_get(json, "flora"), *list = json_object_get(json, "list");
    *out = (struct fusion_config){
        .method = (enum fusion_method)choice(json, "method", methods, 3),
        .measured = json_is_true(json_object_get(json, "measured_weights")),
        .declared_trust = number(json, "declared_trust"),
        .independence = number(json, "independence"),
        .floor = number(json, "floor"),
        .flora_mode = (enum fusion_flora_mode)choice(flora, "mode", flora_modes, 3),
        .flora_outside = number(flora, "outside"),
        .distance = 1000 * number(flora, "distance_km"),
        .unrecorded = number(flora, "unrecorded"),
        .unusual = number(flora, "unusual"),
        .uncertainty = number(flora, "uncertainty_m"),
        .threshold = number(json, "threshold"),
        .plant_threshold = number(json, "plant_threshold"),
        .species = count(list, "species"),
        .genera = count(list, "genera"),
        .families = count(list, "families"),
    };
    for (int i = 0; i < FUSION_ORGANS; i++)
        out->organ_weights[i] = number(json_object_get(json, "organ_weights"), organs[i]);
}

const char *fusion_method_name(enum fusion_method method) {
    return methods[method];
}

const char *fusion_organ_name(enum fusion_organ organ) {
    return organs[organ];
}

enum fusion_organ fusion_organ_parse(const char *name) {
    for (int i = 0; name && i < FUSION_ORGANS; i++)
        if (!strcmp(name, organs[i])) return (enum fusion_organ)i;
    return FUSION_ORGANS;
}
