/* Colours, chosen where the eye is even: OKLCH (Björn Ottosson, "A perceptual color space for image
 * processing", 2020). */
#ifndef LINNET_FLORA_COLOUR_H
#define LINNET_FLORA_COLOUR_H

/* sRGB, gamma-encoded, 0..1. */
struct colour {
    double r, g, b;
};

/* Lightness 0..1, chroma 0..0.3, hue in degrees; what sRGB cannot show is clipped. */
struct colour linnet_flora_oklch(double lightness, double chroma, double hue);

/* Between two colours, 0 the first, 1 the second. */
static inline struct colour colour_mix(struct colour a, struct colour b, double t) {
    return (struct colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

/* Darker (below 1) or lighter (above 1). */
static inline struct colour colour_scale(struct colour a, double by) {
    double r = a.r * by, g = a.g * by, b = a.b * by;
    return (struct colour){r > 1 ? 1 : r, g > 1 ? 1 : g, b > 1 ? 1 : b};
}

#endif
