#include "tests/data/traits.h"

#include <string.h>

const struct trait_info linnet_flora_trait_info[TRAIT_COUNT] = {
#define X(name, organ, kind, low, high, genus, species) {#name, organ, kind, low, high, genus, species},
    LINNET_FLORA_TRAITS(X)
#undef X
};

static const char *const organ_names[] = {"flower", "leaf", "fruit", "bark", "habit", "auto"};

/* How common each value of a category is in nature, roughly; categories that are not here are even. */
static const double habit_weights[HABIT_FORMS] = {3, 1, 3, 5, 2, 1.2, 1, 1};
static const double leaf_weights[LEAF_FORMS] = {8, 2.5, 1.2, 1, 1, 0.6, 0.8};
static const double lobing_weights[LOBE_KINDS] = {6, 2, 2};
static const double plan_weights[FLOWER_PLANS] = {7, 3, 2, 2, 2, 0.8};
static const double palette_weights[PETAL_PALETTES] = {5, 4, 1.5, 3, 2.5, 2, 2.2, 1.5, 1, 1};
static const double venation_weights[VEIN_KINDS] = {6, 1, 1.5};

static const double *weights_of(enum trait trait) {
    switch (trait) {
    case T_HABIT_FORM:
        return habit_weights;
    case T_LEAF_FORM:
        return leaf_weights;
    case T_LEAF_LOBING:
        return lobing_weights;
    case T_LEAF_VENATION:
        return venation_weights;
    case T_FLOWER_PLAN:
        return plan_weights;
    case T_PETAL_PALETTE:
        return palette_weights;
    default:
        return NULL;
    }
}

static double draw(struct rng *rng, enum trait trait) {
    const struct trait_info *info = &linnet_flora_trait_info[trait];
    if (info->kind == TRAIT_CATEGORY) {
        const double *weights = weights_of(trait);
        return weights ? (double)rng_weighted(rng, weights, (size_t)info->high)
                       : rng_below(rng, (unsigned)info->high);
    }
    double unit = rng_unit(rng);
    if (info->kind == TRAIT_LOG) return info->low * fm_pow(info->high / info->low, unit);
    return fm_mix(info->low, info->high, unit);
}

/* Move a number by `part` of its range, bouncing off the ends so that values do not pile up there. */
static double wander(struct rng *rng, const struct trait_info *info, double value, double part) {
    bool log = info->kind == TRAIT_LOG;
    double low = log ? fm_log(info->low) : info->low, high = log ? fm_log(info->high) : info->high;
    double x = ((log ? fm_log(value) : value) - low) / (high - low) + rng_normal(rng) * part;
    if (x < 0) x = -x;
    if (x > 1) x = 2 - x;
    x = low + (high - low) * fm_clamp(x, 0, 1);
    return log ? fm_exp(x) : x;
}

/* What does not occur together in nature is put right: grasses have linear leaves, conifers needles and
 * cones. */
static void reconcile(struct traits *t) {
    double *v = t->v;
    if (trait_int(t, T_LEAF_FORM) == LEAF_NEEDLE) {
        v[T_HABIT_FORM] = HABIT_CONIC_TREE;
        v[T_FLOWER_PLAN] = FLOWER_CATKIN;
        v[T_FRUIT_TYPE] = FRUIT_CONE;
    } else if (trait_int(t, T_FRUIT_TYPE) == FRUIT_CONE) {
        v[T_FRUIT_TYPE] = FRUIT_CAPSULE;
    }
    if (trait_int(t, T_HABIT_FORM) == HABIT_TUFT) {
        v[T_LEAF_FORM] = LEAF_LINEAR;
        v[T_LEAF_VENATION] = VEIN_PARALLEL;
        v[T_LEAF_MARGIN] = MARGIN_ENTIRE;
    }
    bool woody = trait_int(t, T_HABIT_FORM) <= HABIT_SHRUB;
    int fruit = trait_int(t, T_FRUIT_TYPE);
    if (!woody && (fruit == FRUIT_NUT || fruit == FRUIT_SAMARA || fruit == FRUIT_POME))
        v[T_FRUIT_TYPE] = FRUIT_CAPSULE;
    if (trait_int(t, T_FLOWER_PLAN) == FLOWER_HEAD) v[T_FRUIT_TYPE] = FRUIT_PAPPUS;
    if (trait_int(t, T_FLOWER_PLAN) == FLOWER_PEA) v[T_FRUIT_TYPE] = FRUIT_POD;
    if (trait_int(t, T_FLOWER_PLAN) == FLOWER_CATKIN) v[T_INFLORESCENCE] = INFLORESCENCE_SOLITARY;
}

void linnet_flora_traits_family(struct rng *rng, struct traits *out) {
    for (int i = 0; i < TRAIT_COUNT; i++)
        out->v[i] = draw(rng, (enum trait)i);
    reconcile(out);
}

static void inherit(struct rng *rng, const struct traits *parent, struct traits *out, bool species) {
    for (int i = 0; i < TRAIT_COUNT; i++) {
        const struct trait_info *info = &linnet_flora_trait_info[i];
        double part = species ? info->species : info->genus;
        if (info->kind == TRAIT_CATEGORY)
            out->v[i] = rng_chance(rng, part) ? draw(rng, (enum trait)i) : parent->v[i];
        else
            out->v[i] = wander(rng, info, parent->v[i], part);
    }
    reconcile(out);
}

void linnet_flora_traits_genus(struct rng *rng, const struct traits *parent, struct traits *out) {
    inherit(rng, parent, out, false);
}

void linnet_flora_traits_species(struct rng *rng, const struct traits *parent, struct traits *out) {
    inherit(rng, parent, out, true);
}

void linnet_flora_traits_individual(struct rng *rng, const struct traits *species, struct traits *out) {
    for (int i = 0; i < TRAIT_COUNT; i++) {
        const struct trait_info *info = &linnet_flora_trait_info[i];
        out->v[i] = info->kind == TRAIT_CATEGORY ? species->v[i] : wander(rng, info, species->v[i], 0.05);
    }
}

/* Half a range away, wrapped round: never near the old value. */
static double elsewhere(struct rng *rng, const struct trait_info *info, double value) {
    bool log = info->kind == TRAIT_LOG;
    double low = log ? fm_log(info->low) : info->low, high = log ? fm_log(info->high) : info->high;
    double x = ((log ? fm_log(value) : value) - low) / (high - low) + rng_range(rng, 0.35, 0.65);
    x = low + (high - low) * (x - floor(x));
    return log ? fm_exp(x) : x;
}

void linnet_flora_traits_redraw_organ(struct rng *rng, enum organ organ, struct traits *traits) {
    static const enum trait fixed[] = {T_HABIT_FORM, T_LEAF_FORM, T_FLOWER_PLAN, T_FRUIT_TYPE,
                                       T_INFLORESCENCE};
    for (int i = 0; i < TRAIT_COUNT; i++) {
        const struct trait_info *info = &linnet_flora_trait_info[i];
        bool keep = info->organ != organ;
        for (size_t j = 0; j < sizeof fixed / sizeof *fixed; j++)
            keep = keep || (int)fixed[j] == i;
        if (keep) continue;
        if (info->kind == TRAIT_CATEGORY)
            traits->v[i] =
                (int)(traits->v[i] + 1 + rng_below(rng, (unsigned)info->high - 1)) % (int)info->high;
        else
            traits->v[i] = elsewhere(rng, info, traits->v[i]);
    }
}

const char *linnet_flora_organ_name(enum organ organ) {
    return organ_names[organ <= ORGAN_NONE ? organ : ORGAN_NONE];
}

int linnet_flora_organ_parse(const char *name) {
    for (int i = 0; i < ORGAN_COUNT; i++)
        if (!strcmp(name, organ_names[i])) return i;
    return -1;
}

bool linnet_flora_has_organ(const struct traits *traits, enum organ organ) {
    return organ != ORGAN_BARK || trait_int(traits, T_HABIT_FORM) <= HABIT_SHRUB;
}

/* Lightness, chroma, hue. White, yellow, orange, pink, purple, violet, blue, red, cream, greenish. */
static const double petal_palette[PETAL_PALETTES][3] = {
    {0.95, 0.02, 100}, {0.89, 0.17, 98},  {0.75, 0.17, 58}, {0.80, 0.11, 355}, {0.60, 0.19, 335},
    {0.52, 0.17, 300}, {0.58, 0.16, 265}, {0.55, 0.21, 25}, {0.91, 0.07, 92},  {0.78, 0.10, 122}};
/* Red, black, orange, blue, yellow, green, white, brown. */
static const double fruit_palette[FRUIT_PALETTES][3] = {
    {0.52, 0.20, 27}, {0.27, 0.05, 320}, {0.70, 0.18, 55},  {0.42, 0.10, 275},
    {0.83, 0.15, 95}, {0.62, 0.13, 125}, {0.92, 0.02, 100}, {0.48, 0.07, 60}};
/* Grey-brown, grey, red-brown, dark, pale, ochre. */
static const double bark_palette[BARK_PALETTES][3] = {{0.48, 0.035, 65}, {0.56, 0.010, 90},
                                                      {0.45, 0.070, 48}, {0.34, 0.020, 60},
                                                      {0.78, 0.015, 85}, {0.58, 0.055, 75}};

struct colour linnet_flora_petal_colour(const struct traits *traits) {
    const double *p = petal_palette[trait_int(traits, T_PETAL_PALETTE)], *v = traits->v;
    return linnet_flora_oklch(fm_clamp(p[0] + v[T_PETAL_LIGHTNESS], 0.2, 0.97), p[1] * v[T_PETAL_CHROMA],
                              p[2] + v[T_PETAL_HUE]);
}

struct colour linnet_flora_petal_inner(const struct traits *traits) {
    const double *p = petal_palette[trait_int(traits, T_PETAL_INNER)];
    return linnet_flora_oklch(p[0], p[1], p[2]);
}

struct colour linnet_flora_leaf_colour(const struct traits *traits) {
    const double *v = traits->v;
    if (trait_int(traits, T_LEAF_PATTERN) == PATTERN_RED)
        return linnet_flora_oklch(v[T_LEAF_LIGHTNESS] - 0.08, v[T_LEAF_CHROMA] * 0.8,
                                  15 + (v[T_LEAF_HUE] - 108) * 0.7);
    return linnet_flora_oklch(v[T_LEAF_LIGHTNESS], v[T_LEAF_CHROMA], v[T_LEAF_HUE]);
}

struct colour linnet_flora_fruit_colour(const struct traits *traits) {
    const double *p = fruit_palette[trait_int(traits, T_FRUIT_PALETTE)], *v = traits->v;
    return linnet_flora_oklch(fm_clamp(p[0] + v[T_FRUIT_LIGHTNESS], 0.15, 0.95), p[1], p[2] + v[T_FRUIT_HUE]);
}

struct colour linnet_flora_bark_colour(const struct traits *traits) {
    const double *p = bark_palette[trait_int(traits, T_BARK_PALETTE)];
    return linnet_flora_oklch(p[0] + traits->v[T_BARK_LIGHTNESS], p[1], p[2]);
}
