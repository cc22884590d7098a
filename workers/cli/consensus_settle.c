/* linnet consensus settle: ask the workers to make every consensus exact, and wait until they have.
 *
 * The request is a document of the main database, so it comes to the stage by the feed, behind the votes that
 * stood before it. The answer is epoch:consensus, written when all else is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "common/base/ulid.h"
#include "workers/cli/command.h"
#include "workers/cli/consensus.h"
#include "workers/cli/say.h"
#include "workers/cli/store.h"

enum { LOOK_MS = 200 };

struct options {
    struct linnet_store_options store;
    double timeout_s;
};

static const struct argp_option options[] = {
    {"timeout", 't', "SECONDS", 0, "Wait no longer than this (600); 0: do not wait", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        mine->timeout_s = 600;
        return 0;
    case 't':
        mine->timeout_s = strtod(arg, &end);
        if (*end || mine->timeout_s < 0) argp_error(state, "--timeout is a number of seconds, not '%s'", arg);
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
    "Ask the workers to make every consensus exact: as they stand, figures may be off by the tolerance of "
    "the "
    "stage's configuration (0.02). Returns when everything that was voted before is counted and written.\v"
    "Exit status: 0 if it is settled, 1 if the crowd has not converged, or nobody answered in time.",
    children,
    0,
    0};

static int ask(struct linnet_store *store, char ulid[LINNET_ULID_SIZE], json_t **request,
               struct linnet_error *err) {
    char now[LINNET_TIME_SIZE];
    linnet_ulid_new(ulid);
    linnet_time_format(linnet_time_now(), now);
    *request = json_pack("{s:s+, s:s, s:s}", "_id", ulid, ":settle", "kind", "settle", "created_at", now);
    if (!*request) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    return linnet_store_put(store, LINNET_DB_MAIN, *request, err);
}

/* A ULID begins with its time: a later request's answer is one to ours too. */
static bool answers(const json_t *epoch, const char *ulid) {
    return strcmp(linnet_json_string(epoch, "settled", ""), ulid) >= 0;
}

/* Wait for the answer: *epoch is a new reference, NULL if none came in time. A store that is away comes back.
 */
static void await(const struct options *mine, struct linnet_store *store, const char *ulid, json_t **epoch) {
    int64_t began = linnet_time_monotonic();
    while ((double)(linnet_time_monotonic() - began) < mine->timeout_s * 1000) {
        json_t *found = NULL;
        int error = linnet_store_get(store, LINNET_DB_OPS, "epoch:consensus", NULL, &found, NULL);
        if (!error && answers(found, ulid)) {
            *epoch = found;
            return;
        }
        if (!error) json_decref(found);
        linnet_say_progress(&mine->store, "settling, %lld s",
                            (long long)(linnet_time_monotonic() - began) / 1000);
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
    }
}

static void take_back(struct linnet_store *store, json_t *request) {
    json_t *gone = json_array();
    json_array_append_new(gone, json_pack("{s:s, s:s, s:b}", "_id", linnet_json_string(request, "_id", ""),
                                          "_rev", linnet_json_string(request, "_rev", ""), "_deleted", 1));
    linnet_store_bulk(store, LINNET_DB_MAIN, gone, NULL, NULL);
    json_decref(gone);
}

static void print(const struct options *mine, const json_t *epoch) {
    if (mine->store.json) {
        json_dumpf(epoch, stdout, JSON_COMPACT);
        putchar('\n');
        return;
    }
    printf("settled: %lld observations, %lld votes, %lld named, %lld valid; %lld rounds%s\n",
           linnet_json_integer(epoch, "observations", 0), linnet_json_integer(epoch, "counted", 0),
           linnet_json_integer(epoch, "named", 0), linnet_json_integer(epoch, "valid", 0),
           linnet_json_integer(epoch, "rounds", 0),
           linnet_json_bool(epoch, "converged", false) ? "" : ", and it has NOT converged");
}

static int settle(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char ulid[LINNET_ULID_SIZE];
    json_t *request = NULL, *epoch = NULL;
    int error = ask(store, ulid, &request, err);
    if (error || mine->timeout_s == 0) {
        json_decref(request);
        return error;
    }
    await(mine, store, ulid, &epoch);
    linnet_say_done(&mine->store);
    if (epoch) {
        print(mine, epoch);
        take_back(store, request);
        if (!linnet_json_bool(epoch, "converged", false))
            error = linnet_error_set(err, LINNET_E_LIMIT, "the crowd has not converged");
    } else {
        error = linnet_error_set(err, LINNET_E_TIMEOUT,
                                 "no worker of the group that has the consensus answered within %.0f s; "
                                 "`linnet status` says who works. The request stands",
                                 mine->timeout_s);
    }
    json_decref(epoch);
    json_decref(request);
    return error;
}

int linnet_consensus_run_settle(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int error = linnet_store_open(&mine.store, &store, &err);
    if (!error) error = settle(&mine, store, &err);
    linnet_store_close(store);
    return error ? linnet_say_error("consensus settle", &err) : LINNET_EXIT_OK;
}
