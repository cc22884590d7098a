/* A picture of one organ of one plant, or of something else, as somebody's telephone would have taken it. */
#ifndef LINNET_FLORA_PICTURE_H
#define LINNET_FLORA_PICTURE_H

#include "tests/data/flora.h"
#include "tests/data/scene.h"

struct picture {
    const struct flora *flora;
    size_t species; /* FLORA_NONE: no plant */
    enum organ organ;
    uint64_t individual;                 /* which plant of the species */
    uint64_t seed;                       /* which picture of it */
    const struct conditions *conditions; /* NULL: ordinary ones */
    int width, height;
};

/* The traits that a picture of an organ shows. Of two look-alikes told apart by one organ, pictures of the
 * others are drawn from one and the same plant, so that not even a stem's colour gives them away; `habit`
 * shows all of the plant. */
const struct traits *linnet_flora_picture_traits(const struct flora *flora, size_t species, enum organ organ);
/* Draw it. 0, or -1 (no memory, a size outside of 16 .. 30,000, or an organ that the species lacks). The same
 * struct gives the same bytes on every machine. */
int linnet_flora_picture_draw(const struct picture *picture, struct image *out);

#endif
