#include "common/consensus/solve.h"

#include <stdlib.h>

#include "common/consensus/big.h"
#include "common/consensus/iterate.h"
#include "common/consensus/methods.h"
#include "common/consensus/parallel.h"

static int check(const struct linnet_crowd *crowd, struct linnet_error *err) {
    if (crowd->observations > INT32_MAX)
        return linnet_error_set(err, LINNET_E_LIMIT, "too many observations");
    for (uint32_t i = 0; i < crowd->observations; i++)
        if (crowd->start[i] > crowd->start[i + 1])
            return linnet_error_set(err, LINNET_E_INVALID, "observation %u: its votes end before they start",
                                    i);
    for (uint32_t v = crowd->start[0]; v < crowd->start[crowd->observations]; v++)
        if (crowd->votes[v].user >= crowd->users)
            return linnet_error_set(err, LINNET_E_INVALID, "vote %u: there is no user %u", v,
                                    crowd->votes[v].user);
    return 0;
}

static int allocate(struct linnet_consensus_result *result, const struct linnet_consensus_rules *rules,
                    const struct linnet_crowd *crowd) {
    size_t observations = (size_t)crowd->observations + 1, users = (size_t)crowd->users + 1;
    bool iterates = rules->method == LINNET_METHOD_PLANTNET || rules->method == LINNET_METHOD_LINNET;
    *result = (struct linnet_consensus_result){
        .observations = crowd->observations,
        .users = crowd->users,
        .species = iterates ? linnet_big_new(observations, sizeof(uint32_t)) : NULL,
        .skills = malloc(users * sizeof *result->skills),
        .weight = linnet_big_new(users, sizeof *result->weight)};
    if ((iterates && !result->species) || !result->skills || !result->weight) return LINNET_E_NOMEM;
    for (uint32_t u = 0; u < crowd->users; u++) {
        result->skills[u] = (struct linnet_skill){.weight = 1};
        result->weight[u] = 1;
    }
    return 0;
}

void linnet_consensus_result_done(struct linnet_consensus_result *result) {
    free(result->verdicts);
    free(result->species);
    free(result->skills);
    free(result->weight);
    *result = (struct linnet_consensus_result){0};
}

struct judging {
    const struct linnet_consensus_taxa *taxa;
    const struct linnet_consensus_rules *rules;
    const struct linnet_crowd *crowd;
    struct linnet_consensus_result *result;
};

static void judge_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    const struct judging *judging = arg;
    const struct linnet_crowd *crowd = judging->crowd;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        linnet_crowd_prefetch(crowd, judging->result->weight, i, end);
        uint32_t from = crowd->start[i],
                 present = judging->result->species ? judging->result->species[i] : LINNET_NO_LABEL;
        struct linnet_ballot ballot = {crowd->votes + from, crowd->start[i + 1] - from,
                                       judging->result->weight, crowd->machine ? &crowd->machine[i] : NULL};
        judging->result->verdicts[i] = linnet_verdict_of(judging->taxa, judging->rules, &ballot, present);
    }
}

static void sum_up(struct linnet_consensus_result *result) {
    for (uint32_t i = 0; i < result->observations; i++) {
        const struct linnet_verdict *verdict = &result->verdicts[i];
        result->report.labelled += verdict->label != LINNET_NO_LABEL;
        result->report.valid += verdict->valid;
        result->report.machine_withdrew += verdict->withdrawn;
        result->report.machine_granted += verdict->granted;
    }
}

static int solve(const struct judging *judging, linnet_consensus_progress *progress, void *progress_arg) {
    struct linnet_consensus_result *result = judging->result;
    const struct linnet_consensus_rules *rules = judging->rules;
    int rc = result->species ? linnet_consensus_iterate(judging->taxa, rules, judging->crowd, progress,
                                                        progress_arg, result)
                             : 0;
    if (rc) return rc;
    /* Only now, when the iteration's own memory is free again. */
    result->verdicts = linnet_big_new((size_t)result->observations + 1, sizeof *result->verdicts);
    if (!result->verdicts) return LINNET_E_NOMEM;
    switch (rules->method) {
    case LINNET_METHOD_MAJORITY:
        return linnet_consensus_majority(judging->taxa, rules, judging->crowd, result);
    case LINNET_METHOD_TWOTHIRD:
        return linnet_consensus_twothird(judging->taxa, rules, judging->crowd, result);
    case LINNET_METHOD_WAWA:
        return linnet_consensus_wawa(judging->taxa, rules, judging->crowd, result);
    case LINNET_METHOD_DAWID_SKENE:
        return linnet_consensus_dawid_skene(judging->taxa, rules, judging->crowd, progress, progress_arg,
                                            result);
    case LINNET_METHOD_GLAD:
        return linnet_consensus_glad(judging->taxa, rules, judging->crowd, progress, progress_arg, result);
    default:
        if (!result->species) result->report.converged = true; /* a community taxon takes no rounds */
        linnet_parallel(rules->threads, result->observations, judge_some, (void *)judging);
        return 0;
    }
}

int linnet_consensus_solve(const struct linnet_consensus_taxa *taxa,
                           const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                           linnet_consensus_progress *progress, void *progress_arg,
                           struct linnet_consensus_result *result, struct linnet_error *err) {
    struct linnet_consensus_result made;
    int rc = check(crowd, err);
    if (rc) return rc;
    rc = allocate(&made, rules, crowd);
    if (!rc) rc = solve(&(struct judging){taxa, rules, crowd, &made}, progress, progress_arg);
    if (rc) {
        linnet_consensus_result_done(&made);
        return linnet_error_set(err, rc, "%s", linnet_error_message(rc));
    }
    sum_up(&made);
    *result = made;
    return 0;
}
