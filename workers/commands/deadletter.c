/* linnet deadletter: what failed for good, why, and another try. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/store.h"
#include "workers/worker/flow.h"

struct options {
    struct linnet_store_options store;
    char **words;
    int nwords;
    const char *stage;
    bool all, dry_run;
};

static const struct argp_option options[] = {
    {"stage", 's', "STAGE", 0, "Only those of one stage", 0},
    {"all", 'a', 0, 0, "retry: all of them (of the stage)", 0},
    {"dry-run", 'n', 0, 0, "Say what would be tried again, write nothing", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case 's':
        mine->stage = arg;
        return 0;
    case 'a':
        mine->all = true;
        return 0;
    case 'n':
        mine->dry_run = true;
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
static const struct argp argp = {options,
                                 parse,
                                 "list\nshow STAGE:DOCUMENT\nretry STAGE:DOCUMENT...\nretry --all",
                                 "List what stages gave up on, see why, send it round again.\v"
                                 "A dead letter is a document that a stage could not work on: its input is "
                                 "kept, nothing is lost. After a retry that succeeds the "
                                 "dead letter is gone; after one that fails it stands again.",
                                 children,
                                 0,
                                 0};

/* "normalize:01J...:image:..." or with its prefix, as a dead letter's id. */
static void id_of(const char *word, char out[LINNET_ID_MAX]) {
    snprintf(out, LINNET_ID_MAX, "%s%s", strncmp(word, "deadletter:", 11) == 0 ? "" : "deadletter:", word);
}

static int load(const struct options *mine, struct linnet_store *store, json_t **out,
                struct linnet_error *err) {
    char start[128], end[160];
    snprintf(start, sizeof start, "deadletter:%s%s", mine->stage ? mine->stage : "", mine->stage ? ":" : "");
    snprintf(end, sizeof end, "%s\xef\xbf\xb0", start);
    return linnet_store_range(store, LINNET_DB_OPS, start, end, 0, out, err);
}

static int list(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    json_t *letters = NULL, *letter;
    size_t i;
    int error = load(mine, store, &letters, err);
    if (error) return error;
    if (mine->store.json) {
        json_dumpf(letters, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        json_array_foreach(letters, i, letter)
            printf("%s:%s\n    %s, %s: %s\n", linnet_json_string(letter, "stage", "?"),
                   linnet_json_string(letter, "id", "?"), linnet_json_string(letter, "at", "?"),
                   linnet_json_string(letter, "class", "?"), linnet_json_string(letter, "reason", "?"));
        if (json_array_size(letters) == 0) puts("no dead letters");
    }
    json_decref(letters);
    return 0;
}

static int show(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    json_t *letter = NULL;
    id_of(mine->words[1], id);
    int error = linnet_store_get(store, LINNET_DB_OPS, id, NULL, &letter, err);
    if (error) return error;
    json_dumpf(letter, stdout, mine->store.json ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
    json_decref(letter);
    return 0;
}

/* First the retry, then the letter's end: whatever happens in between, one of them stands. */
static int retry_one(const struct options *mine, struct linnet_store *store, const json_t *letter,
                     struct linnet_error *err) {
    const char *stage = linnet_json_string(letter, "stage", ""),
               *document = linnet_json_string(letter, "id", "");
    if (mine->dry_run) return printf("would try %s on %s again\n", stage, document), 0;
    json_t *retry =
        linnet_retry_document(stage, document, linnet_time_now(), 0, "asked for by an administrator");
    json_t *standing = NULL;
    if (!retry) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (linnet_store_get(store, LINNET_DB_OPS, linnet_json_string(retry, "_id", ""), NULL, &standing, NULL) ==
        0)
        json_object_set(retry, "_rev", json_object_get(standing, "_rev"));
    json_decref(standing);
    int error = linnet_store_put(store, LINNET_DB_OPS, retry, err);
    json_decref(retry);
    if (error) return error;
    json_t *end = json_pack("{s:O, s:O, s:b}", "_id", json_object_get(letter, "_id"), "_rev",
                            json_object_get(letter, "_rev"), "_deleted", 1);
    error = linnet_store_put(store, LINNET_DB_OPS, end, err);
    json_decref(end);
    return error;
}

static int retry(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    json_t *letters = NULL, *letter;
    size_t i;
    int error = mine->all ? load(mine, store, &letters, err) : 0;
    if (!mine->all) letters = json_array();
    for (int w = 1; !error && w < mine->nwords; w++) {
        char id[LINNET_ID_MAX];
        id_of(mine->words[w], id);
        error = linnet_store_get(store, LINNET_DB_OPS, id, NULL, &letter, err);
        if (!error) json_array_append_new(letters, letter);
    }
    json_array_foreach(letters, i, letter) if (!error) error = retry_one(mine, store, letter, err);
    if (!error && mine->store.json)
        printf("{\"retried\":%zu,\"dry_run\":%s}\n", json_array_size(letters),
               mine->dry_run ? "true" : "false");
    else if (!error && !mine->dry_run)
        printf("%zu sent round again\n", json_array_size(letters));
    json_decref(letters);
    return error;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    const char *verb = mine.nwords ? mine.words[0] : "";
    int (*act)(const struct options *, struct linnet_store *, struct linnet_error *) =
        strcmp(verb, "list") == 0 && mine.nwords == 1                 ? list
        : strcmp(verb, "show") == 0 && mine.nwords == 2               ? show
        : strcmp(verb, "retry") == 0 && (mine.nwords > 1) != mine.all ? retry
                                                                      : NULL;
    if (!act) {
        fprintf(stderr, "linnet deadletter: list, show STAGE:DOCUMENT, retry STAGE:DOCUMENT... or retry "
                        "--all is wanted; see --help\n");
        return LINNET_EXIT_USAGE;
    }
    int error = linnet_store_open(&mine.store, &store, &err);
    if (!error) error = act(&mine, store, &err);
    linnet_store_close(store);
    return error ? linnet_say_error("deadletter", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_deadletter = {"deadletter",
                                                         "list what failed for good, and try it again", run};
