#include "tests/data/crowd.h"

#define DAY_MS 86400000.0

static const char *const kind_names[PERSON_KINDS] = {"expert", "amateur", "novice", "careless"};
static const char *const vote_names[] = {"taxon", "not-a-plant", "cannot-tell"};

const char *linnet_flora_person_kind_name(enum person_kind kind) {
    return kind_names[kind];
}

const char *linnet_flora_vote_kind_name(enum vote_kind kind) {
    return vote_names[kind];
}

void linnet_flora_person(uint64_t seed, size_t index, struct person *out) {
    static const double shares[PERSON_KINDS] = {0.12, 0.4, 0.38, 0.1};
    static const double skills[PERSON_KINDS][2] = {{0.9, 0.98}, {0.65, 0.88}, {0.3, 0.6}, {0.05, 0.2}};
    static const double follows[PERSON_KINDS] = {0.05, 0.3, 0.6, 0.2};
    struct rng rng = rng_make(seed, RNG_VOTER, index);
    linnet_flora_uid(seed + 1, SPLITS, index, out->uid);
    out->kind = (enum person_kind)rng_weighted(&rng, shares, PERSON_KINDS);
    out->skill = rng_range(&rng, skills[out->kind][0], skills[out->kind][1]);
    out->follows = follows[out->kind];
    out->activity = 1 / (1.0 + rng_below(&rng, 12));
    out->seed = rng_next(&rng);
}

/* What is easily taken for it: its look-alike, a sibling, anything of the family. */
static size_t mistake(const struct flora *flora, size_t truth, struct rng *rng) {
    const struct flora_species *species = &flora->species[truth];
    const struct flora_genus *genus = &flora->genera[species->genus];
    const struct flora_family *family = &flora->families[genus->family];
    if (species->lookalike != FLORA_NONE && rng_chance(rng, 0.7)) return species->lookalike;
    if (genus->count > 1 && rng_chance(rng, 0.7)) {
        size_t other = genus->first + rng_below(rng, (unsigned)genus->count - 1);
        return other < truth ? other : other + 1;
    }
    const struct flora_genus *near = &flora->genera[family->first + rng_below(rng, (unsigned)family->count)];
    return near->first + rng_below(rng, (unsigned)near->count);
}

/* Everybody knows some families better than others. */
static double skill_for(const struct flora *flora, const struct person *person, size_t truth) {
    size_t family = truth == FLORA_NONE ? FLORA_NONE : flora->genera[flora->species[truth].genus].family;
    struct rng rng = rng_make(person->seed, RNG_VOTER, family);
    double skill = truth == FLORA_NONE ? 0.5 + 0.5 * person->skill : person->skill + 0.14 * rng_normal(&rng);
    if (truth != FLORA_NONE && flora->species[truth].lookalike != FLORA_NONE) skill -= 0.12;
    return fm_clamp(skill, 0.02, 0.99);
}

void linnet_flora_cast(const struct flora *flora, const struct person *person, size_t truth, size_t label,
                       int64_t observed_ms, struct rng *rng, struct vote *out) {
    double wait = rng_unit(rng), sure = skill_for(flora, person, truth);
    size_t says = truth;
    *out = (struct vote){VOTE_TAXON, FLORA_NONE, FLORA_NONE,
                         observed_ms + 900000 + (int64_t)(wait * wait * 30 * DAY_MS) / 1000 * 1000};
    if (!rng_chance(rng, sure)) {
        if (person->kind != PERSON_CARELESS && rng_chance(rng, 0.15)) {
            out->kind = VOTE_CANNOT_TELL;
            return;
        }
        bool follows = rng_chance(rng, person->follows);
        if (follows && label != FLORA_NONE)
            says = label;
        else if (truth == FLORA_NONE || person->kind == PERSON_CARELESS)
            says = rng_below(rng, (unsigned)flora->nspecies);
        else
            says = mistake(flora, truth, rng);
    }
    if (says == FLORA_NONE) {
        out->kind = VOTE_NOT_A_PLANT;
        return;
    }
    out->species = says;
    /* "it is not even of that genus": experts say so when they see it */
    size_t genus = label == FLORA_NONE ? FLORA_NONE : flora->species[label].genus;
    if (person->kind == PERSON_EXPERT && genus != FLORA_NONE && flora->species[says].genus != genus &&
        rng_chance(rng, 0.5))
        out->disagrees_with = genus;
}
