#include "tests/data/plant.h"

/* One plant seen whole. */
struct stand {
    struct canvas *canvas;
    cairo_t *cr;
    const struct traits *t;
    struct rng *rng;
    double x, y, height, width;
    bool flowering, fruiting;
    struct colour leaf, bark;
};

static void trunk(const struct stand *s, double x0, double y0, double x1, double y1, double width) {
    linnet_flora_source(s->cr, s->bark, 1);
    linnet_flora_stroke(s->cr, x0, y0, x1, y1, rng_range(s->rng, -0.06, 0.06), width);
    cairo_set_source_rgba(s->cr, 0, 0, 0, 0.25);
    linnet_flora_stroke(s->cr, x0 + 0.25 * width, y0, x1 + 0.25 * width, y1, 0, 0.45 * width);
}

/* One tuft of foliage as the eye sees it from afar: a dab shaped like the leaf, lit by how high it is. */
static void dab(const struct stand *s, double x, double y, double size, double light) {
    double aspect = sqrt(s->t->v[T_LEAF_ASPECT]), turn = rng_range(s->rng, -0.9, 0.9);
    linnet_flora_place(s->cr, x, y, turn, 1, 1);
    linnet_flora_ellipse(s->cr, 0, 0, size * aspect, size / aspect);
    linnet_flora_source(s->cr, colour_scale(s->leaf, light * rng_range(s->rng, 0.82, 1.15)), 1);
    cairo_fill(s->cr);
    cairo_restore(s->cr);
}

static void blossom(const struct stand *s, double x, double y, double size) {
    if (s->flowering) {
        double facing = rng_range(s->rng, -2.2, -0.9), tilt = rng_range(s->rng, 0.2, 0.8);
        linnet_flora_draw_flower(s->canvas, s->t, s->rng, x, y, facing, size, tilt);
    } else if (s->fruiting) {
        linnet_flora_ellipse(s->cr, x, y, 0.55 * size, 0.55 * size);
        linnet_flora_source(s->cr, linnet_flora_fruit_colour(s->t), 1);
        cairo_fill(s->cr);
    }
}

/* A crown: dabs all over an ellipse, dark ones inside and below first; `pointed` narrows it upwards. */
static void crown(const struct stand *s, double cx, double cy, double rx, double ry, double pointed) {
    double density = s->t->v[T_HABIT_DENSITY];
    int n = (int)(90 + 130 * density);
    double size = 0.16 * sqrt(rx * ry) * (1.1 - 0.35 * density) * s->t->v[T_LEAF_SIZE];
    double lumps = rng_range(s->rng, 2.2, 3.4), phase = rng_range(s->rng, 0, FM_TAU);
    for (int i = 0; i < n; i++) {
        double depth = 1 - (double)i / n, a = rng_range(s->rng, 0, FM_TAU);
        double d = sqrt(rng_unit(s->rng)) * (0.88 + 0.12 * fm_cos(a * 2 * lumps + phase));
        double px = d * fm_cos(a), py = d * fm_sin(a);
        px *= 1 - pointed * (0.5 - 0.5 * py);
        double light = 1.12 - 0.42 * depth - 0.2 * py - 0.12 * px;
        dab(s, cx + rx * px, cy + ry * py, size, light);
    }
    int blossoms = (int)(10 + s->t->v[T_INFLORESCENCE_COUNT] * 1.2);
    for (int i = 0; i < blossoms && (s->flowering || s->fruiting); i++) {
        double a = rng_range(s->rng, 0, FM_TAU), d = 0.92 * sqrt(rng_unit(s->rng)), py = d * fm_sin(a);
        blossom(s, cx + rx * d * fm_cos(a) * (1 - pointed * (0.5 - 0.5 * py)), cy + ry * py,
                0.05 * s->height);
    }
}

static void round_tree(const struct stand *s) {
    double clear = 0.22 + 0.14 * (1 - s->t->v[T_HABIT_DENSITY]), top = s->y - s->height;
    double ry = s->height * (1 - clear) / 2, cy = top + ry;
    trunk(s, s->x, s->y, s->x, cy, 0.06 * s->height);
    for (int i = -1; i <= 1; i += 2)
        trunk(s, s->x, s->y - clear * s->height, s->x + i * 0.5 * s->width * 0.5, cy, 0.025 * s->height);
    crown(s, s->x, cy, s->width * 0.5, ry, 0);
}

static void conic_tree(const struct stand *s) {
    double top = s->y - s->height, base = s->y - 0.12 * s->height;
    int tiers = 6 + (int)(5 * s->t->v[T_HABIT_DENSITY]);
    trunk(s, s->x, s->y, s->x, top + 0.1 * s->height, 0.035 * s->height);
    for (int i = 0; i < tiers; i++) {
        double f = (i + 1.0) / tiers, y = top + f * (base - top);
        double half = 0.36 * s->width * f + 0.02 * s->height;
        for (int k = 0; k < 5 + 2 * i; k++) {
            double px = s->x + half * rng_range(s->rng, -1, 1), droop = fabs(px - s->x) * 0.35;
            double lift = 0.04 * s->height * rng_unit(s->rng), light = 0.75 + 0.35 * rng_unit(s->rng);
            dab(s, px, y + droop - lift, 0.03 * s->height, light);
        }
    }
    for (int i = 0; i < 6 && s->fruiting; i++) {
        double across = rng_range(s->rng, -1, 1), up = rng_range(s->rng, 0.3, 0.8);
        blossom(s, s->x + 0.2 * s->width * across, s->y - s->height * up, 0.03 * s->height);
    }
}

static void shrub(const struct stand *s) {
    int stems = 4 + (int)(4 * s->t->v[T_HABIT_SPREAD]);
    for (int i = 0; i < stems; i++) {
        double f = 2.0 * i / (stems - 1) - 1;
        trunk(s, s->x + 0.05 * s->width * f, s->y, s->x + 0.42 * s->width * f,
              s->y - s->height * (0.85 - 0.25 * f * f), 0.02 * s->height);
    }
    crown(s, s->x, s->y - 0.52 * s->height, 0.55 * s->width, 0.46 * s->height, 0.1);
}

static void herb(const struct stand *s) {
    int stems = 1 + (int)(3 * s->t->v[T_HABIT_SPREAD]), nodes = 3 + (int)(4 * s->t->v[T_HABIT_DENSITY]);
    for (int i = 0; i < stems; i++) {
        double f = stems > 1 ? 2.0 * i / (stems - 1) - 1 : 0;
        double lean = UP + 0.4 * f + rng_range(s->rng, -0.1, 0.1),
               length = s->height * (0.62 - 0.1 * fabs(f));
        double x = s->x + 0.08 * s->width * f;
        linnet_flora_draw_shoot(s->canvas, s->t, s->rng, x, s->y, lean, length, 0.24 * s->height, nodes);
        double tx = x + length * fm_cos(lean), ty = s->y + length * fm_sin(lean);
        if (s->flowering)
            linnet_flora_draw_inflorescence(s->canvas, s->t, s->rng, tx, ty, lean,
                                            0.4 * s->height * s->t->v[T_INFLORESCENCE_LENGTH]);
        else if (s->fruiting)
            linnet_flora_draw_fruits(s->canvas, s->t, s->rng, tx, ty, 0.12 * s->height);
    }
}

static void rosette(const struct stand *s) {
    int leaves = 7 + (int)(8 * s->t->v[T_HABIT_DENSITY]), scapes = 1 + (int)(2.5 * s->t->v[T_HABIT_SPREAD]);
    double turn = rng_range(s->rng, 0, FM_TAU), flat = rng_range(s->rng, 0.4, 0.8);
    linnet_flora_place(s->cr, s->x, s->y - 0.08 * s->height, 0, 1, flat);
    for (int i = 0; i < leaves; i++) {
        double a = turn + 2.39996322972865332 * i, size = 0.44 * s->height * (1 - 0.4 * i / leaves);
        linnet_flora_draw_leaf(s->canvas, s->t, s->rng, 0, 0, a, size, 0.8 + 0.3 * i / leaves);
    }
    cairo_restore(s->cr);
    for (int i = 0; i < scapes && s->flowering; i++) {
        double lean = rng_range(s->rng, -0.35, 0.35), length = s->height * rng_range(s->rng, 0.6, 0.85);
        linnet_flora_draw_inflorescence(s->canvas, s->t, s->rng, s->x, s->y - 0.1 * s->height, UP + lean,
                                        length);
    }
}

static void tuft(const struct stand *s) {
    int blades = 26 + (int)(50 * s->t->v[T_HABIT_DENSITY]);
    for (int i = 0; i < blades; i++) {
        double a = UP + rng_range(s->rng, -0.75, 0.75) * (0.4 + s->t->v[T_HABIT_SPREAD]),
               length = s->height * rng_range(s->rng, 0.5, 0.95);
        double x = s->x + 0.06 * s->width * rng_range(s->rng, -1, 1);
        linnet_flora_source(s->cr, colour_scale(s->leaf, rng_range(s->rng, 0.65, 1.15)), 1);
        linnet_flora_stroke(s->cr, x, s->y, x + length * fm_cos(a), s->y + length * fm_sin(a),
                            a < UP ? -0.14 : 0.14, 0.012 * s->height * s->t->v[T_LEAF_SIZE]);
    }
    int ears = 3 + (int)(s->t->v[T_INFLORESCENCE_COUNT] / 3);
    for (int i = 0; i < ears && (s->flowering || s->fruiting); i++) {
        double lean = rng_range(s->rng, -0.4, 0.4), length = s->height * rng_range(s->rng, 0.75, 1.05);
        linnet_flora_draw_inflorescence(s->canvas, s->t, s->rng, s->x, s->y, UP + lean, length);
    }
}

static void cushion(const struct stand *s) {
    double h = 0.55 * s->height, w = 0.62 * s->width;
    for (int i = 0; i < 240; i++) {
        double f = i / 240.0, a = rng_range(s->rng, FM_PI, FM_TAU), d = sqrt(rng_unit(s->rng));
        dab(s, s->x + w * d * fm_cos(a), s->y + h * d * fm_sin(a), 0.035 * s->height * s->t->v[T_LEAF_SIZE],
            0.65 + 0.4 * f - 0.2 * d * fm_sin(a));
    }
    for (int i = 0; i < 8 + s->t->v[T_INFLORESCENCE_COUNT] * 1.5 && (s->flowering || s->fruiting); i++) {
        double a = rng_range(s->rng, FM_PI, FM_TAU), d = 0.97 * sqrt(rng_unit(s->rng));
        blossom(s, s->x + w * d * fm_cos(a), s->y + h * d * fm_sin(a), 0.055 * s->height);
    }
}

static void climber(const struct stand *s) {
    int stems = 2 + (int)(2 * s->t->v[T_HABIT_SPREAD]);
    linnet_flora_source(s->cr, (struct colour){0.5, 0.42, 0.34}, 1);
    for (int i = -1; i <= 1; i++)
        linnet_flora_stroke(s->cr, s->x + 0.3 * i * s->width, s->y, s->x + 0.3 * i * s->width,
                            s->y - s->height, 0, 0.02 * s->height);
    for (int i = 0; i < stems; i++) {
        double x = s->x + s->width * rng_range(s->rng, -0.3, 0.3), y = s->y;
        for (int k = 0; k < 4; k++) {
            double a = UP + (k % 2 ? 0.5 : -0.5) * rng_range(s->rng, 0.6, 1.2), length = s->height * 0.27;
            linnet_flora_draw_shoot(s->canvas, s->t, s->rng, x, y, a, length, 0.16 * s->height, 3);
            x += length * fm_cos(a);
            y += length * fm_sin(a);
            if (k) blossom(s, x, y, 0.07 * s->height);
            if (k) blossom(s, x + 0.1 * s->width, y + 0.06 * s->height, 0.06 * s->height);
        }
    }
}

void linnet_flora_draw_habit(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double height) {
    double season = rng_unit(rng), light = rng_range(rng, 0.92, 1.06);
    struct stand s = {canvas,
                      canvas->cr,
                      traits,
                      rng,
                      x,
                      y,
                      height * (0.6 + 0.4 * traits->v[T_HABIT_HEIGHT]),
                      0,
                      season<0.62, season> 0.8,
                      colour_scale(linnet_flora_leaf_colour(traits), light),
                      linnet_flora_bark_colour(traits)};
    s.width = s.height * (0.45 + 0.65 * traits->v[T_HABIT_SPREAD]);
    switch (trait_int(traits, T_HABIT_FORM)) {
    case HABIT_ROUND_TREE:
        round_tree(&s);
        break;
    case HABIT_CONIC_TREE:
        conic_tree(&s);
        break;
    case HABIT_SHRUB:
        shrub(&s);
        break;
    case HABIT_ROSETTE:
        rosette(&s);
        break;
    case HABIT_TUFT:
        tuft(&s);
        break;
    case HABIT_CUSHION:
        cushion(&s);
        break;
    case HABIT_CLIMBER:
        climber(&s);
        break;
    default:
        herb(&s);
        break;
    }
}
