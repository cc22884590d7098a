#include "workers/cli/options.h"

#include <stdlib.h>

#include "workers/cli/command.h"

const char *argp_program_version = "linnet " LINNET_VERSION;

enum { KEY_URL = 0x1000, KEY_PREFIX, KEY_JSON };

static const struct argp_option options[] = {
    {"url", KEY_URL, "URL", 0, "CouchDB's address, with user:password@ (LINNET_COUCHDB_URL)", 0},
    {"prefix", KEY_PREFIX, "NAME", 0, "Databases are NAME, NAME-reference, NAME-ops (LINNET_PREFIX; linnet)",
     0},
    {"json", KEY_JSON, 0, 0, "Print JSON for scripts", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static const char *environment(const char *name, const char *fallback) {
    const char *value = getenv(name);
    return value && *value ? value : fallback;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct linnet_store_options *store = state->input;
    if (!store) return ARGP_ERR_UNKNOWN;
    switch (key) {
    case ARGP_KEY_INIT:
        store->url = environment("LINNET_COUCHDB_URL", "http://127.0.0.1:5984");
        store->prefix = environment("LINNET_PREFIX", "linnet");
        return 0;
    case KEY_URL:
        store->url = arg;
        return 0;
    case KEY_PREFIX:
        store->prefix = arg;
        return 0;
    case KEY_JSON:
        store->json = true;
        return 0;
    case 'q':
        store->quiet = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp linnet_store_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

int linnet_options_parse(const struct argp *argp, int argc, char **argv, void *input) {
    argp_err_exit_status = LINNET_EXIT_USAGE;
    return argp_parse(argp, argc, argv, 0, NULL, input) == 0 ? 0 : LINNET_EXIT_USAGE;
}
