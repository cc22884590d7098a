/* The `linnet` program: finds the command and runs it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "workers/cli/command.h"

/* Made by the build of workers/commands/: one LINNET_COMMAND(name) for each file there. */
#define LINNET_COMMAND(name) extern const struct linnet_command linnet_command_##name;
#include "commands.inc"
#undef LINNET_COMMAND

static const struct linnet_command *const commands[] = {
#define LINNET_COMMAND(name) &linnet_command_##name,
#include "commands.inc"
#undef LINNET_COMMAND
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out) {
    fputs("Usage: linnet COMMAND [OPTION...]\n"
          "Self-hosted species identification for citizen science.\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`linnet COMMAND --help` tells more of a command, `man linnet` of all.\n", out);
}

/* Levenshtein's distance, for short words. */
static int distance(const char *a, const char *b) {
    int row[64];
    size_t n = strlen(b);
    if (n >= 63 || strlen(a) >= 63) return INT_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

static int unknown(const char *name) {
    const char *nearest = NULL;
    int best = 3;
    for (size_t i = 0; i < COMMANDS; i++) {
        int d = distance(name, commands[i]->name);
        if (d < best) best = d, nearest = commands[i]->name;
    }
    fprintf(stderr, "linnet: there is no command '%s'%s%s%s; see `linnet --help`\n", name,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return LINNET_EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return LINNET_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return LINNET_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("linnet " LINNET_VERSION);
        return LINNET_EXIT_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i]->name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "linnet %s", commands[i]->name);
        argv[1] = name;
        return commands[i]->run(argc - 1, argv + 1);
    }
    return unknown(argv[1]);
}
