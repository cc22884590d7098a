#include "tests/data/scene.h"

#include <string.h>

#include "tests/data/plant.h"

void linnet_flora_conditions(struct rng *rng, struct conditions *out) {
    static const double usual[BACKGROUNDS] = {4, 1.5, 2, 1, 0.8, 1.2, 0.7, 0.25};
    out->warmth = 0.45 * rng_normal(rng);
    out->exposure = 0.4 * rng_normal(rng);
    out->softness = rng_unit(rng) * rng_unit(rng);
    out->grain = rng_unit(rng) * rng_unit(rng);
    out->clutter = rng_unit(rng);
    for (int i = 0; i < BACKGROUNDS; i++)
        out->weights[i] = usual[i] * (0.2 + 1.6 * rng_unit(rng));
}

enum background linnet_flora_background_pick(struct rng *rng, const struct conditions *conditions) {
    return (enum background)rng_weighted(rng, conditions->weights, BACKGROUNDS);
}

static void fill(struct canvas *canvas, struct colour colour) {
    linnet_flora_source(canvas->cr, colour, 1);
    cairo_paint(canvas->cr);
}

static double anywhere_x(const struct canvas *canvas, struct rng *rng) {
    return rng_range(rng, -1.1, 1.1) * canvas->half_width;
}

static double anywhere_y(const struct canvas *canvas, struct rng *rng) {
    return rng_range(rng, -1.1, 1.1) * canvas->half_height;
}

static void blobs(struct canvas *canvas, struct rng *rng, int n, double size, double light, double chroma,
                  double hue, double hue_spread) {
    for (int i = 0; i < n; i++) {
        double x = anywhere_x(canvas, rng), y = anywhere_y(canvas, rng), r = size * rng_range(rng, 0.4, 1.5);
        double l = fm_clamp(light + 0.16 * rng_normal(rng), 0.08, 0.95);
        double turn = rng_range(rng, 0, FM_PI), flat = rng_range(rng, 0.4, 1);
        linnet_flora_place(canvas->cr, x, y, turn, 1, flat);
        linnet_flora_ellipse(canvas->cr, 0, 0, r, r);
        cairo_restore(canvas->cr);
        double c = chroma * rng_range(rng, 0.4, 1.2), h = hue + hue_spread * rng_normal(rng);
        linnet_flora_source(canvas->cr, linnet_flora_oklch(l, c, h), 0.8);
        cairo_fill(canvas->cr);
    }
}

/* Multiply what is there by smooth noise. */
static void mottle(struct canvas *canvas, struct rng *rng, double size_x, double size_y, double strength) {
    uint64_t key = rng_next(rng);
    if (cairo_status(canvas->cr) != CAIRO_STATUS_SUCCESS) return;
    cairo_surface_flush(canvas->surface);
    uint8_t *data = cairo_image_surface_get_data(canvas->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
    int octaves = canvas->unit > 300 ? 4 : 2;
    for (int j = 0; j < canvas->height; j++) {
        uint8_t *row = data + (size_t)j * stride;
        double y = j / (canvas->unit * size_y);
        for (int i = 0; i < canvas->width; i++, row += 4) {
            double n = linnet_flora_fractal(key, i / (canvas->unit * size_x), y, octaves);
            int gain = (int)(256 * (1 + strength * (2 * n - 1)));
            for (int c = 0; c < 3; c++) {
                int value = row[c] * gain >> 8;
                row[c] = (uint8_t)(value > 255 ? 255 : value < 0 ? 0 : value);
            }
        }
    }
    cairo_surface_mark_dirty(canvas->surface);
}

static void blades_of_grass(struct canvas *canvas, struct rng *rng, int n, double low, double high,
                            double light) {
    for (int i = 0; i < n; i++) {
        double x = anywhere_x(canvas, rng), y = rng_range(rng, low, high), length = rng_range(rng, 0.1, 0.3);
        double l = light + 0.1 * rng_normal(rng), hue = 125 + 9 * rng_normal(rng),
               lean = 0.3 * length * rng_normal(rng);
        linnet_flora_source(canvas->cr, linnet_flora_oklch(l, 0.1, hue), 0.9);
        linnet_flora_stroke(canvas->cr, x, y, x + lean, y - length, rng_range(rng, -0.2, 0.2), 0.012);
    }
}

static void foliage(struct canvas *canvas, struct rng *rng) {
    double light = rng_range(rng, 0.3, 0.6), hue = rng_range(rng, 112, 148);
    fill(canvas, linnet_flora_oklch(light, 0.07, hue));
    blobs(canvas, rng, 24, rng_range(rng, 0.07, 0.2), light, 0.1, hue, 9);
    if (rng_chance(rng, 0.35))
        blobs(canvas, rng, 4, 0.06, 0.75, 0.14, rng_range(rng, 0, 360), 20); /* other flowers, far */
    linnet_flora_canvas_blur(canvas, rng_range(rng, 0.01, 0.05));
}

static void litter(struct canvas *canvas, struct rng *rng) {
    double light = rng_range(rng, 0.25, 0.5);
    fill(canvas, linnet_flora_oklch(light, 0.045, rng_range(rng, 50, 80)));
    blobs(canvas, rng, 34, 0.05, light + 0.06, 0.06, 65, 16);
    mottle(canvas, rng, 0.05, 0.05, 0.45);
    if (rng_chance(rng, 0.5)) blades_of_grass(canvas, rng, 10, -0.4, 0.7, 0.5);
    linnet_flora_canvas_blur(canvas, rng_range(rng, 0.002, 0.02));
}

static void grass(struct canvas *canvas, struct rng *rng) {
    double light = rng_range(rng, 0.38, 0.6);
    fill(canvas, linnet_flora_oklch(light - 0.08, 0.08, 125));
    blades_of_grass(canvas, rng, 60, -0.5, 0.8, light);
    linnet_flora_canvas_blur(canvas, rng_range(rng, 0.003, 0.022));
}

static void sky(struct canvas *canvas, struct rng *rng) {
    double blue = rng_unit(rng);
    struct colour top = linnet_flora_oklch(0.66 + 0.1 * rng_unit(rng), 0.1 * blue, 245);
    struct colour low = linnet_flora_oklch(0.9, 0.03 * blue, 230);
    cairo_pattern_t *p = cairo_pattern_create_linear(0, -canvas->half_height, 0, canvas->half_height);
    cairo_pattern_add_color_stop_rgb(p, 0, top.r, top.g, top.b);
    cairo_pattern_add_color_stop_rgb(p, 1, low.r, low.g, low.b);
    cairo_set_source(canvas->cr, p);
    cairo_paint(canvas->cr);
    cairo_pattern_destroy(p);
    if (rng_chance(rng, 0.6)) {
        blobs(canvas, rng, 8, 0.16, 0.93, 0.01, 250, 5);
        linnet_flora_canvas_blur(canvas, 0.06);
    }
}

static void rock(struct canvas *canvas, struct rng *rng) {
    double light = rng_range(rng, 0.45, 0.72);
    fill(canvas, linnet_flora_oklch(light, 0.015, 75));
    blobs(canvas, rng, 26, 0.09, light, 0.015, 75, 30);
    mottle(canvas, rng, 0.07, 0.07, 0.3);
    linnet_flora_canvas_blur(canvas, rng_range(rng, 0.001, 0.012));
}

static void paper(struct canvas *canvas, struct rng *rng) {
    static const double hues[] = {90, 75, 250, 60};
    double light = rng_range(rng, 0.75, 0.97), hue = hues[rng_below(rng, 4)];
    fill(canvas, linnet_flora_oklch(light, 0.02 * rng_unit(rng), hue));
    if (rng_chance(rng, 0.3)) { /* ruled */
        linnet_flora_source(canvas->cr, linnet_flora_oklch(0.7, 0.06, 250), 0.6);
        for (double y = -canvas->half_height; y < canvas->half_height; y += 0.08)
            linnet_flora_stroke(canvas->cr, -canvas->half_width, y, canvas->half_width, y, 0, 0.004);
    }
}

static void wood(struct canvas *canvas, struct rng *rng) {
    bool tarmac = rng_chance(rng, 0.35);
    fill(canvas, tarmac ? linnet_flora_oklch(0.42, 0.008, 250)
                        : linnet_flora_oklch(rng_range(rng, 0.45, 0.7), 0.06, 62));
    mottle(canvas, rng, tarmac ? 0.02 : 0.6, tarmac ? 0.02 : 0.025, 0.35);
    cairo_set_source_rgba(canvas->cr, 0.1, 0.06, 0.03, 0.6);
    for (double y = -canvas->half_height + 0.1; y < canvas->half_height && !tarmac; y += 0.27)
        linnet_flora_stroke(canvas->cr, -canvas->half_width, y, canvas->half_width, y, 0, 0.008);
}

static void dark(struct canvas *canvas, struct rng *rng) {
    fill(canvas, linnet_flora_oklch(rng_range(rng, 0.1, 0.22), 0.02, 140));
    blobs(canvas, rng, 8, 0.14, 0.2, 0.03, 135, 20);
    linnet_flora_canvas_blur(canvas, 0.04);
}

void linnet_flora_draw_background(struct canvas *canvas, struct rng *rng, enum background kind) {
    switch (kind) {
    case BACKGROUND_LITTER:
        litter(canvas, rng);
        break;
    case BACKGROUND_GRASS:
        grass(canvas, rng);
        break;
    case BACKGROUND_SKY:
        sky(canvas, rng);
        break;
    case BACKGROUND_ROCK:
        rock(canvas, rng);
        break;
    case BACKGROUND_PAPER:
        paper(canvas, rng);
        break;
    case BACKGROUND_WOOD:
        wood(canvas, rng);
        break;
    case BACKGROUND_DARK:
        dark(canvas, rng);
        break;
    default:
        foliage(canvas, rng);
        break;
    }
}

void linnet_flora_draw_landscape(struct canvas *canvas, struct rng *rng, double horizon) {
    double light = rng_range(rng, 0.4, 0.65),
           hue = rng_chance(rng, 0.75) ? rng_range(rng, 112, 135) : rng_range(rng, 70, 95);
    sky(canvas, rng);
    int far = 3 + (int)rng_below(rng, 9);
    for (int i = 0; i < far; i++) { /* hills, trees or houses, in the haze */
        double x = anywhere_x(canvas, rng), r = rng_range(rng, 0.06, 0.2);
        linnet_flora_ellipse(canvas->cr, x, horizon, r * 1.3, r);
        double l = rng_range(rng, 0.42, 0.62), h = rng_range(rng, 120, 220);
        linnet_flora_source(canvas->cr, linnet_flora_oklch(l, 0.05, h), 1);
        cairo_fill(canvas->cr);
    }
    cairo_rectangle(canvas->cr, -canvas->half_width - 0.1, horizon, 2 * canvas->half_width + 0.2,
                    canvas->half_height - horizon + 0.1);
    linnet_flora_source(canvas->cr, linnet_flora_oklch(light, 0.07, hue), 1);
    cairo_fill(canvas->cr);
    for (int i = 0; i < 24; i++) {
        double y = fm_mix(horizon + 0.02, canvas->half_height, rng_unit(rng)),
               near = (y - horizon) / (canvas->half_height - horizon + 0.01);
        linnet_flora_ellipse(canvas->cr, anywhere_x(canvas, rng), y, 0.03 + 0.14 * near, 0.01 + 0.03 * near);
        double l = light + 0.06 * rng_normal(rng), h = hue + 8 * rng_normal(rng);
        linnet_flora_source(canvas->cr, linnet_flora_oklch(l, 0.07, h), 0.7);
        cairo_fill(canvas->cr);
    }
    linnet_flora_canvas_blur(canvas, rng_range(rng, 0.003, 0.02));
    if (rng_chance(rng, 0.6))
        blades_of_grass(canvas, rng, 30, horizon + 0.1, canvas->half_height + 0.15, light);
}

static void stray_leaf(struct canvas *canvas, struct rng *rng) {
    struct traits traits;
    linnet_flora_traits_family(rng, &traits);
    if (trait_int(&traits, T_LEAF_FORM) == LEAF_NEEDLE) traits.v[T_LEAF_FORM] = LEAF_SIMPLE;
    double a = rng_range(rng, 0, FM_TAU), r = rng_range(rng, 0.45, 0.7);
    double angle = a + FM_PI + rng_range(rng, -0.8, 0.8), length = rng_range(rng, 0.2, 0.4),
           light = rng_range(rng, 0.7, 1.1);
    linnet_flora_draw_leaf(canvas, &traits, rng, r * fm_cos(a), r * fm_sin(a), angle, length, light);
}

static void finger(struct canvas *canvas, struct rng *rng) {
    struct colour skin = linnet_flora_oklch(rng_range(rng, 0.4, 0.82), 0.07, 55);
    double side = rng_chance(rng, 0.5) ? 1 : -1, y = rng_range(rng, 0.1, 0.5),
           x = side * (canvas->half_width + 0.1);
    double reach = side * (canvas->half_width - rng_range(rng, 0.15, 0.35)), dy = rng_range(rng, -0.25, 0.05);
    linnet_flora_source(canvas->cr, skin, 1);
    linnet_flora_stroke(canvas->cr, x, y, reach, y + dy, 0.05, 0.16);
    linnet_flora_source(canvas->cr, colour_mix(skin, (struct colour){1, 0.9, 0.9}, 0.45), 1);
    linnet_flora_stroke(canvas->cr, reach + side * 0.02, y + dy - 0.02, reach - side * 0.02, y + dy - 0.025,
                        0, 0.075);
}

static void insect(struct canvas *canvas, struct rng *rng) {
    double x = rng_range(rng, -0.3, 0.3), y = rng_range(rng, -0.3, 0.3), r = rng_range(rng, 0.015, 0.035);
    linnet_flora_place(canvas->cr, x, y, rng_range(rng, 0, FM_TAU), 1, 1);
    cairo_set_source_rgba(canvas->cr, 0.9, 0.93, 1, 0.6);
    linnet_flora_ellipse(canvas->cr, 0, -1.2 * r, 0.9 * r, r);
    linnet_flora_ellipse(canvas->cr, 0, 1.2 * r, 0.9 * r, r);
    cairo_fill(canvas->cr);
    for (int i = 0; i < 4; i++) {
        linnet_flora_ellipse(canvas->cr, (i - 1.5) * 0.6 * r, 0, 0.5 * r, 0.6 * r);
        linnet_flora_source(canvas->cr,
                            i % 2 ? (struct colour){0.9, 0.7, 0.1} : (struct colour){0.1, 0.08, 0.05}, 1);
        cairo_fill(canvas->cr);
    }
    cairo_restore(canvas->cr);
}

void linnet_flora_draw_clutter(struct canvas *canvas, struct rng *rng, double amount) {
    if (rng_chance(rng, 0.55 * amount)) {
        int n = 2 + (int)rng_below(rng, 7);
        blades_of_grass(canvas, rng, n, 0.3, 0.75, 0.55);
    }
    for (int i = 0; i < 2; i++)
        if (rng_chance(rng, 0.5 * amount)) stray_leaf(canvas, rng);
    if (rng_chance(rng, 0.3 * amount)) {
        double from = anywhere_x(canvas, rng), to = anywhere_x(canvas, rng),
               width = rng_range(rng, 0.01, 0.03);
        linnet_flora_source(canvas->cr, linnet_flora_oklch(0.4, 0.04, 60), 1);
        linnet_flora_stroke(canvas->cr, from, -0.6, to, 0.6, 0.1, width);
    }
    if (rng_chance(rng, 0.2 * amount)) finger(canvas, rng);
    if (rng_chance(rng, 0.12)) insect(canvas, rng);
}
