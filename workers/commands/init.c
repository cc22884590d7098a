/* linnet init: make the databases and all that stands in them before the first observation. Run again, it
 * changes what differs and nothing else. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/seal.h"
#include "common/base/time.h"
#include "workers/cli/accounts.h"
#include "workers/cli/bundle.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/steps.h"
#include "workers/cli/store.h"

struct init {
    struct linnet_store_options store_options; /* first, see options.h */
    bool dry_run;
    bool open_app;
    const char *couchapp;
    const char *worker;
    const char *password_file;
    const char *site_key;

    struct linnet_store *store;
    json_t *bundle;
    bool partitions; /* the server makes partitioned databases */
    struct linnet_steps steps;
    char password[LINNET_PASSWORD_SIZE]; /* of a worker that was made; "" if none */
    struct linnet_error err;
};

enum { KEY_DRY_RUN = 'n', KEY_COUCHAPP = 0x2000, KEY_WORKER, KEY_PASSWORD_FILE, KEY_SITE_KEY, KEY_OPEN_APP };

static const struct argp_option options[] = {
    {"dry-run", KEY_DRY_RUN, 0, 0, "Say what would be done, and do nothing", 0},
    {"couchapp", KEY_COUCHAPP, "FILE", 0,
     "The design documents (LINNET_COUCHAPP; those that came with the program)", 0},
    {"worker", KEY_WORKER, "NAME", 0, "Make a user for the workers, with role worker", 0},
    {"password-file", KEY_PASSWORD_FILE, "FILE", 0,
     "Its password: read from FILE, or made and written there if FILE is not there; without this it is made "
     "and printed",
     0},
    {"site-key", KEY_SITE_KEY, "FILE", 0,
     "The secret key that workers open exact places with: made if FILE is not there; its public half is "
     "published for apps to seal to",
     0},
    {"open-app", KEY_OPEN_APP, 0, 0,
     "Let browsers run the web app from the store itself: the whole server's attachments get the app's strict "
     "policy in place of CouchDB's sandbox. Not needed behind linnet serve",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct init *init = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = init;
        return 0;
    case KEY_DRY_RUN:
        init->dry_run = true;
        return 0;
    case KEY_COUCHAPP:
        init->couchapp = arg;
        return 0;
    case KEY_WORKER:
        init->worker = arg;
        return 0;
    case KEY_PASSWORD_FILE:
        init->password_file = arg;
        return 0;
    case KEY_SITE_KEY:
        init->site_key = arg;
        return 0;
    case KEY_OPEN_APP:
        init->open_app = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    NULL,
    "Make the databases, their security and their design documents, or bring them up to date.\v"
    "Wants a server admin's credentials in the store's address. Running it again is safe: what is as "
    "it should be is left alone.",
    children,
    NULL,
    NULL};

/* ---- databases ---- */

/* GET a path: 0 and a new reference, or LINNET_E_NOT_FOUND without a fuss. */
static int look(struct init *init, const char *path, json_t **out) {
    return linnet_store_request(init->store, "GET", path, NULL, out, NULL, &init->err);
}

static int look_at_server(struct init *init) {
    json_t *server = NULL, *feature;
    int rc = look(init, "/", &server);
    if (rc) return rc;
    size_t i;
    json_array_foreach(json_object_get(server, "features"), i, feature) {
        const char *name = json_string_value(feature);
        if (name && strcmp(name, "partitioned") == 0) init->partitions = true;
    }
    json_decref(server);
    return 0;
}

/* Make a database if it is not there. */
static int make_database(struct init *init, const char *what, const char *name, bool partitioned) {
    char path[256];
    json_t *found = NULL;
    snprintf(path, sizeof path, "/%s", name);
    int rc = look(init, path, &found);
    if (rc == 0) {
        bool is = json_is_true(linnet_json_at(found, "props/partitioned"));
        linnet_steps_add(&init->steps, LINNET_UNCHANGED, what, name,
                         partitioned && !is ? "made without partitions: reading an observation costs more"
                                            : NULL);
        json_decref(found);
        return 0;
    }
    if (rc != LINNET_E_NOT_FOUND) return rc;
    snprintf(path, sizeof path, "/%s%s", name, partitioned ? "?partitioned=true" : "");
    rc = init->dry_run ? 0 : linnet_store_request(init->store, "PUT", path, NULL, NULL, NULL, &init->err);
    if (rc == 0) linnet_steps_add(&init->steps, LINNET_MADE, what, name, partitioned ? "partitioned" : NULL);
    return rc;
}

static int make_system_databases(struct init *init) {
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(init->bundle, "system"), i, name) {
        int rc = make_database(init, "system database", json_string_value(name), false);
        if (rc) return rc;
    }
    return 0;
}

/* Is there a database to look into? Not in a dry run that would make it. */
static bool exists(struct init *init, const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/%s", name);
    return look(init, path, NULL) == 0;
}

static int set_security(struct init *init, const char *name, const json_t *wanted) {
    char path[256];
    json_t *found = NULL;
    snprintf(path, sizeof path, "/%s/_security", name);
    int rc = exists(init, name) ? look(init, path, &found) : 0;
    if (rc) return rc;
    bool same = json_equal(found, wanted);
    json_decref(found);
    if (!same && !init->dry_run)
        rc = linnet_store_request(init->store, "PUT", path, wanted, NULL, NULL, &init->err);
    if (rc == 0)
        linnet_steps_add(&init->steps, same ? LINNET_UNCHANGED : LINNET_CHANGED, "security", name, NULL);
    return rc;
}

/* ---- design documents ---- */

static int write_document(struct init *init, enum linnet_database database, const json_t *document,
                          const char *rev) {
    json_t *copy = json_copy((json_t *)document);
    if (!copy) return linnet_error_set(&init->err, LINNET_E_NOMEM, "out of memory");
    if (rev) json_object_set_new(copy, "_rev", json_string(rev));
    int rc = linnet_store_put(init->store, database, copy, &init->err);
    json_decref(copy);
    return rc;
}

/* Push a document unless one with the same digest stands there. */
static int push_document(struct init *init, enum linnet_database database, const json_t *document) {
    const char *id = linnet_json_string(document, "_id", ""),
               *name = linnet_couch_database(linnet_store_couch(init->store), database);
    char label[256];
    json_t *found = NULL;
    snprintf(label, sizeof label, "%s/%s", name, id);
    int rc = exists(init, name) ? linnet_store_get(init->store, database, id, NULL, &found, &init->err)
                                : LINNET_E_NOT_FOUND;
    if (rc && rc != LINNET_E_NOT_FOUND) return rc;
    const char *stands = linnet_json_string(found, "linnet/digest", "");
    enum linnet_deed deed = !found ? LINNET_MADE
                            : strcmp(stands, linnet_json_string(document, "linnet/digest", "?"))
                                ? LINNET_CHANGED
                                : LINNET_UNCHANGED;
    rc = 0;
    if (deed != LINNET_UNCHANGED && !init->dry_run)
        rc = write_document(init, database, document, found ? linnet_json_string(found, "_rev", NULL) : NULL);
    if (rc == 0) linnet_steps_add(&init->steps, deed, "design document", label, NULL);
    json_decref(found);
    return rc;
}

/* Is it among what was pushed now, or what is kept although this build does not have it (an app that was not
 * built)? */
static bool belongs(const json_t *wanted, const char *id) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(wanted, "documents"), i, one) {
        if (strcmp(linnet_json_string(one, "_id", ""), id) == 0) return true;
    }
    json_array_foreach(json_object_get(wanted, "keep"), i, one) {
        if (strcmp(json_string_value(one) ? json_string_value(one) : "", id) == 0) return true;
    }
    return false;
}

/* Remove design documents of ours that this version no longer has. Others' are left alone. */
static int remove_obsolete(struct init *init, enum linnet_database database, const json_t *wanted) {
    const char *name = linnet_couch_database(linnet_store_couch(init->store), database);
    json_t *found = NULL, *document;
    size_t i;
    if (!exists(init, name)) return 0;
    int rc = linnet_store_range(init->store, database, "_design/", "_design0", 0, &found, &init->err);
    json_array_foreach(found, i, document) {
        const char *id = linnet_json_string(document, "_id", "");
        char label[256];
        if (rc || !linnet_json_at(document, "linnet/digest") || belongs(wanted, id)) continue;
        json_t *tombstone = json_pack("{s:s, s:s, s:b}", "_id", id, "_rev",
                                      linnet_json_string(document, "_rev", ""), "_deleted", 1);
        if (!init->dry_run) rc = linnet_store_put(init->store, database, tombstone, &init->err);
        json_decref(tombstone);
        snprintf(label, sizeof label, "%s/%s", name, id);
        if (rc == 0)
            linnet_steps_add(&init->steps, LINNET_REMOVED, "design document", label, "no longer used");
    }
    json_decref(found);
    return rc;
}

static int fill_database(struct init *init, enum linnet_database database) {
    const json_t *wanted = linnet_bundle_database(init->bundle, database),
                 *documents = json_object_get(wanted, "documents");
    const char *name = linnet_couch_database(linnet_store_couch(init->store), database);
    bool partitioned = init->partitions && json_is_true(json_object_get(wanted, "partitioned"));
    json_t *document;
    size_t i;
    int rc = make_database(init, "database", name, partitioned);
    /* The door stands before the public is let in. */
    json_array_foreach(documents, i, document) {
        if (rc == 0) rc = push_document(init, database, document);
    }
    if (rc == 0) rc = set_security(init, name, json_object_get(wanted, "security"));
    if (rc == 0) rc = remove_obsolete(init, database, wanted);
    return rc;
}

/* ---- the web app ---- */

/* CouchDB sends attachments with a policy that forbids scripts ([csp] attachments_header_value = sandbox); the
 * app's files are attachments. What the policy then allows is what the app's own page allows. */
static int open_app(struct init *init) {
    const char *name = "attachments_header_value",
               *policy = linnet_json_string(init->bundle, "policy", NULL);
    char path[128];
    json_t *section = NULL;
    snprintf(path, sizeof path, "/_node/_local/_config/csp");
    int rc = look(init, path, &section);
    if (rc && rc != LINNET_E_NOT_FOUND) /* the embedded store: it has no such policy */
        return linnet_steps_add(&init->steps, LINNET_UNCHANGED, "policy of attachments", name,
                                "the server has no such setting"),
               0;
    bool same = policy && strcmp(linnet_json_string(section, name, ""), policy) == 0;
    json_decref(section);
    if (!policy) return linnet_error_set(&init->err, LINNET_E_INVALID, "the couchapp has no policy");
    json_t *value = json_string(policy);
    snprintf(path, sizeof path, "/_node/_local/_config/csp/%s", name);
    rc = same || init->dry_run
             ? 0
             : linnet_store_request(init->store, "PUT", path, value, NULL, NULL, &init->err);
    json_decref(value);
    if (rc == 0)
        linnet_steps_add(&init->steps, same ? LINNET_UNCHANGED : LINNET_CHANGED, "policy of attachments", name,
                         NULL);
    return rc;
}

/* ---- identity and worker ---- */

static int make_identity(struct init *init) {
    const char *id = "identity:database",
               *name = linnet_couch_database(linnet_store_couch(init->store), LINNET_DB_OPS);
    json_t *found = NULL;
    int rc = exists(init, name) ? linnet_store_get(init->store, LINNET_DB_OPS, id, NULL, &found, &init->err)
                                : LINNET_E_NOT_FOUND;
    json_decref(found);
    if (rc && rc != LINNET_E_NOT_FOUND) return rc;
    bool there = rc == 0;
    rc = 0;
    if (!there && !init->dry_run) {
        unsigned char bytes[16];
        char uuid[33];
        randombytes_buf(bytes, sizeof bytes);
        sodium_bin2hex(uuid, sizeof uuid, bytes, sizeof bytes);
        json_t *document = json_pack("{s:s, s:s, s:s}", "_id", id, "kind", "identity", "uuid", uuid);
        rc = linnet_store_put(init->store, LINNET_DB_OPS, document, &init->err);
        json_decref(document);
    }
    if (rc == 0)
        linnet_steps_add(&init->steps, there ? LINNET_UNCHANGED : LINNET_MADE, "identity", name, NULL);
    return rc;
}

static int make_worker(struct init *init) {
    json_t *found = NULL;
    int rc = linnet_account_find(init->store, init->worker, &found, &init->err);
    if (rc && rc != LINNET_E_NOT_FOUND) return rc;
    bool there = rc == 0;
    json_decref(found);
    rc = 0;
    if (!there && !init->dry_run) {
        json_t *roles = json_pack("[s]", "worker");
        rc = linnet_password_get(init->password_file, init->password, &init->err);
        if (rc == 0) rc = linnet_account_make(init->store, init->worker, init->password, roles, &init->err);
        json_decref(roles);
    }
    if (rc == 0)
        linnet_steps_add(&init->steps, there ? LINNET_UNCHANGED : LINNET_MADE, "worker", init->worker, NULL);
    return rc;
}

/* ---- the site's key ---- */

/* The key in its file, made if there is none (a dry run makes none: *made alone is set). */
static int take_key(struct init *init, struct linnet_site_key *key, bool *made) {
    int rc = linnet_site_key_load(init->site_key, key, &init->err);
    *made = rc == LINNET_E_NOT_FOUND;
    if (!*made) return rc;
    return init->dry_run ? 0 : linnet_site_key_make(init->site_key, key, &init->err);
}

/* Publish the public half. Another one that stands there is an error: what was sealed to it would be lost to
 * workers. */
static int publish_key(struct init *init) {
    struct linnet_site_key key = {0};
    char public_key[LINNET_PUBLIC_KEY_SIZE], now[LINNET_TIME_SIZE];
    json_t *found = NULL;
    bool made;
    int rc = take_key(init, &key, &made);
    if (rc) return rc;
    linnet_site_key_public(&key, public_key);
    sodium_memzero(&key, sizeof key);
    linnet_steps_add(&init->steps, made ? LINNET_MADE : LINNET_UNCHANGED, "site key", init->site_key, NULL);
    if (init->dry_run && made) return 0;
    rc = linnet_store_get(init->store, LINNET_DB_REFERENCE, "site:key", NULL, &found, &init->err);
    if (rc == 0 && strcmp(linnet_json_string(found, "public_key", ""), public_key) != 0)
        rc = linnet_error_set(
            &init->err, LINNET_E_EXISTS,
            "the site has another key already; give its file, or delete site:key in linnet-reference first "
            "(places sealed to it stay closed then)");
    json_decref(found);
    if (rc != LINNET_E_NOT_FOUND) return rc;
    linnet_time_format(linnet_time_now(), now);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s}", "_id", "site:key", "kind", "site", "public_key",
                                 public_key, "created_at", now);
    rc = init->dry_run ? 0 : linnet_store_put(init->store, LINNET_DB_REFERENCE, document, &init->err);
    json_decref(document);
    if (rc == 0) linnet_steps_add(&init->steps, LINNET_MADE, "public key", "site:key", NULL);
    return rc;
}

/* ---- the whole ---- */

static int run_steps(struct init *init) {
    int rc = linnet_bundle_load(init->couchapp, &init->bundle, &init->err);
    if (rc == 0) rc = linnet_store_open(&init->store_options, &init->store, &init->err);
    if (rc == 0) rc = look_at_server(init);
    if (rc == 0) rc = make_system_databases(init);
    for (int database = LINNET_DB_MAIN; rc == 0 && database < LINNET_DB_NONE; database++)
        rc = fill_database(init, (enum linnet_database)database);
    if (rc == 0 && init->open_app) rc = open_app(init);
    if (rc == 0) rc = make_identity(init);
    if (rc == 0 && init->worker) rc = make_worker(init);
    if (rc == 0 && init->site_key) rc = publish_key(init);
    return rc;
}

static void tell(struct init *init) {
    bool show = init->password[0] && !init->password_file;
    linnet_steps_finish(&init->steps, show ? json_pack("{s:{s:s, s:s}}", "worker", "name", init->worker,
                                                       "password", init->password)
                                           : NULL);
    if (init->store_options.json) return;
    if (show) printf("The password of %s is %s\nIt is shown this once.\n", init->worker, init->password);
    if (!init->store_options.quiet)
        printf(init->steps.done == 0 ? "All is as it should be.\n"
               : init->steps.dry_run ? "%u to be done; nothing was.\n"
                                     : "%u done.\n",
               init->steps.done);
}

static int run(int argc, char **argv) {
    struct init init = {0};
    if (linnet_options_parse(&argp, argc, argv, &init)) return LINNET_EXIT_USAGE;
    if (sodium_init() < 0) return LINNET_EXIT_FAILED;
    linnet_steps_init(&init.steps, init.store_options.json, init.store_options.quiet, init.dry_run);
    int rc = run_steps(&init);
    if (rc)
        fprintf(stderr, "linnet init: %s\n", init.err.detail);
    else
        tell(&init);
    sodium_memzero(init.password, sizeof init.password);
    linnet_steps_done(&init.steps);
    linnet_store_close(init.store);
    json_decref(init.bundle);
    return rc ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_init = {"init", "make the databases, or bring them up to date",
                                                   run};
