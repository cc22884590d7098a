/* Which flora and which of its species a command works on: options that several commands share. */
#ifndef LINNET_FLORA_PART_H
#define LINNET_FLORA_PART_H

#include "tests/data/flora.h"
#include "tests/data/options.h"

struct part_options {
    uint64_t flora_seed;
    size_t species, subset;
    const char *labels;
};

#define PART_OPTIONS                                                                                         \
    { FLORA_SEED, FLORA_SPECIES, 0, NULL }
#define PART_OPTION_TABLE(p)                                                                                 \
    {"flora-seed", "N", "the flora", OPTION_SEED, 0, 0, &(p).flora_seed},                                    \
        {"species", "N", "species in the flora", OPTION_NUMBER, 8, 100000, &(p).species},                    \
        {"species-subset", "N", "only a part of so many species, as hard as the whole; 0 all",               \
         OPTION_NUMBER,    0,   100000,                                                                      \
         &(p).subset},                                                                                       \
    {                                                                                                        \
        "labels", "CSV", "only the species named in the first column of a table with a header", OPTION_TEXT, \
            0, 0, &(p).labels                                                                                \
    }

struct part {
    struct flora *flora;
    size_t *species, nspecies;
};

/* Make the flora and choose. 0, or 1 after a message on stderr. */
int linnet_flora_part_open(const char *command, const struct part_options *options, struct part *out);
void linnet_flora_part_close(struct part *part);

#endif
