#include "plugins/consensus/solve.h"

#include <math.h>
#include <string.h>

/* Sums of the same weights in another order may differ in the last bits; they are ties all the same. */
#define TIE 1e-12

double solve_weight(const struct consensus_config *config, double n) {
    if (n <= 0) return config->gamma;
    double weight = pow(n, config->alpha) - pow(n, config->beta) + config->gamma;
    return weight > 0 ? weight : 0;
}

/* A candidate label of one observation. */
struct candidate {
    uint32_t label;
    bool not_a_plant;
    double weight;
};

static bool counts(const struct crowd *crowd, const struct vote *vote) {
    return vote->kind != VOTE_CANNOT_TELL && !crowd->voters[vote->user].blocked;
}

static bool agrees(const struct vote *vote, const struct candidate *candidate) {
    if (candidate->not_a_plant) return vote->kind == VOTE_NOT_A_PLANT;
    return vote->kind == VOTE_TAXON && vote->label == candidate->label;
}

/* A vote for an ancestor that does not reject the candidate says nothing against it. */
static bool is_neutral(const struct crowd *crowd, const struct vote *vote,
                       const struct candidate *candidate) {
    if (candidate->not_a_plant || vote->kind != VOTE_TAXON) return false;
    if (!crowd_is_within(crowd, candidate->label, vote->label)) return false;
    return vote->rejects == INTERN_NONE || !crowd_is_within(crowd, candidate->label, vote->rejects);
}

/* Is the vote's label an ancestor of what somebody else voted? Then it is no candidate. */
static bool is_above_another(const struct crowd *crowd, const struct observed *observed,
                             const struct vote *vote) {
    if (vote->kind != VOTE_TAXON) return false;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *other = &observed->votes[i];
        if (counts(crowd, other) && other->kind == VOTE_TAXON && other->label != vote->label &&
            crowd_is_within(crowd, other->label, vote->label))
            return true;
    }
    return false;
}

static bool machine_counts(const struct consensus_config *config, const struct observed *observed) {
    if (observed->machine_label == INTERN_NONE) return false;
    return config->machine == MACHINE_FIXED ||
           (config->machine == MACHINE_CONFIDENT && observed->machine_score >= config->machine_score_min);
}

static double weight_for(const struct crowd *crowd, const struct consensus_config *config,
                         const struct observed *observed, const struct candidate *candidate) {
    double sum = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++)
        if (counts(crowd, &observed->votes[i]) && agrees(&observed->votes[i], candidate))
            sum += crowd->voters[observed->votes[i].user].weight;
    if (machine_counts(config, observed) && !candidate->not_a_plant &&
        observed->machine_label == candidate->label)
        sum += config->machine_weight;
    return sum;
}

static double weight_against(const struct crowd *crowd, const struct consensus_config *config,
                             const struct observed *observed, const struct candidate *candidate) {
    double sum = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (counts(crowd, vote) && !agrees(vote, candidate) && !is_neutral(crowd, vote, candidate))
            sum += crowd->voters[vote->user].weight;
    }
    if (machine_counts(config, observed) &&
        (candidate->not_a_plant || observed->machine_label != candidate->label))
        sum += config->machine_weight;
    return sum;
}

/* The best label among what was voted, in the order of the votes, so that the first wins a tie unless the
 * present one is among the tied. */
static bool choose(const struct crowd *crowd, const struct consensus_config *config,
                   const struct observed *observed, const struct candidate *present, struct candidate *best) {
    bool found = false;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (!counts(crowd, vote) || is_above_another(crowd, observed, vote)) continue;
        struct candidate candidate = {.label = vote->label, .not_a_plant = vote->kind == VOTE_NOT_A_PLANT};
        candidate.weight = weight_for(crowd, config, observed, &candidate);
        bool is_present = candidate.label == present->label && candidate.not_a_plant == present->not_a_plant;
        double margin = found ? candidate.weight - best->weight : 1;
        if (!found || margin > TIE || (is_present && margin > -TIE)) {
            *best = candidate;
            found = true;
        }
    }
    return found;
}

static bool machine_contradicts(const struct crowd *crowd, const struct consensus_config *config,
                                const struct observed *observed, const struct candidate *label) {
    if (config->machine != MACHINE_INVALIDATE || observed->machine_label == INTERN_NONE) return false;
    if (observed->machine_score < config->machine_score_min) return false;
    return label->not_a_plant || !crowd_is_within(crowd, observed->machine_label, label->label);
}

struct verdict solve_observation(const struct crowd *crowd, const struct consensus_config *config,
                                 const struct observed *observed, uint32_t present,
                                 bool present_not_a_plant) {
    struct verdict verdict = {.label = INTERN_NONE};
    struct candidate best = {.label = INTERN_NONE},
                     before = {.label = present, .not_a_plant = present_not_a_plant};
    if (!choose(crowd, config, observed, &before, &best)) return verdict;
    double against = weight_against(crowd, config, observed, &best);
    verdict.label = best.label;
    verdict.not_a_plant = best.not_a_plant;
    verdict.confidence = best.weight;
    verdict.accuracy = best.weight + against > 0 ? best.weight / (best.weight + against) : 0;
    verdict.valid = verdict.accuracy >= config->accuracy_min && verdict.confidence >= config->confidence_min;
    if (verdict.valid && machine_contradicts(crowd, config, observed, &best)) {
        verdict.valid = false;
        verdict.invalidated = true;
    }
    return verdict;
}

/* Credit every right vote to its (user, species) pair. The machine's invalidation does not take a user's
 * credit away: skill is what the community says, never agreement with the machine. */
static void credit(struct crowd *crowd, const struct consensus_config *config) {
    for (uint32_t i = 0; i < crowd->pair_keys.size; i++)
        crowd->pairs[i].as_author = crowd->pairs[i].as_voter = false;
    for (uint32_t i = 0; i < crowd->observations.size; i++) {
        const struct observed *observed = &crowd->observed[i];
        bool valid = observed->verdict.valid || observed->verdict.invalidated;
        for (uint32_t v = 0; v < observed->nvotes; v++) {
            const struct vote *vote = &observed->votes[v];
            if (vote->kind != VOTE_TAXON || observed->verdict.not_a_plant ||
                vote->label != observed->verdict.label)
                continue;
            struct pair *pair = &crowd->pairs[vote->pair];
            if (vote->author)
                pair->as_author |= valid;
            else
                pair->as_voter |= valid || !config->credit_valid_only;
        }
    }
}

/* New weights from the credits. True if any changed. */
static bool reweigh(struct crowd *crowd, const struct consensus_config *config) {
    for (uint32_t i = 0; i < crowd->users.size; i++)
        crowd->voters[i].n_author = crowd->voters[i].n_vote = 0;
    for (uint32_t i = 0; i < crowd->pair_keys.size; i++) {
        const struct pair *pair = &crowd->pairs[i];
        if (pair->as_author)
            crowd->voters[pair->user].n_author++;
        else if (pair->as_voter)
            crowd->voters[pair->user].n_vote++;
    }
    bool changed = false;
    for (uint32_t i = 0; i < crowd->users.size; i++) {
        struct voter *voter = &crowd->voters[i];
        double n = nearbyint(voter->n_author + voter->n_vote * config->vote_share);
        double weight = solve_weight(config, n);
        changed |= weight != voter->weight;
        voter->n = n;
        voter->weight = weight;
    }
    return changed;
}

static bool relabel(struct crowd *crowd, const struct consensus_config *config) {
    bool changed = false;
    for (uint32_t i = 0; i < crowd->observations.size; i++) {
        struct observed *observed = &crowd->observed[i];
        struct verdict verdict = solve_observation(crowd, config, observed, observed->verdict.label,
                                                   observed->verdict.not_a_plant);
        changed |=
            verdict.label != observed->verdict.label || verdict.not_a_plant != observed->verdict.not_a_plant;
        observed->verdict = verdict;
    }
    return changed;
}

struct solve_report solve_crowd(struct crowd *crowd, const struct consensus_config *config) {
    struct solve_report report = {0};
    for (uint32_t i = 0; i < crowd->users.size; i++)
        crowd->voters[i].weight = config->gamma;
    for (uint32_t i = 0; i < crowd->observations.size; i++)
        crowd->observed[i].verdict = (struct verdict){.label = INTERN_NONE};
    relabel(crowd, config);
    while (report.rounds < config->rounds_max && !report.converged) {
        report.rounds++;
        credit(crowd, config);
        bool weights = reweigh(crowd, config);
        bool labels = relabel(crowd, config);
        report.converged = !weights && !labels;
    }
    return report;
}
