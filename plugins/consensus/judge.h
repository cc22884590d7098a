/* What the votes and weights at hand say of one observation: the configured method, and beside it Pl@ntNet's
 * species and the community taxon by heads, both of people alone.
 *
 * The SDK and the library each have a linnet_verdict; this header keeps them apart, so that who emits need
 * not know who solves. */
#ifndef CONSENSUS_JUDGE_H
#define CONSENSUS_JUDGE_H

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

/* See struct linnet_verdict in common/consensus/verdict.h. */
struct opinion {
    uint32_t label; /* accepted; LINNET_NO_LABEL: none */
    bool valid;
    bool withdrawn; /* valid but for the machine, which contradicts */
    bool granted;   /* not valid but for the machine's vote */
    double confidence, accuracy;
};

struct opinions {
    struct opinion verdict, plantnet, community;
};

/* -1: out of memory. */
int judge(const struct crowd *crowd, const struct consensus_config *config, uint32_t observation,
          struct opinions *out);
/* "for", "against", "rejects", "neutral", "none": what a vote does to a label. */
const char *judge_role(const struct crowd *crowd, const struct consensus_config *config,
                       const struct vote *vote, uint32_t label);
/* Weight that agreeing votes must add to make it valid: 0 if it is, negative if none can. */
double judge_missing(const struct consensus_config *config, const struct opinion *opinion);
/* How many species a user must know whose one vote weighs so much; 0: a newcomer; UINT32_MAX: nobody can. */
uint32_t judge_species_for(const struct consensus_config *config, double weight);
/* Weight of a vote of one who knows n species, and of one of whom nothing is known. */
double judge_weight(const struct consensus_config *config, uint32_t n);
double judge_newcomer(const struct consensus_config *config);

#endif
