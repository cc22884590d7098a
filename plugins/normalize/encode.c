#include "plugins/normalize/encode.h"

#include <stdio.h>
#include <string.h>

/* A picture of an extent, in memory; the same one if it has that extent. A new reference, or NULL. */
static VipsImage *resized(VipsImage *image, struct normalize_extent extent) {
    double across = (double)extent.width / image->Xsize, down = (double)extent.height / image->Ysize;
    VipsImage *lazy, *memory;
    if (extent.width == (uint32_t)image->Xsize && extent.height == (uint32_t)image->Ysize)
        return g_object_ref(image);
    if (vips_resize(image, &lazy, across, "vscale", down, NULL)) return NULL;
    memory = vips_image_copy_memory(lazy);
    g_object_unref(lazy);
    return memory;
}

static int save(VipsImage *image, const struct normalize_size *size, struct normalize_encoded *out) {
    VipsForeignSubsample subsample =
        size->full_colour ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_ON;
    out->extent = (struct normalize_extent){(uint32_t)image->Xsize, (uint32_t)image->Ysize};
    return vips_jpegsave_buffer(image, &out->data, &out->size, "Q", (int)size->quality, "subsample_mode",
                                subsample, "strip", TRUE, NULL);
}

static uint32_t sides(struct normalize_extent extent) {
    return extent.width + extent.height;
}

/* The places of the sizes by falling extent. */
static void by_extent(const struct normalize_extent extents[NORMALIZE_SIZES], int order[NORMALIZE_SIZES]) {
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        int place = i;
        for (; place > 0 && sides(extents[order[place - 1]]) < sides(extents[i]); place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
}

enum linnet_verdict normalize_encode(const struct normalize_decoded *picture,
                                     const struct normalize_size sizes[NORMALIZE_SIZES],
                                     struct normalize_encoded out[NORMALIZE_SIZES], char *why,
                                     size_t why_size) {
    struct normalize_extent extents[NORMALIZE_SIZES];
    struct normalize_encoded encoded[NORMALIZE_SIZES] = {0};
    int order[NORMALIZE_SIZES], error = 0;
    VipsImage *image = g_object_ref(picture->image);
    for (int i = 0; i < NORMALIZE_SIZES; i++)
        extents[i] = normalize_size_extent(&sizes[i], picture->original);
    by_extent(extents, order);
    for (int i = 0; i < NORMALIZE_SIZES && !error; i++) {
        if (sizes[order[i]].left_out) continue;
        VipsImage *next = resized(image, extents[order[i]]);
        error = !next || save(next, &sizes[order[i]], &encoded[order[i]]);
        if (next) g_object_unref(image);
        if (next) image = next;
    }
    g_object_unref(image);
    if (error) {
        normalize_encoded_done(encoded);
        snprintf(why, why_size, "the picture could not be written: %s", vips_error_buffer());
        vips_error_clear();
        return LINNET_RETRY;
    }
    memcpy(out, encoded, sizeof encoded);
    return LINNET_OK;
}

void normalize_encoded_done(struct normalize_encoded encoded[NORMALIZE_SIZES]) {
    for (int i = 0; i < NORMALIZE_SIZES; i++) {
        g_free(encoded[i].data);
        encoded[i] = (struct normalize_encoded){0};
    }
}
