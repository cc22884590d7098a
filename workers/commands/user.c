/* linnet user: people and their standing. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/accounts.h"
#include "workers/cli/command.h"
#include "workers/cli/erase.h"
#include "workers/cli/options.h"
#include "workers/cli/steps.h"
#include "workers/cli/store.h"

struct user {
    struct linnet_store_options store_options; /* first, see options.h */
    const char *verb;
    const char *name;
    const char *role;
    const char *password_file;
    unsigned wait_s;
    bool dry_run;

    struct linnet_store *store;
    struct linnet_error err;
};

enum { KEY_ROLE = 0x2000, KEY_PASSWORD_FILE, KEY_WAIT };

static const struct argp_option options[] = {
    {"role", KEY_ROLE, "ROLE", 0,
     "add: observer (the default), reviewer, admin, or worker (a program, not a person)", 0},
    {"password-file", KEY_PASSWORD_FILE, "FILE", 0,
     "add: the password's file (- for stdin); made and written there if it is not there. Without this it is "
     "made and printed",
     0},
    {"dry-run", 'n', 0, 0, "erase: say what would be erased, and do nothing", 0},
    {"wait", KEY_WAIT, "SECONDS", 0,
     "erase: how long workers may take to hear of it before tombstones are purged (30)", 0},
    {0},
};

static error_t take_argument(struct user *user, char *arg, struct argp_state *state) {
    if (state->arg_num == 0)
        user->verb = arg;
    else if (state->arg_num == 1)
        user->name = arg;
    else
        argp_error(state, "'%s' is too much", arg);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct user *user = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = user;
        return 0;
    case KEY_ROLE:
        user->role = arg;
        return 0;
    case KEY_PASSWORD_FILE:
        user->password_file = arg;
        return 0;
    case 'n':
        user->dry_run = true;
        return 0;
    case KEY_WAIT:
        user->wait_s = (unsigned)strtoul(arg, &end, 10);
        if (*end || end == arg || user->wait_s > 86400) argp_error(state, "--wait takes a number of seconds");
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(user, arg, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "add NAME\nlist\nblock NAME|UID\nunblock NAME|UID\nerase NAME|UID",
    "People and their standing.\v"
    "add     make an account with a random uid; observers write observations, reviewers are listened to, "
    "admins do the rest\n"
    "list    who there is\n"
    "block   let the votes of somebody weigh nothing (unblock: something again)\n"
    "erase   delete all that somebody wrote, what was derived of it or names the person, and the account; "
    "purge and compact "
    "where the server can; list what is left, and fail if anything is\n",
    children,
    NULL,
    NULL};

/* ---- add ---- */

static const struct role {
    const char *name;
    const char *grants; /* the role in CouchDB beside u:<uid>; NULL: none */
    bool person;
} roles[] = {{"observer", NULL, true},
             {"reviewer", "reviewer", true},
             {"admin", "admin", true},
             {"worker", "worker", false}};

static const struct role *find_role(const char *name) {
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0) return &roles[i];
    return NULL;
}

static int make_reviewer(struct user *user, const struct role *role, const char *uid) {
    char id[96], now[LINNET_TIME_SIZE];
    snprintf(id, sizeof id, "reviewer:%s", uid);
    linnet_time_format(linnet_time_now(), now);
    json_t *document = json_pack("{s:s, s:s, s:s, s:b, s:s}", "_id", id, "kind", "reviewer", "role",
                                 role->name, "blocked", 0, "created_at", now);
    int rc = linnet_store_put(user->store, LINNET_DB_REFERENCE, document, &user->err);
    json_decref(document);
    return rc;
}

static void drop_reviewer(struct user *user, const char *uid) {
    char id[96];
    json_t *document = NULL;
    struct linnet_error ignored;
    snprintf(id, sizeof id, "reviewer:%s", uid);
    if (linnet_store_get(user->store, LINNET_DB_REFERENCE, id, NULL, &document, &ignored)) return;
    json_object_set_new(document, "_deleted", json_true());
    linnet_store_put(user->store, LINNET_DB_REFERENCE, document, &ignored);
    json_decref(document);
}

static void tell_added(const struct user *user, const struct role *role, const char *uid,
                       const char *password) {
    bool show = !user->password_file;
    if (user->store_options.json) {
        json_t *told = json_pack("{s:s, s:s, s:s*, s:s*}", "name", user->name, "role", role->name, "uid",
                                 *uid ? uid : NULL, "password", show ? password : NULL);
        json_dumpf(told, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(told);
        return;
    }
    printf("%s is %s%s%s%s.\n", user->name, role->name[0] == 'o' || role->name[0] == 'a' ? "an " : "a ",
           role->name, *uid ? " with uid " : "", uid);
    if (show) printf("The password is %s\nIt is shown this once.\n", password);
}

static int add(struct user *user) {
    const struct role *role = find_role(user->role ? user->role : "observer");
    char uid[LINNET_UID_SIZE] = "", grant[LINNET_UID_SIZE + 2], password[LINNET_PASSWORD_SIZE] = "";
    json_t *found = NULL, *granted = json_array();
    int rc = linnet_account_find(user->store, user->name, &found, &user->err);
    json_decref(found);
    if (rc == 0)
        rc = linnet_error_set(&user->err, LINNET_E_EXISTS, "there is a user %s already", user->name);
    else if (rc == LINNET_E_NOT_FOUND)
        rc = linnet_password_get(user->password_file, password, &user->err);
    if (rc == 0 && role->person) {
        linnet_uid_new(uid);
        snprintf(grant, sizeof grant, "u:%s", uid);
        json_array_append_new(granted, json_string(grant));
        rc = make_reviewer(user, role, uid);
    }
    if (role->grants) json_array_append_new(granted, json_string(role->grants));
    if (rc == 0) {
        rc = linnet_account_make(user->store, user->name, password, granted, &user->err);
        if (rc && role->person) drop_reviewer(user, uid);
    }
    if (rc == 0) tell_added(user, role, uid, password);
    sodium_memzero(password, sizeof password);
    json_decref(granted);
    return rc;
}

/* ---- list ---- */

static json_t *described(const json_t *account, const json_t *reviewer) {
    return json_pack("{s:s, s:s, s:s, s:b}", "name", linnet_json_string(account, "name", ""), "uid",
                     linnet_account_uid(account), "role", linnet_json_string(reviewer, "role", "observer"),
                     "blocked", linnet_json_bool(reviewer, "blocked", false));
}

static void print_people(const struct user *user, const json_t *people) {
    size_t i;
    json_t *one;
    if (user->store_options.json) {
        json_dumpf(people, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    printf("%-24s %-28s %-10s %s\n", "NAME", "UID", "ROLE", "STANDING");
    json_array_foreach(people, i, one) printf(
        "%-24s %-28s %-10s %s\n", linnet_json_string(one, "name", ""), linnet_json_string(one, "uid", ""),
        linnet_json_string(one, "role", ""), linnet_json_bool(one, "blocked", false) ? "blocked" : "");
}

static int list(struct user *user) {
    json_t *accounts = NULL, *reviewers = NULL, *by_uid = json_object(), *people = json_array(), *one;
    size_t i;
    int rc = linnet_account_list(user->store, &accounts, &user->err);
    if (rc == 0)
        rc = linnet_store_range(user->store, LINNET_DB_REFERENCE, "reviewer:", "reviewer;", 0, &reviewers,
                                &user->err);
    json_array_foreach(reviewers, i, one)
        json_object_set(by_uid, linnet_json_string(one, "_id", "reviewer:") + strlen("reviewer:"), one);
    json_array_foreach(accounts, i, one)
        json_array_append_new(people, described(one, json_object_get(by_uid, linnet_account_uid(one))));
    if (rc == 0) print_people(user, people);
    json_decref(people);
    json_decref(by_uid);
    json_decref(reviewers);
    json_decref(accounts);
    return rc;
}

/* ---- block, unblock ---- */

static int set_blocked(struct user *user, bool blocked) {
    char uid[65], id[96];
    json_t *account = NULL, *document = NULL;
    int rc = linnet_account_resolve(user->store, user->name, &account, uid, &user->err);
    json_decref(account);
    if (rc) return rc;
    snprintf(id, sizeof id, "reviewer:%s", uid);
    for (int tries = 0; tries < 5; tries++) {
        rc = linnet_store_get(user->store, LINNET_DB_REFERENCE, id, NULL, &document, &user->err);
        if (rc) break;
        json_object_set_new(document, "blocked", json_boolean(blocked));
        rc = linnet_store_put(user->store, LINNET_DB_REFERENCE, document, &user->err);
        json_decref(document);
        document = NULL;
        if (rc != LINNET_E_CONFLICT) break;
    }
    if (rc == LINNET_E_NOT_FOUND) linnet_error_set(&user->err, rc, "there is no user %s", user->name);
    if (rc == 0 && !user->store_options.quiet && !user->store_options.json)
        printf("%s %s blocked.\n", user->name, blocked ? "is" : "is no longer");
    return rc;
}

/* ---- erase ---- */

static int erase(struct user *user) {
    char uid[65];
    json_t *account = NULL;
    struct linnet_steps steps;
    linnet_steps_init(&steps, user->store_options.json, user->store_options.quiet, user->dry_run);
    int rc = linnet_account_resolve(user->store, user->name, &account, uid, &user->err);
    struct linnet_erasure erasure = {
        .store = user->store, .steps = &steps, .uid = uid, .account = account, .wait_s = user->wait_s};
    if (rc == 0) rc = linnet_erase(&erasure, &user->err);
    if (rc == 0) {
        size_t i, left = json_array_size(erasure.left);
        json_t *one;
        linnet_steps_finish(&steps, json_pack("{s:s, s:O}", "uid", uid, "left", erasure.left));
        json_array_foreach(erasure.left, i, one) fprintf(stderr, "left: %s\n", json_string_value(one));
        if (left)
            rc = linnet_error_set(&user->err, LINNET_E_CONFLICT,
                                  "%zu documents are left; run it again with %s", left, uid);
        else if (!user->store_options.json && !user->store_options.quiet && !user->dry_run)
            puts("Nothing is left.");
    }
    json_decref(erasure.left);
    json_decref(account);
    linnet_steps_done(&steps);
    return rc;
}

/* ---- the whole ---- */

static int block(struct user *user) {
    return set_blocked(user, true);
}

static int unblock(struct user *user) {
    return set_blocked(user, false);
}

static const struct verb {
    const char *name;
    bool named; /* takes a NAME */
    int (*run)(struct user *user);
} verbs[] = {{"add", true, add},
             {"list", false, list},
             {"block", true, block},
             {"unblock", true, unblock},
             {"erase", true, erase}};

static const struct verb *find_verb(const char *name) {
    for (size_t i = 0; name && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

static int run(int argc, char **argv) {
    struct user user = {.wait_s = 30};
    if (linnet_options_parse(&argp, argc, argv, &user)) return LINNET_EXIT_USAGE;
    const struct verb *verb = find_verb(user.verb);
    if (!verb || verb->named != (user.name != NULL) || (user.role && !find_role(user.role))) {
        fprintf(stderr, "linnet user: %s; see `linnet user --help`\n",
                !verb                                ? "add, list, block, unblock or erase"
                : user.role && !find_role(user.role) ? "there is no such role"
                : verb->named                        ? "who?"
                                                     : "takes no name");
        return LINNET_EXIT_USAGE;
    }
    if (sodium_init() < 0) return LINNET_EXIT_FAILED;
    int rc = linnet_store_open(&user.store_options, &user.store, &user.err);
    if (rc == 0) rc = verb->run(&user);
    if (rc) fprintf(stderr, "linnet user %s: %s\n", verb->name, user.err.detail);
    linnet_store_close(user.store);
    return rc ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_user = {"user", "add, list, block, unblock or erase people", run};
