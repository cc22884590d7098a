#include "tests/data/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int linnet_flora_complain(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "linnet-flora %s: ", command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return 1;
}

static void print_default(const struct option_spec *o) {
    if (o->type == OPTION_NUMBER) printf(" [%zu]", *(size_t *)o->value);
    if (o->type == OPTION_SEED) printf(" [%llu]", (unsigned long long)*(uint64_t *)o->value);
    if (o->type == OPTION_REAL) printf(" [%g]", *(double *)o->value);
    if (o->type == OPTION_TEXT && *(const char **)o->value) printf(" [%s]", *(const char **)o->value);
    printf("\n");
}

static void print_help(const char *command, const char *summary, const struct option_spec *table) {
    printf("usage: linnet-flora %s [options]\n%s\n\n", command, summary);
    for (const struct option_spec *o = table; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", o->name, o->argument);
        printf("  %-24s %s", left, o->help);
        print_default(o);
    }
    printf("  %-24s %s\n", "--help", "this");
}

static int set(const char *command, const struct option_spec *o, const char *text) {
    char *end;
    errno = 0;
    switch (o->type) {
    case OPTION_FLAG:
        *(bool *)o->value = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)o->value = text;
        return 0;
    case OPTION_SEED:
        *(uint64_t *)o->value = strtoull(text, &end, 10);
        if (*text >= '0' && *text <= '9' && !*end && !errno) return 0;
        linnet_flora_complain(command, "--%s takes a whole number from 0 to 18446744073709551615, not \"%s\"",
                              o->name, text);
        return -1;
    default:
        break;
    }
    double x = strtod(text, &end);
    bool whole = o->type == OPTION_NUMBER;
    if (end == text || *end || errno || !(x >= o->low && x <= o->high) || (whole && x != (double)(size_t)x)) {
        linnet_flora_complain(command, "--%s takes a %snumber from %.10g to %.10g, not \"%s\"", o->name,
                              whole ? "whole " : "", o->low, o->high, text);
        return -1;
    }
    if (whole)
        *(size_t *)o->value = (size_t)x;
    else
        *(double *)o->value = x;
    return 0;
}

int linnet_flora_options(const char *command, const char *summary, const struct option_spec *table, int argc,
                         char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *text = NULL;
        if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
            print_help(command, summary, table);
            return 1;
        }
        if (strncmp(name, "--", 2)) {
            linnet_flora_complain(command, "unexpected \"%s\" (see linnet-flora %s --help)", name, command);
            return -1;
        }
        const char *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) - 2 : strlen(name) - 2;
        const struct option_spec *o = table;
        while (o->name && (strlen(o->name) != length || strncmp(o->name, name + 2, length)))
            o++;
        if (!o->name) {
            linnet_flora_complain(command, "no option %.*s (see linnet-flora %s --help)", (int)length + 2,
                                  name, command);
            return -1;
        }
        if (o->type != OPTION_FLAG) {
            text = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (!text) {
                linnet_flora_complain(command, "--%s takes a value: %s", o->name, o->argument);
                return -1;
            }
        }
        if (set(command, o, text)) return -1;
    }
    return 0;
}
