/* The community taxon of one observation, as iNaturalist's help defines it, with weights or without. */
#include "common/consensus/internal.h"

/* A taxon among those identified and their ancestors. */
struct node {
    uint32_t label;
    double cumulative, bearing;
};

static struct node weigh(const struct field *field, uint32_t label) {
    struct node node = {.label = label};
    for (uint32_t i = 0; i < field->n; i++) {
        struct field_vote vote = field_at(field, i);
        enum linnet_vote_role role = role_of(field->taxa, &vote, label);
        if (role == LINNET_VOTE_FOR) node.cumulative += vote.weight;
        if (role != LINNET_VOTE_NEUTRAL && role != LINNET_VOTE_NONE) node.bearing += vote.weight;
    }
    return node;
}

/* Has a vote before the i-th put the walk up the tree through this taxon already? */
static bool was_seen(const struct field *field, uint32_t i, uint32_t label) {
    for (uint32_t j = 0; j < i; j++) {
        uint32_t other = field_at(field, j).label;
        if (other != LINNET_NO_LABEL && linnet_consensus_is_within(field->taxa, other, label)) return true;
    }
    return false;
}

/* All that is said is one name, which nobody rejects: nothing bears on it but what is for it, and nothing
 * lies below. Nearly all observations are so. */
static bool is_unanimous(const struct field *field, struct node *node) {
    *node = (struct node){.label = LINNET_NO_LABEL};
    for (uint32_t i = 0; i < field->n; i++) {
        struct field_vote vote = field_at(field, i);
        if (vote.rejects != LINNET_NO_LABEL) return false;
        if (vote.label == LINNET_NO_LABEL) continue;
        if (node->label != LINNET_NO_LABEL && vote.label != node->label) return false;
        node->label = vote.label;
        node->cumulative += vote.weight;
    }
    node->bearing = node->cumulative;
    return node->bearing > 0 && field->rules->score_min < 1;
}

/* The lowest taxon whose score exceeds score_min and whose cumulative weight is `least`: those that do lie on
 * one line, since two thirds for one branch leave none for another. label LINNET_NO_LABEL: none does. */
static struct node lowest(const struct field *field, double least) {
    struct node found = {.label = LINNET_NO_LABEL};
    for (uint32_t i = 0; i < field->n; i++) {
        uint32_t label = field_at(field, i).label;
        for (; label != LINNET_NO_LABEL && !was_seen(field, i, label);
             label = linnet_consensus_parent(field->taxa, label)) {
            struct node node = weigh(field, label);
            if (node.cumulative < least || !(node.cumulative / node.bearing > field->rules->score_min))
                continue;
            if (found.label == LINNET_NO_LABEL || linnet_consensus_is_within(field->taxa, label, found.label))
                found = node;
        }
    }
    return found;
}

static struct linnet_verdict judge(const struct field *field) {
    double least = field->rules->identifications_min;
    struct node node;
    struct linnet_verdict verdict = {.valid = false};
    if (is_unanimous(field, &node)) {
        verdict.valid = node.cumulative >= least;
        if (!verdict.valid && !field->ballot->weight) node = (struct node){.label = LINNET_NO_LABEL};
    } else {
        node = lowest(field, least);
        verdict.valid = node.label != LINNET_NO_LABEL;
        if (!verdict.valid && field->ballot->weight) node = lowest(field, 0);
    }
    verdict.label = node.label;
    verdict.confidence = node.cumulative;
    verdict.accuracy = node.bearing > 0 ? node.cumulative / node.bearing : 0;
    return verdict;
}

struct linnet_verdict linnet_verdict_community(const struct linnet_consensus_taxa *taxa,
                                               const struct linnet_consensus_rules *rules,
                                               const struct linnet_ballot *ballot) {
    struct field field = linnet_field_of_people(taxa, rules, ballot);
    struct linnet_verdict people = judge(&field);
    if (!linnet_field_add_machine(&field)) return linnet_field_withdraw(&field, people);
    struct linnet_verdict all = judge(&field);
    all.granted = all.valid && !people.valid;
    return all;
}
