#include "plugins/consensus/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugins/consensus/place.h"

static const struct linnet_taxon *taxon_of(const struct crowd *crowd, uint32_t label) {
    if (label == INTERN_NONE) return NULL;
    uint32_t index = linnet_taxonomy_find(crowd->taxonomy, intern_text(&crowd->labels, label));
    return index == LINNET_NO_TAXON ? NULL : linnet_taxonomy_at(crowd->taxonomy, index);
}

static const char *name_of(const struct crowd *crowd, uint32_t label) {
    const struct linnet_taxon *taxon = taxon_of(crowd, label);
    return taxon ? taxon->scientific_name : intern_text(&crowd->labels, label);
}

static bool is_species(const struct crowd *crowd, uint32_t label) {
    const struct linnet_taxon *taxon = taxon_of(crowd, label);
    return !taxon || taxon->rank == LINNET_RANK_SPECIES || taxon->rank == LINNET_RANK_SUBSPECIES;
}

const char *document_grade(const struct crowd *crowd, const struct observed *observed) {
    const struct verdict *verdict = &observed->verdict;
    if (!observed->place || !observed->dated || !observed->wild) return "casual";
    if (verdict->not_a_plant && verdict->valid) return "casual";
    if (verdict->valid && verdict->label != INTERN_NONE && is_species(crowd, verdict->label))
        return "research";
    return "needs_review";
}

/* Figures are written with four decimals: what lies below is no information, and equal answers look equal. */
static json_t *figure(double value) {
    return json_real(nearbyint(value * 1e4) / 1e4);
}

static const char *const kind_names[] = {"taxon", "not-a-plant", "cannot-tell"};

json_t *document_time(int64_t ms) {
    char text[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, sizeof text - used, ".%03dZ", (int)(ms % 1000));
    return json_string(text);
}

static json_t *votes(const struct crowd *crowd, const struct observed *observed) {
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        const struct voter *voter = &crowd->voters[vote->user];
        json_t *entry = json_pack("{s:s, s:s, s:o, s:b}", "user", intern_text(&crowd->users, vote->user),
                                  "vote", kind_names[vote->kind], "weight",
                                  figure(voter->blocked ? 0 : voter->weight), "author", vote->author);
        if (vote->created_at) json_object_set_new(entry, "created_at", document_time(vote->created_at));
        if (vote->label != INTERN_NONE)
            json_object_set_new(entry, "taxon", json_string(intern_text(&crowd->labels, vote->label)));
        if (vote->given != vote->label)
            json_object_set_new(entry, "given", json_string(intern_text(&crowd->labels, vote->given)));
        if (vote->rejects != INTERN_NONE)
            json_object_set_new(entry, "disagrees_with",
                                json_string(intern_text(&crowd->labels, vote->rejects)));
        if (vote->proposed) json_object_set_new(entry, "proposed", json_true());
        if (voter->blocked) json_object_set_new(entry, "blocked", json_true());
        json_array_append_new(array, entry);
    }
    return array;
}

static void say(json_t *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(json_t *why, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(why, json_string(text));
}

/* What would make an observation valid that is not. */
static void say_what_lacks(json_t *why, const struct consensus_config *config,
                           const struct verdict *verdict) {
    if (verdict->confidence < config->confidence_min)
        say(why, "the votes for it weigh %.2f of the %.2f wanted; %.2f more would do", verdict->confidence,
            config->confidence_min, config->confidence_min - verdict->confidence);
    if (verdict->accuracy < config->accuracy_min)
        say(why, "%.0f%% of the weight agrees; %.0f%% is wanted", 100 * verdict->accuracy,
            100 * config->accuracy_min);
}

static json_t *reasons(const struct crowd *crowd, const struct consensus_config *config,
                       const struct observed *observed) {
    json_t *why = json_array();
    const struct verdict *verdict = &observed->verdict;
    if (!why) return NULL;
    if (verdict->label == INTERN_NONE && !verdict->not_a_plant) {
        say(why, "nobody has named it yet");
    } else {
        say(why, "%s leads with weight %.2f, %.0f%% of all that bears on it",
            verdict->not_a_plant ? "not a plant" : name_of(crowd, verdict->label), verdict->confidence,
            100 * verdict->accuracy);
        if (verdict->invalidated)
            say(why,
                "the machine (%s) is %.0f%% sure of %s, so it is not valid until more people agree or the "
                "machine does",
                observed->machine_model, 100 * observed->machine_score,
                name_of(crowd, observed->machine_label));
        else if (!verdict->valid)
            say_what_lacks(why, config, verdict);
    }
    if (!observed->place) say(why, "casual: it has no place");
    if (!observed->dated) say(why, "casual: it has no date");
    if (!observed->wild) say(why, "casual: it was planted");
    return why;
}

static const char *const machine_names[] = {"off", "invalidate", "confident", "fixed"};

static json_t *machine(const struct crowd *crowd, const struct consensus_config *config,
                       const struct observed *observed) {
    if (observed->machine_label == INTERN_NONE) return NULL;
    bool counted = config->machine == MACHINE_FIXED || (config->machine == MACHINE_CONFIDENT &&
                                                        observed->machine_score >= config->machine_score_min);
    const char *effect = observed->verdict.invalidated ? "invalidated" : counted ? "voted" : "none";
    return json_pack("{s:s, s:s, s:o, s:s, s:s}", "mode", machine_names[config->machine], "taxon",
                     intern_text(&crowd->labels, observed->machine_label), "score",
                     json_real(observed->machine_score), "model", observed->machine_model, "effect", effect);
}

json_t *document_consensus(const struct linnet_host *host, const struct crowd *crowd,
                           const struct consensus_config *config, const struct observed *observed) {
    const struct verdict *verdict = &observed->verdict;
    const struct linnet_taxon *taxon = taxon_of(crowd, verdict->label);
    json_t *reference = taxon ? host->reference(host->ctx, taxon->id) : NULL;
    json_t *document =
        json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:s, s:o, s:o}", "taxon",
                  verdict->label == INTERN_NONE ? json_null()
                                                : json_string(intern_text(&crowd->labels, verdict->label)),
                  "rank", taxon ? json_string(linnet_rank_name(taxon->rank)) : json_null(), "confidence",
                  figure(verdict->confidence), "accuracy", figure(verdict->accuracy), "valid", verdict->valid,
                  "not_a_plant", verdict->not_a_plant, "grade", document_grade(crowd, observed), "votes",
                  votes(crowd, observed), "why", reasons(crowd, config, observed));
    if (!document) return NULL;
    if (taxon) json_object_set_new(document, "scientificName", json_string(taxon->scientific_name));
    json_t *said = machine(crowd, config, observed);
    if (said) json_object_set_new(document, "machine", said);
    json_t *place = place_published(host, observed->place, verdict->valid && !verdict->not_a_plant,
                                    json_is_true(json_object_get(reference, "sensitive")));
    if (place) json_object_set_new(document, "location", place);
    return document;
}

static int add_input(json_t *inputs, const char *ulid, const char *rest, const char *digest) {
    char id[256];
    if (digest[0] == '\0') return 0;
    snprintf(id, sizeof id, "%s:%s", ulid, rest);
    return json_array_append_new(inputs, json_pack("{s:s, s:s}", "id", id, "digest", digest));
}

json_t *document_inputs(const struct crowd *crowd, const struct observed *observed, const char *ulid) {
    json_t *inputs = json_array();
    int error = !inputs || add_input(inputs, ulid, "observation", observed->digest) ||
                add_input(inputs, ulid, "identification", observed->machine_digest);
    for (uint32_t i = 0; !error && i < observed->nvotes; i++) {
        char rest[160];
        snprintf(rest, sizeof rest, "validation:%s", intern_text(&crowd->users, observed->votes[i].user));
        error = add_input(inputs, ulid, rest, observed->votes[i].digest);
    }
    if (!error) return inputs;
    json_decref(inputs);
    return NULL;
}

json_t *document_skill(const struct crowd *crowd, uint32_t user) {
    const struct voter *voter = &crowd->voters[user];
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:b}", "user", intern_text(&crowd->users, user), "n_author",
                     (int)voter->n_author, "n_vote", (int)voter->n_vote, "n", (int)voter->n, "weight",
                     figure(voter->weight), "blocked", voter->blocked);
}
