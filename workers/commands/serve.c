/* linnet serve: the REST API. The rooms that do it are in workers/serve/. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/serve/config.h"
#include "workers/serve/serve.h"

enum { KEY_URL = 0x2000, KEY_PREFIX, KEY_REFERENCES, KEY_JSON };

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0,
     "Configuration (JSON, see schemas/serve-config.schema.json); everything has a default", 0},
    {"listen", 'l', "ADDR:PORT", 0, "Where the API is (127.0.0.1:8080)", 0},
    {"references", KEY_REFERENCES, "DIR", 0,
     "Work without a store, with the reference documents (taxa, floras, models) of a folder", 0},
    {0, 0, 0, 0, "Store:", 1},
    {"url", KEY_URL, "URL", 0, "CouchDB's address without a password; with one: LINNET_COUCHDB_URL", 1},
    {"prefix", KEY_PREFIX, "NAME", 0, "Databases are NAME, NAME-reference, NAME-ops (LINNET_PREFIX; linnet)",
     1},
    {0, 0, 0, 0, "Log:", 2},
    {"json", KEY_JSON, 0, 0, "JSON lines even on a terminal", 2},
    {"verbose", 'v', 0, 0, "More of it", 2},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct serve_overrides *overrides = state->input;
    switch (key) {
    case 'c':
        overrides->file = arg;
        return 0;
    case 'l':
        overrides->listen = arg;
        return 0;
    case KEY_REFERENCES:
        overrides->references = arg;
        return 0;
    case KEY_URL:
        overrides->url = arg;
        return 0;
    case KEY_PREFIX:
        overrides->prefix = arg;
        return 0;
    case KEY_JSON:
        overrides->log_format = "json";
        return 0;
    case 'v':
        overrides->log_level = "debug";
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Serve the REST API: pictures in, names out, as programs written for the Pl@ntNet API ask for them.\v"
    "curl -F images=@leaf.jpg -F organs=leaf http://127.0.0.1:8080/v2/identify/all\n\n"
    "The stages run in this process; the store holds reference documents, keys and observations. SIGTERM "
    "answers what was asked and ends. "
    "Exit status: 0 ended in order, 1 it could not start or go on, 2 wrong usage or configuration.";

static const struct argp argp = {options, parse, NULL, doc, NULL, NULL, NULL};

static int run(int argc, char **argv) {
    struct serve_overrides overrides = {0};
    struct linnet_error err = {0};
    json_t *config;
    int rc = linnet_options_parse(&argp, argc, argv, &overrides);
    if (rc != 0) return rc;
    if (serve_config_load(&overrides, &config, &err) != 0) {
        fprintf(stderr, "linnet serve: %s\n", err.detail);
        return LINNET_EXIT_USAGE;
    }
    const char *format = linnet_json_string(config, "log/format", "auto");
    int level = linnet_log_level(linnet_json_string(config, "log/level", "info"));
    bool plain = strcmp(format, "text") == 0 || (strcmp(format, "auto") == 0 && isatty(STDERR_FILENO));
    linnet_log_setup(level >= 0 ? (enum linnet_level)level : LINNET_INFO, plain, STDERR_FILENO);
    rc = serve_run(config);
    json_decref(config);
    return rc;
}

const struct linnet_command linnet_command_serve = {"serve", "serve the REST API", run};
