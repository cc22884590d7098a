/* normalize: one original picture, as somebody's telephone made it, to what models and pages can rely on:
 * upright, sRGB, free of metadata, in three sizes. The file is foreign: whatever it holds, it ends as a
 * result or as a sentence that says what is wrong. */
#include <linnet/plugin.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/normalize/config.h"
#include "plugins/normalize/decode.h"
#include "plugins/normalize/encode.h"
#include "plugins/normalize/sha256.h"

#define WHY_SIZE 768

struct normalize {
    const struct linnet_host *host;
    struct normalize_config config;
};

static int normalize_check(const struct linnet_host *host, const json_t *json, char *why, size_t size) {
    struct normalize_config config;
    (void)host;
    if (normalize_config_read(json, &config, why, size)) return -1;
    return normalize_decode_setup(config.heif, why, size);
}

static int normalize_open(const struct linnet_host *host, const json_t *json, void **out, char *why,
                          size_t size) {
    struct normalize *self = calloc(1, sizeof *self);
    if (!self || sodium_init() < 0) {
        snprintf(why, size, "out of memory");
        free(self);
        return -1;
    }
    self->host = host;
    if (normalize_config_read(json, &self->config, why, size) ||
        normalize_decode_setup(self->config.heif, why, size)) {
        free(self);
        return -1;
    }
    *out = self;
    return 0;
}

static void normalize_close(void *instance) {
    free(instance);
    vips_thread_shutdown();
}

/* Another libvips resamples and encodes differently in the last bits; its patches do not. */
static int normalize_fingerprint(void *instance, char *text, size_t size) {
    (void)instance;
    snprintf(text, size, "libvips %d.%d", vips_version(0), vips_version(1));
    return 0;
}

static const struct linnet_blob *original_of(const struct linnet_item *item) {
    for (size_t i = 0; i < item->docs[0].nblobs; i++)
        if (!strcmp(item->docs[0].blobs[i].name, "original")) return &item->docs[0].blobs[i];
    return NULL;
}

/* The digest that the bytes must have: the one in the id, or, where the host had to cut a position out of the
 * picture, the one that it recorded then. */
static const char *digest_of(const struct linnet_doc *image) {
    const char *stripped = json_string_value(json_object_get(json_object_get(image->json, "stripped"), "digest"));
    return stripped ? stripped : image->qualifier;
}

/* All that can be said of the file without decoding it. */
static int inspect(const struct normalize *self, const char *digest, const struct linnet_blob *original,
                   struct normalize_header *header, char *why, size_t size) {
    const char *what;
    const struct normalize_limits *limits = &self->config.limits;
    if (normalize_limits_check_bytes(limits, original->size, why, size)) return -1;
    enum normalize_format format = normalize_sniff(original->data, original->size, &what);
    if (format == NORMALIZE_FOREIGN || (format == NORMALIZE_HEIF && !self->config.heif)) {
        snprintf(why, size, "the file is %s: JPEG, PNG%s and WebP are accepted", what,
                 self->config.heif ? ", HEIF" : "");
        return -1;
    }
    if (normalize_header_read(format, original->data, original->size, header, why, size)) return -1;
    if (normalize_limits_check_header(limits, header, why, size)) return -1;
    return normalize_sha256_check(digest, original->data, original->size, why, size);
}

static json_t *describe(const struct normalize *self, const struct normalize_header *header,
                        const struct normalize_decoded *picture, const struct normalize_encoded *encoded) {
    json_t *sizes = json_object();
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        char attachment[32];
        if (self->config.sizes[i].left_out) continue;
        snprintf(attachment, sizeof attachment, "%s.jpg", self->config.sizes[i].name);
        json_object_set_new(sizes, self->config.sizes[i].name,
                            json_pack("{s:s, s:i, s:i}", "attachment", attachment, "width",
                                      (int)encoded[i].extent.width, "height", (int)encoded[i].extent.height));
    }
    return json_pack("{s:i, s:i, s:o, s:s}", "width", (int)picture->original.width, "height",
                     (int)picture->original.height, "sizes", sizes, "format",
                     normalize_format_name(header->format));
}

static int emit(const struct normalize *self, const struct linnet_item *item, json_t *document,
                const struct normalize_encoded *encoded) {
    char names[NORMALIZE_SIZES][32];
    struct linnet_blob blobs[NORMALIZE_SIZES];
    size_t n = 0;
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        if (self->config.sizes[i].left_out) continue;
        snprintf(names[n], sizeof names[n], "%s.jpg", self->config.sizes[i].name);
        blobs[n] = (struct linnet_blob){names[n], "image/jpeg", encoded[i].data, encoded[i].size};
        n++;
    }
    struct linnet_output output = {.document = document, .blobs = blobs, .nblobs = n};
    return self->host->emit(self->host->ctx, item, &output);
}

static enum linnet_verdict encode_and_emit(const struct normalize *self, const struct linnet_item *item,
                                           const struct normalize_header *header,
                                           const struct normalize_decoded *picture, char *why, size_t size) {
    struct normalize_encoded encoded[NORMALIZE_SIZES];
    enum linnet_verdict verdict = normalize_encode(picture, self->config.sizes, encoded, why, size);
    if (verdict != LINNET_OK) return verdict;
    json_t *document = describe(self, header, picture, encoded);
    if (!document || emit(self, item, document, encoded)) {
        snprintf(why, size, "out of memory");
        verdict = LINNET_RETRY;
    }
    normalize_encoded_done(encoded);
    return verdict;
}

static enum linnet_verdict normalize_one(const struct normalize *self, const struct linnet_item *item,
                                         char *why, size_t size) {
    const struct linnet_blob *original = original_of(item);
    struct normalize_header header;
    struct normalize_decoded picture;
    if (!original) {
        snprintf(why, size, "the document has no attachment named original");
        return LINNET_REJECT;
    }
    if (inspect(self, digest_of(&item->docs[0]), original, &header, why, size)) return LINNET_REJECT;
    enum linnet_verdict verdict =
        normalize_decode(original->data, original->size, &header, &self->config.limits, self->config.sizes,
                         &picture, why, size);
    if (verdict != LINNET_OK) return verdict;
    verdict = encode_and_emit(self, item, &header, &picture, why, size);
    g_object_unref(picture.image);
    return verdict;
}

static int normalize_process(void *instance, const struct linnet_item *const *items, size_t n) {
    const struct normalize *self = instance;
    for (size_t i = 0; i < n; i++) {
        char why[WHY_SIZE] = "";
        enum linnet_verdict verdict = normalize_one(self, items[i], why, sizeof why);
        self->host->finish(self->host->ctx, items[i], verdict, *why ? why : NULL);
    }
    return 0;
}

/* The bytes alone shape the output, and the store's own digest of the attachment tells them. */
static const char *const image_blobs[] = {"original", NULL};
static const char *const image_fields[] = {"_attachments.original.digest", NULL};
static const struct linnet_input inputs[] = {
    {"image", LINNET_TRIGGER, image_blobs, image_fields},
    {"observation", LINNET_PRESENCE, NULL, NULL},
    {NULL, 0, NULL, NULL},
};
static const char *const produces[] = {"normalized", NULL};

/* What is accepted; an accepted picture comes out the same. */
static const char *const operational[] = {"max_bytes", "max_pixels", "max_memory", "max_pages",
                                          "max_scans", "max_ms",     "heif",       NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1,
    .name = "normalize",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary =
        "Original pictures upright, in sRGB, free of metadata, in the sizes that models and pages need",
    .config_schema = normalize_config_schema,
    .operational = operational,
    .inputs = inputs,
    .produces = produces,
    .scope = LINNET_SCOPE_OBSERVATION,
    .unit = LINNET_UNIT_DOCUMENT,
    .threading = LINNET_ANY_THREAD,
    .batch_max = 1,
    .deadline_ms = 60000,
    .host_bytes = (uint64_t)640 << 20,
    .check = normalize_check,
    .open = normalize_open,
    .fingerprint = normalize_fingerprint,
    .process = normalize_process,
    .close = normalize_close,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
