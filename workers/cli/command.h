/* A command of the `linnet` program: one file in workers/commands/, named after it, that defines
 * `const struct linnet_command linnet_command_<name>`. The build collects them. */
#ifndef LINNET_CLI_COMMAND_H
#define LINNET_CLI_COMMAND_H

/* Exit codes of every command. */
enum { LINNET_EXIT_OK = 0, LINNET_EXIT_FAILED = 1, LINNET_EXIT_USAGE = 2 };

struct linnet_command {
    const char *name;
    const char *summary; /* one line, for `linnet --help` */
    /* argv[0] is "linnet <name>". Returns an exit code. */
    int (*run)(int argc, char **argv);
};

#endif
