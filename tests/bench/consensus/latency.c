/* latency VOTES TAXA [N]: solve the crowd, then let N votes (200,000) come one by one, each on an observation
 * drawn at random: how long its three verdicts (linnet, species level, unweighted) take with the weights that
 * stand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/consensus/solve.h"
#include "workers/consensus/crowd_file.h"

static uint64_t random_state = 42;

static uint64_t draw(void) {
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One more vote on an observation: the verdicts with it. */
static double vote(const struct linnet_crowd_file *file, const struct linnet_consensus_rules rules[3],
                   struct linnet_consensus_result *result) {
    struct linnet_vote votes[512];
    uint32_t i = (uint32_t)(draw() % result->observations), from = file->start[i],
             n = file->start[i + 1] - from;
    if (n > 511) n = 511;
    uint32_t label = file->votes[draw() % file->start[result->observations]].label;
    struct linnet_vote added = {(uint32_t)(draw() % result->users), label, LINNET_NO_LABEL, false};
    double begin = now_us();
    memcpy(votes, file->votes + from, n * sizeof *votes);
    votes[n] = added;
    struct linnet_ballot ballot = {votes, n + 1, result->weight, NULL};
    struct linnet_verdict linnet = linnet_verdict_of(&file->tree, &rules[0], &ballot, LINNET_NO_LABEL);
    struct linnet_verdict species = linnet_verdict_of(&file->tree, &rules[1], &ballot, result->species[i]);
    struct linnet_verdict heads = linnet_verdict_of(&file->tree, &rules[2], &ballot, LINNET_NO_LABEL);
    double took = now_us() - begin;
    result->report.valid += linnet.valid + species.valid + heads.valid; /* they are of use to somebody */
    return took;
}

int main(int argc, char **argv) {
    struct linnet_crowd_file file;
    struct linnet_consensus_result result;
    struct linnet_consensus_rules rules[3];
    struct linnet_error err = {0};
    size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 200000;
    double *took = malloc((n + 1) * sizeof *took);
    for (int i = 0; i < 3; i++)
        linnet_consensus_rules_init(&rules[i]);
    rules[1].method = LINNET_METHOD_PLANTNET;
    rules[1].classes = LINNET_CLASSES_SPECIES;
    rules[2].method = LINNET_METHOD_COMMUNITY;
    if (argc < 3 || n == 0 || !took ||
        linnet_crowd_file_load(&file, argv[1], argv[2], NULL, 0, NULL, NULL, &err) != 0 ||
        linnet_consensus_solve(&file.tree, &rules[0], &file.crowd, NULL, NULL, &result, &err) != 0) {
        fprintf(stderr, "latency VOTES TAXA [N]: %s\n", err.detail);
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        took[i] = vote(&file, rules, &result);
    qsort(took, n, sizeof *took, by_size);
    printf("%.2f %.2f %.2f %.2f\n", took[n / 2], took[(size_t)((double)n * 0.99)],
           took[(size_t)((double)n * 0.999)], took[n - 1]);
    free(took);
    linnet_consensus_result_done(&result);
    linnet_crowd_file_done(&file);
    return 0;
}
