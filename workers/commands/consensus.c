/* linnet consensus: what a crowd's votes say. */
#include <stdio.h>
#include <string.h>

#include "workers/cli/command.h"
#include "workers/cli/consensus.h"

static const struct verb {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"solve", "work out the answer to every observation from a file of votes", linnet_consensus_run_solve},
    {"compare", "hold every method against what is true", linnet_consensus_run_compare},
    {"audit", "find users who mostly validate each other", linnet_consensus_run_audit},
    {"settle", "have the workers make every consensus in the store exact", linnet_consensus_run_settle},
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static void help(FILE *out) {
    fputs("Usage: linnet consensus VERB [OPTION...]\nWhat a crowd's votes say.\n\n", out);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\n`linnet consensus VERB --help` tells more of a verb.\n", out);
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return LINNET_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "-?") == 0) {
        help(stdout);
        return LINNET_EXIT_OK;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "linnet consensus %s", verbs[i].name);
        argv[1] = name;
        return verbs[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "linnet consensus: there is no verb '%s'; see `linnet consensus --help`\n", argv[1]);
    return LINNET_EXIT_USAGE;
}

const struct linnet_command linnet_command_consensus = {"consensus",
                                                        "what a crowd's votes say of each observation", run};
