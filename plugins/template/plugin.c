/* A stage of Linnet, small and complete: the one to copy.
 *
 * It looks at the thumbnail of every picture and writes a document "<observation>:sharpness:<picture>" that
 * says how sharp the picture is, so that an app can ask for a better one while the plant is still in front of
 * its user.
 *
 * A stage is a shared object with one exported function, `linnet_plugin` (at the end of this file), that
 * returns a description of it. The host does everything else: it follows the database, gathers the documents
 * and blobs that the stage asks for, batches them, calls `process`, writes what was emitted with its
 * provenance, retries, measures. All rules are in <linnet/plugin.h>, which is the only header of Linnet that
 * a stage needs.
 *
 * To make it yours: change the names, `inputs` and `produces` below, and what `look_at` does. Then
 *
 *     make                                     (or CMake, see CMakeLists.txt)
 *     linnet plugin check ./linnet-NAME.so     holds it to the contract
 *     linnet run --plugin normalize --plugin ./linnet-NAME.so photo.jpg
 */
#include <linnet/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

#include <vips/vector.h> /* wants vips.h before it */

#include "measure.h"

/* ---- an instance ----
 *
 * The host makes an instance on each of its threads and never calls one on two threads at once, so nothing
 * here needs a lock. What instances may share (a model, say) is yours to share. */
struct sharpness {
    const struct linnet_host *host; /* the host's services, good until `close` */
    double blurred_below;           /* from the configuration */
};

/* A library that wants to be set up once for the whole process: other stages, in other threads, may use it
 * too. */
static void start_vips(void) {
    VIPS_INIT("linnet-sharpness");
    vips_concurrency_set(1);        /* the host runs as many of us as there are processors */
    vips_cache_set_max(0);          /* no picture comes twice */
    vips_vector_set_enabled(FALSE); /* orc, which makes its code, does not bear two threads */
}

static int sharpness_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                          size_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_vips);
    struct sharpness *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(why, size, "out of memory"); /* an admin reads this: say what to do if you can */
        return -1;
    }
    self->host = host;
    /* The host has checked `config` against the schema below and filled the defaults in: it is there, and a
     * number. */
    self->blurred_below = json_number_value(json_object_get(config, "blurred_below"));
    *instance = self;
    return 0;
}

static void sharpness_close(void *instance) {
    free(instance);
    vips_thread_shutdown(); /* what libvips keeps for this thread */
}

/* What shapes the output beyond name, output_version and configuration. The host recomputes when it changes,
 * and only then: an updated library that gives the same results must not be in here. Decoders differ between
 * versions of libvips, a little. */
static int sharpness_fingerprint(void *instance, char *text, size_t size) {
    (void)instance;
    snprintf(text, size, "libvips %d.%d", vips_version(0), vips_version(1));
    return 0;
}

/* ---- the work ---- */

/* Decode a JPEG to grey values. The caller frees *pixels with g_free. NULL, or why it can't be done. */
static const char *decode_grey(const struct linnet_blob *blob, unsigned char **pixels, int *width,
                               int *height) {
    VipsImage *image = NULL, *grey = NULL;
    size_t size;
    *pixels = NULL;
    /* Name the loader: what came in is data from strangers, and libvips can read far more than JPEG. */
    if (!vips_jpegload_buffer((void *)blob->data, blob->size, &image, "fail_on", VIPS_FAIL_ON_TRUNCATED,
                              NULL) &&
        !vips_colourspace(image, &grey, VIPS_INTERPRETATION_B_W, NULL)) {
        *width = vips_image_get_width(grey);
        *height = vips_image_get_height(grey);
        /* A thumbnail has at most 256 x 256 pixels; anything else is none, and could be very large. */
        if (*width <= 1024 && *height <= 1024 && vips_image_get_bands(grey) == 1)
            *pixels = vips_image_write_to_memory(grey, &size);
    }
    if (grey) g_object_unref(grey);
    if (image) g_object_unref(image);
    vips_error_clear();
    return *pixels ? NULL : "the thumbnail is no JPEG that can be decoded";
}

/* One item: measure, emit a document, say how it ended. */
static void look_at(struct sharpness *self, const struct linnet_item *item) {
    const struct linnet_host *host = self->host;
    const struct linnet_doc *picture = &item->docs[0]; /* the trigger: our unit is a document */
    unsigned char *pixels;
    int width, height;

    /* Blobs that do not exist are not there, so look. A rejected item becomes a dead letter with this reason,
     * for people. */
    if (picture->nblobs == 0) {
        host->finish(host->ctx, item, LINNET_REJECT, "the picture has no thumbnail");
        return;
    }
    const char *why = decode_grey(&picture->blobs[0], &pixels, &width, &height);
    if (why) {
        host->finish(host->ctx, item, LINNET_REJECT, why);
        return;
    }
    struct measure measure = measure_grey(pixels, (size_t)width, (size_t)height);
    g_free(pixels);

    /* The host adds _id, kind, stage, inputs and digest. No clock and no host name in a document: the same
     * picture must give the same document on every machine, at any time. */
    struct linnet_output output = {
        .document = json_pack("{s:s, s:f, s:f, s:f, s:b}", "image", picture->qualifier, "sharpness",
                              measure.sharpness, "brightness", measure.brightness, "contrast",
                              measure.contrast, "blurred", measure.sharpness < self->blurred_below),
    };
    if (!output.document || host->emit(host->ctx, item, &output)) {
        /* RETRY is for what passes: memory, a device that is busy. The item comes again, later. */
        host->finish(host->ctx, item, LINNET_RETRY, "out of memory");
        return;
    }
    host->count(host->ctx, "sharpness_pictures", 1); /* linnet_plugin_sharpness_pictures in /metrics */
    host->finish(host->ctx, item, LINNET_OK, NULL);
}

/* A batch: at most batch_max items. Return 0 when each of them has been finished exactly once. (Non-zero says
 * that none was touched, and the host tries them again one by one.) */
static int sharpness_process(void *instance, const struct linnet_item *const *items, size_t n) {
    for (size_t i = 0; i < n; i++)
        look_at(instance, items[i]);
    return 0;
}

/* ---- the description ---- */

/* What it consumes: every normalized picture makes an item, with its thumbnail in memory. */
static const char *const blobs[] = {"thumb.jpg", NULL};
static const struct linnet_input inputs[] = {
    {.kind = "normalized", .flags = LINNET_TRIGGER, .blobs = blobs},
    {.kind = NULL},
};

/* What it produces: a kind of its own. Ids are "<observation>:sharpness:<qualifier of the trigger>". */
static const char *const produces[] = {"sharpness", NULL};

/* Its configuration, a JSON Schema: the host validates, refuses unknown keys and fills in the defaults. */
static const char config_schema[] =
    "{"
    "  \"type\": \"object\","
    "  \"properties\": {"
    "    \"blurred_below\": {"
    "      \"description\": \"A picture whose sharpness is below this is blurred\","
    "      \"type\": \"number\", \"minimum\": 0, \"default\": 100"
    "    }"
    "  }"
    "}";

static const struct linnet_plugin plugin = {
    .struct_size = sizeof(struct linnet_plugin),
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1, /* raise it when the same inputs would give another output */
    .name = "sharpness",
    .version = "0.1.0",
    .licence = "Apache-2.0",
    .summary = "How sharp each picture is",
    .config_schema = config_schema,
    .inputs = inputs,
    .produces = produces,
    .batch_max = 8,
    .deadline_ms = 10000,
    .host_bytes = 16 << 20,
    .open = sharpness_open,
    .fingerprint = sharpness_fingerprint,
    .process = sharpness_process,
    .close = sharpness_close,
};

LINNET_PLUGIN_EXPORT const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
