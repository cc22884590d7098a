/* What the commands share on their command lines, over argp: the store's address, --json, and the exit codes.
 *
 *     static struct argp_option options[] = {{"watch", 'w', 0, 0, "Go on until interrupted", 0}, {0}};
 *     static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
 *     static struct argp argp = {options, parse, "OBSERVATION", "Print the story of one observation.",
 * children, 0, 0}; int code = linnet_options_parse(&argp, argc, argv, &mine);
 *
 * The first member of `mine` must be a struct linnet_store_options, and `parse` must hand it on at
 * ARGP_KEY_INIT: state->child_inputs[0] = state->input. */
#ifndef LINNET_CLI_OPTIONS_H
#define LINNET_CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

struct linnet_store_options {
    const char *url;    /* --url, else LINNET_COUCHDB_URL, else http://127.0.0.1:5984 */
    const char *prefix; /* --prefix, else LINNET_PREFIX, else "linnet" */
    bool json;          /* --json */
    bool quiet;         /* --quiet: no progress */
};

extern const struct argp linnet_store_argp;

/* Parse. 0, or LINNET_EXIT_USAGE after argp has said what is wrong. --help, --usage and --version print and
 * exit. */
int linnet_options_parse(const struct argp *argp, int argc, char **argv, void *input);

#endif
