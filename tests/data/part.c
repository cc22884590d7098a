#include "tests/data/part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The species named in a table's first column, header apart. */
static int read_labels(const char *command, const char *path, struct part *part) {
    char line[1024];
    FILE *file = fopen(path, "r");
    if (!file) return linnet_flora_complain(command, "%s: %s", path, strerror(errno));
    int rc = 0;
    for (size_t n = 0; !rc && fgets(line, sizeof line, file); n++) {
        line[strcspn(line, ",\r\n")] = 0;
        if (!n || !*line) continue;
        size_t s = linnet_flora_find(part->flora, line);
        if (s == FLORA_NONE || part->nspecies >= part->flora->nspecies)
            rc = linnet_flora_complain(command, "%s, line %zu: no species \"%s\" in this flora", path, n + 1,
                                       line);
        else
            part->species[part->nspecies++] = s;
    }
    fclose(file);
    if (!rc && !part->nspecies) rc = linnet_flora_complain(command, "%s names no species", path);
    return rc;
}

int linnet_flora_part_open(const char *command, const struct part_options *options, struct part *out) {
    struct part part = {linnet_flora_new(options->flora_seed, options->species),
                        calloc(options->species, sizeof(size_t)), 0};
    int rc = 0;
    if (!part.flora || !part.species)
        rc = linnet_flora_complain(command, "out of memory");
    else if (options->labels)
        rc = read_labels(command, options->labels, &part);
    else
        part.nspecies =
            linnet_flora_part(part.flora, options->subset ? options->subset : options->species, part.species);
    if (rc)
        linnet_flora_part_close(&part);
    else
        *out = part;
    return rc;
}

void linnet_flora_part_close(struct part *part) {
    linnet_flora_free(part->flora);
    free(part->species);
    part->flora = NULL;
    part->species = NULL;
}
