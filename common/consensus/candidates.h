/* The labels that were voted on each observation, as the probabilistic methods want them: probability is kept
 * for these alone. */
#ifndef LINNET_CONSENSUS_CANDIDATES_H
#define LINNET_CONSENSUS_CANDIDATES_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"
#include "common/consensus/verdict.h"

struct linnet_candidates {
    uint32_t observations, classes; /* classes: distinct labels in the whole crowd */
    uint32_t *start;                /* observations + 1: into label and probability */
    uint32_t *label;                /* distinct on an observation, in the order they were voted */
    double *probability;            /* starts as the share of the votes */
    uint32_t *choice;               /* of each vote: its label's place in `label`; UINT32_MAX for no answer */
};

/* LINNET_E_NOMEM. Free with done, also after a failure. */
int linnet_candidates_init(struct linnet_candidates *candidates, const struct linnet_consensus_taxa *taxa,
                           const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd);
void linnet_candidates_done(struct linnet_candidates *candidates);
/* The most that an observation has. */
uint32_t linnet_candidates_most(const struct linnet_candidates *candidates);
/* Every observation's verdict: its most probable label, the first of tied; accuracy is its probability,
 * confidence the votes for it. */
void linnet_candidates_judge(const struct linnet_candidates *candidates, const struct linnet_crowd *crowd,
                             struct linnet_verdict *verdicts);

#endif
