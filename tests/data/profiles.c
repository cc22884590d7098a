#include "tests/data/profiles.h"

#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

/* Serialize and close. The header's date (bytes 24 to 35) is set to one of no day, so that bytes do not
 * depend on it. */
static int save(cmsHPROFILE profile, struct bytes *out) {
    cmsUInt32Number size = 0;
    uint8_t *data = NULL;
    if (profile && cmsSaveProfileToMem(profile, NULL, &size)) data = malloc(size);
    if (data && !cmsSaveProfileToMem(profile, data, &size)) {
        free(data);
        data = NULL;
    }
    if (profile) cmsCloseProfile(profile);
    if (!data) return -1;
    memcpy(data + 24, "\x07\xd0\0\1\0\1\0\0\0\0\0\0", 12);
    *out = (struct bytes){data, size};
    return 0;
}

int linnet_flora_profile_adobe_rgb(struct bytes *out) {
    cmsCIExyY white = {0.3127, 0.3290, 1};
    cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *gamma = cmsBuildGamma(NULL, 563.0 / 256);
    if (!gamma) return -1;
    cmsToneCurve *curves[3] = {gamma, gamma, gamma};
    cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
    cmsFreeToneCurve(gamma);
    return save(profile, out);
}

/* Inks in 0..65535 to Lab in the encoding of version 2 profiles. */
static cmsInt32Number inks_to_lab(const cmsUInt16Number in[], cmsUInt16Number out[], void *cargo) {
    double key = 1 - in[3] / 65535.0, rgb[3];
    for (int i = 0; i < 3; i++)
        rgb[i] = (1 - in[i] / 65535.0) * key;
    double light = 100 * (0.3 * rgb[0] + 0.55 * rgb[1] + 0.15 * rgb[2]);
    cmsCIELab lab = {light, 110 * (rgb[0] - rgb[1]) * 0.7, 100 * (0.5 * (rgb[0] + rgb[1]) - rgb[2]) * 0.8};
    (void)cargo;
    cmsFloat2LabEncodedV2(out, &lab);
    return 1;
}

int linnet_flora_profile_cmyk(struct bytes *out) {
    cmsHPROFILE profile = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *pipeline = cmsPipelineAlloc(NULL, 4, 3);
    cmsStage *table = cmsStageAllocCLut16bit(NULL, 5, 4, 3, NULL);
    cmsMLU *text = cmsMLUalloc(NULL, 1);
    bool good = profile && pipeline && table && text &&
                cmsStageSampleCLut16bit(table, inks_to_lab, NULL, 0) &&
                cmsPipelineInsertStage(pipeline, cmsAT_END, table) &&
                cmsMLUsetASCII(text, "en", "US", "Made-up press");
    if (good) {
        cmsSetProfileVersion(profile, 2.1);
        cmsSetDeviceClass(profile, cmsSigOutputClass);
        cmsSetColorSpace(profile, cmsSigCmykData);
        cmsSetPCS(profile, cmsSigLabData);
        good = cmsWriteTag(profile, cmsSigProfileDescriptionTag, text) &&
               cmsWriteTag(profile, cmsSigCopyrightTag, text) &&
               cmsWriteTag(profile, cmsSigMediaWhitePointTag, cmsD50_XYZ()) &&
               cmsWriteTag(profile, cmsSigAToB0Tag, pipeline) &&
               cmsLinkTag(profile, cmsSigAToB1Tag, cmsSigAToB0Tag);
    } else if (table && !(pipeline && cmsPipelineGetPtrToFirstStage(pipeline) == table)) {
        cmsStageFree(table);
    }
    if (text) cmsMLUfree(text);
    if (pipeline) cmsPipelineFree(pipeline);
    if (good) return save(profile, out);
    if (profile) cmsCloseProfile(profile);
    return -1;
}
