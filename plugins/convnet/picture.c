#include "plugins/convnet/picture.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

#include <vips/vector.h> /* wants vips.h before it */

#include "plugins/convnet/resample.h"

#define SIDE_MAX   16384
#define PIXELS_MAX (100 * 1000 * 1000)

/* --- the model document --- */

static int read_three(const json_t *list, float *out) {
    for (size_t i = 0; i < 3; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_number(value) || !isfinite(json_number_value(value))) return -1;
        out[i] = (float)json_number_value(value);
    }
    return json_array_size(list) == 3 ? 0 : -1;
}

static int read_side(const json_t *input, const char *name, int fallback) {
    const json_t *value = json_object_get(input, name);
    json_int_t side = json_is_integer(value) ? json_integer_value(value) : fallback;
    return side > 0 && side <= SIDE_MAX ? (int)side : 0;
}

static bool is(const json_t *input, const char *name, const char *fallback, const char *wanted) {
    const char *value = json_string_value(json_object_get(input, name));
    return !strcmp(value ? value : fallback, wanted);
}

static int refuse(char *why, size_t size, const char *words) {
    snprintf(why, size, "the model document: %s", words);
    return -1;
}

int convnet_preprocess_read(const json_t *input, struct convnet_preprocess *out, char *why, size_t size) {
    struct convnet_preprocess read = {.width = read_side(input, "width", 0),
                                      .height = read_side(input, "height", 0)};
    if (!read.width || !read.height)
        return refuse(why, size, "input.width and input.height must be 1 to 16384 pixels");
    read.shortest = is(input, "resize", "shortest", "shortest");
    if (!read.shortest && !is(input, "resize", "", "exact"))
        return refuse(why, size, "input.resize must be \"shortest\" or \"exact\"");
    int largest = read.width > read.height ? read.width : read.height;
    read.resize_to = read_side(input, "resize_to", largest);
    if (read.shortest && read.resize_to < largest)
        return refuse(why, size, "input.resize_to must be at least input.width and input.height");
    if (read.shortest && !is(input, "crop", "center", "center"))
        return refuse(why, size, "input.crop must be \"center\" where input.resize is \"shortest\"");
    read.channels_last = is(input, "layout", "NCHW", "NHWC");
    if (!read.channels_last && !is(input, "layout", "NCHW", "NCHW"))
        return refuse(why, size, "input.layout must be \"NCHW\" or \"NHWC\"");
    if (read_three(json_object_get(input, "mean"), read.mean) ||
        read_three(json_object_get(input, "std"), read.std))
        return refuse(why, size, "input.mean and input.std must be three numbers each");
    for (int i = 0; i < 3; i++)
        if (!(read.std[i] > 0)) return refuse(why, size, "input.std must be above 0");
    *out = read;
    return 0;
}

/* --- libvips, once a process --- */

/* Loaders that normalize opens or closes as it is configured; none of them is used here but JPEG's. */
static bool is_managed(const char *name) {
    static const char *const managed[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
                                          "VipsForeignLoadHeif"};
    for (size_t i = 0; i < sizeof managed / sizeof *managed; i++)
        if (!strncmp(name, managed[i], strlen(managed[i]))) return true;
    return false;
}

static void *block_loader(GType type, void *arg) {
    (void)arg;
    if (!G_TYPE_IS_ABSTRACT(type) && !is_managed(g_type_name(type)))
        vips_operation_block_set(g_type_name(type), TRUE);
    return NULL;
}

/* Warnings about foreign files would fill the log; what stops a picture comes as an error. */
static void swallow_warning(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
    (void)domain, (void)level, (void)message, (void)data;
}

int convnet_picture_setup(char *why, size_t size) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool started;
    pthread_mutex_lock(&lock);
    int rc = started ? 0 : vips_init("linnet");
    if (rc) {
        snprintf(why, size, "libvips does not start: %s", vips_error_buffer());
    } else if (!started) {
        vips_concurrency_set(1);
        vips_cache_set_max(0);
        vips_vector_set_enabled(FALSE); /* plugins/normalize/decode.c says why */
        g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, swallow_warning,
                          NULL);
        vips_type_map_all(g_type_from_name("VipsForeignLoad"), block_loader, NULL);
        vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
        started = true;
    }
    pthread_mutex_unlock(&lock);
    return rc ? -1 : 0;
}

void convnet_picture_thread_done(void) {
    vips_thread_shutdown();
}

/* --- one picture --- */

struct job {
    const struct convnet_preprocess *preprocess;
    struct convnet_region region;
    VipsImage **t; /* images on the way, unreferenced at the end */
    float *values;
    int left, top, width, height; /* the region, in pixels of the upright picture */
    int across, down;             /* what it is resized to */
    int shrink;                   /* by the decoder */
};

/* The pixels of a region: at least one, inside the picture. */
static void pixels_of(double start, double length, int whole, int *from, int *count) {
    int begin = (int)lrint(start * whole), end = (int)lrint((start + length) * whole);
    *from = begin < 0 ? 0 : begin > whole - 1 ? whole - 1 : begin;
    *count = end > whole ? whole - *from : end <= *from ? 1 : end - *from;
}

/* The region, its size after resizing, and how far the decoder may shrink (1, 2, 4, 8): at least twice the
 * wanted size is left to the resampler. */
static void plan(struct job *job, int width, int height) {
    const struct convnet_preprocess *preprocess = job->preprocess;
    pixels_of(job->region.x, job->region.width, width, &job->left, &job->width);
    pixels_of(job->region.y, job->region.height, height, &job->top, &job->height);
    job->across = preprocess->width;
    job->down = preprocess->height;
    if (preprocess->shortest) {
        double scale = (double)preprocess->resize_to / (job->width < job->height ? job->width : job->height);
        job->across = (int)fmin(lrint(job->width * scale), PIXELS_MAX);
        job->down = (int)fmin(lrint(job->height * scale), PIXELS_MAX);
    }
    double scale = fmax((double)job->across / job->width, (double)job->down / job->height);
    for (job->shrink = 1; job->shrink < 8 && 2 * job->shrink * 2 * scale <= 1;)
        job->shrink *= 2;
}

static int load(struct job *job, const void *data, size_t bytes, VipsImage **out) {
    VipsImage *header;
    if (vips_jpegload_buffer((void *)data, bytes, &header, NULL)) return -1;
    int width = header->Xsize, height = header->Ysize;
    bool turned = vips_image_get_orientation_swap(header); /* what normalize writes stands upright */
    g_object_unref(header);
    if ((double)width * height > PIXELS_MAX) {
        vips_error("convnet", "%d x %d pixels are more than %d", width, height, PIXELS_MAX);
        return -1;
    }
    plan(job, turned ? height : width, turned ? width : height);
    return vips_jpegload_buffer((void *)data, bytes, out, "shrink", job->shrink, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

/* Upright, three bands of sRGB. */
static int to_rgb(struct job *job, VipsImage *in, VipsImage **out) {
    VipsImage **t = job->t + 1;
    if (vips_colourspace(in, &t[0], VIPS_INTERPRETATION_sRGB, NULL)) return -1;
    if (vips_extract_band(t[0], &t[1], 0, "n", 3, NULL)) return -1;
    if (vips_image_get_orientation(in) == 1) {
        *out = t[1];
        g_object_ref(t[1]);
        return 0;
    }
    t[2] = vips_image_copy_memory(t[1]); /* turning reads out of order */
    return t[2] ? vips_autorot(t[2], out, NULL) : -1;
}

/* The middle `count` of `to` pixels that `length` pixels from `from` on become, in a picture that the decoder
 * has shrunk. */
static struct convnet_axis axis_of(const struct job *job, int from, int length, int to, int count) {
    return (struct convnet_axis){(double)from / job->shrink, (double)length / job->shrink, to,
                                 (to - count) / 2, count};
}

/* (v / 255 - mean) / std, interleaved pixels to the network's order. */
static void to_values(const struct job *job, const float *pixels) {
    const struct convnet_preprocess *preprocess = job->preprocess;
    size_t count = (size_t)preprocess->width * (size_t)preprocess->height;
    for (size_t c = 0; c < 3; c++) {
        float scale = 1.0f / (255.0f * preprocess->std[c]), shift = -preprocess->mean[c] / preprocess->std[c];
        float *to = preprocess->channels_last ? job->values + c : job->values + c * count;
        size_t step = preprocess->channels_last ? 3 : 1;
        for (size_t i = 0; i < count; i++)
            to[i * step] = pixels[3 * i + c] * scale + shift;
    }
}

static int resize(struct job *job, VipsImage *in) {
    const struct convnet_preprocess *preprocess = job->preprocess;
    struct convnet_axis across = axis_of(job, job->left, job->width, job->across, preprocess->width);
    struct convnet_axis down = axis_of(job, job->top, job->height, job->down, preprocess->height);
    size_t size, wanted = 3 * (size_t)preprocess->width * (size_t)preprocess->height;
    unsigned char *pixels = vips_image_write_to_memory(in, &size); /* decodes */
    if (!pixels) return -1;
    float *resized = malloc(wanted * sizeof *resized);
    int rc = resized ? convnet_resample(pixels, in->Xsize, in->Ysize, &across, &down, resized) : -1;
    if (rc)
        vips_error("convnet", "out of memory");
    else
        to_values(job, resized);
    g_free(pixels);
    free(resized);
    return rc;
}

static int prepare(struct job *job, const void *data, size_t bytes) {
    VipsImage **t = job->t;
    if (load(job, data, bytes, &t[0]) || to_rgb(job, t[0], &t[4])) return -1;
    return resize(job, t[4]);
}

/* What libvips said, on one line. Its buffer is the process's, so another thread's words may be among them:
 * they are for people. */
static enum convnet_picture_result failed(char *why, size_t size) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char words[512];
    pthread_mutex_lock(&lock);
    snprintf(words, sizeof words, "%s", vips_error_buffer());
    vips_error_clear();
    pthread_mutex_unlock(&lock);
    for (char *c = words; *c; c++)
        if (*c == '\n') *c = c[1] ? ';' : '\0';
    snprintf(why, size, "the picture can't be decoded: %s", *words ? words : "no reason given");
    return strstr(words, "blocked") || strstr(words, "out of memory") ? CONVNET_PICTURE_LATER
                                                                      : CONVNET_PICTURE_BAD;
}

enum convnet_picture_result convnet_picture_read(const void *data, size_t bytes,
                                                 const struct convnet_region *region,
                                                 const struct convnet_preprocess *preprocess, float *values,
                                                 char *why, size_t size) {
    static const struct convnet_region whole = {0, 0, 1, 1};
    VipsObject *scope = VIPS_OBJECT(vips_image_new());
    struct job job = {.preprocess = preprocess,
                      .region = region ? *region : whole,
                      .t = (VipsImage **)vips_object_local_array(scope, 5),
                      .values = values};
    int rc = prepare(&job, data, bytes);
    g_object_unref(scope);
    return rc ? failed(why, size) : CONVNET_PICTURE_OK;
}
