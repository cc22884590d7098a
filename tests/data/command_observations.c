/* linnet-flora observations: JPEG files and a table of who photographed what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/commands.h"
#include "tests/data/jpeg.h"
#include "tests/data/options.h"
#include "tests/data/output.h"
#include "tests/data/part.h"
#include "tests/data/picture.h"
#include "tests/data/sampling.h"

struct request {
    struct sampling sampling;
    const char *out;
    size_t size;
    double megapixels;
    bool plain;
};

/* Width and height as cameras have them: four by three mostly, upright or not. */
static void dimensions(const struct request *r, struct rng *rng, struct picture *picture) {
    static const double shapes[] = {4.0 / 3, 4.0 / 3, 4.0 / 3, 16.0 / 9, 1};
    double shape = shapes[rng_below(rng, 5)], shorter = (double)r->size;
    bool upright = rng_chance(rng, 0.5);
    if (r->megapixels > 0) {
        shape = 4.0 / 3;
        shorter = floor(sqrt(r->megapixels * 1e6 / shape) + 0.5);
    }
    int a = (int)shorter, b = (int)(shorter * shape + 0.5);
    picture->width = upright ? a : b;
    picture->height = upright ? b : a;
}

/* Most telephones write down where and when, and store the picture as the sensor lay. */
static bool metadata(struct rng *rng, const struct sampled_observation *o, struct exif *exif) {
    static const int turns[] = {1, 1, 1, 1, 1, 6, 6, 6, 8, 8, 3, 3, 2, 4, 5, 7};
    static const char *const cameras[] = {"Plume 4", "Plume 5 Pro", "Herbier X", "Corolla 12"};
    memset(exif, 0, sizeof *exif);
    if (rng_chance(rng, 0.3)) return false;
    exif->orientation = turns[rng_below(rng, 16)];
    exif->camera = cameras[rng_below(rng, 4)];
    if (rng_chance(rng, 0.6)) {
        exif->located = true;
        exif->latitude = o->latitude;
        exif->longitude = o->longitude;
    }
    if (rng_chance(rng, 0.9)) {
        memcpy(exif->taken, o->observed_at, 19);
        exif->taken[4] = exif->taken[7] = ':';
        exif->taken[10] = ' ';
    }
    return true;
}

static int draw_view(const struct request *r, const struct sampled_observation *o, size_t view,
                     const char *name) {
    struct picture picture = {r->sampling.flora,
                              o->species,
                              o->views[view].organ,
                              o->individual,
                              o->views[view].picture,
                              &o->conditions,
                              0,
                              0};
    struct rng rng = rng_make(o->views[view].picture, RNG_VIEW, 0);
    struct image image;
    struct bytes bytes = {NULL, 0};
    struct exif exif;
    char path[4096];
    dimensions(r, &rng, &picture);
    if (linnet_flora_picture_draw(&picture, &image))
        return linnet_flora_complain("observations", "out of memory");
    bool told = metadata(&rng, o, &exif) && !r->plain;
    int rc = told ? linnet_flora_orient(&image, exif.orientation) : 0;
    if (!rc) rc = linnet_flora_jpeg_encode(&image, (int)o->quality, false, told ? &exif : NULL, &bytes);
    linnet_flora_image_free(&image);
    if (rc) return linnet_flora_complain("observations", "out of memory");
    rc = snprintf(path, sizeof path, "%s/%s", r->out, name) >= (int)sizeof path ||
         linnet_flora_bytes_save(&bytes, path);
    linnet_flora_bytes_free(&bytes);
    return rc ? linnet_flora_complain("observations", "%s/%s: %s", r->out, name, strerror(errno)) : 0;
}

static void put_name(FILE *csv, const struct flora *flora, size_t species) {
    char id[FLORA_ID_SIZE] = "";
    if (species != FLORA_NONE) linnet_flora_taxon_id(TAXON_SPECIES, species, id);
    fprintf(csv, "%s,%s,", id, species == FLORA_NONE ? "" : flora->species[species].name);
}

static int draw_observation(const struct request *r, size_t index, FILE *csv, size_t *images) {
    struct sampled_observation o;
    linnet_flora_sample(&r->sampling, index, &o);
    for (size_t i = 0; i < o.nviews; i++) {
        char name[64], truth[FLORA_ID_SIZE] = "";
        snprintf(name, sizeof name, "images/%s-%zu.jpg", o.id, i + 1);
        if (draw_view(r, &o, i, name)) return 1;
        if (o.species != FLORA_NONE) linnet_flora_taxon_id(TAXON_SPECIES, o.species, truth);
        fprintf(csv, "%s,%s,%s,", o.id, name, linnet_flora_organ_name(o.views[i].organ));
        put_name(csv, r->sampling.flora, o.labelled);
        fprintf(csv, "%s,%s,%.5f,%.5f,%s,%s,%s,%s\n", o.observer, o.site, o.latitude, o.longitude,
                o.observed_at, linnet_flora_checklists[o.checklist].id,
                linnet_flora_split_name(r->sampling.split), truth);
        ++*images;
    }
    return 0;
}

static int draw_all(const struct request *r, size_t from, size_t count, bool json) {
    char folder[4096];
    size_t images = 0;
    snprintf(folder, sizeof folder, "%s/images", r->out);
    if (linnet_flora_make_folder(folder))
        return linnet_flora_complain("observations", "%s: %s", folder, strerror(errno));
    FILE *csv = linnet_flora_create("observations", r->out, "observations.csv");
    if (!csv) return 1;
    fprintf(csv, "observation,image,organ,taxon,scientificName,observer,site,decimalLatitude,"
                 "decimalLongitude,observed_at,flora,"
                 "split,trueTaxon\n");
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = draw_observation(r, from + i, csv, &images);
    if (linnet_flora_close("observations", csv, "observations.csv")) rc = 1;
    if (!rc && json)
        printf("{\"observations\":%zu,\"images\":%zu,\"species\":%zu}\n", count, images,
               r->sampling.nspecies);
    if (!rc && !json)
        printf("%zu observations, %zu images of %zu species in %s\n", count, images, r->sampling.nspecies,
               r->out);
    return rc;
}

int linnet_flora_command_observations(int argc, char **argv) {
    struct request r = {.size = 480};
    struct part_options part = PART_OPTIONS;
    uint64_t seed = 1;
    size_t count = 100, from = 0, observers = 0, sites = 0;
    const char *split = "train";
    bool json = false;
    const struct option_spec table[] = {
        PART_OPTION_TABLE(part),
        {"seed", "N", "which observations", OPTION_SEED, 0, 0, &seed},
        {"count", "N", "observations to draw", OPTION_NUMBER, 1, 10000000, &count},
        {"from", "N", "number of the first one: 0-99 and 100-199 together are 0-199", OPTION_NUMBER, 0, 1e9,
         &from},
        {"split", "SPLIT", "train, validation or test: they share no observer and no site", OPTION_TEXT, 0, 0,
         &split},
        {"size", "PX", "shorter side of the pictures", OPTION_NUMBER, 16, 16000, &r.size},
        {"megapixels", "M", "size by area instead, 4:3 (12 is 4000 x 3000)", OPTION_REAL, 0, 200,
         &r.megapixels},
        {"observers", "N", "people of this split, 0 as many as usual", OPTION_NUMBER, 0, 100000, &observers},
        {"sites", "N", "places of this split, 0 as many as usual", OPTION_NUMBER, 0, 100000, &sites},
        {"non-plants", "F", "part of observations that show no plant", OPTION_REAL, 0, 1,
         &r.sampling.non_plants},
        {"label-noise", "F", "part of observations with a wrong name (trueTaxon tells)", OPTION_REAL, 0, 1,
         &r.sampling.label_noise},
        {"even", "", "every species as often, in place of Zipf's law", OPTION_FLAG, 0, 0, &r.sampling.even},
        {"plain", "", "no metadata, pixels upright", OPTION_FLAG, 0, 0, &r.plain},
        {"out", "DIR", "folder to write to, made if need be", OPTION_TEXT, 0, 0, &r.out},
        {"json", "", "print what was made as JSON", OPTION_FLAG, 0, 0, &json},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc = linnet_flora_options(
        "observations", "Draw observations: DIR/images/*.jpg and DIR/observations.csv.", table, argc, argv);
    if (rc) return rc < 0;
    int which = linnet_flora_split_parse(split);
    if (!r.out) return linnet_flora_complain("observations", "--out is needed");
    if (which < 0)
        return linnet_flora_complain("observations", "--split takes train, validation or test, not \"%s\"",
                                     split);
    struct part chosen;
    if (linnet_flora_part_open("observations", &part, &chosen)) return 1;
    r.sampling.flora = chosen.flora;
    r.sampling.species = chosen.species;
    r.sampling.nspecies = chosen.nspecies;
    r.sampling.seed = seed;
    r.sampling.split = (enum split)which;
    r.sampling.observers = observers;
    r.sampling.sites = sites;
    if (linnet_flora_sampling_prepare(&r.sampling))
        rc = linnet_flora_complain("observations", "out of memory");
    else
        rc = draw_all(&r, from, count, json);
    linnet_flora_sampling_done(&r.sampling);
    linnet_flora_part_close(&chosen);
    return rc;
}
