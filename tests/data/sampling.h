/* Who photographed what, where and when. Splits share neither observations nor observers nor sites. */
#ifndef LINNET_FLORA_SAMPLING_H
#define LINNET_FLORA_SAMPLING_H

#include "tests/data/flora.h"
#include "tests/data/scene.h"

#define FLORA_VIEWS_MAX 4
#define FLORA_UID_SIZE  17
#define FLORA_ULID_SIZE 27
#define FLORA_TIME_SIZE 25

enum split { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLITS };

/* What to draw from. Filled in by the caller, who owns `species`. */
struct sampling {
    const struct flora *flora;
    const size_t *species; /* the part that is photographed */
    size_t nspecies;
    double *weights; /* of each, made by prepare, freed by done */
    uint64_t seed;
    enum split split;
    size_t observers, sites; /* how many of the split's own; 0: as many as usual */
    double non_plants;       /* part of observations that show no plant */
    double label_noise;      /* part of observations with a wrong name */
    bool even;               /* every species as often, in place of Zipf's law */
};

struct sampled_view {
    enum organ organ;
    uint64_t picture; /* seed */
};

struct sampled_observation {
    char id[FLORA_ULID_SIZE], observer[FLORA_UID_SIZE], site[16], observed_at[FLORA_TIME_SIZE];
    int64_t observed_ms;
    size_t species;  /* what it is; FLORA_NONE: no plant */
    size_t labelled; /* what the observer called it */
    uint64_t individual;
    unsigned checklist;
    double latitude, longitude;
    struct conditions conditions;
    struct sampled_view views[FLORA_VIEWS_MAX];
    size_t nviews;
    size_t quality; /* of its JPEG files */
};

const char *linnet_flora_split_name(enum split split);
/* 0 .. SPLITS - 1, or -1. */
int linnet_flora_split_parse(const char *name);
/* Fill in what was left at zero. 0 or -1 (no memory, or no species). */
int linnet_flora_sampling_prepare(struct sampling *sampling);
void linnet_flora_sampling_done(struct sampling *sampling);
/* The observation of an index: the same whatever else is drawn. */
void linnet_flora_sample(const struct sampling *sampling, size_t index, struct sampled_observation *out);
/* A user's id: 16 hexadecimal digits. */
void linnet_flora_uid(uint64_t seed, enum split split, size_t index, char out[FLORA_UID_SIZE]);
/* A ULID of a time: Crockford's base 32, 48 bits of time, 80 of chance. */
void linnet_flora_ulid(struct rng *rng, int64_t ms, char out[FLORA_ULID_SIZE]);
/* RFC 3339 in UTC, whole seconds. */
void linnet_flora_time_format(int64_t ms, char out[FLORA_TIME_SIZE]);

#endif
