/* A model of a crowd: species, users with activity and skill, and what they say of an observation. All of it
 * follows from a seed and the figures below; nothing of it was fitted to what any method makes of it. */
#ifndef LINNET_BENCH_CONSENSUS_MODEL_H
#define LINNET_BENCH_CONSENSUS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct model_settings {
    uint64_t seed;
    uint32_t observations, users, species;
    double votes_per_observation; /* published: 9.0 million for 6.7 million */
    double link;                  /* correlation of skill with the rank of activity, -1 to 1 */
    double genus_share;           /* of the answers that a user is unsure of, given at genus level */
    double experts;               /* number of users of great skill, whatever their activity: published 98 */
};

struct model_table { /* numbers drawn by weight */
    uint32_t n;
    double *sum;
};

struct model {
    struct model_settings settings;
    uint64_t random;
    struct model_table species, authors, voters;
    double *difficulty;   /* of a species */
    uint32_t *look_alike; /* what a species is mostly taken for */
    double *skill;        /* of a user */
};

/* Species: Zipf-Mandelbrot, in genera of five; rarer is harder. Authors and voters: Zipf, voters a tenth of
 * the users. */
int model_init(struct model *model, const struct model_settings *settings);
void model_done(struct model *model);

enum { MODEL_GENUS_SIZE = 5, MODEL_FAMILY_SIZE = 8 /* genera */ };

/* A user's answer on a plant: the species if right, what it is taken for if wrong; *genus if only the genus
 * is given. `present` is what was said before (UINT32_MAX: nothing): part of the users confirm it without
 * looking. */
uint32_t model_answer(struct model *model, uint32_t user, uint32_t truth, uint32_t present, bool *genus);
uint32_t model_draw(struct model *model, const struct model_table *table);
double model_uniform(struct model *model);
/* How many votes an observation gets. */
uint32_t model_votes(struct model *model);

#endif
