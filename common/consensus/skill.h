/* What one user's votes earn: species known, and so weight. */
#ifndef LINNET_CONSENSUS_SKILL_H
#define LINNET_CONSENSUS_SKILL_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"
#include "common/consensus/verdict.h"

/* What a right vote shows. */
enum linnet_credit { LINNET_CREDIT_NONE, LINNET_CREDIT_VOTE, LINNET_CREDIT_AUTHOR };

/* What a vote earns, given the people's verdict on its observation (linnet_verdict_plantnet with machine
 * NULL: skill is what the community says, never agreement with the machine): nothing if wrong; as author only
 * if the observation is valid. Taxa that are no species earn nothing, save with classes of labels, where
 * every accepted name does. */
enum linnet_credit linnet_vote_credit(const struct linnet_consensus_taxa *taxa,
                                      const struct linnet_consensus_rules *rules,
                                      const struct linnet_vote *vote, const struct linnet_verdict *verdict);

/* A credit, for the species (with classes of labels: the name). */
struct linnet_earned {
    uint32_t species;
    enum linnet_credit credit;
};

struct linnet_skill {
    uint32_t n_author; /* distinct species right on own valid observations */
    uint32_t n_vote;   /* distinct others, right on others' observations */
    uint32_t n;        /* Round(n_author + vote_share * n_vote) */
    double weight;
};

/* One user's skill from all that this user earned; sorts `earned` by species. */
struct linnet_skill linnet_skill_of(const struct linnet_consensus_rules *rules, struct linnet_earned *earned,
                                    uint32_t n);

#endif
