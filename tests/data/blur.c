/* Gaussian blur by three box filters, each a running sum, so that its cost does not depend on the radius.
 * Sums run down the rows, whole rows at a time, which compilers turn into vector code; across is down on the
 * transposed picture. */
#include <stdlib.h>
#include <string.h>

#include "tests/data/canvas.h"

/* Rows of bytes, a picture or its transpose. */
struct plane {
    uint8_t *data;
    size_t stride; /* bytes of a row */
    int rows;
};

static const uint8_t *row_of(const struct plane *plane, int y) {
    return plane->data + (size_t)(y < 0 ? 0 : y >= plane->rows ? plane->rows - 1 : y) * plane->stride;
}

/* One box filter of `radius` whole rows to either side and `part` of the next; beyond the edge the last row
 * repeats. */
static void box_down(const struct plane *in, uint8_t *out, int32_t *sums, int radius, float part) {
    size_t n = in->stride;
    float inverse = 1 / ((float)(2 * radius + 1) + 2 * part);
    memset(sums, 0, n * sizeof *sums);
    for (int y = -radius; y <= radius; y++) {
        const uint8_t *row = row_of(in, y);
        for (size_t x = 0; x < n; x++)
            sums[x] += row[x];
    }
    for (int y = 0; y < in->rows; y++, out += n) {
        const uint8_t *before = row_of(in, y - radius - 1), *after = row_of(in, y + radius + 1),
                      *leaves = row_of(in, y - radius);
        for (size_t x = 0; x < n; x++) {
            float value = ((float)sums[x] + part * (float)(before[x] + after[x])) * inverse;
            out[x] = (uint8_t)(int32_t)(value + 0.5f);
            sums[x] += after[x] - leaves[x];
        }
    }
}

/* Three of them. `spare` has room for a copy. */
static void blur_down(struct plane *plane, uint8_t *spare, int32_t *sums, double sigma) {
    /* the variance of three boxes of half-width r is r(r+1) for whole r */
    double r = (sqrt(1 + 4 * sigma * sigma) - 1) / 2;
    int radius = (int)r;
    float part = (float)(r - floor(r));
    struct plane other = {spare, plane->stride, plane->rows};
    box_down(plane, spare, sums, radius, part);
    box_down(&other, plane->data, sums, radius, part);
    box_down(plane, spare, sums, radius, part);
    memcpy(plane->data, spare, plane->stride * (size_t)plane->rows);
}

/* Turn rows of pixels into columns, in tiles that fit a cache. */
static void transpose(const uint8_t *in, size_t in_stride, int width, int height, uint8_t *out,
                      size_t out_stride, size_t pixel) {
    const int tile = 32;
    for (int top = 0; top < height; top += tile)
        for (int left = 0; left < width; left += tile)
            for (int y = top; y < height && y < top + tile; y++)
                for (int x = left; x < width && x < left + tile; x++)
                    memcpy(out + (size_t)x * out_stride + (size_t)y * pixel,
                           in + (size_t)y * in_stride + (size_t)x * pixel, pixel);
}

/* Blur pixels of `pixel` bytes by standard deviations in pixels; below a fifth of a pixel nothing is done. */
static void blur(uint8_t *data, size_t stride, int width, int height, size_t pixel, double across,
                 double down) {
    size_t turned = (size_t)height * pixel, size = stride * (size_t)height,
           turned_size = turned * (size_t)width;
    uint8_t *spare = malloc(size > turned_size ? size : turned_size), *flipped = malloc(turned_size);
    int32_t *sums = malloc((stride > turned ? stride : turned) * sizeof *sums);
    if (spare && flipped && sums) {
        if (down >= 0.2) {
            struct plane plane = {data, stride, height};
            blur_down(&plane, spare, sums, down);
        }
        if (across >= 0.2) {
            struct plane plane = {flipped, turned, width};
            transpose(data, stride, width, height, flipped, turned, pixel);
            blur_down(&plane, spare, sums, across);
            transpose(flipped, turned, height, width, data, stride, pixel);
        }
    }
    free(spare);
    free(flipped);
    free(sums);
}

void linnet_flora_canvas_blur(struct canvas *canvas, double radius) {
    if (cairo_status(canvas->cr) != CAIRO_STATUS_SUCCESS) return;
    cairo_surface_flush(canvas->surface);
    double sigma = radius * canvas->unit;
    blur(cairo_image_surface_get_data(canvas->surface),
         (size_t)cairo_image_surface_get_stride(canvas->surface), canvas->width, canvas->height, 4, sigma,
         sigma);
    cairo_surface_mark_dirty(canvas->surface);
}

void linnet_flora_image_blur(struct image *image, double across, double down) {
    blur(image->rgb, (size_t)image->width * 3, image->width, image->height, 3, across, down);
}
