/* The sizes in which a picture is kept, and their arithmetic. */
#ifndef LINNET_NORMALIZE_SIZES_H
#define LINNET_NORMALIZE_SIZES_H

#include <stdbool.h>
#include <stdint.h>

enum normalize_size_name { NORMALIZE_PAGE, NORMALIZE_MODEL, NORMALIZE_THUMB, NORMALIZE_SIZES };

/* One size. A side that is 0 does not bound; both bound: the smaller picture counts. Never enlarged. */
struct normalize_size {
    const char *name;  /* "page": its attachment is page.jpg */
    uint32_t longest;  /* pixels of the longest side, at most */
    uint32_t shortest; /* pixels of the shortest side, at most */
    uint32_t quality;  /* of the JPEG, 1 to 100 */
    bool full_colour;  /* 4:4:4, else 4:2:0 */
    bool left_out;     /* not made */
};

struct normalize_extent {
    uint32_t width, height;
};

/* The extent of a picture of `original` in one size: the sides' proportion kept, rounded to the nearest
 * pixel, at least 1. */
struct normalize_extent normalize_size_extent(const struct normalize_size *size,
                                              struct normalize_extent original);
/* The largest of the extents that are made, from which the others can be made. */
struct normalize_extent normalize_sizes_largest(const struct normalize_size sizes[NORMALIZE_SIZES],
                                                struct normalize_extent original);
/* By how much (1, 2, 4, 8) a JPEG of `original` can be shrunk while it is decoded so that it still covers
 * `wanted`. */
uint32_t normalize_jpeg_shrink(struct normalize_extent original, struct normalize_extent wanted);

#endif
