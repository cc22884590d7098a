/* The verbs of `linnet consensus`, each with a command line of its own. argv[0] is "linnet consensus VERB".
 * Each returns an exit code. */
#ifndef LINNET_CLI_CONSENSUS_H
#define LINNET_CLI_CONSENSUS_H

#include "common/consensus/rules.h"
#include "workers/cli/options.h"
#include "workers/consensus/crowd_file.h"

int linnet_consensus_run_solve(int argc, char **argv);
int linnet_consensus_run_audit(int argc, char **argv);
int linnet_consensus_run_compare(int argc, char **argv);
int linnet_consensus_run_settle(int argc, char **argv);

/* What the verbs share: the files of a crowd, the rules, --threads, --json and --quiet. The first member of a
 * verb's options; the argp a child of its own. */
struct linnet_consensus_options {
    struct linnet_store_options say; /* json and quiet */
    const char *votes, *taxa, *machine;
    struct linnet_consensus_rules rules;
};
extern const struct argp linnet_consensus_argp;

/* Read the crowd, with progress and a word on what is odd in it. 0, or LINNET_EXIT_FAILED after the error was
 * said. */
int linnet_consensus_load(const struct linnet_consensus_options *options, const char *verb,
                          struct linnet_crowd_file *file);

#endif
