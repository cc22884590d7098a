/* A picture being drawn: a cairo surface with its middle at (0, 0) and its shorter side of length 1, so that
 * every shape is drawn alike at 96 pixels and at 12 megapixels. One thread. Fine detail that a pixel could
 * not show is left out by those who draw, who ask `canvas_pixels`. */
#ifndef LINNET_FLORA_CANVAS_H
#define LINNET_FLORA_CANVAS_H

#include <cairo.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/data/colour.h"
#include "tests/data/rng.h"

struct canvas {
    cairo_surface_t *surface;
    cairo_t *cr;
    int width, height;
    double unit;                    /* pixels of the shorter side */
    double half_width, half_height; /* of the picture, in its own units: 0.5 and more */
};

/* An 8-bit RGB picture, rows without gaps. */
struct image {
    int width, height;
    uint8_t *rgb; /* owned */
};

/* Open a canvas. 0, or -1 where there is no memory for it. */
int linnet_flora_canvas_open(struct canvas *canvas, int width, int height);
void linnet_flora_canvas_close(struct canvas *canvas);
/* Copy what was drawn into a new image. 0 or -1. */
int linnet_flora_canvas_image(struct canvas *canvas, struct image *out);
int linnet_flora_image_new(struct image *image, int width, int height);
void linnet_flora_image_free(struct image *image);
/* Blur what was drawn so far by a radius in units (three box filters, which is a Gaussian to the eye). */
void linnet_flora_canvas_blur(struct canvas *canvas, double radius);
/* The same on an image, with different radii (pixels) across and down. */
void linnet_flora_image_blur(struct image *image, double across, double down);
/* An image turned by quarter turns clockwise, in place. 0 or -1 (out of memory, image untouched). */
int linnet_flora_image_turn(struct image *image, int quarters);
/* A smaller image by averaging whole blocks of by x by pixels. 0 or -1. */
int linnet_flora_image_shrink(const struct image *image, int by, struct image *out);

/* Smooth noise in 0..1 with one bump per unit of x and y; `key` chooses which. */
double linnet_flora_noise(uint64_t key, double x, double y);
/* Octaves of it, each of half the size and half the strength; about 0..1. */
double linnet_flora_fractal(uint64_t key, double x, double y, int octaves);

/* Save, move the origin, turn (radians) and stretch; the caller restores. */
void linnet_flora_place(cairo_t *cr, double x, double y, double angle, double scale_x, double scale_y);
void linnet_flora_ellipse(cairo_t *cr, double x, double y, double rx, double ry);
void linnet_flora_source(cairo_t *cr, struct colour colour, double alpha);
/* A stroke from (x0, y0) to (x1, y1), bent sideways by `bend` of its length, with round ends. */
void linnet_flora_stroke(cairo_t *cr, double x0, double y0, double x1, double y1, double bend, double width);

/* How many pixels a length in units covers. */
static inline double canvas_pixels(const struct canvas *canvas, double length) {
    return length * canvas->unit;
}

#endif
