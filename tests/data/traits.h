/* What a plant looks like, as one table: every trait has an organ that shows it, a range, and how far it
 * wanders from a family to a genus and from a genus to a species. Inheritance, individual variation and
 * look-alikes are all loops over this table. */
#ifndef LINNET_FLORA_TRAITS_H
#define LINNET_FLORA_TRAITS_H

#include "tests/data/colour.h"
#include "tests/data/rng.h"

/* The five organs of the documents, in the order of the model's organ outputs. */
enum organ {
    ORGAN_FLOWER,
    ORGAN_LEAF,
    ORGAN_FRUIT,
    ORGAN_BARK,
    ORGAN_HABIT,
    ORGAN_COUNT,
    ORGAN_NONE = ORGAN_COUNT
};

enum habit_form {
    HABIT_ROUND_TREE,
    HABIT_CONIC_TREE,
    HABIT_SHRUB,
    HABIT_HERB,
    HABIT_ROSETTE,
    HABIT_TUFT,
    HABIT_CUSHION,
    HABIT_CLIMBER,
    HABIT_FORMS
};
enum leaf_form {
    LEAF_SIMPLE,
    LEAF_PINNATE,
    LEAF_PALMATE,
    LEAF_TRIFOLIATE,
    LEAF_LINEAR,
    LEAF_NEEDLE,
    LEAF_BIPINNATE,
    LEAF_FORMS
};
enum leaf_lobing { LOBE_NONE, LOBE_PINNATE, LOBE_PALMATE, LOBE_KINDS };
enum leaf_margin {
    MARGIN_ENTIRE,
    MARGIN_SERRATE,
    MARGIN_CRENATE,
    MARGIN_DENTATE,
    MARGIN_SPINY,
    MARGIN_KINDS
};
enum leaf_venation { VEIN_PINNATE, VEIN_PARALLEL, VEIN_ARCHED, VEIN_KINDS };
enum leaf_pattern {
    PATTERN_NONE,
    PATTERN_PLAIN,
    PATTERN_EDGE,
    PATTERN_SPOTS,
    PATTERN_MIDRIB,
    PATTERN_RED,
    PATTERN_KINDS
};
enum phyllotaxy { LEAVES_ALTERNATE, LEAVES_OPPOSITE, LEAVES_WHORLED, PHYLLOTAXIES };
enum flower_plan {
    FLOWER_RADIAL,
    FLOWER_HEAD,
    FLOWER_BELL,
    FLOWER_PEA,
    FLOWER_LIP,
    FLOWER_CATKIN,
    FLOWER_PLANS
};
enum petal_mark { MARK_NONE, MARK_PLAIN, MARK_VEINS, MARK_SPOTS, MARK_EDGE, MARK_RING, MARK_KINDS };
enum inflorescence {
    INFLORESCENCE_SOLITARY,
    INFLORESCENCE_RACEME,
    INFLORESCENCE_SPIKE,
    INFLORESCENCE_UMBEL,
    INFLORESCENCE_CORYMB,
    INFLORESCENCE_PANICLE,
    INFLORESCENCES
};
enum fruit_type {
    FRUIT_BERRY,
    FRUIT_DRUPE,
    FRUIT_POME,
    FRUIT_CAPSULE,
    FRUIT_POD,
    FRUIT_PAPPUS,
    FRUIT_NUT,
    FRUIT_SAMARA,
    FRUIT_CONE,
    FRUIT_AGGREGATE,
    FRUIT_TYPES
};
enum bark_texture {
    BARK_SMOOTH,
    BARK_FISSURED,
    BARK_PLATES,
    BARK_PEELING,
    BARK_STRINGY,
    BARK_SCALY,
    BARK_TEXTURES
};

#define PETAL_PALETTES 10
#define FRUIT_PALETTES 8
#define BARK_PALETTES  6

enum trait_kind {
    TRAIT_LINEAR,  /* a number; wanders by `genus` and `species` as parts of its range */
    TRAIT_LOG,     /* the same on a logarithmic scale */
    TRAIT_CATEGORY /* one of 0 .. high-1; `genus` and `species` are probabilities of another one */
};

/*    name               organ         kind            low   high             genus species */
#define LINNET_FLORA_TRAITS(X)                                                                               \
    X(HABIT_FORM, ORGAN_HABIT, TRAIT_CATEGORY, 0, HABIT_FORMS, 0.20, 0.00)                                   \
    X(HABIT_HEIGHT, ORGAN_HABIT, TRAIT_LINEAR, 0.45, 1.00, 0.30, 0.22)                                       \
    X(HABIT_SPREAD, ORGAN_HABIT, TRAIT_LINEAR, 0.35, 1.00, 0.30, 0.22)                                       \
    X(HABIT_DENSITY, ORGAN_HABIT, TRAIT_LINEAR, 0.25, 1.00, 0.30, 0.22)                                      \
    X(LEAF_FORM, ORGAN_LEAF, TRAIT_CATEGORY, 0, LEAF_FORMS, 0.25, 0.04)                                      \
    X(LEAF_LEAFLETS, ORGAN_LEAF, TRAIT_LINEAR, 5, 17, 0.25, 0.20)                                            \
    X(LEAF_ASPECT, ORGAN_LEAF, TRAIT_LOG, 1.0, 5.0, 0.22, 0.20)                                              \
    X(LEAF_WIDEST, ORGAN_LEAF, TRAIT_LINEAR, 0.26, 0.72, 0.25, 0.18)                                         \
    X(LEAF_BASE, ORGAN_LEAF, TRAIT_LINEAR, -1.0, 1.00, 0.25, 0.18)                                           \
    X(LEAF_TIP, ORGAN_LEAF, TRAIT_LINEAR, 0.0, 1.00, 0.30, 0.20)                                             \
    X(LEAF_LOBING, ORGAN_LEAF, TRAIT_CATEGORY, 0, LOBE_KINDS, 0.30, 0.12)                                    \
    X(LEAF_LOBES, ORGAN_LEAF, TRAIT_LINEAR, 3, 7.9, 0.25, 0.20)                                              \
    X(LEAF_LOBE_DEPTH, ORGAN_LEAF, TRAIT_LINEAR, 0.15, 0.75, 0.25, 0.20)                                     \
    X(LEAF_LOBE_POINT, ORGAN_LEAF, TRAIT_LINEAR, 0.0, 1.00, 0.30, 0.15)                                      \
    X(LEAF_MARGIN, ORGAN_LEAF, TRAIT_CATEGORY, 0, MARGIN_KINDS, 0.35, 0.20)                                  \
    X(LEAF_TEETH, ORGAN_LEAF, TRAIT_LINEAR, 6, 26, 0.25, 0.20)                                               \
    X(LEAF_TOOTH, ORGAN_LEAF, TRAIT_LINEAR, 0.02, 0.09, 0.25, 0.20)                                          \
    X(LEAF_VENATION, ORGAN_LEAF, TRAIT_CATEGORY, 0, VEIN_KINDS, 0.20, 0.03)                                  \
    X(LEAF_VEINS, ORGAN_LEAF, TRAIT_LINEAR, 3, 11, 0.25, 0.15)                                               \
    X(LEAF_VEIN_LIGHT, ORGAN_LEAF, TRAIT_LINEAR, -0.7, 1.00, 0.30, 0.25)                                     \
    X(LEAF_LIGHTNESS, ORGAN_LEAF, TRAIT_LINEAR, 0.38, 0.68, 0.25, 0.22)                                      \
    X(LEAF_CHROMA, ORGAN_LEAF, TRAIT_LINEAR, 0.04, 0.16, 0.25, 0.22)                                         \
    X(LEAF_HUE, ORGAN_LEAF, TRAIT_LINEAR, 108, 162, 0.25, 0.22)                                              \
    X(LEAF_PATTERN, ORGAN_LEAF, TRAIT_CATEGORY, 0, PATTERN_KINDS, 0.30, 0.25)                                \
    X(LEAF_GLOSS, ORGAN_LEAF, TRAIT_LINEAR, 0.0, 1.00, 0.30, 0.20)                                           \
    X(LEAF_PHYLLOTAXY, ORGAN_LEAF, TRAIT_CATEGORY, 0, PHYLLOTAXIES, 0.15, 0.02)                              \
    X(LEAF_PETIOLE, ORGAN_LEAF, TRAIT_LINEAR, 0.02, 0.45, 0.25, 0.15)                                        \
    X(LEAF_SIZE, ORGAN_LEAF, TRAIT_LINEAR, 0.60, 1.30, 0.25, 0.15)                                           \
    X(FLOWER_PLAN, ORGAN_FLOWER, TRAIT_CATEGORY, 0, FLOWER_PLANS, 0.08, 0.00)                                \
    X(FLOWER_PETALS, ORGAN_FLOWER, TRAIT_LINEAR, 3, 8.9, 0.18, 0.06)                                         \
    X(FLOWER_RAYS, ORGAN_FLOWER, TRAIT_LINEAR, 8, 30, 0.25, 0.20)                                            \
    X(FLOWER_ROWS, ORGAN_FLOWER, TRAIT_LINEAR, 0.6, 2.40, 0.20, 0.12)                                        \
    X(PETAL_ASPECT, ORGAN_FLOWER, TRAIT_LOG, 0.85, 3.6, 0.22, 0.18)                                          \
    X(PETAL_WIDEST, ORGAN_FLOWER, TRAIT_LINEAR, 0.40, 0.80, 0.25, 0.15)                                      \
    X(PETAL_TIP, ORGAN_FLOWER, TRAIT_LINEAR, 0.0, 1.00, 0.30, 0.20)                                          \
    X(PETAL_NOTCH, ORGAN_FLOWER, TRAIT_LINEAR, -0.3, 0.35, 0.25, 0.18)                                       \
    X(PETAL_FRINGE, ORGAN_FLOWER, TRAIT_LINEAR, -0.3, 0.20, 0.20, 0.12)                                      \
    X(PETAL_PALETTE, ORGAN_FLOWER, TRAIT_CATEGORY, 0, PETAL_PALETTES, 0.45, 0.35)                            \
    X(PETAL_HUE, ORGAN_FLOWER, TRAIT_LINEAR, -22, 22, 0.30, 0.25)                                            \
    X(PETAL_LIGHTNESS, ORGAN_FLOWER, TRAIT_LINEAR, -0.1, 0.08, 0.30, 0.25)                                   \
    X(PETAL_CHROMA, ORGAN_FLOWER, TRAIT_LINEAR, 0.55, 1.25, 0.30, 0.20)                                      \
    X(PETAL_INNER, ORGAN_FLOWER, TRAIT_CATEGORY, 0, PETAL_PALETTES, 0.40, 0.25)                              \
    X(PETAL_INNER_SIZE, ORGAN_FLOWER, TRAIT_LINEAR, -0.3, 0.65, 0.30, 0.22)                                  \
    X(PETAL_MARK, ORGAN_FLOWER, TRAIT_CATEGORY, 0, MARK_KINDS, 0.35, 0.25)                                   \
    X(FLOWER_CENTRE, ORGAN_FLOWER, TRAIT_LINEAR, 0.10, 0.40, 0.25, 0.18)                                     \
    X(FLOWER_CENTRE_HUE, ORGAN_FLOWER, TRAIT_LINEAR, 40, 150, 0.30, 0.20)                                    \
    X(FLOWER_CENTRE_LIGHT, ORGAN_FLOWER, TRAIT_LINEAR, 0.25, 0.92, 0.30, 0.25)                               \
    X(FLOWER_STAMENS, ORGAN_FLOWER, TRAIT_LINEAR, -6, 22, 0.25, 0.15)                                        \
    X(FLOWER_STAMEN_LENGTH, ORGAN_FLOWER, TRAIT_LINEAR, 0.25, 0.85, 0.25, 0.18)                              \
    X(FLOWER_SEPALS, ORGAN_FLOWER, TRAIT_LINEAR, -0.5, 1.00, 0.25, 0.12)                                     \
    X(FLOWER_DEPTH, ORGAN_FLOWER, TRAIT_LINEAR, 0.55, 1.80, 0.25, 0.18)                                      \
    X(INFLORESCENCE, ORGAN_FLOWER, TRAIT_CATEGORY, 0, INFLORESCENCES, 0.20, 0.04)                            \
    X(INFLORESCENCE_COUNT, ORGAN_FLOWER, TRAIT_LINEAR, 5, 22, 0.25, 0.18)                                    \
    X(INFLORESCENCE_LENGTH, ORGAN_FLOWER, TRAIT_LINEAR, 0.4, 1.00, 0.25, 0.18)                               \
    X(FRUIT_TYPE, ORGAN_FRUIT, TRAIT_CATEGORY, 0, FRUIT_TYPES, 0.15, 0.02)                                   \
    X(FRUIT_ASPECT, ORGAN_FRUIT, TRAIT_LOG, 0.70, 1.8, 0.25, 0.20)                                           \
    X(FRUIT_PALETTE, ORGAN_FRUIT, TRAIT_CATEGORY, 0, FRUIT_PALETTES, 0.45, 0.35)                             \
    X(FRUIT_HUE, ORGAN_FRUIT, TRAIT_LINEAR, -18, 18, 0.30, 0.25)                                             \
    X(FRUIT_LIGHTNESS, ORGAN_FRUIT, TRAIT_LINEAR, -0.12, 0.12, 0.30, 0.25)                                   \
    X(FRUIT_SIZE, ORGAN_FRUIT, TRAIT_LINEAR, 0.55, 1.25, 0.25, 0.20)                                         \
    X(FRUIT_CLUSTER, ORGAN_FRUIT, TRAIT_LINEAR, 1, 13, 0.25, 0.15)                                           \
    X(FRUIT_HANGING, ORGAN_FRUIT, TRAIT_LINEAR, -1, 1, 0.25, 0.10)                                           \
    X(FRUIT_SPECKLE, ORGAN_FRUIT, TRAIT_LINEAR, -1, 1, 0.30, 0.25)                                           \
    X(FRUIT_CALYX, ORGAN_FRUIT, TRAIT_LINEAR, -0.5, 1, 0.25, 0.20)                                           \
    X(FRUIT_GLOSS, ORGAN_FRUIT, TRAIT_LINEAR, 0, 1, 0.30, 0.20)                                              \
    X(BARK_TEXTURE, ORGAN_BARK, TRAIT_CATEGORY, 0, BARK_TEXTURES, 0.30, 0.08)                                \
    X(BARK_PALETTE, ORGAN_BARK, TRAIT_CATEGORY, 0, BARK_PALETTES, 0.30, 0.12)                                \
    X(BARK_LIGHTNESS, ORGAN_BARK, TRAIT_LINEAR, -0.12, 0.12, 0.25, 0.20)                                     \
    X(BARK_SCALE, ORGAN_BARK, TRAIT_LOG, 5, 16, 0.25, 0.20)                                                  \
    X(BARK_STRETCH, ORGAN_BARK, TRAIT_LOG, 1.5, 7, 0.25, 0.20)                                               \
    X(BARK_CONTRAST, ORGAN_BARK, TRAIT_LINEAR, 0.25, 1.00, 0.25, 0.18)                                       \
    X(BARK_LENTICELS, ORGAN_BARK, TRAIT_LINEAR, -0.6, 1.00, 0.25, 0.18)                                      \
    X(BARK_LICHEN, ORGAN_BARK, TRAIT_LINEAR, -0.6, 0.60, 0.20, 0.10)

enum trait {
#define X(name, organ, kind, low, high, genus, species) T_##name,
    LINNET_FLORA_TRAITS(X)
#undef X
        TRAIT_COUNT
};

struct trait_info {
    const char *name; /* upper case, as above */
    enum organ organ;
    enum trait_kind kind;
    double low, high;
    double genus, species;
};

struct traits {
    double v[TRAIT_COUNT];
};

extern const struct trait_info linnet_flora_trait_info[TRAIT_COUNT];

/* Traits of a family: anywhere in each range, then made to fit together (no petals on a conifer). */
void linnet_flora_traits_family(struct rng *rng, struct traits *out);
/* Traits of a genus in a family, and of a species in a genus. `out` may be `parent`. */
void linnet_flora_traits_genus(struct rng *rng, const struct traits *parent, struct traits *out);
void linnet_flora_traits_species(struct rng *rng, const struct traits *parent, struct traits *out);
/* One plant of a species: every number wanders by a twentieth of its range, no category changes. */
void linnet_flora_traits_individual(struct rng *rng, const struct traits *species, struct traits *out);
/* Give `traits` another look in one organ, and in that organ alone, far enough to be told apart by it. */
void linnet_flora_traits_redraw_organ(struct rng *rng, enum organ organ, struct traits *traits);

/* A category trait as an index. */
static inline int trait_int(const struct traits *traits, enum trait trait) {
    return (int)traits->v[trait];
}

/* "flower", "leaf", "fruit", "bark", "habit"; "auto" for ORGAN_NONE. Static. */
const char *linnet_flora_organ_name(enum organ organ);
/* The organ of a name, -1 if it is none. */
int linnet_flora_organ_parse(const char *name);
/* Has a plant of these traits this organ? Herbs have no bark. */
bool linnet_flora_has_organ(const struct traits *traits, enum organ organ);

/* Colours by traits. */
struct colour linnet_flora_petal_colour(const struct traits *traits);
struct colour linnet_flora_petal_inner(const struct traits *traits);
struct colour linnet_flora_leaf_colour(const struct traits *traits);
struct colour linnet_flora_fruit_colour(const struct traits *traits);
struct colour linnet_flora_bark_colour(const struct traits *traits);

#endif
