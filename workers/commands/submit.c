/* linnet submit: send photographs as an app would, and show the identification as it arrives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/place.h"
#include "workers/cli/say.h"
#include "workers/cli/story.h"
#include "workers/cli/submission.h"

struct options {
    struct linnet_store_options store;
    const char *observer, *date, *flora, *taxon, *licence, *latitude, *longitude, *csv, *folder, *votes;
    const char *organs[LINNET_VIEWS_MAX], *photos[LINNET_VIEWS_MAX];
    size_t norgans, nphotos, limit;
    long timeout_s;
    bool no_wait, dry_run, propose;
};

enum {
    KEY_LAT = 1,
    KEY_LON,
    KEY_DATE,
    KEY_FLORA,
    KEY_TAXON,
    KEY_LICENCE,
    KEY_CSV,
    KEY_FOLDER,
    KEY_VOTES,
    KEY_NO_WAIT,
    KEY_TIMEOUT,
    KEY_LIMIT,
    KEY_PROPOSE
};

static const struct argp_option options[] = {
    {"observer", 'u', "UID", 0, "Who saw it (local)", 0},
    {"organ", 'o', "ORGAN", 0, "flower, leaf, fruit, bark, habit or auto: one for each photograph, in order",
     0},
    {"latitude", KEY_LAT, "DEGREES", 0, "Where (else the first photograph's EXIF)", 0},
    {"longitude", KEY_LON, "DEGREES", 0, "Where", 0},
    {"date", KEY_DATE, "TIME", 0, "When, RFC 3339 (else the first photograph's EXIF)", 0},
    {"flora", KEY_FLORA, "flora:NAME", 0, "The flora to identify in", 0},
    {"taxon", KEY_TAXON, "taxon:ID", 0, "What the observer proposes", 0},
    {"licence", KEY_LICENCE, "SPDX", 0, "Licence of the photographs (CC-BY-4.0)", 0},
    {"csv", KEY_CSV, "FILE", 0,
     "Submit many: a table with a picture a row (observation, image, observer, organ, ...)", 0},
    {"folder", KEY_FOLDER, "DIR", 0, "Where the pictures of --csv and --votes lie (the table's own folder)",
     0},
    {"votes", KEY_VOTES, "FILE", 0,
     "Submit validations: a table (observation, user, taxon, vote, created_at)", 0},
    {"propose", KEY_PROPOSE, 0, 0, "With --csv: its column taxon is what the observers propose", 0},
    {"limit", KEY_LIMIT, "N", 0, "With --csv: at most so many observations", 0},
    {"no-wait", KEY_NO_WAIT, 0, 0, "Do not wait for the results", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "Wait at most so long (120)", 0},
    {"dry-run", 'n', 0, 0, "Read and check everything, write nothing", 0},
    {0},
};

static error_t parse_word(struct options *mine, char *arg, struct argp_state *state) {
    if (mine->nphotos == LINNET_VIEWS_MAX)
        argp_error(state, "an observation has at most %d photographs", LINNET_VIEWS_MAX);
    else
        mine->photos[mine->nphotos++] = arg;
    return 0;
}

static error_t parse_organ(struct options *mine, char *arg, struct argp_state *state) {
    static const char *const known[] = {"flower", "leaf", "fruit", "bark", "habit", "auto"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(arg, known[i]) == 0 && mine->norgans < LINNET_VIEWS_MAX) {
            mine->organs[mine->norgans++] = arg;
            return 0;
        }
    argp_error(state, "'%s' is no organ (flower, leaf, fruit, bark, habit, auto), or there are more than %d",
               arg, LINNET_VIEWS_MAX);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        mine->observer = "local";
        mine->timeout_s = 120;
        return 0;
    case 'u':
        mine->observer = arg;
        return 0;
    case 'o':
        return parse_organ(mine, arg, state);
    case KEY_LAT:
        mine->latitude = arg;
        return 0;
    case KEY_LON:
        mine->longitude = arg;
        return 0;
    case KEY_DATE:
        mine->date = arg;
        return 0;
    case KEY_FLORA:
        mine->flora = arg;
        return 0;
    case KEY_TAXON:
        mine->taxon = arg;
        return 0;
    case KEY_LICENCE:
        mine->licence = arg;
        return 0;
    case KEY_CSV:
        mine->csv = arg;
        return 0;
    case KEY_FOLDER:
        mine->folder = arg;
        return 0;
    case KEY_VOTES:
        mine->votes = arg;
        return 0;
    case KEY_PROPOSE:
        mine->propose = true;
        return 0;
    case KEY_LIMIT:
        mine->limit = strtoul(arg, NULL, 10);
        return 0;
    case KEY_NO_WAIT:
        mine->no_wait = true;
        return 0;
    case KEY_TIMEOUT:
        mine->timeout_s = atol(arg);
        return 0;
    case 'n':
        mine->dry_run = true;
        return 0;
    case ARGP_KEY_ARG:
        return parse_word(mine, arg, state);
    case ARGP_KEY_END:
        if (!mine->nphotos && !mine->csv && !mine->votes)
            argp_error(state, "photographs, --csv or --votes are wanted");
        if (!mine->latitude != !mine->longitude) argp_error(state, "--latitude and --longitude go together");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "PHOTOGRAPH...\n--csv FILE",
    "Send photographs as an app would: metadata cut off without touching a pixel, the place rounded to 0.2 "
    "degrees and the exact "
    "one sealed to the site's key; then show the identification as it arrives.\v"
    "Photographs on one command line are one observation. Submitting the same table twice writes it once.\n"
    "Exit status: 0 when all was written (and, waiting, answered), 1 otherwise.",
    children,
    0,
    0};

/* Is the machine done with it: an identification of all views, or a dead letter for what is missing? */
static bool is_answered(struct linnet_store *store, const char *ulid, json_t **documents) {
    json_t *letters = NULL;
    json_decref(*documents);
    *documents = NULL;
    if (linnet_store_observation(store, ulid, documents, NULL) != 0) return false;
    const json_t *identification = linnet_story_find(*documents, "identification", NULL);
    if (identification && linnet_json_integer(identification, "views/used", 0) >=
                              linnet_json_integer(identification, "views/of", 1))
        return true;
    if (linnet_story_letters(store, *documents, ulid, &letters, NULL) != 0) return false;
    bool failed = json_array_size(letters) > 0;
    json_decref(letters);
    return failed;
}

static void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int wait_for_one(const struct options *mine, struct linnet_store *store, const char *ulid,
                        struct linnet_error *err) {
    json_t *documents = NULL, *letters = NULL;
    struct linnet_names *names = linnet_names_new(store);
    int64_t end = linnet_time_monotonic() + mine->timeout_s * 1000;
    bool answered = false;
    while (!(answered = is_answered(store, ulid, &documents)) && linnet_time_monotonic() < end) {
        const json_t *identification = linnet_story_find(documents, "identification", NULL);
        const char *best = linnet_json_string(identification, "best/taxon", NULL);
        linnet_say_progress(&mine->store, "%zu documents; %s", json_array_size(documents),
                            best ? linnet_names_of(names, best) : "waiting");
        pause_ms(200);
    }
    linnet_say_done(&mine->store);
    linnet_story_letters(store, documents, ulid, &letters, NULL);
    if (mine->store.json) {
        json_t *story = json_pack("{s:s, s:b, s:O*, s:O*}", "observation", ulid, "answered", answered,
                                  "documents", documents, "deadletters", letters);
        json_dumpf(story, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(story);
    } else if (names) {
        linnet_story_print(stdout, ulid, documents, letters, names);
    }
    json_decref(documents);
    json_decref(letters);
    linnet_names_free(names);
    if (answered) return 0;
    return linnet_error_set(err, LINNET_E_TIMEOUT,
                            "no identification after %ld s; does a worker run (linnet status)?",
                            mine->timeout_s);
}

/* The latest places and times win: the command line's, then the first photograph's. */
static int place_of(const struct options *mine, const struct linnet_photo *photos, const char *key,
                    json_t **out, struct linnet_error *err) {
    *out = NULL;
    if (mine->latitude) return linnet_place_read(mine->latitude, mine->longitude, key, out, err);
    for (size_t i = 0; i < mine->nphotos; i++)
        if (photos[i].located)
            return linnet_place_seal(photos[i].latitude, photos[i].longitude, key, out, err);
    return 0;
}

static int submit_one(const struct options *mine, struct linnet_store *store, const char *key,
                      struct linnet_error *err) {
    struct linnet_photo photos[LINNET_VIEWS_MAX] = {{0}};
    struct linnet_draft draft = {.observer = mine->observer,
                                 .observed_at = mine->date,
                                 .flora = mine->flora,
                                 .proposed = mine->taxon,
                                 .licence = mine->licence,
                                 .photos = photos,
                                 .nphotos = mine->nphotos};
    json_t *location = NULL;
    bool written = false;
    int error = 0;
    linnet_ulid_new(draft.ulid);
    for (size_t i = 0; !error && i < mine->nphotos; i++) {
        draft.organs[i] = i < mine->norgans ? mine->organs[i] : "auto";
        error = linnet_photo_load(mine->photos[i], &photos[i], err);
    }
    if (!error) error = place_of(mine, photos, key, &location, err);
    draft.location = location;
    if (!error && !mine->dry_run) error = linnet_submission_put(store, &draft, &written, err);
    json_decref(location);
    for (size_t i = 0; i < mine->nphotos; i++)
        linnet_photo_done(&photos[i]);
    if (error) return error;
    if (mine->dry_run)
        printf("would submit %zu photographs as one observation\n", mine->nphotos);
    else if (mine->no_wait && mine->store.json)
        printf("{\"observation\":\"%s\"}\n", draft.ulid);
    else if (mine->no_wait)
        printf("%s\n", draft.ulid);
    else
        return wait_for_one(mine, store, draft.ulid, err);
    return 0;
}

static int wait_for_all(const struct options *mine, struct linnet_store *store, const json_t *ulids,
                        struct linnet_error *err) {
    int64_t end = linnet_time_monotonic() + mine->timeout_s * 1000;
    size_t done = 0, all = json_object_size(ulids);
    const char *name;
    json_t *ulid, *documents = NULL;
    json_object_foreach((json_t *)ulids, name, ulid) {
        while (!is_answered(store, json_string_value(ulid), &documents)) {
            if (linnet_time_monotonic() >= end) {
                json_decref(documents);
                linnet_say_done(&mine->store);
                return linnet_error_set(
                    err, LINNET_E_TIMEOUT,
                    "%zu of %zu observations answered after %ld s; does a worker run (linnet status)?", done,
                    all, mine->timeout_s);
            }
            pause_ms(200);
        }
        linnet_say_progress(&mine->store, "%zu of %zu observations identified", ++done, all);
    }
    json_decref(documents);
    linnet_say_done(&mine->store);
    return 0;
}

static void folder_of(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(out, size, "%.*s", (int)(slash - path), path);
    else
        snprintf(out, size, ".");
}

static int submit_many(const struct options *mine, struct linnet_store *store, const char *key,
                       struct linnet_error *err) {
    char folder[4096];
    struct linnet_submission pictures = {.store = store,
                                         .options = &mine->store,
                                         .key = key,
                                         .propose = mine->propose,
                                         .dry_run = mine->dry_run,
                                         .limit = mine->limit};
    struct linnet_submission votes = pictures;
    json_t *ulids = json_object();
    int error = 0;
    if (mine->csv) {
        folder_of(mine->csv, folder, sizeof folder);
        error =
            linnet_submission_table(&pictures, mine->csv, mine->folder ? mine->folder : folder, ulids, err);
    }
    if (!error && mine->votes) error = linnet_submission_votes(&votes, mine->votes, ulids, err);
    if (!error && !mine->store.json)
        printf("%zu observations with %zu pictures %s, %zu there already; %zu validations %s, %zu there "
               "already\n",
               pictures.written, pictures.pictures, mine->dry_run ? "to write" : "written", pictures.standing,
               votes.written, mine->dry_run ? "to write" : "written", votes.standing);
    if (!error && mine->store.json)
        printf("{\"observations\":{\"written\":%zu,\"standing\":%zu},\"validations\":{\"written\":%zu,"
               "\"standing\":%zu}}\n",
               pictures.written, pictures.standing, votes.written, votes.standing);
    if (!error && !mine->no_wait && !mine->dry_run) error = wait_for_all(mine, store, ulids, err);
    json_decref(ulids);
    return error;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int error = linnet_store_open(&mine.store, &store, &err);
    if (error) return linnet_say_error("submit", &err);
    char *key = linnet_submission_key(store);
    if (!key && !mine.store.quiet && !mine.store.json)
        fprintf(stderr, "linnet submit: the site has no key, so exact places are not kept (linnet init "
                        "--site-key FILE makes one)\n");
    error = mine.nphotos ? submit_one(&mine, store, key, &err) : submit_many(&mine, store, key, &err);
    free(key);
    linnet_store_close(store);
    return error ? linnet_say_error("submit", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_submit = {
    "submit", "send photographs as an app would, and wait for the answer", run};
