/* What people photograph besides plants. */
#include "tests/data/plant.h"
#include "tests/data/scene.h"

static struct colour any_colour(struct rng *rng) {
    double light = rng_range(rng, 0.25, 0.9), chroma = rng_range(rng, 0, 0.2), hue = rng_range(rng, 0, 360);
    return linnet_flora_oklch(light, chroma, hue);
}

/* Move the origin a little and turn; the caller restores. */
static void stand(cairo_t *cr, struct rng *rng, double away, double turn) {
    double x = rng_range(rng, -away, away), y = rng_range(rng, -away, away),
           angle = rng_range(rng, -turn, turn);
    linnet_flora_place(cr, x, y, angle, rng_chance(rng, 0.5) ? 1 : -1, 1);
}

static void somewhere(struct canvas *canvas, struct rng *rng) {
    linnet_flora_draw_background(canvas, rng, (enum background)rng_below(rng, BACKGROUNDS));
}

static void box(cairo_t *cr, double x, double y, double w, double h, struct colour colour) {
    cairo_rectangle(cr, x, y, w, h);
    linnet_flora_source(cr, colour, 1);
    cairo_fill(cr);
}

static void dot(cairo_t *cr, double x, double y, double rx, double ry, struct colour colour) {
    linnet_flora_ellipse(cr, x, y, rx, ry);
    linnet_flora_source(cr, colour, 1);
    cairo_fill(cr);
}

/* A mug or a bottle. */
static void vessel(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    double w = rng_range(rng, 0.12, 0.28), h = rng_range(rng, 0.25, 0.42);
    struct colour c = any_colour(rng);
    somewhere(canvas, rng);
    stand(cr, rng, 0.12, 0.3);
    if (rng_chance(rng, 0.5)) {
        linnet_flora_ellipse(cr, w, 0, 0.1, 0.12);
        cairo_set_line_width(cr, 0.04);
        linnet_flora_source(cr, c, 1);
        cairo_stroke(cr);
    } else {
        box(cr, -0.3 * w, -h - 0.17, 0.6 * w, 0.2, colour_scale(c, 0.8));
    }
    box(cr, -w, -h, 2 * w, 2 * h, c);
    dot(cr, 0, h, w, 0.25 * w, c);
    dot(cr, 0, -h, w, 0.25 * w, colour_scale(c, 0.6));
    box(cr, -w, -0.3 * h, 2 * w, 0.7 * h, any_colour(rng));
    cairo_set_source_rgba(cr, 1, 1, 1, 0.35);
    linnet_flora_stroke(cr, -0.6 * w, -0.85 * h, -0.6 * w, 0.85 * h, 0, 0.2 * w);
    cairo_restore(cr);
}

/* A four-legged animal with fur, or a bird. */
static void animal(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    double light = rng_range(rng, 0.2, 0.85), chroma = rng_range(rng, 0.01, 0.09),
           hue = rng_range(rng, 40, 80);
    struct colour fur = linnet_flora_oklch(light, chroma, hue);
    bool bird = rng_chance(rng, 0.4);
    if (bird) fur = any_colour(rng);
    somewhere(canvas, rng);
    stand(cr, rng, 0.1, 0.2);
    dot(cr, 0, 0.08, 0.3, 0.18, fur);
    linnet_flora_source(cr, colour_scale(fur, 0.85), 1);
    linnet_flora_stroke(cr, -0.25, 0.05, -0.48, bird ? 0.12 : -0.15, 0.2, bird ? 0.1 : 0.05);
    for (int i = 0; i < (bird ? 2 : 4); i++)
        linnet_flora_stroke(cr, -0.16 + 0.11 * i, 0.2, -0.17 + 0.11 * i, 0.42, 0, bird ? 0.015 : 0.06);
    for (int i = 0; i < 90; i++) { /* fur, feathers */
        double x = rng_range(rng, -0.26, 0.26), y = 0.08 + rng_range(rng, -0.13, 0.13);
        linnet_flora_source(cr, colour_scale(fur, rng_range(rng, 0.7, 1.25)), 0.7);
        linnet_flora_stroke(cr, x, y, x - 0.05, y + 0.02, 0.1, 0.012);
    }
    dot(cr, 0.3, -0.12, 0.14, 0.13, colour_scale(fur, 1.05));
    if (bird) {
        cairo_move_to(cr, 0.42, -0.15);
        cairo_line_to(cr, 0.55, -0.1);
        cairo_line_to(cr, 0.42, -0.06);
        linnet_flora_source(cr, linnet_flora_oklch(0.75, 0.15, 65), 1);
        cairo_fill(cr);
    } else {
        for (int i = 0; i < 2; i++) {
            cairo_move_to(cr, 0.2 + 0.13 * i, -0.2);
            cairo_line_to(cr, 0.22 + 0.13 * i, -0.36);
            cairo_line_to(cr, 0.31 + 0.13 * i, -0.2);
        }
        linnet_flora_source(cr, colour_scale(fur, 0.8), 1);
        cairo_fill(cr);
        dot(cr, 0.42, -0.08, 0.03, 0.022, (struct colour){0.15, 0.1, 0.1});
    }
    dot(cr, 0.35, -0.16, 0.024, 0.024, (struct colour){0.05, 0.05, 0.05});
    dot(cr, 0.343, -0.168, 0.008, 0.008, (struct colour){1, 1, 1});
    cairo_restore(cr);
}

static void clouds(struct canvas *canvas, struct rng *rng) {
    linnet_flora_draw_background(canvas, rng, BACKGROUND_SKY);
    if (rng_chance(rng, 0.4)) { /* evening */
        cairo_set_source_rgba(canvas->cr, 1, 0.45, 0.15, rng_range(rng, 0.15, 0.5));
        cairo_paint(canvas->cr);
        double x = rng_range(rng, -0.3, 0.3), y = rng_range(rng, -0.2, 0.3);
        dot(canvas->cr, x, y, 0.06, 0.06, (struct colour){1, 0.95, 0.7});
    }
    if (rng_chance(rng, 0.5)) {
        double y = rng_range(rng, 0.15, 0.4);
        box(canvas->cr, -canvas->half_width, y, 2 * canvas->half_width, 1,
            linnet_flora_oklch(rng_range(rng, 0.3, 0.6), 0.07, 240));
    }
}

/* A page: strokes that stand like letters in words and lines. */
static void page(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    double size = rng_range(rng, 0.02, 0.05);
    linnet_flora_draw_background(canvas, rng, BACKGROUND_PAPER);
    linnet_flora_place(cr, 0, 0, rng_range(rng, -0.3, 0.3), 1, 1);
    struct colour ink = rng_chance(rng, 0.8) ? (struct colour){0.1, 0.1, 0.13} : any_colour(rng);
    linnet_flora_source(cr, ink, 1);
    double title = rng_range(rng, -0.5, 0.8);
    if (title > 0.2) box(cr, -0.4, -0.42, title, 0.1, any_colour(rng));
    linnet_flora_source(cr, ink, 1);
    cairo_set_line_width(cr, 0.16 * size);
    for (double y = -0.25; y < 0.55; y += 2 * size) {
        for (double x = -0.5; x < 0.5; x += 0.62 * size) {
            if (rng_chance(rng, 0.16)) continue; /* between words */
            unsigned glyph = rng_below(rng, 8);
            double h = glyph & 1 ? size : 0.6 * size;
            if (glyph & 2) {
                cairo_move_to(cr, x, y);
                cairo_line_to(cr, x, y - h);
            }
            if (glyph & 4) {
                cairo_move_to(cr, x, y - 0.3 * size);
                cairo_line_to(cr, x + 0.4 * size, y - 0.3 * size);
            }
            cairo_move_to(cr, x, y);
            cairo_line_to(cr, x + 0.4 * size, y - (glyph > 4 ? 0.6 * size : 0));
        }
    }
    cairo_stroke(cr);
    cairo_restore(cr);
}

/* Cloth: stripes, checks or a weave. */
static void fabric(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    linnet_flora_source(cr, any_colour(rng), 1);
    cairo_paint(cr);
    double step = rng_range(rng, 0.04, 0.22);
    linnet_flora_place(cr, 0, 0, rng_range(rng, 0, FM_PI), 1, 1);
    for (int kind = 0; kind < 3; kind++) {
        struct colour c = any_colour(rng);
        double w = step * rng_range(rng, 0.1, 0.6), at = rng_range(rng, 0, step);
        for (double x = -1.2 + at; x < 1.2; x += step) {
            linnet_flora_source(cr, c, 0.6);
            linnet_flora_stroke(cr, x, -1.2, x, 1.2, 0.02, w);
            if (kind) linnet_flora_stroke(cr, -1.2, x, 1.2, x, 0.02, w);
        }
    }
    cairo_set_source_rgba(cr, 0, 0, 0, 0.3); /* folds */
    for (int i = 0; i < 4; i++) {
        double from = rng_range(rng, -0.8, 0.8), to = rng_range(rng, -0.8, 0.8);
        linnet_flora_stroke(cr, from, -0.9, to, 0.9, 0.15, 0.07);
    }
    cairo_restore(cr);
    linnet_flora_canvas_blur(canvas, 0.004);
}

static void house(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    double ground = rng_range(rng, 0.2, 0.42), w = rng_range(rng, 0.3, 0.6), h = rng_range(rng, 0.4, 0.8);
    linnet_flora_draw_landscape(canvas, rng, ground);
    double x0 = rng_range(rng, -0.4, 0.1), light = rng_range(rng, 0.5, 0.92), hue = rng_range(rng, 30, 100);
    struct colour wall = linnet_flora_oklch(light, 0.05, hue);
    box(cr, x0, ground + 0.04 - h, w, h, wall);
    cairo_move_to(cr, x0 - 0.04, ground + 0.04 - h);
    cairo_line_to(cr, x0 + w / 2, ground - h - 0.2);
    cairo_line_to(cr, x0 + w + 0.04, ground + 0.04 - h);
    linnet_flora_source(cr, linnet_flora_oklch(0.45, 0.09, rng_range(rng, 20, 60)), 1);
    cairo_fill(cr);
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            box(cr, x0 + w * (0.1 + 0.3 * i), ground + 0.06 - h * (0.92 - 0.3 * j), 0.2 * w, 0.17 * h,
                (struct colour){0.25, 0.33, 0.42});
}

static void person(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    struct colour skin = linnet_flora_oklch(rng_range(rng, 0.4, 0.82), 0.07, 55),
                  hair = linnet_flora_oklch(rng_range(rng, 0.15, 0.7), 0.06, 65);
    somewhere(canvas, rng);
    stand(cr, rng, 0.08, 0.1);
    dot(cr, 0, 0.55, 0.36, 0.3, any_colour(rng));
    box(cr, -0.07, 0.1, 0.14, 0.2, colour_scale(skin, 0.85));
    dot(cr, 0, -0.14, 0.22, 0.26, hair);
    dot(cr, 0, -0.06, 0.17, 0.22, skin);
    for (int side = -1; side <= 1; side += 2) {
        dot(cr, 0.065 * side, -0.1, 0.032, 0.018, (struct colour){0.97, 0.97, 0.97});
        dot(cr, 0.065 * side, -0.1, 0.014, 0.016, (struct colour){0.15, 0.1, 0.08});
    }
    linnet_flora_source(cr, colour_scale(skin, 0.7), 1);
    linnet_flora_stroke(cr, 0, -0.08, 0.015, 0.0, 0, 0.015);
    linnet_flora_source(cr, linnet_flora_oklch(0.5, 0.13, 20), 1);
    linnet_flora_stroke(cr, -0.06, 0.07, 0.06, 0.07, 0.15, 0.025);
    cairo_restore(cr);
}

/* A plate with something on it: round and coloured, as flowers are. */
static void plate(struct canvas *canvas, struct rng *rng) {
    cairo_t *cr = canvas->cr;
    linnet_flora_draw_background(canvas, rng, rng_chance(rng, 0.5) ? BACKGROUND_WOOD : BACKGROUND_PAPER);
    stand(cr, rng, 0.1, 3);
    cairo_scale(cr, 1, rng_range(rng, 0.6, 1));
    dot(cr, 0.02, 0.03, 0.43, 0.43, (struct colour){0.2, 0.18, 0.16});
    dot(cr, 0, 0, 0.42, 0.42, (struct colour){0.93, 0.93, 0.9});
    dot(cr, 0, 0, 0.31, 0.31, (struct colour){0.85, 0.85, 0.83});
    int pieces = 4 + (int)rng_below(rng, 12);
    struct colour food = any_colour(rng);
    for (int i = 0; i < pieces; i++) {
        double a = rng_range(rng, 0, FM_TAU), d = 0.2 * sqrt(rng_unit(rng));
        double rx = rng_range(rng, 0.03, 0.1), ry = rng_range(rng, 0.03, 0.09),
               light = rng_range(rng, 0.7, 1.1);
        struct colour piece = rng_chance(rng, 0.3) ? any_colour(rng) : food;
        dot(cr, d * fm_cos(a), d * fm_sin(a), rx, ry, colour_scale(piece, light));
    }
    cairo_restore(cr);
}

void linnet_flora_draw_non_plant(struct canvas *canvas, struct rng *rng, unsigned kind) {
    static void (*const draw[FLORA_NON_PLANTS])(struct canvas *, struct rng *) = {
        vessel, animal, clouds, page, fabric, house, person, plate};
    draw[kind % FLORA_NON_PLANTS](canvas, rng);
}
