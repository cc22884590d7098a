/* linnet-flora part: which species a part is made of. */
#include <stdio.h>

#include "tests/data/commands.h"
#include "tests/data/part.h"

int linnet_flora_command_part(int argc, char **argv) {
    struct part_options options = PART_OPTIONS;
    const struct option_spec table[] = {PART_OPTION_TABLE(options),
                                        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc =
        linnet_flora_options("part", "Print the species of a part as a table of labels.", table, argc, argv);
    if (rc) return rc < 0;
    struct part part;
    if (linnet_flora_part_open("part", &options, &part)) return 1;
    printf("scientificName,taxon\n");
    for (size_t i = 0; i < part.nspecies; i++) {
        char id[FLORA_ID_SIZE];
        linnet_flora_taxon_id(TAXON_SPECIES, part.species[i], id);
        printf("%s,%s\n", part.flora->species[part.species[i]].name, id);
    }
    linnet_flora_part_close(&part);
    return 0;
}
