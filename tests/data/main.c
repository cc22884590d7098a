/* linnet-flora: draws a flora that does not exist. */
#include <stdio.h>
#include <string.h>

#include "tests/data/commands.h"

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"backbone", "write taxa.jsonl, floras.jsonl, species.csv and labels.csv", linnet_flora_command_backbone},
    {"observations", "draw observations: JPEG files and observations.csv", linnet_flora_command_observations},
    {"votes", "simulate the crowd that validates them", linnet_flora_command_votes},
    {"part", "print the species of a part", linnet_flora_command_part},
    {"picture", "draw one picture", linnet_flora_command_picture},
    {"sheet", "draw many on one page", linnet_flora_command_sheet},
    {"checklist", "write a catalogue of names, by the million, as WCVP or GBIF do",
     linnet_flora_command_checklist},
    {"hostile", "write pictures and documents made to break things", linnet_flora_command_hostile},
};

static int usage(FILE *out) {
    fprintf(out, "usage: linnet-flora COMMAND [options]\n"
                 "Draws a synthetic flora: the same seed gives the same bytes. Each command has --help.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
    return out == stderr;
}

int main(int argc, char **argv) {
    if (argc < 2) return usage(stderr);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return usage(stdout);
    if (!strcmp(argv[1], "--version")) return printf("linnet-flora %s\n", LINNET_VERSION) < 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "linnet-flora: no command \"%s\"\n", argv[1]);
    return usage(stderr);
}
