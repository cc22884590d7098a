/* crowd DIR [NAME=VALUE...]: draw a crowd and write votes.csv, taxa.csv and truth.csv.
 *
 * Names: seed observations users species votes (per observation) link genus experts; by default the size of
 * Pl@ntNet's published set (of 855,000 users 823,000 come to vote). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/consensus/model.h"

enum { MOST_VOTES = 64 };

static FILE *open_in(const char *dir, const char *name, const char *header) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    setvbuf(file, NULL, _IOFBF, 1 << 20);
    fprintf(file, "%s\n", header);
    return file;
}

static uint32_t genera(const struct model *model) {
    return (model->settings.species + MODEL_GENUS_SIZE - 1) / MODEL_GENUS_SIZE;
}

static void write_taxa(const struct model *model, const char *dir) {
    FILE *file = open_in(dir, "taxa.csv", "taxon,parent,rank,accepted");
    uint32_t n = genera(model), families = (n + MODEL_FAMILY_SIZE - 1) / MODEL_FAMILY_SIZE;
    fprintf(file, "plants,,kingdom,\n");
    for (uint32_t f = 0; f < families; f++)
        fprintf(file, "f%u,plants,family,\n", f);
    for (uint32_t g = 0; g < n; g++)
        fprintf(file, "g%u,f%u,genus,\n", g, g / MODEL_FAMILY_SIZE);
    for (uint32_t k = 0; k < model->settings.species; k++)
        fprintf(file, "s%u,g%u,species,\n", k, k % n);
    fclose(file);
}

/* Observations come at a steady pace over seven years; votes on them up to a month later. */
static void write_time(FILE *file, uint64_t minutes) {
    uint64_t days = minutes / 1440, month = days / 28;
    fprintf(file, "%04u-%02u-%02uT%02u:%02u:00Z", (unsigned)(2017 + month / 12), (unsigned)(month % 12 + 1),
            (unsigned)(days % 28 + 1), (unsigned)(minutes / 60 % 24), (unsigned)(minutes % 60));
}

static void write_observation(struct model *model, uint32_t i, FILE *votes, FILE *truths) {
    uint32_t truth = model_draw(model, &model->species), n = model_votes(model), voted[MOST_VOTES],
             present = UINT32_MAX;
    uint64_t minutes = (uint64_t)i * (7 * 12 * 28 * 1440) / model->settings.observations;
    fprintf(truths, "%u,s%u\n", 1000000000 + i, truth);
    for (uint32_t v = 0; v < n; v++) {
        bool genus, again = false;
        uint32_t user = voted[v] = model_draw(model, v == 0 ? &model->authors : &model->voters);
        for (uint32_t before = 0; before < v; before++)
            again = again || voted[before] == user;
        if (again) continue; /* one vote a user */
        uint32_t said = model_answer(model, user, truth, present, &genus);
        fprintf(votes, "%u,%u,%c%u,%d,", 1000000000 + i, user, genus ? 'g' : 's',
                genus ? said % genera(model) : said, v == 0);
        write_time(votes, minutes + (v ? v * 37 + (uint64_t)(model_uniform(model) * 20000) : 0));
        fputs(",\n", votes);
        if (present == UINT32_MAX && !genus) present = said;
    }
}

static int set(struct model_settings *settings, const char *word) {
    const char *equals = strchr(word, '=');
    double value = equals ? strtod(equals + 1, NULL) : 0;
    size_t n = equals ? (size_t)(equals - word) : 0;
    if (n == 4 && !strncmp(word, "seed", n))
        settings->seed = (uint64_t)value;
    else if (n == 12 && !strncmp(word, "observations", n))
        settings->observations = (uint32_t)value;
    else if (n == 5 && !strncmp(word, "users", n))
        settings->users = (uint32_t)value;
    else if (n == 7 && !strncmp(word, "species", n))
        settings->species = (uint32_t)value;
    else if (n == 5 && !strncmp(word, "votes", n))
        settings->votes_per_observation = value;
    else if (n == 4 && !strncmp(word, "link", n))
        settings->link = value;
    else if (n == 5 && !strncmp(word, "genus", n))
        settings->genus_share = value;
    else if (n == 7 && !strncmp(word, "experts", n))
        settings->experts = value;
    else
        return -1;
    return 0;
}

int main(int argc, char **argv) {
    struct model_settings settings = {20240305, 6699593, 855000, 11425, 1.3455, 0.5, 0, 98};
    struct model model;
    for (int i = 2; i < argc; i++)
        if (set(&settings, argv[i]) != 0) argc = 0;
    if (argc < 2 || !settings.observations || !settings.users || !settings.species) {
        fputs("crowd DIR [seed|observations|users|species|votes|link|genus|experts=VALUE...]\n", stderr);
        return 2;
    }
    if (model_init(&model, &settings) != 0) return 1;
    write_taxa(&model, argv[1]);
    FILE *votes = open_in(argv[1], "votes.csv", "observation,user,taxon,author,created_at,disagreement");
    FILE *truths = open_in(argv[1], "truth.csv", "observation,taxon");
    for (uint32_t i = 0; i < settings.observations; i++)
        write_observation(&model, i, votes, truths);
    fclose(truths);
    model_done(&model);
    return fclose(votes) == 0 ? 0 : 1;
}
