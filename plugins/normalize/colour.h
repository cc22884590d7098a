/* Colours to sRGB, 8 bits, three bands. */
#ifndef LINNET_NORMALIZE_COLOUR_H
#define LINNET_NORMALIZE_COLOUR_H

#include <vips/vips.h>

/* Alpha laid on white: what a browser shows on a white page. A picture without alpha comes back as it is.
 * *out is a new reference. 0, or -1 with words in libvips's error buffer. */
int normalize_colour_flatten(VipsImage *in, VipsImage **out);
/* A picture without alpha to sRGB: by its embedded profile where it has one that can be used, else by what
 * its bands are (grey, 16 bits, CMYK). An sRGB picture without a profile comes back as it is, at no cost.
 * *out is a new reference. 0, or -1 with words in libvips's error buffer. */
int normalize_colour_to_srgb(VipsImage *in, VipsImage **out);

#endif
