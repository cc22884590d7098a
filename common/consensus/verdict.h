/* The verdict on one observation, with given weights. Nothing is allocated, nothing is kept: any thread. */
#ifndef LINNET_CONSENSUS_VERDICT_H
#define LINNET_CONSENSUS_VERDICT_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"

struct linnet_verdict {
    uint32_t label; /* accepted; LINNET_NO_LABEL: none */
    bool valid;
    bool withdrawn;    /* valid but for the machine, which contradicts */
    bool granted;      /* not valid but for the machine's vote */
    double confidence; /* weight (community: identifications) for the label */
    double accuracy;   /* its share of all that bears on it */
};

/* One observation: its votes in order (see struct linnet_crowd), every user's weight (indexed by user), and
 * the machine's word (NULL: none). Borrowed. */
struct linnet_ballot {
    const struct linnet_vote *votes;
    uint32_t nvotes;
    const double *weight; /* NULL: one for each */
    const struct linnet_machine_vote *machine;
};

/* Pl@ntNet: the label of most weight; valid iff accuracy >= accuracy_min and confidence >= confidence_min.
 * Ties keep `present` if it is among the tied (LINNET_NO_LABEL: there is none), else the label voted first.
 */
struct linnet_verdict linnet_verdict_plantnet(const struct linnet_consensus_taxa *taxa,
                                              const struct linnet_consensus_rules *rules,
                                              const struct linnet_ballot *ballot, uint32_t present);

/* The community taxon. Over the taxa identified and all their ancestors: cumulative, weight at or below it;
 * disagreement, weight on another branch; conservative, explicit ancestor disagreements whose lost branch
 * contains it. The lost branch of "not X, I know only that it is Y" is what lies between Y and X, X, and all
 * below X. Of those with cumulative / (cumulative + disagreement + conservative) > score_min and cumulative
 * >= identifications_min the lowest. With weights of NULL this is iNaturalist's. No such taxon: label
 * LINNET_NO_LABEL, valid false; with weights (the method `linnet`) the label is then the lowest whose score
 * alone suffices, valid false. Confidence is the cumulative weight, accuracy the score. */
struct linnet_verdict linnet_verdict_community(const struct linnet_consensus_taxa *taxa,
                                               const struct linnet_consensus_rules *rules,
                                               const struct linnet_ballot *ballot);

/* By rules->method: community (weights are left aside), linnet, and for all others plantnet. `present` as
 * above, where it bears. */
struct linnet_verdict linnet_verdict_of(const struct linnet_consensus_taxa *taxa,
                                        const struct linnet_consensus_rules *rules,
                                        const struct linnet_ballot *ballot, uint32_t present);

/* What a vote does to a label. */
enum linnet_vote_role {
    LINNET_VOTE_FOR,     /* at or below the label */
    LINNET_VOTE_AGAINST, /* on another branch */
    LINNET_VOTE_REJECTS, /* above the label, and says explicitly that it is not this */
    LINNET_VOTE_NEUTRAL, /* above the label: says nothing against it */
    LINNET_VOTE_NONE     /* no answer */
};
/* By rules->method, as above: with classes of labels a genus is another branch than its species. */
enum linnet_vote_role linnet_vote_role(const struct linnet_consensus_taxa *taxa,
                                       const struct linnet_consensus_rules *rules,
                                       const struct linnet_vote *vote, uint32_t label);

/* The weight that agreeing votes must add to make a verdict valid: 0 if it is; negative if no weight can
 * (there is no label, or the machine withdrew it). */
double linnet_verdict_missing(const struct linnet_consensus_rules *rules,
                              const struct linnet_verdict *verdict);

#endif
