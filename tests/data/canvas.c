#include "tests/data/canvas.h"

#include <stdlib.h>
#include <string.h>

int linnet_flora_canvas_open(struct canvas *canvas, int width, int height) {
    canvas->width = width;
    canvas->height = height;
    canvas->unit = width < height ? width : height;
    canvas->half_width = 0.5 * width / canvas->unit;
    canvas->half_height = 0.5 * height / canvas->unit;
    canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    canvas->cr = cairo_create(canvas->surface);
    if (cairo_status(canvas->cr) != CAIRO_STATUS_SUCCESS) {
        linnet_flora_canvas_close(canvas);
        return -1;
    }
    cairo_translate(canvas->cr, width / 2.0, height / 2.0);
    cairo_scale(canvas->cr, canvas->unit, canvas->unit);
    cairo_set_line_cap(canvas->cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(canvas->cr, CAIRO_LINE_JOIN_BEVEL);
    /* half a pixel of a curve's flattening is not seen */
    cairo_set_tolerance(canvas->cr, 0.3);
    cairo_set_antialias(canvas->cr, CAIRO_ANTIALIAS_FAST);
    return 0;
}

void linnet_flora_canvas_close(struct canvas *canvas) {
    cairo_destroy(canvas->cr);
    cairo_surface_destroy(canvas->surface);
    canvas->cr = NULL;
    canvas->surface = NULL;
}

int linnet_flora_image_new(struct image *image, int width, int height) {
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
    if (!rgb) return -1;
    *image = (struct image){width, height, rgb};
    return 0;
}

void linnet_flora_image_free(struct image *image) {
    free(image->rgb);
    image->rgb = NULL;
}

int linnet_flora_canvas_image(struct canvas *canvas, struct image *out) {
    if (cairo_status(canvas->cr) != CAIRO_STATUS_SUCCESS) return -1;
    cairo_surface_flush(canvas->surface);
    const uint8_t *pixels = cairo_image_surface_get_data(canvas->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
    if (linnet_flora_image_new(out, canvas->width, canvas->height)) return -1;
    for (int y = 0; y < out->height; y++) {
        uint8_t *to = out->rgb + (size_t)y * (size_t)out->width * 3;
        for (int x = 0; x < out->width; x++, to += 3) {
            uint32_t pixel;
            memcpy(&pixel, pixels + (size_t)y * stride + (size_t)x * 4, 4);
            to[0] = (uint8_t)(pixel >> 16);
            to[1] = (uint8_t)(pixel >> 8);
            to[2] = (uint8_t)pixel;
        }
    }
    return 0;
}

int linnet_flora_image_turn(struct image *image, int quarters) {
    struct image turned;
    quarters &= 3;
    if (!quarters) return 0;
    int w = image->width, h = image->height;
    if (linnet_flora_image_new(&turned, quarters == 2 ? w : h, quarters == 2 ? h : w)) return -1;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            int tx = quarters == 1 ? h - 1 - y : quarters == 2 ? w - 1 - x : y;
            int ty = quarters == 1 ? x : quarters == 2 ? h - 1 - y : w - 1 - x;
            memcpy(turned.rgb + ((size_t)ty * (size_t)turned.width + (size_t)tx) * 3,
                   image->rgb + ((size_t)y * (size_t)w + (size_t)x) * 3, 3);
        }
    }
    linnet_flora_image_free(image);
    *image = turned;
    return 0;
}

int linnet_flora_image_shrink(const struct image *image, int by, struct image *out) {
    if (linnet_flora_image_new(out, image->width / by, image->height / by)) return -1;
    unsigned area = (unsigned)(by * by);
    for (int y = 0; y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            unsigned sum[3] = {0, 0, 0};
            for (int j = 0; j < by; j++) {
                const uint8_t *from =
                    image->rgb + ((size_t)(y * by + j) * (size_t)image->width + (size_t)(x * by)) * 3;
                for (int i = 0; i < 3 * by; i++)
                    sum[i % 3] += from[i];
            }
            uint8_t *to = out->rgb + ((size_t)y * (size_t)out->width + (size_t)x) * 3;
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)((sum[c] + area / 2) / area);
        }
    }
    return 0;
}

static double lattice(uint64_t key, int64_t x, int64_t y) {
    uint64_t z = key ^ ((uint64_t)x * 0x9e3779b97f4a7c15u) ^ ((uint64_t)y * 0xc2b2ae3d27d4eb4fu);
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9u;
    return (double)((z ^ (z >> 32)) & 0xffffff) * 0x1p-24;
}

double linnet_flora_noise(uint64_t key, double x, double y) {
    double fx = floor(x), fy = floor(y);
    int64_t ix = (int64_t)fx, iy = (int64_t)fy;
    double u = x - fx, v = y - fy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    double top = fm_mix(lattice(key, ix, iy), lattice(key, ix + 1, iy), u);
    double bottom = fm_mix(lattice(key, ix, iy + 1), lattice(key, ix + 1, iy + 1), u);
    return fm_mix(top, bottom, v);
}

double linnet_flora_fractal(uint64_t key, double x, double y, int octaves) {
    double sum = 0, weight = 0.5, total = 0;
    for (int i = 0; i < octaves; i++) {
        sum += weight * linnet_flora_noise(key + (uint64_t)i, x, y);
        total += weight;
        weight /= 2;
        x *= 2;
        y *= 2;
    }
    return total > 0 ? sum / total : 0;
}

void linnet_flora_place(cairo_t *cr, double x, double y, double angle, double scale_x, double scale_y) {
    double c = fm_cos(angle), s = fm_sin(angle);
    cairo_matrix_t matrix;
    cairo_save(cr);
    cairo_matrix_init(&matrix, c * scale_x, s * scale_x, -s * scale_y, c * scale_y, x, y);
    cairo_transform(cr, &matrix);
}

void linnet_flora_ellipse(cairo_t *cr, double x, double y, double rx, double ry) {
    /* four Bezier curves: cairo_arc would ask libm for sines */
    double k = 0.5522847498, kx = k * rx, ky = k * ry;
    cairo_move_to(cr, x + rx, y);
    cairo_curve_to(cr, x + rx, y + ky, x + kx, y + ry, x, y + ry);
    cairo_curve_to(cr, x - kx, y + ry, x - rx, y + ky, x - rx, y);
    cairo_curve_to(cr, x - rx, y - ky, x - kx, y - ry, x, y - ry);
    cairo_curve_to(cr, x + kx, y - ry, x + rx, y - ky, x + rx, y);
    cairo_close_path(cr);
}

void linnet_flora_source(cairo_t *cr, struct colour colour, double alpha) {
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

void linnet_flora_stroke(cairo_t *cr, double x0, double y0, double x1, double y1, double bend, double width) {
    double dx = x1 - x0, dy = y1 - y0;
    double mx = (x0 + x1) / 2 - dy * bend, my = (y0 + y1) / 2 + dx * bend;
    cairo_set_line_width(cr, width);
    cairo_move_to(cr, x0, y0);
    cairo_curve_to(cr, (x0 + 2 * mx) / 3, (y0 + 2 * my) / 3, (x1 + 2 * mx) / 3, (y1 + 2 * my) / 3, x1, y1);
    cairo_stroke(cr);
}
