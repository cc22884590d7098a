/* What the verdicts share: a ballot as a row of weighted votes, the machine's among them where it counts as
 * one. */
#ifndef LINNET_CONSENSUS_INTERNAL_H
#define LINNET_CONSENSUS_INTERNAL_H

#include "common/consensus/verdict.h"

struct field {
    const struct linnet_consensus_taxa *taxa;
    const struct linnet_consensus_rules *rules;
    const struct linnet_ballot *ballot;
    enum linnet_consensus_classes classes;
    uint32_t n; /* the ballot's votes, and one more if the machine votes */
};

/* A vote by accepted names. */
struct field_vote {
    uint32_t label, rejects;
    double weight;
};

struct field linnet_field_of_people(const struct linnet_consensus_taxa *taxa,
                                    const struct linnet_consensus_rules *rules,
                                    const struct linnet_ballot *ballot);
/* Let the machine vote, last, where the rules say that it does and somebody else has. False if it does not.
 */
bool linnet_field_add_machine(struct field *field);
/* The verdict without validity where the machine is sure of a taxon outside the label, and the rules let it.
 */
struct linnet_verdict linnet_field_withdraw(const struct field *field, struct linnet_verdict verdict);

static inline struct field_vote field_at(const struct field *field, uint32_t i) {
    const struct linnet_ballot *ballot = field->ballot;
    if (i >= ballot->nvotes)
        return (struct field_vote){linnet_consensus_accepted(field->taxa, ballot->machine->label),
                                   LINNET_NO_LABEL, field->rules->machine_weight};
    const struct linnet_vote *vote = &ballot->votes[i];
    return (struct field_vote){linnet_consensus_accepted(field->taxa, vote->label),
                               linnet_consensus_accepted(field->taxa, vote->rejects),
                               ballot->weight ? ballot->weight[vote->user] : 1};
}

/* valid iff acc >= theta_acc and conf >= theta_conf */
static inline bool rules_validate(const struct linnet_consensus_rules *rules, double confidence,
                                  double accuracy) {
    return accuracy >= rules->accuracy_min && confidence >= rules->confidence_min;
}

/* What counts as one label in the weighted iteration; `label` is accepted. */
static inline uint32_t field_class(const struct field *field, uint32_t label) {
    return field->classes == LINNET_CLASSES_LABELS || label == LINNET_LABEL_NOT_A_PLANT
               ? label
               : linnet_consensus_species(field->taxa, label);
}

/* Does the vote, an explicit ancestor disagreement, lose `label`? What it loses is X, all below X, and what
 * lies between X and the vote's own taxon. */
static inline bool is_rejected(const struct linnet_consensus_taxa *taxa, const struct field_vote *vote,
                               uint32_t label) {
    if (vote->rejects == LINNET_NO_LABEL || label == LINNET_NO_LABEL) return false;
    if (linnet_consensus_is_within(taxa, label, vote->rejects)) return true;
    return vote->label != label && linnet_consensus_is_within(taxa, vote->rejects, label) &&
           linnet_consensus_is_within(taxa, label, vote->label);
}

/* What the vote does to a label: by place in the tree. */
static inline enum linnet_vote_role role_of(const struct linnet_consensus_taxa *taxa,
                                            const struct field_vote *vote, uint32_t label) {
    if (vote->label != LINNET_NO_LABEL) {
        if (linnet_consensus_is_within(taxa, vote->label, label)) return LINNET_VOTE_FOR;
        if (!linnet_consensus_is_within(taxa, label, vote->label)) return LINNET_VOTE_AGAINST;
    }
    if (is_rejected(taxa, vote, label)) return LINNET_VOTE_REJECTS;
    return vote->label == LINNET_NO_LABEL ? LINNET_VOTE_NONE : LINNET_VOTE_NEUTRAL;
}

#endif
