#include "common/consensus/candidates.h"

#include <stdlib.h>

#include "common/consensus/internal.h"

void linnet_candidates_done(struct linnet_candidates *candidates) {
    free(candidates->start);
    free(candidates->label);
    free(candidates->probability);
    free(candidates->choice);
    *candidates = (struct linnet_candidates){0};
}

/* The candidates of one observation; they begin at `from` in the arrays. Returns where they end. */
static uint32_t gather(struct linnet_candidates *candidates, const struct field *field,
                       const struct linnet_crowd *crowd, uint32_t i, uint32_t from) {
    uint32_t end = from, answers = 0;
    for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
        uint32_t label = field_class(field, linnet_consensus_accepted(field->taxa, crowd->votes[v].label)),
                 at = from;
        candidates->choice[v] = UINT32_MAX;
        if (label == LINNET_NO_LABEL) continue;
        while (at < end && candidates->label[at] != label)
            at++;
        if (at == end) {
            candidates->label[end] = label;
            candidates->probability[end++] = 0;
        }
        candidates->choice[v] = at;
        candidates->probability[at]++;
        answers++;
    }
    for (uint32_t c = from; c < end; c++)
        candidates->probability[c] /= answers;
    return end;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int count_classes(struct linnet_candidates *candidates) {
    uint32_t n = candidates->start[candidates->observations],
             *labels = malloc(((size_t)n + 1) * sizeof *labels);
    if (!labels) return LINNET_E_NOMEM;
    for (uint32_t c = 0; c < n; c++)
        labels[c] = candidates->label[c];
    qsort(labels, n, sizeof *labels, by_number);
    for (uint32_t c = 0; c < n; c++)
        candidates->classes += c == 0 || labels[c] != labels[c - 1];
    free(labels);
    return 0;
}

int linnet_candidates_init(struct linnet_candidates *candidates, const struct linnet_consensus_taxa *taxa,
                           const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd) {
    struct field field = {.taxa = taxa, .classes = linnet_consensus_classes(rules)};
    size_t votes = (size_t)crowd->start[crowd->observations] + 1;
    *candidates =
        (struct linnet_candidates){.observations = crowd->observations,
                                   .start = malloc(((size_t)crowd->observations + 1) * sizeof(uint32_t)),
                                   .label = malloc(votes * sizeof(uint32_t)),
                                   .probability = malloc(votes * sizeof(double)),
                                   .choice = malloc(votes * sizeof(uint32_t))};
    if (!candidates->start || !candidates->label || !candidates->probability || !candidates->choice)
        return LINNET_E_NOMEM;
    candidates->start[0] = 0;
    for (uint32_t i = 0; i < crowd->observations; i++)
        candidates->start[i + 1] = gather(candidates, &field, crowd, i, candidates->start[i]);
    return count_classes(candidates);
}

uint32_t linnet_candidates_most(const struct linnet_candidates *candidates) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < candidates->observations; i++)
        if (candidates->start[i + 1] - candidates->start[i] > most)
            most = candidates->start[i + 1] - candidates->start[i];
    return most;
}

static struct linnet_verdict verdict_of(const struct linnet_candidates *candidates,
                                        const struct linnet_crowd *crowd, uint32_t observation) {
    uint32_t best = candidates->start[observation];
    struct linnet_verdict verdict = {.label = LINNET_NO_LABEL};
    for (uint32_t c = best; c < candidates->start[observation + 1]; c++)
        if (candidates->probability[c] > candidates->probability[best]) best = c;
    if (candidates->start[observation] == candidates->start[observation + 1]) return verdict;
    verdict.label = candidates->label[best];
    verdict.accuracy = candidates->probability[best];
    verdict.valid = true;
    for (uint32_t v = crowd->start[observation]; v < crowd->start[observation + 1]; v++)
        verdict.confidence += candidates->choice[v] == best;
    return verdict;
}

void linnet_candidates_judge(const struct linnet_candidates *candidates, const struct linnet_crowd *crowd,
                             struct linnet_verdict *verdicts) {
    for (uint32_t i = 0; i < candidates->observations; i++)
        verdicts[i] = verdict_of(candidates, crowd, i);
}
