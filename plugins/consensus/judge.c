#include "plugins/consensus/judge.h"

#include <stdlib.h>

#include "common/consensus/verdict.h"
#include "plugins/consensus/ballot.h"

enum { USUAL = 32 /* votes that fit on the stack */ };

static struct opinion opinion_of(struct linnet_verdict verdict) {
    return (struct opinion){.label = verdict.label,
                            .valid = verdict.valid,
                            .withdrawn = verdict.withdrawn,
                            .granted = verdict.granted,
                            .confidence = verdict.confidence,
                            .accuracy = verdict.accuracy};
}

int judge(const struct crowd *crowd, const struct consensus_config *config, uint32_t observation,
          struct opinions *out) {
    const struct observed *observed = &crowd->observed[observation];
    const struct linnet_consensus_taxa *taxa = &crowd->labels.taxa;
    struct linnet_vote usual[USUAL],
        *votes = observed->nvotes <= USUAL ? usual : malloc(observed->nvotes * sizeof *votes);
    if (!votes) return -1;
    struct linnet_machine_vote machine = ballot_machine(observed);
    struct linnet_ballot all = {votes, ballot_votes(crowd, observed, votes), crowd->weight, &machine},
                         people = all, heads = all;
    people.machine = heads.machine = NULL;
    heads.weight = NULL;
    uint32_t present = crowd->species[observation];
    out->verdict = opinion_of(linnet_verdict_of(taxa, &config->rules, &all, present));
    out->plantnet = opinion_of(linnet_verdict_plantnet(taxa, &config->rules, &people, present));
    out->community = opinion_of(linnet_verdict_community(taxa, &config->rules, &heads));
    crowd->species[observation] = out->plantnet.label;
    if (votes != usual) free(votes);
    return 0;
}

const char *judge_role(const struct crowd *crowd, const struct consensus_config *config,
                       const struct vote *vote, uint32_t label) {
    static const char *const names[] = {[LINNET_VOTE_FOR] = "for",
                                        [LINNET_VOTE_AGAINST] = "against",
                                        [LINNET_VOTE_REJECTS] = "rejects",
                                        [LINNET_VOTE_NEUTRAL] = "neutral",
                                        [LINNET_VOTE_NONE] = "none"};
    struct linnet_vote plain = {vote->user, vote->label, vote->rejects, vote->flags & VOTE_AUTHOR};
    if (label == LINNET_NO_LABEL) return names[LINNET_VOTE_NONE];
    return names[linnet_vote_role(&crowd->labels.taxa, &config->rules, &plain, label)];
}

double judge_missing(const struct consensus_config *config, const struct opinion *opinion) {
    struct linnet_verdict verdict = {.label = opinion->label,
                                     .valid = opinion->valid,
                                     .withdrawn = opinion->withdrawn,
                                     .granted = opinion->granted,
                                     .confidence = opinion->confidence,
                                     .accuracy = opinion->accuracy};
    return linnet_verdict_missing(&config->rules, &verdict);
}

double judge_weight(const struct consensus_config *config, uint32_t n) {
    return config->rules.method == LINNET_METHOD_COMMUNITY ? 1 : linnet_consensus_weight(&config->rules, n);
}

double judge_newcomer(const struct consensus_config *config) {
    return judge_weight(config, 0);
}

uint32_t judge_species_for(const struct consensus_config *config, double weight) {
    enum { KNOWN_MOST = 1 << 20 };
    if (weight <= judge_newcomer(config)) return 0;
    if (config->rules.method == LINNET_METHOD_COMMUNITY ||
        linnet_consensus_weight(&config->rules, KNOWN_MOST) < weight)
        return UINT32_MAX;
    uint32_t low = 0, high = KNOWN_MOST; /* f grows from 1 on; f(0) = f(1) */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (linnet_consensus_weight(&config->rules, middle) < weight)
            low = middle;
        else
            high = middle;
    }
    return high;
}
