#include <string.h>

#include "tests/data/plant.h"

/* Bark is computed pixel by pixel: a height between crack and ridge, and a tint. */
struct bark {
    enum bark_texture texture;
    double scale, stretch, contrast, lichen;
    uint64_t key;
    int octaves;
};

struct grain {
    double height, tint; /* 0 crack .. 1 ridge; -1 .. 1 */
};

/* Worley's cells: how near a point is to the border of its cell (0 on it), and a number of the cell's own. */
static struct grain cells(uint64_t key, double x, double y) {
    double fx = floor(x), fy = floor(y), first = 9, second = 9, own = 0;
    for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
            struct rng rng = {key ^ rng_mix((uint64_t)(int64_t)(fx + i) * 0x9e3779b97f4a7c15u +
                                            (uint64_t)(int64_t)(fy + j) * 0xc2b2ae3d27d4eb4fu)};
            uint64_t bits = rng_next(&rng);
            double px = fx + i + (double)(bits & 0xffff) * 0x1p-16,
                   py = fy + j + (double)((bits >> 16) & 0xffff) * 0x1p-16;
            double d = (px - x) * (px - x) + (py - y) * (py - y);
            if (d < first) {
                second = first;
                first = d;
                own = (double)((bits >> 32) & 0xffff) * 0x1p-15 - 1;
            } else if (d < second) {
                second = d;
            }
        }
    }
    return (struct grain){sqrt(second) - sqrt(first), own};
}

static struct grain grain_at(const struct bark *b, double u, double v) {
    double s = b->scale, n;
    struct grain g;
    u += 0.05 * (linnet_flora_noise(b->key + 77, u * 3, v * 3) - 0.5);
    switch (b->texture) {
    case BARK_FISSURED:
        n = fabs(2 * linnet_flora_fractal(b->key, u * s, v * s / b->stretch, b->octaves) - 1);
        return (struct grain){fm_step(0.02, 0.3, n), n - 0.4};
    case BARK_PLATES:
        g = cells(b->key, u * s * 0.7, v * s * 0.7 / sqrt(b->stretch));
        return (struct grain){fm_step(0.03, 0.22, g.height), 0.6 * g.tint};
    case BARK_SCALY:
        g = cells(b->key, u * s * 1.3, v * s * 1.3);
        return (struct grain){fm_clamp(0.25 + 1.1 * g.height, 0, 1), 0.4 * g.tint};
    case BARK_PEELING:
        n = linnet_flora_fractal(b->key, u * s * 0.25, v * s * 0.9, b->octaves);
        return (struct grain){0.45 + 0.55 * fm_step(0.44, 0.49, n) - 0.4 * fm_step(0.6, 0.62, n),
                              1.6 * (n - 0.5)};
    case BARK_STRINGY:
        n = linnet_flora_fractal(b->key, u * s * 2.4, v * s / (2.5 * b->stretch), b->octaves);
        return (struct grain){fm_step(0.25, 0.7, n), n - 0.5};
    default:
        n = linnet_flora_fractal(b->key, u * s * 0.5, v * s * 0.4, b->octaves);
        return (struct grain){0.72 + 0.28 * n, n - 0.5};
    }
}

static uint8_t byte(double x) {
    return (uint8_t)fm_clamp(x * 255 + 0.5, 0, 255);
}

static void shade(struct canvas *canvas, const struct bark *b, struct colour base, double width) {
    uint8_t *data = cairo_image_surface_get_data(canvas->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
    struct colour lichen = {0.66, 0.70, 0.55};
    for (int j = 0; j < canvas->height; j++) {
        double v = (j + 0.5) / canvas->unit;
        for (int i = 0; i < canvas->width; i++) {
            double x = (i + 0.5) / canvas->unit - canvas->half_width, round = 2 * x / width;
            if (round <= -1 || round >= 1) continue;
            struct grain g = grain_at(b, x, v);
            double light = fm_mix(1, 0.35 + 0.75 * g.height, b->contrast) * (1 + 0.22 * g.tint * b->contrast);
            light *= 0.45 + 0.6 * sqrt(1 - round * round);
            struct colour c = base;
            if (b->lichen > 0 && g.height > 0.4) {
                double patch = linnet_flora_fractal(b->key + 99, x * 7, v * 7, 4),
                       from = 0.74 - 0.2 * b->lichen;
                c = colour_mix(c, lichen, 0.75 * fm_step(from, from + 0.08, patch));
            }
            uint32_t pixel = 0xff000000u | (uint32_t)byte(c.r * light) << 16 |
                             (uint32_t)byte(c.g * light) << 8 | (uint32_t)byte(c.b * light);
            memcpy(data + (size_t)j * stride + (size_t)i * 4, &pixel, 4);
        }
    }
}

void linnet_flora_draw_bark(struct canvas *canvas, const struct traits *traits, struct rng *rng,
                            double width) {
    const double *v = traits->v;
    double zoom = rng_range(rng, 0.75, 1.3), lichen = rng_range(rng, -0.25, 0.2);
    struct bark b = {.texture = (enum bark_texture)trait_int(traits, T_BARK_TEXTURE),
                     .scale = v[T_BARK_SCALE] * zoom,
                     .stretch = v[T_BARK_STRETCH],
                     .contrast = v[T_BARK_CONTRAST],
                     .lichen = v[T_BARK_LICHEN] + lichen,
                     .key = rng_next(rng),
                     .octaves = canvas->unit > 400   ? 5
                                : canvas->unit > 150 ? 4
                                                     : 3};
    if (cairo_status(canvas->cr) != CAIRO_STATUS_SUCCESS) return;
    cairo_surface_flush(canvas->surface);
    shade(canvas, &b, linnet_flora_bark_colour(traits), width);
    cairo_surface_mark_dirty(canvas->surface);
    if (v[T_BARK_LENTICELS] <= 0) return;
    int n = (int)(12 + 36 * v[T_BARK_LENTICELS]);
    bool pale = b.key & 1 ? v[T_BARK_LIGHTNESS] < 0 : trait_int(traits, T_BARK_PALETTE) == 3;
    for (int i = 0; i < n; i++) {
        double x = rng_range(rng, -0.46, 0.46) * width,
               y = rng_range(rng, -0.5, 0.5) * 2 * canvas->half_height;
        linnet_flora_ellipse(canvas->cr, x, y, zoom * rng_range(rng, 0.02, 0.055), zoom * 0.008);
    }
    linnet_flora_source(canvas->cr,
                        pale ? (struct colour){0.75, 0.66, 0.5} : (struct colour){0.16, 0.11, 0.09}, 0.7);
    cairo_fill(canvas->cr);
}
