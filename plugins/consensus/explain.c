#include "plugins/consensus/explain.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct telling {
    json_t *why;
    const struct crowd *crowd;
    const struct consensus_config *config;
    const struct observed *observed;
    const struct opinions *opinions;
};

static void say(const struct telling *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct telling *t, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(t->why, json_string(text));
}

static bool is_by_tree(const struct consensus_config *config) {
    return config->rules.method != LINNET_METHOD_PLANTNET;
}

static double weight_wanted(const struct consensus_config *config) {
    return is_by_tree(config) ? config->rules.identifications_min : config->rules.confidence_min;
}

static double share_wanted(const struct consensus_config *config) {
    return is_by_tree(config) ? config->rules.score_min : config->rules.accuracy_min;
}

static bool share_suffices(const struct telling *t) {
    double accuracy = t->opinions->verdict.accuracy, wanted = share_wanted(t->config);
    return is_by_tree(t->config) ? accuracy > wanted : accuracy >= wanted;
}

static void say_standing(const struct telling *t) {
    const struct opinion *verdict = &t->opinions->verdict;
    say(t, "%s has weight %.2f, %.0f%% of all that bears on it",
        labels_name(&t->crowd->labels, verdict->label), verdict->confidence, 100 * verdict->accuracy);
    if (verdict->valid && !verdict->granted)
        say(t, "valid: weight %.2f and %s %.0f%% are wanted", weight_wanted(t->config),
            is_by_tree(t->config) ? "more than" : "at least", 100 * share_wanted(t->config));
    if (verdict->granted)
        say(t, "valid by the vote of the machine (%s): people alone do not suffice",
            intern_text(&t->crowd->models, t->observed->machine_model));
}

/* In whose votes the weight that is missing can be had. */
static void say_remedy(const struct telling *t) {
    double missing = judge_missing(t->config, &t->opinions->verdict), newcomer = judge_newcomer(t->config);
    if (missing < 0) return;
    bool exceed = is_by_tree(t->config) && !share_suffices(t); /* just to reach the share is not enough */
    double newcomers = newcomer > 0 ? ceil(missing / newcomer - 1e-9) : 0;
    if (newcomer > 0 && exceed && newcomers * newcomer <= missing + 1e-9) newcomers++;
    uint32_t species = judge_species_for(t->config, missing);
    char who[128] = "";
    if (newcomers > 1 && species != UINT32_MAX)
        snprintf(who, sizeof who,
                 ": the votes of %.0f newcomers, or that of one who is known to know %u species", newcomers,
                 species);
    else if (newcomers > 0)
        snprintf(who, sizeof who,
                 newcomers > 1 ? ": the votes of %.0f newcomers" : ": the vote of %.0f newcomer", newcomers);
    say(t, "%s%.2f more weight for it would make it valid%s", exceed ? "a little more than " : "", missing,
        who);
}

static void say_what_lacks(const struct telling *t) {
    const struct opinion *verdict = &t->opinions->verdict;
    if (verdict->withdrawn) {
        say(t,
            "not valid: the machine (%s) is %.0f%% sure of %s; it will be when the machine is no longer, or "
            "says the same",
            intern_text(&t->crowd->models, t->observed->machine_model), 100 * t->observed->machine_score,
            labels_name(&t->crowd->labels, t->observed->machine_label));
        return;
    }
    if (verdict->confidence < weight_wanted(t->config))
        say(t, "not valid: the votes for it weigh %.2f of the %.2f wanted", verdict->confidence,
            weight_wanted(t->config));
    if (!share_suffices(t))
        say(t, "not valid: %.0f%% of the weight agrees, %s %.0f%% is wanted", 100 * verdict->accuracy,
            is_by_tree(t->config) ? "more than" : "at least", 100 * share_wanted(t->config));
    say_remedy(t);
}

static void say_other_methods(const struct telling *t) {
    const struct opinion *verdict = &t->opinions->verdict, *species = &t->opinions->plantnet,
                         *heads = &t->opinions->community;
    const struct labels *labels = &t->crowd->labels;
    if (species->label != LINNET_NO_LABEL && species->label != verdict->label)
        say(t, "by species alone %s leads with weight %.2f, %.0f%%", labels_name(labels, species->label),
            species->confidence, 100 * species->accuracy);
    if (heads->label != LINNET_NO_LABEL && heads->label != verdict->label)
        say(t, "by heads it would be %s", labels_name(labels, heads->label));
}

static void say_grade(const struct telling *t) {
    const struct opinion *verdict = &t->opinions->verdict;
    unsigned failed = grade_failed(t->config, grade_lacks(t->crowd, t->config, t->observed), verdict);
    for (int c = 0; c < CRITERIA; c++)
        if (failed & 1u << c) say(t, "casual: %s", criterion_words[c]);
    if (!failed && verdict->valid && verdict->label != LINNET_LABEL_NOT_A_PLANT &&
        !labels_reaches(&t->crowd->labels, verdict->label, t->config->research_rank))
        say(t, "needs review: %s is no %s; votes that agree on one would make it research",
            labels_name(&t->crowd->labels, verdict->label), linnet_rank_name(t->config->research_rank));
}

json_t *explain(const struct crowd *crowd, const struct consensus_config *config,
                const struct observed *observed, const struct opinions *opinions) {
    struct telling t = {json_array(), crowd, config, observed, opinions};
    if (!t.why) return NULL;
    if (opinions->verdict.label == LINNET_NO_LABEL) {
        say(&t, observed->nvotes ? "the votes have no taxon in common that enough of them agree on"
                                 : "nobody has named it yet");
    } else {
        say_standing(&t);
        if (!opinions->verdict.valid) say_what_lacks(&t);
    }
    say_other_methods(&t);
    say_grade(&t);
    return t.why;
}
