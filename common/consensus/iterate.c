/* Per round, with labels y and weights w: conf_i(k) = sum_j w_j [y_ij = k]; acc_i = conf_i(y_i) / sum_k
 * conf_i(k); valid_i iff acc_i >= theta_acc and conf_i(y_i) >= theta_conf; n_author(j), n_vote(j) the
 * distinct species that j got right on own valid and on others' observations; n_j = Round(n_author + n_vote /
 * 10); w_j = f(n_j); labels by weighted majority.
 *
 * Only what can have changed is worked on again: users of whose votes one became right or wrong, observations
 * of whose voters one got another weight. Nothing else would come out otherwise. An observation with one vote
 * keeps its label, and its validity is told by its voter's weight alone: such are not visited at all. */
#include "common/consensus/iterate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/consensus/big.h"
#include "common/consensus/by_user.h"
#include "common/consensus/internal.h"
#include "common/consensus/parallel.h"

struct iteration {
    const struct linnet_consensus_taxa *taxa;
    struct linnet_consensus_rules rules;
    const struct linnet_crowd *crowd;
    struct linnet_consensus_result *result;
    struct linnet_by_user by_user;
    uint8_t *credit; /* enum linnet_credit of each vote on what others voted on too */
    _Atomic uint8_t *stale_user, *stale_observation;
    _Atomic uint32_t labels_changed, weights_changed;
};

static void mark(_Atomic uint8_t *stale, uint32_t at) {
    if (!atomic_load_explicit(&stale[at], memory_order_relaxed))
        atomic_store_explicit(&stale[at], 1, memory_order_relaxed);
}

static bool take(_Atomic uint8_t *stale, uint32_t at) {
    if (!atomic_load_explicit(&stale[at], memory_order_relaxed)) return false;
    atomic_store_explicit(&stale[at], 0, memory_order_relaxed);
    return true;
}

/* Label one observation anew and tell its voters' credits. True if the label changed. */
static bool relabel(struct iteration *it, uint32_t i) {
    const struct linnet_crowd *crowd = it->crowd;
    uint32_t from = crowd->start[i], to = crowd->start[i + 1], present = it->result->species[i];
    struct linnet_ballot ballot = {
        .votes = crowd->votes + from, .nvotes = to - from, .weight = it->result->weight};
    struct linnet_verdict verdict = linnet_verdict_plantnet(it->taxa, &it->rules, &ballot, present);
    it->result->species[i] = verdict.label;
    for (uint32_t v = from; v < to; v++) {
        uint8_t credit = (uint8_t)linnet_vote_credit(it->taxa, &it->rules, &crowd->votes[v], &verdict);
        if (credit == it->credit[v]) continue;
        it->credit[v] = credit;
        mark(it->stale_user, crowd->votes[v].user);
    }
    return verdict.label != present;
}

static void relabel_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct iteration *it = arg;
    uint32_t changed = 0;
    (void)thread;
    for (uint32_t i = begin; i < end; i++)
        if (take(it->stale_observation, i)) changed += relabel(it, i);
    atomic_fetch_add(&it->labels_changed, changed);
}

/* Is an observation valid on which a user of this weight is the only one to have voted? */
static bool is_valid_alone(const struct iteration *it, double weight) {
    return rules_validate(&it->rules, weight, weight > 0 ? 1 : 0);
}

static uint8_t credit_of(const struct iteration *it, uint32_t vote, bool valid_alone) {
    if (vote == LINNET_ALONE_AS_AUTHOR) return valid_alone ? LINNET_CREDIT_AUTHOR : LINNET_CREDIT_NONE;
    if (vote == LINNET_ALONE_AS_VOTER)
        return valid_alone || !it->rules.credit_valid_only ? LINNET_CREDIT_VOTE : LINNET_CREDIT_NONE;
    return it->credit[vote];
}

static void count_species(struct iteration *it, uint32_t user, struct linnet_skill *skill) {
    const struct linnet_by_user_entry *entry = it->by_user.entries + it->by_user.start[user],
                                      *end = it->by_user.entries + it->by_user.start[user + 1];
    bool valid_alone = is_valid_alone(it, it->result->weight[user]);
    while (entry < end) {
        uint32_t species = entry->species;
        uint8_t best = LINNET_CREDIT_NONE;
        for (; entry < end && entry->species == species; entry++) {
            if (best == LINNET_CREDIT_AUTHOR) continue; /* more it cannot be: spares the look */
            uint8_t credit = credit_of(it, entry->vote, valid_alone);
            if (credit > best) best = credit;
        }
        skill->n_author += best == LINNET_CREDIT_AUTHOR;
        skill->n_vote += best == LINNET_CREDIT_VOTE;
    }
}

/* Weigh one user anew. True if the weight changed. */
static bool reweigh(struct iteration *it, uint32_t user) {
    struct linnet_skill skill = {0}, *before = &it->result->skills[user];
    count_species(it, user, &skill);
    skill.n = linnet_consensus_count(&it->rules, skill.n_author, skill.n_vote);
    skill.weight = skill.n == before->n ? before->weight : linnet_consensus_weight(&it->rules, skill.n);
    bool changed = skill.weight != before->weight;
    /* What this user voted on alone has become valid, or is so no more: that counts from the next round. */
    if (changed && is_valid_alone(it, skill.weight) != is_valid_alone(it, before->weight))
        mark(it->stale_user, user);
    *before = skill;
    it->result->weight[user] = skill.weight;
    return changed;
}

static void reweigh_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct iteration *it = arg;
    uint32_t changed = 0;
    (void)thread;
    for (uint32_t u = begin; u < end; u++) {
        if (!take(it->stale_user, u) || !reweigh(it, u)) continue;
        changed++;
        for (uint32_t e = it->by_user.start[u]; e < it->by_user.start[u + 1]; e++)
            if (it->by_user.entries[e].vote < LINNET_ALONE_AS_VOTER)
                mark(it->stale_observation, it->by_user.entries[e].observation);
    }
    atomic_fetch_add(&it->weights_changed, changed);
}

static void label_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct iteration *it = arg;
    struct field field = {.taxa = it->taxa, .classes = it->rules.classes};
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        const struct linnet_vote *first = &it->crowd->votes[it->crowd->start[i]];
        it->result->species[i] = LINNET_NO_LABEL;
        if (it->crowd->start[i + 1] - it->crowd->start[i] == 1)
            it->result->species[i] = field_class(&field, linnet_consensus_accepted(it->taxa, first->label));
        else
            relabel(it, i);
    }
}

/* Labels by majority: weighted by equal weights. */
static void start(struct iteration *it) {
    double newcomer = linnet_consensus_weight(&it->rules, 0);
    for (uint32_t u = 0; u < it->crowd->users; u++) {
        it->result->skills[u] = (struct linnet_skill){.weight = newcomer};
        it->result->weight[u] = newcomer;
        atomic_init(&it->stale_user[u], 1);
    }
    linnet_parallel(it->rules.threads, it->crowd->observations, label_some, it);
}

static void run(struct iteration *it, linnet_consensus_progress *progress, void *progress_arg) {
    struct linnet_consensus_report *report = &it->result->report;
    start(it);
    while (report->rounds < it->rules.rounds_max && !report->converged) {
        it->labels_changed = it->weights_changed = 0;
        linnet_parallel(it->rules.threads, it->crowd->users, reweigh_some, it);
        linnet_parallel(it->rules.threads, it->crowd->observations, relabel_some, it);
        report->rounds++;
        report->labels_changed = it->labels_changed;
        report->weights_changed = it->weights_changed;
        report->converged = !report->labels_changed && !report->weights_changed;
        if (progress) progress(progress_arg, report->rounds, report->labels_changed, report->weights_changed);
    }
}

int linnet_consensus_iterate(const struct linnet_consensus_taxa *taxa,
                             const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                             linnet_consensus_progress *progress, void *progress_arg,
                             struct linnet_consensus_result *result) {
    struct iteration it = {.taxa = taxa,
                           .rules = *rules,
                           .crowd = crowd,
                           .result = result,
                           .credit = linnet_big_zeros((size_t)crowd->start[crowd->observations] + 1, 1),
                           .stale_user = calloc((size_t)crowd->users + 1, sizeof *it.stale_user),
                           .stale_observation =
                               calloc((size_t)crowd->observations + 1, sizeof *it.stale_observation)};
    it.rules.classes = linnet_consensus_classes(rules);
    int rc = it.credit && it.stale_user && it.stale_observation
                 ? linnet_by_user_init(&it.by_user, taxa, rules, crowd, rules->threads)
                 : LINNET_E_NOMEM;
    if (!rc) run(&it, progress, progress_arg);
    linnet_by_user_done(&it.by_user);
    free(it.credit);
    free((void *)it.stale_user);
    free((void *)it.stale_observation);
    return rc;
}
