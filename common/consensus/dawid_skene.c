/* Dawid and Skene's expectation-maximisation, sparse.
 *
 * Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
 * 1979. User j says l of a plant that is k with probability pi_j(k, l); classes have frequencies p_k.
 * Maximisation: pi_j(k, l) = sum_i T_i(k) [y_ij = l] / sum_i T_i(k) over what j voted on; p_k = mean of
 * T_i(k). Expectation: T_i(k) ~ p_k prod_j pi_j(k, y_ij). Starts from shares of votes.
 *
 * A label that nobody voted on an observation has T = 0 at the start and keeps it, so only voted ones are
 * kept, and of pi only what occurs: with 11,000 species the full tables of one user would take a gigabyte. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/consensus/candidates.h"
#include "common/consensus/methods.h"

/* One answer under one hypothesis: a vote of user j for l where the plant may be k. */
struct cell {
    uint32_t user, truth, said;
    uint32_t number; /* in the order of observations, votes, candidates */
};

struct em {
    const struct linnet_crowd *crowd;
    struct linnet_candidates candidates;
    uint32_t cells, rates, rows;
    uint32_t *rate;     /* of each cell: which pi_j(k, l) */
    uint32_t *row;      /* of each rate: which (j, k) */
    double *said, *all; /* numerators by rate, denominators by row */
    uint32_t *class;    /* of each candidate: a dense number of its label */
    double *frequency;  /* by class */
};

static uint32_t count_cells(const struct em *em) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < em->crowd->observations; i++)
        n += (uint64_t)(em->crowd->start[i + 1] - em->crowd->start[i]) *
             (em->candidates.start[i + 1] - em->candidates.start[i]);
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static int by_rate(const void *a, const void *b) {
    const struct cell *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->truth != y->truth) return x->truth < y->truth ? -1 : 1;
    return (x->said > y->said) - (x->said < y->said);
}

/* Number the rates and rows that occur. */
static void number_cells(struct em *em, struct cell *cells) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < em->crowd->observations; i++)
        for (uint32_t v = em->crowd->start[i]; v < em->crowd->start[i + 1]; v++)
            for (uint32_t c = em->candidates.start[i]; c < em->candidates.start[i + 1]; c++, n++) {
                uint32_t choice = em->candidates.choice[v];
                uint32_t said = choice == UINT32_MAX ? LINNET_NO_LABEL : em->candidates.label[choice];
                cells[n] = (struct cell){em->crowd->votes[v].user, em->candidates.label[c], said, n};
            }
    qsort(cells, n, sizeof *cells, by_rate);
    for (uint32_t k = 0; k < n; k++) {
        bool new_row = k == 0 || cells[k].user != cells[k - 1].user || cells[k].truth != cells[k - 1].truth;
        em->rows += new_row;
        if (new_row || cells[k].said != cells[k - 1].said) em->row[em->rates++] = em->rows - 1;
        em->rate[cells[k].number] = em->rates - 1;
    }
}

struct labelled {
    uint32_t label, candidate;
};

static int by_label(const void *a, const void *b) {
    const struct labelled *x = a, *y = b;
    return (x->label > y->label) - (x->label < y->label);
}

static int number_classes(struct em *em) {
    uint32_t n = em->candidates.start[em->crowd->observations], class = 0;
    struct labelled *all = malloc(((size_t)n + 1) * sizeof *all);
    if (!all) return LINNET_E_NOMEM;
    for (uint32_t c = 0; c < n; c++)
        all[c] = (struct labelled){em->candidates.label[c], c};
    qsort(all, n, sizeof *all, by_label);
    for (uint32_t k = 0; k < n; k++) {
        class += k > 0 && all[k].label != all[k - 1].label;
        em->class[all[k].candidate] = class;
    }
    free(all);
    return 0;
}

static int prepare(struct em *em, const struct linnet_consensus_taxa *taxa,
                   const struct linnet_consensus_rules *rules) {
    if (linnet_candidates_init(&em->candidates, taxa, rules, em->crowd) != 0) return LINNET_E_NOMEM;
    em->cells = count_cells(em);
    if (em->cells == UINT32_MAX) return LINNET_E_LIMIT;
    size_t n = (size_t)em->cells + 1, candidates = (size_t)em->candidates.start[em->crowd->observations] + 1;
    struct cell *cells = malloc(n * sizeof *cells);
    em->rate = malloc(n * sizeof *em->rate);
    em->row = malloc(n * sizeof *em->row);
    em->class = malloc(candidates * sizeof *em->class);
    em->frequency = malloc(((size_t)em->candidates.classes + 1) * sizeof *em->frequency);
    int rc = cells && em->rate && em->row && em->class && em->frequency ? number_classes(em) : LINNET_E_NOMEM;
    if (!rc) number_cells(em, cells);
    free(cells);
    em->said = malloc(((size_t)em->rates + 1) * sizeof *em->said);
    em->all = malloc(((size_t)em->rows + 1) * sizeof *em->all);
    return em->said && em->all ? rc : LINNET_E_NOMEM;
}

static void maximise(struct em *em) {
    const struct linnet_candidates *candidates = &em->candidates;
    uint32_t cell = 0;
    memset(em->said, 0, em->rates * sizeof *em->said);
    memset(em->all, 0, em->rows * sizeof *em->all);
    memset(em->frequency, 0, candidates->classes * sizeof *em->frequency);
    for (uint32_t i = 0; i < em->crowd->observations; i++) {
        for (uint32_t c = candidates->start[i]; c < candidates->start[i + 1]; c++)
            em->frequency[em->class[c]] += candidates->probability[c] / em->crowd->observations;
        for (uint32_t v = em->crowd->start[i]; v < em->crowd->start[i + 1]; v++)
            for (uint32_t c = candidates->start[i]; c < candidates->start[i + 1]; c++, cell++) {
                if (candidates->choice[v] == UINT32_MAX) continue;
                em->said[em->rate[cell]] += candidates->probability[c];
                em->all[em->row[em->rate[cell]]] += candidates->probability[c];
            }
    }
}

static double log_of(double share) {
    return share > 1e-300 ? log(share) : -700;
}

/* From logarithms to probabilities that sum to one. Returns the greatest change. */
static double normalise(double *probability, const double *logs, uint32_t n) {
    double most = -INFINITY, sum = 0, moved = 0;
    for (uint32_t c = 0; c < n; c++)
        if (logs[c] > most) most = logs[c];
    for (uint32_t c = 0; c < n; c++)
        sum += exp(logs[c] - most);
    for (uint32_t c = 0; c < n; c++) {
        double now = exp(logs[c] - most) / sum;
        moved = fmax(moved, fabs(now - probability[c]));
        probability[c] = now;
    }
    return moved;
}

/* `logs` has room for the most candidates of an observation. Returns how far probabilities moved, on average.
 */
static double expect(struct em *em, double *logs) {
    struct linnet_candidates *candidates = &em->candidates;
    double moved = 0;
    uint32_t cell = 0;
    for (uint32_t i = 0; i < em->crowd->observations; i++) {
        uint32_t from = candidates->start[i], n = candidates->start[i + 1] - from;
        for (uint32_t c = 0; c < n; c++)
            logs[c] = log_of(em->frequency[em->class[from + c]]);
        for (uint32_t v = em->crowd->start[i]; v < em->crowd->start[i + 1]; v++)
            for (uint32_t c = 0; c < n; c++, cell++) {
                uint32_t rate = em->rate[cell];
                if (candidates->choice[v] != UINT32_MAX)
                    logs[c] += log_of(em->said[rate] / em->all[em->row[rate]]);
            }
        if (n > 1) moved += normalise(candidates->probability + from, logs, n);
    }
    return moved / fmax(1, em->crowd->observations);
}

/* A user's weight: how often right, if the answers are. */
static void weigh(const struct em *em, struct linnet_consensus_result *result) {
    const struct linnet_candidates *candidates = &em->candidates;
    uint32_t *answers = calloc((size_t)result->users + 1, sizeof *answers);
    for (uint32_t u = 0; u < result->users; u++)
        result->weight[u] = 0;
    for (uint32_t v = em->crowd->start[0]; answers && v < em->crowd->start[em->crowd->observations]; v++) {
        if (candidates->choice[v] == UINT32_MAX) continue;
        answers[em->crowd->votes[v].user]++;
        result->weight[em->crowd->votes[v].user] += candidates->probability[candidates->choice[v]];
    }
    for (uint32_t u = 0; answers && u < result->users; u++) {
        if (answers[u]) result->weight[u] /= answers[u];
        result->skills[u] = (struct linnet_skill){.weight = result->weight[u]};
    }
    free(answers);
}

int linnet_consensus_dawid_skene(const struct linnet_consensus_taxa *taxa,
                                 const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                                 linnet_consensus_progress *progress, void *progress_arg,
                                 struct linnet_consensus_result *result) {
    struct em em = {.crowd = crowd};
    double *logs = NULL;
    int rc = prepare(&em, taxa, rules);
    if (!rc && !(logs = malloc(((size_t)linnet_candidates_most(&em.candidates) + 1) * sizeof *logs)))
        rc = LINNET_E_NOMEM;
    while (!rc && result->report.rounds < rules->rounds_max && !result->report.converged) {
        maximise(&em);
        result->report.converged = expect(&em, logs) < 1e-6;
        result->report.rounds++;
        if (progress) progress(progress_arg, result->report.rounds, 0, 0);
    }
    if (!rc) weigh(&em, result);
    if (!rc) linnet_candidates_judge(&em.candidates, crowd, result->verdicts);
    linnet_candidates_done(&em.candidates);
    free(em.rate);
    free(em.row);
    free(em.said);
    free(em.all);
    free(em.class);
    free(em.frequency);
    free(logs);
    return rc;
}
