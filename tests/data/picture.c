#include "tests/data/picture.h"

#include "tests/data/plant.h"

const struct traits *linnet_flora_picture_traits(const struct flora *flora, size_t species,
                                                 enum organ organ) {
    const struct flora_species *own = &flora->species[species];
    bool shared = own->lookalike != FLORA_NONE && own->lookalike < species && organ != own->told_by &&
                  organ != ORGAN_HABIT;
    return shared ? &flora->species[own->lookalike].traits : &own->traits;
}

/* Turn and zoom what is drawn next about the middle, as if the camera had moved. */
static void viewpoint(struct canvas *canvas, struct rng *rng, double turn, double zoom) {
    double x = rng_range(rng, -0.09, 0.09), y = rng_range(rng, -0.09, 0.09),
           squeeze = rng_range(rng, 0.82, 1);
    linnet_flora_place(canvas->cr, x, y, turn, zoom, zoom * squeeze);
}

static void flower_beside(struct canvas *canvas, const struct traits *t, struct rng *rng, double angle,
                          double radius) {
    double x = rng_range(rng, -0.5, 0.5), y = rng_range(rng, 0.3, 0.6), tilt = rng_range(rng, 0.3, 0.9);
    linnet_flora_draw_flower(canvas, t, rng, x, y, angle, radius, tilt);
}

static void flower_picture(struct canvas *canvas, const struct traits *t, struct rng *rng) {
    bool alone = trait_int(t, T_INFLORESCENCE) == INFLORESCENCE_SOLITARY;
    if (rng_chance(rng, alone ? 0.85 : 0.45)) {
        double r = rng_range(rng, 0.2, 0.4), a = rng_range(rng, -0.5, 0.5) + UP;
        bool nods =
            trait_int(t, T_FLOWER_PLAN) == FLOWER_BELL || trait_int(t, T_FLOWER_PLAN) == FLOWER_CATKIN;
        viewpoint(canvas, rng, rng_range(rng, -0.35, 0.35), 1);
        linnet_flora_source(canvas->cr, colour_scale(linnet_flora_leaf_colour(t), 0.8), 1);
        linnet_flora_stroke(canvas->cr, 0, nods ? -0.1 * r : 0, rng_range(rng, -0.3, 0.3), nods ? -0.9 : 0.9,
                            0.1, 0.022);
        linnet_flora_draw_flower(canvas, t, rng, 0, 0, nods ? a + 2 * FM_PI / 3 : a, r,
                                 rng_unit(rng) * rng_unit(rng));
        if (!alone && rng_chance(rng, 0.6)) flower_beside(canvas, t, rng, a, r * 0.8);
    } else {
        double length = rng_range(rng, 0.75, 1.0);
        viewpoint(canvas, rng, rng_range(rng, -0.35, 0.35), 1);
        linnet_flora_draw_inflorescence(canvas, t, rng, 0, 0.52 * length, UP,
                                        length * (0.8 + 0.25 * t->v[T_INFLORESCENCE_LENGTH]));
    }
    cairo_restore(canvas->cr);
}

static void leaf_picture(struct canvas *canvas, const struct traits *t, struct rng *rng) {
    bool needle = trait_int(t, T_LEAF_FORM) == LEAF_NEEDLE;
    double zoom = rng_range(rng, 0.85, 1.15);
    if (!needle && rng_chance(rng, 0.55)) {
        /* people fill the picture with a leaf, be it large or small */
        double length = rng_range(rng, 0.72, 0.9) / fm_mix(1, t->v[T_LEAF_SIZE], 0.7),
               turn = rng_range(rng, 0, FM_TAU);
        viewpoint(canvas, rng, turn, zoom);
        if (rng_chance(rng, 0.3))
            linnet_flora_draw_leaf(canvas, t, rng, -0.5 * length, 0.25, 0.5, 0.7 * length, 0.85);
        linnet_flora_draw_leaf(canvas, t, rng, -0.5 * length * t->v[T_LEAF_SIZE], 0, 0, length, 1);
    } else {
        double turn = UP + rng_range(rng, -1.2, 1.2);
        int nodes = 3 + (int)rng_below(rng, 4);
        viewpoint(canvas, rng, turn, zoom);
        double length = rng_range(rng, 0.8, 1.05), leaf = rng_range(rng, 0.32, 0.46);
        linnet_flora_draw_shoot(canvas, t, rng, -0.48, 0, 0, length, leaf, nodes);
    }
    cairo_restore(canvas->cr);
}

static void fruit_picture(struct canvas *canvas, const struct traits *t, struct rng *rng) {
    double turn = rng_range(rng, -0.4, 0.4), zoom = rng_range(rng, 0.85, 1.25);
    viewpoint(canvas, rng, turn, zoom);
    int leaves = (int)rng_below(rng, 4);
    for (int i = 0; i < leaves; i++) {
        double from = rng_range(rng, -0.15, 0.15), angle = rng_range(rng, 0, FM_TAU),
               length = rng_range(rng, 0.3, 0.5);
        linnet_flora_draw_leaf(canvas, t, rng, from, -0.25, angle, length, 0.8);
    }
    double x = rng_range(rng, -0.08, 0.08), radius = rng_range(rng, 0.28, 0.38);
    linnet_flora_draw_fruits(canvas, t, rng, x, 0, radius);
    cairo_restore(canvas->cr);
}

static void plant_picture(struct canvas *canvas, const struct traits *t, enum organ organ, struct rng *rng,
                          const struct conditions *conditions) {
    if (organ == ORGAN_HABIT) {
        double horizon = rng_range(rng, -0.15, 0.3) * canvas->half_height * 2;
        linnet_flora_draw_landscape(canvas, rng, horizon);
        double foot = rng_range(rng, 0.36, 0.48), x = rng_range(rng, -0.12, 0.12);
        linnet_flora_ellipse(canvas->cr, x, foot, 0.2, 0.025);
        cairo_set_source_rgba(canvas->cr, 0, 0.03, 0, 0.3);
        cairo_fill(canvas->cr);
        linnet_flora_draw_habit(canvas, t, rng, x, foot, rng_range(rng, 0.75, 0.95));
    } else {
        linnet_flora_draw_background(canvas, rng, linnet_flora_background_pick(rng, conditions));
        if (organ == ORGAN_BARK) linnet_flora_draw_bark(canvas, t, rng, rng_range(rng, 0.7, 2.2));
        if (organ == ORGAN_FLOWER) flower_picture(canvas, t, rng);
        if (organ == ORGAN_LEAF) leaf_picture(canvas, t, rng);
        if (organ == ORGAN_FRUIT) fruit_picture(canvas, t, rng);
    }
    linnet_flora_draw_clutter(canvas, rng, conditions->clutter * 0.8);
}

int linnet_flora_picture_draw(const struct picture *picture, struct image *out) {
    struct canvas canvas;
    struct conditions ordinary;
    const struct conditions *conditions = picture->conditions;
    struct rng rng = rng_make(picture->seed, RNG_PICTURE, picture->individual);
    bool plant = picture->species != FLORA_NONE;
    if (picture->width < 16 || picture->height < 16 || picture->width > 30000 || picture->height > 30000)
        return -1;
    if (plant && (picture->species >= picture->flora->nspecies || picture->organ >= ORGAN_COUNT)) return -1;
    if (plant && !linnet_flora_has_organ(&picture->flora->species[picture->species].traits, picture->organ))
        return -1;
    if (!conditions) {
        linnet_flora_conditions(&rng, &ordinary);
        conditions = &ordinary;
    }
    if (linnet_flora_canvas_open(&canvas, picture->width, picture->height)) return -1;
    if (plant) {
        struct traits traits;
        struct rng own = rng_make(picture->individual, RNG_INDIVIDUAL, 0);
        linnet_flora_traits_individual(
            &own, linnet_flora_picture_traits(picture->flora, picture->species, picture->organ), &traits);
        plant_picture(&canvas, &traits, picture->organ, &rng, conditions);
    } else {
        linnet_flora_draw_non_plant(&canvas, &rng, rng_below(&rng, FLORA_NON_PLANTS));
    }
    int rc = linnet_flora_canvas_image(&canvas, out);
    linnet_flora_canvas_close(&canvas);
    if (!rc) linnet_flora_develop(out, &rng, conditions);
    return rc;
}
