#include "tests/data/colour.h"

#include "tests/data/fmath.h"

/* The sRGB transfer function (IEC 61966-2-1). */
static double encode(double linear) {
    if (linear <= 0) return 0;
    if (linear >= 1) return 1;
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * fm_pow(linear, 1 / 2.4) - 0.055;
}

struct colour linnet_flora_oklch(double lightness, double chroma, double hue) {
    double a = chroma * fm_cos(hue * FM_PI / 180), b = chroma * fm_sin(hue * FM_PI / 180);
    double l = lightness + 0.3963377774 * a + 0.2158037573 * b;
    double m = lightness - 0.1055613458 * a - 0.0638541728 * b;
    double s = lightness - 0.0894841775 * a - 1.2914855480 * b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    return (struct colour){encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                           encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                           encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}
