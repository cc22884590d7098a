#include "tests/bench/consensus/model.h"

#include <math.h>
#include <stdlib.h>

static uint64_t next(struct model *model) { /* splitmix64 */
    uint64_t z = (model->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double model_uniform(struct model *model) {
    return (double)(next(model) >> 11) * 0x1p-53;
}

static double normal(struct model *model) { /* Box and Muller */
    double u = model_uniform(model), v = model_uniform(model);
    return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

/* Weights 1 / (rank + shift)^exponent. */
static int table_init(struct model_table *table, uint32_t n, double shift, double exponent) {
    double sum = 0;
    table->n = n;
    table->sum = malloc(n * sizeof *table->sum);
    if (!table->sum) return -1;
    for (uint32_t i = 0; i < n; i++)
        table->sum[i] = sum += pow(i + shift, -exponent);
    return 0;
}

uint32_t model_draw(struct model *model, const struct model_table *table) {
    double at = model_uniform(model) * table->sum[table->n - 1];
    uint32_t low = 0, high = table->n - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->sum[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Common species stand at low numbers; a genus is five species far apart in rank, so that each has common and
 * rare ones. */
static void draw_species(struct model *model) {
    uint32_t n = model->settings.species, genera = (n + MODEL_GENUS_SIZE - 1) / MODEL_GENUS_SIZE;
    for (uint32_t k = 0; k < n; k++) {
        double rank = log((k + 50.0) / 50) / log((n + 50.0) / 50); /* 0 common to 1 rare */
        uint32_t sister = (k + genera * (1 + (uint32_t)(next(model) % (MODEL_GENUS_SIZE - 1)))) %
                          (genera * MODEL_GENUS_SIZE);
        model->difficulty[k] = 1.6 * rank - 0.8 + 0.7 * normal(model);
        model->look_alike[k] = sister < n ? sister : (k + 1) % n;
    }
}

/* Skill: normal, linked to the rank of activity. A few experts are drawn from those who vote. */
static void draw_users(struct model *model) {
    const struct model_settings *settings = &model->settings;
    double rest = sqrt(fmax(0, 1 - settings->link * settings->link));
    for (uint32_t u = 0; u < settings->users; u++) {
        /* the normal score of the rank: the most active first */
        double active = -2.0 * ((u + 0.5) / settings->users - 0.5) * 1.7320508;
        model->skill[u] = 0.6 + 1.1 * (settings->link * active + rest * normal(model));
    }
    for (double e = 0; e < settings->experts; e++)
        model->skill[next(model) % model->voters.n] = 4.5;
}

int model_init(struct model *model, const struct model_settings *settings) {
    *model = (struct model){.settings = *settings, .random = settings->seed};
    uint32_t voters = settings->users / 10 ? settings->users / 10 : 1;
    model->difficulty = malloc(settings->species * sizeof *model->difficulty);
    model->look_alike = malloc(settings->species * sizeof *model->look_alike);
    model->skill = malloc(settings->users * sizeof *model->skill);
    if (!model->difficulty || !model->look_alike || !model->skill ||
        table_init(&model->species, settings->species, 50, 1) ||
        table_init(&model->authors, settings->users, 20, 0.75) || table_init(&model->voters, voters, 5, 1))
        return -1;
    draw_species(model);
    draw_users(model);
    return 0;
}

void model_done(struct model *model) {
    free(model->difficulty);
    free(model->look_alike);
    free(model->skill);
    free(model->species.sum);
    free(model->authors.sum);
    free(model->voters.sum);
}

uint32_t model_answer(struct model *model, uint32_t user, uint32_t truth, uint32_t present, bool *genus) {
    double skill = model->skill[user], sure = 1 / (1 + exp(model->difficulty[truth] - skill - 0.6));
    *genus = false;
    if (present != UINT32_MAX && skill < 3 && model_uniform(model) < 0.25)
        return present; /* confirmed unseen */
    bool right = model_uniform(model) < sure;
    /* Whoever is unsure may stay at the genus: more often when the species would have been wrong. */
    if (model_uniform(model) < model->settings.genus_share * (right ? 0.25 : 1)) {
        *genus = true;
        return truth;
    }
    if (right) return truth;
    double kind = model_uniform(model);
    if (kind < 0.5) return model->look_alike[truth];
    if (kind < 0.8) return model->look_alike[model->look_alike[truth]];
    return model_draw(model, &model->species);
}

uint32_t model_votes(struct model *model) {
    /* The author, and for one observation in five others: geometric, with the mean that is asked for. */
    double others = (model->settings.votes_per_observation - 1) / 0.2, stop = 1 / (others > 1 ? others : 1);
    uint32_t n = 1;
    if (model_uniform(model) >= 0.2) return n;
    for (n++; n < 40 && model_uniform(model) >= stop; n++)
        ;
    return n;
}
