#include "tests/unit/plugins/consensus/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/consensus/solve.h"

const char *const batch_taxa[BATCH_TAXA] = {"taxon:a", "taxon:b", "taxon:c", "taxon:d", "taxon:old",
                                            "taxon:g", "taxon:h", "taxon:k", "taxon:f", "taxon:j"};
static const uint8_t ranks[] = {
    LINNET_RANK_SPECIES, LINNET_RANK_SPECIES, LINNET_RANK_SPECIES, LINNET_RANK_SPECIES, LINNET_RANK_SPECIES,
    LINNET_RANK_GENUS,   LINNET_RANK_GENUS,   LINNET_RANK_GENUS,   LINNET_RANK_FAMILY,  LINNET_RANK_FAMILY};
static const uint32_t parents[] = {5, 5, 6, 7, 5, 8, 8, 9, LINNET_NO_LABEL, LINNET_NO_LABEL};
static const uint32_t accepted[] = {0, 1, 2, 3, 0, 5, 6, 7, 8, 9};

/* By time, then by the name of the label (none first), then by user. */
static bool before(const struct batch_crowd *crowd, int o, int a, int b) {
    const struct batch_vote *x = &crowd->votes[o][a], *y = &crowd->votes[o][b];
    if (x->second != y->second) return x->second < y->second;
    const char *p = x->label >= 0 ? batch_taxa[x->label] : "", *q = y->label >= 0 ? batch_taxa[y->label] : "";
    int order = strcmp(p, q);
    return order ? order < 0 : a < b;
}

static uint32_t label_of(int label) {
    return label >= 0                   ? (uint32_t)label
           : label == BATCH_NOT_A_PLANT ? LINNET_LABEL_NOT_A_PLANT
                                        : LINNET_NO_LABEL;
}

static uint32_t put_votes(const struct batch_crowd *crowd, int o, struct linnet_vote *out) {
    int order[BATCH_USERS], n = 0;
    for (int u = 0; u < BATCH_USERS; u++)
        if (crowd->exists[o] && crowd->votes[o][u].cast && !crowd->blocked[u]) order[n++] = u;
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && before(crowd, o, order[j], order[j - 1]); j--) {
            int kept = order[j];
            order[j] = order[j - 1];
            order[j - 1] = kept;
        }
    for (int i = 0; i < n; i++) {
        const struct batch_vote *vote = &crowd->votes[o][order[i]];
        out[i] = (struct linnet_vote){(uint32_t)order[i], label_of(vote->label), label_of(vote->rejects),
                                      vote->author};
    }
    return (uint32_t)n;
}

void batch_solve(const struct batch_crowd *crowd, struct batch_answer answers[BATCH_OBSERVATIONS],
                 struct batch_skill skills[BATCH_USERS]) {
    struct linnet_error err;
    struct linnet_consensus_taxa taxa;
    struct linnet_consensus_rules rules;
    struct linnet_consensus_result result;
    struct linnet_vote votes[BATCH_OBSERVATIONS * BATCH_USERS];
    uint32_t start[BATCH_OBSERVATIONS + 1] = {0};
    for (int o = 0; o < BATCH_OBSERVATIONS; o++)
        start[o + 1] = start[o] + put_votes(crowd, o, votes + start[o]);
    linnet_consensus_rules_init(&rules);
    assert_int_equal(linnet_consensus_taxa_init(&taxa, BATCH_TAXA, parents, ranks, accepted, &err), 0);
    struct linnet_crowd all = {BATCH_OBSERVATIONS, BATCH_USERS, start, votes, NULL};
    assert_int_equal(linnet_consensus_solve(&taxa, &rules, &all, NULL, NULL, &result, &err), 0);
    for (int o = 0; o < BATCH_OBSERVATIONS; o++) {
        const struct linnet_verdict *verdict = &result.verdicts[o];
        answers[o] = (struct batch_answer){verdict->label == LINNET_NO_LABEL            ? BATCH_NONE
                                           : verdict->label == LINNET_LABEL_NOT_A_PLANT ? BATCH_NOT_A_PLANT
                                                                                        : (int)verdict->label,
                                           verdict->valid, verdict->confidence, verdict->accuracy};
    }
    for (int u = 0; u < BATCH_USERS; u++)
        skills[u] = (struct batch_skill){(int)result.skills[u].n_author, (int)result.skills[u].n_vote,
                                         result.skills[u].weight};
    linnet_consensus_result_done(&result);
    linnet_consensus_taxa_done(&taxa);
}
