#include "tests/data/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const split_names[SPLITS] = {"train", "validation", "test"};
static const size_t usual_observers[SPLITS] = {80, 20, 30}, usual_sites[SPLITS] = {60, 15, 24};

const char *linnet_flora_split_name(enum split split) {
    return split_names[split];
}

int linnet_flora_split_parse(const char *name) {
    for (int i = 0; i < SPLITS; i++)
        if (!strcmp(name, split_names[i])) return i;
    return -1;
}

int linnet_flora_sampling_prepare(struct sampling *s) {
    if (!s->observers) s->observers = usual_observers[s->split];
    if (!s->sites) s->sites = usual_sites[s->split];
    if (!s->nspecies) return -1;
    s->weights = calloc(s->nspecies, sizeof *s->weights);
    if (!s->weights) return -1;
    /* Zipf's law within the part: by rank, so that a part of a large flora is as uneven as the whole */
    for (size_t i = 0; i < s->nspecies; i++) {
        size_t rank = 1;
        for (size_t j = 0; j < s->nspecies; j++)
            rank += s->flora->species[s->species[j]].abundance > s->flora->species[s->species[i]].abundance;
        s->weights[i] = s->even ? 1 : 1 / (double)rank;
    }
    return 0;
}

void linnet_flora_sampling_done(struct sampling *s) {
    free(s->weights);
    s->weights = NULL;
}

/* Keys of a split's observers, sites and observations: far apart. */
static uint64_t key_of(enum split split, size_t index) {
    return ((uint64_t)split + 1) * 1000000007u * 4096 + index;
}

void linnet_flora_uid(uint64_t seed, enum split split, size_t index, char out[FLORA_UID_SIZE]) {
    struct rng rng = rng_make(seed, RNG_OBSERVER, key_of(split, index));
    snprintf(out, FLORA_UID_SIZE, "%016llx", (unsigned long long)rng_next(&rng));
}

void linnet_flora_ulid(struct rng *rng, int64_t ms, char out[FLORA_ULID_SIZE]) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t high = rng_next(rng), low = rng_next(rng);
    for (int i = 0; i < 10; i++)
        out[i] = digits[((uint64_t)ms >> (45 - 5 * i)) & 31];
    for (int i = 0; i < 8; i++) {
        out[10 + i] = digits[(high >> (5 * i)) & 31];
        out[18 + i] = digits[(low >> (5 * i)) & 31];
    }
    out[26] = 0;
}

void linnet_flora_time_format(int64_t ms, char out[FLORA_TIME_SIZE]) {
    /* days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" */
    int64_t seconds = ms / 1000, days = seconds / 86400 + 719468, era = days / 146097;
    unsigned of_day = (unsigned)(seconds % 86400), doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
             doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = yoe + (unsigned)(era * 400) + (month <= 2);
    snprintf(out, FLORA_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100, day % 100,
             of_day / 3600 % 24, of_day / 60 % 60, of_day % 60);
}

/* Of three years, more in spring and summer, by day. */
static int64_t when(struct rng *rng) {
    int64_t start = 1672531200000; /* 2023-01-01 */
    double year = floor(rng_range(rng, 0, 3)), day = 150 + 55 * rng_normal(rng), hour = rng_range(rng, 6, 20);
    return start + (int64_t)((year * 365.25 + fm_clamp(day, 1, 364)) * 86400000.0) +
           (int64_t)(hour * 3600000.0);
}

/* One of the split's sites in a region: its place, and what its ground looks like. */
static void visit(const struct sampling *s, struct rng *rng, unsigned checklist,
                  struct sampled_observation *out, struct conditions *ground) {
    size_t mine = (s->sites + FLORA_CHECKLISTS - 1 - checklist) / FLORA_CHECKLISTS;
    size_t index = checklist + FLORA_CHECKLISTS * rng_below(rng, (unsigned)mine);
    const struct flora_checklist *area = &linnet_flora_checklists[checklist];
    struct rng site = rng_make(s->seed, RNG_SITE, key_of(s->split, index));
    double latitude = rng_range(&site, area->south + 0.1, area->north - 0.1);
    double longitude = rng_range(&site, area->west + 0.1, area->east - 0.1);
    linnet_flora_conditions(&site, ground);
    snprintf(out->site, sizeof out->site, "%c%u", "tve"[s->split], (unsigned)index);
    out->latitude = latitude + rng_range(rng, -0.02, 0.02);
    out->longitude = longitude + rng_range(rng, -0.02, 0.02);
    out->checklist = checklist;
}

static unsigned region(struct rng *rng, const struct sampling *s, size_t species) {
    double weights[FLORA_CHECKLISTS];
    unsigned mask = species == FLORA_NONE ? ~0u : s->flora->species[species].checklists;
    for (unsigned i = 0; i < FLORA_CHECKLISTS; i++)
        weights[i] = (mask >> i & 1) * (i == 2 ? 0.5 : 1.0);
    return (unsigned)rng_weighted(rng, weights, FLORA_CHECKLISTS);
}

static void choose_views(const struct sampling *s, struct rng *rng, struct sampled_observation *out) {
    static const double counts[FLORA_VIEWS_MAX] = {42, 30, 18, 10};
    double organs[ORGAN_COUNT] = {34, 30, 14, 8, 14};
    out->nviews = 1 + rng_weighted(rng, counts, FLORA_VIEWS_MAX);
    if (out->species != FLORA_NONE &&
        !linnet_flora_has_organ(&s->flora->species[out->species].traits, ORGAN_BARK))
        organs[ORGAN_BARK] = 0;
    for (size_t i = 0; i < out->nviews; i++) {
        size_t organ = rng_weighted(rng, organs, ORGAN_COUNT);
        out->views[i].organ = out->species == FLORA_NONE ? ORGAN_NONE : (enum organ)organ;
        out->views[i].picture = rng_next(rng);
        organs[organ] *= 0.25; /* people vary what they show */
    }
}

/* A wrong name is most often a near one. */
static size_t misname(const struct sampling *s, struct rng *rng, size_t species) {
    size_t other = s->species[rng_below(rng, (unsigned)s->nspecies)];
    if (species == FLORA_NONE) return species;
    bool near = rng_chance(rng, 0.7);
    for (size_t i = 0, at = rng_below(rng, (unsigned)s->nspecies); near && i < s->nspecies; i++) {
        size_t sibling = s->species[(at + i) % s->nspecies];
        if (sibling != species && s->flora->species[sibling].genus == s->flora->species[species].genus)
            return sibling;
    }
    return other;
}

void linnet_flora_sample(const struct sampling *s, size_t index, struct sampled_observation *out) {
    struct rng rng = rng_make(s->seed, RNG_OBSERVATION, key_of(s->split, index));
    struct conditions observer, ground;
    memset(out, 0, sizeof *out);
    out->species = rng_chance(&rng, s->non_plants) ? FLORA_NONE
                                                   : s->species[rng_weighted(&rng, s->weights, s->nspecies)];
    visit(s, &rng, region(&rng, s, out->species), out, &ground);
    /* a few observers do most of the work */
    double skew = rng_unit(&rng);
    size_t who = (size_t)(skew * skew * (double)s->observers);
    struct rng person = rng_make(s->seed, RNG_OBSERVER, key_of(s->split, who));
    linnet_flora_uid(s->seed, s->split, who, out->observer);
    linnet_flora_conditions(&person, &observer);
    out->quality = 80 + rng_below(&person, 16);
    out->conditions = observer;
    out->conditions.clutter = ground.clutter;
    for (int i = 0; i < BACKGROUNDS; i++)
        out->conditions.weights[i] = observer.weights[i] * ground.weights[i];
    out->observed_ms = when(&rng) / 1000 * 1000;
    linnet_flora_time_format(out->observed_ms, out->observed_at);
    linnet_flora_ulid(&rng, out->observed_ms + 600000, out->id);
    out->individual = rng_next(&rng);
    choose_views(s, &rng, out);
    out->labelled = rng_chance(&rng, s->label_noise) ? misname(s, &rng, out->species) : out->species;
}
