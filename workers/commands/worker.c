/* linnet worker: follow the changes and work. The rooms that do it are in workers/worker/. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/serve/guest.h"
#include "workers/worker/child.h"
#include "workers/worker/supervisor.h"

struct arguments {
    struct linnet_supervisor_options supervisor;
    pid_t child_of;
};

enum { KEY_URL = 0x2000, KEY_PREFIX, KEY_ONCE, KEY_CHECK, KEY_JSON, KEY_LISTEN, KEY_SERVE, KEY_CHILD };

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0,
     "Configuration (JSON, see schemas/worker-config.schema.json); everything has a default", 0},
    {"group", 'g', "NAME,...", 0, "Be a member of these groups only (images,community)", 0},
    {"check", KEY_CHECK, 0, 0, "Connect, open every stage, say whether all works, and exit", 0},
    {"once", KEY_ONCE, 0, 0, "Exit when all is caught up and idle", 0},
    {"listen", KEY_LISTEN, "ADDR:PORT", 0,
     "Where /metrics, /healthz and /readyz are (127.0.0.1:9464); \"off\": nowhere", 0},
    {"serve", KEY_SERVE, "ADDR:PORT", OPTION_ARG_OPTIONAL,
     "Serve the REST API too, in the same process: its pictures go through the same network, in the same "
     "batches "
     "(127.0.0.1:8080)",
     0},
    {0, 0, 0, 0, "Store:", 1},
    {"url", KEY_URL, "URL", 0, "CouchDB's address without a password; with one: LINNET_COUCHDB_URL", 1},
    {"prefix", KEY_PREFIX, "NAME", 0, "Databases are NAME, NAME-reference, NAME-ops (LINNET_PREFIX; linnet)",
     1},
    {0, 0, 0, 0, "Log:", 2},
    {"json", KEY_JSON, 0, 0, "JSON lines even on a terminal", 2},
    {"verbose", 'v', 0, 0, "More of it", 2},
    {"child", KEY_CHILD, "PID", OPTION_HIDDEN, 0, 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct arguments *arguments = state->input;
    struct linnet_worker_overrides *overrides = &arguments->supervisor.overrides;
    switch (key) {
    case 'c':
        overrides->file = arg;
        return 0;
    case 'g':
        overrides->groups = arg;
        return 0;
    case 'v':
        overrides->log_level = "debug";
        return 0;
    case KEY_URL:
        overrides->url = arg;
        return 0;
    case KEY_PREFIX:
        overrides->prefix = arg;
        return 0;
    case KEY_LISTEN:
        overrides->listen = arg;
        return 0;
    case KEY_SERVE:
        overrides->serve = arg != NULL ? arg : "";
        return 0;
    case KEY_ONCE:
        arguments->supervisor.once = true;
        return 0;
    case KEY_CHECK:
        arguments->supervisor.check = true;
        return 0;
    case KEY_JSON:
        overrides->log_format = "json";
        return 0;
    case KEY_CHILD:
        arguments->child_of = (pid_t)atol(arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Follow the changes of a Linnet store, run the stages of one or more groups, write the results.\v"
    "LINNET_COUCHDB_URL=http://admin:password@localhost:5984 linnet worker   is all that a small site needs: "
    "both groups, images (normalize, convnet, fusion) and community (consensus, retrain), with the plugins "
    "that are installed.\n\n"
    "linnet worker --serve   is a whole small site in one process: the stages, and the REST API of `linnet "
    "serve` with "
    "the same models, which are in memory once.\n\n"
    "SIGTERM ends it in order, SIGHUP reads the configuration again. Exit status: 0 ended in order, 1 it "
    "could not go on, 2 wrong usage or configuration.";

static const struct argp argp = {options, parse, NULL, doc, NULL, NULL, NULL};

static void setup_log(const json_t *config) {
    const char *format = linnet_json_string(config, "log/format", "auto");
    int level = linnet_log_level(linnet_json_string(config, "log/level", "info"));
    bool plain = strcmp(format, "text") == 0 || (strcmp(format, "auto") == 0 && isatty(STDERR_FILENO));
    linnet_log_setup(level >= 0 ? (enum linnet_level)level : LINNET_INFO, plain, STDERR_FILENO);
}

static int run(int argc, char **argv) {
    struct arguments arguments = {0};
    int rc = linnet_options_parse(&argp, argc, argv, &arguments);
    if (rc != 0) return rc;
    if (arguments.child_of != 0) return linnet_child_run(arguments.child_of, &serve_guest);
    if (arguments.supervisor.once && arguments.supervisor.overrides.serve != NULL) {
        fputs("linnet worker: --once ends when nothing is left to do, --serve never\n", stderr);
        return LINNET_EXIT_USAGE;
    }
    struct linnet_error err = {0};
    json_t *config;
    if (linnet_worker_config_load(&arguments.supervisor.overrides, &config, &err) != 0) {
        fprintf(stderr, "linnet worker: %s\n", err.detail);
        return LINNET_EXIT_USAGE;
    }
    setup_log(config);
    rc = linnet_supervisor_run(&arguments.supervisor, config);
    json_decref(config);
    if (arguments.supervisor.check && rc == 0) puts("linnet worker: the configuration works");
    return rc;
}

const struct linnet_command linnet_command_worker = {"worker",
                                                     "follow the changes and do the work of the stages", run};
