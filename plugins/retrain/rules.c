#include "plugins/retrain/rules.h"

#include <stdio.h>
#include <string.h>

const char rules_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"new_valid\":{\"type\":\"integer\",\"minimum\":0,\"default\":1000,"
    "\"description\":\"so many new valid observations since the model; 0: never\"},"
    "\"species\":{\"type\":\"integer\",\"minimum\":0,\"default\":10,"
    "\"description\":\"so many species newly past `images` pictures; 0: never\"},"
    "\"images\":{\"type\":\"integer\",\"minimum\":1,\"default\":20},"
    "\"agreement\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.6,"
    "\"description\":\"agreement of model and consensus, on votes cast without a suggestion shown, below "
    "this; 0: never\"},"
    "\"agreement_least\":{\"type\":\"integer\",\"minimum\":1,\"default\":200,"
    "\"description\":\"judged on at least so many observations\"},"
    "\"every_days\":{\"type\":\"number\",\"minimum\":0,\"default\":0,\"description\":\"a schedule; 0: none\"}"
    "}}";

static double number(const json_t *config, const char *key, double fallback) {
    const json_t *value = json_object_get(config, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

void rules_read(struct rules *rules, const json_t *config) {
    *rules = (struct rules){
        .new_valid = (uint64_t)number(config, "new_valid", 1000),
        .species = (uint32_t)number(config, "species", 10),
        .images = (uint32_t)number(config, "images", 20),
        .agreement = number(config, "agreement", 0.6),
        .agreement_least = (uint64_t)number(config, "agreement_least", 200),
        .every_days = number(config, "every_days", 0),
    };
}

int baseline_take(struct baseline *baseline, const struct tally *tally, const struct rules *rules,
                  const json_t *model, int64_t now) {
    const json_t *trained = json_object_get(model, "trained_on");
    baseline_done(baseline);
    snprintf(baseline->model, sizeof baseline->model, "%s", tally->model);
    baseline->since = now;
    baseline->valid = tally->valid;
    baseline->ready = json_object();
    if (!baseline->ready) return -1;
    if (trained) {
        size_t i;
        json_t *id;
        baseline->valid = (uint64_t)json_integer_value(json_object_get(trained, "observations"));
        json_array_foreach(json_object_get(trained, "species"), i, id) if (json_is_string(id))
            json_object_set_new(baseline->ready, json_string_value(id), json_true());
        return 0;
    }
    for (uint32_t i = 0; i < linnet_taxonomy_size(tally->taxonomy); i++)
        if (tally->images[i] >= rules->images)
            json_object_set_new(baseline->ready, linnet_taxonomy_at(tally->taxonomy, i)->id, json_true());
    return 0;
}

void baseline_done(struct baseline *baseline) {
    json_decref(baseline->ready);
    *baseline = (struct baseline){0};
}

static uint32_t newly_ready(const struct rules *rules, const struct baseline *baseline,
                            const struct tally *tally) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < linnet_taxonomy_size(tally->taxonomy); i++)
        if (tally->images[i] >= rules->images &&
            !json_object_get(baseline->ready, linnet_taxonomy_at(tally->taxonomy, i)->id))
            count++;
    return count;
}

static const char *const names[] = {"new_valid", "species", "agreement", "schedule"};

static bool raise(enum rule rule, const struct baseline *baseline, const struct tally *tally,
                  struct raised *out) {
    out->rule = names[rule];
    snprintf(out->qualifier, sizeof out->qualifier, "%s:%s", names[rule], baseline->model);
    out->counts = json_pack("{s:I, s:I, s:I, s:I}", "valid", (json_int_t)tally->valid, "valid_before",
                            (json_int_t)baseline->valid, "compared", (json_int_t)tally->compared, "agreed",
                            (json_int_t)tally->agreed);
    return out->counts != NULL;
}

static bool new_valid_holds(const struct rules *rules, const struct baseline *baseline,
                            const struct tally *tally, struct raised *out) {
    if (!rules->new_valid || tally->valid < baseline->valid + rules->new_valid) return false;
    snprintf(out->why, sizeof out->why,
             "%llu new valid observations since the model %s; the rule asks for %llu",
             (unsigned long long)(tally->valid - baseline->valid), baseline->model,
             (unsigned long long)rules->new_valid);
    return raise(RULE_NEW_VALID, baseline, tally, out);
}

static bool species_holds(const struct rules *rules, const struct baseline *baseline,
                          const struct tally *tally, struct raised *out) {
    if (!rules->species) return false;
    uint32_t ready = newly_ready(rules, baseline, tally);
    if (ready < rules->species) return false;
    snprintf(out->why, sizeof out->why,
             "%u species have newly come to %u pictures or more; the rule asks for %u", ready, rules->images,
             rules->species);
    if (!raise(RULE_SPECIES, baseline, tally, out)) return false;
    json_object_set_new(out->counts, "species", json_integer(ready));
    return true;
}

static bool agreement_holds(const struct rules *rules, const struct baseline *baseline,
                            const struct tally *tally, struct raised *out) {
    if (rules->agreement <= 0 || tally->compared < rules->agreement_least) return false;
    double agreement = (double)tally->agreed / (double)tally->compared;
    if (agreement >= rules->agreement) return false;
    snprintf(out->why, sizeof out->why,
             "%s agrees with the consensus on %.1f%% of %llu observations that were named without its "
             "suggestion; the "
             "bound is %.1f%%",
             baseline->model, 100 * agreement, (unsigned long long)tally->compared, 100 * rules->agreement);
    return raise(RULE_AGREEMENT, baseline, tally, out);
}

static bool schedule_holds(const struct rules *rules, const struct baseline *baseline,
                           const struct tally *tally, int64_t now, struct raised *out) {
    if (rules->every_days <= 0) return false;
    long long period = (long long)((double)(now - baseline->since) / (rules->every_days * 86400000.0));
    if (period < 1) return false;
    snprintf(out->why, sizeof out->why, "%.4g days have passed since the model %s, times %lld",
             rules->every_days, baseline->model, period);
    if (!raise(RULE_SCHEDULE, baseline, tally, out)) return false;
    size_t used = strlen(out->qualifier);
    snprintf(out->qualifier + used, sizeof out->qualifier - used, ":%lld", period);
    return true;
}

bool rules_hold(enum rule rule, const struct rules *rules, const struct baseline *baseline,
                const struct tally *tally, int64_t now, struct raised *out) {
    switch (rule) {
    case RULE_NEW_VALID:
        return new_valid_holds(rules, baseline, tally, out);
    case RULE_SPECIES:
        return species_holds(rules, baseline, tally, out);
    case RULE_AGREEMENT:
        return agreement_holds(rules, baseline, tally, out);
    case RULE_SCHEDULE:
        return schedule_holds(rules, baseline, tally, now, out);
    default:
        return false;
    }
}
