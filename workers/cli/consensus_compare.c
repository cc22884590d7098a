/* linnet consensus compare: every method on one crowd, held against what is true. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "common/consensus/solve.h"
#include "workers/cli/command.h"
#include "workers/cli/consensus.h"
#include "workers/cli/say.h"
#include "workers/consensus/crowdswe.h"
#include "workers/consensus/score.h"

struct options {
    struct linnet_consensus_options common;
    const char *truth, *crowdswe;
};

enum { KEY_TRUTH = 1, KEY_CROWDSWE };

static const struct argp_option options[] = {
    {"truth", KEY_TRUTH, "FILE", 0, "observation,taxon", 0},
    {"crowdswe", KEY_CROWDSWE, "DIR", 0,
     "Pl@ntNet's published crowd as its files lie, instead of --votes and --truth", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->common;
        return 0;
    case KEY_TRUTH:
        mine->truth = arg;
        return 0;
    case KEY_CROWDSWE:
        mine->crowdswe = arg;
        return 0;
    case ARGP_KEY_END:
        if (!mine->crowdswe && (!mine->common.votes || !mine->truth))
            argp_error(state, "--votes and --truth are wanted, or --crowdswe");
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
    "Hold every method's answers against the truth.\v"
    "Three tables: all observations whose truth is known; those with two votes or more; those whose voters "
    "disagree. accuracy: the label is "
    "the true species (none, or a genus, is not); coverage: there is a species; precision: right of those; "
    "macro: accuracy as the mean over "
    "species; coarse: a genus or above that is true; valid: valid with a species; right: right of those.\n"
    "With --crowdswe DIR the files of doi 10.5281/zenodo.10782465 are read as they are: "
    "DIR/answers/answers.json, "
    "DIR/answers/ground_truth.txt, DIR/aggregation/authors.txt and the machine's answers and scores.",
    children,
    0,
    0};

static const char *const SCOPES[LINNET_SCORE_SCOPES] = {"all", "two votes or more", "voters disagree"};

static json_t *score_json(const struct linnet_crowd_score *score) {
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "n", (json_int_t)score->n, "accuracy",
                     score->accuracy, "coverage", score->coverage, "precision", score->precision, "macro",
                     score->macro, "coarse", score->coarse, "valid", score->valid, "valid_right",
                     score->valid_right);
}

struct row {
    struct linnet_crowd_score scores[LINNET_SCORE_SCOPES];
    struct linnet_consensus_report report;
    double seconds;
};

static void print_tables(const struct row rows[LINNET_METHODS]) {
    for (int s = 0; s < LINNET_SCORE_SCOPES; s++) {
        printf("%s%s: %u observations\n", s ? "\n" : "", SCOPES[s], rows[0].scores[s].n);
        printf("%-12s %9s %9s %9s %9s %9s %9s %9s\n", "", "accuracy", "coverage", "precision", "macro",
               "coarse", "valid", "right");
        for (int m = 0; m < LINNET_METHODS; m++) {
            const struct linnet_crowd_score *score = &rows[m].scores[s];
            printf("%-12s %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n",
                   linnet_consensus_method_name((enum linnet_consensus_method)m), score->accuracy,
                   score->coverage, score->precision, score->macro, score->coarse, score->valid,
                   score->valid_right);
        }
    }
    for (int m = 0; m < LINNET_METHODS; m++)
        if (!rows[m].report.converged)
            printf("%s did not settle in %u rounds\n",
                   linnet_consensus_method_name((enum linnet_consensus_method)m), rows[m].report.rounds);
}

static void print_json(const struct row rows[LINNET_METHODS]) {
    json_t *methods = json_object();
    for (int m = 0; m < LINNET_METHODS; m++)
        json_object_set_new(methods, linnet_consensus_method_name((enum linnet_consensus_method)m),
                            json_pack("{s:o, s:o, s:o, s:i, s:b, s:f}", "all",
                                      score_json(&rows[m].scores[LINNET_SCORE_ALL]), "shared",
                                      score_json(&rows[m].scores[LINNET_SCORE_SHARED]), "disputed",
                                      score_json(&rows[m].scores[LINNET_SCORE_DISPUTED]), "rounds",
                                      (int)rows[m].report.rounds, "converged", rows[m].report.converged,
                                      "seconds", rows[m].seconds));
    json_dumpf(methods, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(methods);
}

static int try_method(const struct options *mine, const struct linnet_crowd_file *file, const uint32_t *truth,
                      enum linnet_consensus_method method, struct row *row, struct linnet_error *err) {
    struct linnet_consensus_rules rules = mine->common.rules;
    struct linnet_consensus_result result;
    int64_t begin = linnet_time_monotonic();
    rules.method = method;
    linnet_say_progress(&mine->common.say, "%s", linnet_consensus_method_name(method));
    int rc = linnet_consensus_solve(&file->tree, &rules, &file->crowd, NULL, NULL, &result, err);
    if (rc) return rc;
    row->report = result.report;
    row->seconds = (double)(linnet_time_monotonic() - begin) / 1000;
    rc = linnet_crowd_score(file, truth, &result, row->scores);
    linnet_consensus_result_done(&result);
    return rc ? linnet_error_set(err, rc, "%s", linnet_error_message(rc)) : 0;
}

static int compare(const struct options *mine, const struct linnet_crowd_file *file, const uint32_t *truth) {
    struct row rows[LINNET_METHODS] = {0};
    struct linnet_error err = {0};
    int rc = 0;
    for (int m = 0; !rc && m < LINNET_METHODS; m++)
        rc = try_method(mine, file, truth, (enum linnet_consensus_method)m, &rows[m], &err);
    linnet_say_done(&mine->common.say);
    if (rc) return linnet_say_error("consensus compare", &err);
    if (mine->common.say.json)
        print_json(rows);
    else
        print_tables(rows);
    return LINNET_EXIT_OK;
}

int linnet_consensus_run_compare(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_crowd_file file;
    struct linnet_error err = {0};
    uint32_t *truth = NULL;
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    if (mine.crowdswe) {
        if (linnet_crowdswe_load(&file, &truth, mine.crowdswe, &err) != 0)
            return linnet_say_error("consensus compare", &err);
    } else {
        int code = linnet_consensus_load(&mine.common, "compare", &file);
        if (code) return code;
        if (linnet_truth_file_read(&file, mine.truth, &truth, &err) != 0) {
            linnet_crowd_file_done(&file);
            return linnet_say_error("consensus compare", &err);
        }
    }
    int code = compare(&mine, &file, truth);
    free(truth);
    linnet_crowd_file_done(&file);
    return code;
}
