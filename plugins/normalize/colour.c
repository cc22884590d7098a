#include "plugins/normalize/colour.h"

#include <stdbool.h>

#include "plugins/normalize/profile.h"

int normalize_colour_flatten(VipsImage *in, VipsImage **out) {
    if (!vips_image_hasalpha(in)) return vips_copy(in, out, NULL);
    double white = in->BandFmt == VIPS_FORMAT_USHORT ? 65535 : 255;
    VipsArrayDouble *background = vips_array_double_newv(1, white);
    int error = vips_flatten(in, out, "background", background, "max_alpha", white, NULL);
    vips_area_unref(VIPS_AREA(background));
    return error;
}

static bool is_srgb(VipsImage *in) {
    return in->Type == VIPS_INTERPRETATION_sRGB && in->Bands == 3 && in->BandFmt == VIPS_FORMAT_UCHAR;
}

/* By the embedded profile. A profile that is broken or made for other bands than these is no reason to refuse
 * a picture: every viewer shows it without. */
static int by_profile(VipsImage *in, VipsImage **out) {
    const void *profile;
    size_t size;
    if (vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &size)) return -1;
    if (is_srgb(in) && normalize_profile_is_srgb(profile, size)) return vips_copy(in, out, NULL);
    return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "depth", 8, NULL);
}

static int by_bands(VipsImage *in, VipsImage **out) {
    if (is_srgb(in)) return vips_copy(in, out, NULL);
    return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, NULL);
}

int normalize_colour_to_srgb(VipsImage *in, VipsImage **out) {
    VipsImage *converted = NULL;
    bool tagged = vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0;
    if (!tagged || by_profile(in, &converted)) {
        if (tagged) vips_error_clear();
        VipsObject *scope = VIPS_OBJECT(vips_image_new());
        VipsImage **bare = (VipsImage **)vips_object_local_array(scope, 1);
        int error = vips_copy(in, &bare[0], NULL);
        if (!error) {
            vips_image_remove(bare[0], VIPS_META_ICC_NAME);
            error = by_bands(bare[0], &converted);
        }
        g_object_unref(scope);
        if (error) return -1;
    }
    if (is_srgb(converted)) {
        *out = converted;
        return 0;
    }
    vips_error("normalize", "%d bands of %s cannot be shown as colours", converted->Bands,
               vips_enum_nick(VIPS_TYPE_BAND_FORMAT, converted->BandFmt));
    g_object_unref(converted);
    return -1;
}
