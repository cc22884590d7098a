#include "plugins/consensus/config.h"

#include <string.h>

const char consensus_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"alpha\":{\"type\":\"number\",\"minimum\":0,\"default\":0.5,"
    "\"description\":\"exponent of the growing term of a user's weight\"},"
    "\"beta\":{\"type\":\"number\",\"minimum\":0,\"default\":0.2,"
    "\"description\":\"exponent of the shrinking term\"},"
    "\"gamma\":{\"type\":\"number\",\"minimum\":0,\"default\":0.7419373447293773,"
    "\"description\":\"weight of a newcomer, ln 2.1\"},"
    "\"accuracy_min\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.7},"
    "\"confidence_min\":{\"type\":\"number\",\"minimum\":0,\"default\":2},"
    "\"vote_share\":{\"type\":\"number\",\"minimum\":0,\"default\":0.1,"
    "\"description\":\"worth of a species that was right only on others' observations\"},"
    "\"vote_credit\":{\"enum\":[\"all\",\"valid\"],\"default\":\"all\","
    "\"description\":\"votes earn credit on all observations, or on valid ones only\"},"
    "\"rounds_max\":{\"type\":\"integer\",\"minimum\":1,\"default\":100},"
    "\"machine\":{\"enum\":[\"off\",\"invalidate\",\"confident\",\"fixed\"],\"default\":\"invalidate\","
    "\"description\":\"the machine's vote: none; takes validity away; counts where it is sure; always "
    "counts\"},"
    "\"machine_score_min\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.7},"
    "\"machine_weight\":{\"type\":\"number\",\"minimum\":0,\"default\":1.7},"
    "\"epoch_votes\":{\"type\":\"integer\",\"minimum\":1,\"default\":1000},"
    "\"epoch_s\":{\"type\":\"number\",\"minimum\":0,\"default\":300},"
    "\"settle_s\":{\"type\":\"number\",\"minimum\":0,\"default\":2},"
    "\"tolerance\":{\"type\":\"number\",\"minimum\":0,\"default\":0.02}"
    "}}";

static double number(const json_t *json, const char *key, double fallback) {
    const json_t *value = json_object_get(json, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static const char *text(const json_t *json, const char *key, const char *fallback) {
    const char *value = json_string_value(json_object_get(json, key));
    return value ? value : fallback;
}

static enum consensus_machine machine_mode(const char *name) {
    if (strcmp(name, "off") == 0) return MACHINE_OFF;
    if (strcmp(name, "confident") == 0) return MACHINE_CONFIDENT;
    if (strcmp(name, "fixed") == 0) return MACHINE_FIXED;
    return MACHINE_INVALIDATE;
}

void consensus_config_read(struct consensus_config *config, const json_t *json) {
    *config = (struct consensus_config){
        .alpha = number(json, "alpha", 0.5),
        .beta = number(json, "beta", 0.2),
        .gamma = number(json, "gamma", 0.7419373447293773),
        .accuracy_min = number(json, "accuracy_min", 0.7),
        .confidence_min = number(json, "confidence_min", 2),
        .vote_share = number(json, "vote_share", 0.1),
        .credit_valid_only = strcmp(text(json, "vote_credit", "all"), "valid") == 0,
        .rounds_max = (unsigned)number(json, "rounds_max", 100),
        .machine = machine_mode(text(json, "machine", "invalidate")),
        .machine_score_min = number(json, "machine_score_min", 0.7),
        .machine_weight = number(json, "machine_weight", 1.7),
        .epoch_votes = (unsigned)number(json, "epoch_votes", 1000),
        .epoch_ms = (int64_t)(number(json, "epoch_s", 300) * 1000),
        .settle_ms = (int64_t)(number(json, "settle_s", 2) * 1000),
        .tolerance = number(json, "tolerance", 0.02),
    };
}
