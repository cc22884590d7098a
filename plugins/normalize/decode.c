#include "plugins/normalize/decode.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <vips/vector.h>

#include "plugins/normalize/colour.h"

/* --- libvips, once a process --- */

static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;

/* What libvips has to say about a picture comes as an error; its warnings about foreign files would fill the
 * log. */
static void swallow_warning(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
    (void)domain, (void)level, (void)message, (void)data;
}

static int start_libvips(char *why, size_t why_size) {
    static bool started;
    if (started) return 0;
    if (vips_init("linnet")) {
        snprintf(why, why_size, "libvips does not start: %s", vips_error_buffer());
        return -1;
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    /* libvips before 8.15 resizes by code that orc makes as it goes, and orc (0.4.33 in Debian 12) keeps the
     * memory of such code in a list that threads corrupt for each other: two resizing at once end in a crash
     * after some ten thousand pictures. */
    vips_vector_set_enabled(FALSE);
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, swallow_warning,
                      NULL);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
    vips_operation_block_set("VipsForeignLoadPng", FALSE);
    vips_operation_block_set("VipsForeignLoadWebp", FALSE);
    started = true;
    return 0;
}

int normalize_decode_setup(bool heif, char *why, size_t why_size) {
    pthread_mutex_lock(&setup_lock);
    int error = start_libvips(why, why_size);
    if (!error && heif) {
        if (vips_type_find("VipsForeignLoad", "heifload_buffer")) {
            vips_operation_block_set("VipsForeignLoadHeif", FALSE);
        } else {
            snprintf(why, why_size, "heif is asked for, but libvips %s here cannot read it",
                     vips_version_string());
            error = -1;
        }
    }
    pthread_mutex_unlock(&setup_lock);
    return error;
}

/* --- the time limit --- */

/* libvips looks at it from threads of its own, and promises neither which nor in what order. All that goes
 * between them and who decodes goes by `lost`: who looks reads it first and writes it last, who decodes
 * writes it first and reads it last. */
struct patience {
    uint32_t ms;
    double wall, cpu; /* ms when it began */
    atomic_uint lost;
};

static double clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void begin(struct patience *patience, uint32_t ms) {
    patience->ms = ms;
    patience->wall = clock_ms(CLOCK_MONOTONIC);
    patience->cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    atomic_store(&patience->lost, 0);
}

/* The process's CPU time counts besides the clock: a process that was stopped, or starved by its neighbours,
 * does not throw pictures away. */
static bool is_over(const struct patience *patience) {
    return clock_ms(CLOCK_MONOTONIC) - patience->wall > patience->ms &&
           clock_ms(CLOCK_PROCESS_CPUTIME_ID) - patience->cpu > patience->ms;
}

/* Called by libvips now and then while it works. */
static void on_eval(VipsImage *image, VipsProgress *progress, void *arg) {
    (void)progress;
    struct patience *patience = arg;
    unsigned lost = atomic_load(&patience->lost);
    if (!lost && is_over(patience)) {
        vips_image_set_kill(image, TRUE);
        lost = 1;
    }
    atomic_fetch_or(&patience->lost, lost);
}

/* --- decoding --- */

struct job {
    const void *data;
    size_t size;
    struct normalize_header header; /* completed by libvips for HEIF */
    const struct normalize_limits *limits;
    const struct normalize_size *sizes;
    struct normalize_extent wanted;
    struct patience patience;
    char *why;
    size_t why_size;
};

static struct normalize_extent extent_of(const struct job *job) {
    return (struct normalize_extent){job->header.width, job->header.height};
}

static int load_jpeg(struct job *job, VipsImage **out) {
    int shrink = (int)normalize_jpeg_shrink(extent_of(job), job->wanted);
    return vips_jpegload_buffer((void *)job->data, job->size, out, "shrink", shrink, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

static int load_png(struct job *job, VipsImage **out) {
    return vips_pngload_buffer((void *)job->data, job->size, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                               VIPS_FAIL_ON_TRUNCATED, NULL);
}

/* Its scaler is a plain one, so a factor of two is left to a better one. */
static int load_webp(struct job *job, VipsImage **out) {
    double scale = 2.0 * job->wanted.width / job->header.width;
    return vips_webpload_buffer((void *)job->data, job->size, out, "scale", scale < 1 ? scale : 1.0, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

static int load_heif(struct job *job, VipsImage **out) {
    return vips_heifload_buffer((void *)job->data, job->size, out, "access", VIPS_ACCESS_SEQUENTIAL,
                                "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
}

static int load(struct job *job, VipsImage **out) {
    switch (job->header.format) {
    case NORMALIZE_JPEG:
        return load_jpeg(job, out);
    case NORMALIZE_PNG:
        return load_png(job, out);
    case NORMALIZE_WEBP:
        return load_webp(job, out);
    case NORMALIZE_HEIF:
        return load_heif(job, out);
    default:
        return -1;
    }
}

/* What libvips said last, on one line. Its buffer is the process's, so the words of another thread that fails
 * at the same moment can be among them: they are for people. */
static void take_words(char *out, size_t size) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    snprintf(out, size, "%s", vips_error_buffer());
    vips_error_clear();
    pthread_mutex_unlock(&lock);
    for (char *c = out; *c; c++)
        if (*c == '\n') *c = c[1] ? ';' : '\0';
}

static bool mentions_truncation(const char *words) {
    static const char *const phrases[] = {"remature end", "end of stream", "unexpected end",
                                          "EOF",          "not enough",    "truncated"};
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (strstr(words, phrases[i])) return true;
    return false;
}

/* Say why libvips gave up. */
static enum linnet_verdict failed(struct job *job) {
    char words[512];
    const char *title = normalize_format_title(job->header.format);
    take_words(words, sizeof words);
    if (atomic_load(&job->patience.lost)) {
        snprintf(job->why, job->why_size, "decoding the %s took longer than %.1f s", title,
                 job->limits->ms / 1e3);
        return LINNET_REJECT;
    }
    if (strstr(words, "out of memory")) {
        snprintf(job->why, job->why_size, "out of memory while decoding the %s", title);
        return LINNET_RETRY;
    }
    if (mentions_truncation(words))
        snprintf(job->why, job->why_size,
                 "the %s ends early: %zu bytes do not hold all of its %u x %u pixels (%s)", title, job->size,
                 job->header.width, job->header.height, words);
    else
        snprintf(job->why, job->why_size, "the %s is damaged: %s", title, words);
    return LINNET_REJECT;
}

static enum linnet_verdict refuse(struct job *job, const char *reason) {
    snprintf(job->why, job->why_size, "the %s %s", normalize_format_title(job->header.format), reason);
    return LINNET_REJECT;
}

/* A HEIF's header is its library's to read: opening decodes nothing. The limits come before the pixels all
 * the same. */
static enum linnet_verdict open_heif(struct job *job, VipsImage *image) {
    job->header.width = (uint32_t)image->Xsize;
    job->header.height = (uint32_t)image->Ysize;
    job->header.pages = (uint32_t)vips_image_get_n_pages(image);
    job->header.memory = (uint64_t)image->Xsize * (uint64_t)image->Ysize * 4;
    job->wanted = normalize_sizes_largest(job->sizes, extent_of(job));
    return normalize_limits_check_header(job->limits, &job->header, job->why, job->why_size) ? LINNET_REJECT
                                                                                             : LINNET_OK;
}

/* Does the library see the picture that the header promised? */
static bool is_as_promised(const struct job *job, const VipsImage *image) {
    uint64_t width = job->header.width, height = job->header.height;
    uint32_t shrink =
        job->header.format == NORMALIZE_JPEG ? normalize_jpeg_shrink(extent_of(job), job->wanted) : 1;
    if (job->header.format == NORMALIZE_WEBP) /* scaled by the library's own rounding */
        return (uint64_t)image->Xsize <= width && (uint64_t)image->Ysize <= height;
    return (uint64_t)image->Xsize == width / shrink && (uint64_t)image->Ysize == height / shrink;
}

/* Resized in the colours that it comes in, then converted: there are far fewer pixels then. All but the last
 * line is a pipeline; decoding happens in vips_image_write, strip by strip. */
static int shrink_to_memory(struct job *job, VipsImage *in, VipsImage **t, VipsImage *memory) {
    vips_image_set_progress(in, TRUE);
    g_signal_connect(in, "eval", G_CALLBACK(on_eval), &job->patience);
    if (normalize_colour_flatten(in, &t[0])) return -1;
    double across = (double)job->wanted.width / t[0]->Xsize, down = (double)job->wanted.height / t[0]->Ysize;
    if (vips_resize(t[0], &t[1], across, "vscale", down, NULL)) return -1;
    return vips_image_write(t[1], memory);
}

/* Nothing but the pixels, upright. */
static int finish(VipsImage *in, VipsImage **t, VipsImage **out) {
    if (normalize_colour_to_srgb(in, &t[0]) || vips_autorot(t[0], &t[1], NULL)) return -1;
    if (vips_copy(t[1], &t[2], "xres", 1.0, "yres", 1.0, NULL)) return -1;
    gchar **fields = vips_image_get_fields(t[2]);
    for (gchar **field = fields; field && *field; field++)
        vips_image_remove(t[2], *field);
    g_strfreev(fields);
    *out = vips_image_copy_memory(t[2]);
    return *out ? 0 : -1;
}

static enum linnet_verdict decode(struct job *job, VipsObject *scope, struct normalize_decoded *out) {
    VipsImage **t = (VipsImage **)vips_object_local_array(scope, 7);
    VipsImage *image = NULL;
    job->wanted = normalize_sizes_largest(job->sizes, extent_of(job));
    if (load(job, &t[0])) return failed(job);
    if (job->header.format == NORMALIZE_HEIF) {
        enum linnet_verdict verdict = open_heif(job, t[0]);
        if (verdict != LINNET_OK) return verdict;
    }
    if (!is_as_promised(job, t[0]))
        return refuse(job, "contradicts itself: its data are not of the size that its header says");
    t[1] = vips_image_new_memory();
    bool wrong = shrink_to_memory(job, t[0], &t[2], t[1]) || finish(t[1], &t[4], &image);
    if (atomic_load(&job->patience.lost) || wrong) {
        g_clear_object(&image);
        return failed(job);
    }
    bool turned = vips_image_get_orientation_swap(t[1]);
    struct normalize_extent extent = extent_of(job);
    *out = (struct normalize_decoded){image, turned ? (struct normalize_extent){extent.height, extent.width}
                                                    : extent};
    return LINNET_OK;
}

enum linnet_verdict normalize_decode(const void *data, size_t size, const struct normalize_header *header,
                                     const struct normalize_limits *limits,
                                     const struct normalize_size sizes[NORMALIZE_SIZES],
                                     struct normalize_decoded *out, char *why, size_t why_size) {
    struct job job = {
        .data = data,
        .size = size,
        .header = *header,
        .limits = limits,
        .sizes = sizes,
        .why = why,
        .why_size = why_size,
    };
    begin(&job.patience, limits->ms);
    VipsObject *scope = VIPS_OBJECT(vips_image_new());
    vips_error_clear(); /* of what an earlier picture left there without failing */
    enum linnet_verdict verdict = decode(&job, scope, out);
    g_object_unref(scope);
    return verdict;
}
