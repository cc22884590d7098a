/* linnet-flora picture and sheet: one picture, or many on one page for a person's eyes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/commands.h"
#include "tests/data/jpeg.h"
#include "tests/data/options.h"
#include "tests/data/picture.h"

static int save(const char *command, const struct image *image, size_t quality, const char *path) {
    struct bytes bytes;
    if (linnet_flora_jpeg_encode(image, (int)quality, false, NULL, &bytes))
        return linnet_flora_complain(command, "out of memory");
    int rc = linnet_flora_bytes_save(&bytes, path);
    if (rc) linnet_flora_complain(command, "%s: %s", path, strerror(errno));
    linnet_flora_bytes_free(&bytes);
    return rc ? 1 : 0;
}

/* "640x480" into two numbers. */
static int parse_size(const char *text, int *width, int *height) {
    char rest;
    if (sscanf(text, "%dx%d%c", width, height, &rest) != 2) return -1;
    return *width >= 16 && *height >= 16 && *width <= 30000 && *height <= 30000 ? 0 : -1;
}

int linnet_flora_command_picture(int argc, char **argv) {
    uint64_t flora_seed = FLORA_SEED, seed = 1, individual = 1;
    size_t nspecies = FLORA_SPECIES, quality = 90;
    const char *taxon = NULL, *organ = "flower", *size = "640x480", *out = NULL;
    const struct option_spec table[] = {
        {"flora-seed", "N", "the flora", OPTION_SEED, 0, 0, &flora_seed},
        {"species", "N", "species in the flora", OPTION_NUMBER, 8, 100000, &nspecies},
        {"taxon", "NAME", "scientific name or taxon:<id>; \"none\" for something that is no plant",
         OPTION_TEXT, 0, 0, &taxon},
        {"organ", "ORGAN", "flower, leaf, fruit, bark or habit", OPTION_TEXT, 0, 0, &organ},
        {"seed", "N", "which picture", OPTION_SEED, 0, 0, &seed},
        {"individual", "N", "which plant of the species", OPTION_SEED, 0, 0, &individual},
        {"size", "WxH", "pixels", OPTION_TEXT, 0, 0, &size},
        {"quality", "Q", "of the JPEG", OPTION_NUMBER, 1, 100, &quality},
        {"out", "FILE", "the JPEG to write", OPTION_TEXT, 0, 0, &out},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc = linnet_flora_options("picture", "Draw one organ of one plant.", table, argc, argv);
    if (rc) return rc < 0;
    if (!taxon || !out) return linnet_flora_complain("picture", "--taxon and --out are needed");
    struct flora *flora = linnet_flora_new(flora_seed, nspecies);
    if (!flora) return linnet_flora_complain("picture", "out of memory");
    int part = linnet_flora_organ_parse(organ);
    struct picture picture = {flora, FLORA_NONE, ORGAN_NONE, individual, seed, NULL, 0, 0};
    struct image image;
    rc = 1;
    if (strcmp(taxon, "none")) {
        picture.species = linnet_flora_find(flora, taxon);
        picture.organ = part < 0 ? ORGAN_NONE : (enum organ)part;
    }
    if (parse_size(size, &picture.width, &picture.height))
        linnet_flora_complain("picture", "--size takes WIDTHxHEIGHT, 16 to 30000 each, not \"%s\"", size);
    else if (part < 0)
        linnet_flora_complain("picture", "--organ takes flower, leaf, fruit, bark or habit, not \"%s\"",
                              organ);
    else if (picture.species == FLORA_NONE && strcmp(taxon, "none"))
        linnet_flora_complain("picture", "no species \"%s\" among the %zu of flora %llu", taxon, nspecies,
                              (unsigned long long)flora_seed);
    else if (picture.species != FLORA_NONE &&
             !linnet_flora_has_organ(&flora->species[picture.species].traits, picture.organ))
        linnet_flora_complain("picture", "%s is no tree or shrub: it has no %s",
                              flora->species[picture.species].name, organ);
    else if (linnet_flora_picture_draw(&picture, &image))
        linnet_flora_complain("picture", "out of memory");
    else {
        rc = save("picture", &image, quality, out);
        linnet_flora_image_free(&image);
    }
    linnet_flora_free(flora);
    return rc;
}

/* Put a picture into its place on the page. */
static void paste(struct image *page, const struct image *tile, int x, int y) {
    for (int j = 0; j < tile->height; j++)
        memcpy(page->rgb + ((size_t)(y + j) * (size_t)page->width + (size_t)x) * 3,
               tile->rgb + (size_t)j * (size_t)tile->width * 3, (size_t)tile->width * 3);
}

/* Rows are species, columns pictures: with no organ given, organs in turn. */
static int draw_sheet(const struct flora *flora, struct image *page, size_t rows, size_t columns, int tile,
                      int organ, bool plants, uint64_t seed, const size_t *species) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            enum organ which = organ >= 0 ? (enum organ)organ : (enum organ)(c % ORGAN_COUNT);
            struct picture picture = {
                flora, plants ? species[r] : FLORA_NONE, which, seed + c, seed + r * 1000 + c, NULL, tile,
                tile};
            struct image image;
            if (plants && !linnet_flora_has_organ(&flora->species[species[r]].traits, which)) continue;
            if (linnet_flora_picture_draw(&picture, &image)) return -1;
            paste(page, &image, (int)c * (tile + 2), (int)r * (tile + 2));
            linnet_flora_image_free(&image);
        }
    }
    return 0;
}

int linnet_flora_command_sheet(int argc, char **argv) {
    uint64_t flora_seed = FLORA_SEED, seed = 1;
    size_t nspecies = FLORA_SPECIES, rows = 10, columns = 10, tile = 128, from = 0;
    const char *organ = NULL, *out = NULL;
    bool none = false;
    const struct option_spec table[] = {
        {"flora-seed", "N", "the flora", OPTION_SEED, 0, 0, &flora_seed},
        {"species", "N", "species in the flora", OPTION_NUMBER, 8, 100000, &nspecies},
        {"from", "N", "the first species of the part", OPTION_NUMBER, 0, 100000, &from},
        {"rows", "N", "species", OPTION_NUMBER, 1, 100, &rows},
        {"columns", "N", "pictures of each", OPTION_NUMBER, 1, 100, &columns},
        {"tile", "N", "pixels of a picture's side", OPTION_NUMBER, 16, 1024, &tile},
        {"organ", "ORGAN", "one organ only; all in turn without", OPTION_TEXT, 0, 0, &organ},
        {"non-plants", "", "things that are no plants instead", OPTION_FLAG, 0, 0, &none},
        {"seed", "N", "which pictures", OPTION_SEED, 0, 0, &seed},
        {"out", "FILE", "the JPEG to write", OPTION_TEXT, 0, 0, &out},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc = linnet_flora_options("sheet", "Many pictures on one page: a species a row.", table, argc, argv);
    if (rc) return rc < 0;
    int part = organ ? linnet_flora_organ_parse(organ) : -1;
    if (!out) return linnet_flora_complain("sheet", "--out is needed");
    if (organ && part < 0)
        return linnet_flora_complain("sheet", "--organ takes flower, leaf, fruit, bark or habit, not \"%s\"",
                                     organ);
    struct flora *flora = linnet_flora_new(flora_seed, nspecies);
    size_t *species = calloc(nspecies, sizeof *species);
    struct image page = {0, 0, NULL};
    rc = 1;
    if (flora && species &&
        !linnet_flora_image_new(&page, (int)(columns * (tile + 2)), (int)(rows * (tile + 2)))) {
        size_t n = linnet_flora_part(flora, nspecies < 80 ? nspecies : 80, species);
        for (size_t r = rows; r-- > 0;)
            species[r] = species[(from + r) % n];
        memset(page.rgb, 255, (size_t)page.width * (size_t)page.height * 3);
        if (!draw_sheet(flora, &page, rows, columns, (int)tile, part, !none, seed, species))
            rc = save("sheet", &page, 92, out);
    }
    if (rc) linnet_flora_complain("sheet", "nothing was written");
    linnet_flora_image_free(&page);
    free(species);
    linnet_flora_free(flora);
    return rc;
}
