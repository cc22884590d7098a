/* linnet list: a table of observations: what the machine says, what people say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/story.h"

struct options {
    struct linnet_store_options store;
    long limit;
    const char *grade;
};

static const struct argp_option options[] = {
    {"limit", 'l', "N", 0, "At most so many, the latest first (100)", 0},
    {"grade", 'g', "GRADE", 0, "Only those of grade casual, needs_review or research", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        mine->limit = 100;
        return 0;
    case 'l':
        mine->limit = atol(arg);
        if (mine->limit < 1) argp_error(state, "--limit is a number from 1, not '%s'", arg);
        return 0;
    case 'g':
        if (strcmp(arg, "casual") != 0 && strcmp(arg, "needs_review") != 0 && strcmp(arg, "research") != 0)
            argp_error(state, "--grade is casual, needs_review or research, not '%s'", arg);
        mine->grade = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {options,
                                 parse,
                                 NULL,
                                 "Print a table of observations, latest first: the top identification with "
                                 "its score, the consensus, the grade.",
                                 children,
                                 0,
                                 0};

/* The ids of the observations to show, as an array of ULIDs. */
static int find(const struct options *mine, struct linnet_store *store, json_t **out,
                struct linnet_error *err) {
    char query[160];
    json_t *answer = NULL, *row;
    size_t i;
    if (mine->grade)
        snprintf(query, sizeof query,
                 "reduce=false&descending=true&limit=%ld&startkey=%%5B%%22%s%%22%%2C%%7B%%7D%%5D&endkey=%%5B%"
                 "%22%s%%22%%5D",
                 mine->limit, mine->grade, mine->grade);
    else
        snprintf(query, sizeof query, "reduce=false&descending=true&limit=%ld", mine->limit);
    int error = linnet_store_view(store, LINNET_DB_MAIN, "linnet", mine->grade ? "by_grade" : "by_day", query,
                                  &answer, err);
    if (error == LINNET_E_NOT_FOUND)
        return linnet_error_set(err, error, "the store has no views of Linnet; run `linnet init` first");
    if (error) return error;
    *out = json_array();
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        char ulid[LINNET_ULID_SIZE];
        snprintf(ulid, sizeof ulid, "%.26s", linnet_json_string(row, "id", ""));
        json_array_append_new(*out, json_string(ulid));
    }
    json_decref(answer);
    return 0;
}

static int bodies(struct linnet_store *store, const json_t *ulids, const char *kind, json_t **out,
                  struct linnet_error *err) {
    json_t *keys = json_array(), *ulid;
    size_t i;
    json_array_foreach(ulids, i, ulid)
        json_array_append_new(keys, json_sprintf("%s:%s", json_string_value(ulid), kind));
    int error = linnet_store_bodies(store, LINNET_DB_MAIN, keys, out, err);
    json_decref(keys);
    return error;
}

static void print_row(const char *ulid, const json_t *identification, const json_t *consensus,
                      struct linnet_names *names) {
    char score[16] = "", views[16] = "";
    const char *top = linnet_json_string(identification, "species/0/taxon", NULL);
    if (top)
        snprintf(score, sizeof score, "%5.1f%%",
                 100 * linnet_json_number(identification, "species/0/score", 0));
    if (json_is_object(identification))
        snprintf(views, sizeof views, "%lld/%lld", linnet_json_integer(identification, "views/used", 0),
                 linnet_json_integer(identification, "views/of", 0));
    printf("%-26s  %-5s  %-28.28s %6s  %-28.28s  %s\n", ulid, views, linnet_names_of(names, top), score,
           linnet_json_bool(consensus, "not_a_plant", false)
               ? "not a plant"
               : linnet_names_of(names, linnet_json_string(consensus, "taxon", NULL)),
           linnet_json_string(consensus, "grade", "-"));
}

static void print_json(const json_t *ulids, const json_t *identifications, const json_t *consensuses) {
    json_t *rows = json_array(), *ulid;
    size_t i;
    json_array_foreach(ulids, i, ulid) json_array_append_new(
        rows, json_pack("{s:O, s:O, s:O}", "observation", ulid, "identification",
                        json_array_get(identifications, i), "consensus", json_array_get(consensuses, i)));
    json_dumpf(rows, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(rows);
}

static int list(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    json_t *ulids = NULL, *identifications = NULL, *consensuses = NULL, *ulid;
    size_t i;
    struct linnet_names *names = linnet_names_new(store);
    int error = find(mine, store, &ulids, err);
    if (!error) error = bodies(store, ulids, "identification", &identifications, err);
    if (!error) error = bodies(store, ulids, "consensus", &consensuses, err);
    if (!error && mine->store.json) {
        print_json(ulids, identifications, consensuses);
    } else if (!error) {
        printf("%-26s  %-5s  %-28s %6s  %-28s  %s\n", "observation", "views", "identification", "score",
               "consensus", "grade");
        json_array_foreach(ulids, i, ulid)
            print_row(json_string_value(ulid), json_array_get(identifications, i),
                      json_array_get(consensuses, i), names);
    }
    linnet_names_free(names);
    json_decref(ulids);
    json_decref(identifications);
    json_decref(consensuses);
    return error;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int error = linnet_store_open(&mine.store, &store, &err);
    if (!error) error = list(&mine, store, &err);
    linnet_store_close(store);
    return error ? linnet_say_error("list", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_list = {"list", "print a table of observations", run};
