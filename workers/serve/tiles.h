/* The tiles of a picture. Pure; any thread. */
#ifndef LINNET_SERVE_TILES_H
#define LINNET_SERVE_TILES_H

#include <stdbool.h>
#include <stddef.h>

#define SERVE_TILES_MAX 600

struct serve_tiling {
    unsigned width, height; /* of the picture, pixels */
    double size, stride;    /* of the smallest tiles */
    double factor;          /* from each size to the next; > 1 */
    bool scales;            /* false: the smallest only */
};

struct serve_tile {
    double x, y, width, height; /* as fractions of the picture */
};

/* Tiles row by row, the smallest first; at the right and lower edges they are moved in. A picture that is
 * smaller than a tile is one. Returns how many there are, which may be more than `most`, what there is room
 * for. */
size_t serve_tiles_make(const struct serve_tiling *tiling, struct serve_tile *out, size_t most);

/* The part of the picture that tiles cover together, 0..1, to within 1/256 of each side. */
double serve_tiles_coverage(const struct serve_tile *const *tiles, size_t n);

#endif
