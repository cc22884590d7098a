#include "workers/consensus/explain.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "common/base/time.h"
#include "workers/consensus/answer.h"

static const char *const ROLES[] = {[LINNET_VOTE_FOR] = "for",
                                    [LINNET_VOTE_AGAINST] = "against",
                                    [LINNET_VOTE_REJECTS] = "rejects",
                                    [LINNET_VOTE_NEUTRAL] = "neutral",
                                    [LINNET_VOTE_NONE] = "no answer"};

enum { WHY = 512 };

static json_t *text_json(const char *text, size_t size) {
    return size ? json_stringn(text, size) : json_null();
}

static json_t *taxon_json(const struct linnet_crowd_file *file, uint32_t label) {
    size_t size;
    const char *text = linnet_crowd_file_taxon(file, label, &size);
    return text_json(text, size);
}

static bool by_heads(const struct linnet_consensus_rules *rules) {
    return rules->method == LINNET_METHOD_COMMUNITY || rules->method == LINNET_METHOD_MAJORITY ||
           rules->method == LINNET_METHOD_TWOTHIRD;
}

static bool by_tree(const struct linnet_consensus_rules *rules) {
    return rules->method == LINNET_METHOD_LINNET || rules->method == LINNET_METHOD_COMMUNITY;
}

/* The thresholds of the method. */
static double least_confidence(const struct linnet_consensus_rules *rules) {
    return by_tree(rules) ? rules->identifications_min : rules->confidence_min;
}

static double least_accuracy(const struct linnet_consensus_rules *rules) {
    return by_tree(rules) ? rules->score_min : rules->accuracy_min;
}

static bool has_thresholds(const struct linnet_consensus_rules *rules) {
    return by_tree(rules) || rules->method == LINNET_METHOD_PLANTNET;
}

static void say_why(const struct linnet_consensus_rules *rules, const struct linnet_verdict *verdict,
                    char why[WHY]) {
    const char *unit = by_heads(rules) ? "identifications" : "weight";
    if (verdict->label == LINNET_NO_LABEL)
        snprintf(why, WHY, "not valid: the votes leave no label");
    else if (!has_thresholds(rules))
        snprintf(why, WHY, "the method %s has no rule of validity: a label is enough",
                 linnet_consensus_method_name(rules->method));
    else if (verdict->withdrawn)
        snprintf(why, WHY, "not valid: the votes suffice, but the machine is sure of another taxon");
    else if (verdict->valid)
        snprintf(why, WHY, "valid%s: %s %.4f is at least %g, share %.4f is %s %.4f",
                 verdict->granted ? " for the machine's vote alone" : "", unit, verdict->confidence,
                 least_confidence(rules), verdict->accuracy, by_tree(rules) ? "above" : "at least",
                 least_accuracy(rules));
    else
        snprintf(why, WHY, "not valid: %s %.4f of at least %g wanted, share %.4f of %s %.4f wanted", unit,
                 verdict->confidence, least_confidence(rules), verdict->accuracy,
                 by_tree(rules) ? "more than" : "at least", least_accuracy(rules));
}

static void say_missing(const struct linnet_consensus_rules *rules, const struct linnet_verdict *verdict,
                        char what[WHY]) {
    double missing = linnet_verdict_missing(rules, verdict),
           newcomer = by_heads(rules) ? 1 : linnet_consensus_weight(rules, 0);
    what[0] = '\0';
    if (verdict->valid || !has_thresholds(rules)) return;
    if (verdict->withdrawn)
        snprintf(what, WHY,
                 "a prediction that agrees, or is less sure than %g, would make it valid; no vote can",
                 rules->machine_score_min);
    else if (missing < 0)
        snprintf(what, WHY, "votes that agree on a label are wanted");
    else if (by_heads(rules))
        snprintf(what, WHY, "%.0f more that agree would make it valid",
                 fmax(1, floor(missing) + (missing > floor(missing) || by_tree(rules))));
    else
        snprintf(what, WHY,
                 "agreeing votes of %s%.4f more weight would make it valid: %.0f newcomers of %.4f, or one "
                 "who knows more species",
                 by_tree(rules) ? "over " : "", missing, fmax(1, ceil(missing / newcomer)), newcomer);
}

static json_t *vote_json(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                         const struct linnet_consensus_result *result, uint32_t v,
                         const struct linnet_verdict *verdict) {
    const struct linnet_vote *vote = &file->votes[v];
    size_t size;
    const char *user = linnet_names_text(&file->users, vote->user, &size);
    enum linnet_vote_role role = linnet_vote_role(&file->tree, rules, vote, verdict->label);
    json_t *json = json_pack("{s:o, s:o, s:b, s:f, s:i, s:s}", "user", text_json(user, size), "taxon",
                             taxon_json(file, vote->label), "author", vote->author, "weight",
                             by_heads(rules) ? 1.0 : result->weight[vote->user], "species_known",
                             (int)result->skills[vote->user].n, "role", ROLES[role]);
    uint32_t accepted = linnet_consensus_accepted(&file->tree, vote->label);
    if (accepted != vote->label) json_object_set_new(json, "accepted", taxon_json(file, accepted));
    if (vote->rejects != LINNET_NO_LABEL)
        json_object_set_new(json, "disagreement", taxon_json(file, vote->rejects));
    if (file->created_at && file->created_at[v] != INT64_MAX) {
        char time[LINNET_TIME_SIZE];
        linnet_time_format(file->created_at[v], time);
        json_object_set_new(json, "created_at", json_string(time));
    }
    return json;
}

/* All of it as JSON; the words are made from it. */
static json_t *explanation(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                           const struct linnet_consensus_result *result, uint32_t observation) {
    const struct linnet_verdict *verdict = &result->verdicts[observation];
    size_t size;
    const char *name = linnet_names_text(&file->observations, observation, &size);
    char why[WHY], missing[WHY];
    say_why(rules, verdict, why);
    say_missing(rules, verdict, missing);
    json_t *votes = json_array();
    for (uint32_t v = file->start[observation]; v < file->start[observation + 1]; v++)
        json_array_append_new(votes, vote_json(file, rules, result, v, verdict));
    json_t *json = json_pack("{s:o, s:s, s:o, s:f, s:f, s:b, s:s, s:s, s:o}", "observation",
                             text_json(name, size), "method", linnet_consensus_method_name(rules->method),
                             "taxon", taxon_json(file, verdict->label), "confidence", verdict->confidence,
                             "accuracy", verdict->accuracy, "valid", verdict->valid, "grade",
                             linnet_answer_grade(file, verdict), "why", why, "votes", votes);
    json_object_set_new(json, "missing", missing[0] ? json_string(missing) : json_null());
    if (file->machine && file->machine[observation].label != LINNET_NO_LABEL)
        json_object_set_new(json, "machine",
                            json_pack("{s:o, s:f}", "taxon",
                                      taxon_json(file, file->machine[observation].label), "score",
                                      file->machine[observation].score));
    return json;
}

static const char *word(const json_t *json, const char *key, const char *otherwise) {
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : otherwise;
}

static void print_vote(const json_t *vote, FILE *out) {
    const char *rejects = word(vote, "disagreement", NULL), *accepted = word(vote, "accepted", NULL);
    const char *when = word(vote, "created_at", NULL);
    fprintf(out, "  %-9s %8.4f  %s%s: %s", word(vote, "role", ""),
            json_number_value(json_object_get(vote, "weight")), word(vote, "user", ""),
            json_is_true(json_object_get(vote, "author")) ? " (author)" : "",
            word(vote, "taxon", "cannot tell"));
    if (accepted) fprintf(out, ", a synonym of %s", accepted);
    if (rejects) fprintf(out, ", not %s", rejects);
    if (when) fprintf(out, ", %s", when);
    fprintf(out, "; knows %lld species\n",
            (long long)json_integer_value(json_object_get(vote, "species_known")));
}

static void print_words(const json_t *json, FILE *out) {
    const json_t *machine = json_object_get(json, "machine"), *vote;
    size_t i;
    fprintf(out, "%s: %s, %s\n", word(json, "observation", ""), word(json, "taxon", "no label"),
            word(json, "grade", ""));
    fprintf(out, "%s\n", word(json, "why", ""));
    if (word(json, "missing", NULL)) fprintf(out, "%s\n", word(json, "missing", ""));
    if (machine)
        fprintf(out, "the machine says %s, %.4f\n", word(machine, "taxon", ""),
                json_number_value(json_object_get(machine, "score")));
    json_array_foreach(json_object_get(json, "votes"), i, vote) print_vote(vote, out);
}

void linnet_explain(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                    const struct linnet_consensus_result *result, uint32_t observation, bool json,
                    FILE *out) {
    json_t *all = explanation(file, rules, result, observation);
    if (json)
        json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(12));
    else
        print_words(all, out);
    if (json) fputc('\n', out);
    json_decref(all);
}
