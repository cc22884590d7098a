/* PNG files by hand, so that they can be wrong in any way wished for. */
#ifndef LINNET_FLORA_PNG_H
#define LINNET_FLORA_PNG_H

#include "tests/data/jpeg.h"

struct png {
    uint32_t width, height;
    uint8_t depth,
        colour; /* as in IHDR: colour 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha */
    bool interlaced;
};

/* Signature and header. 0 or -1 (no memory), as all below. */
int linnet_flora_png_begin(const struct png *png, struct bytes *out);
/* A chunk with its length and checksum; `wrong` spoils the checksum. */
int linnet_flora_png_chunk(struct bytes *out, const char *type, const void *data, size_t size, bool wrong);
/* Deflated data: `size` bytes, and then `zeros` zero bytes. */
int linnet_flora_png_deflate(const void *data, size_t size, uint64_t zeros, struct bytes *out);
/* A whole PNG whose every sample is zero, however large. */
int linnet_flora_png_blank(const struct png *png, struct bytes *out);
/* A whole PNG of an image in RGB, 8 or 16 bits, or (colour 6) with an alpha channel that fades to the right.
 */
int linnet_flora_png_encode(const struct image *image, uint8_t depth, uint8_t colour, struct bytes *out);

#endif
