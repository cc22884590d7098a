#include "common/consensus/internal.h"

struct field linnet_field_of_people(const struct linnet_consensus_taxa *taxa,
                                    const struct linnet_consensus_rules *rules,
                                    const struct linnet_ballot *ballot) {
    return (struct field){taxa, rules, ballot, linnet_consensus_classes(rules), ballot->nvotes};
}

static bool is_sure(const struct field *field) {
    return field->ballot->machine->score >= field->rules->machine_score_min;
}

bool linnet_field_add_machine(struct field *field) {
    const struct linnet_machine_vote *machine = field->ballot->machine;
    if (!machine || machine->label == LINNET_NO_LABEL || field->n == 0) return false;
    enum linnet_machine_mode mode = field->rules->machine;
    if (mode != LINNET_MACHINE_FIXED && !(mode == LINNET_MACHINE_CONFIDENT && is_sure(field))) return false;
    field->n++;
    return true;
}

struct linnet_verdict linnet_field_withdraw(const struct field *field, struct linnet_verdict verdict) {
    const struct linnet_machine_vote *machine = field->ballot->machine;
    if (!verdict.valid || field->rules->machine != LINNET_MACHINE_INVALIDATE || !machine ||
        machine->label == LINNET_NO_LABEL || !is_sure(field))
        return verdict;
    uint32_t said = linnet_consensus_accepted(field->taxa, machine->label);
    verdict.withdrawn = !linnet_consensus_is_within(field->taxa, said, verdict.label);
    verdict.valid = !verdict.withdrawn;
    return verdict;
}

struct linnet_verdict linnet_verdict_of(const struct linnet_consensus_taxa *taxa,
                                        const struct linnet_consensus_rules *rules,
                                        const struct linnet_ballot *ballot, uint32_t present) {
    if (rules->method == LINNET_METHOD_LINNET) return linnet_verdict_community(taxa, rules, ballot);
    if (rules->method != LINNET_METHOD_COMMUNITY)
        return linnet_verdict_plantnet(taxa, rules, ballot, present);
    struct linnet_ballot heads = *ballot;
    heads.weight = NULL;
    return linnet_verdict_community(taxa, rules, &heads);
}

static bool is_by_tree(const struct linnet_consensus_rules *rules) {
    return rules->method == LINNET_METHOD_LINNET || rules->method == LINNET_METHOD_COMMUNITY;
}

enum linnet_vote_role linnet_vote_role(const struct linnet_consensus_taxa *taxa,
                                       const struct linnet_consensus_rules *rules,
                                       const struct linnet_vote *vote, uint32_t label) {
    struct field_vote accepted = {linnet_consensus_accepted(taxa, vote->label),
                                  linnet_consensus_accepted(taxa, vote->rejects), 0};
    if (is_by_tree(rules)) return role_of(taxa, &accepted, label);
    struct field field = {.taxa = taxa, .classes = linnet_consensus_classes(rules)};
    uint32_t class = field_class(&field, accepted.label);
    if (class != LINNET_NO_LABEL) return class == label ? LINNET_VOTE_FOR : LINNET_VOTE_AGAINST;
    if (is_rejected(taxa, &accepted, label)) return LINNET_VOTE_REJECTS;
    return accepted.label == LINNET_NO_LABEL ? LINNET_VOTE_NONE : LINNET_VOTE_NEUTRAL;
}

double linnet_verdict_missing(const struct linnet_consensus_rules *rules,
                              const struct linnet_verdict *verdict) {
    if (verdict->valid) return 0;
    if (verdict->label == LINNET_NO_LABEL || verdict->withdrawn || verdict->accuracy <= 0) return -1;
    double share = is_by_tree(rules) ? rules->score_min : rules->accuracy_min;
    double least =
        (is_by_tree(rules) ? rules->identifications_min : rules->confidence_min) - verdict->confidence;
    double bearing = verdict->confidence / verdict->accuracy;
    /* (confidence + x) / (bearing + x) = share, solved for x */
    double balance = share < 1 ? (share * bearing - verdict->confidence) / (1 - share) : 0;
    double missing = least > balance ? least : balance;
    return missing > 0 ? missing : 0;
}
