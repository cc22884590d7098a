#include "plugins/normalize/encode.h"

#include <stdio.h>

static int resize_and_save(const struct normalize_decoded *picture, const struct normalize_size *size,
                           struct normalize_extent extent, VipsObject *scope, struct normalize_encoded *out) {
    VipsImage **t = (VipsImage **)vips_object_local_array(scope, 1);
    VipsImage *image = picture->image;
    double across = (double)extent.width / image->Xsize, down = (double)extent.height / image->Ysize;
    if (extent.width != (uint32_t)image->Xsize || extent.height != (uint32_t)image->Ysize) {
        if (vips_resize(image, &t[0], across, "vscale", down, NULL)) return -1;
        image = t[0];
    }
    VipsForeignSubsample subsample =
        size->full_colour ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_ON;
    out->extent = (struct normalize_extent){(uint32_t)image->Xsize, (uint32_t)image->Ysize};
    return vips_jpegsave_buffer(image, &out->data, &out->size, "Q", (int)size->quality, "subsample_mode",
                                subsample, "strip", TRUE, NULL);
}

enum linnet_verdict normalize_encode(const struct normalize_decoded *picture,
                                     const struct normalize_size *size, struct normalize_encoded *out,
                                     char *why, size_t why_size) {
    struct normalize_encoded encoded = {0};
    VipsObject *scope = VIPS_OBJECT(vips_image_new());
    int error =
        resize_and_save(picture, size, normalize_size_extent(size, picture->original), scope, &encoded);
    g_object_unref(scope);
    if (error) {
        snprintf(why, why_size, "%s.jpg could not be written: %s", size->name, vips_error_buffer());
        vips_error_clear();
        return LINNET_RETRY;
    }
    *out = encoded;
    return LINNET_OK;
}

void normalize_encoded_done(struct normalize_encoded *encoded) {
    g_free(encoded->data);
    *encoded = (struct normalize_encoded){0};
}
