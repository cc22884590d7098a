/* Command lines: one table gives parsing, checks and help. */
#ifndef LINNET_FLORA_OPTIONS_H
#define LINNET_FLORA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type { OPTION_FLAG, OPTION_NUMBER, OPTION_SEED, OPTION_REAL, OPTION_TEXT };

struct option_spec {
    const char *name, *argument, *help; /* argument "" for a flag */
    enum option_type type;
    double low, high; /* of numbers, inclusive */
    void *value;      /* bool, size_t, uint64_t, double or const char *, holding the default */
};

/* Parse argv[1 ..] by a table ended by a NULL name. Returns 0 to go on, 1 when help was printed, -1 after a
 * message on stderr that says what is wrong. Text points into argv. */
int linnet_flora_options(const char *command, const char *summary, const struct option_spec *table, int argc,
                         char **argv);
/* Print "linnet-flora COMMAND: message" on stderr and return 1, for main to return. */
int linnet_flora_complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
