#include "plugins/consensus/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugins/consensus/explain.h"
#include "plugins/consensus/place.h"

/* Figures are written with four decimals: what lies below is no information, and equal answers look equal. */
static json_t *figure(double value) {
    return json_real(nearbyint(value * 1e4) / 1e4);
}

static json_t *time_text(int64_t ms) {
    char text[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, sizeof text - used, ".%03dZ", (int)(ms % 1000));
    return json_string(text);
}

static json_t *taxon_text(const struct crowd *crowd, uint32_t label) {
    const char *text = labels_text(&crowd->labels, label);
    return text ? json_string(text) : json_null();
}

/* ---- votes ---- */

static json_t *vote_entry(const struct crowd *crowd, const struct consensus_config *config,
                          const struct vote *vote, uint32_t label) {
    const struct labels *labels = &crowd->labels;
    bool blocked = crowd->people[vote->user].blocked, plant = vote->label != LINNET_LABEL_NOT_A_PLANT;
    uint32_t accepted = linnet_consensus_accepted(&labels->taxa, vote->label);
    json_t *entry =
        json_pack("{s:s, s:s, s:o, s:s, s:b}", "user", intern_text(&crowd->users, vote->user), "vote",
                  !plant                           ? "not-a-plant"
                  : vote->label == LINNET_NO_LABEL ? "cannot-tell"
                                                   : "taxon",
                  "weight", figure(blocked ? 0 : crowd->weight[vote->user]), "role",
                  blocked ? "none" : judge_role(crowd, config, vote, label), "author",
                  (int)((vote->flags & VOTE_AUTHOR) != 0));
    if (!entry) return NULL;
    if (vote->created_at) json_object_set_new(entry, "created_at", time_text(vote->created_at));
    if (plant && accepted != LINNET_NO_LABEL)
        json_object_set_new(entry, "taxon", taxon_text(crowd, accepted));
    if (accepted != vote->label) json_object_set_new(entry, "given", taxon_text(crowd, vote->label));
    if (vote->rejects != LINNET_NO_LABEL)
        json_object_set_new(entry, "disagrees_with", taxon_text(crowd, vote->rejects));
    if (vote->flags & VOTE_PROPOSED) json_object_set_new(entry, "proposed", json_true());
    if (blocked) json_object_set_new(entry, "blocked", json_true());
    return entry;
}

static json_t *votes(const struct crowd *crowd, const struct consensus_config *config,
                     const struct observed *observed, uint32_t label) {
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < observed->nvotes; i++)
        json_array_append_new(array, vote_entry(crowd, config, &observed->votes[i], label));
    return array;
}

/* ---- the machine, the other methods ---- */

static json_t *machine(const struct crowd *crowd, const struct consensus_config *config,
                       const struct observed *observed, const struct opinion *verdict) {
    static const char *const names[] = {[LINNET_MACHINE_INVALIDATE] = "invalidate",
                                        [LINNET_MACHINE_OFF] = "off",
                                        [LINNET_MACHINE_CONFIDENT] = "confident",
                                        [LINNET_MACHINE_FIXED] = "fixed"};
    if (observed->machine_label == LINNET_NO_LABEL) return NULL;
    enum linnet_machine_mode mode = config->rules.machine;
    bool voted =
        verdict->label != LINNET_NO_LABEL &&
        (mode == LINNET_MACHINE_FIXED ||
         (mode == LINNET_MACHINE_CONFIDENT && observed->machine_score >= config->rules.machine_score_min));
    const char *effect = verdict->withdrawn ? "invalidated"
                         : verdict->granted ? "granted"
                         : voted            ? "voted"
                                            : "none";
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s}", "mode", names[mode], "taxon",
        taxon_text(crowd, linnet_consensus_accepted(&crowd->labels.taxa, observed->machine_label)), "score",
        json_real(observed->machine_score), "model", intern_text(&crowd->models, observed->machine_model),
        "effect", effect);
}

static json_t *other_method(const struct crowd *crowd, const struct opinion *opinion) {
    return json_pack("{s:o, s:b, s:o, s:o, s:b}", "taxon", taxon_text(crowd, opinion->label), "not_a_plant",
                     (int)(opinion->label == LINNET_LABEL_NOT_A_PLANT), "confidence",
                     figure(opinion->confidence), "accuracy", figure(opinion->accuracy), "valid",
                     (int)opinion->valid);
}

static json_t *methods(const struct crowd *crowd, const struct opinions *opinions) {
    return json_pack("{s:o, s:o}", "plantnet", other_method(crowd, &opinions->plantnet), "community",
                     other_method(crowd, &opinions->community));
}

json_t *document_consensus(const struct linnet_host *host, const struct crowd *crowd,
                           const struct consensus_config *config, uint32_t observation,
                           const struct opinions *opinions, enum grade grade) {
    const struct observed *observed = &crowd->observed[observation];
    const struct opinion *verdict = &opinions->verdict;
    const struct linnet_taxon *taxon = labels_taxon(&crowd->labels, verdict->label);
    json_t *reference = taxon ? host->reference(host->ctx, taxon->id) : NULL;
    bool not_a_plant = verdict->label == LINNET_LABEL_NOT_A_PLANT;
    double missing = judge_missing(config, verdict);
    json_t *document = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:s, s:o, s:o, s:o}", "method",
        linnet_consensus_method_name(config->rules.method), "taxon", taxon_text(crowd, verdict->label),
        "rank", taxon ? json_string(linnet_rank_name(taxon->rank)) : json_null(), "confidence",
        figure(verdict->confidence), "accuracy", figure(verdict->accuracy), "valid", (int)verdict->valid,
        "not_a_plant", (int)not_a_plant, "grade", grade_name(grade), "votes",
        votes(crowd, config, observed, verdict->label), "methods", methods(crowd, opinions), "why",
        explain(crowd, config, observed, opinions));
    if (!document) return NULL;
    if (taxon) json_object_set_new(document, "scientificName", json_string(taxon->scientific_name));
    if (missing > 0) json_object_set_new(document, "missing", figure(missing));
    json_t *said = machine(crowd, config, observed, verdict);
    if (said) json_object_set_new(document, "machine", said);
    json_t *place = place_published(host, observed, verdict->valid && !not_a_plant,
                                    json_is_true(json_object_get(reference, "sensitive")));
    if (place) json_object_set_new(document, "location", place);
    return document;
}

/* ---- inputs ---- */

static int add_input(json_t *inputs, const char *ulid, const char *rest, const uint8_t digest[DIGEST_BYTES]) {
    char id[256], text[2 * DIGEST_BYTES + 1];
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    snprintf(id, sizeof id, "%s:%s", ulid, rest);
    return json_array_append_new(inputs, json_pack("{s:s, s:s}", "id", id, "digest", text));
}

json_t *document_inputs(const struct crowd *crowd, uint32_t observation) {
    const struct observed *observed = &crowd->observed[observation];
    json_t *inputs = json_array();
    char ulid[ULID_TEXT + 1];
    crowd_ulid(crowd, observation, ulid);
    int error = inputs ? add_input(inputs, ulid, "observation", observed->digest) : -1;
    if (!error && observed->flags & OBSERVED_MACHINE)
        error = add_input(inputs, ulid, "identification", observed->machine_digest);
    for (uint32_t i = 0; !error && i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        char rest[160];
        if (vote->flags & VOTE_PROPOSED) continue;
        snprintf(rest, sizeof rest, "validation:%s", intern_text(&crowd->users, vote->user));
        error = add_input(inputs, ulid, rest, vote->digest);
    }
    if (!error) return inputs;
    json_decref(inputs);
    return NULL;
}

/* ---- skills, epochs ---- */

static json_t *families_of(const struct crowd *crowd, const uint32_t *families, uint32_t n) {
    json_t *object = json_object();
    for (uint32_t i = 0; object && i < n; i++) {
        uint32_t right = families[3 * i + 1], wrong = families[3 * i + 2];
        json_object_set_new(object, labels_text(&crowd->labels, families[3 * i]),
                            json_pack("{s:i, s:i, s:o}", "right", (int)right, "wrong", (int)wrong,
                                      "precision", figure((double)right / (right + wrong))));
    }
    return object;
}

json_t *document_skill(const struct crowd *crowd, uint32_t user, const uint32_t *families, uint32_t nfamilies,
                       const uint32_t *species, uint32_t nspecies) {
    const struct person *person = &crowd->people[user];
    json_t *names = json_array();
    for (uint32_t i = 0; names && i < nspecies; i++)
        json_array_append_new(names, taxon_text(crowd, species[i]));
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:b, s:o, s:o}", "user", intern_text(&crowd->users, user),
                     "n_author", (int)person->n_author, "n_vote", (int)person->n_vote, "n", (int)person->n,
                     "weight", figure(crowd->weight[user]), "blocked", (int)person->blocked, "species", names,
                     "families", families_of(crowd, families, nfamilies));
}

json_t *document_epoch(const struct consensus_config *config, const struct epoch_report *report,
                       const char *settled) {
    static const char *const modes[] = {[LINNET_MACHINE_INVALIDATE] = "invalidate",
                                        [LINNET_MACHINE_OFF] = "off",
                                        [LINNET_MACHINE_CONFIDENT] = "confident",
                                        [LINNET_MACHINE_FIXED] = "fixed"};
    uint32_t decided = report->valid + report->withdrew;
    json_t *document = json_pack(
        "{s:s, s:I, s:I, s:I, s:i, s:b, s:I, s:I, s:{s:s, s:I, s:I, s:o}}", "method",
        linnet_consensus_method_name(config->rules.method), "observations", (json_int_t)report->observations,
        "counted", (json_int_t)report->votes, "users", (json_int_t)report->users, "rounds",
        (int)report->rounds, "converged", (int)report->converged, "named", (json_int_t)report->labelled,
        "valid", (json_int_t)report->valid, "machine", "mode", modes[config->rules.machine], "withdrew",
        (json_int_t)report->withdrew, "granted", (json_int_t)report->granted, "share",
        figure(decided ? (double)(report->withdrew + report->granted) / decided : 0));
    if (document && *settled) json_object_set_new(document, "settled", json_string(settled));
    return document;
}
