/* The verdict of Pl@ntNet's Algorithm 1 on one observation: conf(k) = sum of the weights of the votes for k;
 * acc = conf(label) / sum over k of conf(k); valid iff acc >= theta_acc and conf >= theta_conf. */
#include "common/consensus/internal.h"

enum { TALLIED = 32 }; /* labels summed in one pass; nearly every observation has one or two */

struct tally {
    uint32_t n;
    uint32_t label[TALLIED];
    double weight[TALLIED];
};

/* A candidate beats the best so far if it is heavier, or as heavy and the present label. */
struct best {
    uint32_t label, present;
    double weight;
    double named; /* weight of all votes that name a label */
    bool rejects; /* a vote names none, but rejects something */
};

static void challenge(struct best *best, uint32_t label, double weight) {
    if (best->label == LINNET_NO_LABEL || weight > best->weight ||
        (weight == best->weight && label == best->present)) {
        best->label = label;
        best->weight = weight;
    }
}

/* False once there are more labels than a tally holds. */
static bool add(struct tally *tally, uint32_t label, double weight) {
    uint32_t at = 0;
    while (at < tally->n && tally->label[at] != label)
        at++;
    if (at == TALLIED) return false;
    if (at == tally->n) {
        tally->label[tally->n++] = label;
        tally->weight[at] = 0;
    }
    tally->weight[at] += weight;
    return true;
}

/* The same for any number of labels: every first vote for one is summed on its own. */
static void choose_of_many(const struct field *field, struct best *best) {
    for (uint32_t i = 0; i < field->n; i++) {
        struct field_vote vote = field_at(field, i);
        uint32_t label = field_class(field, vote.label);
        bool first = label != LINNET_NO_LABEL;
        for (uint32_t j = 0; first && j < i; j++)
            first = field_class(field, field_at(field, j).label) != label;
        if (!first) continue;
        double weight = 0;
        for (uint32_t j = i; j < field->n; j++) {
            struct field_vote other = field_at(field, j);
            if (field_class(field, other.label) == label) weight += other.weight;
        }
        challenge(best, label, weight);
    }
}

static void choose(const struct field *field, struct best *best) {
    struct tally tally;
    bool tallied = true;
    tally.n = 0; /* the rest is filled as it is used: setting all of it would take longer than the choice */
    for (uint32_t i = 0; i < field->n; i++) {
        struct field_vote vote = field_at(field, i);
        uint32_t label = field_class(field, vote.label);
        if (label == LINNET_NO_LABEL) {
            best->rejects = best->rejects || vote.rejects != LINNET_NO_LABEL;
            continue;
        }
        best->named += vote.weight;
        tallied = tallied && add(&tally, label, vote.weight);
    }
    if (!tallied)
        choose_of_many(field, best);
    else
        for (uint32_t i = 0; i < tally.n; i++)
            challenge(best, tally.label[i], tally.weight[i]);
}

/* Weight of the votes that name no label, but reject this one. */
static double weight_rejecting(const struct field *field, uint32_t label) {
    double sum = 0;
    for (uint32_t i = 0; i < field->n; i++) {
        struct field_vote vote = field_at(field, i);
        if (field_class(field, vote.label) == LINNET_NO_LABEL && is_rejected(field->taxa, &vote, label))
            sum += vote.weight;
    }
    return sum;
}

/* Four observations in five have one vote. */
static struct linnet_verdict judge_single(const struct field *field) {
    struct field_vote vote = field_at(field, 0);
    struct linnet_verdict verdict = {.label = field_class(field, vote.label)};
    if (verdict.label == LINNET_NO_LABEL) return verdict;
    verdict.confidence = vote.weight;
    verdict.accuracy = vote.weight > 0 ? 1 : 0;
    verdict.valid = rules_validate(field->rules, verdict.confidence, verdict.accuracy);
    return verdict;
}

static struct linnet_verdict judge(const struct field *field, uint32_t present) {
    if (field->n == 1) return judge_single(field);
    struct linnet_verdict verdict = {.label = LINNET_NO_LABEL};
    struct best best = {.label = LINNET_NO_LABEL, .present = present};
    choose(field, &best);
    if (best.label == LINNET_NO_LABEL) return verdict;
    double bearing = best.named + (best.rejects ? weight_rejecting(field, best.label) : 0);
    verdict.label = best.label;
    verdict.confidence = best.weight;
    verdict.accuracy = bearing > 0 ? best.weight / bearing : 0;
    verdict.valid = rules_validate(field->rules, verdict.confidence, verdict.accuracy);
    return verdict;
}

struct linnet_verdict linnet_verdict_plantnet(const struct linnet_consensus_taxa *taxa,
                                              const struct linnet_consensus_rules *rules,
                                              const struct linnet_ballot *ballot, uint32_t present) {
    struct field field = linnet_field_of_people(taxa, rules, ballot);
    struct linnet_verdict people = judge(&field, present);
    if (!linnet_field_add_machine(&field)) return linnet_field_withdraw(&field, people);
    struct linnet_verdict all = judge(&field, people.label);
    all.granted = all.valid && !people.valid;
    return all;
}
