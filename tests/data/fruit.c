#include "tests/data/plant.h"

struct fruit {
    struct canvas *canvas;
    cairo_t *cr;
    const struct traits *t;
    struct rng *rng;
    struct colour colour;
    double r, pixels;
};

/* A solid body: bright where the light falls, dark on the other side. The path is the caller's; it is filled.
 */
static void fill_round(const struct fruit *f, double x, double y, double r) {
    struct colour light = colour_mix(f->colour, (struct colour){1, 1, 0.95}, 0.35),
                  dark = colour_scale(f->colour, 0.5);
    cairo_pattern_t *p = cairo_pattern_create_radial(x - 0.3 * r, y - 0.35 * r, 0.05 * r, x, y, 1.25 * r);
    cairo_pattern_add_color_stop_rgb(p, 0, light.r, light.g, light.b);
    cairo_pattern_add_color_stop_rgb(p, 0.45, f->colour.r, f->colour.g, f->colour.b);
    cairo_pattern_add_color_stop_rgb(p, 1, dark.r, dark.g, dark.b);
    cairo_set_source(f->cr, p);
    cairo_fill(f->cr);
    cairo_pattern_destroy(p);
}

static void gloss(const struct fruit *f, double x, double y, double r) {
    if (f->t->v[T_FRUIT_GLOSS] < 0.4 || f->pixels < 4) return;
    linnet_flora_ellipse(f->cr, x - 0.35 * r, y - 0.4 * r, 0.17 * r, 0.12 * r);
    cairo_set_source_rgba(f->cr, 1, 1, 1, 0.8 * f->t->v[T_FRUIT_GLOSS]);
    cairo_fill(f->cr);
}

static void speckles(const struct fruit *f, double x, double rx, double ry) {
    if (f->t->v[T_FRUIT_SPECKLE] <= 0 || f->pixels < 8) return;
    for (int i = 0; i < 16; i++) {
        double d = 0.85 * sqrt(rng_unit(f->rng)), a = 2.4 * i;
        linnet_flora_ellipse(f->cr, x + rx * d * fm_cos(a), ry * d * fm_sin(a), 0.045 * f->r, 0.045 * f->r);
    }
    bool bright = f->colour.r + f->colour.g + f->colour.b > 1.5;
    linnet_flora_source(f->cr, bright ? (struct colour){0.45, 0.25, 0.12} : (struct colour){0.92, 0.88, 0.7},
                        0.75);
    cairo_fill(f->cr);
}

/* Green points round the stalk (at the origin) or at the far end. */
static void calyx(const struct fruit *f, double x, double size) {
    if (f->t->v[T_FRUIT_CALYX] <= 0 || f->pixels < 5) return;
    double reach = size * (0.5 + 0.6 * f->t->v[T_FRUIT_CALYX]);
    for (int i = 0; i < 5; i++) {
        double a = -1.25 + 0.625 * i;
        cairo_move_to(f->cr, x, -0.25 * size);
        cairo_line_to(f->cr, x + reach * fm_cos(a), reach * fm_sin(a));
        cairo_line_to(f->cr, x, 0.25 * size);
    }
    linnet_flora_source(f->cr, colour_scale(linnet_flora_leaf_colour(f->t), 0.85), 1);
    cairo_fill(f->cr);
}

static void body(const struct fruit *f, bool pome) {
    double a = f->t->v[T_FRUIT_ASPECT], ry = f->r, rx = f->r * a;
    linnet_flora_ellipse(f->cr, rx, 0, rx, ry);
    fill_round(f, rx, 0, f->r);
    if (trait_int(f->t, T_FRUIT_TYPE) == FRUIT_DRUPE && f->pixels > 6) { /* the seam */
        cairo_set_source_rgba(f->cr, 0, 0, 0, 0.3);
        linnet_flora_stroke(f->cr, 0.1 * rx, 0, 1.9 * rx, 0.1 * ry, 0.25, 0.06 * f->r);
    }
    speckles(f, rx, rx * 0.9, ry * 0.9);
    gloss(f, rx, 0, f->r);
    if (pome)
        calyx(f, 1.85 * rx, 0.35 * f->r);
    else
        calyx(f, 0, 0.7 * f->r);
}

static void capsule(const struct fruit *f) {
    double a = f->t->v[T_FRUIT_ASPECT] * 1.1, rx = f->r * a;
    cairo_move_to(f->cr, 0, -0.3 * f->r);
    cairo_curve_to(f->cr, 0.4 * rx, -1.3 * f->r, 1.5 * rx, -f->r, 2 * rx, -0.35 * f->r);
    cairo_line_to(f->cr, 1.85 * rx, 0);
    cairo_line_to(f->cr, 2 * rx, 0.35 * f->r);
    cairo_curve_to(f->cr, 1.5 * rx, f->r, 0.4 * rx, 1.3 * f->r, 0, 0.3 * f->r);
    cairo_close_path(f->cr);
    fill_round(f, rx, 0, f->r);
    cairo_set_source_rgba(f->cr, 0, 0, 0, 0.35);
    for (int i = -1; i <= 1; i++)
        linnet_flora_stroke(f->cr, 0.1 * rx, 0.2 * i * f->r, 1.8 * rx, 0.2 * i * f->r, 0.3 * i, 0.05 * f->r);
    speckles(f, rx, rx * 0.8, f->r * 0.6);
    calyx(f, 0, 0.8 * f->r);
}

static void pod(const struct fruit *f) {
    double length = f->r * 3.6, w = f->r * 0.62 / f->t->v[T_FRUIT_ASPECT],
           bend = 0.3 * f->t->v[T_FRUIT_HANGING] * length;
    int seeds = 3 + (int)f->t->v[T_FRUIT_CLUSTER] / 3;
    cairo_move_to(f->cr, 0, 0);
    cairo_curve_to(f->cr, 0.2 * length, -w, 0.8 * length, bend - w, length, bend);
    cairo_curve_to(f->cr, 0.8 * length, bend + w, 0.2 * length, w, 0, 0);
    fill_round(f, 0.5 * length, 0.4 * bend, length * 0.6);
    for (int i = 0; i < seeds; i++) {
        double s = (i + 0.8) / (seeds + 0.6);
        linnet_flora_ellipse(f->cr, s * length, bend * s * s * 0.95, 0.32 * length / (seeds + 1), 0.55 * w);
    }
    linnet_flora_source(f->cr, colour_scale(f->colour, 0.72), 0.75);
    cairo_fill(f->cr);
    calyx(f, 0, 0.5 * f->r);
}

/* A clock of parachutes. */
static void pappus(const struct fruit *f) {
    int n = f->pixels > 12 ? 44 : 22;
    double r = f->r * 1.5;
    struct colour down = colour_mix((struct colour){0.93, 0.92, 0.88}, f->colour, 0.25);
    linnet_flora_source(f->cr, down, 0.6);
    for (int i = 0; i < n; i++) {
        double a = 2.39996322972865332 * i, d = r * sqrt((i + 1.0) / n);
        linnet_flora_stroke(f->cr, r, 0, r + d * fm_cos(a), d * fm_sin(a), 0, 0.02 * f->r);
    }
    for (int i = 0; i < n; i++) {
        double a = 2.39996322972865332 * i, d = r * sqrt((i + 1.0) / n);
        double size = (0.1 + 0.1 * f->t->v[T_FRUIT_GLOSS]) * r;
        linnet_flora_ellipse(f->cr, r + d * fm_cos(a), d * fm_sin(a), size, size);
    }
    linnet_flora_source(f->cr, down, 0.5);
    cairo_fill(f->cr);
    linnet_flora_ellipse(f->cr, r, 0, 0.22 * r, 0.22 * r);
    linnet_flora_source(f->cr, colour_scale(f->colour, 0.75), 1);
    cairo_fill(f->cr);
}

static void nut(const struct fruit *f) {
    double rx = f->r * f->t->v[T_FRUIT_ASPECT] * 1.15;
    linnet_flora_ellipse(f->cr, 0.5 * f->r + rx, 0, rx, 0.85 * f->r);
    fill_round(f, 0.5 * f->r + rx, 0, f->r);
    gloss(f, 0.5 * f->r + rx, 0, f->r);
    /* the cup, scaly or fringed */
    double deep = f->r * (0.6 + 0.5 * f->t->v[T_FRUIT_CALYX]);
    cairo_move_to(f->cr, deep, -f->r);
    cairo_curve_to(f->cr, -0.3 * deep, -1.05 * f->r, -0.3 * deep, 1.05 * f->r, deep, f->r);
    cairo_curve_to(f->cr, 1.25 * deep, 0.4 * f->r, 1.25 * deep, -0.4 * f->r, deep, -f->r);
    linnet_flora_source(f->cr,
                        colour_mix(linnet_flora_bark_colour(f->t), linnet_flora_leaf_colour(f->t), 0.35), 1);
    cairo_fill(f->cr);
    if (f->pixels < 8) return;
    for (int i = 0; i < 14; i++)
        linnet_flora_ellipse(f->cr, deep * (0.15 + 0.2 * (i % 4)), f->r * (-0.7 + 0.11 * i), 0.07 * f->r,
                             0.07 * f->r);
    cairo_set_source_rgba(f->cr, 0, 0, 0, 0.3);
    cairo_fill(f->cr);
}

static void samara(const struct fruit *f) {
    double length = f->r * (1.8 + f->t->v[T_FRUIT_ASPECT]),
           open = 0.35 + 0.9 * fabs(f->t->v[T_FRUIT_HANGING]);
    for (int side = -1; side <= 1; side += 2) {
        struct blade wing = {
            .length = length, .aspect = 2.6, .widest = 0.68, .base = 0.9, .bend = side * 0.12};
        struct outline o;
        linnet_flora_blade_outline(&wing, canvas_pixels(f->canvas, length), &o);
        linnet_flora_place(f->cr, 0.3 * f->r, side * 0.15 * f->r, side * open, 1, 1);
        linnet_flora_outline_path(f->cr, &o, 0);
        linnet_flora_source(f->cr, f->colour, 0.88);
        cairo_fill(f->cr);
        linnet_flora_source(f->cr, colour_scale(f->colour, 0.6), 0.6);
        for (int i = -1; i <= 1; i++)
            linnet_flora_stroke(f->cr, 0.2 * length, 0, 0.85 * length, 0.1 * length * (i + side * 0.6), 0,
                                0.03 * f->r);
        linnet_flora_ellipse(f->cr, 0.12 * length, 0, 0.34 * f->r, 0.26 * f->r);
        linnet_flora_source(f->cr, colour_scale(f->colour, 0.62), 1);
        cairo_fill(f->cr);
        cairo_restore(f->cr);
    }
}

static void cone(const struct fruit *f) {
    double length = f->r * (1.4 + 1.2 * f->t->v[T_FRUIT_ASPECT]);
    int rows = 7 + (int)(3 * f->t->v[T_FRUIT_ASPECT]);
    struct colour brown = colour_mix(f->colour, (struct colour){0.42, 0.28, 0.16}, 0.6);
    for (int row = rows - 1; row >= 0; row--) {
        double s = (row + 0.5) / rows, half = f->r * 1.9 * sqrt(s * (1 - 0.8 * s) + 0.02) * (1 - 0.45 * s);
        int scales = 3 + row % 2;
        for (int k = 0; k < scales; k++) {
            double y = half * (2.0 * k / (scales - 1) - 1) * 0.7, x = s * length;
            linnet_flora_ellipse(f->cr, x, y, 0.75 * length / rows, 0.42 * half + 0.06 * f->r);
            linnet_flora_source(
                f->cr, colour_scale(brown, 0.72 + 0.5 * (1 - fabs(y) / (half + 1e-9)) * (row % 2 ? 1 : 0.85)),
                1);
            cairo_fill_preserve(f->cr);
            cairo_set_source_rgba(f->cr, 0.1, 0.05, 0, 0.5);
            cairo_set_line_width(f->cr, 0.05 * f->r);
            cairo_stroke(f->cr);
        }
    }
}

static void aggregate(const struct fruit *f) {
    double a = f->t->v[T_FRUIT_ASPECT], rx = f->r * a;
    int n = f->pixels > 8 ? 26 : 14;
    for (int i = n - 1; i >= 0; i--) {
        double d = 0.8 * sqrt((i + 0.5) / n), w = 2.39996322972865332 * i;
        double x = rx + rx * d * fm_cos(w), y = f->r * d * fm_sin(w), r = 0.27 * f->r;
        linnet_flora_ellipse(f->cr, x, y, r, r);
        fill_round(f, x, y, r);
        gloss(f, x, y, r);
    }
    calyx(f, 0, 0.8 * f->r);
}

void linnet_flora_draw_fruit(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double angle, double radius) {
    struct fruit f = {canvas,
                      canvas->cr,
                      traits,
                      rng,
                      colour_scale(linnet_flora_fruit_colour(traits), rng_range(rng, 0.9, 1.06)),
                      radius,
                      canvas_pixels(canvas, radius)};
    linnet_flora_place(canvas->cr, x, y, angle, 1, 1);
    switch (trait_int(traits, T_FRUIT_TYPE)) {
    case FRUIT_POME:
        body(&f, true);
        break;
    case FRUIT_CAPSULE:
        capsule(&f);
        break;
    case FRUIT_POD:
        pod(&f);
        break;
    case FRUIT_PAPPUS:
        pappus(&f);
        break;
    case FRUIT_NUT:
        nut(&f);
        break;
    case FRUIT_SAMARA:
        samara(&f);
        break;
    case FRUIT_CONE:
        cone(&f);
        break;
    case FRUIT_AGGREGATE:
        aggregate(&f);
        break;
    default:
        body(&f, false);
        break;
    }
    cairo_restore(canvas->cr);
}

void linnet_flora_draw_fruits(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                              double y, double radius) {
    int type = trait_int(traits, T_FRUIT_TYPE), n = (int)traits->v[T_FRUIT_CLUSTER];
    if (type == FRUIT_PAPPUS || type == FRUIT_CONE || type == FRUIT_POME) n = 1 + n / 6;
    if (type == FRUIT_NUT || type == FRUIT_POD || type == FRUIT_SAMARA) n = 1 + n / 3;
    double size = radius * traits->v[T_FRUIT_SIZE] * (n == 1 ? 0.52 : 0.5 / sqrt(n * 0.8));
    double down = traits->v[T_FRUIT_HANGING] > 0 ? -UP : UP;
    struct colour stalk = colour_scale(linnet_flora_leaf_colour(traits), 0.8);
    double y0 = y - radius * fm_sin(down);
    for (int i = 0; i < n; i++) {
        double s = n > 1 ? i / (n - 1.0) : 0.5, spread = n > 1 ? (s - 0.5) * 2.2 : rng_range(rng, -0.3, 0.3);
        double reach = radius * (n > 1 ? 0.35 + 0.75 * ((i * 3) % 5) / 4.0 : 0.45);
        double px = x + reach * fm_cos(down + spread * 0.8), py = y0 + reach * fm_sin(down + spread * 0.8);
        linnet_flora_source(canvas->cr, stalk, 1);
        linnet_flora_stroke(canvas->cr, x, y0, px, py, 0.12 * spread, 0.03 * radius);
        linnet_flora_draw_fruit(canvas, traits, rng, px, py,
                                down + spread * 0.5 + rng_range(rng, -0.25, 0.25), size);
    }
}
