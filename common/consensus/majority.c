/* Methods that look at each observation once: majority, two thirds, and worker agreement with aggregate. */
#include "common/consensus/methods.h"

#include "common/consensus/internal.h"
#include "common/consensus/parallel.h"

struct pass {
    const struct linnet_consensus_taxa *taxa;
    struct linnet_consensus_rules rules;
    const struct linnet_crowd *crowd;
    struct linnet_consensus_result *result;
    const double *weight;
};

/* The label of most weight, the first of tied. Valid iff there is one: these methods know no validity beyond
 * it. */
static void label_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct pass *pass = arg;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t from = pass->crowd->start[i];
        struct linnet_ballot ballot = {pass->crowd->votes + from, pass->crowd->start[i + 1] - from,
                                       pass->weight, NULL};
        struct linnet_verdict verdict =
            linnet_verdict_plantnet(pass->taxa, &pass->rules, &ballot, LINNET_NO_LABEL);
        verdict.valid = verdict.label != LINNET_NO_LABEL;
        pass->result->verdicts[i] = verdict;
    }
}

static void label_all(struct pass *pass, const double *weight) {
    pass->rules.classes = linnet_consensus_classes(&pass->rules);
    pass->weight = weight;
    linnet_parallel(pass->rules.threads, pass->crowd->observations, label_some, pass);
    pass->result->report.rounds++;
    pass->result->report.converged = true;
}

int linnet_consensus_majority(const struct linnet_consensus_taxa *taxa,
                              const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                              struct linnet_consensus_result *result) {
    struct pass pass = {.taxa = taxa, .rules = *rules, .crowd = crowd, .result = result};
    label_all(&pass, NULL);
    return 0;
}

int linnet_consensus_twothird(const struct linnet_consensus_taxa *taxa,
                              const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                              struct linnet_consensus_result *result) {
    linnet_consensus_majority(taxa, rules, crowd, result);
    for (uint32_t i = 0; i < crowd->observations; i++) {
        struct linnet_verdict *verdict = &result->verdicts[i];
        uint32_t votes = crowd->start[i + 1] - crowd->start[i];
        verdict->valid = votes >= 2 && verdict->label != LINNET_NO_LABEL && verdict->accuracy >= 2.0 / 3.0;
        if (!verdict->valid) verdict->label = LINNET_NO_LABEL;
    }
    return 0;
}

int linnet_consensus_wawa(const struct linnet_consensus_taxa *taxa,
                          const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                          struct linnet_consensus_result *result) {
    struct pass pass = {.taxa = taxa, .rules = *rules, .crowd = crowd, .result = result};
    label_all(&pass, NULL);
    struct field field = {.taxa = taxa, .classes = pass.rules.classes};
    for (uint32_t u = 0; u < crowd->users; u++)
        result->skills[u] = (struct linnet_skill){0};
    for (uint32_t i = 0; i < crowd->observations;
         i++) /* n_vote: answers given, n: those that agree, for the moment */
        for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
            uint32_t label = field_class(&field, linnet_consensus_accepted(taxa, crowd->votes[v].label));
            struct linnet_skill *skill = &result->skills[crowd->votes[v].user];
            skill->n_vote += label != LINNET_NO_LABEL;
            skill->n += label != LINNET_NO_LABEL && label == result->verdicts[i].label;
        }
    for (uint32_t u = 0; u < crowd->users; u++) {
        struct linnet_skill *skill = &result->skills[u];
        double share = skill->n_vote ? (double)skill->n / skill->n_vote : 0;
        *skill = (struct linnet_skill){.weight = linnet_consensus_exact(share)};
        result->weight[u] = skill->weight;
    }
    label_all(&pass, result->weight);
    return 0;
}
