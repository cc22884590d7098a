#include "plugins/consensus/config.h"

#include <string.h>

const char *const criterion_names[CRITERIA] = {
#define X(value, name, words) (name),
    CONSENSUS_CRITERIA(X)
#undef X
};

const char *const criterion_words[CRITERIA] = {
#define X(value, name, words) (words),
    CONSENSUS_CRITERIA(X)
#undef X
};

const char consensus_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"method\":{\"enum\":[\"linnet\",\"plantnet\",\"community\"],\"default\":\"linnet\","
    "\"description\":\"the community taxon with Pl@ntNet's weights; Pl@ntNet's weighted majority; the "
    "community "
    "taxon by heads\"},"
    "\"classes\":{\"enum\":[\"auto\",\"labels\",\"species\"],\"default\":\"auto\","
    "\"description\":\"what is one label in the weighted iteration: every name, or the species; auto: "
    "species "
    "for linnet, names for plantnet\"},"
    "\"alpha\":{\"type\":\"number\",\"minimum\":0,\"default\":0.5,"
    "\"description\":\"exponent of the growing term of a user's weight\"},"
    "\"beta\":{\"type\":\"number\",\"minimum\":0,\"default\":0.2,"
    "\"description\":\"exponent of the shrinking term\"},"
    "\"gamma\":{\"type\":\"number\",\"minimum\":0,\"default\":0.7419373447293773,"
    "\"description\":\"weight of a newcomer, ln 2.1\"},"
    "\"accuracy_min\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.7,"
    "\"description\":\"plantnet: share of the weight that a valid label needs\"},"
    "\"confidence_min\":{\"type\":\"number\",\"minimum\":0,\"default\":2,"
    "\"description\":\"plantnet: weight that a valid label needs\"},"
    "\"score_min\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.6666666666666666,"
    "\"description\":\"share that a community taxon must exceed\"},"
    "\"identifications_min\":{\"type\":\"number\",\"minimum\":0,\"default\":2,"
    "\"description\":\"weight (community: identifications) that a community taxon needs\"},"
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
    "\"casual_without\":{\"type\":\"array\",\"items\":{\"enum\":[\"date\",\"place\",\"wild\",\"organ\","
    "\"quality\","
    "\"plant\"]},\"default\":[\"date\",\"place\",\"wild\",\"organ\",\"quality\",\"plant\"],"
    "\"description\":\"what an observation must have to be more than casual\"},"
    "\"quality_bad_max\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.5,"
    "\"description\":\"quality fails when more than this share of the votes on its pictures says bad\"},"
    "\"research_rank\":{\"enum\":[\"kingdom\",\"phylum\",\"class\",\"order\",\"family\",\"genus\","
    "\"species\"],"
    "\"default\":\"species\",\"description\":\"a valid taxon at or below this rank is of grade research\"},"
    "\"epoch_votes\":{\"type\":\"integer\",\"minimum\":1,\"default\":1000,"
    "\"description\":\"solve again after so many changes\"},"
    "\"epoch_s\":{\"type\":\"number\",\"minimum\":0,\"default\":300,"
    "\"description\":\"or when changes have waited for so long\"},"
    "\"quiet_s\":{\"type\":\"number\",\"minimum\":0,\"default\":2,"
    "\"description\":\"or when none has come for so long\"},"
    "\"tolerance\":{\"type\":\"number\",\"minimum\":0,\"default\":0.02,"
    "\"description\":\"an epoch rewrites figures that moved by more than this\"},"
    "\"threads\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":64,\"default\":1,"
    "\"description\":\"of a solve; 0: one for each processor\"},"
    "\"thread_votes\":{\"type\":\"integer\",\"minimum\":0,\"default\":5000,"
    "\"description\":\"from so many votes on the crowd is solved beside the hot path, on a copy\"}"
    "}}";

const char *const consensus_config_operational[] = {"epoch_votes", "epoch_s",      "quiet_s", "tolerance",
                                                    "threads",     "thread_votes", NULL};

static double number(const json_t *json, const char *key, double fallback) {
    const json_t *value = json_object_get(json, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static const char *text(const json_t *json, const char *key, const char *fallback) {
    const char *value = json_string_value(json_object_get(json, key));
    return value ? value : fallback;
}

static void read_rules(struct linnet_consensus_rules *rules, const json_t *json) {
    linnet_consensus_rules_init(rules);
    int method = linnet_consensus_method_parse(text(json, "method", "linnet")),
        mode = linnet_machine_mode_parse(text(json, "machine", "invalidate"));
    const char *classes = text(json, "classes", "auto");
    if (method >= 0) rules->method = (enum linnet_consensus_method)method;
    if (mode >= 0) rules->machine = (enum linnet_machine_mode)mode;
    if (strcmp(classes, "labels") == 0) rules->classes = LINNET_CLASSES_LABELS;
    if (strcmp(classes, "species") == 0) rules->classes = LINNET_CLASSES_SPECIES;
    rules->alpha = number(json, "alpha", rules->alpha);
    rules->beta = number(json, "beta", rules->beta);
    rules->gamma = number(json, "gamma", rules->gamma);
    rules->accuracy_min = number(json, "accuracy_min", rules->accuracy_min);
    rules->confidence_min = number(json, "confidence_min", rules->confidence_min);
    rules->score_min = number(json, "score_min", rules->score_min);
    rules->identifications_min = number(json, "identifications_min", rules->identifications_min);
    rules->vote_share = number(json, "vote_share", rules->vote_share);
    rules->credit_valid_only = strcmp(text(json, "vote_credit", "all"), "valid") == 0;
    rules->rounds_max = (unsigned)number(json, "rounds_max", rules->rounds_max);
    rules->machine_score_min = number(json, "machine_score_min", rules->machine_score_min);
    rules->machine_weight = number(json, "machine_weight", rules->machine_weight);
    rules->threads = (unsigned)number(json, "threads", 1);
}

static unsigned read_criteria(const json_t *json) {
    const json_t *listed = json_object_get(json, "casual_without"), *name;
    unsigned bits = 0;
    size_t i;
    if (!json_is_array(listed)) return (1u << CRITERIA) - 1;
    json_array_foreach(listed, i, name) for (int c = 0; c < CRITERIA;
                                             c++) if (strcmp(json_string_value(name), criterion_names[c]) ==
                                                      0) bits |= 1u << c;
    return bits;
}

void consensus_config_read(struct consensus_config *config, const json_t *json) {
    *config = (struct consensus_config){
        .criteria = read_criteria(json),
        .quality_bad_max = number(json, "quality_bad_max", 0.5),
        .research_rank = linnet_rank_parse(text(json, "research_rank", "species")),
        .epoch_votes = (unsigned)number(json, "epoch_votes", 1000),
        .epoch_ms = (int64_t)(number(json, "epoch_s", 300) * 1000),
        .quiet_ms = (int64_t)(number(json, "quiet_s", 2) * 1000),
        .tolerance = number(json, "tolerance", 0.02),
        .thread_votes = (uint32_t)number(json, "thread_votes", 5000),
    };
    read_rules(&config->rules, json);
}
