/* linnet key: keys to the REST API. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/accounts.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/store.h"

#define ORIGINS_MAX 64

struct key {
    struct linnet_store_options store_options; /* first, see options.h */
    const char *verb, *name, *observer;
    long daily; /* negative: the server's default */
    json_t *origins;

    struct linnet_store *store;
    struct linnet_error err;
};

enum { KEY_DAILY = 0x2000, KEY_ORIGIN, KEY_OBSERVER };

static const struct argp_option options[] = {
    {"daily", KEY_DAILY, "N", 0, "add: identifications a day; 0: without limit (as the server is configured)",
     0},
    {"origin", KEY_ORIGIN, "URL", 0,
     "add: scripts of this web page (https://HOST) may use it; again for more; \"*\": of any", 0},
    {"observer", KEY_OBSERVER, "UID", 0, "add: observations that it stores are this user's (none are stored)",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct key *mine = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = mine;
        return 0;
    case KEY_DAILY:
        mine->daily = strtol(arg, &end, 10);
        if (*end != '\0' || end == arg || mine->daily < 0 || mine->daily > 1000000000)
            argp_error(state, "--daily takes a number up to 1000000000");
        return 0;
    case KEY_ORIGIN:
        if (json_array_size(mine->origins) == ORIGINS_MAX)
            argp_error(state, "more than %d origins", ORIGINS_MAX);
        json_array_append_new(mine->origins, json_string(arg));
        return 0;
    case KEY_OBSERVER:
        mine->observer = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            mine->verb = arg;
        else if (state->arg_num == 1)
            mine->name = arg;
        else
            argp_error(state, "'%s' is too much", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {options,
                                 parse,
                                 "add NAME\nlist\nrevoke NAME|DIGEST",
                                 "Keys to the REST API of linnet serve.\v"
                                 "add     make a key and print it; the store holds its digest only\n"
                                 "list    what keys there are\n"
                                 "revoke  let a key open nothing any more, at once on every server\n",
                                 children,
                                 NULL,
                                 NULL};

/* ---- add ---- */

static json_t *make_document(const struct key *mine, const char *text) {
    char id[8 + LINNET_DIGEST_SIZE] = "apikey:", now[LINNET_TIME_SIZE];
    linnet_digest_bytes(text, strlen(text), id + strlen(id));
    linnet_time_format(linnet_time_now(), now);
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:s}", "_id", id, "kind", "apikey", "name", mine->name, "created_at", now);
    if (mine->observer != NULL) json_object_set_new(document, "observer", json_string(mine->observer));
    if (mine->daily >= 0) json_object_set_new(document, "daily", json_integer(mine->daily));
    if (json_array_size(mine->origins) > 0) json_object_set(document, "origins", mine->origins);
    return document;
}

static int add_key(struct key *mine) {
    char uid[LINNET_UID_SIZE], text[LINNET_UID_SIZE + 8];
    if (strlen(mine->name) > 128)
        return linnet_error_set(&mine->err, LINNET_E_LIMIT, "a name of more than 128 bytes");
    linnet_uid_new(uid); /* 130 random bits: its digest needs no salt */
    snprintf(text, sizeof text, "lk_%s", uid);
    json_t *document = make_document(mine, text);
    int rc = linnet_store_put(mine->store, LINNET_DB_OPS, document, &mine->err);
    if (rc == 0 && mine->store_options.json) {
        json_t *told = json_pack("{s:s, s:s, s:O}", "name", mine->name, "key", text, "id",
                                 json_object_get(document, "_id"));
        json_dumpf(told, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(told);
    } else if (rc == 0)
        printf("The key of %s is %s\nIt is shown this once.\n", mine->name, text);
    json_decref(document);
    return rc;
}

/* ---- list, revoke ---- */

static int load(struct key *mine, json_t **out) {
    return linnet_store_range(mine->store, LINNET_DB_OPS, "apikey:", "apikey;", 0, out, &mine->err);
}

static void print_one(const json_t *one) {
    char daily[32] = "default";
    if (json_object_get(one, "daily") != NULL)
        snprintf(daily, sizeof daily, "%lld", linnet_json_integer(one, "daily", 0));
    printf("%-24s %-14.12s %-10s %-26s %s\n", linnet_json_string(one, "name", ""),
           linnet_json_string(one, "_id", "apikey:") + strlen("apikey:"), daily,
           linnet_json_string(one, "created_at", ""),
           json_object_get(one, "revoked_at") != NULL ? "revoked" : "");
}

static int list_keys(struct key *mine) {
    json_t *keys = NULL, *one;
    size_t i;
    int rc = load(mine, &keys);
    if (rc == 0 && mine->store_options.json) {
        json_dumpf(keys, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (rc == 0) {
        printf("%-24s %-14s %-10s %-26s %s\n", "NAME", "DIGEST", "DAILY", "CREATED", "STANDING");
        json_array_foreach(keys, i, one) print_one(one);
    }
    json_decref(keys);
    return rc;
}

static int revoke_key(struct key *mine) {
    json_t *keys = NULL, *one;
    size_t i, n = 0;
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    int rc = load(mine, &keys);
    json_array_foreach(keys, i, one) {
        const char *digest = linnet_json_string(one, "_id", "apikey:") + strlen("apikey:");
        bool meant = strcmp(linnet_json_string(one, "name", ""), mine->name) == 0 ||
                     (strlen(mine->name) >= 8 && strncmp(digest, mine->name, strlen(mine->name)) == 0);
        if (!meant || rc != 0 || json_object_get(one, "revoked_at") != NULL) continue;
        json_object_set_new(one, "revoked_at", json_string(now));
        rc = linnet_store_put(mine->store, LINNET_DB_OPS, one, &mine->err);
        n++;
    }
    if (rc == 0 && n == 0)
        rc = linnet_error_set(&mine->err, LINNET_E_NOT_FOUND, "there is no key of %s that is not revoked",
                              mine->name);
    if (rc == 0 && !mine->store_options.quiet && !mine->store_options.json) printf("%zu revoked.\n", n);
    json_decref(keys);
    return rc;
}

static const struct verb {
    const char *name;
    bool named; /* takes a NAME */
    int (*run)(struct key *mine);
} verbs[] = {{"add", true, add_key}, {"list", false, list_keys}, {"revoke", true, revoke_key}};

static int run(int argc, char **argv) {
    struct key mine = {.daily = -1, .origins = json_array()};
    const struct verb *verb = NULL;
    int code = linnet_options_parse(&argp, argc, argv, &mine);
    for (size_t i = 0; mine.verb != NULL && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, mine.verb) == 0) verb = &verbs[i];
    if (code == 0 && (verb == NULL || verb->named != (mine.name != NULL))) {
        fprintf(stderr, "linnet key: %s; see `linnet key --help`\n",
                verb == NULL  ? "add, list or revoke"
                : verb->named ? "whose?"
                              : "takes no name");
        code = LINNET_EXIT_USAGE;
    }
    if (code == 0 && sodium_init() < 0) code = LINNET_EXIT_FAILED;
    if (code == 0) {
        int rc = linnet_store_open(&mine.store_options, &mine.store, &mine.err);
        if (rc == 0) rc = verb->run(&mine);
        if (rc != 0) fprintf(stderr, "linnet key %s: %s\n", verb->name, mine.err.detail);
        linnet_store_close(mine.store);
        code = rc != 0 ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
    }
    json_decref(mine.origins);
    return code;
}

const struct linnet_command linnet_command_key = {"key", "add, list or revoke keys to the REST API", run};
