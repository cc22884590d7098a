#include "workers/serve/tiles.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CELLS 256

/* How many tiles of a size fit a side at a stride, the last one moved in. */
static size_t along(double side, double size, double stride) {
    return size >= side ? 1 : (size_t)ceil((side - size) / stride - 1e-9) + 1;
}

static double place(size_t i, double side, double size, double stride) {
    double last = side > size ? side - size : 0, at = (double)i * stride;
    return at < last ? at : last;
}

size_t serve_tiles_make(const struct serve_tiling *tiling, struct serve_tile *out, size_t most) {
    double shortest = tiling->width < tiling->height ? tiling->width : tiling->height, size = tiling->size,
           stride = tiling->stride;
    size_t n = 0;
    do {
        size_t columns = along(tiling->width, size, stride), rows = along(tiling->height, size, stride);
        for (size_t i = 0; i < rows * columns; i++, n++) {
            double width = size < tiling->width ? size : tiling->width,
                   height = size < tiling->height ? size : tiling->height;
            if (n >= most) continue;
            out[n] = (struct serve_tile){place(i % columns, tiling->width, size, stride) / tiling->width,
                                         place(i / columns, tiling->height, size, stride) / tiling->height,
                                         width / tiling->width, height / tiling->height};
        }
        size *= tiling->factor;
        stride *= tiling->factor;
    } while (tiling->scales && size <= shortest * (1 + 1e-9)); /* √2 twice is not quite 2 */
    return n;
}

double serve_tiles_coverage(const struct serve_tile *const *tiles, size_t n) {
    static const double half = 0.5 / CELLS;
    uint8_t cells[CELLS][CELLS];
    size_t covered = 0;
    memset(cells, 0, sizeof cells);
    for (size_t t = 0; t < n; t++)
        for (int y = (int)ceil((tiles[t]->y - half) * CELLS);
             y < CELLS && (y + 0.5) / CELLS < tiles[t]->y + tiles[t]->height; y++)
            for (int x = (int)ceil((tiles[t]->x - half) * CELLS);
                 x < CELLS && (x + 0.5) / CELLS < tiles[t]->x + tiles[t]->width; x++)
                if (x >= 0 && y >= 0) cells[y][x] = 1;
    for (size_t i = 0; i < CELLS * CELLS; i++)
        covered += cells[i / CELLS][i % CELLS];
    return (double)covered / (CELLS * CELLS);
}
