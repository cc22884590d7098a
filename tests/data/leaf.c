#include "tests/data/plant.h"

/* What one blade of a leaf is painted with. */
struct paint {
    struct colour base, vein, pattern;
    double vein_alpha, gloss;
    enum leaf_pattern kind;
    enum leaf_venation venation;
    int veins;
};

static struct paint paint_of(const struct traits *t, double light) {
    struct paint p;
    double vein = t->v[T_LEAF_VEIN_LIGHT];
    p.base = colour_scale(linnet_flora_leaf_colour(t), light);
    p.kind = (enum leaf_pattern)trait_int(t, T_LEAF_PATTERN);
    struct colour pale = colour_mix(p.base, (struct colour){0.93, 0.96, 0.78}, 0.75);
    p.pattern = p.kind == PATTERN_SPOTS
                    ? colour_scale(colour_mix(p.base, (struct colour){0.35, 0.1, 0.2}, 0.75), light)
                    : pale;
    p.vein = p.kind == PATTERN_RED ? (struct colour){0.62, 0.12, 0.2}
             : vein > 0            ? pale
                                   : colour_scale(p.base, 0.55);
    p.vein_alpha = p.kind == PATTERN_RED ? 0.85 : 0.2 + 0.6 * fabs(vein);
    p.gloss = t->v[T_LEAF_GLOSS];
    p.venation = (enum leaf_venation)trait_int(t, T_LEAF_VENATION);
    p.veins = (int)t->v[T_LEAF_VEINS];
    return p;
}

static struct blade blade_of(const struct traits *t, double length) {
    const double *v = t->v;
    struct blade b = {.length = length,
                      .aspect = v[T_LEAF_ASPECT],
                      .widest = v[T_LEAF_WIDEST],
                      .base = v[T_LEAF_BASE],
                      .tip = v[T_LEAF_TIP],
                      .margin = (enum leaf_margin)trait_int(t, T_LEAF_MARGIN),
                      .teeth = floor(v[T_LEAF_TEETH]),
                      .tooth = v[T_LEAF_TOOTH]};
    if (trait_int(t, T_LEAF_LOBING) == LOBE_PINNATE) {
        b.lobes = floor(v[T_LEAF_LOBES]);
        b.lobe_depth = v[T_LEAF_LOBE_DEPTH];
        b.lobe_point = v[T_LEAF_LOBE_POINT];
        b.aspect = b.aspect < 1.3 ? 1.3 : b.aspect;
    }
    return b;
}

static void side_veins(cairo_t *cr, const struct blade *b, const struct outline *o, const struct paint *p) {
    for (int i = 0; i < p->veins; i++) {
        double t = 0.08 + 0.8 * i / p->veins, reach = p->venation == VEIN_ARCHED ? 0.3 : 0.16;
        double x0 = t * b->length, x1 = (t + reach * (1 - 0.5 * t)) * b->length;
        double w = 0.86 * linnet_flora_blade_width(b, t + reach * (1 - 0.5 * t));
        if (b->lobes > 0) w *= 1 - 0.6 * b->lobe_depth;
        double y0 = linnet_flora_outline_bend(o, x0), y1 = linnet_flora_outline_bend(o, x1);
        cairo_move_to(cr, x1, y1 + w);
        if (p->venation == VEIN_ARCHED) {
            cairo_curve_to(cr, fm_mix(x0, x1, 0.6), y1 + w, x0, y0 + w * 0.5, x0, y0);
            cairo_curve_to(cr, x0, y0 - w * 0.5, fm_mix(x0, x1, 0.6), y1 - w, x1, y1 - w);
        } else {
            cairo_line_to(cr, x0, y0);
            cairo_line_to(cr, x1, y1 - w);
        }
    }
}

static void parallel_veins(cairo_t *cr, const struct blade *b, const struct outline *o,
                           const struct paint *p) {
    int pairs = p->veins / 3 + 1;
    for (int i = 1; i <= pairs; i++) {
        for (int side = -1; side <= 1; side += 2) {
            double part = side * (double)i / (pairs + 1);
            cairo_move_to(cr, 0, 0);
            for (int k = 1; k <= 8; k++) {
                double x = k * b->length / 8;
                cairo_line_to(cr, x,
                              linnet_flora_outline_bend(o, x) + part * linnet_flora_blade_width(b, k / 8.0));
            }
        }
    }
}

static void midrib(cairo_t *cr, const struct blade *b, const struct outline *o) {
    double end = 0.97 * b->length * (1 - (b->notch > 0 ? b->notch : 0));
    cairo_move_to(cr, 0, 0);
    cairo_curve_to(cr, end / 3, 0, 2 * end / 3, linnet_flora_outline_bend(o, end) / 3, end,
                   linnet_flora_outline_bend(o, end));
}

static void spots(cairo_t *cr, const struct blade *b, const struct outline *o, const struct paint *p) {
    for (int i = 0; i < 9; i++) {
        double t = 0.12 + 0.09 * i, x = t * b->length, side = ((i * 7) % 5 - 2) / 3.2;
        double w = linnet_flora_blade_width(b, t) * (b->lobes > 0 ? 1 - b->lobe_depth : 1);
        linnet_flora_ellipse(cr, x, linnet_flora_outline_bend(o, x) + side * w, b->length * 0.035, w * 0.14);
    }
    linnet_flora_source(cr, p->pattern, 0.8);
    cairo_fill(cr);
}

/* Paint one blade that starts at the origin and runs along +x. */
static void draw_blade(struct canvas *canvas, const struct blade *b, const struct paint *p) {
    cairo_t *cr = canvas->cr;
    double pixels = canvas_pixels(canvas, b->length), wide = pixels / b->aspect;
    struct outline o;
    linnet_flora_blade_outline(b, pixels, &o);
    linnet_flora_outline_path(cr, &o, 0);
    linnet_flora_source(cr, p->base, 1);
    if (p->kind == PATTERN_EDGE && wide > 5) {
        cairo_fill_preserve(cr);
        linnet_flora_source(cr, p->pattern, 0.9);
        cairo_set_line_width(cr, 0.11 * b->length / b->aspect);
        cairo_stroke(cr);
    } else {
        cairo_fill(cr);
    }
    if (wide > 3) { /* the half that faces away from the light */
        linnet_flora_outline_path(cr, &o, 1);
        cairo_set_source_rgba(cr, 0, 0.02, 0.05, 0.16);
        cairo_fill(cr);
    }
    if (wide < 4) return;
    if (p->kind == PATTERN_SPOTS) spots(cr, b, &o, p);
    if (p->gloss > 0.35 && wide > 8) {
        double x = 0.45 * b->length, w = linnet_flora_blade_width(b, 0.45);
        linnet_flora_ellipse(cr, x, linnet_flora_outline_bend(&o, x) - 0.45 * w, 0.28 * b->length, 0.22 * w);
        cairo_set_source_rgba(cr, 0.95, 1, 1, 0.42 * (p->gloss - 0.3));
        cairo_fill(cr);
    }
    if (wide > 7) {
        if (p->venation == VEIN_PARALLEL)
            parallel_veins(cr, b, &o, p);
        else
            side_veins(cr, b, &o, p);
        linnet_flora_source(cr, p->vein, 0.75 * p->vein_alpha);
        cairo_set_line_width(cr, 0.012 * b->length);
        cairo_stroke(cr);
    }
    midrib(cr, b, &o);
    linnet_flora_source(cr, p->kind == PATTERN_MIDRIB ? p->pattern : p->vein, p->vein_alpha);
    cairo_set_line_width(cr, (p->kind == PATTERN_MIDRIB ? 0.07 : 0.022) * b->length);
    cairo_stroke(cr);
}

static void draw_turned(struct canvas *canvas, const struct blade *blade, const struct paint *paint, double x,
                        double y, double angle) {
    linnet_flora_place(canvas->cr, x, y, angle, 1, 1);
    draw_blade(canvas, blade, paint);
    cairo_restore(canvas->cr);
}

/* Blades side by side from one point: lobes of one leaf, or leaflets of a hand. */
static void palmate(struct canvas *canvas, const struct traits *t, const struct paint *paint, double length,
                    bool compound) {
    int lobes = 3 + 2 * (int)((t->v[T_LEAF_LOBES] - 3) / 1.8);
    double spread = lobes > 3 ? 1.9 : 1.0;
    double slim = compound ? 2.6 : fm_mix(1.0, 2.3, t->v[T_LEAF_LOBE_DEPTH]);
    for (int i = 0; i < lobes; i++) {
        /* the outermost first, the middle one on top */
        int k = i % 2 ? i / 2 : lobes - 1 - i / 2;
        double at = lobes > 1 ? 2.0 * k / (lobes - 1) - 1 : 0;
        struct blade b = blade_of(t, length * (1 - 0.42 * at * at));
        b.lobes = 0;
        b.aspect = slim;
        b.base = compound ? 0.8 : 0;
        b.widest = compound ? 0.62 : fm_mix(0.55, 0.42, t->v[T_LEAF_LOBE_DEPTH]);
        b.tip = t->v[T_LEAF_LOBE_POINT];
        draw_turned(canvas, &b, paint, 0, 0, at * spread);
    }
}

static void pinnate(struct canvas *canvas, const struct traits *t, const struct paint *paint, double length,
                    bool twice) {
    int pairs = (int)t->v[T_LEAF_LEAFLETS] / 2;
    double step = length / (pairs + 0.6);
    struct blade b = blade_of(t, 0.44 * length);
    if (b.length > 1.7 * step * b.aspect) b.length = 1.7 * step * b.aspect;
    b.base = b.base < 0 ? 0 : b.base;
    b.lobes = twice ? 5 : 0;
    b.lobe_depth = 0.75;
    b.lobe_point = t->v[T_LEAF_LOBE_POINT];
    if (twice) b.aspect = 2.2;
    linnet_flora_source(canvas->cr, colour_scale(paint->base, 0.8), 1);
    linnet_flora_stroke(canvas->cr, 0, 0, length * 0.98, 0, 0, 0.02 * length);
    double full = b.length;
    for (int i = 0; i < pairs; i++) {
        double x = (i + 0.5) * step, s = (i + 0.5) / pairs;
        b.length = full * (twice ? 1.15 - 0.85 * s : 1 - 0.35 * (2 * s - 1) * (2 * s - 1));
        draw_turned(canvas, &b, paint, x, 0, 1.0 - 0.25 * s);
        draw_turned(canvas, &b, paint, x, 0, -1.0 + 0.25 * s);
    }
    b.length = full * (twice ? 0.4 : 0.9);
    draw_turned(canvas, &b, paint, (pairs - 0.1) * step, 0, 0);
}

/* The blade or blades, from the origin along +x. */
static void draw_form(struct canvas *canvas, const struct traits *t, struct rng *rng,
                      const struct paint *paint, double length) {
    struct blade b = blade_of(t, length);
    b.bend = rng_range(rng, -0.12, 0.12);
    switch (trait_int(t, T_LEAF_FORM)) {
    case LEAF_PINNATE:
        pinnate(canvas, t, paint, length, false);
        return;
    case LEAF_BIPINNATE:
        pinnate(canvas, t, paint, length, true);
        return;
    case LEAF_PALMATE:
        palmate(canvas, t, paint, length * 0.8, true);
        return;
    case LEAF_TRIFOLIATE:
        b.length = length * 0.62;
        b.lobes = 0;
        b.base = fabs(b.base);
        draw_turned(canvas, &b, paint, 0.04 * length, 0, 1.25);
        draw_turned(canvas, &b, paint, 0.04 * length, 0, -1.25);
        draw_turned(canvas, &b, paint, 0.16 * length, 0, 0);
        return;
    case LEAF_LINEAR:
        b.aspect = 6 + 2.4 * t->v[T_LEAF_ASPECT];
        b.length = length * 1.3;
        b.lobes = 0;
        b.base = 0;
        b.bend *= 2.5;
        draw_blade(canvas, &b, paint);
        return;
    case LEAF_NEEDLE:
        b = (struct blade){
            .length = length * (0.5 + 0.12 * t->v[T_LEAF_ASPECT]), .aspect = 16, .widest = 0.5, .tip = 0.5};
        b.bend = rng_range(rng, -0.1, 0.1);
        draw_blade(canvas, &b, paint);
        return;
    default:
        if (trait_int(t, T_LEAF_LOBING) == LOBE_PALMATE)
            palmate(canvas, t, paint, length * 0.85, false);
        else
            draw_blade(canvas, &b, paint);
    }
}

void linnet_flora_draw_leaf(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                            double y, double angle, double length, double light) {
    struct paint paint = paint_of(traits, light * rng_range(rng, 0.9, 1.08));
    length *= traits->v[T_LEAF_SIZE];
    bool stalked =
        trait_int(traits, T_LEAF_FORM) < LEAF_LINEAR || trait_int(traits, T_LEAF_FORM) == LEAF_BIPINNATE;
    double stalk = stalked ? traits->v[T_LEAF_PETIOLE] * length * 0.8 : 0;
    double flat = rng_range(rng, 0.7, 1.0);
    if (rng_chance(rng, 0.5)) flat = -flat;
    linnet_flora_place(canvas->cr, x, y, angle, 1, flat);
    if (stalk > 0) {
        linnet_flora_source(canvas->cr, colour_mix(paint.base, paint.vein, 0.3), 1);
        linnet_flora_stroke(canvas->cr, 0, 0, stalk + 0.02 * length, 0, 0, 0.03 * length);
        cairo_translate(canvas->cr, stalk, 0);
    }
    draw_form(canvas, traits, rng, &paint, length - 0.5 * stalk);
    cairo_restore(canvas->cr);
}

void linnet_flora_draw_shoot(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double angle, double length, double leaf_length, int nodes) {
    bool woody = trait_int(traits, T_HABIT_FORM) <= HABIT_SHRUB;
    bool needles = trait_int(traits, T_LEAF_FORM) == LEAF_NEEDLE;
    struct colour stem =
        woody ? linnet_flora_bark_colour(traits) : colour_scale(linnet_flora_leaf_colour(traits), 0.85);
    double curve = rng_range(rng, -0.12, 0.12);
    if (needles) nodes *= 4;
    linnet_flora_place(canvas->cr, x, y, angle, 1, 1);
    linnet_flora_source(canvas->cr, stem, 1);
    linnet_flora_stroke(canvas->cr, 0, 0, length, 0, curve,
                        woody ? 0.022 * length + 0.004 : 0.018 * length + 0.003);
    int around = trait_int(traits, T_LEAF_PHYLLOTAXY) + 1;
    for (int i = 0; i < nodes; i++) {
        double s = nodes > 1 ? 0.08 + 0.9 * i / (nodes - 1.0) : 1, px = s * length;
        double py = 2 * s * (1 - s) * curve * length;
        double size = leaf_length * (1.1 - 0.55 * s) * rng_range(rng, 0.85, 1.12);
        double open = rng_range(rng, 0.6, 1.15) * (needles ? 0.8 : 1);
        int sides = needles ? 3 : around;
        for (int k = 0; k < sides; k++) {
            double side = (k + i) % 2 ? 1 : -1;
            double turn = k == 2 ? rng_range(rng, -0.3, 0.3) : side * open;
            linnet_flora_draw_leaf(canvas, traits, rng, px, py, turn, k == 2 ? size * 0.8 : size,
                                   0.92 + 0.12 * s);
        }
    }
    if (!needles)
        linnet_flora_draw_leaf(canvas, traits, rng, length, 0, rng_range(rng, -0.2, 0.2), leaf_length * 0.55,
                               1.05);
    cairo_restore(canvas->cr);
}
