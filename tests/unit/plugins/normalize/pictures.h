/* Pictures for tests, made with libvips, so that no binary files lie in the repository. All functions fail
 * the running test when they can't do their work. Bytes are the caller's, freed with g_free. */
#ifndef LINNET_TESTS_PICTURES_H
#define LINNET_TESTS_PICTURES_H

#include <stddef.h>
#include <stdint.h>
#include <vips/vips.h>

/* Bytes of a file. */
struct file {
    uint8_t *data;
    size_t size;
};

/* A picture with something to see in it: soft shapes in sRGB, three bands, 8 bits. The same for the same
 * arguments. */
VipsImage *picture_new(int width, int height);
/* Four quarters: red, green above; blue, white below. */
VipsImage *picture_quarters(int width, int height);
/* All of one colour, `bands` values of it. */
VipsImage *picture_plain(int width, int height, const double *colour, int bands, VipsBandFormat format,
                         VipsInterpretation interpretation);
/* Give a picture one of libvips's own profiles ("srgb", "p3", "cmyk"). */
void picture_tag(VipsImage *image, const char *profile);

/* Save by libvips's file-name options (".jpg[Q=90,interlace]") and unref the image. */
struct file picture_save(VipsImage *image, const char *format);
/* The same, image kept. */
struct file picture_save_copy(VipsImage *image, const char *format);
/* A JPEG of ours back to pixels, in memory. */
VipsImage *picture_load(const void *data, size_t size);
/* One pixel's band values, 0 to 255. */
void picture_pixel(VipsImage *image, int x, int y, double out[4]);

/* SHA-256 in lower-case hexadecimal: what an id says of a picture. */
void picture_digest(const void *data, size_t size, char out[65]);

#endif
