/* linnet status: who works on what, how far behind, what failed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/store.h"

struct options {
    struct linnet_store_options store;
    double watch_s; /* 0: once */
};

static const struct argp_option options[] = {
    {"watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "Go on, every so many seconds (2), until interrupted", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case 'w':
        mine->watch_s = arg ? atof(arg) : 2;
        if (mine->watch_s <= 0) argp_error(state, "--watch is a number of seconds, not '%s'", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    NULL,
    "Print who works, how far behind the feeds are, what each stage has done and what failed.\v"
    "Counts are since each worker started; rates are over the time between two looks, so they come with "
    "--watch.\n"
    "Exit status: 0 if every group that ever had a worker has a live one, 1 otherwise.",
    children,
    0,
    0};

/* What was counted at the last look, for rates: {"<worker>/<group>/<stage>": processed}. */
struct memory {
    json_t *processed;
    int64_t at;
};

struct sums {
    size_t live, groups_without, letters, retries, suspects, retrainings;
};

static int count(struct linnet_store *store, const char *kind, size_t *out, struct linnet_error *err) {
    char start[64], end[64];
    json_t *documents = NULL;
    snprintf(start, sizeof start, "%s:", kind);
    snprintf(end, sizeof end, "%s:\xef\xbf\xb0", kind);
    int error = linnet_store_range(store, LINNET_DB_OPS, start, end, 0, &documents, err);
    *out = json_array_size(documents);
    json_decref(documents);
    return error;
}

/* Alive is who was heard of within twice its term, by the clock on its document (a look from outside has no
 * better one). */
static bool is_live(const json_t *worker) {
    int64_t at = 0;
    if (linnet_json_bool(worker, "stopped", false)) return false;
    if (linnet_time_parse(linnet_json_string(worker, "at", ""), &at) != 0) return false;
    return linnet_time_now() - at < 2 * linnet_json_integer(worker, "term_ms", 30000);
}

static void print_stage(const char *worker, const char *group, const char *name, const json_t *stage,
                        struct memory *memory, double seconds) {
    char key[512], rate[32] = "";
    double processed = linnet_json_number(stage, "processed", 0);
    snprintf(key, sizeof key, "%s/%s/%s", worker, group, name);
    const json_t *before = json_object_get(memory->processed, key);
    if (before && seconds > 0)
        snprintf(rate, sizeof rate, "%9.1f/s", fmax(0, processed - json_number_value(before)) / seconds);
    json_object_set_new(memory->processed, key, json_real(processed));
    printf("    %-12s %9.0f done %9.0f ok %7.0f skipped %6.0f to retry %6.0f refused %6.0f queued %s\n", name,
           processed, linnet_json_number(stage, "ok", 0), linnet_json_number(stage, "skip", 0),
           linnet_json_number(stage, "retry", 0), linnet_json_number(stage, "reject", 0),
           linnet_json_number(stage, "queued", 0), rate);
}

static void print_group(const char *worker, const char *group, const json_t *flow, struct memory *memory,
                        double seconds) {
    const char *name;
    json_t *stage;
    printf("  %s: %.0f ms behind, %.0f shares, %.0f observations in work%s%s\n", group,
           linnet_json_number(flow, "lag_ms", 0), linnet_json_number(flow, "shares", 0),
           linnet_json_number(flow, "tasks", 0),
           linnet_json_bool(flow, "paused", false) ? ", feed paused" : "",
           linnet_json_bool(flow, "standby", false) ? ", STANDING BY: another version of a stage is wanted"
                                                    : "");
    json_object_foreach(json_object_get(flow, "stages"), name, stage)
        print_stage(worker, group, name, stage, memory, seconds);
}

static void print_workers(const json_t *workers, struct memory *memory) {
    size_t i;
    json_t *worker, *flow;
    const char *group;
    int64_t now = linnet_time_monotonic();
    double seconds = memory->at ? (double)(now - memory->at) / 1000 : 0;
    json_array_foreach(workers, i, worker) {
        const char *id = linnet_json_string(worker, "_id", "worker:?") + strlen("worker:");
        if (linnet_json_bool(worker, "stopped", false)) continue;
        printf("%s on %s, linnet %s, %s %s\n", id, linnet_json_string(worker, "host", "?"),
               linnet_json_string(worker, "version", "?"),
               is_live(worker) ? "alive, last heard" : "GONE since", linnet_json_string(worker, "at", "?"));
        json_object_foreach(json_object_get(worker, "groups"), group, flow)
            print_group(id, group, flow, memory, seconds);
    }
    memory->at = now;
}

/* Groups that some worker has belonged to and no live one does. */
static size_t orphaned_groups(const json_t *workers, bool say) {
    json_t *alive = json_object(), *known = json_object(), *worker, *flow;
    const char *group;
    size_t i, missing = 0;
    json_array_foreach(workers, i, worker)
        json_object_foreach(json_object_get(worker, "groups"), group, flow) {
        json_object_set_new(known, group, json_true());
        if (is_live(worker)) json_object_set_new(alive, group, json_true());
    }
    json_object_foreach(known, group, flow) {
        if (json_object_get(alive, group)) continue;
        missing++;
        if (say) printf("nobody works on the group %s; start one: linnet worker --group %s\n", group, group);
    }
    json_decref(alive);
    json_decref(known);
    return missing;
}

/* What the consensus last came to, and how much of the validity rests on the machine. */
static void print_epochs(const json_t *epochs) {
    size_t i;
    json_t *epoch;
    json_array_foreach(epochs, i, epoch) printf(
        "%s: %lld of %lld observations are valid by %lld votes%s; the machine (%s) took validity from %lld "
        "and gave it "
        "to %lld: %.1f%% rests on it\n",
        linnet_json_string(epoch, "_id", "epoch:?") + strlen("epoch:"),
        linnet_json_integer(epoch, "valid", 0), linnet_json_integer(epoch, "observations", 0),
        linnet_json_integer(epoch, "counted", 0),
        linnet_json_bool(epoch, "converged", true) ? "" : " (NOT converged)",
        linnet_json_string(epoch, "machine/mode", "?"), linnet_json_integer(epoch, "machine/withdrew", 0),
        linnet_json_integer(epoch, "machine/granted", 0),
        100 * linnet_json_number(epoch, "machine/share", 0));
}

static int look(const struct options *mine, struct linnet_store *store, struct memory *memory,
                struct sums *sums, struct linnet_error *err) {
    json_t *workers = NULL, *epochs = NULL;
    int error = linnet_store_range(store, LINNET_DB_OPS, "worker:", "worker:\xef\xbf\xb0", 0, &workers, err);
    if (!error)
        error = linnet_store_range(store, LINNET_DB_OPS, "epoch:", "epoch:\xef\xbf\xb0", 0, &epochs, err);
    if (!error) error = count(store, "deadletter", &sums->letters, err);
    if (!error) error = count(store, "retry", &sums->retries, err);
    if (!error) error = count(store, "suspect", &sums->suspects, err);
    if (!error) error = count(store, "retraining", &sums->retrainings, err);
    if (error) {
        json_decref(workers);
        json_decref(epochs);
        return error == LINNET_E_NOT_FOUND
                   ? linnet_error_set(err, error, "the store is not set up; run `linnet init` first")
                   : error;
    }
    sums->groups_without = orphaned_groups(workers, false);
    if (mine->store.json) {
        json_t *json = json_pack("{s:O, s:O, s:I, s:I, s:I, s:I, s:I}", "workers", workers, "epochs", epochs,
                                 "groups_without_worker", (json_int_t)sums->groups_without, "deadletters",
                                 (json_int_t)sums->letters, "retries", (json_int_t)sums->retries, "suspects",
                                 (json_int_t)sums->suspects, "retrainings", (json_int_t)sums->retrainings);
        json_dumpf(json, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(json);
    } else {
        print_workers(workers, memory);
        print_epochs(epochs);
        orphaned_groups(workers, true);
        if (json_array_size(workers) == 0)
            puts("no worker has ever run on this store; start one: linnet worker");
        printf("%zu dead letters, %zu waiting to be tried again, %zu suspects, %zu requests for retraining\n",
               sums->letters, sums->retries, sums->suspects, sums->retrainings);
    }
    fflush(stdout);
    json_decref(workers);
    json_decref(epochs);
    return 0;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    struct sums sums = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    struct memory memory = {.processed = json_object()};
    int error = linnet_store_open(&mine.store, &store, &err);
    while (!error) {
        error = look(&mine, store, &memory, &sums, &err);
        if (mine.watch_s <= 0) break;
        struct timespec time = {(time_t)mine.watch_s, (long)(fmod(mine.watch_s, 1) * 1e9)};
        nanosleep(&time, NULL);
        if (!error && !mine.store.json) puts("");
    }
    linnet_store_close(store);
    json_decref(memory.processed);
    if (error) return linnet_say_error("status", &err);
    return sums.groups_without ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_status = {"status", "say who works, how far behind, what failed",
                                                     run};
