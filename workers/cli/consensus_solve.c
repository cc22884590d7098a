/* linnet consensus solve: a crowd's votes in, its answers out. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/consensus/solve.h"
#include "workers/cli/command.h"
#include "workers/cli/consensus.h"
#include "workers/cli/say.h"
#include "workers/consensus/answer.h"
#include "workers/consensus/explain.h"

struct options {
    struct linnet_consensus_options common;
    const char *out, *explain;
};

enum { KEY_METHOD = 1, KEY_OUT, KEY_EXPLAIN };

static const struct argp_option options[] = {
    {"method", KEY_METHOD, "NAME", 0,
     "linnet (the default), plantnet, community, majority, twothird, wawa, dawid-skene, glad", 0},
    {"out", KEY_OUT, "DIR", 0, "Write observations.csv and users.csv there", 0},
    {"explain", KEY_EXPLAIN, "OBSERVATION", 0, "Tell vote by vote why it is what it is", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    int method;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->common;
        return 0;
    case KEY_METHOD:
        method = linnet_consensus_method_parse(arg);
        if (method < 0) argp_error(state, "there is no method '%s'; see --help", arg);
        mine->common.rules.method = (enum linnet_consensus_method)method;
        return 0;
    case KEY_OUT:
        mine->out = arg;
        return 0;
    case KEY_EXPLAIN:
        mine->explain = arg;
        return 0;
    case ARGP_KEY_END:
        if (!mine->common.votes) argp_error(state, "--votes is wanted");
        if (!mine->out && !mine->explain) argp_error(state, "--out or --explain is wanted");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_consensus_argp, 0, "Crowd and rules:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "",
    "Work out what a crowd's votes say of each observation, and how much each user knows.\v"
    "The votes are those of FILE: author is 1 where the voter made the observation, created_at is RFC 3339 "
    "or empty (then the order of the "
    "file counts), disagreement names the taxon that an explicit disagreement rejects. An empty taxon is no "
    "answer; not-a-plant is one.\n"
    "DIR gets observations.csv (observation,taxon,confidence,accuracy,valid,grade) and users.csv "
    "(user,n_author,n_vote,n,weight); with "
    "the method linnet beside.csv too, which holds the species-level and the unweighted answers. Exit status "
    "1 if the crowd did not settle.",
    children,
    0,
    0};

static void on_round(void *arg, unsigned round, uint32_t labels, uint32_t weights) {
    const struct options *mine = arg;
    linnet_say_progress(&mine->common.say, "round %u: %u labels and %u weights changed", round, labels,
                        weights);
}

/* What took how long: by the clock on the wall, and of the processors, in all and on the main thread, which
 * does what is not shared out. */
enum { READ, SOLVED, WRITTEN, PARTS };
struct laps {
    double wall[PARTS], cpu[PARTS], main[PARTS];
    double wall_s, cpu_s, main_s; /* when the part under way began */
};

static void report_json(const struct options *mine, const struct linnet_crowd_file *file,
                        const struct linnet_consensus_result *result, const struct laps *laps) {
    const struct linnet_consensus_report *report = &result->report;
    static const char *const names[PARTS] = {"read", "solved", "written"};
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "method",
        linnet_consensus_method_name(mine->common.rules.method), "observations",
        (json_int_t)result->observations, "votes", (json_int_t)file->start[result->observations], "users",
        (json_int_t)result->users, "taxa", (json_int_t)file->taxa.n, "rounds", (int)report->rounds,
        "converged", report->converged, "labels_changed", (json_int_t)report->labels_changed,
        "weights_changed", (json_int_t)report->weights_changed, "labelled", (json_int_t)report->labelled,
        "valid", (json_int_t)report->valid, "machine_withdrew", (json_int_t)report->machine_withdrew,
        "machine_granted", (json_int_t)report->machine_granted);
    for (int part = 0; part < PARTS; part++) {
        char key[32];
        snprintf(key, sizeof key, "seconds_%s", names[part]);
        json_object_set_new(json, key, json_real(laps->wall[part]));
        snprintf(key, sizeof key, "cpu_%s", names[part]);
        json_object_set_new(json, key, json_real(laps->cpu[part]));
        snprintf(key, sizeof key, "cpu_main_%s", names[part]);
        json_object_set_new(json, key, json_real(laps->main[part]));
    }
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
}

static void report_words(const struct options *mine, const struct linnet_crowd_file *file,
                         const struct linnet_consensus_result *result, const struct laps *laps) {
    const struct linnet_consensus_report *report = &result->report;
    printf("%u observations, %u votes, %u users, %u taxa; method %s\n", result->observations,
           file->start[result->observations], result->users, file->taxa.n,
           linnet_consensus_method_name(mine->common.rules.method));
    if (!report->converged)
        printf("NOT SETTLED in %u rounds: in the last %u labels and %u weights changed\n", report->rounds,
               report->labels_changed, report->weights_changed);
    else if (report->rounds)
        printf("settled in %u rounds\n", report->rounds);
    printf("%u have a label, %u are valid\n", report->labelled, report->valid);
    if (file->machine)
        printf("the machine took validity from %u and gave it to %u\n", report->machine_withdrew,
               report->machine_granted);
    printf("read %.2f s, solved %.2f s, written %.2f s\n", laps->wall[READ], laps->wall[SOLVED],
           laps->wall[WRITTEN]);
}

static double seconds_of(clockid_t clock) {
    struct timespec time = {0};
    (void)clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A part begins. */
static void start(struct laps *laps) {
    laps->wall_s = seconds_of(CLOCK_MONOTONIC);
    laps->cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    laps->main_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/* It is over, and the next begins. */
static void lap(struct laps *laps, int part) {
    struct laps before = *laps;
    start(laps);
    laps->wall[part] = laps->wall_s - before.wall_s;
    laps->cpu[part] = laps->cpu_s - before.cpu_s;
    laps->main[part] = laps->main_s - before.main_s;
}

static int tell(const struct options *mine, const struct linnet_crowd_file *file, uint32_t explained,
                const struct linnet_consensus_result *result, struct laps *laps) {
    struct linnet_error err = {0};
    if (mine->out && linnet_answer_write(file, &mine->common.rules, result, mine->out, &err) != 0)
        return linnet_say_error("consensus solve", &err);
    lap(laps, WRITTEN);
    if (mine->explain)
        linnet_explain(file, &mine->common.rules, result, explained, mine->common.say.json, stdout);
    else if (mine->common.say.json)
        report_json(mine, file, result, laps);
    else
        report_words(mine, file, result, laps);
    return result->report.converged ? LINNET_EXIT_OK : LINNET_EXIT_FAILED;
}

static int solve(const struct options *mine, struct linnet_crowd_file *file, struct laps *laps) {
    struct linnet_consensus_result result;
    struct linnet_error err = {0};
    uint32_t explained = 0;
    if (mine->explain) {
        explained = linnet_names_find(&file->observations, mine->explain, strlen(mine->explain));
        if (explained == LINNET_NO_NAME) {
            fprintf(stderr, "linnet consensus solve: %s has no vote on '%s'\n", mine->common.votes,
                    mine->explain);
            return LINNET_EXIT_FAILED;
        }
    }
    linnet_names_freeze(&file->observations);
    linnet_names_freeze(&file->users);
    int rc = linnet_consensus_solve(&file->tree, &mine->common.rules, &file->crowd, on_round, (void *)mine,
                                    &result, &err);
    linnet_say_done(&mine->common.say);
    if (rc) return linnet_say_error("consensus solve", &err);
    lap(laps, SOLVED);
    int code = tell(mine, file, explained, &result, laps);
    linnet_consensus_result_done(&result);
    return code;
}

int linnet_consensus_run_solve(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_crowd_file file;
    struct laps laps = {0};
    start(&laps);
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int code = linnet_consensus_load(&mine.common, "solve", &file);
    if (code) return code;
    lap(&laps, READ);
    code = solve(&mine, &file, &laps);
    linnet_crowd_file_done(&file);
    return code;
}
