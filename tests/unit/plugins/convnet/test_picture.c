/* The way from a JPEG to a network's input, against a resampler written here from its definition. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/convnet/picture.h"
#include "tests/unit/plugins/normalize/pictures.h"
#include "tests/unit/test.h"

/* Catmull-Rom (Keys 1981, a = -1/2). */
static double cubic(double x) {
    x = fabs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* One line of `from` samples to `to`: pixels centred, the kernel as wide as the reduction (antialiasing), cut
 * at the edges. */
static void resample_line(const double *in, int from, size_t in_step, double *out, int to, double scale,
                          size_t out_step) {
    double shrink = scale < 1 ? 1 / scale : 1;
    for (int x = 0; x < to; x++) {
        double centre = (x + 0.5) / scale, sum = 0, weights = 0;
        int first = (int)floor(centre - 2 * shrink), last = (int)ceil(centre + 2 * shrink);
        for (int i = first < 0 ? 0 : first; i < from && i <= last; i++) {
            double weight = cubic((i + 0.5 - centre) / shrink);
            sum += weight * in[(size_t)i * in_step];
            weights += weight;
        }
        out[(size_t)x * out_step] = sum / weights;
    }
}

/* Interleaved RGB of width x height to the values of `preprocess`. */
static double *reference(const unsigned char *pixels, int width, int height,
                         const struct convnet_preprocess *preprocess) {
    double scale =
        preprocess->shortest ? (double)preprocess->resize_to / (width < height ? width : height) : 0;
    double across = preprocess->shortest ? scale : (double)preprocess->width / width;
    double down = preprocess->shortest ? scale : (double)preprocess->height / height;
    int w = (int)lrint(width * across), h = (int)lrint(height * down), left = (w - preprocess->width) / 2,
        top = (h - preprocess->height) / 2;
    across = (double)w / width; /* each direction is brought to its whole number of pixels */
    down = (double)h / height;
    size_t area = (size_t)preprocess->width * (size_t)preprocess->height;
    double *plane = malloc(sizeof *plane * (size_t)width * (size_t)height),
           *half = malloc(sizeof *half * (size_t)w * (size_t)height);
    double *whole = malloc(sizeof *whole * (size_t)w * (size_t)h),
           *values = malloc(sizeof *values * 3 * area);
    for (size_t c = 0; c < 3; c++) {
        for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
            plane[i] = pixels[3 * i + c];
        for (int y = 0; y < height; y++)
            resample_line(plane + y * width, width, 1, half + y * w, w, across, 1);
        for (int x = 0; x < w; x++)
            resample_line(half + x, height, (size_t)w, whole + x, h, down, (size_t)w);
        for (int y = 0; y < preprocess->height; y++)
            for (int x = 0; x < preprocess->width; x++) {
                double value = fmin(fmax(whole[(y + top) * w + x + left], 0), 255) / 255;
                value = (value - (double)preprocess->mean[c]) / (double)preprocess->std[c];
                size_t pixel = (size_t)(y * preprocess->width + x);
                values[preprocess->channels_last ? 3 * pixel + c : c * area + pixel] = value;
            }
    }
    free(plane);
    free(half);
    free(whole);
    return values;
}

static void prepared_as_the_definition_says(void **state) {
    (void)state;
    static const struct {
        const char *what;
        int width, height;
        struct convnet_preprocess preprocess;
    } cases[] = {
        {"shortest side to 110, 96 of the middle",
         427,
         320,
         {96, 96, true, 110, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}, false}},
        {"upright picture", 320, 433, {96, 96, true, 110, {0, 0, 0}, {1, 1, 1}, false}},
        {"channels last", 200, 180, {64, 48, true, 70, {0.5f, 0.5f, 0.5f}, {0.5f, 0.25f, 1}, true}},
        {"to an exact size", 240, 180, {128, 96, false, 128, {0, 0, 0}, {1, 1, 1}, false}},
        {"enlarged", 60, 50, {96, 96, true, 100, {0, 0, 0}, {1, 1, 1}, false}},
        {"as it is", 96, 96, {96, 96, true, 96, {0, 0, 0}, {1, 1, 1}, false}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file file = picture_save(picture_new(cases[i].width, cases[i].height), ".jpg[Q=95]");
        VipsImage *image = picture_load(file.data, file.size);
        size_t size, count = 3 * (size_t)cases[i].preprocess.width * (size_t)cases[i].preprocess.height;
        unsigned char *pixels = vips_image_write_to_memory(image, &size);
        double *expected = reference(pixels, cases[i].width, cases[i].height, &cases[i].preprocess),
               worst = 0, mean = 0;
        float *values = malloc(count * sizeof *values);
        char why[256];
        if (convnet_picture_read(file.data, file.size, NULL, &cases[i].preprocess, values, why, sizeof why))
            fail_msg("%s", why);
        for (size_t k = 0; k < count; k++) { /* in steps of 8 bits, the least that can be told apart */
            size_t c = cases[i].preprocess.channels_last ? k % 3 : k / (count / 3);
            double off = fabs((double)values[k] - expected[k]) * (double)cases[i].preprocess.std[c] * 255;
            worst = fmax(worst, off);
            mean += off / (double)count;
        }
        print_message("%-44s off by %.2f of 255 at most, %.3f in the mean\n", cases[i].what, worst, mean);
        assert_true(worst < 1 && mean < 0.1);
        free(values);
        free(expected);
        g_free(pixels);
        g_object_unref(image);
        g_free(file.data);
    }
}

/* A big original is decoded at a fraction; what comes out is the same picture. */
static void shrinking_while_decoding_keeps_the_picture(void **state) {
    (void)state;
    struct convnet_preprocess preprocess = {96, 96, true, 110, {0, 0, 0}, {1, 1, 1}, false};
    struct file file = picture_save(picture_new(1600, 1200), ".jpg[Q=95]");
    VipsImage *image = picture_load(file.data, file.size);
    size_t size, count = 3 * 96 * 96;
    unsigned char *pixels = vips_image_write_to_memory(image, &size);
    double *expected = reference(pixels, 1600, 1200, &preprocess), mean = 0;
    float values[3 * 96 * 96];
    char why[256];
    assert_int_equal(convnet_picture_read(file.data, file.size, NULL, &preprocess, values, why, sizeof why),
                     0);
    for (size_t k = 0; k < count; k++)
        mean += fabs((double)values[k] - expected[k]) * 255 / (double)count;
    print_message("off by %.3f of 255 in the mean\n", mean);
    assert_true(mean < 1);
    free(expected);
    g_free(pixels);
    g_object_unref(image);
    g_free(file.data);
}

static void grey_pictures_have_three_equal_channels(void **state) {
    (void)state;
    struct convnet_preprocess preprocess = {16, 16, true, 16, {0, 0, 0}, {1, 1, 1}, false};
    double grey = 77;
    struct file file =
        picture_save(picture_plain(40, 30, &grey, 1, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W), ".jpg");
    float values[3 * 256];
    char why[256];
    assert_int_equal(convnet_picture_read(file.data, file.size, NULL, &preprocess, values, why, sizeof why),
                     0);
    for (size_t i = 0; i < 3 * 256; i++)
        assert_true(fabs((double)values[i] * 255 - 77) < 1.5);
    g_free(file.data);
}

static void what_is_no_whole_jpeg_is_refused_in_words(void **state) {
    (void)state;
    struct convnet_preprocess preprocess = {16, 16, true, 16, {0, 0, 0}, {1, 1, 1}, false};
    struct file jpeg = picture_save(picture_new(300, 200), ".jpg"),
                png = picture_save(picture_new(30, 20), ".png");
    float values[3 * 256];
    char why[256];
    for (size_t size = 0; size < jpeg.size - 2; size += 1 + jpeg.size / 50) {
        why[0] = 0;
        assert_int_equal(convnet_picture_read(jpeg.data, size, NULL, &preprocess, values, why, sizeof why),
                         CONVNET_PICTURE_BAD);
        assert_true(strlen(why) > 30);
    }
    print_message("%s\n", why);
    assert_int_equal(convnet_picture_read(png.data, png.size, NULL, &preprocess, values, why, sizeof why),
                     CONVNET_PICTURE_BAD);
    g_free(jpeg.data);
    g_free(png.data);
}

static void regions_at_the_edges_stay_inside(void **state) {
    (void)state;
    struct convnet_preprocess preprocess = {16, 16, true, 16, {0, 0, 0}, {1, 1, 1}, false};
    static const struct convnet_region regions[] = {
        {0, 0, 1e-6, 1e-6}, {1, 1, 0.5, 0.5}, {0.999, 0, 0.5, 1}, {0.25, 0.25, 2, 2}, {0, 0, 1, 1e-9}};
    struct file file = picture_save(picture_new(50, 40), ".jpg");
    float values[3 * 256];
    char why[256];
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        if (convnet_picture_read(file.data, file.size, &regions[i], &preprocess, values, why, sizeof why))
            fail_msg("%s", why);
    g_free(file.data);
}

static int setup(void **state) {
    (void)state;
    char why[256];
    return convnet_picture_setup(why, sizeof why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prepared_as_the_definition_says),
        cmocka_unit_test(shrinking_while_decoding_keeps_the_picture),
        cmocka_unit_test(grey_pictures_have_three_equal_channels),
        cmocka_unit_test(what_is_no_whole_jpeg_is_refused_in_words),
        cmocka_unit_test(regions_at_the_edges_stay_inside),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
