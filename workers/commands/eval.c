/* linnet eval: how good a model is on labelled pictures, by the same stages that a worker runs. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/evaluation.h"
#include "workers/cli/evaluation_rows.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"

struct options {
    struct linnet_store_options store; /* --json and --quiet are of use here; no store is asked */
    struct linnet_evaluation_options evaluation;
    const char *folder, *csv, *description, *fusion, *each, *predictions;
};

enum {
    KEY_ONNX = 1,
    KEY_LABELS,
    KEY_DESCRIPTION,
    KEY_BACKBONE,
    KEY_CSV,
    KEY_LIMIT,
    KEY_PRECISION,
    KEY_PREDICTIONS,
    KEY_FLORA,
    KEY_ORGANS,
    KEY_UNKNOWN,
    KEY_FUSION,
    KEY_EACH
};

static const struct argp_option options[] = {
    {"onnx", KEY_ONNX, "FILE.onnx", 0, "The model (wanted)", 0},
    {"labels", KEY_LABELS, "FILE.csv", 0, "Its classes, one a row, in the order of the output (wanted)", 0},
    {"description", KEY_DESCRIPTION, "FILE.json", 0, "Its input, outputs, organs, calibration", 0},
    {"backbone", KEY_BACKBONE, "DIR", 0,
     "Taxa and floras (*.jsonl); without, the labels are taken as species", 0},
    {"csv", KEY_CSV, "FILE", 0,
     "The pictures are those of a table (image, taxon, organ, observation) below DIR", 0},
    {"limit", KEY_LIMIT, "N", 0, "At most so many pictures", 0},
    {"precision", KEY_PRECISION, "f32|bf16|int8", 0, "What the network computes in (f32)", 0},
    {"predictions", KEY_PREDICTIONS, "FILE.csv", 0,
     "Write what each picture was taken for: the first two species and their scores", 0},
    {"flora", KEY_FLORA, 0, 0, "Within the flora that the table's column `flora` names", 0},
    {"organs", KEY_ORGANS, 0, 0, "Take the organs as the table has them; else the model tells", 0},
    {"fusion", KEY_FUSION, "FILE.json", 0, "Configuration of the fusion stage", 0},
    {"unknown", KEY_UNKNOWN, 0, 0, "Run what the model has no class for too (it is not scored)", 0},
    {"each", KEY_EACH, "FILE", 0, "Write what came of each observation, a line of JSON each", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case KEY_ONNX:
        mine->evaluation.onnx = arg;
        return 0;
    case KEY_LABELS:
        mine->evaluation.labels = arg;
        return 0;
    case KEY_DESCRIPTION:
        mine->description = arg;
        return 0;
    case KEY_BACKBONE:
        mine->evaluation.backbone = arg;
        return 0;
    case KEY_CSV:
        mine->csv = arg;
        return 0;
    case KEY_FLORA:
        mine->evaluation.flora = true;
        return 0;
    case KEY_ORGANS:
        mine->evaluation.organs = true;
        return 0;
    case KEY_UNKNOWN:
        mine->evaluation.unknown = true;
        return 0;
    case KEY_FUSION:
        mine->fusion = arg;
        return 0;
    case KEY_EACH:
        mine->each = arg;
        return 0;
    case KEY_LIMIT:
        mine->evaluation.limit = strtoul(arg, NULL, 10);
        return 0;
    case KEY_PRECISION:
        if (strcmp(arg, "f32") != 0 && strcmp(arg, "bf16") != 0 && strcmp(arg, "int8") != 0)
            argp_error(state, "--precision is f32, bf16 or int8, not '%s'", arg);
        mine->evaluation.precision = arg;
        return 0;
    case KEY_PREDICTIONS:
        mine->predictions = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) return ARGP_ERR_UNKNOWN;
        mine->folder = arg;
        return 0;
    case ARGP_KEY_END:
        if (!mine->folder) argp_error(state, "the folder with the pictures is wanted");
        if (!mine->evaluation.onnx || !mine->evaluation.labels)
            argp_error(state, "--onnx and --labels are wanted");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Output:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "DIR",
    "Measure a model on labelled pictures: one folder a species (as Pl@ntNet-300K has them), or a table.\v"
    "Prints macro top-1 and top-5 (the mean over species), by organ, fused by observation where a table "
    "tells which pictures belong "
    "together, and the calibration error. The pictures go through the same normalize, convnet and fusion "
    "stages as in a worker.",
    children,
    0,
    0};

static void print_row(const char *name, const struct linnet_score *score) {
    struct linnet_score_figures f = linnet_score_figures(score);
    if (f.n == 0) return;
    printf("%-14s %8llu %7u    %6.2f ± %4.2f   %6.2f   %6.2f   %6.2f   %6.4f\n", name,
           (unsigned long long)f.n, f.classes, 100 * f.macro_top1, 100 * f.macro_top1_error,
           100 * f.macro_top5, 100 * f.top1, 100 * f.top5, f.calibration_error);
}

static void print_table(const struct linnet_evaluation *evaluation) {
    printf("%-14s %8s %7s    %14s   %6s   %6s   %6s   %6s\n", "", "n", "species", "macro top-1 %", "top-5",
           "top-1", "top-5", "ECE");
    print_row("pictures", &evaluation->pictures);
    for (size_t i = 0; i < LINNET_ORGANS; i++)
        print_row(linnet_organs[i], &evaluation->organs[i]);
    print_row("observations", &evaluation->observations);
    printf("%zu pictures in %.1f s (%.1f a second); %zu could not be read, %zu have a label that the model "
           "lacks\n",
           evaluation->read, evaluation->seconds,
           evaluation->seconds > 0 ? (double)evaluation->read / evaluation->seconds : 0, evaluation->failed,
           evaluation->unknown);
}

static void print_json(const struct linnet_evaluation *evaluation) {
    json_t *organs = json_object();
    for (size_t i = 0; i < LINNET_ORGANS; i++)
        if (linnet_score_figures(&evaluation->organs[i]).n)
            json_object_set_new(organs, linnet_organs[i], linnet_score_json(&evaluation->organs[i]));
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:f}", "pictures", linnet_score_json(&evaluation->pictures),
                  "by_organ", organs, "observations", linnet_score_json(&evaluation->observations), "read",
                  (json_int_t)evaluation->read, "failed", (json_int_t)evaluation->failed, "unknown",
                  (json_int_t)evaluation->unknown, "seconds", evaluation->seconds);
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

static void progress(void *arg, size_t done, size_t all) {
    linnet_say_progress(arg, "%zu of %zu observations", done, all);
}

static int open_predictions(struct options *mine, struct linnet_error *err) {
    if (!mine->predictions) return 0;
    mine->evaluation.predictions = fopen(mine->predictions, "w");
    if (!mine->evaluation.predictions) return linnet_error_set(err, LINNET_E_IO, "%s: %m", mine->predictions);
    fputs("image,label,first,first_score,second,second_score\n", mine->evaluation.predictions);
    return 0;
}

/* The files that the options name, read; the one that is written to, opened. */
static int open_files(struct options *mine, json_t **description, json_t **fusion, FILE **each,
                      struct linnet_error *err) {
    int error = 0;
    if (mine->description)
        error = linnet_json_load_file(mine->description, (size_t)64 << 20, description, err);
    if (!error && mine->fusion) error = linnet_json_load_file(mine->fusion, (size_t)1 << 20, fusion, err);
    if (!error && mine->each && !(*each = fopen(mine->each, "w")))
        error = linnet_error_set(err, LINNET_E_IO, "%s: %m", mine->each);
    mine->evaluation.description = *description;
    mine->evaluation.fusion = *fusion;
    if (*each) {
        mine->evaluation.answered = linnet_evaluation_write;
        mine->evaluation.answered_arg = *each;
    }
    return error;
}

static int evaluate(struct options *mine, struct linnet_evaluation *out, struct linnet_error *err) {
    struct linnet_pictures pictures;
    json_t *description = NULL, *fusion = NULL;
    FILE *each = NULL;
    int error = mine->csv ? linnet_pictures_table(mine->csv, mine->folder, &pictures, err)
                          : linnet_pictures_folder(mine->folder, &pictures, err);
    if (error) return error;
    error = open_files(mine, &description, &fusion, &each, err);
    if (!error) error = open_predictions(mine, err);
    if (!error) error = linnet_evaluate(&mine->evaluation, &pictures, out, err);
    bool evaluated = !error;
    if (each && fclose(each) != 0 && !error) error = linnet_error_set(err, LINNET_E_IO, "%s: %m", mine->each);
    if (mine->evaluation.predictions && fclose(mine->evaluation.predictions) != 0 && !error)
        error = linnet_error_set(err, LINNET_E_IO, "%s: %m", mine->predictions);
    if (evaluated && error) linnet_evaluation_done(out);
    linnet_say_done(&mine->store);
    linnet_pictures_done(&pictures);
    json_decref(description);
    json_decref(fusion);
    return error;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_evaluation evaluation;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    mine.evaluation.progress = progress;
    mine.evaluation.progress_arg = &mine.store;
    if (evaluate(&mine, &evaluation, &err)) return linnet_say_error("eval", &err);
    if (mine.store.json)
        print_json(&evaluation);
    else
        print_table(&evaluation);
    bool nothing = evaluation.read == 0;
    linnet_evaluation_done(&evaluation);
    return nothing ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_eval = {"eval", "measure a model on labelled pictures", run};
