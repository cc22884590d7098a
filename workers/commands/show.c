/* linnet show: the whole story of one observation. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/story.h"

struct options {
    struct linnet_store_options store;
    const char *observation;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) return ARGP_ERR_UNKNOWN;
        mine->observation = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "the observation's id is wanted; `linnet list` names them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {NULL,
                                 parse,
                                 "OBSERVATION",
                                 "Print the story of one observation: its views, what the model said of "
                                 "each, the identification, the votes, and why the "
                                 "consensus is what it is.\vExit status: 0 if it is there, 1 if it is not.",
                                 children,
                                 0,
                                 0};

static int show(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char ulid[LINNET_ULID_SIZE];
    json_t *documents = NULL, *letters = NULL;
    snprintf(ulid, sizeof ulid, "%.26s", mine->observation);
    if (!linnet_ulid_valid(ulid, strlen(ulid)))
        return linnet_error_set(err, LINNET_E_INVALID,
                                "\"%s\" is no observation's id (26 characters, like 01JWXYZ...)",
                                mine->observation);
    int error = linnet_store_observation(store, ulid, &documents, err);
    if (!error) error = linnet_story_letters(store, documents, ulid, &letters, err);
    if (!error && json_array_size(documents) == 0 && json_array_size(letters) == 0)
        error = linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no observation %s", ulid);
    if (!error && mine->store.json) {
        json_t *story =
            json_pack("{s:s, s:O, s:O}", "observation", ulid, "documents", documents, "deadletters", letters);
        json_dumpf(story, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(story);
    } else if (!error) {
        struct linnet_names *names = linnet_names_new(store);
        if (names) linnet_story_print(stdout, ulid, documents, letters, names);
        linnet_names_free(names);
    }
    json_decref(documents);
    json_decref(letters);
    return error;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int error = linnet_store_open(&mine.store, &store, &err);
    if (!error) error = show(&mine, store, &err);
    linnet_store_close(store);
    return error ? linnet_say_error("show", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_show = {"show", "tell the whole story of one observation", run};
