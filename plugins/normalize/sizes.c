#include "plugins/normalize/sizes.h"

#include <math.h>

static double smaller(double a, double b) {
    return a < b ? a : b;
}

static uint32_t scaled(uint32_t side, double scale) {
    long rounded = lround(side * scale);
    return rounded < 1 ? 1 : (uint32_t)rounded;
}

struct normalize_extent normalize_size_extent(const struct normalize_size *size,
                                              struct normalize_extent original) {
    uint32_t longest = original.width > original.height ? original.width : original.height;
    uint32_t shortest = original.width < original.height ? original.width : original.height;
    double scale = 1;
    if (size->longest) scale = smaller(scale, (double)size->longest / longest);
    if (size->shortest) scale = smaller(scale, (double)size->shortest / shortest);
    return (struct normalize_extent){scaled(original.width, scale), scaled(original.height, scale)};
}

struct normalize_extent normalize_sizes_largest(const struct normalize_size sizes[NORMALIZE_SIZES],
                                                struct normalize_extent original) {
    struct normalize_extent largest = {1, 1};
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        if (sizes[i].left_out) continue;
        struct normalize_extent extent = normalize_size_extent(&sizes[i], original);
        if (extent.width > largest.width) largest.width = extent.width;
        if (extent.height > largest.height) largest.height = extent.height;
    }
    return largest;
}

uint32_t normalize_jpeg_shrink(struct normalize_extent original, struct normalize_extent wanted) {
    for (uint32_t shrink = 8; shrink > 1; shrink /= 2) {
        if (original.width / shrink >= wanted.width && original.height / shrink >= wanted.height)
            return shrink;
    }
    return 1;
}
