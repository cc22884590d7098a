#include "plugins/normalize/config.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
/* One size: its two bounds are pixels, 0 for none. */
#define SIZE_SCHEMA(longest, shortest, quality, full_colour)                                                   \
    "{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},\"properties\":{"                        \
    "\"longest\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":16384,\"default\":" longest                    \
    ",\"description\":\"most pixels of the longest side; 0: not bounded\"},"                                   \
    "\"shortest\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":16384,\"default\":" shortest                  \
    ",\"description\":\"most pixels of the shortest side; 0: not bounded\"},"                                  \
    "\"quality\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":" quality                      \
    ",\"description\":\"of the JPEG\"},"                                                                       \
    "\"full_colour\":{\"type\":\"boolean\",\"default\":" full_colour                                           \
    ",\"description\":\"colour at full resolution (4:4:4), not at half (4:2:0)\"},"                             \
    "\"keep\":{\"type\":\"boolean\",\"default\":true,\"description\":\"false: not made, for documents that no store is "    \
    "to hold, like those of linnet serve\"}}}"

#define LIMIT_SCHEMA(name, maximum, value, description)                                                        \
    "\"" name "\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":" maximum ",\"default\":" value               \
    ",\"description\":\"" description "\"}"

/* The model's bound on the longest side keeps a panorama from becoming a picture of 32,000 x 320. */
const char normalize_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"sizes\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},\"properties\":{"
    "\"page\":" SIZE_SCHEMA("1024", "0", "85", "false") ","
    "\"model\":" SIZE_SCHEMA("1280", "320", "95", "true") ","
    "\"thumb\":" SIZE_SCHEMA("256", "0", "80", "false") "}},"
    LIMIT_SCHEMA("max_bytes", "1073741824", "33554432", "largest file, bytes") ","
    LIMIT_SCHEMA("max_pixels", "1000000000", "100000000", "largest picture, width times height") ","
    LIMIT_SCHEMA("max_memory", "8589934592", "536870912",
                 "most bytes that decoding may hold at once (progressive and interlaced pictures are held whole)") ","
    LIMIT_SCHEMA("max_pages", "1000", "16", "most pictures in one file; the first is taken") ","
    LIMIT_SCHEMA("max_scans", "1000", "64", "most passes of a progressive JPEG") ","
    LIMIT_SCHEMA("max_ms", "600000", "20000", "longest decoding, milliseconds") ","
    "\"heif\":{\"type\":\"boolean\",\"default\":false,"
    "\"description\":\"accept HEIF too, where libvips can read it\"}}}";
/* clang-format on */

static json_int_t integer(const json_t *json, const char *name) {
    return json_integer_value(json_object_get(json, name));
}

static int read_size(const json_t *json, const char *name, struct normalize_size *out, char *why,
                     size_t why_size) {
    const json_t *size = json_object_get(json, name);
    *out = (struct normalize_size){
        .name = name,
        .longest = (uint32_t)integer(size, "longest"),
        .shortest = (uint32_t)integer(size, "shortest"),
        .quality = (uint32_t)integer(size, "quality"),
        .full_colour = json_is_true(json_object_get(size, "full_colour")),
        .left_out = json_is_false(json_object_get(size, "keep")),
    };
    if (out->longest || out->shortest) return 0;
    snprintf(why, why_size, "sizes.%s: longest or shortest must bound it", name);
    return -1;
}

int normalize_config_read(const json_t *json, struct normalize_config *out, char *why, size_t why_size) {
    static const char *const names[NORMALIZE_SIZES] = {"page", "model", "thumb"};
    const json_t *sizes = json_object_get(json, "sizes");
    struct normalize_config config = {
        .limits =
            {
                .bytes = (uint64_t)integer(json, "max_bytes"),
                .pixels = (uint64_t)integer(json, "max_pixels"),
                .memory = (uint64_t)integer(json, "max_memory"),
                .pages = (uint32_t)integer(json, "max_pages"),
                .scans = (uint32_t)integer(json, "max_scans"),
                .ms = (uint32_t)integer(json, "max_ms"),
            },
        .heif = json_is_true(json_object_get(json, "heif")),
    };
    for (int i = 0; i < NORMALIZE_SIZES; i++)
        if (read_size(sizes, names[i], &config.sizes[i], why, why_size)) return -1;
    if (config.sizes[NORMALIZE_MODEL].left_out) {
        snprintf(why, why_size, "sizes.model: it is what the models see, and has to be kept");
        return -1;
    }
    *out = config;
    return 0;
}
