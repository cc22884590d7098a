/* How often a value of a network had which size, and which range of it 8 bits should cover. Internal to
 * common/nn. One thread at a time. */
#ifndef LINNET_NN_HISTOGRAM_H
#define LINNET_NN_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/nn/nn.h"

#define LINNET_NN_BINS 2048

/* Sizes |x| in equal bins from 0 to `top`, which doubles when something larger comes: so what is counted does
 * not depend on the order. All zero: nothing counted yet. */
struct linnet_nn_histogram {
    float low, high; /* the least and the largest value; 0 is always among them */
    double top;
    uint64_t bins[LINNET_NN_BINS];
    uint64_t count; /* of values that are not 0, which every range holds exactly */
};

/* Values that are not finite are passed over. */
void linnet_nn_histogram_add(struct linnet_nn_histogram *histogram, const float *values, size_t count);
/* The range to cover: `low` is 0 where no value was negative. 8 bits then have 255 steps up to `high`, else
 * 127 to either side of 0. */
void linnet_nn_histogram_range(const struct linnet_nn_histogram *histogram,
                               enum linnet_nn_range_method method, float *low, float *high);

#endif
