/* Pictures brought to another size, by the definition that trainers use (Pillow's BICUBIC, torchvision's
 * antialiased bicubic): Catmull-Rom (Keys 1981, a = -1/2), pixels centred, the kernel widened where the
 * picture shrinks, its weights normalised where it reaches over the edge. In floating point throughout, and
 * of the result only the part that is wanted. */
#ifndef LINNET_CONVNET_RESAMPLE_H
#define LINNET_CONVNET_RESAMPLE_H

/* One direction: the stretch of the source from `from` on, `length` long (pixels, fractions allowed), becomes
 * `to` pixels, of which `count` are wanted from `first` on. */
struct convnet_axis {
    double from, length;
    int to, first, count;
};

/* Resample interleaved RGB bytes of width x height pixels to down->count rows of across->count pixels of
 * three floats, 0..255 (the kernel overshoots; what leaves the range is cut). 0, or -1 without memory. Any
 * thread. */
int convnet_resample(const unsigned char *pixels, int width, int height, const struct convnet_axis *across,
                     const struct convnet_axis *down, float *out);

#endif
