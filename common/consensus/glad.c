/* GLAD: users have an ability, plants a difficulty.
 *
 * Source: Whitehill et al., "Whose vote should count more: optimal integration of labels from labelers of
 * unknown expertise", 2009. User j is right on i with probability s = 1 / (1 + exp(-a_j b_i)); a wrong answer
 * is any of the K - 1 other classes. Expectation: T_i(k) ~ prod_j (s if y_ij = k, else (1 - s) / (K - 1)).
 * Maximisation over a and ln b, priors normal with mean 1 and deviation 1: gradient ascent, here with the
 * gradient divided by its expected curvature, so that no step length has to be chosen. */
#include <math.h>
#include <stdlib.h>

#include "common/consensus/candidates.h"
#include "common/consensus/methods.h"

enum { STEPS = 3 }; /* of ascent in a round */

struct glad {
    const struct linnet_crowd *crowd;
    struct linnet_candidates candidates;
    double *ability;              /* a, by user */
    double *ease;                 /* ln b, by observation */
    double *gradient, *curvature; /* by user */
};

static double right(double a, double b) {
    return 1 / (1 + exp(-a * b));
}

/* Probabilities of one observation's candidates. What is left of one is the other classes', which nobody
 * voted. Returns the greatest change. */
static double expect_one(struct glad *glad, uint32_t i, double *logs) {
    struct linnet_candidates *candidates = &glad->candidates;
    uint32_t from = candidates->start[i], n = candidates->start[i + 1] - from;
    double others = fmax(1, candidates->classes - 1.0), b = exp(glad->ease[i]), rest = 0, most = -INFINITY,
           moved = 0;
    for (uint32_t c = 0; c < n; c++)
        logs[c] = 0;
    for (uint32_t v = glad->crowd->start[i]; v < glad->crowd->start[i + 1]; v++) {
        if (candidates->choice[v] == UINT32_MAX) continue;
        double s = right(glad->ability[glad->crowd->votes[v].user], b),
               wrong = log(fmax(1e-300, (1 - s) / others));
        for (uint32_t c = 0; c < n; c++)
            logs[c] += candidates->choice[v] == from + c ? log(fmax(1e-300, s)) : wrong;
        rest += wrong;
    }
    rest += candidates->classes > n ? log(candidates->classes - (double)n) : -INFINITY;
    for (uint32_t c = 0; c < n; c++)
        most = fmax(most, logs[c]);
    most = fmax(most, rest);
    double sum = exp(rest - most);
    for (uint32_t c = 0; c < n; c++)
        sum += exp(logs[c] - most);
    for (uint32_t c = 0; c < n; c++) {
        double now = exp(logs[c] - most) / sum;
        moved = fmax(moved, fabs(now - candidates->probability[from + c]));
        candidates->probability[from + c] = now;
    }
    return moved;
}

/* Returns how far probabilities moved, on average. */
static double expect(struct glad *glad, double *logs) {
    double moved = 0;
    for (uint32_t i = 0; i < glad->crowd->observations; i++)
        if (glad->candidates.start[i] < glad->candidates.start[i + 1]) moved += expect_one(glad, i, logs);
    return moved / fmax(1, glad->crowd->observations);
}

static double bounded(double value, double least, double most) {
    return fmin(most, fmax(least, value));
}

/* One step of ascent of every user's ability and every plant's ease, half of what the curvature asks for. */
static void ascend(struct glad *glad) {
    const struct linnet_candidates *candidates = &glad->candidates;
    for (uint32_t u = 0; u < glad->crowd->users; u++) {
        glad->gradient[u] = 1 - glad->ability[u];
        glad->curvature[u] = 1;
    }
    for (uint32_t i = 0; i < glad->crowd->observations; i++) {
        double b = exp(glad->ease[i]), gradient = 1 - glad->ease[i], curvature = 1;
        for (uint32_t v = glad->crowd->start[i]; v < glad->crowd->start[i + 1]; v++) {
            if (candidates->choice[v] == UINT32_MAX) continue;
            uint32_t user = glad->crowd->votes[v].user;
            double a = glad->ability[user], s = right(a, b),
                   excess = candidates->probability[candidates->choice[v]] - s;
            glad->gradient[user] += excess * b;
            glad->curvature[user] += b * b * s * (1 - s);
            gradient += excess * a * b;
            curvature += a * a * b * b * s * (1 - s);
        }
        glad->ease[i] = bounded(glad->ease[i] + 0.5 * gradient / curvature, -3, 3);
    }
    for (uint32_t u = 0; u < glad->crowd->users; u++)
        glad->ability[u] = bounded(glad->ability[u] + 0.5 * glad->gradient[u] / glad->curvature[u], -8, 8);
}

static void run(struct glad *glad, const struct linnet_consensus_rules *rules, double *logs,
                linnet_consensus_progress *progress, void *progress_arg,
                struct linnet_consensus_report *report) {
    for (uint32_t u = 0; u < glad->crowd->users; u++)
        glad->ability[u] = 1;
    for (uint32_t i = 0; i < glad->crowd->observations; i++)
        glad->ease[i] = 1;
    while (report->rounds < rules->rounds_max && !report->converged) {
        report->converged = expect(glad, logs) < 1e-4;
        for (int step = 0; step < STEPS; step++)
            ascend(glad);
        report->rounds++;
        if (progress) progress(progress_arg, report->rounds, 0, 0);
    }
}

int linnet_consensus_glad(const struct linnet_consensus_taxa *taxa,
                          const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                          linnet_consensus_progress *progress, void *progress_arg,
                          struct linnet_consensus_result *result) {
    size_t users = (size_t)crowd->users + 1;
    double *logs = NULL;
    struct glad glad = {.crowd = crowd,
                        .ability = malloc(users * sizeof(double)),
                        .ease = malloc(((size_t)crowd->observations + 1) * sizeof(double)),
                        .gradient = malloc(users * sizeof(double)),
                        .curvature = malloc(users * sizeof(double))};
    int rc = glad.ability && glad.ease && glad.gradient && glad.curvature
                 ? linnet_candidates_init(&glad.candidates, taxa, rules, crowd)
                 : LINNET_E_NOMEM;
    if (!rc && !(logs = malloc(((size_t)linnet_candidates_most(&glad.candidates) + 1) * sizeof *logs)))
        rc = LINNET_E_NOMEM;
    if (!rc) {
        run(&glad, rules, logs, progress, progress_arg, &result->report);
        for (uint32_t u = 0; u < crowd->users; u++) {
            result->weight[u] =
                right(glad.ability[u], exp(1)); /* how often right on a plant of middling ease */
            result->skills[u] = (struct linnet_skill){.weight = result->weight[u]};
        }
        linnet_candidates_judge(&glad.candidates, crowd, result->verdicts);
    }
    linnet_candidates_done(&glad.candidates);
    free(glad.ability);
    free(glad.ease);
    free(glad.gradient);
    free(glad.curvature);
    free(logs);
    return rc;
}
