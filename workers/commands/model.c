/* linnet model: publish anybody's ONNX file, choose the one that is used, look at them. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "common/nn/nn.h"
#include "workers/cli/backbone.h"
#include "workers/cli/calibrate.h"
#include "workers/cli/command.h"
#include "workers/cli/evaluation.h"
#include "workers/cli/file.h"
#include "workers/cli/labels.h"
#include "workers/cli/model_document.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/store.h"
#include "workers/host/references.h"

#define MODEL_LIMIT ((size_t)2 << 30)

struct options {
    struct linnet_store_options store;
    char **words;
    int nwords;
    const char *labels, *description, *name, *version, *policy, *svg, *held_out;
    const char *pictures, *csv, *out, *by;
    size_t limit;
    bool dry_run, activate;
};

enum {
    KEY_LABELS = 1,
    KEY_DESCRIPTION,
    KEY_NAME,
    KEY_VERSION,
    KEY_POLICY,
    KEY_ACTIVATE,
    KEY_SVG,
    KEY_HELD_OUT,
    KEY_PICTURES,
    KEY_CSV,
    KEY_OUT,
    KEY_BY,
    KEY_LIMIT
};

static const struct argp_option options[] = {
    {"labels", KEY_LABELS, "FILE.csv", 0, "publish: the classes, one a row, in the order of the output", 0},
    {"description", KEY_DESCRIPTION, "FILE.json", 0, "publish: input, outputs, organs, calibration, accuracy",
     0},
    {"name", KEY_NAME, "NAME", 0, "publish: its name (else the description's, else the file's)", 0},
    {"model-version", KEY_VERSION, "VERSION", 0, "publish: its version (else the description's, else 1)", 0},
    {"held-out", KEY_HELD_OUT, "FILE.csv", 0,
     "publish: choose the temperature, and the thresholds of sets that hold the truth, by labelled pictures "
     "that the model was not trained on (image, taxon; observation and flora where known), beside the table "
     "or "
     "below --pictures",
     0},
    {"activate", KEY_ACTIVATE, 0, 0, "publish: and use it", 0},
    {"policy", KEY_POLICY, "new|view|backfill", 0,
     "activate: what becomes of older results: they stay, are made again when looked at, or all made again "
     "(new)",
     0},
    {"svg", KEY_SVG, "OUT", 0, "inspect: draw the network as well", 0},
    {"pictures", KEY_PICTURES, "DIR", 0, "calibrate: pictures like those that will come, as eval takes them",
     0},
    {"csv", KEY_CSV, "FILE", 0, "calibrate: the pictures are those of a table below DIR", 0},
    {"limit", KEY_LIMIT, "N", 0, "calibrate: at most so many pictures (512)", 0},
    {"by", KEY_BY, "error|percentile|most", 0,
     "calibrate: the range of each value is that of the least squared error, of 99.99% or of all (error)", 0},
    {"out", KEY_OUT, "OUT.onnx", 0, "calibrate: the file to write", 0},
    {"dry-run", 'n', 0, 0, "Say what would be done, write nothing", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case KEY_LABELS:
        mine->labels = arg;
        return 0;
    case KEY_DESCRIPTION:
        mine->description = arg;
        return 0;
    case KEY_NAME:
        mine->name = arg;
        return 0;
    case KEY_VERSION:
        mine->version = arg;
        return 0;
    case KEY_HELD_OUT:
        mine->held_out = arg;
        return 0;
    case KEY_SVG:
        mine->svg = arg;
        return 0;
    case KEY_PICTURES:
        mine->pictures = arg;
        return 0;
    case KEY_CSV:
        mine->csv = arg;
        return 0;
    case KEY_OUT:
        mine->out = arg;
        return 0;
    case KEY_LIMIT:
        mine->limit = strtoul(arg, NULL, 10);
        return 0;
    case KEY_BY:
        if (strcmp(arg, "error") != 0 && strcmp(arg, "percentile") != 0 && strcmp(arg, "most") != 0)
            argp_error(state, "--by is error, percentile or most, not '%s'", arg);
        mine->by = arg;
        return 0;
    case KEY_ACTIVATE:
        mine->activate = true;
        return 0;
    case 'n':
        mine->dry_run = true;
        return 0;
    case KEY_POLICY:
        if (strcmp(arg, "new") != 0 && strcmp(arg, "view") != 0 && strcmp(arg, "backfill") != 0)
            argp_error(state, "--policy is new, view or backfill, not '%s'", arg);
        mine->policy = arg;
        return 0;
    case ARGP_KEY_ARGS:
        mine->words = state->argv + state->next;
        mine->nwords = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "publish FILE.onnx\nactivate NAME@VERSION\nlist\nshow NAME@VERSION\ninspect FILE.onnx\ncalibrate "
    "FILE.onnx",
    "Publish ONNX models, choose the one in use, look at them.\v"
    "publish maps the labels to the backbone and reports what it could not map. activate only moves a "
    "pointer: going back to an "
    "earlier model computes nothing. inspect prints layers, shapes, FLOPs and parameters without a store; "
    "calibrate writes the network with the "
    "ranges that its values have on pictures, which precision int8 needs.",
    children,
    0,
    0};

/* What a model is called if nobody says: the file's name without folder and ending. */
static void name_of_file(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(out, '.');
    if (dot) *dot = '\0';
}

static int set_wanted(const struct options *mine, struct linnet_store *store, const char *model,
                      struct linnet_error *err) {
    json_t *wanted = NULL;
    char now[LINNET_TIME_SIZE];
    const char *policy = mine->policy ? mine->policy : "new";
    int error = linnet_store_get(store, LINNET_DB_REFERENCE, "wanted:convnet", NULL, &wanted, err);
    if (error && error != LINNET_E_NOT_FOUND) return error;
    if (!error && strcmp(linnet_json_string(wanted, "model", ""), model) == 0 &&
        strcmp(linnet_json_string(wanted, "policy", ""), policy) == 0) {
        if (!mine->store.json) printf("%s is in use already (policy %s)\n", model, policy);
        json_decref(wanted);
        return 0;
    }
    if (error)
        wanted = json_pack("{s:s, s:s, s:s}", "_id", "wanted:convnet", "kind", "wanted", "stage", "convnet");
    linnet_time_format(linnet_time_now(), now);
    char before[256];
    snprintf(before, sizeof before, "%s", linnet_json_string(wanted, "model", ""));
    json_object_set_new(wanted, "model", json_string(model));
    json_object_set_new(wanted, "policy", json_string(policy));
    json_object_set_new(wanted, "since", json_string(now));
    json_object_del(wanted, "fingerprint"); /* the first worker that runs the model says what it is */
    error = mine->dry_run ? 0 : linnet_store_put(store, LINNET_DB_REFERENCE, wanted, err);
    json_decref(wanted);
    if (!error && !mine->store.json)
        printf("%s %s in use%s%s (policy %s)\n", model, mine->dry_run ? "would be" : "is now",
               *before ? ", after " : "", before, policy);
    return error;
}

/* How many rows a reduced view has under a key; 0 if it has none. */
static int count(struct linnet_store *store, const char *view, const char *query, const char *path,
                 long long *out, struct linnet_error *err) {
    json_t *answer = NULL;
    int error = linnet_store_view(store, LINNET_DB_MAIN, "linnet", view, query, &answer, err);
    *out = error ? 0 : linnet_json_integer(answer, path, 0);
    json_decref(answer);
    return error;
}

/* Pictures a second that the live workers have put through the model lately, by their heartbeats; 0 if none
 * tells. */
static double pace(struct linnet_store *store) {
    json_t *workers = NULL, *worker;
    double sum = 0;
    size_t i;
    if (linnet_store_range(store, LINNET_DB_OPS, "worker:", "worker:\xef\xbf\xb0", 0, &workers, NULL) != 0)
        return 0;
    json_array_foreach(workers, i, worker) {
        const json_t *stage = linnet_json_at(worker, "groups/images/stages/convnet");
        double busy = linnet_json_number(stage, "seconds", 0),
               done = linnet_json_number(stage, "processed", 0);
        if (!linnet_json_bool(worker, "stopped", false) && busy > 0) sum += done / busy;
    }
    json_decref(workers);
    return sum;
}

/* What making all predictions again would cost. */
static int tell_cost(const struct options *mine, struct linnet_store *store, const char *model,
                     struct linnet_error *err) {
    char query[320];
    long long pictures, done;
    snprintf(query, sizeof query, "key=%%22%s%%22", model);
    int error = count(store, "progress", NULL, "rows/0/value/3", &pictures, err);
    if (!error) error = count(store, "by_model", query, "rows/0/value", &done, err);
    if (error) return error;
    double rate = pace(store), left = (double)(pictures > done ? pictures - done : 0);
    if (mine->store.json) {
        printf("{\"model\":\"%s\",\"pictures\":%lld,\"done\":%lld,\"to_compute\":%.0f,\"seconds\":", model,
               pictures, done, left);
        rate > 0 ? printf("%.0f}\n", left / rate) : printf("null}\n");
        return 0;
    }
    printf("a backfill would compute %.0f predictions (%lld pictures, %lld have one of %s already)", left,
           pictures, done, model);
    if (rate > 0) printf(", about %.1f minutes of the workers that are alive", left / rate / 60);
    printf("; fresh observations go first\n");
    return 0;
}

static int activate(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    json_t *model = NULL;
    snprintf(id, sizeof id, "model:%s", mine->words[1]);
    int error = linnet_store_get(store, LINNET_DB_REFERENCE, id, NULL, &model, err);
    json_decref(model);
    if (error == LINNET_E_NOT_FOUND)
        return linnet_error_set(err, error,
                                "there is no model %s; `linnet model list` names those that there are",
                                mine->words[1]);
    if (!error) error = set_wanted(mine, store, mine->words[1], err);
    if (!error && mine->dry_run) error = tell_cost(mine, store, mine->words[1], err);
    return error;
}

static void report(const struct options *mine, const json_t *document, const struct linnet_labels *labels,
                   const struct linnet_nn_model *model, json_t *assumed, const char *what) {
    size_t classes = json_array_size(labels->taxa), missing = json_array_size(labels->unmapped), i;
    const char *text;
    json_t *value;
    if (mine->store.json) {
        json_t *json = json_pack("{s:O, s:s, s:I, s:I, s:I, s:O, s:O, s:O, s:O*}", "model",
                                 json_object_get(document, "_id"), "result", what, "classes",
                                 (json_int_t)classes, "mapped", (json_int_t)(classes - missing), "parameters",
                                 (json_int_t)linnet_nn_model_parameters(model), "unmapped", labels->unmapped,
                                 "synonyms", labels->synonyms, "assumed", assumed, "calibration",
                                 json_object_get(document, "calibration"));
        json_dumpf(json, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(json);
        return;
    }
    printf("%s: %s\n", linnet_json_string(document, "_id", ""), what);
    printf("  %zu classes, %zu mapped to the backbone; %.2f million parameters, %.3f GFLOP a picture\n",
           classes, classes - missing, (double)linnet_nn_model_parameters(model) / 1e6,
           (double)linnet_nn_model_flops(model) / 1e9);
    if (mine->held_out)
        printf("  temperature %.3f; expected calibration error %.4f, before %.4f (%lld pictures)\n",
               linnet_json_number(document, "calibration/temperature", 1),
               linnet_json_number(document, "calibration/error", 0),
               linnet_json_number(document, "calibration/error_before", 0),
               linnet_json_integer(document, "calibration/pictures", 0));
    json_object_foreach(labels->synonyms, text, value)
        printf("  synonym: %s is %s\n", text, json_string_value(value));
    json_array_foreach(labels->unmapped, i, value) {
        if (i == 20) {
            printf("  ... and %zu more (all of them with --json)\n", missing - i);
            break;
        }
        printf("  not in the backbone: %s\n", json_string_value(value));
    }
    json_array_foreach(assumed, i, value) printf("  assumed: %s\n", json_string_value(value));
}

/* Write the document with the file inline, unless the same stands there. *what says which. */
static int put_model(const struct options *mine, struct linnet_store *store, json_t *document,
                     const void *onnx, size_t size, const char **what, struct linnet_error *err) {
    const char *id = linnet_json_string(document, "_id", "");
    char digest[LINNET_DIGEST_SIZE], now[LINNET_TIME_SIZE];
    json_t *standing = NULL;
    linnet_digest_bytes(onnx, size, digest);
    json_object_set_new(document, "sha256", json_string(digest));
    int error = linnet_store_get(store, LINNET_DB_REFERENCE, id, NULL, &standing, err);
    if (error && error != LINNET_E_NOT_FOUND) return error;
    if (standing) {
        bool same = strcmp(linnet_json_string(standing, "sha256", ""), digest) == 0 &&
                    json_equal(json_object_get(standing, "labels"), json_object_get(document, "labels")) &&
                    json_equal(json_object_get(standing, "input"), json_object_get(document, "input"));
        json_decref(standing);
        *what = "published already, unchanged";
        if (same) return 0;
        return linnet_error_set(err, LINNET_E_EXISTS,
                                "%s exists and is another; a published model never changes: give it a new "
                                "--model-version",
                                id);
    }
    *what = mine->dry_run ? "would be published" : "published";
    if (mine->dry_run) return 0;
    linnet_time_format(linnet_time_now(), now);
    if (!json_object_get(document, "created_at"))
        json_object_set_new(document, "created_at", json_string(now));
    error = linnet_couch_attach(document, "model.onnx", "application/octet-stream", onnx, size);
    if (error) return linnet_error_set(err, error, "out of memory");
    return linnet_store_put(store, LINNET_DB_REFERENCE, document, err);
}

static void progress(void *arg, size_t done, size_t all) {
    linnet_say_progress(arg, "calibrating: %zu of %zu observations", done, all);
}

/* Put into the document what labelled pictures say of how sure the model may be. */
static int measure_held_out(const struct options *mine, struct linnet_store *store, json_t *document,
                            struct linnet_error *err) {
    struct linnet_references *taxa = NULL;
    struct linnet_pictures pictures = {0};
    json_t *calibration, *uncertainty;
    char *beside = strdup(mine->held_out);
    int error = beside ? linnet_backbone_references(store, &taxa, err)
                       : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error)
        error = linnet_pictures_table(mine->held_out, mine->pictures ? mine->pictures : dirname(beside),
                                      &pictures, err);
    struct linnet_evaluation_options evaluation = {.onnx = mine->words[1],
                                                   .labels = mine->labels,
                                                   .description = document,
                                                   .taxa = taxa,
                                                   .progress = progress,
                                                   .progress_arg = (void *)&mine->store};
    if (!error)
        error = linnet_calibrate(&evaluation, &pictures, json_object_get(document, "labels"), &calibration,
                                 &uncertainty, err);
    linnet_say_done(&mine->store);
    linnet_pictures_done(&pictures);
    linnet_references_unref(taxa);
    free(beside);
    if (error) return error;
    json_object_set_new(document, "calibration", calibration);
    json_object_set_new(document, "uncertainty", uncertainty);
    return 0;
}

static int publish_loaded(const struct options *mine, struct linnet_store *store, const void *onnx,
                          size_t size, const json_t *description, struct linnet_error *err) {
    char from_file[128];
    name_of_file(mine->words[1], from_file, sizeof from_file);
    const char *name = mine->name ? mine->name : linnet_json_string(description, "name", from_file),
               *what = NULL;
    const char *version = mine->version ? mine->version : linnet_json_string(description, "version", "1");
    struct linnet_nn_model *model = NULL;
    struct linnet_taxonomy *backbone = NULL;
    struct linnet_labels labels = {0};
    json_t *assumed = json_array(), *document = NULL;
    int error = linnet_nn_model_parse(onnx, size, &model, err);
    if (!error) error = linnet_backbone_load(store, &backbone, err);
    if (!error) error = linnet_labels_load(mine->labels, backbone, &labels, err);
    if (!error)
        error = linnet_model_document(name, version, model, &labels, description, assumed, &document, err);
    if (!error && mine->held_out) error = measure_held_out(mine, store, document, err);
    if (!error) error = put_model(mine, store, document, onnx, size, &what, err);
    if (!error) report(mine, document, &labels, model, assumed, what);
    if (!error && mine->activate)
        error = set_wanted(mine, store, linnet_json_string(document, "_id", "") + strlen("model:"), err);
    linnet_labels_done(&labels);
    linnet_taxonomy_free(backbone);
    linnet_nn_model_free(model);
    json_decref(assumed);
    json_decref(document);
    return error;
}

static int publish(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    void *onnx = NULL;
    size_t size;
    json_t *description = NULL;
    if (!mine->labels)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "--labels FILE.csv is wanted: the names of the model's classes, in order");
    int error = linnet_file_read(mine->words[1], MODEL_LIMIT, &onnx, &size, err);
    if (!error && mine->description)
        error = linnet_json_load_file(mine->description, (size_t)64 << 20, &description, err);
    if (!error && mine->held_out && !json_object_get(description, "calibration")) { /* it is to be found */
        if (!description) description = json_object();
        json_object_set_new(description, "calibration", json_pack("{s:f}", "temperature", 1.0));
    }
    if (!error) error = publish_loaded(mine, store, onnx, size, description, err);
    json_decref(description);
    free(onnx);
    return error;
}

static int list(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    json_t *models = NULL, *wanted = NULL, *model;
    size_t i;
    int error =
        linnet_store_range(store, LINNET_DB_REFERENCE, "model:", "model:\xef\xbf\xb0", 0, &models, err);
    if (error) return error;
    if (linnet_store_get(store, LINNET_DB_REFERENCE, "wanted:convnet", NULL, &wanted, NULL) != 0)
        wanted = NULL;
    const char *active = linnet_json_string(wanted, "model", "");
    if (mine->store.json) json_dumpf(models, stdout, JSON_COMPACT);
    json_array_foreach(models, i, model) {
        const char *id = linnet_json_string(model, "_id", "") + strlen("model:");
        if (mine->store.json) continue;
        printf("%c %-32s %5zu classes  macro top-1 %s%.3f  %s\n", strcmp(id, active) == 0 ? '*' : ' ', id,
               json_array_size(json_object_get(model, "labels")),
               linnet_json_at(model, "accuracy/macro_top1") ? "" : "?",
               linnet_json_number(model, "accuracy/macro_top1", 0),
               linnet_json_string(model, "created_at", ""));
    }
    if (mine->store.json) putchar('\n');
    json_decref(models);
    json_decref(wanted);
    return 0;
}

static int show(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    json_t *model = NULL;
    snprintf(id, sizeof id, "model:%s", mine->words[1]);
    int error = linnet_store_get(store, LINNET_DB_REFERENCE, id, NULL, &model, err);
    if (error) return error;
    json_dumpf(model, stdout, mine->store.json ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
    json_decref(model);
    return 0;
}

static int draw(const struct linnet_nn_model *model, const char *path, struct linnet_error *err) {
    FILE *file = fopen(path, "w");
    if (!file) return linnet_error_set(err, LINNET_E_IO, "%s: %m", path);
    int error = linnet_nn_model_draw(model, file);
    if (fclose(file) && !error) error = LINNET_E_IO;
    return error ? linnet_error_set(err, error, "%s: %s", path, linnet_error_message(error)) : 0;
}

static int inspect(const struct options *mine, struct linnet_error *err) {
    struct linnet_nn_model *model = NULL;
    int error = linnet_nn_model_load(mine->words[1], &model, err);
    if (!error) linnet_nn_model_print(model, stdout);
    if (!error && mine->svg) error = draw(model, mine->svg, err);
    linnet_nn_model_free(model);
    return error;
}

static int read_pictures(const struct options *mine, struct linnet_pictures *pictures,
                         struct linnet_error *err) {
    if (!mine->pictures || !mine->labels || !mine->out)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "--pictures DIR, --labels FILE.csv and --out OUT.onnx are wanted");
    if (strcmp(mine->out, mine->words[1]) == 0)
        return linnet_error_set(err, LINNET_E_INVALID, "--out is another file than the one that is read");
    return mine->csv ? linnet_pictures_table(mine->csv, mine->pictures, pictures, err)
                     : linnet_pictures_folder(mine->pictures, pictures, err);
}

static void calibrating(void *arg, size_t done, size_t all) {
    linnet_say_progress(arg, "%zu of %zu observations", done, all);
}

/* By the stages that a worker runs, so that the network sees what it will see there. */
static int calibrate(const struct options *mine, struct linnet_error *err) {
    struct linnet_pictures pictures;
    struct linnet_evaluation evaluation;
    struct linnet_nn_model *model = NULL;
    json_t *description = NULL;
    struct linnet_evaluation_options wanted = {.onnx = mine->words[1],
                                               .labels = mine->labels,
                                               .calibrate = mine->out,
                                               .by = mine->by,
                                               .limit = mine->limit ? mine->limit : 512,
                                               .progress = calibrating,
                                               .progress_arg = (void *)&mine->store};
    int error = read_pictures(mine, &pictures, err);
    if (error) return error;
    if (mine->description)
        error = linnet_json_load_file(mine->description, (size_t)64 << 20, &description, err);
    wanted.description = description;
    unlink(mine->out); /* what is there afterwards is what was made */
    if (!error) error = linnet_evaluate(&wanted, &pictures, &evaluation, err);
    linnet_say_done(&mine->store);
    linnet_pictures_done(&pictures);
    json_decref(description);
    if (error) return error;
    size_t read = evaluation.read;
    linnet_evaluation_done(&evaluation);
    if (!read) return linnet_error_set(err, LINNET_E_INVALID, "none of the pictures could be read");
    error = linnet_nn_model_load(mine->out, &model, err);
    if (!error)
        printf("%s: ranges of %zu values on %zu pictures\n", mine->out, linnet_nn_model_ranges(model), read);
    linnet_nn_model_free(model);
    return error;
}

static const struct {
    const char *verb;
    int words;
    int (*act)(const struct options *, struct linnet_store *, struct linnet_error *);
} verbs[] = {{"publish", 2, publish}, {"activate", 2, activate}, {"list", 1, list}, {"show", 2, show}};

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    if (mine.nwords == 2 && strcmp(mine.words[0], "inspect") == 0)
        return inspect(&mine, &err) ? linnet_say_error("model", &err) : LINNET_EXIT_OK;
    if (mine.nwords == 2 && strcmp(mine.words[0], "calibrate") == 0)
        return calibrate(&mine, &err) ? linnet_say_error("model", &err) : LINNET_EXIT_OK;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (mine.nwords != verbs[i].words || strcmp(mine.words[0], verbs[i].verb) != 0) continue;
        int error = linnet_store_open(&mine.store, &store, &err);
        if (!error) error = verbs[i].act(&mine, store, &err);
        linnet_store_close(store);
        return error ? linnet_say_error("model", &err) : LINNET_EXIT_OK;
    }
    fprintf(stderr, "linnet model: publish FILE, activate NAME@VERSION, list, show NAME@VERSION, inspect "
                    "FILE or calibrate FILE is wanted; see "
                    "--help\n");
    return LINNET_EXIT_USAGE;
}

const struct linnet_command linnet_command_model = {"model", "publish ONNX models, choose the one in use",
                                                    run};
