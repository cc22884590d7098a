/* A whole crowd solved from the start, so that the answer depends on the votes alone. */
#ifndef LINNET_CONSENSUS_SOLVE_H
#define LINNET_CONSENSUS_SOLVE_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"
#include "common/consensus/skill.h"
#include "common/consensus/verdict.h"

/* Told on the solving thread after each round. */
typedef void linnet_consensus_progress(void *arg, unsigned round, uint32_t labels_changed,
                                       uint32_t weights_changed);

struct linnet_consensus_report {
    unsigned rounds;
    bool converged;          /* false: not settled in rounds_max rounds */
    uint32_t labels_changed; /* in the last round */
    uint32_t weights_changed;
    uint32_t labelled, valid;  /* observations */
    uint32_t machine_withdrew; /* observations that are not valid for the machine's sake alone */
    uint32_t machine_granted;  /* and valid for its sake alone */
};

/* By observation and by user. Owned: linnet_consensus_result_done frees. */
struct linnet_consensus_result {
    uint32_t observations, users;
    struct linnet_verdict *verdicts;
    uint32_t *species; /* label of the weighted iteration by observation (plantnet, linnet: what wins ties;
                          else NULL) */
    struct linnet_skill *
        skills; /* of methods without Pl@ntNet's counts the counts are 0 and the weight is the method's own */
    double *weight; /* skills[].weight once more, as struct linnet_ballot wants it */
    struct linnet_consensus_report report;
};

/* Solve by rules->method.
 *
 * plantnet, linnet: start with labels by majority and every weight gamma; in each round credit, new weights,
 * labels by weighted majority; converged when neither labels nor weights changed; figures are of the last
 * weights. For `linnet` the verdicts are the community taxon with these weights. The machine's votes bear on
 * the verdicts, not on the weights.
 *
 * LINNET_E_NOMEM, LINNET_E_INVALID (a user or label out of range, said in words); *result is then untouched.
 * A crowd that has not settled is no error: report.converged says so. `progress` may be NULL. Uses
 * rules->threads threads of its own, joined before the return. */
int linnet_consensus_solve(const struct linnet_consensus_taxa *taxa,
                           const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                           linnet_consensus_progress *progress, void *progress_arg,
                           struct linnet_consensus_result *result, struct linnet_error *err);
void linnet_consensus_result_done(struct linnet_consensus_result *result);

#endif
