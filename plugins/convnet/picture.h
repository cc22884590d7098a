/* From a picture's bytes to what a network takes, exactly as the model document says. Needs libvips, jansson
 * and resample.c, nothing else of Linnet, so that whoever measures a model prepares pictures by this very
 * code.
 *
 * Resampling is by resample.h. Sizes are rounded to the nearest pixel and each direction is brought to its
 * own; the crop begins at half the difference, rounded down. */
#ifndef LINNET_CONVNET_PICTURE_H
#define LINNET_CONVNET_PICTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The member "input" of a model document. */
struct convnet_preprocess {
    int width, height; /* pixels of the network's input */
    bool shortest;     /* bring the shortest side to resize_to and keep the shape; else to width by height */
    int resize_to;
    float mean[3], std[3]; /* of red, green, blue in 0..1 */
    bool channels_last;    /* layout NHWC; else NCHW */
};

/* A part of a picture, as fractions of the upright whole. */
struct convnet_region {
    double x, y, width, height;
};

enum convnet_picture_result {
    CONVNET_PICTURE_OK = 0,
    CONVNET_PICTURE_BAD = -1, /* the picture can't be used, now or later */
    CONVNET_PICTURE_LATER =
        -2 /* not its fault: no memory, or libvips is being set up by another part of the program */
};

/* Read the member "input" of a model document. 0, or -1 with a sentence in why. */
int convnet_preprocess_read(const json_t *input, struct convnet_preprocess *out, char *why, size_t size);
/* Set libvips up for foreign pictures, once a process: one thread for a call, no cache, no loader but those
 * of the kinds that normalize manages. 0, or -1 with a sentence in why. Any thread. */
int convnet_picture_setup(char *why, size_t size);
/* Decode a JPEG and prepare it: `values` gets 3 width height floats. `region` NULL: the whole picture. Any
 * thread. */
enum convnet_picture_result convnet_picture_read(const void *data, size_t bytes,
                                                 const struct convnet_region *region,
                                                 const struct convnet_preprocess *preprocess, float *values,
                                                 char *why, size_t size);
/* The calling thread makes no more calls. */
void convnet_picture_thread_done(void);

#endif
