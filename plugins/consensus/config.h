/* The configuration of the consensus stage, read once at open. */
#ifndef CONSENSUS_CONFIG_H
#define CONSENSUS_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum consensus_machine { MACHINE_OFF, MACHINE_INVALIDATE, MACHINE_CONFIDENT, MACHINE_FIXED };

struct consensus_config {
    double alpha, beta, gamma; /* weight f(n) = n^alpha - n^beta + gamma; paper: 0.5, 0.2, ln 2.1 */
    double accuracy_min;       /* theta_acc, 0.7 */
    double confidence_min;     /* theta_conf, 2 */
    double vote_share;         /* worth of a species seen on others' observations only, 1/10 */
    bool credit_valid_only;    /* vote_credit = "valid" */
    unsigned rounds_max;       /* 100 */
    enum consensus_machine machine;
    double machine_score_min; /* 0.7 */
    double machine_weight;    /* 1.7 */
    unsigned epoch_votes;     /* solve again after so many changed votes */
    int64_t epoch_ms;         /* or after so long with changes waiting */
    int64_t settle_ms;        /* or once it has been quiet for so long: then everything is made exact */
    double tolerance;         /* figures that moved less than this in an epoch are not rewritten */
};

/* JSON Schema text of the configuration. */
extern const char consensus_config_schema[];
/* Read it (the host has validated it and filled in the defaults; absent members get the same defaults here).
 */
void consensus_config_read(struct consensus_config *config, const json_t *json);

#endif
