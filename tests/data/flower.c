#include "tests/data/plant.h"

/* All that one flower is drawn with. */
struct bloom {
    struct canvas *canvas;
    cairo_t *cr;
    const struct traits *t;
    struct rng *rng;
    struct colour outer, inner, edge;
    double radius, pixels;
};

static struct bloom bloom_of(struct canvas *canvas, const struct traits *t, struct rng *rng, double radius) {
    struct bloom b = {.canvas = canvas, .cr = canvas->cr, .t = t, .rng = rng, .radius = radius};
    double light = rng_range(rng, 0.93, 1.05);
    b.pixels = canvas_pixels(canvas, radius);
    b.outer = colour_scale(linnet_flora_petal_colour(t), light);
    b.inner = t->v[T_PETAL_INNER_SIZE] > 0 ? colour_scale(linnet_flora_petal_inner(t), light)
                                           : colour_scale(b.outer, 0.86);
    double bright = b.outer.r + b.outer.g + b.outer.b;
    b.edge = bright > 1.7 ? colour_scale(linnet_flora_petal_inner(t), 0.7)
                          : colour_mix(b.outer, (struct colour){1, 1, 1}, 0.6);
    return b;
}

/* Colour by distance from the middle: the throat, perhaps a ring, the petal. */
static cairo_pattern_t *petal_gradient(const struct bloom *b, double reach) {
    double inner = b->t->v[T_PETAL_INNER_SIZE];
    cairo_pattern_t *p = cairo_pattern_create_radial(0, 0, 0, 0, 0, reach);
    double at = inner > 0 ? inner : 0.1;
    cairo_pattern_add_color_stop_rgb(p, 0, b->inner.r, b->inner.g, b->inner.b);
    cairo_pattern_add_color_stop_rgb(p, at, b->inner.r, b->inner.g, b->inner.b);
    if (trait_int(b->t, T_PETAL_MARK) == MARK_RING) {
        cairo_pattern_add_color_stop_rgb(p, at + 0.02, b->edge.r, b->edge.g, b->edge.b);
        cairo_pattern_add_color_stop_rgb(p, at + 0.16, b->edge.r, b->edge.g, b->edge.b);
        at += 0.12;
    }
    cairo_pattern_add_color_stop_rgb(p, at + 0.14, b->outer.r, b->outer.g, b->outer.b);
    struct colour rim = colour_scale(b->outer, 1.04);
    cairo_pattern_add_color_stop_rgb(p, 1, rim.r, rim.g, rim.b);
    return p;
}

static struct blade petal_blade(const struct traits *t, double length) {
    const double *v = t->v;
    struct blade b = {.length = length,
                      .aspect = v[T_PETAL_ASPECT],
                      .widest = v[T_PETAL_WIDEST],
                      .base = 0.55,
                      .tip = v[T_PETAL_TIP],
                      .notch = v[T_PETAL_NOTCH] > 0 ? v[T_PETAL_NOTCH] * (1 - v[T_PETAL_TIP]) : 0};
    if (v[T_PETAL_FRINGE] > 0) {
        b.margin = MARGIN_DENTATE;
        b.teeth = 9;
        b.tooth = 0.04 + 0.5 * v[T_PETAL_FRINGE];
    }
    return b;
}

static void petal_marks(const struct bloom *b, const struct blade *blade) {
    cairo_t *cr = b->cr;
    int mark = trait_int(b->t, T_PETAL_MARK);
    double w = 0.5 * blade->length / blade->aspect;
    if (mark == MARK_VEINS) {
        for (int i = -1; i <= 1; i++) {
            cairo_move_to(cr, 0.2 * blade->length, 0);
            cairo_line_to(cr, 0.8 * blade->length, 0.55 * i * w);
        }
        linnet_flora_source(cr, b->edge, 0.8);
        cairo_set_line_width(cr, 0.028 * blade->length);
        cairo_stroke(cr);
    } else if (mark == MARK_SPOTS) {
        for (int i = 0; i < 5; i++)
            linnet_flora_ellipse(cr, (0.34 + 0.1 * i) * blade->length, (i % 3 - 1) * 0.45 * w,
                                 0.035 * blade->length, 0.03 * blade->length);
        linnet_flora_source(cr, b->edge, 0.9);
        cairo_fill(cr);
    }
}

/* One petal from the origin along +x, filled with `source`. */
static void petal(const struct bloom *b, const struct blade *blade, cairo_pattern_t *source,
                  const struct outline *o) {
    cairo_t *cr = b->cr;
    linnet_flora_outline_path(cr, o, 0);
    cairo_set_source(cr, source);
    cairo_fill_preserve(cr);
    double pixels = canvas_pixels(b->canvas, blade->length);
    if (trait_int(b->t, T_PETAL_MARK) == MARK_EDGE && pixels > 5) {
        linnet_flora_source(cr, b->edge, 0.9);
        cairo_set_line_width(cr, 0.08 * blade->length);
    } else {
        linnet_flora_source(cr, colour_scale(b->outer, 0.55), 0.45);
        cairo_set_line_width(cr, 0.02 * blade->length + 0.25 / b->canvas->unit);
    }
    cairo_stroke(cr);
    if (pixels > 9) petal_marks(b, blade);
}

static void stamens(const struct bloom *b) {
    int n = (int)b->t->v[T_FLOWER_STAMENS];
    double length = b->t->v[T_FLOWER_STAMEN_LENGTH] * b->radius;
    struct colour anther =
        linnet_flora_oklch(b->t->v[T_FLOWER_CENTRE_LIGHT], 0.13, b->t->v[T_FLOWER_CENTRE_HUE] + 20);
    if (n <= 0 || b->pixels < 6) return;
    double turn = rng_range(b->rng, 0, FM_TAU);
    for (int i = 0; i < n; i++) {
        double a = turn + FM_TAU * i / n, r = length * rng_range(b->rng, 0.75, 1.0);
        cairo_move_to(b->cr, 0, 0);
        cairo_line_to(b->cr, r * fm_cos(a), r * fm_sin(a));
    }
    cairo_set_source_rgba(b->cr, 0.95, 0.95, 0.8, 0.8);
    cairo_set_line_width(b->cr, 0.02 * b->radius);
    cairo_stroke(b->cr);
    for (int i = 0; i < n; i++) {
        double a = turn + FM_TAU * i / n, r = length * (0.82 + 0.16 * ((i * 5) % 7) / 7.0);
        linnet_flora_ellipse(b->cr, r * fm_cos(a), r * fm_sin(a), 0.05 * b->radius, 0.05 * b->radius);
    }
    linnet_flora_source(b->cr, anther, 1);
    cairo_fill(b->cr);
}

/* The middle: an ovary, or the hundred florets of a head, set by the golden angle (Vogel's spiral). */
static void centre(const struct bloom *b, double radius, bool florets) {
    double light = b->t->v[T_FLOWER_CENTRE_LIGHT], hue = b->t->v[T_FLOWER_CENTRE_HUE];
    linnet_flora_ellipse(b->cr, 0, 0, radius, radius);
    linnet_flora_source(b->cr, linnet_flora_oklch(light, 0.12, hue), 1);
    cairo_fill(b->cr);
    if (!florets || b->pixels < 8) return;
    int n = b->pixels > 25 ? 90 : 40;
    for (int i = 0; i < n; i++) {
        double r = radius * 0.97 * sqrt((i + 0.5) / n), a = 2.39996322972865332 * i;
        linnet_flora_ellipse(b->cr, r * fm_cos(a), r * fm_sin(a), 0.06 * radius, 0.06 * radius);
    }
    linnet_flora_source(b->cr, linnet_flora_oklch(light * 0.72, 0.12, hue - 20), 1);
    cairo_fill(b->cr);
}

static void sepals(const struct bloom *b, int n, double turn) {
    if (b->t->v[T_FLOWER_SEPALS] <= 0) return;
    struct blade blade = {.length = b->radius * (0.45 + 0.65 * b->t->v[T_FLOWER_SEPALS]),
                          .aspect = 2.8,
                          .widest = 0.4,
                          .base = 0.2,
                          .tip = 0.8};
    struct outline o;
    linnet_flora_blade_outline(&blade, canvas_pixels(b->canvas, blade.length), &o);
    linnet_flora_source(b->cr, colour_scale(linnet_flora_leaf_colour(b->t), 0.95), 1);
    for (int i = 0; i < n; i++) {
        linnet_flora_place(b->cr, 0, 0, turn + FM_TAU * (i + 0.5) / n, 1, 1);
        linnet_flora_outline_path(b->cr, &o, 0);
        cairo_fill(b->cr);
        cairo_restore(b->cr);
    }
}

static void ring_of_petals(const struct bloom *b, const struct blade *blade, int n, double turn,
                           cairo_pattern_t *source) {
    struct outline o;
    linnet_flora_blade_outline(blade, canvas_pixels(b->canvas, blade->length), &o);
    for (int i = 0; i < n; i++) {
        double size = rng_range(b->rng, 0.93, 1.03);
        linnet_flora_place(b->cr, 0, 0, turn + FM_TAU * i / n + rng_range(b->rng, -0.05, 0.05), size, size);
        petal(b, blade, source, &o);
        cairo_restore(b->cr);
    }
}

static void radial(const struct bloom *b) {
    int n = (int)b->t->v[T_FLOWER_PETALS], rows = b->t->v[T_FLOWER_ROWS] > 1.7 ? 2 : 1;
    double turn = rng_range(b->rng, 0, FM_TAU);
    struct blade blade = petal_blade(b->t, b->radius);
    cairo_pattern_t *source = petal_gradient(b, b->radius);
    sepals(b, n < 6 ? n : 5, turn);
    for (int row = 0; row < rows; row++) {
        blade.length = b->radius * (1 - 0.3 * row);
        ring_of_petals(b, &blade, n, turn + row * FM_PI / n, source);
    }
    cairo_pattern_destroy(source);
    stamens(b);
    centre(b, b->radius * b->t->v[T_FLOWER_CENTRE] * 0.55, false);
}

static void head(const struct bloom *b) {
    int n = (int)b->t->v[T_FLOWER_RAYS], rows = b->t->v[T_FLOWER_ROWS] > 1.7 ? 2 : 1;
    double turn = rng_range(b->rng, 0, FM_TAU);
    struct blade blade = petal_blade(b->t, b->radius);
    blade.aspect *= 1.2 + n / 10.0;
    cairo_pattern_t *source = petal_gradient(b, b->radius);
    for (int row = 0; row < rows; row++) {
        blade.length = b->radius * (1 - 0.2 * row);
        ring_of_petals(b, &blade, n, turn + row * FM_PI / n, source);
    }
    cairo_pattern_destroy(source);
    centre(b, b->radius * (0.12 + b->t->v[T_FLOWER_CENTRE]), true);
}

/* A tube that opens into lobes, seen from the side, mouth towards +x. */
static void bell(const struct bloom *b) {
    cairo_t *cr = b->cr;
    double r = b->radius, depth = r * 0.9 * b->t->v[T_FLOWER_DEPTH],
           flare = 0.35 + 0.5 * b->t->v[T_PETAL_WIDEST];
    int lobes = 3 + (int)b->t->v[T_FLOWER_PETALS] % 3;
    double x0 = -0.5 * depth, x1 = 0.5 * depth, w0 = 0.14 * r, w1 = r * flare,
           lobe = 0.35 * r * (0.3 + b->t->v[T_PETAL_TIP]);
    linnet_flora_ellipse(cr, x1, 0, 0.3 * w1, w1);
    linnet_flora_source(cr, colour_scale(b->inner, 0.7), 1);
    cairo_fill(cr);
    cairo_pattern_t *p = cairo_pattern_create_linear(x0, 0, x1 + lobe, 0);
    cairo_pattern_add_color_stop_rgb(p, 0, b->inner.r, b->inner.g, b->inner.b);
    cairo_pattern_add_color_stop_rgb(p, 0.25 + 0.4 * fabs(b->t->v[T_PETAL_INNER_SIZE]), b->outer.r,
                                     b->outer.g, b->outer.b);
    cairo_move_to(cr, x0, -w0);
    cairo_curve_to(cr, x0 + 0.15 * depth, -w1, x0 + 0.6 * depth, -0.75 * w1, x1, -w1);
    for (int i = 0; i < lobes; i++) {
        double y = -w1 + 2 * w1 * (i + 1.0) / lobes, middle = y - w1 / lobes;
        cairo_curve_to(cr, x1 + 0.6 * lobe, middle - 0.7 * w1 / lobes, x1 + lobe, middle, x1 + lobe, middle);
        cairo_curve_to(cr, x1 + lobe, middle, x1 + 0.6 * lobe, middle + 0.7 * w1 / lobes, x1, y);
    }
    cairo_curve_to(cr, x0 + 0.6 * depth, 0.75 * w1, x0 + 0.15 * depth, w1, x0, w0);
    cairo_close_path(cr);
    cairo_set_source(cr, p);
    cairo_fill_preserve(cr);
    cairo_pattern_destroy(p);
    linnet_flora_source(cr, colour_scale(b->outer, 0.5), 0.4);
    cairo_set_line_width(cr, 0.03 * r);
    cairo_stroke(cr);
    if (trait_int(b->t, T_PETAL_MARK) >= MARK_VEINS) {
        linnet_flora_source(cr, b->edge, 0.7);
        for (int i = -1; i <= 1; i++)
            linnet_flora_stroke(cr, x0 + 0.2 * depth, 0.4 * i * w1, x1, 0.6 * i * w1, 0, 0.035 * r);
    }
    linnet_flora_ellipse(cr, x0, 0, 0.22 * r, 0.24 * r);
    linnet_flora_source(cr, linnet_flora_leaf_colour(b->t), 1);
    cairo_fill(cr);
}

/* A petal of given proportions along an angle; two-sided flowers are built of these. */
static void limb(const struct bloom *b, cairo_pattern_t *source, double x, double y, double angle,
                 double length, double aspect, double notch) {
    struct blade blade = petal_blade(b->t, length);
    struct outline o;
    blade.aspect = aspect;
    blade.base = 0.2;
    blade.notch = notch;
    blade.tip *= 0.5;
    linnet_flora_blade_outline(&blade, canvas_pixels(b->canvas, length), &o);
    linnet_flora_place(b->cr, x, y, angle, 1, 1);
    petal(b, &blade, source, &o);
    cairo_restore(b->cr);
}

/* Banner, wings and keel; up is -y. */
static void pea(const struct bloom *b) {
    double r = b->radius, stretch = 0.75 + 0.12 * b->t->v[T_PETAL_ASPECT];
    cairo_pattern_t *outer = petal_gradient(b, r * 1.2);
    struct colour keel = colour_mix(b->outer, (struct colour){1, 1, 0.9}, 0.55);
    cairo_pattern_t *pale = cairo_pattern_create_rgb(keel.r, keel.g, keel.b);
    cairo_pattern_t *inner = cairo_pattern_create_rgb(b->inner.r, b->inner.g, b->inner.b);
    limb(b, outer, 0, 0.1 * r, UP, r * 1.15, stretch, 0.08);
    cairo_pattern_t *wings = b->t->v[T_PETAL_INNER_SIZE] > 0.1 ? inner : outer;
    limb(b, wings, 0, 0, 0.9, 0.85 * r, 1.5 * stretch, 0);
    limb(b, wings, 0, 0, FM_PI - 0.9, 0.85 * r, 1.5 * stretch, 0);
    limb(b, pale, 0, 0, -UP, 0.7 * r, 1.7, 0);
    cairo_pattern_destroy(outer);
    cairo_pattern_destroy(pale);
    cairo_pattern_destroy(inner);
}

/* A hood above, a lip of three lobes below. */
static void lip(const struct bloom *b) {
    double r = b->radius, hood = 0.55 + 0.4 * b->t->v[T_PETAL_WIDEST],
           wide = 0.6 + 0.35 * b->t->v[T_PETAL_ASPECT];
    cairo_pattern_t *source = petal_gradient(b, r);
    limb(b, source, 0, 0, UP - 0.35, hood * r, 1.5, 0);
    limb(b, source, 0, 0, UP + 0.35, hood * r, 1.5, 0);
    limb(b, source, 0, 0, 0.45, 0.75 * r, 1.3 * wide, 0);
    limb(b, source, 0, 0, FM_PI - 0.45, 0.75 * r, 1.3 * wide, 0);
    limb(b, source, 0, 0, -UP, r, wide, b->t->v[T_PETAL_NOTCH] > 0 ? b->t->v[T_PETAL_NOTCH] : 0);
    cairo_pattern_destroy(source);
    linnet_flora_ellipse(b->cr, 0, 0.08 * r, 0.17 * r, 0.22 * r);
    linnet_flora_source(b->cr, colour_scale(b->inner, 0.6), 1);
    cairo_fill(b->cr);
    for (int i = 0; i < 7 && b->pixels > 7; i++)
        linnet_flora_ellipse(b->cr, 0.16 * r * (i % 3 - 1), (0.35 + 0.07 * i) * r, 0.035 * r, 0.035 * r);
    linnet_flora_source(b->cr, b->edge, 0.9);
    cairo_fill(b->cr);
}

/* A tail of scales and dust, along +x. */
static void catkin(const struct bloom *b) {
    double length = b->radius * 1.9, w = b->radius * (0.2 + 0.25 / b->t->v[T_PETAL_ASPECT]);
    int n = b->pixels > 20 ? 60 : 26;
    for (int i = 0; i < n; i++) {
        double s = (i + 0.5) / n, x = (s - 0.5) * length, across = rng_range(b->rng, -1, 1);
        double half = w * sqrt(s * (1 - s)) * 2;
        struct colour c = colour_mix(b->outer, linnet_flora_leaf_colour(b->t), 0.35 + 0.3 * (i % 3 - 1));
        linnet_flora_source(b->cr, colour_scale(c, 0.8 + 0.25 * (i % 2)), 1);
        linnet_flora_ellipse(b->cr, x, across * half, 0.07 * length, 0.09 * length * w / b->radius * 2);
        cairo_fill(b->cr);
    }
}

void linnet_flora_draw_flower(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                              double y, double angle, double radius, double tilt) {
    struct bloom b = bloom_of(canvas, traits, rng, radius);
    int plan = trait_int(traits, T_FLOWER_PLAN);
    if (b.pixels < 3.2) { /* too small for petals: a dab of its colours */
        linnet_flora_ellipse(canvas->cr, x, y, radius * 0.85, radius * 0.7);
        linnet_flora_source(canvas->cr, b.outer, 1);
        cairo_fill(canvas->cr);
        linnet_flora_ellipse(canvas->cr, x, y, radius * 0.3, radius * 0.25);
        linnet_flora_source(canvas->cr, b.inner, 1);
        cairo_fill(canvas->cr);
        return;
    }
    bool side = plan == FLOWER_BELL || plan == FLOWER_CATKIN,
         fixed = plan == FLOWER_PEA || plan == FLOWER_LIP;
    double turn = fixed ? angle - UP : angle, flat = 1 - (fixed ? 0.3 : 0.62) * tilt;
    /* flowers seen from the front are narrowed along the way that they look */
    linnet_flora_place(canvas->cr, x, y, turn, side || fixed ? 1 : flat, fixed ? flat : 1);
    switch (plan) {
    case FLOWER_HEAD:
        head(&b);
        break;
    case FLOWER_BELL:
        bell(&b);
        break;
    case FLOWER_PEA:
        pea(&b);
        break;
    case FLOWER_LIP:
        lip(&b);
        break;
    case FLOWER_CATKIN:
        catkin(&b);
        break;
    default:
        radial(&b);
        break;
    }
    cairo_restore(canvas->cr);
}

/* Where a flower of the inflorescence sits: s of 0 (lowest) .. 1 (top), in lengths along and across the stem,
 * and its size. */
struct seat {
    double along, across, size, angle;
};

static struct seat seat_of(int kind, double s, int i, int n, struct rng *rng) {
    double side = i % 2 ? 1 : -1, jitter = rng_range(rng, -0.03, 0.03),
           spread = n > 1 ? 2.0 * i / (n - 1) - 1 : 0;
    double around = spread * 1.35;
    switch (kind) {
    case INFLORESCENCE_SPIKE:
        return (struct seat){0.4 + 0.6 * s, side * 0.05 * (1.1 - s), 0.13 * (1.15 - 0.5 * s), side * 1.2};
    case INFLORESCENCE_UMBEL:
        return (struct seat){0.6 + 0.4 * fm_cos(around) + jitter, 0.42 * fm_sin(around), 0.13, around};
    case INFLORESCENCE_CORYMB:
        return (struct seat){0.88 + 0.1 * (1 - spread * spread) + jitter * 2, 0.4 * spread + jitter, 0.135,
                             around * 0.3};
    case INFLORESCENCE_PANICLE:
        return (struct seat){0.35 + 0.65 * s, side * 0.34 * (1.05 - s) * (0.5 + 0.5 * ((i * 7) % 5) / 4.0),
                             0.11, side * 0.6};
    default:
        return (struct seat){0.35 + 0.65 * s, side * 0.15 * (1.15 - s), 0.17 * (1.15 - 0.55 * s), side * 1.1};
    }
}

void linnet_flora_draw_inflorescence(struct canvas *canvas, const struct traits *traits, struct rng *rng,
                                     double x, double y, double angle, double length) {
    int kind = trait_int(traits, T_INFLORESCENCE), n = (int)traits->v[T_INFLORESCENCE_COUNT];
    bool nods =
        trait_int(traits, T_FLOWER_PLAN) == FLOWER_BELL || trait_int(traits, T_FLOWER_PLAN) == FLOWER_CATKIN;
    struct colour stem = colour_scale(linnet_flora_leaf_colour(traits), 0.85);
    if (kind == INFLORESCENCE_SOLITARY) n = 1;
    if (kind == INFLORESCENCE_UMBEL || kind == INFLORESCENCE_CORYMB) n = n * 3 / 4 + 3;
    linnet_flora_place(canvas->cr, x, y, angle, 1, 1);
    linnet_flora_source(canvas->cr, stem, 1);
    double top = kind == INFLORESCENCE_UMBEL ? 0.6 : kind == INFLORESCENCE_CORYMB ? 0.75 : 0.97;
    linnet_flora_stroke(canvas->cr, 0, 0, top * length, 0, rng_range(rng, -0.06, 0.06), 0.022 * length);
    for (int i = 0; i < n; i++) {
        double s = n > 1 ? i / (n - 1.0) : 1;
        struct seat seat = n > 1 ? seat_of(kind, s, i, n, rng) : (struct seat){1, 0, 0.34, 0};
        double px = seat.along * length, py = seat.across * length;
        double from = kind == INFLORESCENCE_UMBEL    ? 0.6 * length
                      : kind == INFLORESCENCE_CORYMB ? 0.7 * length
                                                     : px - 0.06 * length;
        linnet_flora_source(canvas->cr, stem, 1);
        linnet_flora_stroke(canvas->cr, from, 0, px, py, 0.1, 0.012 * length);
        double facing = nods ? (seat.across > 0 ? 1 : -1) * 1.9 : seat.angle;
        if (trait_int(traits, T_FLOWER_PLAN) >= FLOWER_PEA && !nods) facing = seat.angle * 0.4;
        double size = seat.size * length * (n > 14 && kind != INFLORESCENCE_SPIKE ? 0.8 : 1);
        linnet_flora_draw_flower(canvas, traits, rng, px, py, facing, size, rng_range(rng, 0.1, 0.7));
    }
    cairo_restore(canvas->cr);
}
